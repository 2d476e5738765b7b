"""How the assessment looks: one page for the owner of a business, and the same as JSON for programs.

The page is self-contained, works from a file and asks no network; every value of the tenant is escaped.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from dispatch_to_pipedrive.reports.forecast import (
    answer,
    arithmetic,
    comparison,
    conclusion,
    duration,
    offers,
    size,
)
from dispatch_to_pipedrive.reports.pages import templates
from dispatch_to_pipedrive.reports.writing import write_report

PAGE, VALUES, INVENTORY = "assessment.html", "assessment.json", "automations.csv"
_INVENTORY = """where,kind,name,what starts it,what it does,paused by,rebuilt in Pipedrive as
Dispatch Pro,dispatch rule,,,,,
Dispatch Pro,notification to customers,,,,,
Dispatch Pro,integration (accounting or other),,,,,
Pipedrive,automation,,,,,
Pipedrive,sequence,,,,,
Pipedrive,webhook or connected app,,,,,
"""
"""A form to fill in by hand: no interface lists any of these."""
MISSING_FROM = 0.005
"""Share of records from which a field that is missing is worth a line."""

Values = Mapping[str, Any]


def write_assessment(folder: Path, values: Values) -> Path:
    """Write page and values into the folder, and the form for automations if there is none; the page's path."""
    contents = {
        VALUES: orjson.dumps(values, option=orjson.OPT_INDENT_2),
        PAGE: render_assessment(values).encode(),
    }
    form = {} if (folder / INVENTORY).exists() else {INVENTORY: _INVENTORY.encode()}
    write_report(folder, {**contents, **form})
    return folder / PAGE


def render_assessment(values: Values) -> str:
    """The page as HTML. values: what an assessment says of itself (`as_json`)."""
    environment = templates()
    environment.filters["percent"] = _percent
    environment.filters["size"] = size
    environment.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    foreseen = values["forecast"]
    return environment.get_template("assessment.html.j2").render(
        a=values,
        forecast=foreseen,
        arithmetic=arithmetic(foreseen),
        conclusion=conclusion(foreseen),
        offers=offers(foreseen),
        answer=answer(foreseen),
        duration=duration(foreseen["seconds"]),
        comparison=comparison(values["compared"]) if values["compared"] else "",
        missing=[row for row in values["missing"] if row["share"] >= MISSING_FROM],
        inventory=INVENTORY,
        most=max([row["records"] for row in values["counts"]], default=1) or 1,
        open_fields=[one for one in values["custom_fields"] if one["filled"] and not one["place"]],
        verdicts={
            name: sum(c["verdict"] == name for c in values["checks"]) for name in ("fail", "warn", "pass")
        },
    )


def _percent(share: float) -> str:
    """A share in percent that never rounds something to nothing, nor nearly all to all."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{share:.1%}".replace("%", " %")
