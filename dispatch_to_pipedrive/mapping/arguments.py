"""Which arguments each transform of a map takes, as strict models."""

import string
from collections.abc import Hashable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pandas as pd
from pydantic import Field, field_validator

from dispatch_to_pipedrive.mapping.model import Scalar, Strict


class NoArgs(Strict):
    """A transform without arguments."""


class ConstantArgs(Strict):
    """`value`: what every record gets."""

    value: Scalar = Field(description="what every record gets")


class SettingArgs(Strict):
    """`name`: the run's setting, such as the currency, that every record gets."""

    name: str = Field(
        description="the setting; there is one, currency: MIGRATION_CURRENCY, else the account's"
    )


class TemplateArgs(Strict):
    """`template`: text with {column}; `missing`: what stands for a column that is empty; `otherwise`: further ones."""

    template: str = Field(min_length=1, description="text with {column} in the places of the columns' values")
    missing: dict[str, str] = Field(
        default_factory=dict, description="column → what stands for it where it is empty"
    )
    otherwise: list[str] = Field(
        default_factory=list,
        description="further templates, the first that has all its columns stands where `template` gives nothing",
    )

    @field_validator("template")
    @classmethod
    def well_formed(cls, template: str) -> str:
        """A template must name columns by plain names in braces."""
        placeholders(template)
        return template

    @field_validator("otherwise")
    @classmethod
    def all_well_formed(cls, otherwise: list[str]) -> list[str]:
        """Each further template, likewise."""
        for template in otherwise:
            placeholders(template)
        return otherwise


class JoinArgs(Strict):
    """`separator`: what stands between the items."""

    separator: str = Field(default=", ", description="what stands between the items")


class CustomFieldArgs(Strict):
    """`name`: the custom field's name in Dispatch Pro."""

    name: str = Field(
        min_length=1, description="the custom field's name in Dispatch Pro, whatever its case and blanks"
    )


class LinesArgs(Strict):
    """`lines`: templates; a line with an empty column is left out."""

    lines: list[str] = Field(
        min_length=1, description="one template for each line; a line with an empty column is left out"
    )

    @field_validator("lines")
    @classmethod
    def well_formed(cls, lines: list[str]) -> list[str]:
        """Each line must name columns by plain names in braces."""
        for line in lines:
            placeholders(line)
        return lines


class HtmlBodyArgs(LinesArgs):
    """`body`: the column that is HTML already; `lines`: what stands below it."""

    body: str = Field(
        min_length=1,
        description="the column that holds safe HTML and stands first, as it is; it may be empty",
    )


class Rule(Strict):
    """One row of a rule table: `when` every column matches one of its patterns, `then` the value."""

    when: dict[str, Scalar | list[Scalar]] = Field(
        default_factory=dict,
        description="column → the value that it must have, or a list of them; * stands for any text, case is folded, "
        "and nothing (null) for an empty column; without `when` the rule holds for everything",
    )
    then: Scalar = Field(description="the value where the rule holds")

    def holds(self, row: Mapping[Hashable, Any]) -> bool:
        """Whether the row's values match, case folded, `*` standing for any text."""
        for column, wanted in self.when.items():
            value = row.get(column)
            text = None if pd.isna(value) else str(value).casefold()
            patterns = wanted if isinstance(wanted, list) else [wanted]
            if not any(_matches(text, pattern) for pattern in patterns):
                return False
        return True


class RulesArgs(Strict):
    """`rules`: the table; the first row that holds decides."""

    rules: list[Rule] = Field(
        min_length=1,
        description="rows of `when` and `then`; the first that holds decides, the last holds always",
    )


def placeholders(template: str) -> tuple[str, ...]:
    """The column names in a template's braces; ValueError if one is not a plain name."""
    names = []
    for _, name, spec, conversion in string.Formatter().parse(template):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"{{{name}}} is not a column name")
        names.append(name)
    return tuple(names)


def _matches(text: str | None, pattern: Scalar) -> bool:
    if pattern is None or text is None:
        return pattern is None and text is None
    return fnmatchcase(text, str(pattern).casefold())
