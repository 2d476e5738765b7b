"""Which records that the account has already are likely the same as some that will be made? Listed, never adopted.

Organizations are alike by their folded name; persons by an e-mail, or by folded name and phone; deals by a title that
holds the job's number. The account's records are listed once, and no more pages of them than the caller allows.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.pipedrive.prices import LIST

LISTED = ("organizations", "persons", "deals")
COLUMNS = ("entity", "pipedrive_id", "pipedrive_name", "source_key", "source_name", "why")
NAME, EMAIL, NAME_AND_PHONE, JOB_NUMBER = (
    "same name",
    "same e-mail",
    "same name and phone",
    "job number in the title",
)
SHORTEST_PHONE, COMPARED_DIGITS = 7, 10
_NUMBER = re.compile(r"\d{5,}")
_KEYS = ("entity", "id", "name", "why", "key")


@dataclass(frozen=True)
class Theirs:
    """What others have in the account: keys (entity, id, name, why, key), how many records, and what it took.

    `unfinished` names the entities whose lists were longer than allowed.
    """

    keys: pd.DataFrame
    records: Mapping[str, int]
    tokens: int
    unfinished: tuple[str, ...] = ()
    most_tokens: int = 0


@dataclass
class _Look:
    keys: list[pd.DataFrame] = field(default_factory=list)
    records: dict[str, int] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    pages: int = 0


async def list_theirs(session: Session, most_pages: int) -> Theirs:
    """List organizations, persons and deals that are not ours; each entity may have a third of the pages."""
    look = _Look()
    for entity in LISTED:
        left = max(1, most_pages // len(LISTED))
        look.records[entity] = 0
        async for page in session.client.list(entity):  # type: ignore[arg-type]
            look.pages += 1
            left -= 1
            ours = session.ledger.linked_ids(session.scope, entity, [int(r["id"]) for r in page.records])
            others = [record for record in page.records if int(record["id"]) not in ours]
            look.records[entity] += len(others)
            look.keys.append(account_keys(entity, others))
            if page.cursor is not None and left <= 0:
                look.unfinished.append(entity)
                break
    keys = pd.concat(look.keys, ignore_index=True) if look.keys else account_keys("deals", [])
    return Theirs(keys, look.records, look.pages * LIST, tuple(look.unfinished), most_pages * LIST)


def nothing_listed() -> Theirs:
    """Where nobody could be asked."""
    return Theirs(account_keys("deals", []), {}, 0)


def account_keys(entity: str, records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """By what records of the account may be known: a row a key."""
    rows: list[tuple[str, int, str, str, str]] = []
    for record in records:
        name = str(record.get("title" if entity == "deals" else "name") or "")
        rows += [(entity, int(record["id"]), name, why, key) for why, key in _keys_of(entity, name, record)]
    frame = pd.DataFrame(rows, columns=list(_KEYS))
    return frame.astype({**dict.fromkeys(_KEYS, "string"), "id": "int64"})


def _keys_of(entity: str, name: str, record: Mapping[str, Any]) -> list[tuple[str, str]]:
    if entity == "deals":
        return [(JOB_NUMBER, number) for number in _NUMBER.findall(name)]
    folded = fold_name(pd.Series([name])).iloc[0]
    if entity == "organizations":
        return [(NAME, folded)] if folded else []
    emails = [(EMAIL, str(item["value"]).strip().casefold()) for item in record.get("emails") or ()]
    phones = [re.sub(r"\D", "", str(item["value"])) for item in record.get("phones") or ()]
    both = [
        (NAME_AND_PHONE, f"{folded}|{digits[-COMPARED_DIGITS:]}")
        for digits in phones
        if folded and len(digits) >= SHORTEST_PHONE
    ]
    return [*((why, key) for why, key in emails if key), *both]


def source_keys(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """By what records of some roots may be known: source_key, name, entity, why, key.

    frames: customers, customer_contacts, location_contacts, and jobs where deals are to be compared; as the source's
    room gives them, with `root`.
    """
    customers = frames["customers"]
    own = customers[(customers["id"] == customers["root"]).fillna(False)]
    known = pd.DataFrame(
        {
            "root": own["root"],
            "name": own["name"].astype("string"),
            "folded": fold_name(own["name"]),
            "commercial": own["type"].str.casefold().eq("commercial").fillna(False).astype(bool),
        }
    )
    companies = known[known["commercial"]]
    parts = [_ours(companies, "organizations", "/organization", NAME, companies["folded"])]
    contacts = pd.concat(
        [
            frames[feed][["root", "type", "value", "active"]]
            for feed in ("customer_contacts", "location_contacts")
        ],
        ignore_index=True,
    )
    contacts = contacts[contacts["active"].fillna(True).astype(bool) & contacts["value"].notna()]
    points = contacts.merge(known, on="root", how="inner")
    email = points["type"].str.casefold().eq("email").fillna(False)
    mails = points[email]
    parts.append(_ours(mails, "persons", "/person", EMAIL, mails["value"].str.strip().str.casefold()))
    phones = points[~email]
    digits = phones["value"].str.replace(r"\D", "", regex=True)
    long = digits.str.len() >= SHORTEST_PHONE
    named = phones["folded"] + "|" + digits.str.slice(-COMPARED_DIGITS)
    parts.append(_ours(phones[long], "persons", "/person", NAME_AND_PHONE, named[long]))
    if "jobs" in frames:
        parts.append(_jobs(frames["jobs"]))
    found = pd.concat(parts, ignore_index=True)
    return found[found["key"].fillna("") != ""].drop_duplicates(ignore_index=True)


def match(theirs: pd.DataFrame, ours: pd.DataFrame) -> pd.DataFrame:
    """The twins: a row for each pair of records, with the strongest reason; columns `COLUMNS`."""
    pairs = theirs.merge(ours, on=["entity", "why", "key"], suffixes=("", "_ours"))
    rank = pairs["why"].map({EMAIL: 0, NAME_AND_PHONE: 1, JOB_NUMBER: 0, NAME: 0})
    pairs = pairs.assign(rank=rank).sort_values(["entity", "id", "source_key", "rank"], kind="stable")
    pairs = pairs.drop_duplicates(["entity", "id", "source_key"])
    found = pairs.rename(columns={"id": "pipedrive_id", "name": "pipedrive_name", "name_ours": "source_name"})
    return found[list(COLUMNS)].reset_index(drop=True)


def no_twins() -> pd.DataFrame:
    """A frame of twins without rows."""
    return match(account_keys("deals", []), _ours(_NOBODY, "deals", "", NAME, _NOBODY["name"]))


def fold_name(names: pd.Series) -> pd.Series:
    """Names without case, punctuation and repeated spaces."""
    text = names.astype("string").str.casefold().str.replace(r"[^\w]+", " ", regex=True)
    return text.str.strip().fillna("")


_NOBODY = pd.DataFrame({"root": pd.Series(dtype="Int64"), "name": pd.Series(dtype="string")})


def _ours(rows: pd.DataFrame, entity: str, role: str, why: str, keys: pd.Series) -> pd.DataFrame:
    source = "customer:" + rows["root"].astype("string") + role
    return _frame(source, rows["name"], entity, why, keys)


def _jobs(jobs: pd.DataFrame) -> pd.DataFrame:
    source = "job:" + jobs["id"].astype("string") + "/deal"
    numbers = jobs["job_number"].astype("string").str.strip()
    usable = numbers.str.fullmatch(_NUMBER.pattern).fillna(False)
    return _frame(source[usable], "#" + numbers[usable], "deals", JOB_NUMBER, numbers[usable])


def _frame(source: pd.Series, names: pd.Series, entity: str, why: str, keys: pd.Series) -> pd.DataFrame:
    columns: Sequence[tuple[str, Any]] = (
        ("source_key", source.to_numpy(dtype=object)),
        ("name", names.to_numpy(dtype=object)),
        ("key", keys.to_numpy(dtype=object)),
    )
    frame = pd.DataFrame(dict(columns)).assign(entity=entity, why=why)
    return frame.astype("string")
