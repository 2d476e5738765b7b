"""How alike are two names, and how do we know? From the same letters, over the glossary, down to likeness of words.

Each step is a method with a name of its own; the first that answers decides, so that a figure can be given for each.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz

from dispatch_to_pipedrive.mapping.proposal import glossary
from dispatch_to_pipedrive.mapping.proposal.words import compact, figures, plain, symbols, words

Method = Literal["exact", "normalized", "glossary", "fuzzy"]
METHODS: tuple[Method, ...] = ("exact", "normalized", "glossary", "fuzzy")

GLOSSARY_SCORE = 0.9
PART_OF_PHRASE = 0.78
"""A name that holds a glossary's phrase and one word more."""
SAME_WORD = 80.0
"""Likeness in percent from which two words are one with a slip of the keys."""
SLIP = 0.93
"""What a slip costs."""
SHORT_WORD = 4
"""Words below this length must be the same to be the same."""
ONE_SIDED = 0.7

_GENERIC = frozenset(
    stem
    for name in (
        *(
            "number",
            "date",
            "code",
            "name",
            "type",
            "notes",
            "amount",
            "count",
            "status",
            "level",
            "info",
            "size",
            "id",
        ),
        *(
            "total",
            "field",
            "value",
            "data",
            "flag",
            "time",
            "description",
            "details",
            "score",
            "rating",
            "line",
        ),
        *(
            "instructions",
            "source",
            "customer",
            "client",
            "job",
            "site",
            "location",
            "home",
            "house",
            "unit",
            "system",
        ),
    )
    for stem in words(name)
)
_GENERIC_WEIGHT = 0.45


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike, from 0 to 1, by which method, and in words why."""

    score: float
    method: Method
    reason: str


NOTHING = Likeness(0.0, "fuzzy", "nothing alike")


def of_fields(name: str, others: Iterable[str], methods: Collection[Method] = METHODS) -> Likeness:
    """The likeness of a field's name to the nearest of another field's names."""
    return max(
        (_of_field(name, other, methods) for other in others), key=lambda one: one.score, default=NOTHING
    )


def of_values(value: str, others: Iterable[str], methods: Collection[Method] = METHODS) -> Likeness:
    """The likeness of a value to the nearest of another's names; what says more than the other is not the same."""
    return max(
        (_of_value(value, other, methods) for other in others), key=lambda one: one.score, default=NOTHING
    )


def _same(name: str, other: str, methods: Collection[Method]) -> Likeness | None:
    if "exact" in methods and name.strip() == other.strip():
        return Likeness(1.0, "exact", f"the same name as {other!r}")
    if "normalized" in methods:
        if plain(name) == plain(other):
            return Likeness(0.99, "normalized", f"{other!r} but for upper and lower case")
        if compact(name) and compact(name) == compact(other) and figures(name) == figures(other):
            # An emoji or a plus may be all that tells two names apart.
            score = 0.98 if symbols(name) == symbols(other) else 0.95
            return Likeness(score, "normalized", f"{other!r} but for blanks and punctuation")
        if sorted(words(name)) == sorted(words(other)) and not glossary.contradict(name, other):
            return Likeness(0.95, "normalized", f"{other!r} in another spelling")
    return None


def _of_field(name: str, other: str, methods: Collection[Method]) -> Likeness:
    if same := _same(name, other, methods):
        return same
    if glossary.contradict(name, other):
        return Likeness(0.0, "fuzzy", f"says the opposite of {other!r}")
    found = NOTHING
    if "glossary" in methods:
        found = _by_glossary(name, other)
    if "fuzzy" in methods:
        fuzzy = _fuzzy_field(name, other)
        found = fuzzy if fuzzy.score > found.score else found
    return found


def _by_glossary(name: str, other: str) -> Likeness:
    theirs = glossary.meanings("fields", other)
    if not theirs:
        return NOTHING
    if theirs & glossary.meanings("fields", name):
        return Likeness(GLOSSARY_SCORE, "glossary", f"in the trade another name of {other!r}")
    mine = set(words(name))
    for row in sorted(theirs):
        for phrase in glossary.spellings("fields", row):
            if 1 < len(phrase) == len(mine) - 1 and mine.issuperset(phrase):
                reason = f"holds another name of {other!r}: {' '.join(phrase)!r}"
                return Likeness(PART_OF_PHRASE, "glossary", reason)
    return NOTHING


