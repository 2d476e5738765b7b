"""How pages for people are rendered: templates of this folder, every value escaped, a name that is missing an error."""

import re

import jinja2

HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that show as nothing or turn the text around them: shown by their number instead."""


def templates() -> jinja2.Environment:
    """The templates; what a page adds (filters) is its own."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("dispatch_to_pipedrive.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
