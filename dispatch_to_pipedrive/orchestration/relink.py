"""How does a person connect a gone record's source key with what took its place? One function, a command and a job."""

import asyncio
from contextlib import closing

import dagster as dg
from pydantic import Field

from dispatch_to_pipedrive.migration import relink as engine
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.migration.relink import Relinked
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.resources import Migration, open_ledger, writing
from dispatch_to_pipedrive.settings import Settings


class RelinkConfig(dg.Config):
    """Which key, which record, and who says so."""

    source_key: str = Field(description="The source key, such as customer:41000123/organization.")
    pipedrive_id: int = Field(description="The record in Pipedrive that has taken its place.")
    by: str = Field(description="Your name, as it shall stand on record.")


def relink(settings: Settings, source_key: str, pipedrive_id: int, by: str) -> Relinked:
    """Connect them; WrongRecord where that cannot be, GateClosed where the account may not be written to."""
    with closing(open_ledger(settings)) as ledger:
        return _relink(settings, ledger, source_key, pipedrive_id, by)


def _relink(
    settings: Settings, ledger: Ledger, source_key: str, pipedrive_id: int, by: str, run: str = ""
) -> Relinked:
    async def ask() -> Relinked:
        async with writing(ledger, settings, purpose=f"relink {source_key}", run=run) as session:
            return await engine.relink(session, source_key, pipedrive_id, by)

    return asyncio.run(ask())


def told(done: Relinked) -> str:
    """What it came to, in words."""
    place = f"{done.entity} {done.now}"
    if done.shares_with:
        return (
            f"what hangs on {done.source_key} hangs on {place} from now on, which stands for {done.shares_with} and "
            "goes on following that one; what was held comes with the next load"
        )
    return (
        f"{place} stands for {done.source_key} from now on, in place of {done.before}: what people have there stays, "
        "the rest follows the source with the next load"
    )


@dg.op(description="Connect a source key with the record that took the place of a gone one; nothing is sent.")
def relink_record(context: dg.OpExecutionContext, config: RelinkConfig, migration: Migration) -> None:
    """The operation of the job `relink`."""
    with plain_words():
        found = _relink(
            migration.settings,
            migration.ledger,
            config.source_key,
            config.pipedrive_id,
            config.by,
            context.run_id,
        )
    context.log.info(told(found))


@dg.job(
    name="relink",
    description="Connect a record that people deleted or merged with the one that took its place.",
    tags={"dispatch/lane": "load"},
)
def relink_job() -> None:
    """One operation."""
    relink_record()
