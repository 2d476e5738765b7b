"""How pages for people are rendered: templates of this folder, every value escaped, a name that is missing an error."""

import re

import jinja2
import pandas as pd

HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that show as nothing or turn the text around them: shown by their number instead."""


def templates() -> jinja2.Environment:
    """The templates, with the filters `shown` and `number`; what a page adds is its own."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dispatch_to_pipedrive.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = shown
    environment.filters["number"] = lambda value: f"{value:,}"
    return environment


def shown(text: object) -> str:
    """Text with characters that hide or turn it shown by their number (‹U+202E›)."""
    return HIDDEN.sub(_by_number, str(text))


def visible(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with all its texts `shown`; missing ones are empty, numbers stay numbers."""
    texts = {
        str(name): column.astype("string").fillna("").str.replace(HIDDEN, _by_number, regex=True)
        for name, column in frame.items()
        if pd.api.types.is_string_dtype(column.dtype) or column.dtype == object
    }
    return frame.assign(**texts)


def _by_number(found: re.Match[str]) -> str:
    return f"‹U+{ord(found.group()):04X}›"
