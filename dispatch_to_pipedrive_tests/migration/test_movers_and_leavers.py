"""A tenant whose records move, leave and come back: after its deltas the account is that of a fresh migration."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from dispatch_to_pipedrive_tests.acceptance.accounts import ENTITIES, comparable, stamp
from dispatch_to_pipedrive_tests.migration.journey import Journey, journey, rows
from dispatch_to_pipedrive_tests.program import owner_email
from dispatch_to_pipedrive_tests.sandbox_process import Sandbox

MINUTE = 60
STAYS = {("activities", "location")}
"""What Pipedrive cannot clear: it stays as it was."""
Record = dict[str, Any]


@dataclass(frozen=True)
class Cast:
    """Who plays, by the ids of the tenant's records."""

    winner: int
    other: int
    loser: int
    middle: int
    mover: int
    leaver: int
    grows: int
    shrinks: int
    moved_job: int
    recanceled_job: int
    canceled_job: int
    wavering_job: int
    visits: tuple[int, int]
    site: int
    merged_site: int
    note: int
    job_note: int
    contact: int
    site_contact: int
    named: str
    tag: int
    file: int
    invoice: int


def make_cast(sandbox: Sandbox) -> Cast:
    """Give the generated tenant some more customers, as they are before the migration."""
    change = sandbox.change
    homes = [one for one in rows(sandbox, "crm/v2", "customers") if one["active"] and not one["mergedToId"]]
    winner, other = (one["id"] for one in homes[:2])
    tag = rows(sandbox, "settings/v2", "tag-types")[0]["id"]

    def customer(name: str, type: str = "Residential", **more: Any) -> int:
        made: Record = change("create", entity="customer", fields={"name": name, "type": type}, **more)
        return int(made["id"])

    def job(owner: int, **fields: Any) -> int:
        made: Record = change("create", entity="job", customer=owner, fields=fields)
        return int(made["id"])

    loser, middle = customer("Loser", phone="5555550101"), customer("Middle", email="middle@example.com")
    mover, leaver, grows = customer("Mover"), customer("Leaver"), customer("Grows", phone="5555550102")
    moved, wavering = job(mover, tagTypeIds=[tag]), job(mover, summary="A")
    shrinks = customer("Shrinks Ltd.", type="Commercial")
    for owner in (loser, middle, leaver, grows, shrinks):
        job(owner)
    first = next(v["id"] for v in rows(sandbox, "jpm/v2", "appointments") if v["jobId"] == wavering)
    second = change("create", entity="appointment", job=wavering)["id"]
    site = change("create", entity="location", customer=mover, fields={"name": "Second site"})["id"]
    merged = change("create", entity="location", customer=mover, fields={"name": "Third site"})["id"]
    visited = change("create", entity="job", customer=mover, location=merged)["id"]
    change("add_note", entity="customer", id=loser, text="Of the loser")
    return Cast(
        winner=winner,
        other=other,
        loser=loser,
        middle=middle,
        mover=mover,
        leaver=leaver,
        grows=grows,
        shrinks=shrinks,
        moved_job=moved,
        recanceled_job=job(grows),
        canceled_job=visited,
        wavering_job=wavering,
        visits=(first, second),
        site=site,
        merged_site=merged,
        note=change("add_note", entity="customer", id=mover, text="To be deleted")["id"],
        job_note=change("add_note", entity="job", id=moved, text="To be deleted, too")["id"],
        contact=change("add_contact", type="Phone", value="5555550103", customer=mover)["id"],
        site_contact=change("add_contact", type="Phone", value="5555550104", location=site)["id"],
        named=change("add_named_contact", name="Nora Named", customer=mover)["id"],
        tag=tag,
        file=change("add_attachment", job=moved, name="plan.pdf", size=2000)["id"],
        invoice=change("add_invoice", job=moved, total="120.00")["id"],
    )


def change_first(sandbox: Sandbox, cast: Cast) -> None:
    """What happens before the first delta."""
    change = sandbox.change
    change("merge", loser=cast.loser, winner=cast.middle)
    change("move", job=cast.moved_job, customer=cast.other)
    change("cancel", job=cast.recanceled_job, memo="Not now")
    change("edit", entity="job", id=cast.wavering_job, fields={"summary": "B"})
    change("edit", entity="customer", id=cast.grows, fields={"type": "Commercial", "name": "Grows Inc."})
    change("edit", entity="customer", id=cast.shrinks, fields={"type": "Residential"})
    change("delete_appointment", appointment=cast.visits[0])
    change("delete_note", entity="customer", id=cast.note)
    change("delete_note", entity="job", id=cast.job_note)
    change("deactivate", entity="customer_contacts", id=cast.contact)
    change("remove_tag", entity="job", id=cast.moved_job, tag=cast.tag)
    change("delete_attachment", id=cast.file)
    change("add_payment", invoice=cast.invoice, amount="20.00")


