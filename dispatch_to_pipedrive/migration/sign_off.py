"""May the migration be signed off? One row a gate, decided from values: each says how it stands and what to do."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dispatch_to_pipedrive.migration.clearance import Gate
from dispatch_to_pipedrive.migration.drained import Undrained
from dispatch_to_pipedrive.migration.errors import GateClosed, WrongApproval
from dispatch_to_pipedrive.migration.ledger import Ledger, Scope, digest_of
from dispatch_to_pipedrive.migration.ledger.approvals import SET_ASIDE, signature
from dispatch_to_pipedrive.migration.values import Approval, Quarantined

AFTER = "after_operation"
"""Where a stage's report has the number of the last operation on the account before the stage began."""
DECIDED_BY = "decided_by"
"""Where the report of a stage, or of reading back, has the digest of map and owners that it was made with."""
GO_ON = "run `migrate --through signoff`"
_WAITS = "waits for "
_NAMED = 5
_OTHER = "another map or other owners than stand now"


@dataclass(frozen=True)
class BatchFacts:
    """One batch: whether it is in the account, and when it was last written and read back (ISO, UTC; '' never).

    `listing_begun` is when the listing was begun that it was compared with, `swept` whether that was one of the whole
    account; `money` is '' where the sums were equal,
    and None where they were not compared since. `after` is the last operation on the account before it was run last,
    that of the stage which began first. `as_decided`, `compared_as_decided`: whether it was run last, and read back
    last, with the map and the owners as they stand now.
    """

    key: str
    loaded: bool
    rolled_back: bool = False
    after: int = -1
    last_write: str = ""
    listing_begun: str = ""
    blocking: int = 0
    strays: int = 0
    swept: bool = True
    money: str | None = None
    as_decided: bool = True
    compared_as_decided: bool = True

    @property
    def whole(self) -> bool:
        """Whether it is in the account as map and owners stand now, and nothing was missing when it was read back."""
        read_back = self.listing_begun and self.listing_begun >= self.last_write and not self.blocking
        return bool(self.loaded and self.as_decided and self.compared_as_decided and read_back)


@dataclass(frozen=True)
class Facts:
    """What the gates ask for.

    moment: that of the freeze, '' where none was named. unplanned_roots: customers that changed since the batch planned
    last. accepted: those of the quarantined records that a person has accepted as they are. last_write: on the account
    at all (ISO, UTC). parents_missing: feed → records whose parent has not arrived. preparing_due: whether the source
    has renamed or added what the account was prepared for.
    """

    moment: str
    undrained: Sequence[Undrained]
    unplanned_roots: int
    batches: Sequence[BatchFacts]
    quarantined: Sequence[Quarantined]
    accepted: Collection[Quarantined]
    last_operation: int
    last_write: str
    parents_missing: Mapping[str, int]
    in_doubt: int
    broken_chain_at: int | None
    preparing_due: bool = False


def sign_off_gates(facts: Facts) -> tuple[Gate, ...]:
    """Every gate of the sign-off."""
    return (
        _drained(facts),
        _planned(facts),
        _parents(facts),
        _applied(facts),
        _reconciled(facts),
        _totals(facts),
        _swept(facts),
        _quarantine(facts),
        _second_pass(facts),
        _doubts(facts),
        _log(facts),
    )


def require_all(gates: Sequence[Gate]) -> None:
    """Raise GateClosed, with what to do, unless every gate is open."""
    if closed := closed_gates(gates):
        raise GateClosed("the migration may not be signed off:\n" + "\n".join(closed))


def closed_gates(gates: Sequence[Gate]) -> list[str]:
    """What is still to do, one line a gate."""
    return [f"{gate.name}: {gate.words}" for gate in gates if not gate.passed]


def _drained(facts: Facts) -> Gate:
    name = "export_drained"
    if not facts.moment:
        return Gate(name, False, f"no freeze moment was named: `window freeze --as NAME`, or {GO_ON}")
    if facts.undrained:
        first = facts.undrained[0]
        more = f"; {len(facts.undrained) - 1} more feeds" if len(facts.undrained) > 1 else ""
        words = f"{first.feed} {first.words}{more}: {GO_ON} after that time"
        return Gate(name, False, words)
    return Gate(name, True, f"everything up to {facts.moment[:19]} (the source's clock) has arrived")


