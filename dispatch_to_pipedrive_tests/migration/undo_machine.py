"""Migrations that go forth and back while people work in the account, as a state machine; and what must always hold."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dispatch_to_pipedrive.migration.ledger import Scope
from dispatch_to_pipedrive.migration.undo.history import Place, references
from dispatch_to_pipedrive.migration.undo.plan import UndoPlan
from dispatch_to_pipedrive.migration.values import ALIVE, ENTITIES
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.world import Crash, World, dies_at

Snapshot = dict[Place, dict[str, Any]]
"""Every record that is not deleted, as the account stores it."""
_MOVING = ("update_time", "stage_change_time", "marked_as_done_time", "close_time", "last_update_user_id")
"""What a record shows of being written to, whatever was written."""
_NAMES = {
    "organizations": "name",
    "persons": "name",
    "deals": "title",
    "activities": "subject",
    "notes": "content",
    "files": "name",
}
_REFERENCE = {"organizations": "org_id", "persons": "person_id", "deals": "deal_id"}
_HUNG = ("notes", "files", "activities", "deals", "persons")

versions = st.builds(
    RootVersion,
    commercial=st.booleans(),
    contacts=st.integers(0, 2),
    jobs=st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 1)), max_size=2).map(tuple),
    flavour=st.integers(0, 3),
    photos=st.sampled_from([0] * 3 + [1, 3]),
    remarks=st.sampled_from([0] * 3 + [1]),
)
histories = st.sampled_from([2, 2, 2, 3, 4]).flatmap(
    lambda roots: st.lists(st.lists(versions, min_size=2, max_size=3), min_size=roots, max_size=roots)
)
EVERYTHING = 9
"""Of the numbers that choose what to undo, the one that chooses all."""
crashes = st.none() | st.integers(0, 60)


@dataclass
class Theirs:
    """What people did: record → its fields that they edited; records that they made; records that they deleted."""

    edits: dict[Place, dict[str, Any]] = field(default_factory=dict)
    made: set[Place] = field(default_factory=set)
    deleted: set[Place] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.edits or self.made or self.deleted)


class UndoMachine(RuleBasedStateMachine):
    """Loads and undoes batches of a small tenant; subclasses say in which world."""

    world: World

    @initialize(
        rooms=histories,
        lost=st.sampled_from([0.0, 0.0, 0.1, 0.3]),
        seed=st.integers(0, 99),
        loaded=st.sampled_from([1, 2, 2]),
    )
    def begin(self, rooms: list[list[RootVersion]], lost: float, seed: int, loaded: int) -> None:
        """A tenant, of which the first generation or two may stand in the account already."""
        self.world.reset()
        self.tenant = Tenant(dict(enumerate(rooms, start=1)), self.world.maps)
        self.theirs = Theirs()
        self.loaded: dict[str, tuple[list[int], int]] = {}
        self.undone: set[str] = set()
        self.last: tuple[str, Snapshot] | None = None
        self.count = 0
        self.lost = lost
        if lost:
            fault = {"kind": "lost_after_commit", "rate": lost, "seed": seed}
            self.world.control("faults", {"rules": [{**fault, "method": "POST|PATCH|PUT|DELETE"}]})
        for generation in range(1, loaded + 1):
            self.load(half=0, generation=generation, crash=None)

    @rule(half=st.integers(0, 2), generation=st.integers(1, 3), crash=crashes)
    def load(self, half: int, generation: int, crash: int | None) -> None:
        """Any batch at any generation, in any order."""
        everyone, generation = list(self.tenant.roots), min(generation, self.tenant.generations)
        middle = len(everyone) // 2
        roots = (everyone, everyone[:middle], everyone[middle:])[half]
        key = f"batch-{half}-{generation}"
        fresh = key not in self.loaded
        self.loaded[key] = (roots, generation)
        self._taken_up(key)
        before = self.snapshot()
        self.last = None
        with suppress(Crash):
            self.world.load(self.tenant, roots, generation, batch=key, crash=dies_at(crash))
            self.last = (key, before) if fresh else None

    def _taken_up(self, key: str) -> None:
        self.undone.discard(key)
        with self.world.ledger() as ledger:
            ledger.take_up_again(self.account, [key])

    @precondition(lambda self: bool(self.loaded))
    @rule(
        which=st.integers(0, 99),
        what=st.sampled_from(["field", "hang", "unmapped", "delete", "hang", "duplicate"]),
    )
    def edit(self, which: int, what: str) -> None:
        """Somebody else does something to a record of ours."""
        ours = sorted(self.ours())
        if not ours:
            return
        entity, number = ours[which % len(ours)]
        self.last = None
        self.count += 1
        self.world.control("clock", {"advance": 2})  # the vendor's times have whole seconds
        if what == "delete":
            self.theirs.deleted.add((entity, number))
            self.world.control("edit", {"entity": entity, "id": number, "action": "delete"})
        elif what == "duplicate" and entity == "deals":
            body = {"entity": entity, "id": number, "action": "duplicate"}
            self.theirs.made.add((entity, self.world.control("edit", body)["id"]))
        elif what == "hang" and entity in _REFERENCE:
            self._hang(entity, number, _HUNG[which % len(_HUNG)])
        else:
            record = self.snapshot()[entity, number]
            name: str = _NAMES[entity]
            value: object = f"Theirs {self.count} {record.get(name, '')}"
            if what == "unmapped" and entity == "deals":
                name, value = "probability", 10 + self.count
            self.theirs.edits.setdefault((entity, number), {})[name] = value
            self.world.control("edit", {"entity": entity, "id": number, "changes": {name: value}})

    def _hang(self, entity: str, number: int, kind: str) -> None:
        if kind in ("deals", "persons") and (kind == "persons" or entity == "deals"):
            kind = "persons" if entity == "organizations" else "notes"
        changes = {_NAMES[kind]: f"Theirs {self.count}", _REFERENCE[entity]: number}
        if kind == "activities" and entity == "persons":
            changes = {"subject": "Theirs", "participants": [{"person_id": number, "primary": True}]}
        body = {"entity": kind, "action": "create", "changes": changes, "content": "aGVsbG8="}
        self.theirs.made.add((kind, self.world.control("edit", body)["id"]))

    @precondition(lambda self: self.loaded.keys() > self.undone)
    @rule(which=st.integers(0, 9), force=st.sampled_from([False] * 4 + [True]), crash=crashes)
    def roll_back(self, which: int, force: bool, crash: int | None) -> None:
        """Undo one batch, two, or all; where the process dies, another one goes on."""
        batches = sorted(self.loaded.keys() - self.undone)
        one = which % len(batches)
        chosen = None if which == EVERYTHING else sorted({batches[one], batches[0 if which == 8 else one]})
        before, last = self.snapshot(), self.last
        self.last = None
        undone_last = last is not None and chosen == [last[0]] and not self.theirs and not self.lost
        plan = self.world.undo_plan(chosen, force=force) if undone_last else None
        if crash is not None:
            with suppress(Crash):
                self.world.undo(chosen, force=force, crash=dies_at(crash))
        assert self.world.undo(chosen, force=force).refused == []
        after = self.snapshot()
        self.check_nothing_of_theirs_went(before, after, force=force)
        check_no_new_orphan(before, after)
        if chosen is None and not force and not self.theirs.deleted:
            self.check_all_is_gone(after)
        if last is not None and plan is not None:
            self.check_as_before(last[1], after, plan)
        with self.world.ledger() as ledger:
            self.undone = ledger.rolled_back(self.account) & self.loaded.keys()
            written = set(ledger.written_batches(self.account))
        assert self.undone >= (set(chosen) if chosen else written & self.loaded.keys())

    @precondition(lambda self: bool(self.undone))
    @rule()
    def reapply(self) -> None:
        """Load again all that was rolled back, in order."""
        self.last = None
        for key in sorted(self.undone, key=lambda key: (self.loaded[key][1], key)):
            roots, generation = self.loaded[key]
            self.world.load(self.tenant, roots, generation, batch=key)
        self.undone = set()
        with self.world.ledger() as ledger:
            ledger.take_up_again(self.account, self.loaded)

    def teardown(self) -> None:
        """Reapply, bring all to the newest generation, and compare with what is wanted."""
        if not hasattr(self, "tenant"):
            return
        self.world.control("faults", {"clear": True})
        self.reapply()
        everyone, newest = list(self.tenant.roots), self.tenant.generations
        self.world.load(self.tenant, everyone, newest, batch="last")
        verdicts = self.world.verify(self.tenant, everyone, newest)
        allowed = {"kept", "gone", *(["quarantined"] if self.theirs.deleted else [])}
        copies = {number for entity, number in self.theirs.made if entity == "deals"}
        wrong = [
            d
            for d in verdicts.differences
            if d.verdict not in allowed and not (d.verdict == "extra" and d.pipedrive_id in copies)
        ]
        assert wrong == [], wrong
        snapshot = self.snapshot()
        assert self.theirs.made - self.theirs.deleted <= snapshot.keys()
        if not self.theirs:
            assert verdicts.differences == []
            frames = self.tenant.frames(everyone, newest)
            assert self.world.alive() == {entity: len(frame) for entity, frame in frames.items()}
        if not self.theirs.deleted:
            for place in snapshot.keys() - self.theirs.made:
                record = snapshot[place]
                # Pipedrive takes no empty organization for a person, and fills it into the person's deals: one that
                # was retired stays named.
                lost = {one for one in references(record) - snapshot.keys() if one[0] != "organizations"}
                assert not lost, f"orphan {place}"
        with self.world.ledger() as ledger:
            assert ledger.broken_chain_at() is None
            assert ledger.open_intents(self.account) == []

    # What is looked at

    @property
    def account(self) -> str:
        """The company's id."""
        return str(self.world.base["company_id"])

    def snapshot(self) -> Snapshot:
        """All that stands in the account."""
        entities = self.world.control("dump")["entities"]
        return {
            (entity, int(record["id"])): record
            for entity in ENTITIES
            for record in _rows(entities[entity])
            if not record.get("is_deleted")
        }

    def ours(self) -> set[Place]:
        """Records that a live link names and that are there."""
        snapshot = self.snapshot()
        with self.world.ledger() as ledger:
            return {
                (entity, link.pipedrive_id)
                for entity in ENTITIES
                for link in ledger.links_of_roots(_scope(self.account), entity, self.tenant.roots).values()
                if link.state in ALIVE and (entity, link.pipedrive_id) in snapshot
            }

    # What must hold

    def check_nothing_of_theirs_went(self, before: Snapshot, after: Snapshot, *, force: bool) -> None:
        """What people made stands, with all that it hangs on; what they edited, too, as they left it, but for force."""
        for place in self.theirs.made & before.keys():
            assert place in after, f"{place} was theirs"
            for host in references(before[place]) & before.keys():
                assert host in after, f"{host} bore {place} of theirs"
        for place, edits in self.theirs.edits.items():
            if force or any(before.get(place, {}).get(name) != value for name, value in edits.items()):
                continue
            assert place in after, f"{place} was edited"
            for name, value in edits.items():
                assert after[place].get(name) == value, f"{place} lost {name}"

    def check_all_is_gone(self, after: Snapshot) -> None:
        """Of ours only that stands which people touched, and what it hangs on."""
        standing = (self.theirs.made | self.theirs.edits.keys()) & after.keys()
        while (
            more := {host for place in standing for host in references(after[place]) & after.keys()}
            - standing
        ):
            standing |= more
        assert self.ours() <= standing, "it was ours alone"

    def check_as_before(self, before: Snapshot, after: Snapshot, plan: UndoPlan) -> None:
        """The last batch undone: all is as it was before, but for what is said to be irreversible."""
        with self.world.ledger() as ledger:
            links = {
                (entity, link.pipedrive_id): link.source_key.partition("-before-")[0]
                for entity in ENTITIES
                for link in ledger.links_of_roots(_scope(self.account), entity, self.tenant.roots).values()
            }
        lost = {line.split(": ")[0] for line in plan.irreversible} | {step.source_key for step in plan.keeps}
        for place, record in after.items():
            if links.get(place) not in lost and links.get(place) is not None:
                assert place in before, f"{place} is new"
                assert _lasting(record) == _lasting(before[place]), place
        for place in before.keys() - after.keys():
            assert links[place] in lost, f"{place} is missing"


def check_no_new_orphan(before: Snapshot, after: Snapshot) -> None:
    """Undoing leaves nothing that hangs on a record which was there."""
    for place, record in after.items():
        for parent in references(record) & before.keys():
            assert parent in after, f"{place} hangs on {parent}, which undoing deleted"


def _lasting(record: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in record.items()
        if name not in _MOVING and value not in (None, [], False, {})
    }


def _scope(account: str) -> Scope:
    return Scope(account, "1")


def _rows(entity: Any) -> Iterator[dict[str, Any]]:
    rows: Iterable[dict[str, Any]] = entity.values() if isinstance(entity, dict) else entity
    yield from rows


def run_machine(prepare: Callable[[], World], examples: int) -> None:
    """So many runs, each in a world that `prepare` gives."""

    class Machine(UndoMachine):
        def __init__(self) -> None:
            self.world = prepare()
            super().__init__()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=5,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
