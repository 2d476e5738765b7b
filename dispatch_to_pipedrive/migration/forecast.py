"""What will moving this take? Tokens, requests, seconds and days, line by line, and the smallest plan that fits.

Pure arithmetic over counts: the assessment, `estimate`, the pages and the documents all show these very values. Prices
are the vendor's (`pipedrive/prices`), limits are the plan's (`pipedrive/plans`); what a plan costs in money is in no
document of the vendor's interface, so plans are compared by what they allow.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from dispatch_to_pipedrive.migration.file_bytes import readback_tokens
from dispatch_to_pipedrive.migration.volume import SchemaSize, Volume
from dispatch_to_pipedrive.migration.wave_size import wave_size
from dispatch_to_pipedrive.pipedrive.plans import PLANS, Plan, plan_named, reserved
from dispatch_to_pipedrive.pipedrive.prices import CREATE, DOWNLOAD, LIST_ARCHIVED, PRICES, UPDATE, price

PAGE, PAGE_OF_FILES = 500, 100
DAY_SECONDS = 86_400
SOLD = ("lite", "growth", "premium", "ultimate")
"""The plans that the vendor sells, the smallest first."""

_ME = PRICES["GET", "/api/v1/users/me"]
_USERS = PRICES["GET", "/api/v1/users"]
_STRUCTURE = 3 * PRICES["GET", "/api/v2/dealFields"] + 2 * PRICES["GET", "/api/v2/stages"]
_LABELS = PRICES["GET", "/api/v1/dealFields"] + PRICES["PUT", "/api/v1/dealFields/{id}"]
# Counted on whole migrations; a test compares what is foreseen with what one took.
_SESSIONS_A_BATCH, _LOOKS_AT_SCHEMA_A_BATCH = 8, 2
_SESSIONS_ELSE, _LOOKS_AT_SCHEMA_ELSE, _LOOKS_AT_USERS = 14, 3, 3
_SAMPLE_RECORDS = 200
_TRIALS = 2
_KINDS_OF_FILES, _KINDS_OF_PICTURES = 10, 1
"""So many kinds (ending, class of size) files have whose names are not known yet: all, or pictures in texts."""
_LISTED = {
    (PAGE, price("list", "deals")): "read records back",
    (PAGE_OF_FILES, price("list", "files")): "read the list of files back",
    (PAGE, price("list", "notes")): "read notes back",
}
SOURCE_CALLS_A_SECOND = 60
"""What Dispatch Pro grants an app for each tenant; a run may be told to make fewer."""
ASSUMED_BYTES_A_SECOND = 5_000_000
"""What the line is taken to carry, down and up again; nobody has measured it before the first file."""


@dataclass(frozen=True)
class Account:
    """What is known of the destination; without having asked it, only the plan, the seats and the reserve.

    `records` are those it holds already (by entity), `custom_fields` and `open_deals` likewise.
    """

    plan: str
    seats: int
    reserve: float = 0.0
    records: Mapping[str, int] = field(default_factory=dict)
    custom_fields: int | None = None
    open_deals: int | None = None
    file_readback: float = 0.01
    """Share of the files whose bytes are read back and hashed."""
    closing_follows: bool = True
    """Whether a closed deal needs a second request; not known before the first one was made, so it is assumed."""


@dataclass(frozen=True)
class Line:
    """One line of the arithmetic: so many times a price."""

    what: str
    count: int
    price: int
    kind: str
    requests_each: int = 1

    @property
    def tokens(self) -> int:
        """Count times price."""
        return self.count * self.price

    @property
    def requests(self) -> int:
        """HTTP requests that the line stands for."""
        return self.count * self.requests_each


@dataclass(frozen=True)
class Cap:
    """A limit of the plan and what is needed of it; `allowed` None means without limit."""

    name: str
    needed: int
    allowed: int | None
    words: str

    @property
    def fits(self) -> bool:
        """Whether the limit allows it."""
        return self.allowed is None or self.needed <= self.allowed


@dataclass(frozen=True)
class Offer:
    """A plan with the fewest seats that fit; `seats` None where no number of seats does, `words` say why."""

    plan: str
    seats: int | None
    tokens_per_day: int | None
    days: float | None
    words: str


@dataclass(frozen=True)
class Forecast:
    """All that is foreseen, and the arithmetic behind it."""

    volume: Volume
    account: Account
    batches: int
    lines: tuple[Line, ...]
    tokens_per_day: int | None
    requests_per_second: float | None
    caps: tuple[Cap, ...]
    deadline_days: int | None
    offers: tuple[Offer, ...]
    source_calls_a_second: int = SOURCE_CALLS_A_SECOND

    @property
    def tokens(self) -> int:
        """Tokens of the whole migration, reading back included."""
        return sum(line.tokens for line in self.lines)

    @property
    def requests(self) -> int:
        """Its HTTP requests."""
        return sum(line.requests for line in self.lines)

    @property
    def seconds(self) -> float:
        """What the plan's burst makes of the requests, were they sent without a pause."""
        return self.requests / self.requests_per_second if self.requests_per_second else 0.0

    @property
    def sweep_seconds(self) -> float:
        """Asking every job, customer and site once for its files or notes, as fast as the source is asked."""
        return self.volume.parents / self.source_calls_a_second

    @property
    def download_seconds(self) -> float:
        """The known bytes down from the source and up to the account, at an assumed speed."""
        return 2 * self.volume.file_bytes / ASSUMED_BYTES_A_SECOND

    @property
    def days(self) -> float:
        """Days' budgets that the tokens fill, or days that the requests last, whichever is more."""
        return _days(self.tokens, self.seconds, self.tokens_per_day)

    @property
    def by_kind(self) -> dict[str, int]:
        """Tokens by kind, as the ledger counts them: write, schema, read."""
        found: dict[str, int] = {}
        for line in self.lines:
            found[line.kind] = found.get(line.kind, 0) + line.tokens
        return found

    @property
    def obstacles(self) -> tuple[str, ...]:
        """Why it does not fit; empty where it does."""
        found = [cap.words for cap in self.caps if not cap.fits]
        if self.deadline_days is not None and self.days > self.deadline_days:
            found.append(
                f"{self.tokens:,} tokens take {self.days:.1f} days of {self.tokens_per_day:,} tokens, "
                f"and there are {self.deadline_days}"
                if self.tokens_per_day
                else f"{self.requests:,} requests take {self.days:.1f} days, and there are {self.deadline_days}"
            )
        return tuple(found)

    @property
    def short_a_day(self) -> int:
        """Tokens a day that are missing for the deadline: as many would have to be bought as a top-up."""
        if self.deadline_days is None or self.tokens_per_day is None:
            return 0
        return max(0, math.ceil(self.tokens / self.deadline_days) - self.tokens_per_day)

    @property
    def feasible(self) -> bool:
        """Whether every cap and the deadline are kept."""
        return not self.obstacles

    @property
    def best_offer(self) -> Offer | None:
        """The smallest plan that fits with the company's seats; else the fewest seats, then the smallest plan."""
        fitting = [offer for offer in self.offers if offer.seats is not None]
        here = [offer for offer in fitting if (offer.seats or 0) <= self.account.seats]
        return here[0] if here else min(fitting, key=lambda offer: offer.seats or 0, default=None)

    def as_json(self) -> dict[str, Any]:
        """Plain values, with the sums."""
        best = self.best_offer
        return {
            "volume": {**asdict(self.volume), "records": self.volume.records},
            "account": {**asdict(self.account), "records": dict(self.account.records)},
            "batches": self.batches,
            "lines": [
                {**asdict(line), "tokens": line.tokens, "requests": line.requests} for line in self.lines
            ],
            "tokens": self.tokens,
            "by_kind": self.by_kind,
            "requests": self.requests,
            "seconds": round(self.seconds, 1),
            "sweep": {
                "calls_a_second": self.source_calls_a_second,
                "seconds": round(self.sweep_seconds, 1),
            },
            "download": {
                "bytes_a_second": ASSUMED_BYTES_A_SECOND,
                "seconds": round(self.download_seconds, 1),
            },
            "tokens_per_day": self.tokens_per_day,
            "requests_per_second": self.requests_per_second,
            "days": round(self.days, 3),
            "caps": [{**asdict(cap), "fits": cap.fits} for cap in self.caps],
            "deadline_days": self.deadline_days,
            "short_a_day": self.short_a_day,
            "feasible": self.feasible,
            "obstacles": list(self.obstacles),
            "offers": [asdict(offer) for offer in self.offers],
            "smallest": None if best is None else asdict(best),
        }


