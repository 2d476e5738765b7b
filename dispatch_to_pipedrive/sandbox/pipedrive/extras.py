"""What does a reader ask for beside the record? include_fields, custom_fields, option labels."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from .call import Query
from .render import SHOW
from .store import Record

if TYPE_CHECKING:
    from .account import Account

_CONTACT_COUNTS = (
    "next_activity_id",
    "last_activity_id",
    "open_deals_count",
    "related_open_deals_count",
    "closed_deals_count",
    "related_closed_deals_count",
    "email_messages_count",
    "activities_count",
    "done_activities_count",
    "undone_activities_count",
    "files_count",
    "notes_count",
    "followers_count",
    "won_deals_count",
    "related_won_deals_count",
    "lost_deals_count",
    "related_lost_deals_count",
    "smart_bcc_email",
)
_MAIL = ("last_incoming_mail_time", "last_outgoing_mail_time")
INCLUDABLE: dict[str, tuple[str, ...]] = {
    "organizations": (*_CONTACT_COUNTS, "people_count"),
    "persons": (
        *_CONTACT_COUNTS,
        *_MAIL,
        "participant_open_deals_count",
        "participant_closed_deals_count",
        "marketing_status",
        "doi_status",
    ),
    "deals": (
        "next_activity_id",
        "last_activity_id",
        "first_won_time",
        "products_count",
        "files_count",
        "notes_count",
        "followers_count",
        "email_messages_count",
        "activities_count",
        "done_activities_count",
        "undone_activities_count",
        "participants_count",
        *_MAIL,
        "smart_bcc_email",
        "source_lead_id",
    ),
    "activities": ("attendees",),
}
_LINK = {"organizations": "org_id", "persons": "person_id", "deals": "deal_id"}


class Shape:
    """How the records of one answer are to be shown."""

    def __init__(self, entity: str, query: Query) -> None:
        self.entity = entity
        self.include = query.choices("include_fields", INCLUDABLE[entity])
        self.option_labels = self.labels = False
        self.only: frozenset[str] | None = None
        if entity == "activities":
            return
        self.option_labels = query.boolean("include_option_labels") is True
        self.labels = query.boolean("include_labels") is True
        codes = query.text("custom_fields")
        if codes is not None:
            named = codes.split(",")
            if len(named) > 15:
                query.problems.append("custom_fields: This collection should contain 15 elements or less.")
            known = query.account.custom[entity]
            query.problems += [f"custom_fields: Unknown key '{code}'" for code in named if code not in known]
            self.only = frozenset(named)

    def show(self, account: Account, records: list[Record]) -> list[Record]:
        """The records as asked for."""
        show = SHOW[self.entity]
        shown = [show(account, record) for record in records]
        if self.only is not None:
            for one in shown:
                one["custom_fields"] = {
                    code: value for code, value in one["custom_fields"].items() if code in self.only
                }
        if self.option_labels:
            for one in shown:
                one["custom_fields"] = self._with_labels(account, one["custom_fields"])
        if self.labels:
            names = {
                option["id"]: option["label"]
                for option in account.fields[self.entity]["label_ids"].options or ()
            }
            for one in shown:
                one["labels"] = [{"id": id_, "label": names.get(id_, "")} for id_ in one["label_ids"]]
        if self.include:
            self._include(account, records, shown)
        return shown

    def _with_labels(self, account: Account, values: dict[str, Any]) -> dict[str, Any]:
        shown = dict(values)
        for code, one in account.custom[self.entity].items():
            value = shown.get(code)
            if one.options is None or value is None:
                continue
            names = {option["id"]: option["label"] for option in one.options}
            if isinstance(value, list):
                shown[code] = [{"id": id_, "label": names.get(id_, "")} for id_ in value]
            else:
                shown[code] = {"id": value, "label": names.get(value, "")}
        return shown

    def _include(self, account: Account, records: list[Record], shown: list[Record]) -> None:
        if self.entity == "activities":
            for record, one in zip(records, shown, strict=True):
                one["attendees"] = record.get("attendees", [])
            return
        counts = count_links(account, self.entity, {record["id"] for record in records})
        for record, one in zip(records, shown, strict=True):
            tally = counts.get(record["id"], Counter())
            for name in self.include:
                one[name] = _included(account, record, name, tally)


def _included(account: Account, record: Record, name: str, tally: Counter[str]) -> Any:
    if name.endswith("_count"):
        return tally[name.replace("related_", "", 1)]
    if name == "first_won_time":
        return record.get("won_time")
    if name == "smart_bcc_email":
        return f"{account.company_domain}@pipedrivemail.com"
    return None


def count_links(account: Account, entity: str, ids: set[int]) -> dict[int, Counter[str]]:
    """How much hangs on each of these records: activities, notes, files, deals, people."""
    link = _LINK[entity]
    counts: dict[int, Counter[str]] = {id_: Counter() for id_ in ids}
    for other in ("activities", "notes", "files", "deals", "persons"):
        store = account.stores[other]
        needles = [b'"%s":%d' % (link.encode(), id_) for id_ in ids]
        sieve = needles[0] if len(needles) == 1 else b'"%s":' % link.encode()
        for record in store.containing(sieve):
            _tally(counts, other, link, record)
    return counts


def _tally(counts: dict[int, Counter[str]], other: str, link: str, record: Record) -> None:
    if other == "activities" and link == "person_id":
        linked = [one["person_id"] for one in record.get("participants", ())]
    else:
        linked = [record[link]] if link in record else []
    for id_ in linked:
        tally = counts.get(id_)
        if tally is None:
            continue
        if other == "activities":
            tally["activities_count"] += 1
            tally["done_activities_count" if record.get("done") else "undone_activities_count"] += 1
        elif other == "deals":
            status = record.get("status", "open")
            tally["open_deals_count" if status == "open" else "closed_deals_count"] += 1
            if status != "open":
                tally[f"{status}_deals_count"] += 1
        elif other == "persons":
            tally["people_count"] += 1
        else:
            tally[f"{other}_count"] += 1
