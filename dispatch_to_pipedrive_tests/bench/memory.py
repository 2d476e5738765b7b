"""How much memory does a process of a migration of 200,000 customers take, step by step?

Each step runs in a process of its own; all but export and placement have loaded all that a run loads, Dagster
included. The sandbox is not counted, it is no process of the migration.
"""

import asyncio
import hashlib
import uuid
from pathlib import Path
from typing import Any

import pandas as pd

from dispatch_to_pipedrive.dispatch_pro.placement import root_features, root_sizes
from dispatch_to_pipedrive.dispatch_pro.placement.profile import source_profile
from dispatch_to_pipedrive.mapping import load_maps
from dispatch_to_pipedrive.migration.files import Fetch, Fetched
from dispatch_to_pipedrive.migration.load import load_entity
from dispatch_to_pipedrive.migration.loading import Load
from dispatch_to_pipedrive.migration.owners import fallback_row
from dispatch_to_pipedrive.migration.plan import plan_batches
from dispatch_to_pipedrive.migration.prepare import apply_schema, read_schema
from dispatch_to_pipedrive.migration.resolve import Owners
from dispatch_to_pipedrive.migration.session import Session, writing
from dispatch_to_pipedrive.migration.values import Manifest
from dispatch_to_pipedrive.orchestration import build, readback, road
from dispatch_to_pipedrive.pipedrive.budget import TokenBudget
from dispatch_to_pipedrive.pipedrive.client import PipedriveClient
from dispatch_to_pipedrive.settings import Settings
from dispatch_to_pipedrive_tests.bench import large_account, loading, tenants
from dispatch_to_pipedrive_tests.bench.child import Took, in_own_process
from dispatch_to_pipedrive_tests.bench.figures import Figure
from dispatch_to_pipedrive_tests.sandbox_process import start_sandbox

GOAL = 1024.0
WAVES = 3
RECORDS = {
    "organizations": 20_000,
    "persons": 215_000,
    "deals": 450_000,
    "activities": 540_000,
    "files": 450_000,
    "notes": 450_000,
}
"""What 200,000 customers come to in the account; files and notes as the forecast assumes them, one a job."""
FILE_BYTES = 100_000
"""Of each file that the wave brings along; what large ones take is measured elsewhere."""
assert build.ASSETS  # what a run loads


def peaks(home: str, exported: Took, placed: Took) -> list[Figure]:
    """One line a step, for a home whose export and placement were measured on the way."""
    with start_sandbox(customers=3, seed=7, no_limits=True, plan="ultimate") as sandbox:
        url = {"env": sandbox.env, "home": home}
        steps = {
            "export": exported,
            "placement": placed,
            "profile": in_own_process(profile, home=home),
            "features and batch plan": in_own_process(plan, home=home),
            f"{WAVES} waves normalized, mapped and totalled": in_own_process(prepare_waves, home=home),
            "one wave loaded": in_own_process(load_wave, **url),
            f"{sum(RECORDS.values())} records listed, swept, a wave compared": in_own_process(
                read_back, **url
            ),
        }
    return [
        Figure(
            f"memory: {name}",
            took.peak / 2**20,
            GOAL,
            "MiB",
            detail=f"{took.seconds:.0f} s, {took.cpu:.0f} s computing",
        )
        for name, took in steps.items()
    ]


def profile(home: str) -> int:
    """What the asset `source_profile` does; the number of its rows."""
    return len(source_profile(tenants.data_of(home), tenants.committed(home), tenants.GENERATION))


def plan(home: str) -> int:
    """What the assets `features` and `batches` do; the number of batches."""
    data, ledger = tenants.data_of(home), tenants.ledger_of(home)
    sizes = root_sizes(data, tenants.GENERATION)
    features = road.with_commercial(root_features(data, tenants.GENERATION), data, tenants.GENERATION, sizes)
    features.to_parquet(Path(home) / "features.parquet")
    plan_batches(
        ledger,
        generation=tenants.GENERATION,
        sizes=sizes,
        features=features,
        tokens_per_day=None,
        wave_records=None,
    )
    return len(ledger.manifests())


