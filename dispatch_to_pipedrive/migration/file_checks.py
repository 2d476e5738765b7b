"""What of the tenant's files stands in the way, and what do they take? Named checks, told beside those of `preflight`.

A file above the limit is no reason to stop: it is listed here by name and size before anything is moved, and a note
with its name, size and hash stands where it would hang.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dispatch_to_pipedrive.migration.forecast import Forecast, files_read_back
from dispatch_to_pipedrive.migration.preflight import PASS, WARN, Check
from dispatch_to_pipedrive.pipedrive.prices import DOWNLOAD, price

SIZES = "file sizes"
FETCHED = "files can be fetched"
TOKENS = "tokens for files and notes"
STORAGE = "file storage"
NAMES = (SIZES, FETCHED, TOKENS, STORAGE)
_NAMED = 5
"""Files and reasons that words name; the rest is counted."""
_MB = 1_000_000


class Oversized(NamedTuple):
    """An attachment that is larger than the limit, in bytes."""

    attachment_id: int
    job_id: int
    file_name: str
    size: int


@dataclass(frozen=True)
class FileFacts:
    """What is known of the attachments before they are moved.

    limit: bytes that a file may have. kept: whether larger ones are kept on this machine. unsized: files whose size is
    not known. problems: why bytes cannot be had → files. unknown_hosts: listed hosts that no name server knows.
    """

    limit: int
    kept: bool = False
    oversized: Sequence[Oversized] = ()
    unsized: int = 0
    problems: Mapping[str, int] = field(default_factory=dict)
    unknown_hosts: Sequence[str] = ()


def file_checks(files: FileFacts, foreseen: Forecast) -> list[Check]:
    """Every check of `NAMES`, in that order."""
    return [_sizes(files, foreseen), _fetched(files, foreseen), _tokens(foreseen), _storage(foreseen)]


def megabytes(size: int) -> str:
    """A size as people read it."""
    return f"{size / _MB:,.1f} MB"


def _sizes(files: FileFacts, foreseen: Forecast) -> Check:
    limit = f"{files.limit / _MB:g} MB"
    unsized = f"; of {files.unsized:,} the size is not known yet" if files.unsized else ""
    if not files.oversized:
        return Check(SIZES, PASS, f"none of {foreseen.volume.files:,} files is larger than {limit}{unsized}")
    largest = sorted(files.oversized, key=lambda one: -one.size)
    listed = _listed([f"{one.file_name} ({megabytes(one.size)}, job {one.job_id})" for one in largest])
    kept = "their bytes are kept on this machine" if files.kept else "their bytes stay in Dispatch Pro"
    return Check(
        SIZES,
        WARN,
        f"{len(largest):,} larger than {limit} beside {foreseen.volume.files:,} files that are moved: {listed}; each "
        f"becomes a note with its name, size and hash, and {kept}{unsized}",
        "see reports/oversized_files.csv for all of them; raise FILE_LIMIT_MB if the account takes larger files"
        + ("" if files.kept else ", or set KEEP_OVERSIZED to keep them"),
    )


def _fetched(files: FileFacts, foreseen: Forecast) -> Check:
    found = [f"{words} ({count:,} files)" for words, count in files.problems.items()]
    found += [f"no name server knows {host} (DOWNLOAD_HOSTS)" for host in files.unknown_hosts]
    if not found:
        return Check(
            FETCHED, PASS, f"nothing is known to keep any of {foreseen.volume.files:,} from being fetched"
        )
    return Check(
        FETCHED,
        WARN,
        f"some files cannot be fetched: {_listed(found)}; they are set aside and listed, the rest goes on",
        "name the storage's hosts in DOWNLOAD_HOSTS, or look at these attachments in Dispatch Pro",
    )


def _tokens(foreseen: Forecast) -> Check:
    volume, share = foreseen.volume, foreseen.account.file_readback
    writing = volume.files * price("create", "files") + volume.notes * price("create", "notes")
    reading = files_read_back(volume, share) * DOWNLOAD
    return Check(
        TOKENS,
        PASS,
        f"{volume.files:,} files and {volume.notes:,} notes take {writing:,} tokens of {foreseen.tokens:,} in all; "
        f"reading back the bytes of {share:.2%} of the files, at least one of each kind, takes {reading:,}, of all of "
        f"them {volume.files * DOWNLOAD:,} (FILE_READBACK)",
    )


def _storage(foreseen: Forecast) -> Check:
    size = foreseen.volume.file_bytes
    if not size:
        return Check(STORAGE, PASS, "no bytes of files are known that would need room")
    return Check(
        STORAGE,
        WARN,
        f"{megabytes(size)} of files will be stored in Pipedrive, whose interface tells neither what the plan allows "
        "nor what is used",
        "compare with Pipedrive's usage limits (Company settings)",
    )


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - _NAMED:,} more" if len(words) > _NAMED else ""
    return ", ".join(words[:_NAMED]) + more
