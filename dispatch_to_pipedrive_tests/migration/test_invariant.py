"""The program's invariant, literally.

Batches may run in any order, twice, or crash half-way between any two steps of the ledger, and responses may be lost
after the server has committed: the account ends in the same state, which is what the roots want at the newest
generation, with no duplicate and no loss.
"""

import os
import uuid
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dispatch_to_pipedrive.migration import changes, load, resolve
from dispatch_to_pipedrive.migration.ledger import tables
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle import Settled
from dispatch_to_pipedrive.migration.values import ENTITIES, Intent, Outcome
from dispatch_to_pipedrive_tests.migration.tenants import RootVersion, Tenant
from dispatch_to_pipedrive_tests.migration.world import Crash, World, dies_at, fresh_ledger
from dispatch_to_pipedrive_tests.postgres import Contents

EXAMPLES = int(os.environ.get("INVARIANT_EXAMPLES", "120"))

versions = st.builds(
    RootVersion,
    commercial=st.booleans(),
    contacts=st.integers(0, 2),
    jobs=st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 2)), max_size=2).map(tuple),
    flavour=st.integers(0, 3),
    photos=st.sampled_from([0] * 9 + [1, 2, 3]),
    remarks=st.sampled_from([0] * 9 + [1, 2]),
)
histories = st.lists(versions, min_size=1, max_size=3)
rooms = st.integers(0, 9).flatmap(lambda n: st.lists(histories, min_size=3, max_size=8 if n else 40))


@st.composite
def runs(draw: st.DrawFn, generations: int, roots: int) -> list[tuple[range, int, int | None]]:
    """Loads in any order: (roots of the batch, generation, point at which the process dies or None)."""
    half = max(1, roots // 2)
    batches = [range(1, half + 1), range(half + 1, roots + 1), range(1, roots + 1)]
    return draw(
        st.lists(
            st.tuples(
                st.sampled_from(batches),
                st.integers(1, generations),
                st.none() | st.integers(0, 80),
            ),
            min_size=1,
            max_size=3,
        )
    )


def check_invariant(world: World, data: st.DataObject) -> None:
    tenant = Tenant(dict(enumerate(data.draw(rooms), start=1)), world.maps)
    everything = range(1, len(tenant.roots) + 1)
    lost = data.draw(st.sampled_from([0.0, 0.05, 0.3]))
    world.reset()
    if lost:
        fault = {
            "kind": "lost_after_commit",
            "rate": lost,
            "seed": data.draw(st.integers(0, 99)),
            "method": "POST|PATCH|PUT|DELETE",
        }
        world.control("faults", {"rules": [fault]})
    for roots, generation, crash in data.draw(runs(tenant.generations, len(tenant.roots))):
        with suppress(Crash):
            world.load(tenant, roots, generation, crash=dies_at(crash))
    world.load(tenant, everything, tenant.generations)
    world.control("faults", {"clear": True})
    verdicts = world.verify(tenant, everything, tenant.generations)
    assert verdicts.differences == []
    wanted = {entity: len(frame) for entity, frame in tenant.frames(everything, tenant.generations).items()}
    assert world.alive() == wanted
    if data.draw(st.sampled_from([True, False, False, False])):
        assert_costs_nothing(world, tenant, data.draw(st.integers(1, tenant.generations)))
    with world.ledger() as ledger:
        assert ledger.broken_chain_at() is None


_SETTINGS = settings(
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
    database=None,
)


def holds_for(world: World, examples: int) -> None:
    @settings(_SETTINGS, max_examples=examples)
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        check_invariant(fresh_ledger(world), data)

    holds()


@pytest.mark.promise("R035")
@pytest.mark.parametrize("part", range(4))
def test_batches_in_any_order_with_crashes_end_in_the_same_state(part: int, world: World) -> None:
    holds_for(world, EXAMPLES // 4)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(50))
def test_five_thousand_tenants(part: int, world: World) -> None:
    holds_for(world, 100)


def test_the_same_holds_on_postgresql(world_on_postgres: World) -> None:
    contents = Contents(world_on_postgres.ledger_url, tables.metadata)

    @settings(_SETTINGS, max_examples=max(1, EXAMPLES * 20 // 120))
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        contents.put_back()
        check_invariant(world_on_postgres, data)

    holds()


async def _settles_nothing(session: Session, schema: object, intents: Sequence[Intent]) -> Settled:
    """What settling would be if every open intent were simply given up."""
    outcomes = [Outcome(x, "absent", 0) for x in intents if x.entity in ENTITIES]
    session.ledger.record(session.scope, session.fence, outcomes=outcomes)
    return Settled(absent=[o.intent for o in outcomes])


def test_the_invariant_fails_without_settling(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "settle", _settles_nothing)
    world.reset()
    world.control("faults", {"kind": "lost_after_commit", "method": "POST", "nth": [3]})
    tenant = plain_tenant(world)
    copy = fresh_ledger(world)
    copy.load(tenant, list(tenant.roots), 1)
    copy.control("faults", {"clear": True})
    assert [d.verdict for d in copy.verify(tenant, list(tenant.roots), 1).differences] == ["extra"]


def test_the_invariant_fails_without_the_equality_check(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.reset()
    tenant = plain_tenant(world)
    copy = fresh_ledger(world)
    copy.load(tenant, list(tenant.roots), 1)
    assert_costs_nothing(copy, tenant, 1)
    monkeypatch.setattr(resolve, "digest_of", lambda _: uuid.uuid4().hex)
    monkeypatch.setattr(
        changes,
        "changed_names",
        lambda _s, _e, names, _before, after: [n for n in names if after[n] is not None],
    )
    with pytest.raises(AssertionError):
        assert_costs_nothing(copy, tenant, 1)


def assert_costs_nothing(world: World, tenant: Tenant, generation: int) -> None:
    """A load of what stands there already writes nothing, nor does one of an older generation."""
    before = world.control("stats")["writes"]
    world.load(tenant, list(tenant.roots), generation)
    assert world.control("stats")["writes"] == before


def plain_tenant(world: World) -> Tenant:
    """Six roots, half of them commercial, each with an open job that has one visit."""
    return Tenant({r: (RootVersion(r % 2 == 0, 1, ((r % 2, 1),), 0),) for r in range(1, 7)}, world.maps)