def change_then(sandbox: Sandbox, cast: Cast) -> None:
    """What happens before the second delta, or is seen with it."""
    change = sandbox.change
    change("merge", loser=cast.middle, winner=cast.winner, move=True)
    change("uncancel", job=cast.recanceled_job)
    change("edit", entity="job", id=cast.wavering_job, fields={"summary": "A"})
    change("merge", entity="location", loser=cast.merged_site, winner=cast.site, move=True)
    change("cancel", job=cast.canceled_job)
    change("deactivate", entity="customer", id=cast.leaver)
    change("archive_contact", contact=cast.named)
    change("edit", entity="location", id=cast.site, fields={"customerId": cast.other})
    change("rename", entity="tag_types", id=cast.tag, name="Called otherwise")
    fresh = change("create", entity="tag_types", fields={"name": "New tag", "active": True})["id"]
    change("add_tag", entity="job", id=cast.wavering_job, tag=fresh)
    change("add_tag", entity="customer", id=cast.grows, tag=cast.tag)
    change("add_note", entity="job", id=cast.moved_job, text="Written later")
    newcomer = {"name": "Nick Newcomer", "email": owner_email(sandbox), "active": True}
    somebody = change("create", entity="technicians", fields=newcomer)["id"]
    change("reassign", appointment=cast.visits[1], technician=somebody)
    change("add_attachment", job=cast.moved_job, name="later.pdf", size=1500)


def put_note(sandbox: Sandbox, deal: int) -> int:
    """A note that a person writes on a deal of ours."""
    answer = httpx.post(
        f"{sandbox.pipedrive_url}/api/v1/notes",
        headers={"x-api-token": sandbox.env["PIPEDRIVE_API_TOKEN"]},
        json={"content": "Call back", "deal_id": deal},
    )
    return int(answer.raise_for_status().json()["data"]["id"])


def living(dump: Record) -> dict[tuple[str, str], Record]:
    """What an account holds of ours, without ids: (entity, stamp) → the record, comparable with another account's."""
    ours = {
        entity: [r for r in dump["entities"][entity] if not r.get("is_deleted") and stamp(dump, entity, r)]
        for entity in ENTITIES
    }
    found = comparable({**dump, "entities": {**dump["entities"], **ours}})
    return {(entity, str(r["stamp"])): r for entity in ENTITIES for r in found[entity]}


def differences(one: Record, other: Record) -> list[tuple[str, ...]]:
    """Where two accounts differ: entity, stamp, field and both values."""
    ours, theirs = living(one), living(other)
    found: list[tuple[str, ...]] = []
    for key in sorted(ours.keys() | theirs.keys()):
        left, right = ours.get(key, {"stamp": "missing"}), theirs.get(key, {"stamp": "missing"})
        names = sorted(left.keys() | right.keys()) if key in ours and key in theirs else ["stamp"]
        found += [
            (*key, name, str(left.get(name)), str(right.get(name)))
            for name in names
            if (left.get(name) or None) != (right.get(name) or None) and (key[0], name) not in STAYS
        ]
    return found


def deal_of(dump: Record, job: int) -> Record:
    (found,) = (
        r
        for r in dump["entities"]["deals"]
        if stamp(dump, "deals", r) == f"job:{job}/deal" and not r.get("is_deleted")
    )
    return found  # type: ignore[no-any-return]


def deliver(road: Journey, key: str, roots: set[int]) -> None:
    """The one delta that waits is this one, and covers these roots."""
    (waiting,) = road.waiting()
    assert waiting.key == key
    assert roots <= set(waiting.roots)
    assert road.run("deliver", key), key
    assert not road.waiting()


@pytest.mark.promise("R018", "R085")
@pytest.mark.parametrize(
    ("order", "late"),
    [(1, 0), pytest.param(-1, 0, marks=pytest.mark.soak), pytest.param(-1, 1, marks=pytest.mark.soak)],
    ids=["in-turn", "backwards", "first-wave-after-the-deltas"],
)
def test_after_its_deltas_the_account_is_that_of_a_fresh_migration(
    order: int, late: int, new_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    """order: of the waves; late: how many of them come after the deltas."""
    sandbox = new_sandbox(customers=2, seed=21, plan="premium", seats=2, no_limits=True)
    empty = sandbox.control("pipedrive", "dump")
    cast = make_cast(sandbox)
    with journey(sandbox, tmp_path / "home", WAVE_RECORDS="80") as road:
        waves = road.begin()
        assert len(waves) > 1
        in_time, after_all = waves[::order][: len(waves) - late], waves[::order][len(waves) - late :]
        for wave in in_time:
            assert road.run("load", wave)
        deal = deal_of(road.dump(), cast.moved_job)["id"]
        note = put_note(sandbox, deal)

        change_first(sandbox, cast)
        sandbox.advance(10 * MINUTE)
        # Its visit shows one generation before it: the job is changed once more while it is not shown yet.
        unseen = sandbox.change("create", entity="job", customer=cast.winner)["id"]
        sandbox.advance(10 * MINUTE)
        sandbox.change("edit", entity="job", id=unseen, fields={"summary": "Late"})
        road.advance(6 * MINUTE)
        deliver(road, "delta-0001", {cast.loser, cast.middle, cast.mover, cast.other, cast.grows})
        change_then(sandbox, cast)
        road.advance()
        deliver(road, "delta-0002", {cast.middle, cast.winner, cast.mover, cast.other, cast.leaver})
        for wave in after_all:
            assert road.run("load", wave)
        road.writes()
        assert not road.advance(0)
        assert road.run("load", waves[0])  # an old batch, run last
        assert road.writes() == 0
        after = road.dump()
    moved = deal_of(after, cast.moved_job)
    assert moved["id"] == deal
    assert {n["id"] for n in after["entities"]["notes"] if n.get("deal_id") == deal} >= {note}

    sandbox.control("pipedrive", "load", empty)
    with journey(sandbox, tmp_path / "fresh") as road:
        road.begin(approve=False)
        sample, everything = road.ledger.manifests()
        # So small that the sample is all of it, but what is nobody's.
        assert set(sample.roots) == set(everything.roots) - {0}
        assert road.run("load", sample.key)
        fresh = road.dump()
    assert differences(after, fresh) == []
