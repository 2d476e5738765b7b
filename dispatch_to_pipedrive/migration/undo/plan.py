"""What would undoing batches do to the account, and what can it not give back?"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from dispatch_to_pipedrive.migration.capabilities import Capabilities
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope, digest_of
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle import AMBIGUOUS
from dispatch_to_pipedrive.migration.undo.look import Ask, Found, holders_of, look
from dispatch_to_pipedrive.migration.undo.reading import IDS, Once, read_once, reading_price
from dispatch_to_pipedrive.migration.undo.steps import DELETE, KEEP, RESTORE, Action, Step
from dispatch_to_pipedrive.migration.values import ALIVE, Link
from dispatch_to_pipedrive.pipedrive.prices import price
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

__all__ = ["DELETE", "KEEP", "RESTORE", "Action", "Step", "UndoPlan", "groups", "undo_plan"]

ROOTS = 50
"""Roots that are looked at together: few enough that little time passes until their records are written."""


@dataclass(frozen=True)
class UndoPlan:
    """What undoing `batches` comes to, as the account stood when it was read.

    `cuts_into` are other batches of whose operations some go too. `irreversible` is one line a record that the API
    cannot bring back to what it was. `tokens` is the price of planning it and of carrying it out (reading included),
    `days` how many days' budgets that fills. `digest` is that of all that is shown: two plans with the same digest do
    the same.
    """

    batches: tuple[str, ...]
    cuts_into: tuple[str, ...] = ()
    deletes: tuple[Step, ...] = ()
    restores: tuple[Step, ...] = ()
    keeps: tuple[Step, ...] = ()
    irreversible: tuple[str, ...] = ()
    tokens: int = 0
    days: float = 0.0
    digest: str = ""
    force: bool = False
    maps_fields: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    """Entity → wire names that the map fills, as the plan was asked for; carrying it out looks at them again."""

    @property
    def undone(self) -> tuple[str, ...]:
        """All batches that count as rolled back afterwards."""
        return (*self.batches, *self.cuts_into)

    @property
    def ask(self) -> Ask:
        """What the plan was asked for."""
        return Ask(self.batches, self.force, self.maps_fields)


def batches_to_undo(ledger: Ledger, scope: Scope) -> list[str]:
    """The batches that have written, or begun to, and of which anything is left, in the order of planning.

    A batch that was rolled back because another one cut into it has left standing what that one did not reach.
    """
    nothing_left = ledger.rolled_back(scope.account)
    if nothing_left:
        nothing_left -= ledger.batches_in_force(scope)
    order = {manifest.key: number for number, manifest in enumerate(ledger.manifests())}
    found = [batch for batch in ledger.written_batches(scope.account) if batch not in nothing_left]
    return sorted(found, key=lambda batch: order.get(batch, len(order)))


async def undo_plan(
    session: Session,
    schema: AccountSchema,
    maps_fields: Mapping[str, Sequence[str]],
    batches: Sequence[str] | None,
    *,
    force: bool = False,
) -> UndoPlan:
    """Look at every record that undoing the batches reaches; `None` are all batches. Only reads.

    maps_fields: entity → wire names (native names and field codes) that the map fills. Records that people touched are
    kept. `force`: records of which people edited fields are deleted all the same, as long as nothing of theirs hangs on
    them: their values are lost, their notes, files, activities, deals and contacts are not.
    Writes whose answer was lost are not seen before they are settled, which carrying it out does first.
    """
    ledger, account = session.ledger, session.scope.account
    asked = tuple(batches_to_undo(ledger, session.scope) if batches is None else dict.fromkeys(batches))
    plan = UndoPlan(asked, force=force, maps_fields=maps_fields)
    before = sum(session.client.budget.by_kind.values())
    found, again = Found(), 0
    every_root = ledger.roots_of_batches(account, asked)
    once = await read_once(session, _standing(session, asked, every_root)) if every_root else Once()
    holders = holders_of(session) if every_root else {}
    for roots in groups(every_root, found.roots):
        some = await look(session, schema, plan.ask, roots, once, holders)
        again += _read_again(session, some)
        found.add(some)
    planning = sum(session.client.budget.by_kind.values()) - before
    looking = planning - once.tokens + once.spared
    tokens = planning + looking + again + _writing(session, found)
    plan = replace(
        plan,
        cuts_into=tuple(dict.fromkeys(found.cuts)),
        deletes=tuple(one.step() for one in found.deletes),
        restores=tuple(one.step(schema) for one in found.restores),
        keeps=tuple(found.keeps),
        irreversible=(*found.irreversible, *_ambiguous(session, asked), *_unseen(once)),
        tokens=tokens,
        days=_days(session, tokens),
    )
    steps = [asdict(step) for step in (*plan.deletes, *plan.restores, *plan.keeps)]
    shown = [plan.batches, plan.cuts_into, steps, plan.irreversible, force]
    return replace(plan, digest=digest_of(shown))


def _standing(session: Session, batches: Sequence[str], roots: Sequence[int]) -> Iterator[Link]:
    """The links of records that the batches wrote and that stand."""
    keys: dict[str, list[str]] = {}
    for entity, key in session.ledger.keys_of_batches(session.scope.account, batches, roots):
        keys.setdefault(entity, []).append(key)
    for entity, some in keys.items():
        links = session.ledger.links(session.scope, entity, some).values()
        yield from (link for link in links if link.state in ALIVE)


def _read_again(session: Session, found: Found) -> int:
    """Tokens of the last look at the records, right before they are written."""
    counts = Counter(one.history.link.entity for one in found.writes)
    return sum(
        reading_price(session, entity, min(IDS, count - start))
        for entity, count in counts.items()
        for start in range(0, count, IDS)
    )


def _writing(session: Session, found: Found) -> int:
    """Tokens of all writes; what a deal's state needs may take two."""
    capabilities = Capabilities(session.ledger.capabilities(session.scope.account))
    tokens = sum(price("delete", one.history.link.entity) for one in found.deletes)
    for one in found.restores:
        entity = one.history.link.entity
        tokens += price("update", entity) * sum(map(bool, capabilities.split(entity, one.how.body)))
    return tokens


def groups(roots: Iterable[int], done: Collection[int]) -> Iterator[list[int]]:
    """Roots in groups that are looked at together, without those that are `done` by the time that they come."""
    group: list[int] = []
    for root in roots:
        if root not in done:
            group.append(root)
        if len(group) == ROOTS:
            yield group
            group = []
    if group := [root for root in group if root not in done]:
        yield group


def _ambiguous(session: Session, batches: Sequence[str]) -> list[str]:
    """Records that may be ours and that nobody can tell apart: none of them is touched."""
    return [
        f"{q.source_key}: {q.words}; none of them is deleted"
        for q in session.ledger.quarantined(session.scope)
        if q.reason == AMBIGUOUS and q.batch in batches
    ]


def _unseen(once: Once) -> list[str]:
    words = f"leads cannot be read ({once.unseen}): organizations and persons go on which only leads hang"
    return [words] if once.unseen else []


def _days(session: Session, tokens: int) -> float:
    """Days' budgets that the tokens fill, the reserve left to others; 0 where there is no limit."""
    budget = session.client.budget
    return 0.0 if budget.daily is None else round(tokens / max(1, budget.daily - budget.reserve), 3)
