"""How did a command of the shell end? With how things stand, why it is not done, and what a person may look at."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.plan import is_unplanned
from dispatch_to_pipedrive.migration.sign_off import accepted_quarantine, undecided_quarantine
from dispatch_to_pipedrive.orchestration.drain import frozen_at, held_back, lag
from dispatch_to_pipedrive.orchestration.homes import home_of
from dispatch_to_pipedrive.orchestration.present import open_proposals
from dispatch_to_pipedrive.orchestration.tell import status
from dispatch_to_pipedrive.reports.status import Status
from dispatch_to_pipedrive.settings import Settings

PAGES = {
    "the assessment": "reports/assessment/assessment.html",
    "what becomes of every field": "reports/inventory/inventory.html",
    "what to rebuild by hand": "reports/checklist/checklist.html",
    "the sample's diff": "reports/sample/diff.html",
}
"""Pages below MIGRATION_HOME that a person looks at before saying yes."""


@dataclass(frozen=True)
class Outcome:
    """How it ended; `open_ends` are reasons why it is not done, `notes` what a person may want to look at."""

    status: Status
    open_ends: Sequence[str]
    notes: Sequence[str] = field(default=())


def outcome_of(settings: Settings, ledger: Ledger, ends: Sequence[str], notes: Sequence[str]) -> Outcome:
    """How it ended, records that are set aside included."""
    told = status(ledger, settings)
    aside = [f"{count} records are set aside: see `status`"] if (count := _undecided(ledger)) else []
    return Outcome(told, [*ends, *aside], notes)


def pages(settings: Settings, ledger: Ledger) -> list[str]:
    """Where the pages are that a person looks at, and how much is open."""
    home = home_of(settings, ledger)
    lines = [f"{what}: {home / page}" for what, page in PAGES.items() if (home / page).is_file()]
    if open_ := open_proposals(settings):
        where = settings.maps / "proposed"
        lines.append(f"{len(open_)} proposals are open, so what they name is not moved: {where}")
    return lines


def behind(ledger: Ledger) -> list[str]:
    """How far behind the source the account may be."""
    if frozen_at(ledger) is not None:
        back = held_back(ledger)
        if back:
            first = f"{back[0].feed} {back[0].words}"
            return [f"{len(back)} feeds may hold something back from before the freeze: {first}"]
        return ["everything up to the freeze has arrived", *_unplanned(ledger)]
    seconds = lag(ledger)
    if seconds is None:
        return []
    return [f"changes younger than {seconds / 60:.0f} minutes may not have arrived", *_unplanned(ledger)]


def _unplanned(ledger: Ledger) -> list[str]:
    """That something has arrived which no batch brings yet."""
    scope = ledger.bound_scope()
    if scope is None or not is_unplanned(ledger, scope.account):
        return []
    return ["what arrived since the batch planned last is in no batch yet: `migrate --through delta`"]


def _undecided(ledger: Ledger) -> int:
    """How many records are set aside without that anybody has accepted it."""
    scope = ledger.bound_scope()
    if scope is None:
        return 0
    return len(undecided_quarantine(ledger.quarantined(scope), accepted_quarantine(ledger, scope)))