def _planned(facts: Facts) -> Gate:
    name = "everything_planned"
    waiting = [batch.key for batch in facts.batches if not batch.loaded and not batch.rolled_back]
    if not facts.batches:
        return Gate(name, False, "no batch is planned: run `migrate --through full`")
    if waiting:
        return Gate(name, False, f"{_listed(waiting)} not loaded: {GO_ON}")
    if facts.unplanned_roots:
        words = f"{facts.unplanned_roots} customers have changed since the batch that was planned last"
        return Gate(name, False, f"{words}: {GO_ON}")
    if facts.preparing_due:
        words = "the source has other tags, job types, units or technicians than the account was prepared for"
        return Gate(name, False, f"{words}: {GO_ON}, or the job `prepare`")
    return Gate(name, True, f"{len(facts.batches)} batches hold all that has arrived, and each was loaded")


def _parents(facts: Facts) -> Gate:
    name = "every_parent_arrived"
    missing = [f"{count} {feed}" for feed, count in sorted(facts.parents_missing.items()) if count]
    if missing:
        words = "records that name a parent which the source does not give"
        return Gate(name, False, f"{words}: {_listed(missing)}; advance again, or correct them at the source")
    return Gate(name, True, "no record waits for its parent")


def _applied(facts: Facts) -> Gate:
    name = "nothing_rolled_back"
    undone = [batch.key for batch in facts.batches if batch.rolled_back]
    if undone:
        return Gate(name, False, f"{_listed(undone)} rolled back and not applied again: `reapply --as NAME`")
    return Gate(name, True, "no batch is rolled back")


def _reconciled(facts: Facts) -> Gate:
    name = "every_batch_reconciled"
    batches = [batch for batch in facts.batches if batch.loaded]
    if stale := [b.key for b in batches if not b.listing_begun or b.listing_begun < b.last_write]:
        return Gate(name, False, f"{_listed(stale)} not read back since last written: {GO_ON}")
    if other := [b.key for b in batches if not b.compared_as_decided]:
        return Gate(name, False, f"{_listed(other)} read back with {_OTHER}: {GO_ON}")
    if differing := [f"{b.key} ({b.blocking})" for b in batches if b.blocking]:
        return Gate(name, False, f"reading back found differences in {_listed(differing)}: see `verify`")
    return Gate(
        name,
        True,
        f"{len(batches)} batches were read back after their last write: nothing is missing, wrong or extra",
    )


def _totals(facts: Facts) -> Gate:
    name = "totals_equal"
    batches = [batch for batch in facts.batches if batch.loaded]
    if lacking := [b.key for b in batches if b.money is None]:
        return Gate(name, False, f"the money of {_listed(lacking)} was not added up: {GO_ON}")
    if differing := [f"{b.key} {b.money}" for b in batches if b.money]:
        return Gate(name, False, f"{_listed(differing)}: see the check of `reconciliation`")
    return Gate(name, True, "counts and money are the source's, to the cent")


def _swept(facts: Facts) -> Gate:
    name = "no_strays"
    newest = max((batch.listing_begun for batch in facts.batches if batch.swept), default="")
    if not newest or newest < facts.last_write:
        return Gate(name, False, f"the account was not listed since it was last written to: {GO_ON}")
    strays = max((b.strays for b in facts.batches if b.listing_begun == newest), default=0)
    if strays:
        words = f"{strays} records bear our stamp twice, or one that the ledger does not know"
        return Gate(name, False, f"{words}: see `verify`")
    return Gate(name, True, f"listed whole at {newest[:19]}: every stamp is known, and borne once")


def _quarantine(facts: Facts) -> Gate:
    name = "quarantine_decided"
    open_ = undecided_quarantine(facts.quarantined, facts.accepted)
    if open_:
        named = _listed([f"{q.entity} {q.source_key}" for q in open_])
        return Gate(
            name,
            False,
            f"{len(open_)} records are set aside and nobody has accepted that ({named}): see `status`, mend them and "
            "`migrate --retry-quarantined`, or `sign-off --accept 'ENTITY SOURCE_KEY=REASON'`",
        )
    return Gate(name, True, f"{len(facts.quarantined)} records are set aside, each accepted by a person")