def forecast(
    volume: Volume,
    schema: SchemaSize,
    account: Account,
    *,
    deadline_days: int | None = None,
    wave_records: int | None = None,
    before: Sequence[Line] = (),
    source_calls_a_second: int = SOURCE_CALLS_A_SECOND,
) -> Forecast:
    """Everything that moving `volume` takes on this plan; `before` are lines for what is asked ahead of it.

    deadline_days: days that are left; the offers are plans and seats that keep them. ValueError for an unknown plan,
    for seats below 1 and for a reserve that leaves nothing.
    """
    plan = plan_named(account.plan)
    day = tokens_per_day(plan, account.seats, account.reserve)
    writing = _writing(volume, account)
    batches = _batches(volume, sum(line.tokens for line in writing), day, wave_records)
    lines = (*before, *_schema(schema), *writing, *_around(batches), *_reading_back(volume, account))
    caps = _caps(plan, account.seats, volume, schema, account)
    offers = tuple(_offer(PLANS[name], lines, volume, schema, account, deadline_days) for name in SOLD)
    return Forecast(
        volume,
        account,
        batches,
        lines,
        day,
        plan.requests_per_second,
        caps,
        deadline_days,
        offers,
        source_calls_a_second,
    )


def tokens_per_day(plan: Plan, seats: int, reserve: float) -> int | None:
    """Tokens that the migration may spend a day; None without limit."""
    if seats < 1:
        raise ValueError(f"{seats} seats: a company has at least one")
    daily = plan.daily_tokens(seats)
    if daily is None:
        return None
    left = daily - reserved(daily, reserve)
    if left < 1 or reserve < 0:
        raise ValueError(f"a reserve of {reserve:g} leaves nothing of {daily:,} tokens a day")
    return left


