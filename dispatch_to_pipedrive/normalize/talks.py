"""What was said and written: one activity for each call and each e-mail of a carried customer."""

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dispatch_to_pipedrive.normalize.leftovers import left, same_root
from dispatch_to_pipedrive.normalize.lists import listed, texts
from dispatch_to_pipedrive.normalize.sources import SourceHosts
from dispatch_to_pipedrive.normalize.texts import hosted, plain, without_links
from dispatch_to_pipedrive.normalize.times import utc

NATIONAL = 10
"""Digits of a phone number without the country's code, which one side of a comparison may lack."""
NO_SUBJECT = "(no subject)"
_ADDRESS = r"([^\s<>,;:\"'()\[\]]+@[^\s<>,;:\"'()\[\]]+)"
_DURATION = (
    r"^(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{2}):(?P<seconds>\d{2})(?P<fraction>\.\d+)?$"
)


def calls(
    frames: Mapping[str, pd.DataFrame],
    customers: pd.DataFrame,
    jobs: pd.DataFrame,
    deals: pd.DataFrame,
    persons: pd.DataFrame,
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The calls in the columns of activities; what other kinds of activities have is not among them.

    A call stands on the deal of its job, else on the customer; its participant is whose number it was, else the
    customer's person. It begins when it was recorded and ends by its duration.
    """
    found = frames["calls"]
    deleted = ~found["active"].fillna(True).astype(bool)
    nobody = ~found["root"].isin(customers["root"]) & ~deleted
    leftovers = [
        left("calls", found, deleted, "deleted call"),
        left("calls", found, nobody, "a call of no customer in the export"),
    ]
    kept = found[~deleted & ~nobody].reset_index(drop=True)
    if kept.empty:
        return pd.DataFrame(), leftovers
    start = utc(kept, "calls", "created_on")
    outbound = (kept["direction"].str.casefold() == "outbound").fillna(False).astype(bool)
    theirs = kept["to"].where(outbound, kept["from"]).astype("string")
    numbers = pd.DataFrame({"row": kept.index, "root": kept["root"], "key": digits(theirs)})
    common, strays = _common("calls", kept, kept["id"].astype("string"), customers, jobs, deals)
    common = common.assign(
        source_key="call:" + kept["id"].astype("string") + "/activity",
        kind="call",
        stamp="Dispatch Pro call " + kept["id"].astype("string"),
        participant_keys=_participants(kept, numbers, _points(persons, "phones"), customers),
        direction=kept["direction"].astype("string"),
        call_from=kept["from"].astype("string"),
        call_to=kept["to"].astype("string"),
        agent=kept["agent_name"].astype("string"),
        created_at=start,
        start=start,
        end=_after(start, kept["duration"].astype("string")),
    )
    return common.assign(visit_start=common["start"], visit_end=common["end"]), [*leftovers, strays]


def emails(
    frames: Mapping[str, pd.DataFrame],
    customers: pd.DataFrame,
    jobs: pd.DataFrame,
    deals: pd.DataFrame,
    persons: pd.DataFrame,
    hosts: SourceHosts,
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The e-mails in the columns of activities: on the deal of the job, else on the customer, when they were sent.

    Participants are the persons whose addresses they bear, else the customer's person. Files in the text are named.
    """
    found = frames["emails"]
    nobody = ~found["root"].isin(customers["root"])
    leftovers = [left("emails", found, nobody, "an e-mail of no customer in the export")]
    kept = found[~nobody].reset_index(drop=True)
    if kept.empty:
        return pd.DataFrame(), leftovers
    sent = utc(kept, "emails", "sent_at")
    common, strays = _common("emails", kept, kept["id"], customers, jobs, deals)
    body, lost = hosted(pd.DataFrame({"record": "email:" + kept["id"], "text": kept["body"]}), hosts)
    subject = plain(kept["subject"].astype("string").str.strip(), hosts)
    points = _points(persons, "emails")
    sender = _addresses(kept, "sender")
    addressed = pd.concat([sender, _addresses(kept, "recipients")], ignore_index=True)
    inbound = sender.merge(points, on=["root", "key"])["row"]
    direction = pd.Series("Outbound", index=kept.index, dtype="string").mask(
        kept.index.isin(inbound), "Inbound"
    )
    common = common.assign(
        source_key="email:" + kept["id"] + "/activity",
        kind="e-mail",
        stamp="Dispatch Pro e-mail " + kept["id"],
        participant_keys=_participants(kept, addressed, points, customers),
        direction=direction,
        email_from=kept["sender"].astype("string"),
        email_to=kept["recipients"].astype("string"),
        subject=subject.where((subject != "").fillna(False), NO_SUBJECT),
        body=without_links(body["html"]),
        created_at=sent,
        start=sent,
        visit_start=sent,
    )
    images = kept[("email:" + kept["id"]).isin(lost["record"])]
    shown = left("emails.body", images, pd.Series(True, index=images.index), "an image or file in the text")
    return common, [*leftovers, shown, strays]


def digits(numbers: pd.Series) -> pd.Series:
    """Phone numbers as they are compared: their last ten digits; missing where there is none."""
    found = numbers.astype("string").str.replace("[^0-9]", "", regex=True).str.slice(-NATIONAL)
    return found.where(found != "")


def _common(
    feed: str,
    kept: pd.DataFrame,
    number: pd.Series,
    customers: pd.DataFrame,
    jobs: pd.DataFrame,
    deals: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What calls and e-mails have alike; beside it those whose job is not carried."""
    here = same_root(kept, kept["job_id"], jobs)
    own = customers.set_index("root")
    of_job = deals.set_index("job_id")
    job = kept["job_id"].where(here)
    owner = kept["root"].map(newest_owner(deals)).astype("string")
    columns = {
        "root": kept["root"],
        "deal_key": job.map(of_job["source_key"]).astype("string"),
        "organization_key": kept["root"].map(own["organization_key"]).astype("string"),
        "customer_name": kept["root"].map(own["name"]).astype("string"),
        "status": "Done",
        "visit": "none",
        "owner_email": owner.where(~here, job.map(of_job["owner_email"]).astype("string")),
    }
    lost = left(
        f"{feed}.job_id", kept, kept["job_id"].notna() & ~here, "its job is not carried, it is the customer's"
    )
    return pd.DataFrame(columns, index=kept.index), lost


def newest_owner(deals: pd.DataFrame) -> pd.Series:
    """Root → owner_email of its newest deal (by creation, then by job)."""
    at = deals["created_at"].str.removesuffix("Z").fillna("")
    newest = deals.assign(at=at).sort_values(["at", "job_id"], kind="stable")
    return newest.drop_duplicates("root", keep="last").set_index("root")["owner_email"]


def _points(persons: pd.DataFrame, column: str) -> pd.DataFrame:
    """root, key, person_key for each phone or e-mail of a person; the customer's person comes first."""
    lists = pa.array(persons[column])
    lists = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    values = pd.Series(lists.flatten().field("value"), dtype="string")
    owners = persons.iloc[pc.list_parent_indices(lists).to_numpy()].reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "root": owners["root"],
            "key": digits(values) if column == "phones" else values.str.casefold(),
            "person_key": owners["source_key"],
            "further": ~owners["source_key"].str.startswith("customer:"),
        }
    )
    rows = rows[rows["key"].notna()].sort_values(["root", "further", "person_key"], kind="stable")
    return rows.drop_duplicates(["root", "key"])[["root", "key", "person_key"]]


