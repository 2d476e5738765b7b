"""What becomes of each record that an undo reaches? Looked at in the ledger and in the account; nothing is written.

A record that an undone operation made is deleted, unless people edited it, or something hangs on it that stays: theirs,
or ours that they touched. So what they did keeps the record and all that it hangs on. With `force` their edits of
fields do not count; what they hung on a record still keeps it. A record that an undone operation changed gets back what
it held before, field by field, where it still holds what we wrote. A record that we deleted stays deleted: Pipedrive
restores nothing, and a copy made here would be one more record without what hung on the old one; the next load of the
batch that wants it makes it anew. What people deleted or merged stays as they left it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from dispatch_to_pipedrive.migration.lifecycle import LOADED
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.undo.gather import histories_of
from dispatch_to_pipedrive.migration.undo.history import History, Place, references
from dispatch_to_pipedrive.migration.undo.reach import Key, reach
from dispatch_to_pipedrive.migration.undo.reading import Once, Seen, others_on, own_children, read_now
from dispatch_to_pipedrive.migration.undo.restore import Restoration, lost_words, restoration
from dispatch_to_pipedrive.migration.undo.steps import DELETE, KEEP, RESTORE, Step
from dispatch_to_pipedrive.migration.undo.touched import logical, touched_fields
from dispatch_to_pipedrive.migration.values import ALIVE, ENTITIES, Link, Quarantined, key_after
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

_GONE = "people deleted or merged it"
_CHILDREN_FIRST = tuple(reversed(ENTITIES))


@dataclass(frozen=True)
class Ask:
    """What is to be undone, and by what rule; `mapped`: entity → wire names that the map fills."""

    batches: tuple[str, ...]
    force: bool
    mapped: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Going:
    """A record that is deleted."""

    history: History
    record: Mapping[str, Any]
    edited: tuple[str, ...] = ()

    def step(self) -> Step:
        """The same for people."""
        link, first = self.history.link, self.history.ops[0].op
        touched = f"people edited {', '.join(self.edited)}" if self.edited else "nobody touched it"
        why = f"made by {first.batch}, and {touched}"
        return Step(link.entity, link.source_key, link.pipedrive_id, DELETE, first.batch, why)


@dataclass(frozen=True)
class Returning:
    """A record that gets back what it held when `remain` of its operations stood."""

    history: History
    remain: int
    record: Mapping[str, Any]
    how: Restoration

    @property
    def link(self) -> Link:
        """The link when it is done: as the last operation that remains left it, to be compared again."""
        last, now = self.history.ops[self.remain - 1].op, self.history.link
        state = "kept" if self.how.edited else now.state
        return now._replace(state=state, root=last.root, generation=last.generation, digest="")

    def step(self, schema: AccountSchema) -> Step:
        """The same for people."""
        link, first = self.history.link, self.history.ops[self.remain].op
        body = self.how.body
        names = [*(n for n in body if n != "custom_fields"), *(body.get("custom_fields") or {})]
        edited = logical(schema, link.entity, self.how.edited)
        overruled = logical(schema, link.entity, self.how.overruled)
        why = f"changed by {first.batch}" + (f"; people edited {', '.join(edited)}" if edited else "")
        why += f"; people's {', '.join(overruled)} goes" if overruled else ""
        fields = logical(schema, link.entity, names)
        return Step(link.entity, link.source_key, link.pipedrive_id, RESTORE, first.batch, why, fields)


@dataclass
class Found:
    """What becomes of the records of some roots. `links` change though nothing is sent; `cuts` are other batches.

    `roots` are more than were asked for where records have moved between roots.
    """

    roots: set[int] = field(default_factory=set)
    deletes: list[Going] = field(default_factory=list)
    restores: list[Returning] = field(default_factory=list)
    keeps: list[Step] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    cuts: list[str] = field(default_factory=list)
    irreversible: list[str] = field(default_factory=list)
    gone: int = 0

    @property
    def writes(self) -> list[Going | Returning]:
        """All that is to be sent."""
        return [*self.deletes, *self.restores]

    def add(self, other: "Found") -> None:
        """Take in what becomes of the records of other roots."""
        self.roots |= other.roots
        self.deletes += other.deletes
        self.restores += other.restores
        self.keeps += other.keeps
        self.links += other.links
        self.cuts += other.cuts
        self.irreversible += other.irreversible
        self.gone += other.gone


async def look(
    session: Session,
    schema: AccountSchema,
    ask: Ask,
    roots: Iterable[int],
    once: Once,
    holders: "Holders",
    refused: Mapping[Key, str] = MappingProxyType({}),
) -> Found:
    """Say of every record of these roots what undoing does to it; `refused` are records that stay, and why.

    holders: `holders_of` the roots, as when the undo or its plan began.
    """
    histories = histories_of(session, ask.batches, roots)
    scene = _Scene(session, schema, ask, once, histories.by_key, stays=dict(refused))
    await scene.settle_who_stays()
    found = scene.found(holders)
    found.roots = histories.roots
    return found


@dataclass
class _Scene:
    session: Session
    schema: AccountSchema
    ask: Ask
    once: Once
    histories: Mapping[Key, History]
    remain: dict[Key, int] = field(default_factory=dict)
    seen: dict[Place, Seen] = field(default_factory=dict)
    stays: dict[Key, str] = field(default_factory=dict)
    """Records that are not deleted, with the reason."""
    edited: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    returning: dict[Key, Returning] = field(default_factory=dict)
    shared: set[Key] = field(default_factory=set)
    """Records that stand for others of the source, too: people merged them."""

    async def settle_who_stays(self) -> None:
        """Look until nothing more is found that keeps a record: each one found may keep others."""
        while True:
            self.remain = reach(self.histories, self.ask.batches, self.stays)
            await self._read()
            await self._restore()
            more = await self._staying()
            if not more:
                return
            self.stays |= more

    async def _read(self) -> None:
        for entity in _CHILDREN_FIRST:
            ids = {
                history.link.pipedrive_id
                for key, history in self._reached(entity)
                if history.link.state in ALIVE and history.place not in self.seen
            }
            keys = [key for (_, key), _ in self._reached(entity)]
            shared = self.session.ledger.shared(self.session.scope, entity, keys)
            self.shared |= {(entity, key) for key in shared}
            read = await read_now(self.session, entity, ids, self.once)
            self.seen |= {(entity, number): seen for number, seen in read.items()}

    def _reached(self, entity: str) -> list[tuple[Key, History]]:
        return [(key, self.histories[key]) for key in self.remain if key[0] == entity]

    def _record(self, history: History) -> Mapping[str, Any] | None:
        seen = self.seen.get(history.place)
        return None if seen is None else seen.record

    def _going(self, key: Key) -> bool:
        history = self.histories[key]
        return self.remain.get(key) == 0 and key not in self.stays and history.link.state in ALIVE

    async def _restore(self) -> None:
        unknown = self._restorations()
        if not unknown:
            return
        for entity in ENTITIES:
            read = await read_now(self.session, entity, {number for of, number in unknown if of == entity})
            self.seen |= {(entity, number): seen for number, seen in read.items()}
        self._restorations()

    def _restorations(self) -> set[Place]:
        """Say what each changed record gets back; the records that it is to hang on again and that were not read yet.

        The ledger does not know all that went: the link of what was made anew names the new record, not the old one.
        """
        places = {h.place: key for key, h in self.histories.items() if h.link.state in ALIVE}
        unknown: set[Place] = set()

        def stands(place: Place) -> bool:
            if place in places and self._going(places[place]):
                return False
            seen = self.seen.get(place)
            if seen is None:
                unknown.add(place)
            return seen is None or seen.record is not None or seen.hidden

        self.returning = {}
        for key, remain in self.remain.items():
            history = self.histories[key]
            record = self._record(history)
            if key in self.stays or not (remain and history.link.state in ALIVE and history.wrote(remain)):
                continue
            if record is not None:
                how = restoration(self.schema, history, remain, record, stands, force=self.ask.force)
                self.returning[key] = Returning(history, remain, record, how)
        return unknown

    async def _staying(self) -> dict[Key, str]:
        """Records that would be deleted and must not, with the reason; children are looked at before parents."""
        found: dict[Key, str] = {}
        held: dict[Place, str] = {}
        leaving: list[tuple[str, int, Iterable[Place]]] = []
        for key, history in self.histories.items():
            if history.link.state in ALIVE and not self._going(key):
                after = self._places_after(key)
                held.update(dict.fromkeys(after, key_after(key[1])))
                record = self._record(history)
                if record is not None:
                    leaving.append((*history.place, references(record) - after))
        for entity in _CHILDREN_FIRST:
            ours = own_children(leaving)
            for key, history in self._reached(entity):
                if not self._going(key):
                    continue
                why = await self._why_stays(key, history, held, ours.get(history.place, {}))
                record = self._record(history)
                places = references(record) if record is not None else history.hangs_on(len(history.ops))
                if why:
                    found[key] = why
                    if why != _GONE:
                        held.update(dict.fromkeys(places, key_after(key[1])))
                else:
                    leaving.append((*history.place, places))
        return found

    def _places_after(self, key: Key) -> set[Place]:
        """What a record that stays hangs on afterwards."""
        history = self.histories[key]
        record = self._record(history)
        if record is None:
            return history.hangs_on(len(history.ops))
        back = self.returning.get(key)
        return references({**record, **back.how.body}) if back else references(record)

    async def _why_stays(
        self, key: Key, history: History, held: Mapping[Place, str], ours: Mapping[str, Collection[int]]
    ) -> str:
        seen = self.seen[history.place]
        if seen.hidden:
            return "our user may not see it"
        if seen.record is None:
            return _GONE
        if not history.made_by_us:
            return "people linked it by hand"
        if key in self.shared:
            return "people merged another of ours into it"
        entity = key[0]
        mapped = self.ask.mapped.get(entity, ())
        names = touched_fields(self.schema, entity, mapped, history.now, seen.record)
        self.edited[key] = logical(self.schema, entity, names)
        if names and not self.ask.force:
            return f"people edited {', '.join(self.edited[key])}"
        if history.place in held:
            return f"{held[history.place]} hangs on it and stays"
        others = await others_on(self.session, history.place, seen.record, ours, self.once)
        return f"people hung something on it ({', '.join(others)})" if others else ""

    def found(self, holders: "Holders") -> Found:
        """The verdicts, once it is settled who stays."""
        found = Found()
        aside = {(q.entity, q.source_key): q for q in self.session.ledger.quarantined(self.session.scope)}
        cuts: dict[str, int] = {}
        for key in sorted(self.remain, key=lambda one: (_CHILDREN_FIRST.index(one[0]), one[1])):
            if self._one(found, key):
                for batch, number in self._cut(key, aside.get(key), holders):
                    cuts[batch] = min(number, cuts.get(batch, number))
        found.cuts = sorted((b for b in cuts if b not in self.ask.batches), key=lambda b: (cuts[b], b))
        return found

    def _one(self, found: Found, key: Key) -> bool:
        """Add what becomes of one record; whether its operations are taken back."""
        history, remain = self.histories[key], self.remain[key]
        link, record = history.link, self._record(history)
        if link.state == "gone" or self.stays.get(key) == _GONE or self._vanished(history):
            found.gone += 1
            if remain:
                found.irreversible.append(f"{link.source_key}: {_GONE}")
            if link.state in ALIVE:
                found.links.append(link._replace(state="gone"))
            return False
        if link.state == "retired":
            return self._one_retired(found, history, remain)
        if key in self.returning:
            self._one_returning(found, self.returning[key])
            return True
        if key in self.stays or record is None or remain:
            why = self.stays.get(
                key, "our user may not see it" if record is None else "people linked it by hand"
            )
            edited = self.edited.get(key, ())
            batch = history.ops[remain].op.batch
            found.keeps.append(
                Step(link.entity, link.source_key, link.pipedrive_id, KEEP, batch, why, edited)
            )
            if link.state != "kept" and history.made_by_us and record is not None:
                found.links.append(link._replace(state="kept"))
            return False
        found.deletes.append(Going(history, record, self.edited.get(key, ())))
        return True

    def _vanished(self, history: History) -> bool:
        seen = self.seen.get(history.place)
        return seen is not None and seen.record is None and not seen.hidden

    def _one_returning(self, found: Found, back: Returning) -> None:
        if back.how.body:
            found.restores.append(back)
        elif back.link != back.history.link:
            found.links.append(back.link)
        if back.how.lost:
            found.irreversible.append(lost_words(self.schema, back.history, back.how.lost))

    def _one_retired(self, found: Found, history: History, remain: int) -> bool:
        """What we deleted is to be wanted again by the batches whose operations remain, or by any."""
        link = history.link
        generation = history.ops[remain - 1].op.generation if remain else 0
        again = link._replace(generation=generation, digest="")
        if again != link:
            found.links.append(again)
        if remain and history.retired:
            key = key_after(link.source_key)
            how = "made anew elsewhere and deleted" if key != link.source_key else "deleted"
            found.irreversible.append(
                f"{key}: {how} by {history.ops[-1].op.batch}; the next load that wants it makes it anew"
            )
        return True

    def _cut(self, key: Key, aside: Quarantined | None, holders: "Holders") -> Iterable[tuple[str, int]]:
        """Batches that lose something with the record, each with the number of its first operation there.

        A batch may have no operation there: it set its change aside, met edits of people, or found all as it wanted
        it. What it found so is no more, and it has to look at the record again.
        """
        history, remain = self.histories[key], self.remain[key]
        link, last = history.link, history.ops[-1].op
        for one in history.ops[remain:]:
            yield one.op.batch, one.op.number
        if aside is not None:
            yield aside.batch, last.number
        first, before = history.ops[remain].op, history.ops[remain - 1].op.generation if remain else 0
        for batch, generation in holders.get(link.root, ()):
            if generation >= first.generation and generation > before:
                yield batch, last.number


Holders = Mapping[int, Sequence[tuple[str, int]]]
"""Root → batches that were loaded with it, each with its generation."""


def holders_of(session: Session) -> Holders:
    """The batches of every root that was loaded."""
    loaded = {
        batch for batch, stage in session.ledger.batch_reports(session.scope.account) if stage in LOADED
    }
    found: dict[int, list[tuple[str, int]]] = {}
    for manifest in session.ledger.manifests():
        if manifest.key in loaded:
            for root in manifest.roots:
                found.setdefault(root, []).append((manifest.key, manifest.generation_to))
    return found