def _writing(volume: Volume, account: Account) -> list[Line]:
    lines = [
        Line(f"create {entity}", n, price("create", entity), "write")
        for entity, n in volume.by_entity().items()
    ]
    if account.closing_follows:
        tried = _TRIALS if volume.deals else 0
        lines += [
            Line("close won and lost deals in a second request", volume.closed_deals, UPDATE, "write"),
            Line("try with the first deals what the account takes", tried, CREATE, "write"),
        ]
    return lines


def _schema(schema: SchemaSize) -> list[Line]:
    things = schema.custom_fields + schema.stages + (1 if schema.stages else 0)
    return [
        Line("make pipeline, stages and custom fields", things, CREATE, "schema"),
        Line("add labels (read the list, write it whole)", schema.label_lists, _LABELS, "schema", 2),
        Line("read the users", _LOOKS_AT_USERS, _USERS, "schema"),
    ]


def _around(batches: int) -> list[Line]:
    sessions = batches * _SESSIONS_A_BATCH + _SESSIONS_ELSE
    looks = batches * _LOOKS_AT_SCHEMA_A_BATCH + _LOOKS_AT_SCHEMA_ELSE
    return [
        Line("ask who the token is, once a step", sessions, _ME, "read"),
        Line("read fields, pipelines and stages, twice a batch and before", looks, _STRUCTURE, "schema", 5),
    ]


def _reading_back(volume: Volume, account: Account) -> list[Line]:
    """One listing after the sample, and one at the end where there is more than the sample."""
    listings = 1 if volume.records <= _SAMPLE_RECORDS else 2
    pages: dict[tuple[int, int], int] = {}
    for entity, count in volume.by_entity().items():
        kind = (PAGE_OF_FILES if entity == "files" else PAGE, price("list", entity))
        there = account.records.get(entity, 0)
        for records in (min(count, _SAMPLE_RECORDS), count)[:listings]:
            pages[kind] = pages.get(kind, 0) + max(1, math.ceil((records + there) / kind[0]))
    return [
        *(
            Line(f"{_LISTED[kind]}, {kind[0]} a page, after the sample and at the end", many, kind[1], "read")
            for kind, many in pages.items()
        ),
        Line("look through the archived deals", listings, LIST_ARCHIVED, "read"),
        Line(
            f"read back the bytes of {account.file_readback:.2%} of the files",
            files_read_back(volume, account.file_readback),
            DOWNLOAD,
            "read",
        ),
    ]