def undecided_quarantine(
    quarantined: Sequence[Quarantined], accepted: Collection[Quarantined]
) -> list[Quarantined]:
    """Those that nobody has accepted; what waits for an accepted record is accepted with it."""
    decided = {q.source_key for q in accepted}
    open_ = [q for q in quarantined if q not in accepted]
    while True:
        with_parent = [q for q in open_ if q.words.removeprefix(_WAITS) in decided]
        if not with_parent:
            return open_
        decided |= {q.source_key for q in with_parent}
        open_ = [q for q in open_ if q not in with_parent]


def _second_pass(facts: Facts) -> Gate:
    name = "second_pass_wrote_nothing"
    if other := [batch.key for batch in facts.batches if batch.loaded and not batch.as_decided]:
        words = f"{_listed(other)} loaded with {_OTHER}"
        return Gate(name, False, f"{words}: {GO_ON}, or the jobs `load` and `reconcile` for them")
    if old := not_run_since(facts):
        words = f"{_listed(old)} not run again since the account was last written to"
        return Gate(
            name, False, f"{words}: {GO_ON}, or the job `load` for them, until a run of all writes nothing"
        )
    words = f"all batches were run again after operation {facts.last_operation}, and not one write was made"
    return Gate(name, True, words)


def not_run_since(facts: Facts) -> list[str]:
    """The batches not run since the last operation, as it is decided now; none: a run of all has written nothing.

    What began after the last operation there is has looked at all that was written, and has written nothing itself.
    """
    return [
        batch.key
        for batch in facts.batches
        if batch.loaded and not (batch.after == facts.last_operation and batch.as_decided)
    ]


def _doubts(facts: Facts) -> Gate:
    name = "nothing_in_doubt"
    if facts.in_doubt:
        return Gate(name, False, f"{facts.in_doubt} requests are without an outcome: {GO_ON}")
    return Gate(name, True, "every request has an outcome")


def _log(facts: Facts) -> Gate:
    name = "log_whole"
    if facts.broken_chain_at is not None:
        words = f"commit {facts.broken_chain_at} of the chain does not fit its operations: somebody changed the ledger"
        return Gate(name, False, f"{words}, restore it from a backup")
    return Gate(name, True, f"the chain fits all {facts.last_operation} operations")


def accept_quarantined(ledger: Ledger, scope: Scope, reasons: Mapping[str, str], name: str) -> list[Approval]:
    """Put on record that a person accepts records as set aside; reasons: "ENTITY SOURCE_KEY" → why.

    Raises WrongApproval, with nothing put on record, where one of them is not set aside or a text cannot stand.
    """
    aside = {f"{q.entity} {q.source_key}": q for q in ledger.quarantined(scope)}
    wrong = [f"{what!r} is not set aside: `status` lists what is" for what in reasons if what not in aside]
    wrong += [
        f"{what!r} is accepted without a reason: say why" for what, why in reasons.items() if not why.strip()
    ]
    if wrong:
        raise WrongApproval("\n".join(wrong))
    for reason in reasons.values():
        signature(name, reason)
    return [
        ledger.approve(
            scope.account,
            SET_ASIDE,
            _as_accepted(aside[what]),
            name=name,
            note=reason,
            document=aside[what]._asdict(),
        )
        for what, reason in reasons.items()
    ]


def accepted_quarantine(ledger: Ledger, scope: Scope) -> list[Quarantined]:
    """The quarantined records that a person has accepted as they are set aside now."""
    signed = {one.digest for one in ledger.approvals(scope.account) if one.subject == SET_ASIDE}
    return [q for q in ledger.quarantined(scope) if _as_accepted(q) in signed]


def _as_accepted(one: Quarantined) -> str:
    """What an acceptance holds for: the record as the source wants it, whatever batch meets it."""
    return digest_of([one.entity, one.source_key, one.digest])


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
