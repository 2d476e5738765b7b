"""Do the maps fit this tenant and this account? Every place where they do not, before anything is made or sent.

The two catalogues are plain values: what the tenant has is read from the source, what the account has from Pipedrive
and from the ledger, which knows what of it is ours.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dispatch_to_pipedrive.mapping.columns import Kinds, check_columns
from dispatch_to_pipedrive.mapping.mistakes import Mistake, nearest
from dispatch_to_pipedrive.mapping.model import CUSTOM_FIELD_TYPES, FieldMap, Maps, folded, is_custom
from dispatch_to_pipedrive.mapping.needs import collapsing, labels_of
from dispatch_to_pipedrive.mapping.places import Place, read_source
from dispatch_to_pipedrive.mapping.proposal.catalogue import AccountField
from dispatch_to_pipedrive.mapping.reads import custom_field_of

MOST_OPTIONS = 10_000
"""Pipedrive: a field holds so many options."""

NUMERIC = "Numeric"
LISTED_AS: Mapping[str, tuple[str, ...]] = {
    "emails": ("emails", "email"),
    "phones": ("phones", "phone"),
    "label_ids": ("label_ids", "label"),
}
"""Codes under which Pipedrive lists a standard field, where they are several."""
UNLISTED = ("participants", "busy", "public_description")
"""Standard fields of activities that can be written although Pipedrive's list of fields does not name them."""


@dataclass(frozen=True, slots=True)
class TenantField:
    """A custom field of the tenant; `data_type` is Dispatch Pro's (Text, Dropdown, Numeric), empty if not known."""

    name: str
    data_type: str = ""


@dataclass(frozen=True)
class TenantCatalogue:
    """What the source has.

    columns: the kinds of the normalized columns. custom_fields: (entity, column of custom fields) → folded name →
    field; None while the source has not been read. values: (entity, field of choices) → its source values.
    """

    columns: Kinds
    custom_fields: Mapping[tuple[str, str], Mapping[str, TenantField]] | None = None
    values: Mapping[tuple[str, str], Sequence[str]] | None = None


@dataclass(frozen=True)
class AccountCatalogue:
    """What the account has: fields of all entities, and the keys of its activity types.

    A field that the ledger knows as ours and the account no longer has stands here with an empty `field_type`.
    """

    fields: tuple[AccountField, ...] = ()
    activity_types: tuple[str, ...] = ()

    def of(self, entity: str) -> tuple[AccountField, ...]:
        """The fields of one entity."""
        return tuple(field for field in self.fields if field.entity == entity)


Found = tuple[Place, str, str | None]
"""Where below a field, the words, and the nearest right one."""


def check_catalogue(
    maps: Maps, tenant: TenantCatalogue, account: AccountCatalogue, directory: Path
) -> list[Mistake]:
    """Where the maps of a folder do not fit the tenant or the account; in the order of entities and fields."""
    mistakes = check_columns(maps, tenant.columns, directory)
    for entity, entity_map in maps.items():
        source = read_source(directory, entity)
        for name, field in entity_map.fields.items():
            found = (
                *_custom_field(entity, field, tenant),
                *_target(name, field, account.of(entity)),
                *_options(entity, name, field, tenant),
                *_activity_types(field, account),
            )
            mistakes += [
                source.mistake(("fields", name, *below), words, hint) for below, words, hint in found
            ]
    return mistakes


def _custom_field(entity: str, field: FieldMap, tenant: TenantCatalogue) -> Iterator[Found]:
    """Does the tenant have the custom field, and is a number a number there?"""
    name = custom_field_of(field)
    if name is None or tenant.custom_fields is None:
        return
    known = tenant.custom_fields.get((entity, field.sources[0]), {})
    found = known.get(name)
    given = field.args["name"]
    if found is None:
        names = [one.name for one in known.values()]
        words = f"the tenant has no custom field {given!r} there"
        yield ("args", "name"), words, nearest(given, names)
    elif (
        field.type in ("number", "money") and field.value_map is None and found.data_type not in ("", NUMERIC)
    ):
        words = (
            f"{found.name!r} is a {found.data_type} field in Dispatch Pro, whose texts no number field takes"
        )
        yield ("type",), f"{words}: use type: text or long_text", None


