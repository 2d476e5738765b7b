"""Which operations are there, and what does each cost? The route table, prices from the vendor's documents."""

from __future__ import annotations

from typing import Any

from . import (
    changelog,
    duplicating,
    files,
    leads,
    listing,
    merging,
    notes,
    pipelines,
    records,
    schema,
    search,
    v1,
)
from .account import ENTITIES
from .call import Call, Handler, Route, ok
from .fields import FIELD_ENTITIES

Table = dict[tuple[str, str], dict[str, Route]]


def _create(entity: str) -> Handler:
    return lambda call: ok(records.create(call.account, entity, call.json(), call.user))


def _update(entity: str) -> Handler:
    return lambda call: ok(records.update(call.account, entity, call.id, call.json()))


def _delete(entity: str) -> Handler:
    return lambda call: ok(records.delete(call.account, entity, call.id))


def _page(entity: str, *, archived: bool = False) -> Handler:
    return lambda call: listing.page(call, entity, archived=archived)


def _single(entity: str) -> Handler:
    return lambda call: listing.single(call, entity)


class _Builder:
    def __init__(self) -> None:
        self.table: Table = {}

    def add(
        self, api: str, method: str, path: str, cost: int, handler: Any, entity: str = "", **extra: Any
    ) -> None:
        template = f"/api/{api}/{path}"
        self.table.setdefault((api, path), {})[method] = Route(template, cost, handler, entity, **extra)


def build() -> Table:
    """Every operation by (api, path template)."""
    made = _Builder()
    add = made.add
    for entity in ENTITIES:
        add("v2", "GET", entity, 10, _page(entity), entity)
        add("v2", "POST", entity, 5, _create(entity), entity)
        add("v2", "GET", f"{entity}/{{id}}", 1, _single(entity), entity)
        add("v2", "PATCH", f"{entity}/{{id}}", 5, _update(entity), entity)
        add("v2", "DELETE", f"{entity}/{{id}}", 3, _delete(entity), entity)
    add("v1", "GET", "leads", 20, leads.page(archived=False), "leads")
    add("v1", "GET", "leads/archived", 40, leads.page(archived=True), "leads")
    add("v2", "GET", "deals/archived", 20, _page("deals", archived=True), "deals")
    for kind in ("pipelines", "stages"):
        add("v2", "GET", kind, 5, pipelines.page(kind), kind)
        add("v2", "POST", kind, 5, pipelines.create(kind), kind)
        add("v2", "GET", f"{kind}/{{id}}", 1, pipelines.get(kind), kind)
        add("v2", "PATCH", f"{kind}/{{id}}", 5, pipelines.update(kind), kind)
        add("v2", "DELETE", f"{kind}/{{id}}", 3, pipelines.delete(kind), kind)
    for name, entity in FIELD_ENTITIES.items():
        _fields(made, name, entity)
    add("v1", "GET", "users", 20, v1.users, "users")
    add("v1", "GET", "users/me", 2, v1.me, "users")
    add("v1", "GET", "users/{id}", 2, v1.user, "users")
    add("v1", "GET", "currencies", 20, v1.currencies, "currencies")
    add("v1", "GET", "activityTypes", 20, v1.activity_types, "activityTypes")
    add("v1", "POST", "activityTypes", 10, v1.add_activity_type, "activityTypes")
    for entity in ("deals", "persons", "organizations"):
        add("v2", "GET", f"{entity}/search", 20, search.entity_search(entity), entity, search=True)
        add("v1", "PUT", f"{entity}/{{id}}/merge", 40, merging.endpoint(entity), entity)
        add("v1", "GET", f"{entity}/{{id}}/changelog", 20, changelog.endpoint(entity), entity)
    add("v1", "POST", "deals/{id}/duplicate", 10, duplicating.endpoint, "deals")
    add("v2", "GET", "itemSearch", 20, search.item_search, "itemSearch", search=True)
    add("v2", "GET", "itemSearch/field", 20, search.field_search, "itemSearch", search=True)
    _attachments(made)
    return made.table


def _attachments(made: _Builder) -> None:
    made.add("v1", "GET", "notes", 20, notes.list_notes, "notes")
    made.add("v1", "POST", "notes", 10, notes.add_note, "notes")
    made.add("v1", "GET", "notes/{id}", 2, notes.get_note, "notes")
    made.add("v1", "PUT", "notes/{id}", 10, notes.update_note, "notes")
    made.add("v1", "DELETE", "notes/{id}", 6, notes.delete_note, "notes")
    made.add("v1", "GET", "files", 20, files.list_files(), "files")
    made.add("v1", "POST", "files", 10, files.add_file, "files", multipart=True)
    made.add("v1", "GET", "files/{id}", 2, files.get_file, "files")
    made.add("v1", "PUT", "files/{id}", 10, files.update_file, "files")
    made.add("v1", "DELETE", "files/{id}", 6, files.delete_file, "files")
    made.add("v1", "GET", "files/{id}/download", 20, files.download, "files")
    for entity, link in (("deals", "deal_id"), ("persons", "person_id"), ("organizations", "org_id")):
        made.add("v1", "GET", f"{entity}/{{id}}/files", 20, files.list_files(link), "files")


def _fields(made: _Builder, name: str, entity: str) -> None:
    one, options = f"{name}/{{id}}", f"{name}/{{id}}/options"
    made.add("v2", "GET", name, 10, schema.list_fields(entity), name)
    made.add("v2", "GET", one, 1, schema.get_field(entity), name)
    made.add("v1", "GET", name, 20, v1.list_fields(entity), name)
    if entity == "activities":
        return
    made.add("v2", "POST", name, 5, schema.create_field(entity), name)
    made.add("v2", "PATCH", one, 5, schema.update_field(entity), name)
    made.add("v2", "DELETE", one, 3, schema.delete_field(entity), name)
    made.add("v2", "POST", options, 5, schema.add_options(entity), name)
    made.add("v2", "PATCH", options, 5, schema.change_options(entity), name)
    made.add("v2", "DELETE", options, 3, schema.change_options(entity), name)
    made.add("v1", "GET", one, 2, v1.get_field(entity), name)
    made.add("v1", "PUT", one, 10, v1.update_field(entity), name)


# What only an admin may change.
ADMINISTERED = frozenset(
    {"dealFields", "personFields", "organizationFields", "pipelines", "stages", "activityTypes"}
)
_WORDS = frozenset(
    {"archived", "search", "me", "field", "merge", "duplicate", "changelog", "options", "download", "files"}
)


def template_of(segments: list[str]) -> tuple[str, tuple[str, ...]]:
    """A path's template and the variable parts of it."""
    if len(segments) == 1:
        return segments[0], ()
    ids = []
    parts = [segments[0]]
    for segment in segments[1:]:
        if segment in _WORDS:
            parts.append(segment)
        elif len(parts) == 1:
            parts.append("{id}")
            ids.append(segment)
        else:
            parts.append(segment)
    return "/".join(parts), tuple(ids)


__all__ = ["Call", "Table", "build", "template_of"]
