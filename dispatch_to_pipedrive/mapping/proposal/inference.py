"""Which type does a custom field of the tenant have? By its definition, and by the values that records really have.

A definition that says text means that anything may be typed tomorrow; so a stricter type is inferred only where all
values are known and every one of them keeps it, and never for what looks like a number and is a code.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dispatch_to_pipedrive.mapping.model import FieldType
from dispatch_to_pipedrive.mapping.needs import OPTION_LENGTH
from dispatch_to_pipedrive.mapping.proposal.words import plain, words

LONGEST_TEXT = 200
"""Code points; a value as long as this may be followed by one that a field of 255 cannot hold."""

LEAST_DATES = 1

_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,13})(\.\d+)?")
_MONEY = frozenset(
    word
    for name in (
        *("price", "cost", "amount", "fee", "budget", "deposit", "balance", "rebate", "discount"),
        *("revenue", "commission", "payment", "invoice"),
    )
    for word in words(name)
)


@dataclass(frozen=True, slots=True)
class Inferred:
    """A map's type, the options that it would have, and why."""

    type: FieldType
    options: tuple[str, ...] = ()
    reason: str = ""


def inferred(
    name: str, data_type: str, defined: Sequence[str], values: Sequence[str], *, complete: bool
) -> Inferred:
    """The type of a field from the vendor's data type, its defined options and its values.

    `values`: the distinct values known, most frequent first; `complete`: whether these are all.
    """
    declared = plain(data_type)
    if declared == "dropdown":
        return _choice(tuple(dict.fromkeys([*defined, *values])))
    numbers = bool(values) and all(_NUMBER.fullmatch(value.strip()) for value in values)
    if declared == "numeric" and (numbers or not values):
        return _amount(name) or Inferred("number", reason="a number by its definition")
    if declared == "numeric":
        return Inferred("text", reason="a number by its definition, but not all its values are numbers")
    if complete and len(values) >= LEAST_DATES and all(_DATE.fullmatch(value.strip()) for value in values):
        return Inferred("date", reason="every value is a date")
    if not declared and complete and numbers:
        return _amount(name) or Inferred("number", reason="every value is a number")
    if any(len(value) > LONGEST_TEXT or "\n" in value for value in values):
        return Inferred("long_text", reason="some values are long")
    return Inferred("text", reason="free text")


def is_number(value: str) -> bool:
    """Whether a text is a plain decimal: no sign but a minus, no leading zeros, which only a code has."""
    return _NUMBER.fullmatch(value.strip()) is not None


def is_date(value: str) -> bool:
    """Whether a text is a date as Pipedrive takes it."""
    return _DATE.fullmatch(value.strip()) is not None


def _amount(name: str) -> Inferred | None:
    if _MONEY & set(words(name)):
        return Inferred("money", reason="a number whose name is that of an amount")
    return None


def _choice(options: tuple[str, ...]) -> Inferred:
    folded = {plain(option)[:OPTION_LENGTH] for option in options}
    if not options:
        return Inferred("text", reason="a list of choices without a choice")
    if len(folded) < len(options):
        return Inferred("text", reason="choices that differ only by case or blanks cannot all be options")
    return Inferred("option", options, f"a list of {len(options)} choices")
