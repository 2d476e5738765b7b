"""What does each row of the reference data ask for in Pipedrive? The rules of `dispositions`, applied.

A row's disposition is the most demanding of what the rules say of it: an automation to
build, a manual step, a field that the migration fills, or nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dispatch_to_pipedrive.mapping.destinations import destinations, in_words
from dispatch_to_pipedrive.mapping.model import Maps
from dispatch_to_pipedrive.migration.dispositions import (
    AUTOMATION,
    COMING,
    FIELD,
    FILLED,
    MANUAL,
    NOTHING,
    OVER,
    RULES,
    Rule,
)
from dispatch_to_pipedrive.migration.reference_tables import own_tables

DISPOSITIONS = (AUTOMATION, MANUAL, FIELD, NOTHING)
"""The most demanding first."""
TOLD = ("disposition", "field", "trigger", "action", "manual_step", "why")
"""Columns that every table has after its own; several automations of a row stand line by line."""
HITS = ("table", "id", "name", "rule", "disposition", "trigger", "action", "manual_step")


@dataclass(frozen=True)
class Reference:
    """All tables with their dispositions, and what each rule said of which row."""

    tables: Mapping[str, pd.DataFrame]
    hits: pd.DataFrame


def reference_of(
    rows: Mapping[str, pd.DataFrame], priorities: pd.DataFrame, maps: Maps, now: str
) -> Reference:
    """Every table with its dispositions.

    rows: feed → its records, a column a field under its path (lists as lists). priorities: see `priority_rows`. now:
    UTC as `2026-11-23T09:00:00Z`, from which on a shift is over.
    """
    own = own_tables(rows, priorities, maps)
    places = destinations(maps, mentioned=False)
    tables, hits = {}, []
    for name, frame in own.items():
        tables[name], found = _disposed(name, frame, places, now)
        hits += found
    empty = pd.DataFrame(columns=list(HITS), dtype="string")
    return Reference(tables, pd.concat([empty, *hits], ignore_index=True).astype("string"))


def _disposed(
    name: str, frame: pd.DataFrame, places: Mapping[str, Sequence[str]], now: str
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The table with the columns of `TOLD`, and the hits of its rules."""
    told = {column: pd.Series("", index=frame.index, dtype="string") for column in TOLD}
    hits = []
    for rule in [rule for rule in RULES if rule.table == name]:
        holds = _holds(rule, frame, now)
        field = _field_of(rule, places)
        said = _said(rule, frame, field)
        demand = pd.Series(said["disposition"], index=frame.index, dtype="string")
        stronger = demand.map(DISPOSITIONS.index) < told["disposition"].map(_rank)
        told["disposition"] = told["disposition"].where(~(holds & stronger), demand)
        for column in ("field", "trigger", "action", "manual_step", "why"):
            told[column] = _line(told[column], said[column], holds)
        hits.append(_hits(rule, frame, said, holds))
    return frame.assign(**told), hits


def _rank(disposition: str) -> int:
    return DISPOSITIONS.index(disposition) if disposition else len(DISPOSITIONS)


def _field_of(rule: Rule, places: Mapping[str, Sequence[str]]) -> str:
    return in_words(name for column in rule.columns for name in places.get(column, ()))


def _said(rule: Rule, frame: pd.DataFrame, field: str) -> dict[str, Any]:
    """What the rule says of each row, with the row's values in its words.

    A field that no map fills is a manual step: somebody takes the column into the map, or writes the field by hand.
    """
    lost = bool(rule.columns) and not field
    step = f"No field of the map takes {' or '.join(rule.columns)}: add one to the map, or keep it by hand."
    return {
        "disposition": MANUAL if lost else rule.disposition,
        "field": filled_in(rule.fields or field, frame),
        "trigger": filled_in(rule.trigger, frame),
        "action": filled_in(rule.action, frame),
        "manual_step": filled_in(step if lost else rule.step, frame),
        "why": filled_in(rule.why, frame),
    }


def filled_in(template: str, frame: pd.DataFrame) -> pd.Series:
    """For each row the template with its values at `{column}`."""
    text = pd.Series("", index=frame.index, dtype="string")
    for part in template.split("{"):
        name, brace, rest = part.partition("}")
        text = text + (_one_line(frame[name]) + rest if brace else name)
    return text


def _one_line(values: pd.Series) -> pd.Series:
    return values.astype("string").fillna("").str.replace(r"\s+", " ", regex=True)


def _line(before: pd.Series, more: pd.Series, where: pd.Series) -> pd.Series:
    """The texts with another line below, where there is something to add."""
    add = where & (more != "")
    return before.where(~add, before.where(before == "", before + "\n") + more)


def _hits(rule: Rule, frame: pd.DataFrame, said: Mapping[str, Any], holds: pd.Series) -> pd.DataFrame:
    rows = frame[holds]
    return pd.DataFrame(
        {
            "table": rule.table,
            "id": rows["id"].astype("string") if "id" in rows else rows["name"],
            "name": rows["name"] if "name" in rows else rows.get("start", ""),
            "rule": rule.title,
            "disposition": said["disposition"],
            **{column: said[column][holds] for column in ("trigger", "action", "manual_step")},
        },
        index=rows.index,
    )


def _holds(rule: Rule, frame: pd.DataFrame, now: str) -> pd.Series:
    holds = pd.Series(True, index=frame.index)
    for column, wanted in rule.when.items():
        holds &= _is(frame[column], wanted, now)
    return holds


def _is(values: pd.Series, wanted: Any, now: str) -> pd.Series:
    """Whether a value is what a rule asks for; what does not say whether it is active is."""
    if isinstance(wanted, bool):
        return values.fillna(values.name == "active").astype(bool) == wanted
    text = values.astype("string").fillna("").str.strip()
    if wanted is FILLED:
        return (text != "").astype(bool)
    if wanted is OVER or wanted is COMING:
        return ((text != "") & (text < now)).astype(bool) == (wanted is OVER)
    return text.str.casefold().isin([str(one).casefold() for one in wanted]).astype(bool)


def by_disposition(tables: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    """How many rows have each disposition, over all tables."""
    found = [frame["disposition"] for frame in tables.values()]
    counts = pd.concat(found).value_counts() if found else pd.Series(dtype="Int64")
    return {name: int(counts.get(name, 0)) for name in DISPOSITIONS}
