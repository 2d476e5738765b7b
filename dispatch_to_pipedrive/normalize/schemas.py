"""What each normalized frame promises: its columns, their types, which are filled, and that keys are unique."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pandas as pd
import pandera.pandas as pa

from dispatch_to_pipedrive.normalize.addresses import PARTS
from dispatch_to_pipedrive.normalize.lists import FIELDS, POINTS, TEXTS
from dispatch_to_pipedrive.normalize.money import CENTS

TEXT = pd.StringDtype()
ID = pd.Int64Dtype()
UTC = pa.Check.str_matches(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z$")


def _text(*, filled: bool = False) -> pa.Column:
    return pa.Column(TEXT, nullable=not filled)


def _time() -> pa.Column:
    return pa.Column(TEXT, checks=UTC, nullable=True)


def _key(pattern: str, *, filled: bool = True, unique: bool = False) -> pa.Column:
    return pa.Column(TEXT, checks=pa.Check.str_matches(f"^{pattern}$"), nullable=not filled, unique=unique)


def _list(kind: Any) -> pa.Column:
    return pa.Column(kind, nullable=True)


def _address(prefix: str) -> dict[str, pa.Column]:
    return {f"{prefix}_{part}": _text() for part in PARTS}


ROOT = pa.Column(ID, nullable=False)
ORGANIZATION = r"customer:\d+/organization"
PERSON = r"(?:customer|location):\d+/person"
DEAL = r"job:\d+/deal"

SCHEMAS: Mapping[str, Mapping[str, pa.Column]] = {
    "organizations": {
        "source_key": _key(ORGANIZATION, unique=True),
        "root": ROOT,
        "name": _text(filled=True),
        "created_at": _time(),
        "labels": _list(TEXTS),
        "custom_fields": _list(FIELDS),
        "site_custom_fields": _list(FIELDS),
        "additional_sites": _text(),
    },
    "persons": {
        "source_key": _key(PERSON, unique=True),
        "root": ROOT,
        "name": _text(filled=True),
        "organization_key": _key(ORGANIZATION, filled=False),
        "location_id": pa.Column(ID, nullable=True),
        "created_at": _time(),
        "emails": _list(POINTS),
        "phones": _list(POINTS),
        "contact_memo": _text(),
        "labels": _list(TEXTS),
        "custom_fields": _list(FIELDS),
        "site_custom_fields": _list(FIELDS),
        "additional_sites": _text(),
    },
    "deals": {
        "source_key": _key(DEAL, unique=True),
        "root": ROOT,
        "job_id": pa.Column(ID, nullable=False),
        "job_number": _text(filled=True),
        "job_type": _text(),
        "business_unit": _text(),
        "customer_name": _text(filled=True),
        "organization_key": _key(ORGANIZATION, filled=False),
        "person_key": _key(PERSON),
        "job_status": _text(filled=True),
        "priority": _text(),
        "priority_bucket": _text(),
        "labels": _list(TEXTS),
        "custom_fields": _list(FIELDS),
        "site_custom_fields": _list(FIELDS),
        "technician_custom_fields": _list(FIELDS),
        "created_at": _time(),
        "value": pa.Column(CENTS, nullable=False),
        "payment_status": pa.Column(
            TEXT, checks=pa.Check.isin(["no_invoice", "unpaid", "partially_paid", "paid", "credit"])
        ),
        "won_at": _time(),
        "lost_at": _time(),
        "cancel_reason": _text(),
        "cancel_memo": _text(),
        "technician_id": pa.Column(ID, nullable=True),
        "owner_email": _text(),
        "technicians": _list(TEXTS),
        "summary": _text(),
    },
    "activities": {
        "source_key": _key(r"appointment:\d+/activity", unique=True),
        "root": ROOT,
        "appointment_id": pa.Column(ID, nullable=False),
        "appointment_number": _text(filled=True),
        "deal_key": _key(DEAL),
        "organization_key": _key(ORGANIZATION, filled=False),
        "participant_keys": _list(TEXTS),
        "customer_name": _text(filled=True),
        "job_type": _text(),
        "business_unit": _text(),
        "status": _text(filled=True),
        "visit": pa.Column(TEXT, checks=pa.Check.isin(["scheduled", "none"])),
        "created_at": _time(),
        "start": _time(),
        "end": _time(),
        "visit_start": _time(),
        "visit_end": _time(),
        "arrival_window_start": _time(),
        "arrival_window_end": _time(),
        "arrived_at": _time(),
        "done_at": _time(),
        "special_instructions": _text(),
        "technician_id": pa.Column(ID, nullable=True),
        "owner_email": _text(),
        "technicians": _list(TEXTS),
        **_address("location"),
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
