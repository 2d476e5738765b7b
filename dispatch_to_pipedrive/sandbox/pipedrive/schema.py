"""How is an account's schema read and changed through v2? Fields with options, pipelines, stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import cursors, fields, plans
from . import validate as v
from .call import Call, Handler, Query, ok
from .custom_values import CREATABLE
from .errors import Invalid, capped, not_allowed, not_found, validation
from .fields import Field

if TYPE_CHECKING:
    from .account import Account
    from .validate import Check

_NAME = v.string(empty=False)


def read_body(
    account: Account, body: Any, table: dict[str, Check], required: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The values of a body by a table of keys; raises Refused with every problem."""
    if not isinstance(body, dict):
        raise validation(["The value is not a valid 'object'"])
    problems, stored = [], {}
    for key, value in body.items():
        if key not in table:
            problems.append(not_allowed(key))
            continue
        try:
            stored[key] = table[key](account, value)
        except Invalid as invalid:
            problems.append(f"{key}: {invalid.words}")
    problems += [f"{key}: This value is required." for key in required if key not in body]
    if not body:
        problems.append("At least one parameter is required")
    if problems:
        raise validation(problems)
    return stored


# --- fields ---------------------------------------------------------------------------------------------------


def _object(_: Account, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise v.wrong_type("object")
    return value


def _new_options(account: Account, value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise v.wrong_type("array")
    return [_NAME(account, v.keys(one, ("label",), ("label",))["label"]) for one in value]


def _field_table(entity: str) -> dict[str, Check]:
    table: dict[str, Check] = {"field_name": _NAME, **dict.fromkeys(fields.extras_of(entity), _object)}
    if entity == "deals":
        table["description"] = v.nullable(v.string(v.TEXT))
    return table


def _find(call: Call, entity: str) -> Field:
    found = call.account.fields[entity].get(call.ids[0])
    if found is None or found.deleted:
        raise not_found()
    return found


def list_fields(entity: str) -> Handler:
    """GET /{entity}Fields."""

    def handler(call: Call) -> dict[str, Any]:
        query = Query(call, "include_fields", "limit", "cursor")
        include = query.choices("include_fields", fields.extras_of(entity))
        limit = query.limit(500)
        query.done()
        live = [one for one in call.account.fields[entity].values() if not one.deleted]
        shown = [fields.show(entity, one, include) for one in live]
        page, following = cursors.cut(shown, query.text("cursor"), limit, key="field_code")
        return ok(page, additional_data={"next_cursor": following})

    return handler


def get_field(entity: str) -> Handler:
    """GET /{entity}Fields/{field_code}."""

    def handler(call: Call) -> dict[str, Any]:
        query = Query(call, "include_fields")
        include = query.choices("include_fields", fields.extras_of(entity))
        query.done()
        return ok(fields.show(entity, _find(call, entity), include))

    return handler


def create_field(entity: str) -> Handler:
    """POST /{entity}Fields."""
    table = _field_table(entity) | {"field_type": v.choice(*CREATABLE), "options": _new_options}

    def handler(call: Call) -> dict[str, Any]:
        account = call.account
        read = read_body(account, call.json(), table, ("field_name", "field_type"))
        optional = read["field_type"] in ("enum", "set")
        if optional != ("options" in read):
            words = (
                "This value is required." if optional else "Options are only allowed for enum and set fields"
            )
            raise validation([f"options: {words}"])
        if account.custom_field_count() >= account.cap("custom_fields"):
            raise capped(
                "Couldn't add the field. Custom fields limit reached.", "feature_capping_custom_fields_limit"
            )
        made = add_field(account, entity, read)
        return ok(fields.show(entity, made))

    return handler


def add_field(account: Account, entity: str, read: dict[str, Any]) -> Field:
    """Add a custom field from checked values."""
    id_ = account.new_field_id()
    code = fields.new_code(account, entity, read["field_name"])
    options = None
    if "options" in read:
        options = [{"id": account.new_option_id(), "label": label} for label in read["options"]]
    made = Field(
        id_,
        code,
        read["field_name"],
        read["field_type"],
        True,
        options,
        account.stamp(),
        len(account.fields[entity]) + 1,
        read.get("description"),
        {name: read[name] for name in fields.extras_of(entity) if name in read},
    )
    account.fields[entity][code] = made
    account.schema_changed()
    return made


def update_field(entity: str) -> Handler:
    """PATCH /{entity}Fields/{field_code}."""
    table = _field_table(entity)

    def handler(call: Call) -> dict[str, Any]:
        one = _find(call, entity)
        read = read_body(call.account, call.json(), table)
        one.name = read.get("field_name", one.name)
        one.description = read.get("description", one.description)
        for name in fields.extras_of(entity):
            if name in read:
                one.extras[name] = one.extras.get(name, {}) | read[name]
        return ok(fields.show(entity, one))

    return handler


def delete_field(entity: str) -> Handler:
    """DELETE /{entity}Fields/{field_code}: the field and its values are gone from every read."""

    def handler(call: Call) -> dict[str, Any]:
        one = _find(call, entity)
        if not one.custom:
            raise validation(["field_code: Only custom fields can be deleted"])
        one.deleted = True
        call.account.schema_changed()
        _rewrite(call.account, entity, one.code, lambda _: None)
        return ok(fields.show(entity, one))

    return handler


def _rewrite(account: Account, entity: str, code: str, change: Any) -> None:
    """Change a field's stored values everywhere, without a trace in update_time."""
    store = account.stores[entity]
    needle = b'"%s"' % code.encode()
    for id_ in store.ids():
        row = store.row(id_)
        if row is None or needle not in row:
            continue
        record = store.get(id_)
        if record is None:
            continue
        holder = record if code == "label_ids" else record.get("custom_fields", {})
        value = change(holder.get(code))
        if value is None:
            holder.pop(code, None)
        else:
            holder[code] = value
        store.put(id_, record, store.updated[id_ - store.base], store.flag(id_))


def forget_options(account: Account, entity: str, one: Field, gone: set[Any]) -> None:
    """Take removed options out of every record that bears them."""

    def without(value: Any) -> Any:
        if isinstance(value, list):
            return [id_ for id_ in value if id_ not in gone] or None
        return None if value in gone else value

    _rewrite(account, entity, one.code, without)


def _with_options(call: Call, entity: str) -> Field:
    one = _find(call, entity)
    changeable = one.custom or (one.code == "label_ids" and call.account.capabilities["label_options_v2"])
    if one.options is None or not changeable:
        raise validation(["field_code: Options of this field cannot be changed"])
    return one


def add_options(entity: str) -> Handler:
    """POST /{entity}Fields/{field_code}/options: all or none; answers the new ones."""

    def handler(call: Call) -> dict[str, Any]:
        one = _with_options(call, entity)
        try:
            labels = _new_options(call.account, call.json())
        except Invalid as invalid:
            raise validation([invalid.words]) from None
        known = one.options or []
        if len(known) + len(labels) > plans.OPTIONS_PER_FIELD:
            raise validation([f"This collection should contain {plans.OPTIONS_PER_FIELD} elements or less."])
        added = [{"id": call.account.new_option_id(), "label": label} for label in labels]
        one.options = known + added
        one.index()
        return ok(added, additional_data=None)

    return handler


def change_options(entity: str) -> Handler:
    """PATCH or DELETE /{entity}Fields/{field_code}/options."""

    def handler(call: Call) -> dict[str, Any]:
        one = _with_options(call, entity)
        removing = call.method == "DELETE"
        known = {option["id"]: option for option in one.options or ()}
        names = ("id",) if removing else ("id", "label")
        body = call.json()
        try:
            if not isinstance(body, list) or not body:
                raise v.wrong_type("array")
            for item in body:
                v.keys(item, names, names)
                if item["id"] not in known:
                    raise Invalid(f"The option with id {item['id']} does not exist")
                if not removing:
                    _NAME(call.account, item["label"])
        except Invalid as invalid:
            raise validation([invalid.words]) from None
        if not removing:
            for item in body:
                known[item["id"]]["label"] = item["label"]
            return ok([{"id": item["id"], "label": item["label"]} for item in body], additional_data=None)
        gone = {item["id"] for item in body}
        one.options = [option for option in one.options or () if option["id"] not in gone]
        one.index()
        forget_options(call.account, entity, one, gone)
        return ok([{"id": id_, "label": known[id_]["label"]} for id_ in gone], additional_data=None)

    return handler
