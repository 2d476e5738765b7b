"""The tenant changes while it runs: each action leaves a whole tenant, stamped by the sandbox's clock."""

import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_to_pipedrive.sandbox.clock import DEFAULT_NOW, Clock
from dispatch_to_pipedrive.sandbox.dispatch_pro.bookkeeping import cents
from dispatch_to_pipedrive.sandbox.dispatch_pro.changes import ACTIONS
from dispatch_to_pipedrive.sandbox.dispatch_pro.control import apply
from dispatch_to_pipedrive.sandbox.dispatch_pro.hand import ChangeError, Hand
from dispatch_to_pipedrive.sandbox.dispatch_pro.table import Record
from dispatch_to_pipedrive.sandbox.dispatch_pro.tenant import generate
from dispatch_to_pipedrive.sandbox.dispatch_pro.times import parse_ticks, ticks_of

JANE, BAKERY, JOB, VISIT, INVOICE = 410_000_000, 410_000_001, 500_000_000, 510_000_000, 550_000_000


@pytest.fixture
def hand() -> Hand:
    clock = Clock(DEFAULT_NOW, speed=0)
    clock.advance(3600)
    return Hand(generate(20, 1), clock)


def act(hand: Hand, action: str, **parameters: Any) -> Record:
    return dict(apply(hand, {"action": action, **parameters})["record"])


def rows(hand: Hand, feed: str) -> dict[int, Record]:
    return {record["id"]: record for block in hand.table(feed).blocks() for record in block}


def check_whole(hand: Hand) -> None:
    """What holds in a fresh tenant holds after any change."""
    customers, sites, jobs = rows(hand, "customers"), rows(hand, "locations"), rows(hand, "jobs")
    invoices = rows(hand, "invoices")
    visits = [visit for visit in rows(hand, "appointments").values() if visit["active"]]
    for job in jobs.values():
        assert job["customerId"] in customers
        assert sites[job["locationId"]]["customerId"] == job["customerId"]
        mine = sorted(visit["id"] for visit in visits if visit["jobId"] == job["id"])
        ends = [job["firstAppointmentId"], job["lastAppointmentId"]]
        assert [len(mine), mine[0], mine[-1]] == [job["appointmentCount"], *ends]
        billed = [i for i in invoices.values() if i["job"] and i["job"]["id"] == job["id"]]
        assert sum(cents(i["total"]) for i in billed if i["active"]) == cents(job["total"])
        assert {i["customer"]["id"] for i in billed} <= {job["customerId"]}
    for visit in visits:
        assert visit["customerId"] == jobs[visit["jobId"]]["customerId"]
    paid: dict[int, int] = {}
    for payment in rows(hand, "payments").values():
        for part in payment["appliedTo"] if payment["active"] else ():
            paid[part["appliedTo"]] = paid.get(part["appliedTo"], 0) + cents(part["appliedAmount"])
    for invoice in invoices.values():
        assert cents(invoice["total"]) - cents(invoice["balance"]) == paid.get(invoice["id"], 0)


def test_every_change_bears_a_stamp_of_its_own_by_the_clock(hand: Hand) -> None:
    answers = [act(hand, "rename", entity="tag_types", id=3301, name=f"Name {n}") for n in range(5)]
    stamps = [parse_ticks(answer["modifiedOn"]) for answer in answers]
    assert stamps == sorted(set(stamps))
    assert stamps[0] == ticks_of(DEFAULT_NOW) + 3600 * 10_000_000
    last = list(hand.table("tag_types").blocks())[-1][-1]
    assert last["name"] == "Name 4"


def test_a_new_customer_has_a_location_and_a_new_job_a_visit_and_an_invoice(hand: Hand) -> None:
    customer = act(
        hand, "create", entity="customer", fields={"name": "New"}, email="n@example.com", phone="602"
    )
    contacts = hand.of("customer_contacts", "customerId", customer["id"])
    assert {contact["value"] for contact in contacts} == {"n@example.com", "602"}
    job = act(
        hand, "create", entity="job", customer=customer["id"], technician=602, start="2026-06-20T15:00:00Z"
    )
    visit = hand.of("appointments", "jobId", job["id"])[0]
    assert visit["start"] == "2026-06-20T15:00:00Z"
    crew = hand.of("appointment_assignments", "appointmentId", visit["id"])
    assert [one["technicianId"] for one in crew] == [602]
    assert [i["id"] for i in hand.of("invoices", "jobId", job["id"])] == [job["invoiceId"]]
    act(hand, "create", entity="appointment", job=job["id"], hours=1)
    assert hand.get("jobs", job["id"])["appointmentCount"] == 2
    check_whole(hand)


