"""Where could what the maps leave open land? Candidates with reasons, for people to accept or leave."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence

import dagster as dg
import pandas as pd

from dispatch_to_pipedrive.dispatch_pro.feeds import CUSTOM_FIELD_DEFINITIONS
from dispatch_to_pipedrive.dispatch_pro.placement import read_reference
from dispatch_to_pipedrive.mapping.proposal import (
    Catalogue,
    ModelUnusable,
    Proposal,
    Reranker,
    Slot,
    open_slots,
    propose,
    worth_asking,
    write_proposals,
)
from dispatch_to_pipedrive.migration.drift import made_of
from dispatch_to_pipedrive.normalize import NormalizeOptions
from dispatch_to_pipedrive.orchestration.assets.common import ACCOUNT_POOL, described
from dispatch_to_pipedrive.orchestration.catalogue import account_fields
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.resources import Migration, reading
from dispatch_to_pipedrive.orchestration.road import committed
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema
from dispatch_to_pipedrive.settings import Settings, WrongSettings

SHOWN = 20
"""Rows of the table in the UI; the files have all."""
VERDICTS = ("sure", "likely", "create", "abstain")
_ENTITIES = ("organizations", "persons", "deals")


@dg.asset(pool=ACCOUNT_POOL, **described("preparation", "pipedrive", "pandas"))
def mapping_proposal(migration: Migration, source_profile: pd.DataFrame) -> dg.MaterializeResult[None]:
    """The tenant's own fields that no map reads, and values without a place in a map, each with up to three candidates.

    Written to `proposed/` beside the maps. Nothing of it is part of the map until people accept it by id, in the job
    `confirm_map` or the shell.
    """
    with plain_words():
        reranker = _reranker(migration.settings)
        catalogue, tokens = asyncio.run(_catalogue(migration))
        slots = open_slots(
            migration.maps,
            source_profile,
            _definitions(migration),
            catalogue,
            elsewhere={f"jobs.custom_fields/{NormalizeOptions().priority_field}": "priority_bucket"},
        )
        proposals = [one for one in _proposed(migration, slots, catalogue, reranker) if worth_asking(one)]
        paths = write_proposals(migration.settings.maps, proposals)
    counts = Counter(str(proposal.verdict) for proposal in proposals)
    return dg.MaterializeResult(
        metadata={
            "open": len(proposals),
            **{verdict: counts[verdict] for verdict in VERDICTS},
            "tokens": tokens,
            "language_model": migration.settings.proposal_model or "none",
            "paths": ", ".join(map(str, paths)) or "nothing is open",
            **({"proposals": _table(proposals)} if proposals else {}),
        }
    )


def _proposed(
    migration: Migration, slots: list[Slot], catalogue: Catalogue, reranker: Reranker | None
) -> list[Proposal]:
    try:
        return propose(migration.maps, slots, catalogue, reranker=reranker)
    except ModelUnusable as wrong:
        raise WrongSettings([str(wrong)]) from None


def _reranker(settings: Settings) -> Reranker | None:
    """The language model's, where the settings name one: only then is its library imported."""
    if not settings.proposal_model:
        return None
    from dispatch_to_pipedrive.mapping.proposal.rerank import reranker_of

    try:
        return reranker_of(settings.proposal_model, settings.proposal_model_key.get_secret_value())
    except ModelUnusable as wrong:
        raise WrongSettings([str(wrong)]) from None


async def _catalogue(migration: Migration) -> tuple[Catalogue, int]:
    async with reading(migration.ledger, migration.settings, purpose="proposing a map") as session:
        structure = await migration.structure(session)
        made = made_of(migration.ledger.schema_objects(session.scope.account))
        return catalogue_of(AccountSchema(structure, made)), sum(session.client.budget.by_kind.values())


def catalogue_of(schema: AccountSchema) -> Catalogue:
    """The account's fields and labels, and which of the fields are this program's own."""
    labels = {
        entity: tuple(option.label for option in field.options or ())
        for entity in _ENTITIES
        if (field := schema.structure.label_field(entity)) is not None
    }
    return Catalogue(tuple(f for f in account_fields(schema) if f.entity in _ENTITIES), labels)


def _definitions(migration: Migration) -> dict[str, pd.DataFrame]:
    """Feed of custom fields → name, data_type, options; the vendor defines none for technicians."""
    ledger = migration.ledger
    generation = ledger.latest_generation()
    frames = read_reference(
        migration.data, committed(ledger, generation), generation, tuple(CUSTOM_FIELD_DEFINITIONS.values())
    )
    return {
        f"{feed}.custom_fields": with_options(frames, types)
        for feed, types in CUSTOM_FIELD_DEFINITIONS.items()
    }


def with_options(frames: Mapping[str, pd.DataFrame], types: str) -> pd.DataFrame:
    """The definitions of one kind of custom field, each with the list of its options."""
    defined = frames[types][["id", "name", "data_type"]]
    choices = frames[f"{types}.data_type_options"].sort_values(["id", "position"])
    lists = choices.dropna(subset=["value"]).groupby("id")["value"].agg(list)
    options = [lists.get(one, []) for one in defined["id"]]
    return defined.assign(options=pd.Series(options, index=defined.index, dtype=object))


def _table(proposals: Sequence[Proposal]) -> dg.TableMetadataValue:
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "id": one.id,
                    "verdict": one.verdict,
                    "candidates": "; ".join(
                        f"{number}: {candidate.words} ({candidate.score:.2f})"
                        for number, candidate in enumerate(one.candidates, 1)
                    ),
                    "why": one.reason,
                    "samples": ", ".join(one.slot.samples[:3]),
                    "records": one.slot.filled,
                }
            )
            for one in proposals[:SHOWN]
        ]
    )
