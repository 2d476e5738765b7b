"""Where could a custom field of the tenant land? Fields of the map, standard fields, fields that people made.

And where could it not: a type that cannot hold its values is a veto, however alike the names are.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dispatch_to_pipedrive.mapping.model import FieldType, Maps
from dispatch_to_pipedrive.mapping.proposal.catalogue import STANDARD, TYPE_OF, Catalogue
from dispatch_to_pipedrive.mapping.proposal.inference import is_date, is_number
from dispatch_to_pipedrive.mapping.proposal.slots import Slot
from dispatch_to_pipedrive.mapping.proposal.words import plain

TargetKind = Literal["account", "standard", "map"]

_CARRIED: tuple[FieldType, ...] = ("text", "long_text", "number", "money", "date", "datetime", "option")
"""Types of the map's own fields that a custom field may repeat; the others are ids and parts of a record."""
_UNSEEN = ("Source_Key__c", "Source_System_Job_ID__c", "title", "name", "currency")
"""What the map makes itself, whatever custom fields there are."""
_ANSWERS = frozenset({"yes", "no", "true", "false", "y", "n", "unknown", "n/a", "none", "other"})
WHOLE = ("annual_revenue", "employee_count")


@dataclass(frozen=True, slots=True)
class Target:
    """One place: how a proposal names it, the names it goes by, the map's type for it and its choices where known."""

    kind: TargetKind
    key: str
    names: tuple[str, ...]
    type: FieldType
    options: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What people read."""
        if self.kind == "account":
            return f"the account's field {self.names[0]!r}"
        return (
            f"Pipedrive's {self.key}"
            if self.kind == "standard"
            else f"{self.key}, which the map fills already"
        )


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a target can hold a slot's values: None of a reason is a yes; `exactly` without any doubt."""

    veto: str | None = None
    exactly: bool = False
    overlap: float = 0.0
    added: tuple[str, ...] = ()


def targets(maps: Maps, catalogue: Catalogue, entity: str) -> tuple[Target, ...]:
    """Every place of an entity, sorted by key."""
    account = catalogue.of(entity)
    named = Counter(plain(field.name) for field in account if field.custom)
    found = [
        Target("account", f"account:{field.name}", (field.name,), TYPE_OF[field.field_type], field.options)
        for field in account
        if field.custom and not field.ours and field.field_type in TYPE_OF and named[plain(field.name)] == 1
    ]
    codes = {field.code: field.name for field in account if not field.custom}
    fields = maps[entity].fields
    found += [
        Target("standard", code, _spoken(code, codes[code]), standard.type)
        for code, standard in STANDARD.get(entity, {}).items()
        if code in codes and code not in fields
    ]
    adopted = {field.ours for field in account if field.ours}
    for name, field_map in fields.items():
        if field_map.type in _CARRIED and name not in _UNSEEN and field_map.transform != "custom_field":
            own = catalogue.own(entity, name) if name in adopted else None
            options = tuple(str(v) for v in (field_map.value_map or {}).values() if v is not None)
            found.append(
                Target(
                    "map",
                    name,
                    _spoken(name.removesuffix("__c"), codes.get(name, "")),
                    field_map.type,
                    options or (own.options if own else ()),
                )
            )
    return tuple(sorted(found, key=lambda target: target.key))


def _spoken(code: str, name: str) -> tuple[str, ...]:
    names = (code.replace("_", " "), name)
    return tuple(dict.fromkeys(one for one in names if one))


def fit(slot: Slot, target: Target) -> Fit:
    """Whether the target's type can hold the slot's values."""
    if target.kind == "standard" and (veto := _unlike(target.key, slot.samples)):
        return Fit(veto)
    if target.options:
        return _choices(slot, target)
    kind = target.type
    if kind in ("number", "money"):
        return (
            Fit(exactly=slot.type == kind)
            if slot.type in ("number", "money")
            else Fit("its values are no numbers")
        )
    if kind in ("date", "datetime"):
        return Fit(exactly=kind == "date") if slot.type == "date" else Fit("not all its values are dates")
    if kind == "option":
        return Fit() if slot.type == "option" else Fit("free text is no choice of a list")
    if kind == "long_text":
        return Fit(exactly=slot.type == "long_text")
    if kind == "text":
        if slot.type == "long_text":
            return Fit("some values are longer than 255 characters")
        return Fit(exactly=slot.type == "text")
    return Fit(f"a field of type {kind} takes no text")


def _choices(slot: Slot, target: Target) -> Fit:
    theirs = {plain(option): option for option in target.options}
    if target.type not in ("option", "text"):
        return Fit("it holds several choices at once")
    if slot.type == "option":
        mine = slot.options
    elif slot.samples and slot.distinct <= len(slot.samples):
        mine = slot.samples
    else:
        return Fit("free text is no choice of a list")
    shared = [option for option in mine if plain(option) in theirs]
    if not shared:
        return Fit("none of its choices is one of " + ", ".join(map(repr, target.options[:4])))
    added = tuple(option for option in mine if plain(option) not in theirs)
    if slot.type != "option" and added:
        return Fit("not all its values are choices of the list")
    telling = [option for option in shared if plain(option) not in _ANSWERS]
    overlap = len(shared) / len(mine)
    exactly = not added and all(theirs[plain(option)] == option for option in mine)
    return Fit(exactly=exactly, overlap=overlap if telling else 0.0, added=added)


def _unlike(code: str, samples: tuple[str, ...]) -> str | None:
    """Why these values cannot be what the standard field means."""
    if code == "website" and any("." not in value or " " in value.strip() for value in samples):
        return "not all its values are web addresses"
    if code == "linkedin" and any("linkedin" not in value.casefold() for value in samples):
        return "not all its values are LinkedIn addresses"
    numbers = [float(value) for value in samples if is_number(value)]
    if code in WHOLE and (len(numbers) < len(samples) or any(n < 0 or n % 1 for n in numbers)):
        return "not all its values are whole numbers"
    if code == "probability" and (len(numbers) < len(samples) or any(not 0 <= n <= 100 for n in numbers)):
        return "not all its values are percentages"
    if code == "birthday" and not all(map(is_date, samples)):
        return "not all its values are dates"
    return None


def logical_name(name: str, taken: Mapping[str, object] | set[str], prefix: str = "") -> str:
    """A new field's logical name: `Gate_Code__c`; with the prefix, then a number, where that is taken."""
    parts = ["".join(char if char.isalnum() else " " for char in one).split() for one in (name, prefix)]
    own, before = ("_".join(part[:1].upper() + part[1:] for part in one)[:200] for one in parts)
    own = own or "Custom_Field"
    folded = {one.casefold() for one in taken}
    tries = [own, f"{before}_{own}" if before else own]
    number = 2
    while (found := f"{tries.pop(0)}__c").casefold() in folded:
        if not tries:
            tries.append(f"{own}_{number}")
            number += 1
    return found
