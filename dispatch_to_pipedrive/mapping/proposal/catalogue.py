"""What does the account have that a proposal may point to? Its fields as plain values, and standard fields to fill.

The standard fields are those that the vendor's documents let a program write and that no base map fills; each with the
type a map would give it. `industry` is not among them: its choices are known to the account by ids of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dispatch_to_pipedrive.mapping.model import FieldType


@dataclass(frozen=True, slots=True)
class AccountField:
    """One field of the account. `code` is its key there; `ours` the logical name under which the ledger knows it."""

    entity: str
    code: str
    name: str
    field_type: str
    options: tuple[str, ...] = ()
    custom: bool = False
    ours: str = ""


@dataclass(frozen=True)
class Catalogue:
    """The account's fields of all entities, and the labels of each."""

    fields: tuple[AccountField, ...] = ()
    labels: Mapping[str, tuple[str, ...]] | None = None

    def of(self, entity: str) -> tuple[AccountField, ...]:
        """The fields of one entity."""
        return tuple(field for field in self.fields if field.entity == entity)

    def labels_of(self, entity: str) -> tuple[str, ...]:
        """The labels that stand in the account."""
        return (self.labels or {}).get(entity, ())

    def own(self, entity: str, logical: str) -> AccountField | None:
        """The account's field that the ledger knows under a logical name."""
        return next((f for f in self.of(entity) if f.ours == logical), None)


@dataclass(frozen=True, slots=True)
class StandardField:
    """A field that every account has: the map's type for it, and what it means in a line."""

    type: FieldType
    meaning: str


STANDARD: Mapping[str, Mapping[str, StandardField]] = {
    "organizations": {
        "website": StandardField("text", "the company's web address"),
        "linkedin": StandardField("text", "the address of its LinkedIn profile"),
        "annual_revenue": StandardField("number", "what it earns in a year, a whole number"),
        "employee_count": StandardField("number", "how many people work there, a whole number"),
    },
    "persons": {
        "birthday": StandardField("date", "the day of birth; only with Contact Sync"),
        "job_title": StandardField("text", "the person's position; only with Contact Sync"),
    },
    "deals": {
        "expected_close_date": StandardField("date", "the day on which the deal is expected to close"),
        "probability": StandardField("number", "the chance of winning in percent, 0 to 100"),
    },
}
"""Standard fields by entity and code, from the vendor's documents (v2: POST and PATCH of the entity)."""

TYPE_OF: Mapping[str, FieldType] = {
    "varchar": "text",
    "varchar_auto": "text",
    "phone": "text",
    "text": "long_text",
    "double": "number",
    "monetary": "money",
    "date": "date",
    "time": "time",
    "enum": "option",
    "set": "options",
    "address": "address",
}
"""Pipedrive's field type → the type with which a map fills a field of it; others no map can fill."""
