"""What does a search find? Per entity, over all, and by one field; it may lag behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from . import cursors, times
from .call import Call, Handler, Query, ok
from .errors import validation
from .store import Record

if TYPE_CHECKING:
    from .account import Account

MOST = 100
_TYPES = {"deal": "deals", "person": "persons", "organization": "organizations"}
_FIELDS = {
    "deals": ("custom_fields", "notes", "title"),
    "persons": ("custom_fields", "email", "name", "notes", "phone"),
    "organizations": ("address", "custom_fields", "name", "notes"),
}
_SEARCHABLE = frozenset({"address", "varchar", "text", "varchar_auto", "double", "monetary", "phone"})
_PARAMETERS = {
    "deals": ("person_id", "organization_id", "status", "include_fields"),
    "persons": ("organization_id", "include_fields"),
    "organizations": (),
}
_COMMON = ("term", "fields", "exact_match", "limit", "cursor")
_LINK = {"deals": "deal_id", "persons": "person_id", "organizations": "org_id"}


def _custom_texts(account: Account, entity: str, record: Record) -> list[str]:
    texts = []
    for code, value in record.get("custom_fields", {}).items():
        one = account.custom[entity].get(code)
        if one is None or one.type not in _SEARCHABLE:
            continue
        texts.append(str(value["value"] if isinstance(value, dict) else value))
    return texts


def _notes(account: Account, entity: str, id_: int) -> list[str]:
    link = _LINK[entity]
    needle = b'"%s":%d' % (link.encode(), id_)
    found = account.stores["notes"].containing(needle)
    return [one.get("content", "") for one in found if one.get(link) == id_]


def _texts(account: Account, entity: str, record: Record, fields: tuple[str, ...]) -> Iterator[str]:
    for name in fields:
        if name in ("name", "title"):
            yield record.get(name, "")
        elif name == "address":
            yield record.get("address", {}).get("value", "")
        elif name in ("email", "phone"):
            yield from (one["value"] for one in record.get(f"{name}s", ()))
        elif name == "custom_fields":
            yield from _custom_texts(account, entity, record)
        elif len(account.stores["notes"]):
            yield from _notes(account, entity, record["id"])


def _item(account: Account, entity: str, record: Record) -> dict[str, Any]:
    org = record.get("org_id")
    shown: dict[str, Any] = {"id": record["id"], "type": entity.removesuffix("s")}
    if entity == "deals":
        stage, person = account.stages.get(record.get("stage_id", 0)), record.get("person_id")
        shown |= {
            "title": record.get("title"),
            "value": record.get("value"),
            "currency": record.get("currency"),
            "status": record.get("status"),
            "stage": {"id": stage["id"], "name": stage["name"]} if stage else None,
            "person": {"id": person, "name": account.name_of("persons", person)} if person else None,
            "is_archived": record.get("is_archived", False),
        }
    elif entity == "persons":
        shown |= {
            "name": record.get("name"),
            "phones": [one["value"] for one in record.get("phones", ())],
            "emails": [one["value"] for one in record.get("emails", ())],
        }
    else:
        shown |= {"name": record.get("name"), "address": record.get("address", {}).get("value")}
    if entity != "organizations":
        shown["organization"] = {"id": org, "name": account.name_of("organizations", org)} if org else None
    return shown | {
        "visible_to": record.get("visible_to"),
        "owner": {"id": record.get("owner_id")},
        "custom_fields": _custom_texts(account, entity, record),
        "notes": _notes(account, entity, record["id"]) if len(account.stores["notes"]) else [],
    }


def _indexed(account: Account, entity: str) -> Iterator[Record]:
    """Live records that the index has heard of."""
    lag = account.habits["search_lag"]
    known_until = times.v2_stamp(int(account.now() - lag)) if lag else None
    for record in account.stores[entity].containing(b""):
        if known_until is None or record["update_time"] <= known_until:
            yield record


def _find(
    account: Account, entity: str, term: str, fields: tuple[str, ...], exact: bool
) -> list[dict[str, Any]]:
    sought = term.lower()
    found = []
    for record in _indexed(account, entity):
        texts = (text.lower() for text in _texts(account, entity, record, fields) if text)
        if any(text == sought if exact else sought in text for text in texts):
            found.append(record)
    return found


def _term(query: Query, exact: bool) -> str:
    term = query.text("term") or ""
    if len(term.strip()) < (1 if exact else 2):
        raise validation(
            [f"term: This value is too short. It should have {1 if exact else 2} characters or more."]
        )
    return term.strip()


def entity_search(entity: str) -> Handler:
    """GET /{entity}/search."""

    def handler(call: Call) -> dict[str, Any]:
        account = call.account
        query = Query(call, *_COMMON, *_PARAMETERS[entity])
        exact = query.boolean("exact_match") is True
        fields = query.choices("fields", _FIELDS[entity]) or _FIELDS[entity]
        known = _PARAMETERS[entity]
        org = query.integer("organization_id") if "organization_id" in known else None
        person = query.integer("person_id") if "person_id" in known else None
        status = query.choice("status", "open", "won", "lost") if "status" in known else None
        limit = query.limit(MOST)
        query.done()
        found = _find(account, entity, _term(query, exact), fields, exact)
        for name, value in (("org_id", org), ("person_id", person), ("status", status)):
            if value is not None:
                found = [one for one in found if one.get(name) == value]
        return _answer([_item(account, entity, one) for one in found], query, limit)

    return handler


def _answer(items: list[dict[str, Any]], query: Query, limit: int, **extra: Any) -> dict[str, Any]:
    page, following = cursors.cut(items, query.text("cursor"), limit)
    results = [{"result_score": round(1 / (1 + at), 5), "item": item} for at, item in enumerate(page)]
    return ok({"items": results, **extra}, additional_data={"next_cursor": following})


def item_search(call: Call) -> dict[str, Any]:
    """GET /itemSearch: deals, persons and organizations."""
    query = Query(call, *_COMMON, "item_types", "search_for_related_items", "include_fields")
    others = ("product", "lead", "file", "mail_attachment", "project")
    wanted = query.choices("item_types", (*_TYPES, *others)) or tuple(_TYPES)
    exact = query.boolean("exact_match") is True
    everything = tuple(
        sorted({name for names in _FIELDS.values() for name in names} | {"code", "description"})
    )
    fields = query.choices("fields", everything) or everything
    limit = query.limit(MOST)
    query.done()
    term = _term(query, exact)
    items = []
    for kind in wanted:
        entity = _TYPES.get(kind)
        if entity is not None:
            own = tuple(name for name in fields if name in _FIELDS[entity])
            items += [
                _item(call.account, entity, one) for one in _find(call.account, entity, term, own, exact)
            ]
    return _answer(items, query, limit, related_items=[])


def field_search(call: Call) -> dict[str, Any]:
    """GET /itemSearch/field: by one field, and case counts."""
    account = call.account
    query = Query(call, "term", "entity_type", "match", "field", "limit", "cursor")
    kind = query.choice("entity_type", *_TYPES, "lead", "product", "project")
    match = query.choice("match", "exact", "beginning", "middle") or "exact"
    name = query.text("field")
    limit = query.limit(500)
    query.problems += [
        f"{key}: This value is required." for key in ("entity_type", "field") if not query.text(key)
    ]
    query.done()
    term = _term(query, match == "exact")
    found: list[dict[str, Any]] = []
    entity = _TYPES.get(kind or "")
    for record in _indexed(account, entity) if entity else ():
        value = record.get(name or "", record.get("custom_fields", {}).get(name))
        value = value["value"] if isinstance(value, dict) else value
        text = str(value)
        if value is None:
            continue
        hit = {"exact": text == term, "beginning": text.startswith(term), "middle": term in text}[match]
        if hit:
            found.append({"id": record["id"], str(name): value})
    page, following = cursors.cut(found, query.text("cursor"), limit)
    return ok(page, additional_data={"next_cursor": following})
