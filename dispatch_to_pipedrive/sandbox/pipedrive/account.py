"""What does a Pipedrive account hold? Its identity, users, schema and records, and the one way to change a record."""

from __future__ import annotations

import hashlib
import heapq
import random
import time
from collections.abc import Iterable
from typing import Any, Protocol

from . import changelog, fields, people, plans, switches, times
from .contents import Contents
from .store import DELETED, Record, Store, flags_of

ENTITIES = ("organizations", "persons", "deals", "activities")
_STAGES = ("Qualified", "Contact Made", "Demo Scheduled", "Proposal Made", "Negotiations Started")
_TYPES = ("call", "meeting", "task", "deadline", "email", "lunch")


class Clock(Protocol):
    """What the account needs of the sandbox's clock."""

    def timestamp(self) -> float:
        """The time shown, as seconds since 1970."""


class Account:
    """One company's account; everything that identifies it comes from `seed`."""

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int,
        people: Iterable[tuple[str, str, bool]] = (),
        plan: str = "lite",
        seats: int = 1,
    ) -> None:
        self.clock = clock
        self.seed = seed
        self.plan = plans.PLANS[plan]
        self.seats = seats
        self.caps: dict[str, int] = {}
        self.capabilities = dict(switches.CAPABILITIES)
        self.habits: dict[str, Any] = dict(switches.HABITS)
        self.list_lag = 0.0
        self._born(list(people))

    def _born(self, staff: list[tuple[str, str, bool]]) -> None:
        chance = random.Random(f"pipedrive account {self.seed}")  # noqa: S311 - reproducible on purpose
        self.api_token = self._digest("api_token")
        self.company_id = chance.randrange(1_000_000, 20_000_000)
        self.company_domain = f"sandbox-{self._digest('domain')[:6]}"
        self.next_option = chance.randrange(20, 900)
        self.next_field = chance.randrange(4_000, 12_000)
        now = self.now()
        self.users = people.users(self.seed, staff, times.v1_stamp(now))
        self.me = self.users[1]
        self.currencies = people.currencies()
        self.currency_codes = {one["code"] for one in self.currencies}
        self.currency = "USD"
        bases = (*ENTITIES, "notes", "files")
        self.stores = {entity: Store(chance.randrange(1, 5_000)) for entity in bases}
        self.fields = {entity: fields.builtin(self, entity) for entity in ENTITIES}
        self.contents = Contents()
        self.actor = changelog.Actor(1, "api")
        self.changelog: dict[str, list[list[Any]]] = {}
        self.open_deals = 0
        self.leads: list[Record] = []
        self.pipelines: dict[int, Record] = {}
        self.stages: dict[int, Record] = {}
        self.activity_types: dict[int, Record] = {}
        self.pending: list[tuple[int, int, str, str, int]] = []
        self.new_pipeline("Pipeline", default_stages=True)
        for name in _TYPES:
            self.new_activity_type(name.capitalize(), name, "FFFFFF", custom=False, key=name)
        self.schema_changed()

    def token_of(self, user: int) -> str:
        """The API token of a user; `api_token` is the first one's."""
        return self.api_token if user == 1 else self._digest(f"api_token of user {user}")

    def user_of(self, token: str) -> int | None:
        """Whose token this is; None for one that opens nothing, as those of deactivated users."""
        if token == self.api_token:
            return 1
        others = (id_ for id_, one in self.users.items() if id_ != 1 and one["active_flag"])
        return next((id_ for id_ in others if self.token_of(id_) == token), None)

    def _digest(self, what: str) -> str:
        return hashlib.sha1(f"{self.seed}:{what}".encode(), usedforsecurity=False).hexdigest()

    def now(self) -> int:
        """Epoch seconds on the sandbox's clock."""
        return int(self.clock.timestamp())

    def stamp(self) -> str:
        """Now, as v2 writes it."""
        return times.v2_stamp(self.now())

    def new_option_id(self) -> int:
        """Option ids count through the whole account."""
        self.next_option += 1
        return self.next_option

    def new_field_id(self) -> int:
        """v1's field ids count through the whole account."""
        self.next_field += 1
        return self.next_field

    # --- schema ---------------------------------------------------------------------------------------------

    def schema_changed(self) -> None:
        """Work out again what every read and write needs of the schema."""
        self.custom: dict[str, dict[str, fields.Field]] = {}
        self.no_values: dict[str, dict[str, None]] = {}
        self.address_codes: dict[str, frozenset[str]] = {}
        for entity, known in self.fields.items():
            live = {code: one for code, one in known.items() if one.custom and not one.deleted}
            self.custom[entity] = live
            self.no_values[entity] = dict.fromkeys(live)
            self.address_codes[entity] = frozenset(
                code for code, one in live.items() if one.type == "address"
            )
        self.type_keys = {one["key_string"] for one in self.activity_types.values() if one["active_flag"]}

    def new_pipeline(self, name: str, *, probability: bool = False, default_stages: bool = False) -> Record:
        """Add a pipeline behind the others."""
        id_ = max(self.pipelines, default=0) + 1
        made = {
            "id": id_,
            "name": name,
            "order_nr": len(self.pipelines) + 1,
            "is_deleted": False,
            "is_deal_probability_enabled": probability,
            "add_time": self.stamp(),
            "update_time": self.stamp(),
        }
        self.pipelines[id_] = made
        if default_stages:
            for stage in _STAGES:
                self.new_stage(stage, id_)
        return made

    def new_stage(self, name: str, pipeline: int, **settings: Any) -> Record:
        """Add a stage behind the others of its pipeline."""
        id_ = max(self.stages, default=0) + 1
        made = {
            "id": id_,
            "order_nr": 1 + sum(one["pipeline_id"] == pipeline for one in self.stages.values()),
            "name": name,
            "is_deleted": False,
            "deal_probability": settings.get("deal_probability", 100),
            "pipeline_id": pipeline,
            "is_deal_rot_enabled": settings.get("is_deal_rot_enabled", False),
            "days_to_rotten": settings.get("days_to_rotten"),
            "add_time": self.stamp(),
            "update_time": self.stamp(),
        }
        self.stages[id_] = made
        return made

    def new_activity_type(self, name: str, icon: str, color: str, *, custom: bool, key: str) -> Record:
        """Add an activity type."""
        id_ = max(self.activity_types, default=0) + 1
        made = {
            "id": id_,
            "order_nr": id_,
            "name": name,
            "key_string": key,
            "icon_key": icon,
            "active_flag": True,
            "color": color,
            "is_custom_flag": custom,
            "add_time": times.v1_stamp(self.now()),
            "update_time": times.v1_stamp(self.now()),
        }
        self.activity_types[id_] = made
        self.type_keys = {one["key_string"] for one in self.activity_types.values() if one["active_flag"]}
        return made

    def first_stage(self, pipeline: int) -> int | None:
        """The first stage of a pipeline that is not deleted."""
        found = [
            one for one in self.stages.values() if one["pipeline_id"] == pipeline and not one["is_deleted"]
        ]
        return min(found, key=lambda one: one["order_nr"])["id"] if found else None

    def default_pipeline(self) -> int | None:
        """The pipeline with the lowest order number."""
        found = [one for one in self.pipelines.values() if not one["is_deleted"]]
        return min(found, key=lambda one: one["order_nr"])["id"] if found else None

    def cap(self, what: str) -> int:
        """The cap on `custom_fields` or `open_deals`, an override of the control endpoint first."""
        if what in self.caps:
            return self.caps[what]
        if what == "custom_fields":
            return self.plan.custom_fields
        return min(self.plan.open_deals * self.seats, plans.OPEN_DEALS_CEILING)

    def custom_field_count(self) -> int:
        """Custom fields of all entities together, as the plan counts them."""
        return sum(len(live) for live in self.custom.values())

    # --- records --------------------------------------------------------------------------------------------

    def insert(self, entity: str, record: Record) -> Record:
        """Commit a new record; it gets its id here. Nulls are not stored."""
        store = self.stores[entity]
        record["id"] = store.next_id
        stored = {key: value for key, value in record.items() if value is not None}
        if self.list_lag:
            store.recent[record["id"]] = (time.monotonic(), None)
        store.add(stored, times.epoch(record["update_time"]), flags_of(stored))
        if entity == "deals":
            self.open_deals += _is_open(stored)
        return stored

    def replace(self, entity: str, record: Record, before: Record) -> Record:
        """Commit a changed record."""
        store = self.stores[entity]
        id_ = record["id"]
        stored = {key: value for key, value in record.items() if value is not None}
        if self.list_lag:
            store.recent[id_] = (time.monotonic(), store.row(id_))
        store.put(id_, stored, times.epoch(stored["update_time"]), flags_of(stored))
        changelog.note(self, entity, before, stored)
        if entity == "deals":
            self.open_deals += _is_open(stored) - _is_open(before)
        return stored

    def drop(self, entity: str, record: Record, **extra: Any) -> None:
        """Mark a record as deleted; nothing cascades."""
        self.replace(entity, {**record, "is_deleted": True, "update_time": self.stamp(), **extra}, record)

    def live(self, entity: str, id_: int) -> Record | None:
        """The record with this id that is not deleted."""
        store = self.stores[entity]
        return store.get(id_) if store.alive(id_) else None

    def name_of(self, entity: str, id_: int | None) -> str | None:
        """A record's name or title, whatever became of it."""
        record = self.stores[entity].get(id_) if id_ is not None else None
        return None if record is None else record.get("title" if entity == "deals" else "name")

    # --- what happens later ---------------------------------------------------------------------------------

    def later(self, seconds: float, what: str, entity: str, id_: int) -> None:
        """Let a habit act on a record after some seconds of the sandbox's clock."""
        due = self.now() + int(seconds)
        heapq.heappush(self.pending, (due, len(self.pending), what, entity, id_))

    def due(self, *, everything: bool = False) -> list[tuple[str, str, int]]:
        """Take what is due by now (or all there is) off the list."""
        taken = []
        now = self.now()
        while self.pending and (everything or self.pending[0][0] <= now):
            _, _, what, entity, id_ = heapq.heappop(self.pending)
            taken.append((what, entity, id_))
        return taken


def _is_open(record: Record) -> bool:
    return record.get("status") == "open" and not record.get("is_deleted", False)


__all__ = ["DELETED", "ENTITIES", "Account", "Clock"]