def test_a_cancellation_can_be_taken_back(hand: Hand) -> None:
    act(hand, "cancel", job=JOB, memo="No <time>")
    assert hand.get("jobs", JOB)["jobStatus"] == "Canceled"
    entries = hand.of("job_canceled_logs", "jobId", JOB)
    assert [(entry["memo"], entry["active"]) for entry in entries] == [("No <time>", True)]
    act(hand, "uncancel", job=JOB)
    assert hand.get("jobs", JOB)["jobStatus"] == "Scheduled"
    assert [entry["active"] for entry in hand.of("job_canceled_logs", "jobId", JOB)] == [False]
    with pytest.raises(ChangeError, match="not canceled"):
        act(hand, "uncancel", job=JOB)
    act(hand, "complete", job=JOB)
    assert hand.get("jobs", JOB)["completedOn"]


@pytest.mark.parametrize("move", [True, False])
def test_a_merge_leaves_an_inactive_loser_that_names_the_winner(hand: Hand, move: bool) -> None:
    jobs = {job["id"] for job in hand.of("jobs", "customerId", JANE)}
    act(hand, "merge", loser=JANE, winner=BAKERY, move=move)
    loser = hand.get("customers", JANE)
    assert (loser["active"], loser["mergedToId"]) == (False, BAKERY)
    after = {hand.get("jobs", job)["customerId"] for job in jobs}
    assert after == ({BAKERY} if move else {JANE})
    check_whole(hand)


def test_two_locations_merge_and_their_jobs_go_along(hand: Hand) -> None:
    sites = [site["id"] for site in hand.of("locations", "customerId", BAKERY)]
    act(hand, "merge", entity="location", loser=sites[1], winner=sites[0], move=True)
    assert hand.get("locations", sites[1])["mergedToId"] == sites[0]
    assert not hand.of("jobs", "locationId", sites[1])
    check_whole(hand)


def test_a_job_moves_with_its_visits_and_invoices(hand: Hand) -> None:
    act(hand, "move", job=JOB, customer=BAKERY)
    assert hand.get("jobs", JOB)["customerId"] == BAKERY
    assert hand.table("jobs").where("customerId", JANE).tolist() == [1]
    check_whole(hand)


def test_a_deleted_visit_stays_in_the_feed_inactive(hand: Hand) -> None:
    with pytest.raises(ChangeError, match="only one"):
        act(hand, "delete_appointment", appointment=VISIT)
    job = hand.get("jobs", 500_000_001)
    act(hand, "delete_appointment", appointment=job["firstAppointmentId"])
    assert hand.get("appointments", job["firstAppointmentId"])["active"] is False
    assert hand.get("jobs", job["id"])["firstAppointmentId"] == job["firstAppointmentId"] + 1
    check_whole(hand)


def test_another_technician_is_sent(hand: Hand) -> None:
    act(hand, "reassign", appointment=VISIT, technician=605)
    crew = hand.of("appointment_assignments", "appointmentId", VISIT)
    assert [one["technicianId"] for one in crew if one["active"]] == [605]
    assert any(not one["active"] for one in crew)


def test_invoices_and_payments_keep_the_books_straight(hand: Hand) -> None:
    invoice = act(hand, "add_invoice", job=JOB, total="108.60", tax="8.60")
    payment = act(hand, "add_payment", invoice=invoice["id"], amount="50.10")
    assert hand.get("invoices", invoice["id"])["balance"] == "58.50"
    check_whole(hand)
    act(hand, "deactivate", entity="payment", id=payment["id"])
    assert hand.get("invoices", invoice["id"])["balance"] == "108.60"
    act(hand, "deactivate", entity="invoice", id=invoice["id"])
    assert hand.get("jobs", JOB)["total"] == 389.0
    credit = act(hand, "add_invoice", job=JOB, total=-20, adjustmentToId=INVOICE)
    assert credit["total"] == "-20.00"
    check_whole(hand)


