"""How far back does each record go, when batches are undone?

Last in, first out: where an operation of an undone batch goes, all later ones on the record go with it. And what hangs
on a record that is to be deleted goes back to before it did: what was made there is deleted, what was moved there
returns. Pure: it looks at the ledger's histories only.
"""

from collections.abc import Collection, Mapping

from dispatch_to_pipedrive.migration.undo.history import History, Place, references
from dispatch_to_pipedrive.migration.values import ALIVE

Key = tuple[str, str]
"""Entity and source key."""


def reach(
    histories: Mapping[Key, History], batches: Collection[str], stays: Collection[Key] = ()
) -> dict[Key, int]:
    """Key → how many of the record's operations remain; only records that lose some are named.

    stays: records that are not deleted, whatever made them; what hangs on them need not go for their sake.
    """
    found = {key: _first_of(history, batches) for key, history in histories.items()}
    while True:
        deleted = {
            history.place
            for key, history in histories.items()
            if found[key] == 0 and key not in stays and history.made_by_us and history.link.state in ALIVE
        }
        back = {
            key: remain
            for key, history in histories.items()
            if key not in stays
            and history.hangs_on(found[key]) & deleted
            and (remain := _before_hanging(history, found[key], deleted)) < found[key]
        }
        if not back:
            return {key: remain for key, remain in found.items() if remain < len(histories[key].ops)}
        found |= back


def _first_of(history: History, batches: Collection[str]) -> int:
    return next((n for n, one in enumerate(history.ops) if one.op.batch in batches), len(history.ops))


def _before_hanging(history: History, remain: int, deleted: set[Place]) -> int:
    """The first operation after which it hung on one of the records; where none moved it there, all remain."""
    for n, one in enumerate(history.ops[:remain]):
        if one.after is not None and references(one.after.base) & deleted:
            return n
    return remain