def files_read_back(volume: Volume, share: float) -> int:
    """Files whose bytes are read back: their share, and at least one of each kind."""
    unknown = max(0, volume.files - sum(volume.file_kinds.values()))
    kinds = min(unknown, _KINDS_OF_PICTURES if volume.file_kinds else _KINDS_OF_FILES)
    evenly = {f"not known {n}": len(range(n, unknown, kinds)) for n in range(kinds)}
    return readback_tokens({**volume.file_kinds, **evenly}, share) // DOWNLOAD


def _batches(volume: Volume, tokens: int, day: int | None, wave_records: int | None) -> int:
    """The sample and the waves: cut where one has its records, or a quarter of a day's tokens."""
    most = wave_size(day, wave_records)
    by_tokens = math.ceil(tokens / most.tokens) if most.tokens else 0
    return 1 + max(1, math.ceil(volume.records / most.records), by_tokens)


def _caps(plan: Plan, seats: int, volume: Volume, schema: SchemaSize, account: Account) -> tuple[Cap, ...]:
    fields = schema.custom_fields + (account.custom_fields or 0)
    deals = volume.open_deals + (account.open_deals or 0)
    most_deals = plan.open_deals(seats)
    return (
        Cap(
            "custom fields",
            fields,
            plan.custom_fields,
            _words("custom fields", fields, plan.custom_fields, plan),
        ),
        Cap("open deals", deals, most_deals, _words("open deals", deals, most_deals, plan)),
    )


def _words(what: str, needed: int, allowed: int | None, plan: Plan) -> str:
    limit = "any number of" if allowed is None else f"{allowed:,}"
    return f"{needed:,} {what} are needed, {plan.name} allows {limit}"


def _offer(
    plan: Plan,
    lines: Sequence[Line],
    volume: Volume,
    schema: SchemaSize,
    account: Account,
    deadline_days: int | None,
) -> Offer:
    """The fewest seats with which this plan fits."""
    fields = schema.custom_fields + (account.custom_fields or 0)
    if plan.custom_fields is not None and fields > plan.custom_fields:
        words = _words("custom fields", fields, plan.custom_fields, plan)
        return Offer(plan.name, None, None, None, words)
    deals = volume.open_deals + (account.open_deals or 0)
    if plan.open_deals(10**6) is not None and deals > (plan.open_deals(10**6) or 0):
        words = f"{deals:,} open deals are more than Pipedrive allows any company"
        return Offer(plan.name, None, None, None, words)
    tokens, requests = sum(line.tokens for line in lines), sum(line.requests for line in lines)
    seconds = requests / (plan.requests_per_second or 1)
    if deadline_days is not None and seconds > deadline_days * DAY_SECONDS:
        return Offer(plan.name, None, None, None, f"its burst alone takes {seconds / DAY_SECONDS:.1f} days")
    seats = max(
        math.ceil(deals / (plan.open_deals_per_seat or 1)),
        _seats_for(plan, tokens, deadline_days, account.reserve),
    )
    day = tokens_per_day(plan, seats, account.reserve)
    days = _days(tokens, seconds, day)
    return Offer(plan.name, seats, day, round(days, 3), f"{tokens:,} tokens at {day:,} a day")


def _seats_for(plan: Plan, tokens: int, days: int | None, reserve: float) -> int:
    """Seats whose days' budgets, less the reserve, hold the tokens; any number of days where none is wished."""
    wanted = math.ceil(tokens / days) if days else 1
    needed = wanted / (1 - reserve) if reserve < 1 else wanted + reserve
    return max(1, math.ceil(needed / (plan.daily_tokens(1) or 1)))


def _days(tokens: int, seconds: float, day: int | None) -> float:
    by_tokens = tokens / day if day else 0.0
    return max(by_tokens, seconds / DAY_SECONDS)
