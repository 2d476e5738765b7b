"""What must people build or do in Pipedrive by hand? Standing items, and one for each rule that a row asks for.

Neither interface lists or makes automations, so all of this is work of people; the list says where each item is from.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from dispatch_to_pipedrive.migration.dispositions import AUTOMATION, MANUAL

BEFORE = "Before anything is loaded"
BUILD = "Automations to build"
BY_HAND = "Steps to do by hand"
STAYS = "What does not carry over"
AFTER = "After the last delta"
SECTIONS = (BEFORE, BUILD, BY_HAND, STAYS, AFTER)
COLUMNS = ("key", "section", "title", "trigger", "action", "words", "table", "rows")
OWNER_COLUMNS = ("technician", "technician_id", "jobs", "by_dispatch_pro", "owner", "how")
NOBODY = "(nobody)"
UNKNOWN = "undecided"
"""How it stands with a technician whom the list of users and decisions does not know."""


class Item(NamedTuple):
    """One thing to tick off. `key` stays the same when the list is written again; `rows` of `table` asked for it."""

    key: str
    section: str
    title: str
    trigger: str = ""
    action: str = ""
    words: str = ""
    table: str = ""
    rows: int = 0


STANDING: tuple[Item, ...] = (
    Item(
        "pause-automations",
        BEFORE,
        "Pause Pipedrive's automations and sequences",
        words="Each record that is loaded would start them. Say who saw to it in AUTOMATIONS_PAUSED_BY.",
    ),
    Item(
        "list-automations",
        BEFORE,
        "Write down automations, sequences and webhooks on both sides",
        words="Pipedrive's REST API neither lists nor makes automations and sequences, and Dispatch Pro's shows none "
        "of its rules. The form automations.csv beside the assessment is for them.",
    ),
    Item(
        "notify-booked",
        BUILD,
        "Notification: a visit is booked",
        trigger="Activity created, type is meeting, done is no",
        action="Send an e-mail to its person with date and time",
        words="Dispatch Pro told customers of bookings by itself; its templates cannot be read.",
    ),
    Item(
        "notify-moved",
        BUILD,
        "Notification: a visit is moved",
        trigger="Activity updated, due date or due time has changed",
        action="Send an e-mail to its person with the new date and time",
        words="Build it only after the last delta, or customers are told of every change that is brought over.",
    ),
    Item(
        "notify-done",
        BUILD,
        "Notification: the work is done",
        trigger="Deal updated, status is won",
        action="Send an e-mail to its person; a sequence may ask for a review",
        words="Sequences are made by hand, too.",
    ),
    Item(
        "rotate-owner",
        BUILD,
        "Who owns new deals",
        trigger="Deal created, pipeline is Dispatch Pro Jobs",
        action="Update deal: set the owner, by hand or by the lead routing of your plan",
        words="Nobody dispatches in Pipedrive: without an owner's rule a new deal belongs to whoever made it.",
    ),
    Item(
        "optimisation",
        STAYS,
        "Dispatch Pro's optimisation does not carry over",
        words="Scheduling algorithm and route rules are part of Dispatch Pro. Jobs keep the technician whom they had, "
        "and nobody reassigns them in Pipedrive; the table of owners tells what it was and what it becomes.",
    ),
    Item(
        "accounting",
        STAYS,
        "Accounting integrations (QuickBooks, Xero) are untouched",
        words="They belong to the accounts on either side: no call was made to them. Set them up anew for Pipedrive, "
        "if it is to take part.",
    ),
    Item(
        "line-items",
        STAYS,
        "Line items of invoices are not migrated",
        words="Amount and payment state stand on the deal. Keep the invoices in the accounting system; the verbatim "
        "records stay in the export.",
    ),
    Item(
        "owners",
        AFTER,
        "Compare the owners before and after",
        words="Look through the table of owners: every technician with jobs has an owner in Pipedrive.",
    ),
    Item(
        "resume-automations",
        AFTER,
        "Turn automations and sequences on again",
        words="When the last delta is read back and signed off, not before.",
    ),
)


MARKED: tuple[tuple[str, str, str], ...] = (
    (
        "do_not_service",
        "Customers who shall not be served",
        "Dispatch Pro refuses jobs for them, and Pipedrive refuses nothing: tell whoever takes orders, or label them.",
    ),
    (
        "do_not_mail",
        "Customers who want no mail",
        "Consent is not copied: set their marketing status in Pipedrive before anything is sent to everybody.",
    ),
    (
        "tax_exempt",
        "Customers who pay no tax",
        "Taxes are reckoned where invoices are made: see that the accounting system knows them.",
    ),
)
"""Flag of customers → what to do about those who bear it."""


def checklist(hits: pd.DataFrame, profile: pd.DataFrame) -> pd.DataFrame:
    """Every item: key, section, title, trigger, action, words, table, rows; in order of sections.

    hits: see `reference_of`; rows of which a rule says the same are one item. profile: see placement's
    `source_profile`.
    """
    items = sorted(
        [*STANDING, *_derived(hits), *_marked(profile)], key=lambda item: SECTIONS.index(item.section)
    )
    frame = pd.DataFrame(items, columns=list(COLUMNS))
    return frame.astype({**dict.fromkeys(COLUMNS, "string"), "rows": "Int64"})


def _derived(hits: pd.DataFrame) -> Iterator[Item]:
    asked = hits[hits["disposition"].isin([AUTOMATION, MANUAL])].fillna("")
    for (table, rule), group in asked.groupby(["table", "rule"], sort=False):
        same = group.groupby(["disposition", "trigger", "action", "manual_step"], sort=False)
        for (disposition, trigger, action, step), rows in same:
            one = len(rows) == 1
            yield Item(
                key=f"{table}/{rule}/{rows['id'].iloc[0] if one else 'all'}"
                + ("" if one else f"/{trigger}{action}{step}"),
                section=BUILD if disposition == AUTOMATION else BY_HAND,
                title=f"{rule}: {rows['name'].iloc[0]}" if one and rows["name"].iloc[0] else str(rule),
                trigger=str(trigger),
                action=str(action),
                words=str(step),
                table=str(table),
                rows=len(rows),
            )


def _marked(profile: pd.DataFrame) -> Iterator[Item]:
    """What customers' flags ask for, where there are any."""
    flagged = profile[(profile["feed"] == "customers") & (profile["value"] == "true")].set_index("field")[
        "count"
    ]
    for flag, title, words in MARKED:
        if number := int(flagged.get(flag, 0)):
            yield Item(f"customers/{flag}", BY_HAND, f"{title} ({number:,})", words=words)


