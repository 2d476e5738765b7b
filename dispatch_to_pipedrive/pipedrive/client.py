"""Which calls this program makes to Pipedrive: each knows its path and its price."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

from dispatch_to_pipedrive.pipedrive import files, notes
from dispatch_to_pipedrive.pipedrive.answers import Answer, Page, Record, Records, record_of, records_of
from dispatch_to_pipedrive.pipedrive.budget import Kind
from dispatch_to_pipedrive.pipedrive.paging import PAGE, by_cursor, by_id, by_offset
from dispatch_to_pipedrive.pipedrive.prices import PRICES, price, version_of
from dispatch_to_pipedrive.pipedrive.requests import Requests
from dispatch_to_pipedrive.pipedrive.streams import Digest, LocalFile

__all__ = [
    "FIELD_RESOURCES",
    "PAGE",
    "Answer",
    "Entity",
    "Page",
    "PipedriveClient",
    "page_of",
    "whole_second",
]

Entity = Literal["organizations", "persons", "deals", "activities", "files", "notes", "pipelines", "stages"]

CHANGES = 100
"""Changes that are asked for of one record: who made older ones is not asked."""

FIELD_RESOURCES: Mapping[str, str] = MappingProxyType(
    {"organizations": "organizationFields", "persons": "personFields", "deals": "dealFields"}
)


class PipedriveClient(Requests):
    """One account, one token, one budget. An asynchronous context manager."""

    # Records, pipelines and stages: v2, but notes and files, which only v1 has

    async def create(
        self, entity: Entity, body: Mapping[str, Any], content: LocalFile | None = None
    ) -> Answer:
        """POST one record; the answer is the whole record. `content` is the file to upload, of files only."""
        cost = price("create", entity)
        if entity == "notes":
            return _shown(notes.shown, await self._write("POST", notes.PATH, notes.sent(body), cost, "write"))
        if entity == "files":
            if content is None:
                raise ValueError("a file without content")
            made = await self._write("POST", files.PATH, files.uploaded(body, content), cost, "write")
            return _shown(files.shown, made)
        return await self._write("POST", f"/api/v2/{entity}", body, cost, _kind_of(entity))

    async def update(self, entity: Entity, record_id: int, body: Mapping[str, Any]) -> Answer:
        """Write the given keys of one record; arrays and addresses are replaced whole. Of a file only the name."""
        cost = price("update", entity)
        if entity == "notes":
            path = f"{notes.PATH}/{record_id}"
            return _shown(notes.shown, await self._write("PUT", path, notes.sent(body), cost, "write"))
        if entity == "files":
            path = f"{files.PATH}/{record_id}"
            return _shown(files.shown, await self._write("PUT", path, files.renamed(body), cost, "write"))
        return await self._write("PATCH", f"/api/v2/{entity}/{record_id}", body, cost, _kind_of(entity))

    async def delete(self, entity: Entity, record_id: int) -> Answer:
        """Mark one record as deleted; nothing below it follows."""
        cost, path = price("delete", entity), f"{_path(entity)}/{record_id}"
        # The answer for a note is no record, but true.
        wrap = "deleted" if entity == "notes" else None
        return await self._write("DELETE", path, None, cost, _kind_of(entity), wrap=wrap)

    async def get(self, entity: Entity, record_id: int) -> Answer:
        """One record by id."""
        cost, path = price("read", entity), f"{_path(entity)}/{record_id}"
        reply = await self._read(path, None, cost, "read")
        answer = Answer(record_of(reply.data, "GET", path), reply.date, cost)
        return _shown(_SHOWN[entity], answer) if entity in _SHOWN else answer

    async def list(
        self,
        entity: Entity,
        *,
        updated_since: datetime | None = None,
        status: str | Sequence[str] | None = None,
        archived: bool = False,
        limit: int = PAGE,
        cursor: str | None = None,
        ids: Sequence[int] = (),
        custom_fields: Sequence[str] = (),
        params: Mapping[str, str | int] | None = None,
    ) -> AsyncIterator[Page]:
        """Pages of a list in the order of ids, without deleted records (but deals if `status` asks so).

        updated_since: not of files, whose list knows no time.
        status: deals only: open, won, lost, deleted; None is all but the deleted ones.
        archived: the list of archived deals instead, which the plain list never shows.
        ids: at most 100; missing ones are silently absent.
        custom_fields: at most 15 field codes; only these are returned.
        """
        if archived and entity != "deals":
            raise ValueError("only deals can be archived")
        if entity in ("notes", "files"):
            async for page in self._v1_list(entity, updated_since, params or {}):
                yield page
            return
        path = f"/api/v2/{entity}/archived" if archived else f"/api/v2/{entity}"
        cost = PRICES["GET", path]
        query: dict[str, str | int] = {"limit": limit, **(params or {})}
        if updated_since is not None:
            query["updated_since"] = whole_second(updated_since)
        if status is not None:
            query["status"] = status if isinstance(status, str) else ",".join(status)
        if ids:
            query["ids"] = ",".join(map(str, ids))
        if custom_fields:
            query["custom_fields"] = ",".join(custom_fields)
        kind: Kind = "read" if entity in _CONTENT else "schema"
        async for page in by_cursor(self._read, path, query, cost, kind, cursor):
            yield page

    async def _v1_list(
        self, entity: Entity, updated_since: datetime | None, params: Mapping[str, str | int]
    ) -> AsyncIterator[Page]:
        query = dict(params)
        if updated_since is not None:
            if entity == "files":
                raise ValueError("Pipedrive's list of files knows no time")
            query["updated_since"] = whole_second(updated_since)
        async for page in by_id(self._read, _path(entity), query, price("list", entity), page_of(entity)):
            yield page._replace(records=[_SHOWN[entity](record) for record in page.records])

    async def files_of(self, parent: str, record_id: int) -> AsyncIterator[Page]:
        """Pages of the files that hang on one record; parent: deals, persons or organizations."""
        cost = PRICES["GET", f"/api/v1/{parent}/{{id}}/files"]
        path = f"/api/v1/{parent}/{record_id}/files"
        async for page in by_id(self._read, path, {}, cost, files.PAGE):
            yield page._replace(records=[files.shown(record) for record in page.records])

    async def changelog(self, entity: str, record_id: int) -> Records:
        """The last changes of a deal's, person's or organization's fields, newest first, a hundred at most.

        Each has `field_key` (v1's name of the field), `actor_user_id`, `time` (UTC, without a zone) and the values.
        """
        path = f"/api/v1/{entity}/{record_id}/changelog"
        cost = PRICES["GET", f"/api/v1/{entity}/{{id}}/changelog"]
        reply = await self._read(path, {"limit": CHANGES}, cost, "read")
        return records_of(reply.data, path)

    async def digest_of_file(self, record_id: int) -> Digest:
        """Download one file: how many bytes it has and their SHA-256; none is kept."""
        cost = PRICES["GET", "/api/v1/files/{id}/download"]
        return await self._download(f"{files.PATH}/{record_id}/download", cost)

    async def leads(self, *, archived: bool) -> Records:
        """All leads that are (or are not) archived; they bear the custom fields of deals, flat beside the others."""
        path = "/api/v1/leads/archived" if archived else "/api/v1/leads"
        return await by_offset(self._read, path, PRICES["GET", path], "schema")

    # Schema: fields and their options

    async def fields(self, entity: str) -> Records:
        """All fields of an entity that has custom ones (v2): native and custom, with options."""
        path = f"/api/v2/{FIELD_RESOURCES[entity]}"
        pages = by_cursor(self._read, path, {"limit": PAGE}, PRICES["GET", path], "schema")
        return [record async for page in pages for record in page.records]

    async def create_field(self, entity: str, body: Mapping[str, Any]) -> Answer:
        """POST a custom field; the answer carries its new `field_code`."""
        path = f"/api/v2/{FIELD_RESOURCES[entity]}"
        return await self._write("POST", path, body, PRICES["POST", path], "schema")

    async def delete_field(self, entity: str, field_code: str) -> Answer:
        """Mark a custom field as deleted; later writes of its key are refused."""
        path = f"/api/v2/{FIELD_RESOURCES[entity]}"
        price = PRICES["DELETE", f"{path}/{{field_code}}"]
        return await self._write("DELETE", f"{path}/{field_code}", None, price, "schema")

    async def add_options(self, entity: str, field_code: str, labels: Sequence[str]) -> Answer:
        """Add options to a field, all or none; `record["options"]` are the new ones only."""
        path = f"/api/v2/{FIELD_RESOURCES[entity]}"
        price = PRICES["POST", f"{path}/{{field_code}}/options"]
        body = [{"label": label} for label in labels]
        return await self._write(
            "POST", f"{path}/{field_code}/options", body, price, "schema", wrap="options"
        )

    async def field(self, entity: str, field_code: str) -> Answer:
        """One field of an entity (v2), with its options as they are now."""
        path = f"/api/v2/{FIELD_RESOURCES[entity]}"
        cost = PRICES["GET", f"{path}/{{field_code}}"]
        reply = await self._read(f"{path}/{field_code}", None, cost, "schema")
        return Answer(record_of(reply.data, "GET", path), reply.date, cost)

    async def rename_options(self, entity: str, field_code: str, labels: Mapping[int, str]) -> Answer:
        """Give options of a field (by id) other labels; `record["options"]` are those only."""
        path = f"/api/v2/{FIELD_RESOURCES[entity]}"
        cost = PRICES["PATCH", f"{path}/{{field_code}}/options"]
        body = [{"id": number, "label": label} for number, label in labels.items()]
        return await self._write(
            "PATCH", f"{path}/{field_code}/options", body, cost, "schema", wrap="options"
        )

    async def delete_options(self, entity: str, field_code: str, ids: Sequence[int]) -> Answer:
        """Take options from a custom field, all or none, and from every record; `record["options"]` are those only."""
        path = f"/api/v2/{FIELD_RESOURCES[entity]}"
        cost = PRICES["DELETE", f"{path}/{{field_code}}/options"]
        body = [{"id": number} for number in ids]
        return await self._write(
            "DELETE", f"{path}/{field_code}/options", body, cost, "schema", wrap="options"
        )

    async def v1_field(self, entity: str, field_id: int) -> Answer:
        """One field of an entity as v1 shows it, by its number."""
        path = f"/api/v1/{FIELD_RESOURCES[entity]}"
        cost = PRICES["GET", f"{path}/{{id}}"]
        reply = await self._read(f"{path}/{field_id}", None, cost, "schema")
        return Answer(record_of(reply.data, "GET", path), reply.date, cost)

    async def v1_fields(self, entity: str) -> Records:
        """All fields of an entity as v1 shows them: numeric ids, `key`, options with colours."""
        path = f"/api/v1/{FIELD_RESOURCES[entity]}"
        return await by_offset(self._read, path, PRICES["GET", path], "schema")

    async def put_options(self, entity: str, field_id: int, options: Sequence[Mapping[str, Any]]) -> Answer:
        """Replace a field's whole list of options (v1): what is left out is removed by the server."""
        path = f"/api/v1/{FIELD_RESOURCES[entity]}"
        price = PRICES["PUT", f"{path}/{{id}}"]
        return await self._write("PUT", f"{path}/{field_id}", {"options": list(options)}, price, "schema")

    # The account (v1)

    async def me(self) -> Answer:
        """The token's user and company; the first question of a process, since it tells the server's day."""
        price = PRICES["GET", "/api/v1/users/me"]
        reply = await self._read("/api/v1/users/me", None, price, "read", asks_clock=True)
        return Answer(record_of(reply.data, "GET", "/api/v1/users/me"), reply.date, price)

    async def users(self) -> Records:
        """All users of the company, inactive ones included."""
        return await self._whole_list("users")

    async def currencies(self) -> Records:
        """All currencies that the company may use."""
        return await self._whole_list("currencies")

    async def activity_types(self) -> Records:
        """All activity types; an activity's `type` is a `key_string`."""
        return await self._whole_list("activityTypes")

    async def _whole_list(self, name: str) -> Records:
        path = f"/api/v1/{name}"
        reply = await self._read(path, None, PRICES["GET", path], "schema")
        return records_of(reply.data, path)


_CONTENT = frozenset(("organizations", "persons", "deals", "activities", "files", "notes"))
_SHOWN: Mapping[str, Callable[[Mapping[str, Any]], Record]] = MappingProxyType(
    {"files": files.shown, "notes": notes.shown}
)


def page_of(entity: str) -> int:
    """Records on a page of an entity's list."""
    return files.PAGE if entity == "files" else notes.PAGE if entity == "notes" else PAGE


def whole_second(moment: datetime) -> str:
    """RFC 3339 in UTC without a fraction, rounded down: the only form that list filters accept."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _path(entity: str) -> str:
    return f"/api/{version_of(entity)}/{entity}"


def _shown(show: Callable[[Mapping[str, Any]], Record], answer: Answer) -> Answer:
    return answer._replace(record=show(answer.record))


def _kind_of(entity: str) -> Kind:
    return "write" if entity in _CONTENT else "schema"
