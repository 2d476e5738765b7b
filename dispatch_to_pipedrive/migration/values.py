"""Which values pass between the ledger and the engine."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

ENTITIES = ("organizations", "persons", "deals", "activities", "files", "notes")
TENANT = ""
"""Stands for the batch where a report is on the tenant as a whole."""
ALIVE = ("live", "kept")
"""States of a link whose record stands in the account: as ours, or as its people have taken it over."""

Body = dict[str, Any]


_BEFORE = "-before-"


def key_before(source_key: str, pipedrive_id: int) -> str:
    """The source key under which a record stays known that another has replaced, until it is deleted."""
    return f"{source_key}{_BEFORE}{pipedrive_id}"


def key_after(source_key: str) -> str:
    """The source key itself, or for a replaced record that of the one which took its place."""
    return source_key.partition(_BEFORE)[0]


class Link(NamedTuple):
    """Which record of the account stands for which source key.

    `generation` is the one last compared at, `digest` that of the wire body last considered. What conflicts are
    judged by is folded from the record's operations: see `past`.
    """

    entity: str
    source_key: str
    pipedrive_id: int
    state: str
    root: int
    generation: int
    digest: str


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be sent; committed before the request goes out.

    `before` is what the record holds now; a create has it where it replaces a record (its id is in it). `undoes` is the
    number of the intent that a rollback takes back with this one, together with all that came after it on the record.
    """

    verb: str
    entity: str
    source_key: str
    pipedrive_id: int | None
    body: Body | None
    before: Body | None
    root: int
    generation: int
    batch: str
    run: str
    at: str
    server_date: str | None
    number: int = 0
    undoes: int | None = None

    @property
    def replaced(self) -> Link | None:
        """The link under which the record stays known that this create replaces."""
        if self.verb != "create" or not self.before:
            return None
        number = int(self.before["id"])
        key = key_before(self.source_key, number)
        return Link(self.entity, key, number, "live", self.root, self.generation, "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an intent: done, settled, absent, rejected, unsent or ambiguous."""

    intent: Intent
    status: str
    tokens: int
    pipedrive_id: int | None = None
    echo: Body | None = None
    words: str | None = None
    server_date: str | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """An operation as it is told: intent and outcome in one; `status` is "open" before there is an outcome."""

    number: int
    at: str
    verb: str
    entity: str
    source_key: str
    pipedrive_id: int | None
    status: str
    ended_at: str
    body: Body
    before: Body
    words: str
    tokens: int
    run: str
    batch: str
    generation: int


class Quarantined(NamedTuple):
    """A record set aside, with the vendor's words or the parent it waits for, and the root it belonged to then."""

    entity: str
    source_key: str
    reason: str
    words: str
    digest: str
    batch: str
    root: int | None = None


@dataclass(frozen=True, slots=True)
class Poll:
    """One reading of a feed: when it began by the source's clock and by ours, whether it came to the feed's end.

    `generation` is the newest one that was visible afterwards; `whole_since` when the reading of everything began that
    ended with it (the source's clock), else empty; `ended_at` when it ended by our clock. Times are UTC ISO-8601 with
    microseconds.
    """

    feed: str
    began_at: str
    at: str
    drained: bool
    generation: int
    whole_since: str = ""
    ended_at: str = ""


RELINK = "relink"
"""The verb of the operation by which people say which record has taken a gone one's place; nothing is sent."""

KEPT, OVERWRITTEN, GONE = "kept", "overwritten", "gone"
"""What came of what people did: their value stays, the source's was written over it, the record is not made again."""


class KeptEdit(NamedTuple):
    """What people did to a record of ours; `field` is the logical name, empty for the record as a whole.

    `ours` is what we had written there, `theirs` what stands there (of a record that is gone: what became of it), both
    as people read them. `edited_by` is None before the account was asked who it was, and empty where it does not say;
    `edited_at` is by the account's clock, empty where nobody knows. `batch` is the batch that met it, `seen_at` when.
    """

    entity: str
    source_key: str
    pipedrive_id: int
    field: str
    verdict: str
    ours: str
    theirs: str
    edited_by: str | None
    edited_at: str
    batch: str
    seen_at: str


@dataclass(frozen=True)
class Manifest:
    """A batch: a set of roots as of a generation."""

    key: str
    kind: str
    generation_from: int
    generation_to: int
    roots: tuple[int, ...]
    records: int
    tokens: int


@dataclass(frozen=True)
class OwnerRow:
    """A technician and the user that stands for him (id and e-mail), or why there is none."""

    technician_id: int
    name: str
    email: str
    user_id: int | None
    verdict: str
    owner_email: str = ""


@dataclass(frozen=True)
class Approval:
    """A person's word on one account: that the map is right, or that the sample is; it is never taken back.

    `digest` is that of what was looked at, `head` the chain's at that time, `document` all that was signed.
    """

    account: str
    subject: str
    digest: str
    name: str
    note: str
    at: str
    head: str
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Milestone:
    """Something that changed what may be done to an account; added and never taken back.

    `head` is that of the chain at that time, `by` who wanted it (a person's name, or the program's part).
    """

    number: int
    name: str
    by: str
    at: str
    head: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class SchemaObject:
    """A pipeline, stage, field or label option made (or adopted) for the migration on one account.

    source: of an option, the ids of what it was made for at the source, with blanks between (empty where people made
    it, or where it follows no rename); of a name, the ids of all that bore it.
    """

    kind: str
    entity: str
    name: str
    code: str
    field_type: str
    source: str = ""


OPTION, NAME = "option", "name"
"""The kinds under which the ledger records options, those of labels among them, and each name that one has stood for;
their field stands as the type."""


class AccountUser(NamedTuple):
    """A user of the account as last read; the e-mail is folded."""

    id: int
    email: str
    name: str
    active: bool


@dataclass(frozen=True)
class LeaseHolder:
    """Who holds an account's lease; `others_silent` are the seconds since the holder before was last heard."""

    owner: str
    purpose: str
    host: str
    pid: int
    process_started: float
    fence: int
    seconds_left: float
    others_silent: float = math.inf

    def __str__(self) -> str:
        return f"{self.purpose} ({self.owner}, process {self.pid} on {self.host})"


class SegmentRow(NamedTuple):
    """A committed segment of the raw store."""

    generation: int
    feed: str
    path: str


Tokens = Mapping[str, int]
