"""Which calls this program makes to Pipedrive: each knows its path and its price."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

from dispatch_to_pipedrive.pipedrive.answers import Answer, Page, Records, record_of, records_of
from dispatch_to_pipedrive.pipedrive.budget import Kind
from dispatch_to_pipedrive.pipedrive.prices import PRICES
from dispatch_to_pipedrive.pipedrive.requests import PAGE, Requests

__all__ = ["FIELD_RESOURCES", "PAGE", "Answer", "Entity", "Page", "PipedriveClient", "whole_second"]

Entity = Literal["organizations", "persons", "deals", "activities", "pipelines", "stages"]

FIELD_RESOURCES: Mapping[str, str] = MappingProxyType(
    {"organizations": "organizationFields", "persons": "personFields", "deals": "dealFields"}
)


class PipedriveClient(Requests):
    """One account, one token, one budget. An asynchronous context manager."""

    # Records, pipelines and stages (v2)

    async def create(self, entity: Entity, body: Mapping[str, Any]) -> Answer:
        """POST one record; the answer is the whole record."""
        price = PRICES["POST", f"/api/v2/{entity}"]
        return await self._write("POST", f"/api/v2/{entity}", body, price, _kind_of(entity))

    async def update(self, entity: Entity, record_id: int, body: Mapping[str, Any]) -> Answer:
        """PATCH the given keys of one record; arrays and addresses are replaced whole."""
        price = PRICES["PATCH", f"/api/v2/{entity}/{{id}}"]
        return await self._write("PATCH", f"/api/v2/{entity}/{record_id}", body, price, _kind_of(entity))

    async def delete(self, entity: Entity, record_id: int) -> Answer:
        """Mark one record as deleted; nothing below it follows."""
        price = PRICES["DELETE", f"/api/v2/{entity}/{{id}}"]
        return await self._write("DELETE", f"/api/v2/{entity}/{record_id}", None, price, _kind_of(entity))

    async def get(self, entity: Entity, record_id: int) -> Answer:
        """One record by id."""
        price = PRICES["GET", f"/api/v2/{entity}/{{id}}"]
        reply = await self._read(f"/api/v2/{entity}/{record_id}", None, price, "read")
        return Answer(record_of(reply.data, "GET", f"/api/v2/{entity}/{record_id}"), reply.date, price)

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

        status: deals only: open, won, lost, deleted; None is all but the deleted ones.
        archived: the list of archived deals instead, which the plain list never shows.
        ids: at most 100; missing ones are silently absent.
        custom_fields: at most 15 field codes; only these are returned.
        """
        if archived and entity != "deals":
            raise ValueError("only deals can be archived")
        path = f"/api/v2/{entity}/archived" if archived else f"/api/v2/{entity}"
        price = PRICES["GET", path]
        query: dict[str, str | int] = {"limit": limit, **(params or {})}
        if updated_since is not None:
            query["updated_since"] = whole_second(updated_since)
        if status is not None:
            query["status"] = status if isinstance(status, str) else ",".join(status)
        if ids:
            query["ids"] = ",".join(map(str, ids))
        if custom_fields:
            query["custom_fields"] = ",".join(custom_fields)
        async for page in self._pages(path, query, price, "read" if entity in _CONTENT else "schema", cursor):
            yield page

    # Schema: fields and their options

    async def fields(self, entity: str) -> Records:
        """All fields of an entity that has custom ones (v2): native and custom, with options."""
        path = f"/api/v2/{FIELD_RESOURCES[entity]}"
        pages = self._pages(path, {"limit": PAGE}, PRICES["GET", path], "schema", None)
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

    async def v1_fields(self, entity: str) -> Records:
        """All fields of an entity as v1 shows them: numeric ids, `key`, options with colours."""
        path = f"/api/v1/{FIELD_RESOURCES[entity]}"
        return await self._offset_list(path, PRICES["GET", path])

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


_CONTENT = frozenset(("organizations", "persons", "deals", "activities"))


def whole_second(moment: datetime) -> str:
    """RFC 3339 in UTC without a fraction, rounded down: the only form that list filters accept."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _kind_of(entity: str) -> Kind:
    return "write" if entity in _CONTENT else "schema"
