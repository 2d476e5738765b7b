"""How demanding is this migration? A grade from A to D out of four scored lines: the same input, the same grade.

    object compatibility    100 × (objects that move 1:1 + half of those that are split or joined) ÷ all objects
    mapping clarity         100 × fields and values with a place in the map ÷ all that the tenant has
    API constraints         100 − 15 for each doubling of the days' budgets beyond one − 40 for each limit of the plan
                            that does not fit
    volume                  100 − 20 for each tenfold of 10,000 records

No line falls below 0. The score is their mean by weight; a fifth line tells the time and weighs nothing, for the days
count already among the API's constraints.
"""

import math
from dataclasses import dataclass

from dispatch_to_pipedrive.migration.forecast import Forecast

A_DOUBLING, A_CAP, A_TENFOLD = 15, 40, 20
FREE_RECORDS = 10_000
OBJECTS, CLARITY, CONSTRAINTS, VOLUME, TIMELINE = (
    "object compatibility",
    "mapping clarity",
    "API constraints",
    "volume",
    "timeline",
)
WEIGHTS = {OBJECTS: 30, CLARITY: 30, CONSTRAINTS: 20, VOLUME: 20, TIMELINE: 0}
GRADES = (
    (90, "A", "Simple"),
    (75, "B", "Standard"),
    (60, "C", "Demanding"),
    (0, "D", "To be planned by hand"),
)
"""From which score on, letter and name."""


@dataclass(frozen=True)
class ScoredLine:
    """One line: 0 to 100, its weight in percent, and the facts in words."""

    name: str
    score: float
    weight: int
    words: str


@dataclass(frozen=True)
class Grade:
    """The letter and what it comes from."""

    letter: str
    name: str
    score: float
    lines: tuple[ScoredLine, ...]


@dataclass(frozen=True)
class Objects:
    """How many kinds of object there are, how many map 1:1, and how many move, 1:1 or split or joined."""

    objects: int
    one_to_one: int
    moved_one_to_one: int
    moved_otherwise: int


@dataclass(frozen=True)
class Clarity:
    """How many fields and values the tenant has, and how many of them have a place."""

    placed: int
    found: int


def graded(objects: Objects, clarity: Clarity, foreseen: Forecast) -> Grade:
    """The grade and its lines."""
    lines = (
        _objects(objects),
        _clarity(clarity),
        _constraints(foreseen),
        _volume(foreseen.volume.records),
        _timeline(foreseen),
    )
    weight = sum(line.weight for line in lines)
    score = round(sum(line.score * line.weight for line in lines) / weight, 1)
    _, letter, name = next(entry for entry in GRADES if score >= entry[0])
    return Grade(letter, name, score, lines)


def _line(name: str, score: float, words: str) -> ScoredLine:
    return ScoredLine(name, round(min(100.0, max(0.0, score)), 1), WEIGHTS[name], words)


def _objects(objects: Objects) -> ScoredLine:
    points = objects.moved_one_to_one + objects.moved_otherwise / 2
    stay = objects.objects - objects.moved_one_to_one - objects.moved_otherwise
    words = (
        f"{objects.one_to_one} of {objects.objects} objects map 1:1, {objects.moved_otherwise} are split or joined; "
        f"{stay} not moved by the map as it is"
    )
    return _line(OBJECTS, 100 * points / objects.objects if objects.objects else 0, words)


def _clarity(clarity: Clarity) -> ScoredLine:
    score = 100 * clarity.placed / clarity.found if clarity.found else 100
    words = f"{clarity.placed:,} of {clarity.found:,} custom fields and values have a place in the map"
    return _line(CLARITY, score, words + ", to be confirmed with the sample")


def _constraints(foreseen: Forecast) -> ScoredLine:
    beyond = [cap for cap in foreseen.caps if not cap.fits]
    doublings = math.log2(max(1.0, foreseen.days))
    words = (
        "Dispatch Pro gives 60 calls a second and export feeds with cursors; Pipedrive has no bulk interface and "
        f"sells tokens: {foreseen.tokens:,} are needed"
    )
    if foreseen.tokens_per_day:
        words += f", {foreseen.tokens_per_day:,} a day are there"
    for cap in beyond:
        words += f"; {cap.words}"
    return _line(CONSTRAINTS, 100 - A_DOUBLING * doublings - A_CAP * len(beyond), words)


def _volume(records: int) -> ScoredLine:
    tenfolds = math.log10(max(1.0, records / FREE_RECORDS))
    return _line(VOLUME, 100 - A_TENFOLD * tenfolds, f"{records:,} records are to be made")


def _timeline(foreseen: Forecast) -> ScoredLine:
    days = foreseen.days
    words = "fits one day's tokens" if days <= 1 else f"{math.ceil(days):,} days' tokens ({days:.2f})"
    return _line(TIMELINE, 100 - A_DOUBLING * math.log2(max(1.0, days)), words)
