"""The two ways to bring the same records into a sandbox account: the engine's, and a bare loop's."""

import asyncio
import json
import pickle
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from dispatch_to_pipedrive.mapping import load_maps
from dispatch_to_pipedrive.migration.load import load_entity
from dispatch_to_pipedrive.migration.loading import Load
from dispatch_to_pipedrive.migration.prepare import apply_schema, read_schema
from dispatch_to_pipedrive.migration.resolve import Owners
from dispatch_to_pipedrive.migration.session import AccountAccess, writing
from dispatch_to_pipedrive.migration.values import Manifest
from dispatch_to_pipedrive_tests.bench.tenants import GENERATION, MAPPINGS, ledger_of, prepared_load

CONCURRENCY = 32
_SENT = """
SELECT i.entity, i.body FROM operation i JOIN operation o ON o.intent = i.number
WHERE o.status = 'done' AND i.verb = 'create' ORDER BY i.number
"""


def access_to(env: dict[str, str], plan: str) -> AccountAccess:
    """The account with the program's own defaults."""
    return AccountAccess(
        api_url=env["PIPEDRIVE_API_URL"],
        api_token=env["PIPEDRIVE_API_TOKEN"],
        tenant=env["DISPATCH_PRO_TENANT_ID"],
        plan=plan,
        seats=20,
        reserve=0,
        request_timeout=30,
        lease_seconds=60,
        grace=120,
        concurrency=CONCURRENCY,
    )


def make_schema(env: dict[str, str], home: str, prepared: str, plan: str = "unlimited") -> None:
    """Make the account's schema, with a ledger in the home."""
    _, needs = prepared_load(prepared)

    async def make() -> None:
        async with writing(ledger_of(home), access_to(env, plan), purpose="schema") as session:
            await apply_schema(session, needs)

    asyncio.run(make())


def load(
    env: dict[str, str], home: str, prepared: str, entities: Sequence[str], plan: str, most: int | None = None
) -> dict[str, Any]:
    """Load these entities with the engine, one after the other; requests and seconds of the loading alone."""
    frames, _ = prepared_load(prepared)
    manifest = Manifest("wave-0001", "wave", 0, GENERATION, (), 0, 0)
    maps = load_maps(MAPPINGS)

    async def run() -> dict[str, Any]:
        async with writing(
            ledger_of(home), access_to(env, plan), purpose="bench", batch=manifest.key
        ) as session:
            schema = await read_schema(session)
            before, began = session.client.writes, time.monotonic()
            for entity in entities:
                frame = frames[entity] if most is None else frames[entity].head(most)
                report = await load_entity(
                    Load(session, schema, maps[entity], Owners({}, session.user_id), manifest), frame
                )
                if report.created != len(frame):
                    raise AssertionError(f"{report.created} of {len(frame)} {entity} were made")
            ended = time.monotonic()
            return {
                "requests": session.client.writes - before,
                "began": began,
                "ended": ended,
                "throttled": session.client.throttled,
            }

    return asyncio.run(run())


def keep_requests(home: str, entities: Sequence[str]) -> int:
    """Write down the bodies that the engine posted for these entities, in the order of its intents; how many."""
    with closing(sqlite3.connect(Path(home) / "ledger.db")) as ledger:
        found = ledger.execute(_SENT).fetchall()
    rows = [(entity, json.loads(body)) for entity, body in found if entity in entities]
    (Path(home) / "requests.pickle").write_bytes(pickle.dumps(rows))
    return len(rows)


def post(env: dict[str, str], requests: str, concurrency: int = CONCURRENCY) -> dict[str, Any]:
    """Send the requests that were kept with a bare loop: nothing is remembered, nothing checked but the status."""
    rows = pickle.loads((Path(requests) / "requests.pickle").read_bytes())
    url = f"{env['PIPEDRIVE_API_URL']}/api/v2"
    waiting: Iterator[tuple[str, Any]] = iter(rows)

    async def work(client: httpx.AsyncClient) -> None:
        for entity, body in waiting:
            answer = await client.post(f"{url}/{entity}", json=body)
            answer.raise_for_status()

    async def run() -> dict[str, Any]:
        limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
        headers = {"x-api-token": env["PIPEDRIVE_API_TOKEN"]}
        async with httpx.AsyncClient(headers=headers, limits=limits, timeout=30) as client:
            began = time.monotonic()
            await asyncio.gather(*(work(client) for _ in range(concurrency)))
            return {"requests": len(rows), "began": began, "ended": time.monotonic()}

    return asyncio.run(run())
