"""A small tenant and account to propose for."""

from functools import cache
from pathlib import Path

import pandas as pd

from dispatch_to_pipedrive.mapping import Maps, load_maps
from dispatch_to_pipedrive.mapping.proposal import AccountField, Catalogue, Proposal, open_slots, propose

MAPPINGS = Path(__file__).resolve().parents[3] / "mappings"
PRIORITY = {"jobs.custom_fields/Dispatch Pro Priority": "priority_bucket"}
COLUMNS = ("feed", "field", "value", "count", "distinct", "records")
RECORDS = 50

ACCOUNT = Catalogue(
    (
        AccountField("deals", "expected_close_date", "Expected close date", "date"),
        AccountField("deals", "k1", "Permit Number", "varchar", custom=True),
        AccountField("deals", "k2", "Roof Type", "enum", ("Tile", "Metal"), custom=True),
        AccountField("deals", "k3", "Twice", "varchar", custom=True),
        AccountField("deals", "k4", "Twice", "varchar", custom=True),
        AccountField(
            "deals", "k5", "Job_Type__c", "enum", ("AC Tune-Up", "No Heat"), custom=True, ours="Job_Type__c"
        ),
        AccountField("persons", "k6", "Gate Code", "varchar", custom=True),
    ),
    {"deals": ("Hot lead", "VIP"), "persons": ("VIP",), "organizations": ()},
)


@cache
def base_maps() -> Maps:
    """The project's own."""
    return load_maps(MAPPINGS)


def profile(*fields: tuple[str, str, list[str]]) -> pd.DataFrame:
    """Feed, field and values, each value borne by one record."""
    rows = []
    for feed, field, values in fields:
        rows.append((feed, field, None, RECORDS - len(values), len(values), RECORDS))
        rows += [(feed, field, value, 1, len(values), RECORDS) for value in values]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    texts = dict.fromkeys(("feed", "field", "value"), "string")
    return frame.astype({**texts, **dict.fromkeys(("count", "distinct", "records"), "Int64")})


def definitions(**fields: tuple[str, list[str]]) -> dict[str, pd.DataFrame]:
    """Definitions of the jobs' custom fields: name (blanks as underscores) → data type and options."""
    rows = [(name.replace("_", " "), kind, options) for name, (kind, options) in fields.items()]
    return {"jobs.custom_fields": pd.DataFrame(rows, columns=["name", "data_type", "options"])}


def proposed(
    *fields: tuple[str, str, list[str]],
    maps: Maps | None = None,
    account: Catalogue = ACCOUNT,
    **defined: tuple[str, list[str]],
) -> dict[str, Proposal]:
    """Proposals by id."""
    own = maps or base_maps()
    slots = open_slots(own, profile(*fields), definitions(**defined), account, elsewhere=PRIORITY)
    return {one.id: one for one in propose(own, slots, account)}
