"""What an account holds besides records: its company and people, its fields, pipelines and stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from dispatch_to_pipedrive.pipedrive.client import FIELD_RESOURCES, PipedriveClient

LABEL_CODES = ("label_ids", "label")
"""Codes under which an entity's built-in label field is known (v2, v1)."""


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Access(_Read):
    """A user's standing in one of the vendor's apps."""

    app: str
    admin: bool = False


class User(_Read):
    """A person who can own records."""

    id: int
    name: str
    email: str = ""
    active_flag: bool = True
    is_deleted: bool = False
    timezone_name: str | None = None
    default_currency: str | None = None
    access: tuple[Access, ...] = ()

    @property
    def active(self) -> bool:
        """Whether the user can be given records."""
        return self.active_flag and not self.is_deleted

    @property
    def is_admin(self) -> bool:
        """Pipedrive has no such flag: an admin is admin of the app 'global'."""
        return any(entry.app == "global" and entry.admin for entry in self.access)


class Me(User):
    """The token's user, with the company."""

    company_id: int
    company_name: str = ""
    company_domain: str = ""


class Currency(_Read):
    """A currency that amounts may bear."""

    code: str
    name: str = ""
    decimal_points: int = 2
    active_flag: bool = True


class ActivityType(_Read):
    """A kind of activity; records name it by `key_string`."""

    id: int
    name: str
    key_string: str
    active_flag: bool = True


class Option(_Read):
    """One choice of a field; built-in fields have some with textual ids."""

    id: int | str
    label: str


class Field(_Read):
    """One field of an entity, native or custom."""

    field_code: str
    field_name: str
    field_type: str
    is_custom_field: bool = False
    options: tuple[Option, ...] | None = None

    @cached_property
    def option_ids(self) -> Mapping[str, int | str]:
        """Label → id; of labels borne twice the first."""
        ids: dict[str, int | str] = {}
        for option in self.options or ():
            ids.setdefault(option.label, option.id)
        return ids

    def with_options(self, options: tuple[Option, ...]) -> Field:
        """The field with other options."""
        return Field(**{**self.model_dump(), "options": options})


class Pipeline(_Read):
    """A pipeline of deals."""

    id: int
    name: str
    order_nr: int = 0
    is_deleted: bool = False


class Stage(_Read):
    """A stage of a pipeline."""

    id: int
    name: str
    pipeline_id: int
    order_nr: int = 0
    is_deleted: bool = False


@dataclass(frozen=True)
class Company:
    """Who owns the account, who works in it, what it counts in."""

    me: Me
    users: tuple[User, ...]
    currencies: tuple[Currency, ...]
    activity_types: tuple[ActivityType, ...]


@dataclass(frozen=True)
class Structure:
    """The fields of each entity by code, and the pipelines with their stages."""

    fields: Mapping[str, Mapping[str, Field]]
    pipelines: tuple[Pipeline, ...]
    stages: tuple[Stage, ...]

    @property
    def custom_fields(self) -> int:
        """Custom fields of the account, which a plan limits."""
        return sum(field.is_custom_field for fields in self.fields.values() for field in fields.values())

    def label_field(self, entity: str) -> Field | None:
        """The entity's built-in label field."""
        fields = self.fields.get(entity, {})
        return next((fields[code] for code in LABEL_CODES if code in fields), None)


async def read_company(client: PipedriveClient) -> Company:
    """Read the token's user, users, currencies and activity types (62 tokens)."""
    me = Me.model_validate((await client.me()).record)
    return Company(
        me=me,
        users=tuple(map(User.model_validate, await client.users())),
        currencies=tuple(map(Currency.model_validate, await client.currencies())),
        activity_types=tuple(map(ActivityType.model_validate, await client.activity_types())),
    )


async def read_structure(client: PipedriveClient) -> Structure:
    """Read fields, pipelines and stages (40 tokens where each list has one page)."""
    fields = {entity: _by_code(await client.fields(entity)) for entity in FIELD_RESOURCES}
    pipelines = [record async for page in client.list("pipelines") for record in page.records]
    stages = [record async for page in client.list("stages") for record in page.records]
    return Structure(
        fields=fields,
        pipelines=tuple(p for p in map(Pipeline.model_validate, pipelines) if not p.is_deleted),
        stages=tuple(s for s in map(Stage.model_validate, stages) if not s.is_deleted),
    )


def _by_code(records: list[dict[str, Any]]) -> dict[str, Field]:
    return {field.field_code: field for field in map(Field.model_validate, records)}
