"""How a list answers: pages by number, filters, sort, `hasMore`; the total only when asked for."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import orjson
from starlette.datastructures import QueryParams

from .errors import ApiError, invalid
from .resource import Filter, Parent, Resource
from .table import BLOCK, Record, Table
from .times import Ints, parse_ticks

MAX_PAGE, DEFAULT_PAGE, MAX_IDS = 5000, 50, 50
Shape = Callable[[list[Record]], list[Record]]
_PAGING = frozenset({"page", "pageSize", "includeTotal"})
_FLAGS = {"true": True, "false": False}
_STATES = {"activeonly": "True", "inactiveonly": "False", "all": "Any"}


def list_page(table: Table, resource: Resource, query: QueryParams, shape: Shape) -> tuple[bytes, int]:
    """The body of a list answer and its number of rows, over all records of the table."""
    known = query if resource.ids else QueryParams([pair for pair in query.multi_items() if pair[0] != "ids"])
    return _page(table, table.rows(), resource, known, shape)


def child_page(
    table: Table, resource: Resource, query: QueryParams, parent: Parent, parent_id: int | str
) -> tuple[bytes, int]:
    """The same over the records of one parent. Records that are not active are not there unless asked for."""
    names = _PAGING | parent.understands
    known = QueryParams([pair for pair in query.multi_items() if pair[0] in names])
    rows = table.where(parent.key, parent_id)
    if "active" not in known:
        rows = rows[table.active[rows]]
    return _page(table, rows, resource, known, lambda records: without(records, parent.drop))


def _page(
    table: Table, rows: Ints, resource: Resource, query: QueryParams, shape: Shape
) -> tuple[bytes, int]:
    refuse_unsimulated(resource, query)
    page, size = _number(query, "page", 1), _number(query, "pageSize", DEFAULT_PAGE)
    if page == 0 and resource.page_zero:
        page = 1
    if page < 1:
        raise invalid("page", f"The value '{page}' is not valid for Page.")
    if not 1 <= size <= MAX_PAGE:
        raise invalid("pageSize", f"The field PageSize must be between 1 and {MAX_PAGE}.")
    rows = _by_filters(
        table, _by_time(table, _by_active(table, rows, resource, query), query), resource, query
    )
    rows = _sorted(table, rows, resource, query)
    chosen = rows[(page - 1) * size : page * size]
    records = table.read(chosen)
    body = {
        "page": page,
        "pageSize": size,
        "hasMore": page * size < len(rows),
        "totalCount": len(rows) if flag(query, "includeTotal") else None,
        "data": shape(records),
    }
    return orjson.dumps(body), len(records)


def without(records: list[Record], drop: tuple[str, ...]) -> list[Record]:
    """The records less the fields that this form of the object does not have."""
    if not drop:
        return records
    return [{key: value for key, value in record.items() if key not in drop} for record in records]


def refuse_unsimulated(resource: Resource, query: QueryParams) -> None:
    """501 for documented parameters that would silently do nothing here."""
    used = [name for name in resource.refused if query.get(name)]
    if used:
        raise ApiError(501, f"The sandbox does not simulate the parameter {used[0]}.")


def flag(query: QueryParams, name: str) -> bool:
    """A boolean parameter; absent is False."""
    text = query.get(name) or "false"
    if text.lower() not in _FLAGS:
        raise invalid(name, f"The value '{text}' is not valid for {name}.")
    return _FLAGS[text.lower()]


def active_choice(query: QueryParams, name: str, default: str) -> str:
    """`True`, `Any` or `False` of `active=`, or the same of `activeState=`."""
    text = (query.get(name) or default).lower()
    choice = _STATES.get(text) if name == "activeState" and text in _STATES else text.capitalize()
    if choice not in ("True", "Any", "False"):
        raise invalid(name, f"The value '{text}' is not valid for {name}.")
    return choice


def _number(query: QueryParams, name: str, default: int) -> int:
    text = query.get(name)
    if text is None or text == "":
        return default
    try:
        return int(text)
    except ValueError:
        raise invalid(name, f"The value '{text}' is not valid.") from None


def _by_active(table: Table, rows: Ints, resource: Resource, query: QueryParams) -> Ints:
    if resource.active is None:
        gone = "active" in resource.drop and resource.feed != "jobs"
        return rows[table.active[rows]] if gone else rows
    if resource.active == "includeInactive":
        return rows if flag(query, resource.active) else rows[table.active[rows]]
    choice = active_choice(query, resource.active, resource.active_default)
    if choice == "Any":
        return rows
    chosen: Ints = rows[table.active[rows] == (choice == "True")]
    return chosen


def _by_time(table: Table, rows: Ints, query: QueryParams) -> Ints:
    for name, times, from_here in (
        ("createdOnOrAfter", table.created, True),
        ("createdBefore", table.created, False),
        ("modifiedOnOrAfter", table.modified, True),
        ("modifiedBefore", table.modified, False),
    ):
        if query.get(name):
            bound = moment(name, query[name])
            rows = rows[times[rows] >= bound] if from_here else rows[times[rows] < bound]
    return rows


def moment(name: str, text: str) -> int:
    """A time parameter in ticks; a `+` that was not encoded arrives as a space."""
    try:
        return parse_ticks(text.replace(" ", "+"))
    except ValueError:
        raise invalid(name, f"The value '{text}' is not valid for {name}.") from None


def _by_filters(table: Table, rows: Ints, resource: Resource, query: QueryParams) -> Ints:
    if query.get("ids"):
        wanted = _ids("ids", query["ids"])
        rows = rows[np.isin(table.ids[rows], wanted)]
    for name, rule in resource.filters.items():
        if not query.get(name):
            continue
        key = _key(table, rule)
        if rule.how in ("is", "in") and key is not None:
            texts = ",".join(query.getlist(name))
            spelled = key in table.spelled
            wanted = [table.number(text, key) for text in texts.split(",")] if spelled else _ids(name, texts)
            rows = rows[np.isin(table.keys[key][rows], wanted)]
        else:
            rows = _matching(table, rows, _test(name, rule, query))
    return rows


def _key(table: Table, rule: Filter) -> str | None:
    name = rule.path[0] if len(rule.path) == 1 else f"{rule.path[0]}{rule.path[1].capitalize()}"
    return name if name in table.keys else None


def _ids(name: str, text: str) -> list[int]:
    try:
        wanted = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise invalid(name, f"The value '{text}' is not valid.") from None
    if len(wanted) > MAX_IDS:
        raise invalid(name, f"Simple IDs lookup should not contain more than {MAX_IDS} items.")
    return wanted


def _matching(table: Table, rows: Ints, test: Callable[[Mapping[str, Any]], bool]) -> Ints:
    kept: list[int] = []
    for at in range(0, len(rows), BLOCK):
        block = rows[at : at + BLOCK]
        kept += [row for row, record in zip(block.tolist(), table.read(block), strict=True) if test(record)]
    return np.array(kept, dtype=np.int64)


def _test(name: str, rule: Filter, query: QueryParams) -> Callable[[Mapping[str, Any]], bool]:
    """What a record must satisfy for one parameter."""
    texts = [part.strip() for text in query.getlist(name) for part in text.split(",")]
    first = query[name]
    tests: dict[str, Callable[[Any], bool]] = {
        "is": lambda value: value is not None and str(value).lower() == first.lower(),
        "in": lambda value: value is not None and str(value) in texts,
        "any": lambda value: any(str(item) in texts for item in value or ()),
        "text": lambda value: value is not None and first.lower() in str(value).lower(),
        "flag": lambda value: bool(value) == flag(query, name),
        "from": lambda value: value is not None and parse_ticks(value) >= moment(name, first),
        "before": lambda value: value is not None and parse_ticks(value) < moment(name, first),
        "until": lambda value: value is not None and parse_ticks(value) <= moment(name, first),
    }
    test = tests[rule.how]

    def look(record: Mapping[str, Any]) -> bool:
        value: Any = record
        for part in rule.path:
            value = value.get(part) if isinstance(value, Mapping) else None
        return test(value)

    return look


def _sorted(table: Table, rows: Ints, resource: Resource, query: QueryParams) -> Ints:
    text = query.get("sort", "")
    if not text or not resource.sort:
        return rows
    backwards, name = text.startswith("-"), text.lstrip("+- ")
    allowed = {field.lower(): field for field in resource.sort}
    if name.lower() not in allowed:
        raise invalid(
            "sort", f"Sorting by '{name}' is not supported. Available fields: {', '.join(resource.sort)}."
        )
    order = {"Id": table.ids, "CreatedOn": table.created, "ModifiedOn": table.modified}
    chosen = allowed[name.lower()]
    if chosen == "Priority":
        ranks = {"Low": 0, "Normal": 1, "High": 2, "Urgent": 3}
        values = np.array([ranks.get(r["priority"], 0) for r in table.read(rows)], dtype=np.int64)
    elif chosen == "Id" and "id" in table.spelled:
        values = _ranks([str(record["id"]) for record in table.read(rows)])
    else:
        values = order[chosen][rows]
    places: Ints = np.lexsort((table.ids[rows], -values if backwards else values)).astype(np.int64)
    return rows[places]


def _ranks(texts: list[str]) -> Ints:
    """The place of each text in their order."""
    places = {text: place for place, text in enumerate(sorted(texts))}
    return np.array([places[text] for text in texts], dtype=np.int64)
