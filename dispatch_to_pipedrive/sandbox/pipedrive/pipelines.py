"""How are pipelines and stages read and changed?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import cursors
from . import validate as v
from .call import Call, Handler, Query, ok
from .errors import Invalid, not_found
from .schema import read_body
from .store import Record

if TYPE_CHECKING:
    from .account import Account

_NAME = v.string(empty=False)


def _percent(account: Account, value: Any) -> int:
    v.integer(account, value)
    v.between(0, 100)(account, value)
    return int(value)


def _pipeline_id(account: Account, value: Any) -> int:
    found = account.pipelines.get(v.integer(account, value))
    if found is None or found["is_deleted"]:
        raise Invalid(f"The object with id {value} was not found")
    return int(value)


_TABLES: dict[str, dict[str, Any]] = {
    "pipelines": {"name": _NAME, "is_deal_probability_enabled": v.boolean},
    "stages": {
        "name": _NAME,
        "pipeline_id": _pipeline_id,
        "deal_probability": _percent,
        "is_deal_rot_enabled": v.boolean,
        "days_to_rotten": v.nullable(v.integer),
    },
}
_REQUIRED = {"pipelines": ("name",), "stages": ("name", "pipeline_id")}


def _all(account: Account, kind: str) -> dict[int, Record]:
    return account.pipelines if kind == "pipelines" else account.stages


def _find(call: Call, kind: str) -> Record:
    found = _all(call.account, kind).get(call.id)
    if found is None or found["is_deleted"]:
        raise not_found()
    return found


def page(kind: str) -> Handler:
    """GET /pipelines, GET /stages; an unknown pipeline_id gives an empty list."""
    stages = kind == "stages"
    known = ("sort_by", "sort_direction", "limit", "cursor", *(("pipeline_id",) if stages else ()))

    def handler(call: Call) -> dict[str, Any]:
        query = Query(call, *known)
        sort = (
            query.choice("sort_by", "id", "update_time", "add_time", *(("order_nr",) if stages else ()))
            or "id"
        )
        falling = query.choice("sort_direction", "asc", "desc") == "desc"
        pipeline = query.integer("pipeline_id") if stages else None
        limit = query.limit(500)
        query.done()
        found = [one for one in _all(call.account, kind).values() if not one["is_deleted"]]
        if pipeline is not None:
            found = [one for one in found if one["pipeline_id"] == pipeline]
        found.sort(key=lambda one: (one[sort], one["id"]), reverse=falling)
        shown, following = cursors.cut(found, query.text("cursor"), limit)
        return ok(shown, additional_data={"next_cursor": following})

    return handler


def get(kind: str) -> Handler:
    """GET one."""
    return lambda call: ok(_find(call, kind))


def create(kind: str) -> Handler:
    """POST: the new one goes behind the others."""

    def handler(call: Call) -> dict[str, Any]:
        account = call.account
        read = read_body(account, call.json(), _TABLES[kind], _REQUIRED[kind])
        if kind == "pipelines":
            probability = read.get("is_deal_probability_enabled", False)
            stages = account.capabilities["pipeline_default_stages"]
            return ok(account.new_pipeline(read["name"], probability=probability, default_stages=stages))
        return ok(account.new_stage(read.pop("name"), read.pop("pipeline_id"), **read))

    return handler


def update(kind: str) -> Handler:
    """PATCH."""

    def handler(call: Call) -> dict[str, Any]:
        one = _find(call, kind)
        one |= read_body(call.account, call.json(), _TABLES[kind]) | {"update_time": call.account.stamp()}
        return ok(one)

    return handler


def delete(kind: str) -> Handler:
    """DELETE: marked as deleted."""

    def handler(call: Call) -> dict[str, Any]:
        _find(call, kind).update(is_deleted=True, update_time=call.account.stamp())
        return ok({"id": call.id})

    return handler
