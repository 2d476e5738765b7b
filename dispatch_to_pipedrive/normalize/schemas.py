"""What each normalized frame promises: its columns, their types, which are filled, and that keys are unique."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import pandas as pd
import pandera.pandas as pa

from dispatch_to_pipedrive.normalize.addresses import PARTS
from dispatch_to_pipedrive.normalize.deals import PAYMENT_STATES
from dispatch_to_pipedrive.normalize.lists import FIELDS, POINTS, TEXTS
from dispatch_to_pipedrive.normalize.money import CENTS

TEXT = pd.StringDtype()
ID = pd.Int64Dtype()
UTC = pa.Check.str_matches(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z$")


KIND = "kind"
"""Under this name a column's metadata says what its values are: see `kinds`."""


def _text(*, filled: bool = False) -> pa.Column:
    return pa.Column(TEXT, nullable=not filled, metadata={KIND: "text"})


def _html(*, filled: bool = False) -> pa.Column:
    """Safe HTML, as `html` makes it: it may stand in a text with markup as it is."""
    return pa.Column(TEXT, nullable=not filled, metadata={KIND: "html"})


def _known(*, filled: bool = False) -> pa.Column:
    """A text all of whose values in the tenant are known beforehand (see `choices`)."""
    return pa.Column(TEXT, nullable=not filled, metadata={KIND: "text of known values"})


def _time() -> pa.Column:
    return pa.Column(TEXT, checks=UTC, nullable=True, metadata={KIND: "timestamp"})


def _number(dtype: Any = ID, *, filled: bool = False) -> pa.Column:
    return pa.Column(dtype, nullable=not filled, metadata={KIND: "number"})


def _choice(*values: str) -> pa.Column:
    return pa.Column(TEXT, checks=pa.Check.isin(values), metadata={KIND: "text of known values"})


def _key(pattern: str, *, filled: bool = True, unique: bool = False) -> pa.Column:
    checks = pa.Check.str_matches(f"^{pattern}$")
    kind = f"key of {ENTITY_OF[pattern]}"
    return pa.Column(TEXT, checks=checks, nullable=not filled, unique=unique, metadata={KIND: kind})


def _list(dtype: Any, kind: str) -> pa.Column:
    return pa.Column(dtype, nullable=True, metadata={KIND: kind})


def _address(prefix: str) -> dict[str, pa.Column]:
    return {f"{prefix}_{part}": _text() for part in PARTS}


def _parent() -> dict[str, pa.Column]:
    """The one record that a file or note hangs on."""
    return {
        "deal_key": _key(DEAL, filled=False),
        "person_key": _key(PERSON, filled=False),
        "organization_key": _key(ORGANIZATION, filled=False),
    }


ROOT = _number(filled=True)
ORGANIZATION = r"customer:\d+/organization"
PERSON = r"(?:(?:customer|location):\d+|contact:[0-9a-f-]{36})/person"
DEAL = r"job:\d+/deal"
ACTIVITY = r"(?:(?:appointment|call):\d+|email:[0-9a-f]{16})/activity"
FILE = r"(?:attachment:\d+/file|(?:job_note|customer_note|location_note|job):\d+/image-[0-9a-f]{12})"
NOTE = r"(?:job_note|customer_note|location_note|job|customer|attachment):\d+/note(?:-\d+)?"
ENTITY_OF = {
    ORGANIZATION: "organizations",
    PERSON: "persons",
    DEAL: "deals",
    ACTIVITY: "activities",
    FILE: "files",
    NOTE: "notes",
}
NOTE_KINDS = (
    "job note",
    "customer note",
    "location note",
    "job summary",
    "additional sites",
    "oversized file",
)

