"""From the vendor's feeds to batches: raw segments, placement, the tenant's features, the batch plan."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from shutil import rmtree

import dagster as dg
import pandas as pd
from pydantic import Field

from dispatch_to_pipedrive.dispatch_pro.client import DispatchProClient
from dispatch_to_pipedrive.dispatch_pro.downloads import Downloads
from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS, REFERENCE, Feed
from dispatch_to_pipedrive.dispatch_pro.hosts import Hosts
from dispatch_to_pipedrive.dispatch_pro.parents import Files
from dispatch_to_pipedrive.dispatch_pro.placement import (
    PlacementMissing,
    PlacementSummary,
    build_placement,
    newest_placed,
    read_reference,
    root_features,
    root_sizes,
    touched_roots,
)
from dispatch_to_pipedrive.dispatch_pro.placement.index import read_index
from dispatch_to_pipedrive.dispatch_pro.raw import Advance, Extent, Progress, advance
from dispatch_to_pipedrive.dispatch_pro.segments import segment_schema
from dispatch_to_pipedrive.migration import faults
from dispatch_to_pipedrive.migration.ledger import utc_now
from dispatch_to_pipedrive.migration.plan import first_loads, plan_batches, plan_delta, waiting
from dispatch_to_pipedrive.migration.values import Manifest, Poll
from dispatch_to_pipedrive.orchestration.assets.common import FRAMES, SOURCE_POOL, described
from dispatch_to_pipedrive.orchestration.drain import lag, last_sweep_is_due
from dispatch_to_pipedrive.orchestration.errors import plain_words
from dispatch_to_pipedrive.orchestration.io_managers import from_parquet
from dispatch_to_pipedrive.orchestration.partitions import add_batches
from dispatch_to_pipedrive.orchestration.progress import Stage
from dispatch_to_pipedrive.orchestration.resources import Migration, credentials_of
from dispatch_to_pipedrive.orchestration.road import committed, with_commercial
from dispatch_to_pipedrive.orchestration.sample import PASSED_OVER, sample_coverage

SHOWN = 20
"""Rows of a table in the UI; the rest is in the frame."""
RAW_KEYS = {name: dg.AssetKey(["raw", name]) for name in FEEDS}


class Reading(dg.Config):
    """How far an advance goes."""

    sweep: bool = Field(
        default=False,
        description="Ask every job, customer, site and contact once more for files, notes and connections, "
        "whether it changed or not. After a freeze that is done without asking.",
    )


_HOW = {
    "export": "read on from the stored cursor",
    "list": "read whole, or from its last change less an overlap",
    "parent": "read for parents that changed or have open work, and for all of them in a sweep",
    "contacts": "read from their last change less an overlap, and all of them in a sweep",
    "object": "read whole",
    "capacity": "asked for the next 14 days, once and in a sweep",
    "mail": "read from EMAILS_PATH",
}


def _raw_spec(feed: Feed) -> dg.AssetSpec:
    columns = [dg.TableColumn(field.name, str(field.type)) for field in segment_schema(feed)]
    what = "Reference data" if feed.name in REFERENCE else "Records that belong to a customer"
    return dg.AssetSpec(
        RAW_KEYS[feed.name],
        description=f"{what}, verbatim, from `{feed.path or 'exported e-mails'}`; {_HOW[feed.kind]}, landed as "
        "immutable segments that one ledger transaction makes visible.",
        metadata={
            "dagster/column_schema": dg.TableSchema(columns=columns),
            "path": feed.path,
            "reading": feed.kind,
        },
        **described("source", "parquet"),
    )


@dg.multi_asset(
    name="advance", specs=[_raw_spec(feed) for feed in FEEDS.values()], can_subset=True, pool=SOURCE_POOL
)
def raw(
    context: dg.AssetExecutionContext, migration: Migration, config: Reading
) -> Iterator[dg.MaterializeResult[None]]:
    """Advance the selected feeds; what is new becomes one generation.

    Asking all parents takes hours where there are very many: then each portion becomes a generation of its own, and
    a run that was stopped goes on behind the last one.
    """
    feeds = [FEEDS[key.path[-1]] for key in sorted(context.selected_asset_keys)]
    found: dict[str, list[Advance]] = {feed.name: [] for feed in feeds}
    generation, sweep = None, config.sweep
    with plain_words(), migration.source_to_myself("advancing the feeds"):
        while feeds:
            cursors, at = migration.ledger.cursors(), utc_now()
            advances = asyncio.run(_advance(migration, feeds, cursors, sweep=sweep))
            faults.point("segments_landed")
            generation = migration.ledger.commit_generation(advances, cursors) or generation
            faults.point("generation_committed")
            visible = migration.ledger.latest_generation()
            migration.ledger.record_polls([_poll(one, at, visible) for one in advances])
            for one in advances:
                found[one.feed].append(one)
            feeds, sweep = [FEEDS[one.feed] for one in advances if not one.drained], False
    context.log.info("generation %s", generation if generation is not None else "none: nothing new arrived")
    for name, parts in found.items():
        remark = "; ".join(one.remark for one in parts if one.remark)
        if remark:
            context.log.info("%s: %s", name, remark)
        segments = [segment for one in parts for segment in one.segments]
        yield dg.MaterializeResult(
            asset_key=RAW_KEYS[name],
            metadata={
                "began": parts[0].began.isoformat(),
                "drained": parts[-1].drained,
                "dagster/row_count": sum(segment.rows for segment in segments),
                "rows_read": sum(one.rows for one in parts),
                "pages": sum(one.pages for one in parts),
                "segments": len(segments),
                "bytes": sum(segment.bytes for segment in segments),
                **({"remark": remark} if remark else {}),
                **({} if generation is None else {"generation": generation}),
            },
        )


def _poll(one: Advance, at: str, generation: int) -> Poll:
    whole = "" if one.whole_since is None else one.whole_since.isoformat(timespec="microseconds")
    began = one.began.isoformat(timespec="microseconds")
    return Poll(one.feed, began, at, one.drained, generation, whole, utc_now())


async def _advance(
    migration: Migration, feeds: list[Feed], cursors: dict[str, str], *, sweep: bool
) -> list[Advance]:
    settings = migration.settings
    credentials = credentials_of(settings)
    hosts = Hosts(credentials.api_url, settings.hosts)
    spool = settings.home / "source-spool"
    rmtree(spool, ignore_errors=True)  # what a stopped run left; the lease makes this one alone with it
    rows: Counter[str] = Counter()
    stage = Stage("", "export")

    def on_progress(progress: Progress) -> None:
        rows[progress.feed] = progress.rows
        stage(rows.total(), None)

    async with (
        DispatchProClient(credentials, calls_per_second=settings.dispatch_pro_calls_per_second) as client,
        Downloads(client, hosts, spool) as downloads,
    ):
        moment = await client.time()
        extent = Extent(
            committed=committed(migration.ledger, migration.ledger.latest_generation()),
            read_at=migration.ledger.read_at(),
            sweep=sweep or last_sweep_is_due(migration.ledger, moment),
            files=Files(downloads, settings.file_limit, settings.oversized),
            emails=settings.emails_path,
            now=client.now,
        )
        found = await advance(client, feeds, cursors, migration.data / "raw", extent, on_progress=on_progress)
    stage(rows.total(), rows.total())
    return found


@dg.asset(deps=list(RAW_KEYS.values()), pool=SOURCE_POOL, **described("source", "duckdb", "parquet"))
def placement(context: dg.AssetExecutionContext, migration: Migration) -> dg.MaterializeResult[None]:
    """For every source record its root and its winning version, as of the newest generation.

    A root is a customer after merges. The first history is written once more in order of roots, so that reading a
    batch costs the batch's size.
    """
    with plain_words(), migration.source_to_myself("placing records"):
        generation = migration.ledger.latest_generation()
        summary = _summary(migration, generation) or _place(migration, generation)
    return dg.MaterializeResult(
        metadata={
            "generation": generation,
            "dagster/row_count": sum(summary.placed.values()),
            "waiting_for_parent": sum(summary.waiting.values()),
            "placed": {feed: int(count) for feed, count in summary.placed.items()},
            "waiting": {feed: int(count) for feed, count in summary.waiting.items() if count},
        }
    )


def _place(migration: Migration, generation: int) -> PlacementSummary:
    segments = committed(migration.ledger, generation)
    previous = newest_placed(migration.data, generation - 1)
    stage = Stage("", "placement")
    feeds: list[str] = []

    def on_progress(feed: str, _rows: int) -> None:
        feeds.append(feed)
        stage(len(feeds), len(FEEDS) - len(REFERENCE))

    found = build_placement(migration.data, segments, generation, previous=previous, on_progress=on_progress)
    faults.point("placement_written")
    return found


def _placed_generation(migration: Migration) -> int:
    """The newest generation that can be planned: another advance may just be placing a newer one."""
    newest = migration.ledger.latest_generation()
    return newest_placed(migration.data, newest) or newest


def _summary(migration: Migration, generation: int) -> PlacementSummary | None:
    """What a placement holds that stands already: it would become the same again."""
    try:
        index = read_index(migration.data, generation)
    except PlacementMissing:
        return None
    return PlacementSummary(generation, index.placed, index.waiting)


@dg.asset(deps=[placement], io_manager_key=FRAMES, pool=SOURCE_POOL, **described("source", "pandas"))
def features(migration: Migration) -> dg.MaterializeResult[pd.DataFrame]:
    """What each root has that a sample should cover, and which values choices and labels can have."""
    with plain_words():
        generation = _placed_generation(migration)
        segments = committed(migration.ledger, generation)
        staff = read_reference(migration.data, segments, generation, ("technicians",))
        found = root_features(migration.data, generation, reference=staff)
    return dg.MaterializeResult(
        value=found, metadata={"generation": generation, "features": int(found["feature"].nunique())}
    )


@dg.asset(deps=[placement], io_manager_key=FRAMES, pool=SOURCE_POOL, **described("plan", "sql"))
def batches(
    context: dg.AssetExecutionContext, migration: Migration, features: pd.DataFrame
) -> dg.MaterializeResult[pd.DataFrame]:
    """The batch plan: the sample and the waves of the full migration, once; later a delta whenever none waits.

    Each becomes a partition. The frame tells what the sample shows of the tenant as it was planned, and why not where
    it does not.
    """
    ledger = migration.ledger
    with plain_words(), migration.source_to_myself("planning batches"):
        planned = ledger.manifests()
        covered = _kept_coverage(migration) if planned else None
        if not planned or covered is None:
            covered = _plan_all(migration, features)
        delta = _plan_delta(migration, features) if planned else None
    manifests = ledger.manifests()
    generation, scope = ledger.latest_generation(), ledger.bound_scope()
    lags = lag(ledger)
    add_batches(context.instance, [manifest.key for manifest in manifests])
    waves = [manifest for manifest in manifests if manifest.kind == "wave"]
    tokens = sum(manifest.tokens for manifest in waves)
    rate, day = migration.requests_per_second, migration.tokens_per_day
    requests = tokens / 5
    return dg.MaterializeResult(
        value=covered,
        metadata={
            "generation": generation,
            "newly_planned": len(manifests) - len(planned),
            "batches": len(manifests),
            "deltas": sum(manifest.kind == "delta" for manifest in manifests),
            "deltas_waiting": len(waiting(ledger, "" if scope is None else scope.account)),
            **({} if delta is None else _delta_facts(delta)),
            **({} if lags is None else {"lag_seconds": lags}),
            "records": sum(manifest.records for manifest in waves),
            "tokens": tokens,
            "eta_seconds": round(requests / rate, 1) if rate else 0.0,
            "days": round(tokens / day, 2) if day else 0.0,
            **_sample_facts(manifests, covered),
            "plan": _table(
                {"batch": m.key, "roots": len(m.roots), "records": m.records, "tokens": m.tokens}
                for m in manifests[-SHOWN:]
            )
            if manifests
            else "no batches: the tenant has no customers",
        },
    )


def _plan_all(migration: Migration, features: pd.DataFrame) -> pd.DataFrame:
    """Plan the sample and the waves, where there are none; what the sample shows."""
    ledger, data = migration.ledger, migration.data
    generation = _placed_generation(migration)
    sizes = root_sizes(data, generation)
    known = with_commercial(features, data, generation, sizes)
    plan_batches(
        ledger,
        generation=generation,
        sizes=sizes,
        features=known,
        tokens_per_day=migration.tokens_per_day,
        wave_records=migration.settings.wave_records,
    )
    return sample_coverage(ledger, data, first_loads(sizes, known), known)


def _kept_coverage(migration: Migration) -> pd.DataFrame | None:
    """What the sample shows, as its planning left it."""
    try:
        return from_parquet((migration.data / "frames" / "batches.parquet").read_bytes())
    except FileNotFoundError:
        return None


def _plan_delta(migration: Migration, features: pd.DataFrame) -> Manifest | None:
    ledger, data = migration.ledger, migration.data
    generation, scope = _placed_generation(migration), ledger.bound_scope()

    def priced(roots: Sequence[int]) -> pd.DataFrame:
        sizes = root_sizes(data, generation)
        mine = sizes[sizes["root"].isin(list(roots))]
        return first_loads(mine, with_commercial(features, data, generation, mine))

    return plan_delta(
        ledger,
        "" if scope is None else scope.account,
        generation=generation,
        touched=lambda since, upto: touched_roots(data, since, upto),
        priced=priced,
    )


def _delta_facts(delta: Manifest) -> dict[str, "dg.RawMetadataValue"]:
    """What the delta covers that was planned just now."""
    return {
        "delta": delta.key,
        "delta_customers": len(delta.roots),
        "delta_records_at_most": delta.records,
        "delta_tokens_at_most": delta.tokens,
        "delta_after_generation": delta.generation_from,
        "delta_upto_generation": delta.generation_to,
    }


def _sample_facts(manifests: Sequence[Manifest], covered: pd.DataFrame) -> dict[str, "dg.RawMetadataValue"]:
    """How large the sample is, what it shows by kind, what it lacks and why."""
    sample = next((m for m in manifests if m.kind == "sample"), None)
    if sample is None:
        return {}
    seen, lacking = covered[covered["kind"] != PASSED_OVER], covered[covered["root"].isna()]
    by_kind = seen["root"].groupby(seen["kind"], sort=True)
    facts: dict[str, dg.RawMetadataValue] = {
        "sample_customers": len(sample.roots),
        "sample_records": sample.records,
        "sample_covers": int(seen["root"].notna().sum()),
        "sample_lacks": int(seen["root"].isna().sum()),
        "customers_passed_over": len(covered) - len(seen),
    }
    if len(seen):
        facts["coverage"] = _table(
            {"kind": str(kind), "in the tenant": len(roots), "in the sample": int(roots.notna().sum())}
            for kind, roots in by_kind
        )
    if len(lacking):
        facts["not_in_the_sample"] = _table(
            {"kind": row["kind"], "what": row["what"], "why": row["why"]}
            for row in lacking.head(SHOWN).astype(str).to_dict("records")
        )
    return facts


def _table(rows: Iterable[Mapping[str, str | int]]) -> dg.TableMetadataValue:
    return dg.MetadataValue.table([dg.TableRecord(dict(row)) for row in rows])
