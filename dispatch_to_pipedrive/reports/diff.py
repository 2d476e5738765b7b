"""How the field-level diff looks in a browser: one page that works from a file and asks no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dispatch_to_pipedrive.reports.attached import file_lines, note_lines
from dispatch_to_pipedrive.reports.embedding import embedded_rows, script_hash
from dispatch_to_pipedrive.reports.pages import templates, visible

ENTITIES = ("organizations", "persons", "deals", "activities", "files", "notes")
SECTIONS = ("job types", "priorities", "owners", "addresses")
EXPECTED = ("equal", "not taken")
"""Verdicts that ask nothing of anybody."""
SHOWN = 300
"""Lines of a section that stand in the page; the table of every field has them all."""


@dataclass(frozen=True)
class DiffPage:
    """What the page tells.

    rows: one for each field of each record (entity, source_key, pipedrive_id, field, section, source_columns,
    source_value, transform, mapped, read_back, verdict). lines: the distinct values of the four sections (section,
    entity, field, source_value, mapped, read_back, verdict, records). coverage: kind, what, root, why. passed_over:
    customers larger than the sample. verdicts: what each means, the worst first; blocking: those that stop a batch.
    approve: how to say yes, as (where, what to do).
    """

    company: str
    account: str
    tenant: str
    generation: int
    map_digest: str
    made_at: str
    roots: int
    rows: pd.DataFrame
    lines: pd.DataFrame
    coverage: pd.DataFrame
    passed_over: Sequence[str]
    verdicts: Mapping[str, str]
    blocking: Sequence[str]
    approve: Sequence[tuple[str, str]]


def render_diff(page: DiffPage) -> str:
    """The page as HTML. Every value is escaped; only the page's own script may run."""
    environment = templates()
    script = environment.get_template("diff.js").render()
    rows = visible(page.rows)
    files, notes = (told(rows, list(page.verdicts)) for told in (file_lines, note_lines))
    return environment.get_template("diff.html.j2").render(
        page=page,
        script=script,
        script_hash=script_hash(script),
        data=embedded_rows(rows),
        columns=list(rows.columns),
        entities=[name for name in ENTITIES if name in set(rows["entity"])],
        sections=_sections(visible(page.lines)),
        files=files[:SHOWN],
        notes=notes[:SHOWN],
        more_files=max(0, len(files) - SHOWN),
        more_notes=max(0, len(notes) - SHOWN),
        counts=_counts(rows, page.verdicts),
        bars=_bars(rows, page.verdicts),
        records=int(rows.drop_duplicates(["entity", "source_key"]).shape[0]),
        covered=_covered(visible(page.coverage)),
        stopping=int(rows["verdict"].isin(list(page.blocking)).sum()),
        other=int((~rows["verdict"].isin([*page.blocking, *EXPECTED])).sum()),
        equal=int((rows["verdict"] == "equal").sum()),
    )


def _counts(rows: pd.DataFrame, verdicts: Mapping[str, str]) -> list[tuple[str, int, str]]:
    """Verdict, fields, meaning; those that nobody met are left out, but for equal."""
    counts = rows["verdict"].value_counts()
    return [
        (name, int(counts.get(name, 0)), words)
        for name, words in verdicts.items()
        if counts.get(name, 0) or name == "equal"
    ]


def _bars(rows: pd.DataFrame, verdicts: Mapping[str, str]) -> list[dict[str, Any]]:
    """For each entity its records and fields, and the verdicts as parts of a bar in percent of the longest."""
    by_entity = rows.groupby("entity").size()
    longest = max([*by_entity, 1])
    order = ["equal", *(name for name in reversed(list(verdicts)) if name != "equal")]
    bars = []
    for entity in [name for name in ENTITIES if name in by_entity.index]:
        mine = rows[rows["entity"] == entity]
        counts = mine["verdict"].value_counts()
        parts = [
            (name, int(counts[name]), round(100 * int(counts[name]) / longest, 3))
            for name in order
            if name in counts.index
        ]
        bars.append(
            {"entity": entity, "records": mine["source_key"].nunique(), "fields": len(mine), "parts": parts}
        )
    return bars


def _sections(lines: pd.DataFrame) -> list[dict[str, Any]]:
    """Each section with its fields, and each field with its lines, the most frequent first."""
    found = []
    for section in SECTIONS:
        mine = lines[lines["section"] == section]
        fields = []
        by_field = dict(list(mine.groupby(["entity", "field"], sort=False)))
        for entity, name in sorted(by_field, key=lambda key: key[0] != "deals"):
            group = by_field[entity, name]
            most = max(int(group["records"].max()), 1)
            group = group.sort_values("records", ascending=False, kind="stable")
            expected = group["verdict"].isin(EXPECTED)  # what differs comes first, however rare it is
            group = pd.concat([group[~expected], group[expected]])
            fields.append(
                {
                    "entity": entity,
                    "name": name,
                    "lines": group.head(SHOWN).to_dict("records"),
                    "more": max(0, len(group) - SHOWN),
                    "distinct": len(group),
                    "records": int(group["records"].sum()),
                    "most": most,
                    "differing": int((~expected).sum()),
                }
            )
        found.append({"name": section, "fields": fields, "anchor": section.replace(" ", "-")})
    return found


def _covered(coverage: pd.DataFrame) -> list[dict[str, Any]]:
    """Each kind of feature: how many there are, how many the sample has, and each one by name."""
    kinds = []
    for kind, group in coverage.groupby("kind", sort=True):
        present = group["root"].notna()
        plain = group.astype(object).where(group.notna(), None)
        kinds.append(
            {
                "kind": kind,
                "all": len(group),
                "covered": int(present.sum()),
                "share": round(100 * float(present.mean()), 2),
                "rows": plain.to_dict("records"),
            }
        )
    return sorted(kinds, key=lambda kind: (kind["covered"] == kind["all"], kind["kind"]))
