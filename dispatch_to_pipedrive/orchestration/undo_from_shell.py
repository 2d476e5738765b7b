"""How the shell undoes batches and brings them again: in its own process, on the instance that the UI opens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

from dispatch_to_pipedrive.migration.approval import SAMPLE, Rendering, same_but_for_ids
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.ledger.approvals import signature
from dispatch_to_pipedrive.orchestration.bring import Road, Wish
from dispatch_to_pipedrive.orchestration.lifecycle import known_scope
from dispatch_to_pipedrive.orchestration.outcome import Outcome, outcome_of
from dispatch_to_pipedrive.orchestration.partitions import add_batches
from dispatch_to_pipedrive.orchestration.present import sample_rendering
from dispatch_to_pipedrive.orchestration.progress import Listener, listening
from dispatch_to_pipedrive.orchestration.reapply import ask_again
from dispatch_to_pipedrive.orchestration.resources import Migration, open_ledger, reading
from dispatch_to_pipedrive.orchestration.road import maps_of
from dispatch_to_pipedrive.orchestration.run import open_instance
from dispatch_to_pipedrive.orchestration.undo import Foreseen, Undoing, Undone, foresee, roll_back
from dispatch_to_pipedrive.settings import Settings


async def look_ahead(settings: Settings, asked: Undoing) -> Foreseen:
    """The plan of a rollback; nothing is written. Raises as `undo.foresee`."""
    settings.require_destination()
    with closing(open_ledger(settings)) as ledger:
        return await foresee(Migration.over(settings, ledger), asked)


async def carry_out(
    settings: Settings,
    asked: Undoing,
    *,
    name: str,
    wait: bool,
    on_plan: Callable[[Foreseen], None],
    listener: Listener,
) -> Undone:
    """Undo under a name; what Dagster is to know goes straight to its instance. Raises as `undo.roll_back`."""
    signature(name)
    settings.require_writable()
    with closing(open_ledger(settings)) as ledger, open_instance(settings) as instance, listening(listener):
        migration = Migration.over(settings, ledger)
        tell = instance.report_runless_asset_event
        return await roll_back(migration, asked, by=name, wait=wait, on_plan=on_plan, tell=tell)


def reapply(settings: Settings, *, name: str, wait: bool, listener: Listener) -> Outcome:
    """Ask for what was rolled back and bring it: prepare, load in the order of planning, read back.

    Where the schema was made anew meanwhile, the sample's approval is renewed under the name, as long as nothing but
    the account's ids is different from what was approved; whatever else has changed asks for a person's look.
    """
    signature(name)
    settings.require_writable()
    maps_of(settings)
    with closing(open_ledger(settings)) as ledger:
        began = datetime.now(UTC).isoformat(timespec="microseconds")
        batches = ask_again(ledger, name)
        with open_instance(settings) as instance, listening(listener):
            add_batches(instance, batches)
            road = Road(settings, Wish("full", wait=wait), ledger, instance)
            road.prepare()
            ends = road.bring([key for key in batches if key == SAMPLE], began)
            if not ends:
                if asyncio.run(_has_other_ids(settings, ledger)):
                    approval = {"approver": name, "note": "brought again under the account's new ids"}
                    road.run("approve_sample", config={"sample_approval": approval})
                ends = road.bring([key for key in batches if key != SAMPLE], began)
        return outcome_of(settings, ledger, ends, [])


async def _has_other_ids(settings: Settings, ledger: Ledger) -> bool:
    """Whether the sample as it was read back is what was approved, but for ids."""
    account = known_scope(ledger).account
    approved = ledger.latest_approval(account, SAMPLE)
    report = ledger.batch_reports(account).get((SAMPLE, "reconciliation"), {})
    if approved is None or report.get("rendering") in (None, approved.digest):
        return False
    migration = Migration.over(settings, ledger)
    async with reading(ledger, settings, purpose="look at the sample") as session:
        now = sample_rendering(migration, session, await migration.account_schema(session))
    return same_but_for_ids(Rendering.of(approved.document["rendering"]), now)