def test_tags_contacts_fields_and_notes(hand: Hand) -> None:
    before = hand.get("customers", JANE)["modifiedOn"]
    contact = act(hand, "add_contact", customer=JANE, type="Email", value="x@example.com", memo="New")
    assert hand.get("customers", JANE)["modifiedOn"] == before
    assert act(hand, "deactivate", entity="customer_contacts", id=contact["id"])["active"] is False
    assert 3305 in act(hand, "add_tag", entity="job", id=JOB, tag=3305)["tagTypeIds"]
    assert 3305 not in act(hand, "remove_tag", entity="job", id=JOB, tag=3305)["tagTypeIds"]
    job = act(
        hand, "set_custom_field", entity="job", id=JOB, name="Dispatch Pro Priority", value="P8 Whenever"
    )
    assert {"typeId": 931, "name": "Dispatch Pro Priority", "value": "P8 Whenever"} in job["customFields"]
    note = act(hand, "add_note", entity="customer", id=JANE, text="Remember")
    act(hand, "delete_note", entity="customer", id=note["id"])
    assert hand.table("customer_notes").get(note["id"]) is None
    note = act(hand, "add_note", entity="job", id=JOB, text="Remember")
    assert act(hand, "delete_note", entity="job", id=note["id"])["active"] is False


def test_a_named_contact_comes_with_methods_and_relations_and_is_archived(hand: Hand) -> None:
    before = hand.get("customers", JANE)["modifiedOn"]
    made = act(
        hand,
        "add_named_contact",
        name="Bo <Boss>",
        customer=JANE,
        location=430_000_000,
        methods=[["Email", "bo@example.com"], ["Fax", "602"]],
    )
    assert hand.get("named_contacts", made["id"]) == made
    methods = hand.of("contact_methods", "contactId", made["id"])
    assert [(m["type"], m["value"]) for m in methods] == [("Email", "bo@example.com"), ("Fax", "602")]
    relations = hand.of("contact_relationships", "contactId", made["id"])
    assert [(r["typeSlug"], r["relatedEntityId"]) for r in relations] == [
        ("customer", JANE),
        ("location", 430_000_000),
    ]
    stamp = made["modifiedOn"]
    act(hand, "remove_method", id=methods[0]["id"])
    act(hand, "relate", contact=made["id"], customer=BAKERY)
    act(hand, "unrelate", contact=made["id"], entity=JANE)
    assert hand.get("named_contacts", made["id"])["modifiedOn"] == stamp
    assert len(hand.of("contact_methods", "contactId", made["id"])) == 1
    relations = hand.of("contact_relationships", "contactId", made["id"])
    assert [r["relatedEntityId"] for r in relations] == [430_000_000, BAKERY]
    assert act(hand, "archive_contact", contact=made["id"])["isArchived"] is True
    assert hand.get("named_contacts", made["id"])["modifiedOn"] > stamp
    assert hand.get("customers", JANE)["modifiedOn"] == before
    with pytest.raises(ChangeError, match="no relation"):
        act(hand, "unrelate", contact=made["id"], entity=JANE)


def test_notes_get_pictures_and_files_come_and_go(hand: Hand) -> None:
    note = act(hand, "add_note", entity="location", id=430_000_000, text="<p>x</p>", images=2, author=1303)
    links = re.findall(r'src="(.*?)"', note["text"])
    assert len(set(links)) == 2
    assert all(link.startswith(hand.tenant.storage + "/images/") for link in links)
    assert note["createdById"] == 1303
    named = act(
        hand, "add_note", entity="job", id=JOB, text="<img src='{storage}/images/abcdefabcdef/x.png'>"
    )
    assert hand.tenant.storage in named["text"]
    one = act(hand, "add_attachment", job=JOB, name="../x", size=10, content="same")
    two = act(hand, "add_attachment", job=JOB, name="../x", size=10, content="same", type="text/html")
    files = [hand.tenant.file(made["id"]) for made in (one, two)]
    assert len({file.sha256() for file in files if file}) == 1
    assert files[1] and files[1].media_type == "text/html"
    act(hand, "delete_attachment", id=one["id"])
    assert hand.tenant.file(one["id"]) is None
    assert [a["id"] for a in hand.of("job_attachments", "jobId", JOB)][-1] == two["id"]
    with pytest.raises(ChangeError, match="no record"):
        act(hand, "delete_attachment", id=one["id"])