def _target(name: str, field: FieldMap, fields: Sequence[AccountField]) -> Iterator[Found]:
    """Does the destination field exist, or can it be made?"""
    if not is_custom(name):
        codes = [one.code for one in fields if not one.custom]
        if fields and name not in UNLISTED and not set(LISTED_AS.get(name, (name,))) & set(codes):
            yield (), "this account has no such standard field", None
        return
    wanted = CUSTOM_FIELD_TYPES[field.type]
    ours = next((one for one in fields if one.ours == name), None)
    if ours is not None:
        if not ours.field_type:
            yield (), f"was made as {ours.code} and is gone from the account: restore it there", None
        elif ours.field_type != wanted:
            words = f"stands in the account with type {ours.field_type}, and types cannot change"
            yield (
                ("type",),
                f"{words}: type {field.type} is {wanted} there; give the field another name",
                None,
            )
        return
    theirs = [one for one in fields if one.custom and not one.ours]
    if field.adopts is not None:
        yield from _adopted(field.adopts, wanted, theirs)
        return
    namesakes = [one for one in theirs if folded(one.name) == folded(name)]
    if namesakes:
        same = any(one.field_type == wanted for one in namesakes)
        words = f"the account has a field of this name that is not the migration's ({namesakes[0].code})"
        way = f"say adopts: {namesakes[0].name} to fill that one, or " if same else ""
        yield (), f"{words}: {way}give one of them another name", None


def _adopted(adopts: str, wanted: str, theirs: Sequence[AccountField]) -> Iterator[Found]:
    named = [one for one in theirs if folded(one.name) == folded(adopts)]
    if not named:
        names = [one.name for one in theirs]
        yield ("adopts",), f"the account has no custom field {adopts!r} of its own", nearest(adopts, names)
    elif len(named) > 1:
        yield ("adopts",), f"the account has {len(named)} fields of this name: rename all but one there", None
    elif named[0].field_type != wanted:
        words = f"{named[0].name!r} is of type {named[0].field_type} in the account, not {wanted}"
        yield ("adopts",), words, None


def _options(entity: str, name: str, field: FieldMap, tenant: TenantCatalogue) -> Iterator[Found]:
    """Does every source value get an option of its own?"""
    values = (tenant.values or {}).get((entity, name))
    if values is None or field.type not in ("option", "options"):
        return
    by_value, strange = labels_of(field, values)
    place: Place = () if field.value_map is None else ("value_map",)
    if strange:
        words = f"the value map has no entry for {', '.join(map(repr, strange))}: add them, or set unmapped"
        yield place, words, None
    for label, together in collapsing(by_value):
        words = f"the source values {', '.join(map(repr, together))} would all become the option {label!r}"
        yield place, f"{words}: give each a label of its own in the value_map", None
    if len(set(by_value.values())) > MOST_OPTIONS:
        words = f"{len(set(by_value.values()))} options, and Pipedrive holds {MOST_OPTIONS}: use type: text"
        yield ("type",), words, None


def _activity_types(field: FieldMap, account: AccountCatalogue) -> Iterator[Found]:
    if field.type != "activity_type" or not account.activity_types:
        return
    rules = field.args.get("rules", ())
    named: list[tuple[Place, object]] = [
        (("args", "rules", number, "then"), rule.get("then")) for number, rule in enumerate(rules)
    ]
    named += [(("value_map", key), value) for key, value in (field.value_map or {}).items()]
    if field.transform == "constant":
        named.append((("args", "value"), field.args.get("value")))
    for place, key in named:
        if isinstance(key, str) and key not in account.activity_types:
            words = f"the account has no activity type {key!r}"
            yield place, words, nearest(key, account.activity_types)
