"""What is in this tenant, how demanding is its move, and what stays behind? One value, computed from the profile.

A pure function: the same profile, map and facts give the same assessment.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from dispatch_to_pipedrive.mapping.model import Maps
from dispatch_to_pipedrive.mapping.objects import object_table
from dispatch_to_pipedrive.migration.assessment.filed import files
from dispatch_to_pipedrive.migration.assessment.grade import Grade, Objects, graded
from dispatch_to_pipedrive.migration.assessment.stays import OPTIMISATION, Stays, what_stays
from dispatch_to_pipedrive.migration.assessment.tables import (
    Property,
    by_field,
    choices,
    clarity,
    counts,
    missing,
    properties,
)
from dispatch_to_pipedrive.migration.file_checks import Oversized
from dispatch_to_pipedrive.migration.forecast import Forecast
from dispatch_to_pipedrive.migration.preflight import Check

__all__ = ["Assessment", "Inputs", "Twins", "assess"]

SHOWN_TWINS = 200
LINES = ("line", "score", "weight", "words")


@dataclass(frozen=True)
class Twins:
    """Likely twins in the account: rows, how many records were looked through, tokens, and why it is not whole."""

    rows: pd.DataFrame
    looked_at: Mapping[str, int]
    tokens: int
    words: str = ""


@dataclass(frozen=True)
class Inputs:
    """What an assessment is made of.

    profile: see placement's `source_profile`. kinds: (feed, custom field) → data type. spent: tokens by kind so far,
    where something was loaded. origins: normalized column → feed and field of the profile whose value lands in it.
    """

    tenant: str
    account: str
    generation: int
    profile: pd.DataFrame
    kinds: Mapping[tuple[str, str], str]
    maps: Maps
    forecast: Forecast
    twins: Twins
    checks: Sequence[Check] = ()
    file_limit_mb: float = 25
    oversized: Sequence[Oversized] = ()
    compared: Mapping[str, Any] | None = None
    origins: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Assessment:
    """All that the page tells."""

    inputs: Inputs
    grade: Grade
    objects: pd.DataFrame
    counts: list[dict[str, Any]]
    choices: list[dict[str, Any]]
    missing: list[dict[str, Any]]
    properties: list[Property]
    stays: list[Stays]
    files: dict[str, Any]

    def lines(self) -> pd.DataFrame:
        """The scored lines as a frame: line, score, weight, words."""
        rows = [(line.name, line.score, line.weight, line.words) for line in self.grade.lines]
        kinds = {"line": "string", "score": "Float64", "weight": "Int64", "words": "string"}
        return pd.DataFrame(rows, columns=list(LINES)).astype(kinds)

    def as_json(self) -> dict[str, Any]:
        """Plain values for the page and for programs."""
        given = self.inputs
        return {
            "tenant": given.tenant,
            "account": given.account,
            "generation": given.generation,
            "grade": {**asdict(self.grade), "lines": [asdict(line) for line in self.grade.lines]},
            "objects": self.objects.to_dict("records"),
            "counts": self.counts,
            "choices": self.choices,
            "missing": self.missing,
            "custom_fields": [one._asdict() for one in self.properties],
            "files": self.files,
            "twins": {
                "count": len(given.twins.rows),
                "rows": given.twins.rows.head(SHOWN_TWINS).to_dict("records"),
                "looked_at": dict(given.twins.looked_at),
                "tokens": given.twins.tokens,
                "words": given.twins.words,
            },
            "stays": [one._asdict() for one in self.stays],
            "optimisation": OPTIMISATION,
            "forecast": given.forecast.as_json(),
            "compared": given.compared,
            "checks": [asdict(check) for check in given.checks],
        }


def assess(given: Inputs) -> Assessment:
    """Put the assessment together."""
    fields = by_field(given.profile)
    found = properties(fields, given.kinds, given.maps)
    table = object_table(given.maps)
    return Assessment(
        inputs=given,
        grade=graded(_objects(table), clarity(fields, found, given.maps), given.forecast),
        objects=table,
        counts=counts(fields),
        choices=choices(fields),
        missing=missing(fields, given.maps, given.origins),
        properties=found,
        stays=what_stays(fields),
        files=files(fields, given.file_limit_mb, given.oversized),
    )


def _objects(table: pd.DataFrame) -> Objects:
    moved, one_to_one = table["moved"] == "yes", table["kind"] == "1:1"
    return Objects(
        objects=len(table),
        one_to_one=int(one_to_one.sum()),
        moved_one_to_one=int((moved & one_to_one).sum()),
        moved_otherwise=int((moved & ~one_to_one).sum()),
    )
