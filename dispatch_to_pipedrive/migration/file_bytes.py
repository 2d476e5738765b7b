"""Are the bytes of files in the account those that were sent? A share of them is downloaded and hashed.

Name, size and parent are compared for all files; each download costs as much as two uploads. So it is a share of every
stratum (ending × class of size), at least one of each, always the same files: the first by the hash of their source
keys. Bytes of a file never change in the account: what was found equal once counts for later readings, also where the
day's tokens ended one.
"""

import asyncio
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from dispatch_to_pipedrive.migration.conflicts import current_record
from dispatch_to_pipedrive.migration.listing import Listing
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.values import ALIVE, key_after
from dispatch_to_pipedrive.migration.verify import Difference, Verdicts
from dispatch_to_pipedrive.pipedrive.errors import NotFound, Rejected
from dispatch_to_pipedrive.pipedrive.prices import DOWNLOAD

log = logging.getLogger(__name__)

SIZES = ((0, "empty"), (1_000_000, "small"), (25_000_000, "medium"))
"""Bytes up to which a file is of that class; above it is large."""
_PICTURES = ("jpg", "jpeg", "png", "gif", "webp", "heic", "tif", "tiff", "bmp")
_PAPERS = ("pdf", "doc", "docx", "xls", "xlsx", "csv", "txt", "rtf", "htm", "html", "eml", "msg")
_RECORDINGS = ("mp3", "m4a", "wav", "mp4", "mov", "avi")
ENDINGS = frozenset((*_PICTURES, *_PAPERS, *_RECORDINGS, "zip"))
"""Endings that make a kind of their own. All else is one: a number behind a dot would make every file a kind."""
_AT_A_TIME = 100
"""Files after which what was found is kept."""
_AT_ONCE = 8
_COLUMNS = ("pipedrive_id", "source_key", "stratum")


@dataclass(frozen=True)
class BytesRead:
    """How many files were read back now, of how many that are there; what differs is in the verdicts."""

    read: int = 0
    files: int = 0
    verdicts: Verdicts = field(default_factory=Verdicts)


def stratum_of(record: Mapping[str, Any]) -> str:
    """The kind of a file, for its `name` and `size`: ending and class of size."""
    _, dot, ending = str(record.get("name") or "").rpartition(".")
    size = int(record.get("size") or 0)
    size_class = next((name for most, name in SIZES if size <= most), "large")
    kind = ending.lower() if dot and ending.lower() in ENDINGS else "other"
    return f"{kind}, {size_class}"


def files_to_read(count: int, share: float) -> int:
    """Of so many files of one stratum, how many are read back; none at all where the share is 0."""
    return min(count, max(1, math.ceil(share * count - 1e-9))) if share > 0 and count else 0


def readback_tokens(counts: Mapping[str, int], share: float) -> int:
    """What reading the bytes back costs; counts: stratum → files."""
    return DOWNLOAD * sum(files_to_read(count, share) for count in counts.values())


def chosen(files: pd.DataFrame, share: float, proven: set[int]) -> pd.DataFrame:
    """The rows to read: of each stratum what its share lacks of proven files, the first by the hash of their keys.

    files: pipedrive_id, source_key, stratum.
    """
    table = files.assign(
        rank=pd.util.hash_pandas_object(files["source_key"], index=False),
        known=files["pipedrive_id"].isin(proven),
    ).sort_values(["stratum", "rank", "source_key"], ignore_index=True)
    strata = table.groupby("stratum", sort=False)["known"]
    counts = strata.agg(["size", "sum"])
    lacking = {
        name: files_to_read(int(row["size"]), share) - int(row["sum"]) for name, row in counts.iterrows()
    }
    unknown = table[~table["known"]]
    place = unknown.groupby("stratum", sort=False).cumcount()
    return unknown[place < unknown["stratum"].map(lacking)][list(_COLUMNS)]


async def read_bytes(session: Session, listing: Listing, share: float, *, fresh: bool = False) -> BytesRead:
    """Read the share back; `fresh` forgets what earlier readings found equal. A BudgetSpent ends it."""
    files = _linked_files(session, listing)
    if files.empty or not share:
        return BytesRead(files=len(files))
    ledger, scope = session.ledger, session.scope
    rows = chosen(files, share, set() if fresh else set(ledger.proven_files(scope.account)))
    log.info(
        "reading back the bytes of %d of %d files: %d tokens", len(rows), len(files), DOWNLOAD * len(rows)
    )
    past = ledger.past(scope, "files", rows["source_key"])
    places = asyncio.Semaphore(_AT_ONCE)

    async def found(number: int) -> str | None:
        async with places:
            try:
                return (await session.client.digest_of_file(number)).sha256
            except NotFound:
                there = await current_record(session, "files", number)
                # Deleted since it was listed, or a file without bytes.
                return None if there is None or there.get("is_deleted") else "no bytes"
            except Rejected as refusal:
                return refusal.words

    verdicts = Verdicts()
    for start in range(0, len(rows), _AT_A_TIME):
        some = rows.iloc[start : start + _AT_A_TIME]
        numbers = [int(number) for number in some["pipedrive_id"]]
        digests = await asyncio.gather(*map(found, numbers))
        equal: dict[int, str] = {}
        for number, key, digest in zip(numbers, some["source_key"], digests, strict=True):
            sent = str(past[key].told.get("sha256")) if key in past else ""
            if digest == sent:
                equal[number] = sent
            elif digest is not None:
                verdicts.records["wrong"] += 1
                verdicts.differences.append(
                    Difference("files", key, number, "sha-256", sent, digest, "wrong")
                )
        ledger.prove_files(scope.account, equal)
    return BytesRead(len(rows), len(files), verdicts)


def _linked_files(session: Session, listing: Listing) -> pd.DataFrame:
    rows: list[tuple[int, str, str]] = []
    for group in listing.each("files"):
        records = dict(group)
        for number, link in session.ledger.links_of_ids(session.scope, "files", records).items():
            if link.state in ALIVE and key_after(link.source_key) == link.source_key:
                rows.append((number, link.source_key, stratum_of(records[number])))
    return pd.DataFrame(rows, columns=list(_COLUMNS))
