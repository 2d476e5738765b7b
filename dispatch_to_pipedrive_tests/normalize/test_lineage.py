"""What lineage says is what normalize does: each field of the source is changed in turn, and the frames compared."""

from collections.abc import Sequence

import pytest

from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.dispatch_pro.paths import fields_of
from dispatch_to_pipedrive.dispatch_pro.shapes import SHAPES
from dispatch_to_pipedrive.normalize.lineage import OWNERS, RECORDS, lineage
from dispatch_to_pipedrive.normalize.schemas import SCHEMAS, columns
from dispatch_to_pipedrive_tests.normalize.families import (
    SIZE,
    another,
    changed,
    differences,
    family,
    normalized,
)

DECLARED = {entity: lineage(entity, columns(entity, 1)) for entity in SCHEMAS}
SILENT = {"source_key", "root"}
"""Columns made of ids alone: they change with the records."""
UNSEEN = {"appointment_assignments.id", "job_canceled_logs.id", "payments.id"}
"""Fields that only join, or put in order what is equal otherwise."""
Field = tuple[str, str]


def named() -> dict[str, dict[str, set[str]]]:
    """Field → entity → the columns that may change with it."""
    found: dict[str, dict[str, set[str]]] = {}
    for entity, of_column in DECLARED.items():
        for column, source in of_column.items():
            for field in (*source.fields, *source.by):
                found.setdefault(field, {}).setdefault(entity, set()).add(column)
        for field in RECORDS.get(entity, ()):
            found.setdefault(field, {}).setdefault(entity, set()).update({"*", *of_column})
    return found


@pytest.mark.promise("R006", "R068")
def test_a_field_that_lineage_does_not_name_changes_nothing_and_each_named_one_changes_something() -> None:
    names = named()
    fields = [(feed, path) for feed in SHAPES for path in fields_of(feed)]
    told = [one for one in fields if ".".join(one) in names]
    untold = [one for one in fields if ".".join(one) not in names]
    seen = changes([*([one] for one in told), untold])
    if seen.pop():
        each = zip(untold, changes([[one] for one in untold]), strict=True)
        assert [(field, columns) for field, columns in each if columns] == []
    undeclared = {
        (*field, entity): sorted(extra)
        for field, by_entity in zip(told, seen, strict=True)
        for entity, those in by_entity.items()
        if (extra := those - names[".".join(field)].get(entity, set()) - SILENT)
    }
    assert undeclared == {}
    silent = {".".join(field) for field, by_entity in zip(told, seen, strict=True) if not by_entity}
    assert silent == UNSEEN


def changes(cases: Sequence[Sequence[Field]]) -> list[dict[str, set[str]]]:
    """For each case, which is a family with those fields changed: entity → the columns that differ."""
    plain = [family(number * SIZE) for number in range(1, len(cases) + 1)]
    mutated = []
    for records, fields in zip(plain, cases, strict=True):
        for feed, path in fields:
            records = changed(records, feed, path, another)
        mutated.append(records)
    found = differences(normalized(plain), normalized(mutated), SCHEMAS)
    return [found.get(number * SIZE, {}) for number in range(1, len(cases) + 1)]


def test_lineage_names_every_column_and_only_fields_that_there_are() -> None:
    silent = {
        f"{entity}.{column}"
        for entity, of_column in DECLARED.items()
        for column, source in of_column.items()
        if not (source.fields or source.by) and column not in SILENT
    }
    assert silent == set()
    known = {f"{feed}.{path}" for feed in SHAPES for path in fields_of(feed)}
    assert (named().keys() | set(OWNERS)) - known == set()


def test_whose_a_record_is_is_told_by_the_fields_that_placement_reads() -> None:
    read = {
        f"{feed.name}.{path.replace('.0.', '[].')}"
        for feed in FEEDS.values()
        for column, path in {"id": feed.id_field, **feed.keys}.items()
        if column in feed.root or column == "merged_to_id"
    }
    assert read <= set(OWNERS)
