"""Which few roots show everything that the tenant has?

The sample consists of whole roots, so it is closed under foreign keys by construction. At each step the root is taken
that adds most features for each of its records; what is equal goes to fewer records, then to the smaller root, so
equal tenants give equal samples. A root that is larger than the whole sample is passed over and named.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

SAMPLE_LEAST, SAMPLE_MOST = 200, 500
"""Records; a smaller tenant is its own sample."""
WISHED = ("technician ", "sold by ")
"""Kinds of features that are covered as far as the least sample reaches, and never make it larger."""
NAMED = 5
"""Roots that a reason names."""


class _Candidates(NamedTuple):
    """Roots that fit, fewest records first; `having` names each feature's candidates by their place."""

    roots: np.ndarray
    records: np.ndarray
    having: dict[str, np.ndarray]


def choose_sample(table: pd.DataFrame, features: pd.DataFrame) -> tuple[int, ...]:
    """The roots of the sample in their order; none where every root is larger than a sample may be.

    table: root and the records that its load comes to, one row a root. features: root, feature; complete for the
    roots that are worth looking at (see `root_features`).
    """
    candidates = _candidates(table, features)
    chosen = np.zeros(len(candidates.roots), dtype=bool)
    needed = {name for name in candidates.having if not name.startswith(WISHED)}
    _cover(candidates, chosen, needed, SAMPLE_MOST)
    _cover(candidates, chosen, set(candidates.having) - needed, SAMPLE_LEAST)
    while _cover(candidates, chosen, needed, SAMPLE_LEAST):
        pass  # one more example of each feature, until there are enough records
    _fill(candidates, chosen)
    return tuple(sorted(int(root) for root in candidates.roots[chosen]))


def _candidates(table: pd.DataFrame, features: pd.DataFrame) -> _Candidates:
    fitting = table[table["records"].between(1, SAMPLE_MOST)].sort_values(["records", "root"])
    roots = fitting["root"].to_numpy(dtype="int64")
    places = pd.Series(np.arange(len(roots)), index=roots)
    known = features[features["root"].isin(roots)].drop_duplicates()
    at = known["root"].map(places).astype("int64")
    having = {str(name): group.to_numpy() for name, group in at.groupby(known["feature"], sort=True)}
    return _Candidates(roots, fitting["records"].to_numpy(dtype="int64"), having)


def _cover(candidates: _Candidates, chosen: np.ndarray, features: set[str], enough: int) -> int:
    """Take roots until every feature has one more of them or there are `enough` records; how many were taken."""
    records = candidates.records
    of_place: dict[int, list[str]] = {}
    gain = np.zeros(len(records), dtype="int64")
    for name in sorted(features):
        for place in candidates.having[name]:
            of_place.setdefault(int(place), []).append(name)
        gain[candidates.having[name]] += 1
    open_ = set(features)
    total, taken = int(records[chosen].sum()), 0
    while open_ and total < enough:
        worth = np.where(chosen | (records > SAMPLE_MOST - total), 0, gain / np.maximum(records, 1))
        best = int(worth.argmax()) if len(worth) else 0
        if not len(worth) or worth[best] == 0:
            break
        chosen[best] = True
        total, taken = total + int(records[best]), taken + 1
        for name in open_.intersection(of_place[best]):
            gain[candidates.having[name]] -= 1
            open_.discard(name)
    return taken


def _fill(candidates: _Candidates, chosen: np.ndarray) -> None:
    """Small roots until there are enough records."""
    total = int(candidates.records[chosen].sum())
    for place, count in enumerate(candidates.records):
        if total >= SAMPLE_LEAST or total + count > SAMPLE_MOST:
            return
        if not chosen[place]:
            chosen[place] = True
            total += int(count)


def passed_over(table: pd.DataFrame) -> pd.DataFrame:
    """The roots that are larger than any sample (columns root, records), in their order."""
    larger = table.loc[table["records"] > SAMPLE_MOST, ["root", "records"]]
    return larger.sort_values("root", ignore_index=True)


def coverage(table: pd.DataFrame, features: pd.DataFrame, roots: Sequence[int]) -> pd.DataFrame:
    """One row a feature: feature, root (of the sample, the smallest that has it; missing where none has), why not."""
    records = table.set_index("root")["records"]
    known = features[features["root"].isin(records.index)].drop_duplicates()
    known = known.assign(records=known["root"].map(records).astype("int64"))
    known = known.sort_values(["records", "root"], kind="stable")
    mine = known[known["root"].isin(list(roots))].drop_duplicates("feature").set_index("feature")["root"]
    room = SAMPLE_MOST - int(records[records.index.isin(list(roots))].sum())
    rows = [
        (str(name), mine.get(name, pd.NA), "" if name in mine.index else _why(str(name), group, room))
        for name, group in known.groupby("feature", sort=True)
    ]
    frame = pd.DataFrame(rows, columns=["feature", "root", "why"])
    return frame.astype({"feature": "string", "root": "Int64", "why": "string"})


def _why(feature: str, having: pd.DataFrame, room: int) -> str:
    """Why no root of the sample has a feature; `having` are the roots that have it, fewest records first."""
    making = having[having["records"] > 0]
    if making.empty:
        return "only on records that make nothing in Pipedrive"
    if making["records"].min() > SAMPLE_MOST:
        named = [f"{r.root} ({r.records} records)" for r in making.head(NAMED).itertuples(index=False)]
        return f"only on customers larger than the whole sample: {', '.join(named)}"
    if feature.startswith(WISHED):
        return f"not asked for, and {SAMPLE_LEAST} records were reached without it"
    least = making.iloc[0]
    return f"no room: customer {least['root']} would bring {least['records']} records, {room} were left"
