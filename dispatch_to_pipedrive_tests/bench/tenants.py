"""Tenants of a known size, exported, placed and mapped: what the figures are measured on."""

import asyncio
import pickle
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.client import Credentials, DispatchProClient
from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.dispatch_pro.placement import (
    CommittedSegment,
    build_placement,
    read_batch,
    read_reference,
    root_features,
    root_sizes,
)
from dispatch_to_pipedrive.dispatch_pro.raw import advance
from dispatch_to_pipedrive.mapping import (
    Maps,
    RenderOptions,
    SchemaNeeds,
    apply,
    load_maps,
    option_values,
    schema_needs,
)
from dispatch_to_pipedrive.migration.ledger import Ledger
from dispatch_to_pipedrive.normalize import NormalizeOptions, normalize
from dispatch_to_pipedrive.normalize.choices import choices
from dispatch_to_pipedrive_tests.bench.child import ROOT
from dispatch_to_pipedrive_tests.sandbox_process import Sandbox, start_sandbox

MAPPINGS = ROOT / "mappings"
GENERATION = 1
SEED = 11
Frames = dict[str, pd.DataFrame]


def exporting(customers: int, **options: Any) -> Sandbox:
    """A sandbox with a tenant to export; without limits unless told otherwise."""
    return start_sandbox(customers=customers, seed=SEED, **{"no_limits": True, **options})


def export(env: dict[str, str], home: str) -> dict[str, Any]:
    """Advance every feed that comes in pages into the home, as the road does; rows, and when pages came (monotonic).

    What is asked one by one (parents, named contacts) takes a call each, so a large tenant of a bench lacks it.
    """
    data, ledger = data_of(home), ledger_of(home)
    pages: list[float] = []

    async def read() -> Any:
        async with DispatchProClient(credentials(env)) as client:
            return await advance(
                client,
                [feed for feed in FEEDS.values() if feed.kind not in ("parent", "contacts")],
                {},
                data / "raw",
                on_progress=lambda _: pages.append(time.monotonic()),
            )

    advances = asyncio.run(read())
    ledger.commit_generation(advances, {})
    return {"rows": sum(a.rows for a in advances), "pages": pages}


def credentials(env: dict[str, str]) -> Credentials:
    """How to get into the sandbox's tenant."""
    return Credentials(
        auth_url=env["DISPATCH_PRO_AUTH_URL"],
        api_url=env["DISPATCH_PRO_API_URL"],
        tenant_id=env["DISPATCH_PRO_TENANT_ID"],
        client_id=env["DISPATCH_PRO_CLIENT_ID"],
        client_secret=env["DISPATCH_PRO_CLIENT_SECRET"],
        app_key=env["DISPATCH_PRO_APP_KEY"],
    )


def data_of(home: str | Path) -> UPath:
    """Where a home keeps segments and placement."""
    return UPath(home) / "data"


def ledger_of(home: str | Path) -> Ledger:
    """A home's ledger: an SQLite file."""
    Path(home).mkdir(parents=True, exist_ok=True)
    return Ledger(f"sqlite:///{Path(home) / 'ledger.db'}")


def committed(home: str | Path) -> list[CommittedSegment]:
    """The segments of a home's only generation."""
    return [CommittedSegment(s.generation, s.feed, s.path) for s in ledger_of(home).segments(GENERATION)]


def place(home: str) -> dict[str, int]:
    """Place a home's records; how many of each feed."""
    return dict(build_placement(data_of(home), committed(home), GENERATION).placed)


def roots_in_the_middle(home: str, count: int) -> list[int]:
    """A contiguous range of so many roots, the house root not among them."""
    roots = [int(root) for root in root_sizes(data_of(home), GENERATION)["root"] if root]
    start = (len(roots) - count) // 2
    return roots[start : start + count]


def source_frames(home: str, roots: Sequence[int]) -> tuple[Frames, Frames]:
    """The source frames of these roots, and the reference frames."""
    data = data_of(home)
    return read_batch(data, GENERATION, roots), read_reference(data, committed(home), GENERATION)


def in_logical_form(maps: Maps, frames: Frames, reference: Frames) -> Frames:
    """Source frames normalized and mapped, by entity."""
    found = normalize(frames, reference, NormalizeOptions())
    return {entity: apply(maps[entity], getattr(found, entity), RenderOptions("USD")) for entity in maps}


def mapped(home: str, roots: Sequence[int]) -> Frames:
    """The logical frames of these roots, by entity."""
    return in_logical_form(load_maps(MAPPINGS), *source_frames(home, roots))


def needs_of(home: str, features: pd.DataFrame) -> SchemaNeeds:
    """What an account must have for the home's tenant, given its features."""
    maps = load_maps(MAPPINGS)
    reference = read_reference(data_of(home), committed(home), GENERATION)
    return schema_needs(maps, option_values(maps, choices(features, reference)))


def prepare_load(customers: int, home: str) -> int:
    """Write what a load of a whole tenant needs (frames, schema needs) into the home; the number of records."""
    with exporting(customers) as sandbox:
        export(sandbox.env, home)
    place(home)
    frames = mapped(home, roots_in_the_middle(home, customers // 2))
    wanted = needs_of(home, root_features(data_of(home), GENERATION))
    (Path(home) / "load.pickle").write_bytes(pickle.dumps((frames, wanted)))
    return sum(map(len, frames.values()))


def prepared_load(home: str) -> tuple[Frames, SchemaNeeds]:
    """What `prepare_load` wrote."""
    frames, wanted = pickle.loads((Path(home) / "load.pickle").read_bytes())
    return frames, wanted


def control(url: str, path: str, body: Any = None) -> Any:
    """Ask (or, with a body, tell) one of a sandbox's control endpoints."""
    method = "GET" if body is None else "POST"
    answer = httpx.request(method, f"{url}/_control/{path}", json=body, timeout=120)
    return answer.raise_for_status().json()