def test_a_call_is_about_a_job_of_a_customer_or_of_nobody(hand: Hand) -> None:
    of_job = act(hand, "add_call", job=JOB, minutes=62.5)
    assert (of_job["job"]["id"], of_job["customer"]["id"], of_job["duration"]) == (JOB, JANE, "01:02:30")
    assert hand.of("calls", "jobId", JOB)[-1] == of_job
    of_customer = act(hand, "add_call", customer=BAKERY, direction="Outbound", minutes=0)
    assert (of_customer["job"], of_customer["type"], of_customer["duration"]) == (None, None, "00:00:00")
    nobody = act(hand, "add_call", fields={"from": "Anonymous"})
    assert (nobody["customer"], nobody["from"]) == (None, "Anonymous")
    assert act(hand, "create", entity="tag", fields={"name": "New 🏷"})["active"] is True


def test_a_field_in_an_object_is_edited_by_its_dotted_name(hand: Hand) -> None:
    edited = act(
        hand, "edit", entity="location", id=430_000_000, fields={"address.city": "Yuma", "name": "N"}
    )
    assert (edited["address"]["city"], edited["name"]) == ("Yuma", "N")
    assert edited["address"]["country"] == "USA"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"action": "explode"}, "no action 'explode'"),
        ({"action": "cancel"}, "missing 1 required"),
        ({"action": "edit", "entity": "works", "id": 1, "fields": {}}, "no feed 'works'"),
        ({"action": "edit", "entity": "job", "id": 1, "fields": {}}, "no record 1"),
        ({"action": "merge", "loser": JANE, "winner": JANE}, "two different"),
        ({"action": "move", "job": JOB, "customer": BAKERY, "location": 430_000_000}, "not theirs"),
        (
            {"action": "set_custom_field", "entity": "job", "id": JOB, "name": "No", "value": ""},
            "no custom field",
        ),
        ([], "JSON object"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_with_words(hand: Hand, body: Any, words: str) -> None:
    with pytest.raises(ChangeError, match=words):
        apply(hand, body)


def test_several_actions_go_in_one_call(hand: Hand) -> None:
    answer = apply(hand, {"actions": [{"action": "cancel", "job": JOB}, {"action": "uncancel", "job": JOB}]})
    assert answer["record"]["jobStatus"] == "Scheduled"
    assert {change["feed"] for change in answer["changes"]} == {"jobs", "job_canceled_logs"}
    assert len(ACTIONS) >= 20


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_any_run_of_changes_leaves_a_whole_tenant(seed: int) -> None:
    chance = random.Random(seed)
    hand = Hand(generate(8, seed), Clock(DEFAULT_NOW, speed=0))
    for _ in range(15):
        customers, jobs = rows(hand, "customers"), rows(hand, "jobs")
        alive = [c for c in customers if customers[c]["active"]]
        steps: list[dict[str, Any]] = [
            {"action": "create", "entity": "customer"},
            {"action": "create", "entity": "job", "customer": chance.choice(alive)},
            {"action": "create", "entity": "appointment", "job": chance.choice(list(jobs))},
            {"action": "cancel", "job": chance.choice(list(jobs))},
            {"action": "move", "job": chance.choice(list(jobs)), "customer": chance.choice(alive)},
            {"action": "merge", "loser": alive[0], "winner": alive[-1], "move": True},
            {"action": "delete_appointment", "appointment": chance.choice(list(rows(hand, "appointments")))},
            {"action": "add_invoice", "job": chance.choice(list(jobs)), "total": chance.randint(-500, 5000)},
            {"action": "add_payment", "invoice": chance.choice(list(rows(hand, "invoices"))), "amount": 5},
            {"action": "deactivate", "entity": "payment", "id": chance.choice(list(rows(hand, "payments")))},
            {"action": "activate", "entity": "invoice", "id": chance.choice(list(rows(hand, "invoices")))},
        ]
        try:
            apply(hand, chance.choice(steps))
        except ChangeError:
            continue
    check_whole(hand)