def _addresses(kept: pd.DataFrame, column: str) -> pd.DataFrame:
    """row, root, key for each e-mail address in a header."""
    found = kept[column].astype("string").str.casefold().str.findall(_ADDRESS).explode()
    found = found[found.notna()]
    rows = pd.DataFrame({"row": found.index, "key": found.array})
    return rows.assign(root=rows["row"].map(kept["root"])).astype({"root": "Int64", "key": "string"})


def _participants(
    kept: pd.DataFrame, keys: pd.DataFrame, points: pd.DataFrame, customers: pd.DataFrame
) -> pd.Series:
    """The persons of the same customer whose numbers or addresses these are; where there is none the customer's."""
    hits = keys.merge(points, on=["root", "key"], how="inner")[["row", "person_key"]]
    own = kept["root"].map(customers.set_index("root")["person_key"]).astype("string")
    others = pd.DataFrame({"row": kept.index, "person_key": own})[~kept.index.isin(hits["row"])]
    rows = pd.concat([hits, others], ignore_index=True).drop_duplicates()
    rows = rows.sort_values("row", kind="stable")
    return listed(pd.Series(kept.index, index=kept.index), rows["row"], texts(rows["person_key"]))


def _after(start: pd.Series, duration: pd.Series) -> pd.Series:
    """When what began at `start` ended: text in UTC, to the second where both are whole; missing without a duration."""
    parts = duration.str.strip().str.extract(_DURATION)
    length = sum(
        (
            pd.to_numeric(parts[unit]).fillna(0).astype("Float64") * seconds
            for unit, seconds in _UNITS.items()
        ),
        pd.Series(0.0, index=start.index, dtype="Float64"),
    )
    begin = pd.to_datetime(start, format="ISO8601", utc=True)
    length = length.clip(upper=_LONGEST)
    end = begin + pd.to_timedelta((length * 1_000_000).round().astype("Int64"), unit="us")
    ticks = (end.dt.microsecond * 10 + end.dt.nanosecond // 100).astype("Int64").astype("string").str.zfill(7)
    text = end.dt.strftime("%Y-%m-%dT%H:%M:%S").astype("string") + "." + ticks
    text = text.str.replace(r"\.?0+$", "", regex=True)
    return (text + "Z").where(parts["hours"].notna() & start.notna())


_LONGEST = 30 * 86_400
"""Seconds; a longer call is a counter that ran over, and its end might be in a year that no calendar has."""
_UNITS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1, "fraction": 1}
