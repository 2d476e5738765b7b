"""What did people do to the records of a batch, as reading back finds it: edits, deletions, merges?

The account does not say of a record that is gone whether it was deleted or merged. Three things show it: another record
bears its stamp now, what hung on it hangs on another one, or people have said so (`relink`).
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dispatch_to_pipedrive.migration.kept import Reader
from dispatch_to_pipedrive.migration.listing import Listing
from dispatch_to_pipedrive.migration.past import Past
from dispatch_to_pipedrive.migration.values import GONE, OVERWRITTEN, KeptEdit, Link

DELETED, MERGED = "deleted", "merged into"
_REFERENCES = {"org_id": "organizations", "person_id": "persons", "deal_id": "deals"}
Place = tuple[str, int]


class Theirs:
    """Gathers while entities are compared, parents first."""

    def __init__(self, reader: Reader, listing: Listing) -> None:
        self._reader, self._listing = reader, listing
        self._known: list[KeptEdit] = []
        self._shared: set[tuple[str, str]] = set()
        self._edits: list[KeptEdit] = []
        self._gone: list[Link] = []
        self._moved: dict[Place, Counter[int]] = {}

    def begin(self, entity: str, known: Sequence[KeptEdit], shared: Collection[str]) -> None:
        """The next entity: what the ledger has of its records, and keys whose record stands for another key, too."""
        self._known.extend(known)
        self._shared.update((entity, key) for key in shared)

    def kept(self, link: Link, names: Sequence[str], past: Past | None, record: Mapping[str, Any]) -> None:
        """A record that was compared, and the wire names of the fields that people edited."""
        self._edits.extend(self._reader.edit(link, name, past, record) for name in names)
        for name, entity in _REFERENCES.items() if past else ():
            before, now = past.base.get(name) if past else None, record.get(name)
            if before and now and before != now:
                self._moved.setdefault((entity, int(before)), Counter())[int(now)] += 1

    def gone(self, link: Link) -> None:
        """A record that is not there any more."""
        self._gone.append(link)

    def found(self) -> list[KeptEdit]:
        """Every edit, and every record that is gone with what became of it."""
        return [*self._edits, *(self._reader.gone(link, self._became(link)) for link in self._gone)]

    def over(self) -> list[KeptEdit]:
        """What the ledger has of the records that were compared, and what was not found now."""
        now = {(edit.entity, edit.source_key, edit.field) for edit in self.found()}
        return [
            edit
            for edit in self._known
            if edit.verdict != OVERWRITTEN
            and (edit.entity, edit.source_key, edit.field) not in now
            and (edit.field or edit.verdict == GONE)  # copies are found by the stray sweep
        ]

    def _became(self, link: Link) -> str:
        if (link.entity, link.source_key) in self._shared:
            return f"{MERGED} {link.entity} {link.pipedrive_id}"
        bearers = [n for n in self._listing.bearing(link.entity, link.source_key) if n != link.pipedrive_id]
        moved = self._moved.get((link.entity, link.pipedrive_id))
        if bearers or moved:
            number = bearers[0] if bearers else moved.most_common(1)[0][0] if moved else 0
            return f"{MERGED} {link.entity} {number}"
        before = (e for e in self._known if (e.entity, e.source_key) == (link.entity, link.source_key))
        return next(
            (e.theirs for e in before if e.verdict == GONE and e.pipedrive_id == link.pipedrive_id), DELETED
        )