def prepare_waves(home: str) -> list[int]:
    """A few waves the way to their logical form, totals compared, one after the other; records of each."""
    return [sum(map(len, _logical(home, manifest).values())) for manifest in _waves(home)[:WAVES]]


def load_wave(env: dict[str, str], home: str) -> dict[str, int]:
    """Make the schema, then one wave from its source frames to the account; records made of each entity."""
    return asyncio.run(_load_wave(env, home))


async def _load_wave(env: dict[str, str], home: str) -> dict[str, int]:
    ledger, maps, made = tenants.ledger_of(home), load_maps(tenants.MAPPINGS), {}
    wave = _waves(home)[0]
    async with writing(
        ledger, loading.access_to(env, "unlimited"), purpose="bench", batch=wave.key
    ) as session:
        await apply_schema(session, tenants.needs_of(home, _features(home)))
        ledger.save_owners(session.scope.account, [fallback_row(session.user_id, "nobody@example.com")])
        schema, owners = await read_schema(session), Owners({}, session.user_id)
        frames = _logical(home, wave)
        for entity, frame in frames.items():
            load = Load(session, schema, maps[entity], owners, wave, fetch=_made_up(Path(home) / "spool"))
            report = await load_entity(load, frame)
            made[entity] = report.created
        large_account.know(ledger, session.scope, session.fence, RECORDS)
    return made


def _made_up(spool: Path) -> Fetch:
    """Fetches bytes that only the name of the source decides: nobody serves the files of the wave."""
    spool.mkdir(exist_ok=True)

    async def fetch(source: str) -> Fetched:
        name = hashlib.sha256(source.encode()).digest()
        content = (name * (FILE_BYTES // len(name) + 1))[:FILE_BYTES]
        path = spool / uuid.uuid4().hex
        path.write_bytes(content)
        return Fetched(path, FILE_BYTES, hashlib.sha256(content).hexdigest(), "image/png")

    return fetch


def read_back(env: dict[str, str], home: str) -> dict[str, int]:
    """List an account of full size, sweep it for strays, compare a wave; how often each verdict fell."""
    return asyncio.run(_read_back(env, home))


async def _read_back(env: dict[str, str], home: str) -> dict[str, int]:
    access, maps = loading.access_to(env, "unlimited"), load_maps(tenants.MAPPINGS)
    async with writing(tenants.ledger_of(home), access, purpose="bench") as session:
        schema = await read_schema(session)
        transport = large_account.Grown(schema, RECORDS)
        async with PipedriveClient(
            access.api_url, access.api_token, TokenBudget("unlimited"), transport=transport
        ) as client:
            session.client = client
            found = await readback.take_reading(session, schema, Path(home))
            verdicts = await _compare(session, schema, maps, home, found)
    if verdicts.differences:
        raise AssertionError(f"{len(verdicts.differences)} differences, e.g. {verdicts.differences[:3]}")
    return dict(verdicts.records)


async def _compare(session: Session, schema: Any, maps: Any, home: str, found: readback.Reading) -> Any:
    wave = _waves(home)[0]
    frames = road.by_entity(road.normalized(tenants.data_of(home), session.ledger, wave, Settings()))
    means = readback.Means(session, schema, maps, tenants.data_of(home), Settings())
    return await readback.compare_batch(means, wave, road.mapped(maps, frames, "USD"), found)


def _features(home: str) -> pd.DataFrame:
    return pd.read_parquet(Path(home) / "features.parquet")


def _logical(home: str, wave: Manifest) -> tenants.Frames:
    data, ledger = tenants.data_of(home), tenants.ledger_of(home)
    frames = road.by_entity(road.normalized(data, ledger, wave, Settings()))
    maps = load_maps(tenants.MAPPINGS)
    logical = road.mapped(maps, frames, "USD")
    differences = road.totals_that_differ(data, ledger, wave, logical, maps, Settings())
    if len(differences):
        raise AssertionError(f"{len(differences)} totals differ:\n{differences.head()}")
    return logical


def _waves(home: str) -> list[Manifest]:
    waves = [m for m in tenants.ledger_of(home).manifests() if m.kind == "wave"]
    return waves[len(waves) // 2 :]