def not_on_the_list(hits: pd.DataFrame, items: pd.DataFrame) -> int:
    """How many rows that ask for work stand behind no item; none, or the list is wrong."""
    asked = int(hits["disposition"].isin([AUTOMATION, MANUAL]).sum())
    return asked - int(items["rows"].sum())


def owners_before_and_after(held: pd.DataFrame, owners: pd.DataFrame) -> pd.DataFrame:
    """Who held the jobs, and who will own the deals: a row a technician, those with most jobs first.

    held: technician_id (0: nobody), jobs, by_dispatch_pro (missing where the export does not tell it). owners:
    technician_id (0: who stands in), name, verdict, owner_email. A technician whom nobody stands for yet has no owner.
    """
    rows = held.merge(owners.drop_duplicates("technician_id"), on="technician_id", how="outer")
    number = rows["technician_id"].astype("Int64")
    nobody = number == 0
    name = rows["name"].astype("string").fillna("technician " + number.astype("string"))
    found = pd.DataFrame(
        {
            "technician": name.mask(nobody, NOBODY),
            "technician_id": number.mask(nobody),
            "jobs": rows["jobs"].fillna(0).astype("Int64"),
            "by_dispatch_pro": rows["by_dispatch_pro"].astype("Int64"),
            "owner": rows["owner_email"].astype("string").fillna(""),
            "how": rows["verdict"].astype("string").fillna(UNKNOWN),
        }
    )
    order = ["jobs", "technician_id"]
    return found.sort_values(order, ascending=[False, True], kind="stable", ignore_index=True)


def sections(items: pd.DataFrame) -> Sequence[tuple[str, pd.DataFrame]]:
    """The items of each section that has any."""
    return [(name, rows) for name in SECTIONS if len(rows := items[items["section"] == name])]