def _fuzzy_field(name: str, other: str) -> Likeness:
    mine, theirs = words(name), words(other)
    shared, _, _ = _matched(mine, theirs)
    weight = 2 * sum(_weight(word) * likeness for word, likeness in shared)
    whole = sum(map(_weight, mine)) + sum(map(_weight, theirs))
    by_words = weight / whole if whole else 0.0
    by_letters = fuzz.ratio(compact(name), compact(other)) / 100
    # Letters alone tell little: they count where nearly all of them agree.
    score = max(by_words * 0.88, by_letters * 0.9 if by_letters > 0.88 else 0.0)
    alike = ", ".join(word for word, _ in shared)
    return Likeness(
        round(score, 4), "fuzzy", f"shares {alike!r} with {other!r}" if alike else f"spelt like {other!r}"
    )


def _of_value(value: str, other: str, methods: Collection[Method]) -> Likeness:
    if same := _same(value, other, methods):
        return same
    if glossary.contradict(value, other):
        return Likeness(0.0, "fuzzy", f"says the opposite of {other!r}")
    if "glossary" in methods and glossary.meanings("values", value) & glossary.meanings("values", other):
        return Likeness(GLOSSARY_SCORE, "glossary", f"in the trade another name of {other!r}")
    if "fuzzy" not in methods:
        return NOTHING
    return _fuzzy_value(value, other, with_glossary="glossary" in methods)


def _fuzzy_value(value: str, other: str, *, with_glossary: bool) -> Likeness:
    mine, theirs = words(value), words(other)
    shared, my_rest, their_rest = _matched(mine, theirs)
    if my_rest and their_rest and with_glossary:
        left, right = " ".join(my_rest), " ".join(their_rest)
        if glossary.meanings("values", left) & glossary.meanings("values", right):
            return Likeness(0.85, "glossary", f"{other!r} with {left!r} for {right!r}")
    if not shared or sum(len(word) for word, _ in shared) < 2:
        return NOTHING
    likeness = sum(one for _, one in shared) / len(shared)
    if not my_rest and not their_rest:
        return Likeness(round(0.88 * likeness, 4), "fuzzy", f"{other!r} with a slip of the keys")
    if not my_rest:
        share = len(shared) / len(theirs)
        return Likeness(round((0.6 + 0.25 * share) * likeness, 4), "fuzzy", f"short for {other!r}, it seems")
    share = len(shared) / max(len(mine), len(theirs))
    words_left = " ".join(my_rest)
    return Likeness(
        round(0.6 * share * likeness * (ONE_SIDED if their_rest else 1.0), 4),
        "fuzzy",
        f"like {other!r}, but says {words_left!r} as well",
    )


def _matched(
    mine: tuple[str, ...], theirs: tuple[str, ...]
) -> tuple[list[tuple[str, float]], list[str], list[str]]:
    """Words that both have with how sure that is, and what is left on either side."""
    rest = list(theirs)
    shared: list[tuple[str, float]] = []
    left: list[str] = []
    for word in mine:
        best = max(rest, key=lambda one: _word_likeness(word, one), default=None)
        likeness = _word_likeness(word, best) if best is not None else 0.0
        if best is not None and likeness:
            rest.remove(best)
            shared.append((word, likeness))
        else:
            left.append(word)
    return shared, left, rest


def _word_likeness(one: str, other: str) -> float:
    if one == other:
        return 1.0
    shortest = min(len(one), len(other))
    if shortest < SHORT_WORD or any(char.isdigit() for char in one + other):
        return 0.0
    if fuzz.ratio(one, other) >= SAME_WORD:
        return SLIP
    if one.startswith(other) or other.startswith(one):
        return SLIP
    return 0.0


def _weight(word: str) -> float:
    return _GENERIC_WEIGHT if word in _GENERIC else 1.0