SCHEMAS: Mapping[str, Mapping[str, pa.Column]] = {
    "organizations": {
        "source_key": _key(ORGANIZATION, unique=True),
        "root": ROOT,
        "name": _text(filled=True),
        "created_at": _time(),
        "labels": _list(TEXTS, "list of known values"),
        "custom_fields": _list(FIELDS, "custom fields"),
        "site_custom_fields": _list(FIELDS, "custom fields"),
        "additional_sites": _text(),
        "owner_email": _text(),
    },
    "persons": {
        "source_key": _key(PERSON, unique=True),
        "root": ROOT,
        "name": _text(filled=True),
        "title": _text(),
        "organization_key": _key(ORGANIZATION, filled=False),
        "location_id": _number(),
        "created_at": _time(),
        "emails": _list(POINTS, "contact points"),
        "phones": _list(POINTS, "contact points"),
        "contact_memo": _text(),
        "labels": _list(TEXTS, "list of known values"),
        "custom_fields": _list(FIELDS, "custom fields"),
        "site_custom_fields": _list(FIELDS, "custom fields"),
        "additional_sites": _text(),
        "owner_email": _text(),
    },
    "deals": {
        "source_key": _key(DEAL, unique=True),
        "root": ROOT,
        "job_id": _number(filled=True),
        "job_number": _text(filled=True),
        "job_type": _known(),
        "business_unit": _known(),
        "customer_name": _text(filled=True),
        "organization_key": _key(ORGANIZATION, filled=False),
        "person_key": _key(PERSON),
        "job_status": _known(filled=True),
        "priority": _known(),
        "priority_bucket": _known(),
        "labels": _list(TEXTS, "list of known values"),
        "custom_fields": _list(FIELDS, "custom fields"),
        "site_custom_fields": _list(FIELDS, "custom fields"),
        "technician_custom_fields": _list(FIELDS, "custom fields"),
        "created_at": _time(),
        "value": _number(CENTS, filled=True),
        "payment_status": _choice(*PAYMENT_STATES),
        "won_at": _time(),
        "lost_at": _time(),
        "cancel_reason": _known(),
        "cancel_memo": _text(),
        "technician_id": _number(),
        "owner_email": _text(),
        "technicians": _list(TEXTS, "list"),
        "summary": _text(),
        "recall_for": _text(),
        "warranty_for": _text(),
        "project": _text(),
    },
    "activities": {
        "source_key": _key(ACTIVITY, unique=True),
        "root": ROOT,
        "kind": _choice("visit", "call", "e-mail"),
        "stamp": _text(filled=True),
        "appointment_id": _number(),
        "appointment_number": _text(),
        "deal_key": _key(DEAL, filled=False),
        "organization_key": _key(ORGANIZATION, filled=False),
        "participant_keys": _list(TEXTS, "keys of persons"),
        "customer_name": _text(filled=True),
        "job_type": _text(),
        "business_unit": _text(),
        "status": _text(filled=True),
        "visit": _choice("scheduled", "none"),
        "created_at": _time(),
        "start": _time(),
        "end": _time(),
        "scheduled_start": _time(),
        "scheduled_end": _time(),
        "visit_start": _time(),
        "visit_end": _time(),
        "arrival_window_start": _time(),
        "arrival_window_end": _time(),
        "arrived_at": _time(),
        "done_at": _time(),
        "special_instructions": _text(),
        "technician_id": _number(),
        "owner_email": _text(),
        "technicians": _list(TEXTS, "list"),
        **_address("location"),
        "subject": _text(),
        "body": _html(),
        "direction": _text(),
        "call_from": _text(),
        "call_to": _text(),
        "agent": _text(),
        "email_from": _text(),
        "email_to": _text(),
    },
    "files": {
        "source_key": _key(FILE, unique=True),
        "root": ROOT,
        "name": _text(filled=True),
        "size": _number(),
        "media_type": _text(),
        "source": _text(filled=True),
        "attachment_id": _number(),
        **_parent(),
        "created_at": _time(),
    },
    "notes": {
        "source_key": _key(NOTE, unique=True),
        "root": ROOT,
        "kind": _choice(*NOTE_KINDS),
        "record_id": _number(filled=True),
        "stamp": _text(filled=True),
        **_parent(),
        "content": _html(filled=True),
        "place": _text(),
        "file_keys": _list(TEXTS, "keys of files"),
        "created_at": _time(),
        "author": _text(),
        "author_email": _text(),
        "pinned_to_deal": _choice("yes", "no"),
        "pinned_to_person": _choice("yes", "no"),
        "pinned_to_organization": _choice("yes", "no"),
    },
}
"""Entity → column → what it promises; the site columns come on top, as many as the options say."""


def columns(entity: str, sites: int) -> dict[str, pa.Column]:
    """Every column of an entity's frame with `sites` numbered addresses, in order."""
    numbered: dict[str, pa.Column] = {}
    if entity in ("organizations", "persons"):
        for number in range(1, sites + 1):
            numbered |= _address(f"site_{number}")
    return {**SCHEMAS[entity], **numbered}


def kinds(entity: str, sites: int) -> dict[str, str]:
    """What each column's values are: text, html, number, timestamp, list, contact points, custom fields, or keys.

    `key of deals` names a record of the destination by its source key, `keys of persons` is a list of such. Of `text
    of known values` and `list of known values` `choices` can tell every value in the tenant.
    """
    return {name: str((column.metadata or {})[KIND]) for name, column in columns(entity, sites).items()}


def stacked(entity: str, parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Frames of one entity one below the other, in its columns; what a part lacks is missing."""
    types = {name: column.dtype.type for name, column in SCHEMAS[entity].items()}
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})
    whole = [_whole(part, types)[list(types)].astype(types) for part in parts if len(part)]
    return pd.concat(whole, ignore_index=True) if whole else empty


def _whole(part: pd.DataFrame, types: Mapping[str, Any]) -> pd.DataFrame:
    missing = [name for name in types if name not in part]
    nothing = [None] * len(part)
    return part.assign(**{name: pd.Series(nothing, index=part.index, dtype=types[name]) for name in missing})


@cache
def promises(entity: str) -> pa.DataFrameSchema:
    """What has to be looked at: keys, times, closed vocabularies, what must be filled; types are given by a cast."""
    wanted = {
        name: pa.Column(checks=column.checks, nullable=column.nullable, unique=column.unique)
        for name, column in SCHEMAS[entity].items()
        if column.checks or column.unique or not column.nullable
    }
    return pa.DataFrameSchema(wanted, name=entity)


def checked(entity: str, frame: pd.DataFrame, sites: int) -> pd.DataFrame:
    """The frame in the schema's column order and types, sorted by root and key; SchemaError where it breaks it."""
    types = {name: column.dtype.type for name, column in columns(entity, sites).items()}
    ordered = frame[list(types)].astype(types)
    ordered = ordered.sort_values(["root", "source_key"], kind="stable", ignore_index=True)
    return promises(entity).validate(ordered)
