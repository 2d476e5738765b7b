"""Who works at the source while it is moved? The office of a tenant: one change after another, the same by a seed.

Every change is one that people or their software can make. Left out is what the default map says it does not follow: a
job type or technician renamed, whose names stand in texts.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx

from dispatch_to_pipedrive_tests.sandbox_process import Sandbox

Record = dict[str, Any]
_OPEN = ("Scheduled", "Dispatched", "InProgress", "Hold")
_WORDS = ("Anna", "Bogdan", "Çelik", "Desert", "Émile", "Fox & Sons", "Gómez", "High <Line>", "Ida", "Jürgen")
_BUCKETS = ("P1 Emergency", "P4 Next day", "P8 Whenever")


@dataclass
class Office:
    """People of one tenant. `done` counts what they did by name, `recent` are the last changes in words."""

    sandbox: Sandbox
    seed: int = 1
    done: Counter[str] = field(default_factory=Counter)
    recent: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = Random(f"office {self.seed}")
        self._http = httpx.Client(base_url=f"{self.sandbox.dispatch_url}/_control", verify=False, timeout=30)
        self._ids: dict[str, list[Any]] = {}
        self._made = 0

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def change(self, kind: str = "") -> str:
        """Make one change, of a kind if it is named; answers its kind."""
        for _ in range(200):
            name = kind or self._chance.choices(tuple(KINDS), [weight for weight, _ in KINDS.values()])[0]
            if KINDS[name][1](self):
                self.done[name] += 1
                return name
        raise AssertionError(f"nothing is left to change: {kind or 'any kind'}")

    # --- what the kinds of changes are made of --------------------------------------------------------------

    def act(self, action: str, **parameters: Any) -> bool:
        """Carry out an action of the tenant's control endpoint; False where the tenant does not allow it."""
        answer = self._http.post("/tenant", json={"action": action, **parameters})
        if answer.status_code == httpx.codes.BAD_REQUEST:
            return False
        for change in answer.raise_for_status().json()["changes"]:
            known = self._of(change["feed"])
            if change["id"] not in known[-40:] and change["id"] not in known:
                known.append(change["id"])
        self._made += 1
        self.recent = [*self.recent[-199:], f"{action} {parameters}"]
        return True

    def some(self, feed: str, suits: Callable[[Record], bool] = lambda _: True) -> Record | None:
        """A record that suits, None if a few looks find none."""
        for _ in range(12):
            ids = self._of(feed)
            if not ids:
                return None
            chosen = self._chance.choice(ids)
            answer = self._http.get(f"/tenant/{feed}/{chosen}")
            if answer.status_code == httpx.codes.NOT_FOUND:
                ids.remove(chosen)
                continue
            found: Record = answer.raise_for_status().json()
            if suits(found):
                return found
        return None

    def number(self, low: int, high: int) -> int:
        """A number of chance."""
        return self._chance.randint(low, high)

    def text(self, what: str) -> str:
        """A text that nobody has written before."""
        return f"{what} {self._chance.choice(_WORDS)} {self.seed}.{self._made}"

    def soon(self) -> datetime:
        """An hour within the next weeks."""
        now = datetime.fromisoformat(self._http.get("/clock").json()["now"]).astimezone(UTC)
        return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=self.number(20, 900))

    def _of(self, feed: str) -> list[Any]:
        if feed not in self._ids:
            self._ids[feed] = self._http.get(f"/tenant/{feed}").raise_for_status().json()
        return self._ids[feed]


def _there(record: Record) -> bool:
    return bool(record.get("active", True)) and not record.get("mergedToId")


def _open(job: Record) -> bool:
    return job["jobStatus"] in _OPEN


# --- customers, their sites and people ------------------------------------------------------------------------


def _new_customer(office: Office) -> bool:
    kind = "Commercial" if office.number(0, 2) == 0 else "Residential"
    fields = {"type": kind, "name": office.text("New")}
    address = f"new{office.number(1, 10**9)}@mail.example"
    return office.act("create", entity="customer", fields=fields, email=address, phone="6025550123")


def _rename_customer(office: Office) -> bool:
    one = office.some("customers", _there)
    return one is not None and office.act(
        "edit", entity="customer", id=one["id"], fields={"name": office.text("Customer")}
    )


def _turn_commercial(office: Office) -> bool:
    one = office.some("customers", lambda x: _there(x) and x["type"] == "Residential")
    return one is not None and office.act(
        "edit", entity="customer", id=one["id"], fields={"type": "Commercial"}
    )


def _new_site(office: Office) -> bool:
    one = office.some("customers", _there)
    street = {**one["address"], "street": f"{office.number(1, 999)} New Way"} if one else {}
    return one is not None and office.act(
        "create", entity="location", customer=one["id"], fields={"address": street}
    )


def _move_house(office: Office) -> bool:
    one = office.some("locations", _there)
    street = f"{office.number(1, 999)} {office.text('Road')}"
    return one is not None and office.act(
        "edit", entity="location", id=one["id"], fields={"address.street": street}
    )


def _merge_customers(office: Office) -> bool:
    loser, winner = office.some("customers", _there), office.some("customers", _there)
    if loser is None or winner is None or loser["id"] == winner["id"]:
        return False
    return office.act("merge", loser=loser["id"], winner=winner["id"], move=office.number(0, 1) == 1)


def _merge_sites(office: Office) -> bool:
    loser = office.some("locations", _there)
    owner = loser["customerId"] if loser else None
    winner = office.some("locations", lambda x: _there(x) and x["customerId"] == owner)
    if loser is None or winner is None or loser["id"] == winner["id"]:
        return False
    move = office.number(0, 1) == 1
    return office.act("merge", entity="location", loser=loser["id"], winner=winner["id"], move=move)


def _switch_customer(office: Office) -> bool:
    """Off where it is on, on where it is off."""
    one = office.some("customers", lambda x: not x["mergedToId"])
    return one is not None and office.act(
        "deactivate" if one["active"] else "activate", entity="customer", id=one["id"]
    )


def _contact(office: Office) -> bool:
    feed, role = (("customers", "customer"), ("locations", "location"))[office.number(0, 1)]
    one = office.some(feed, _there)
    value = f"{office.number(2_000_000_000, 9_999_999_999)}"
    return one is not None and office.act(
        "add_contact", type="MobilePhone", value=value, memo=office.text("Cell"), **{role: one["id"]}
    )


def _drop_contact(office: Office) -> bool:
    feed = ("customer_contacts", "location_contacts")[office.number(0, 1)]
    one = office.some(feed, _there)
    return one is not None and office.act("deactivate", entity=feed, id=one["id"])


def _person(office: Office) -> bool:
    one = office.some("customers", _there)
    ways = [["Email", f"person{office.number(1, 10**9)}@mail.example"]]
    return one is not None and office.act(
        "add_named_contact", name=office.text("Person"), customer=one["id"], methods=ways
    )


def _archive_person(office: Office) -> bool:
    one = office.some("named_contacts", lambda x: not x["isArchived"])
    return one is not None and office.act("archive_contact", contact=one["id"])


def _reach_person(office: Office) -> bool:
    if office.number(0, 2) == 0:
        way = office.some("contact_methods")
        return way is not None and office.act("remove_method", id=way["id"])
    one = office.some("named_contacts", lambda x: not x["isArchived"])
    value = f"{office.number(2_000_000_000, 9_999_999_999)}"
    return one is not None and office.act("add_method", contact=one["id"], type="MobilePhone", value=value)


def _unrelate_person(office: Office) -> bool:
    one = office.some("contact_relationships")
    return one is not None and office.act("unrelate", contact=one["contactId"], entity=one["relatedEntityId"])


# --- jobs and visits ------------------------------------------------------------------------------------------


def _new_job(office: Office) -> bool:
    one, who = office.some("customers", _there), office.some("technicians", _there)
    if one is None or who is None:
        return False
    return office.act(
        "create",
        entity="job",
        customer=one["id"],
        technician=who["id"],
        start=office.soon().isoformat(),
        fields={"summary": f"<p>{office.text('Job')}</p>"},
    )


def _edit_job(office: Office) -> bool:
    one = office.some("jobs")
    what = ({"summary": f"<p>{office.text('Do')}</p>"}, {"priority": "Urgent"}, {"priority": "Low"})
    return one is not None and office.act(
        "edit", entity="job", id=one["id"], fields=what[office.number(0, 2)]
    )


def _bucket(office: Office) -> bool:
    one = office.some("jobs")
    value = _BUCKETS[office.number(0, 2)]
    return one is not None and office.act(
        "set_custom_field", entity="job", id=one["id"], name="Dispatch Pro Priority", value=value
    )


def _cancel(office: Office) -> bool:
    job, why = office.some("jobs", _open), office.some("job_cancel_reasons", _there)
    return (
        job is not None
        and why is not None
        and office.act("cancel", job=job["id"], reason=why["id"], memo=office.text("Because"))
    )


def _uncancel(office: Office) -> bool:
    one = office.some("jobs", lambda x: bool(x["jobStatus"] == "Canceled"))
    return one is not None and office.act("uncancel", job=one["id"])


def _complete(office: Office) -> bool:
    one = office.some("jobs", _open)
    return one is not None and office.act("complete", job=one["id"])


def _move_job(office: Office) -> bool:
    job, one = office.some("jobs"), office.some("customers", _there)
    if job is None or one is None or job["customerId"] == one["id"]:
        return False
    return office.act("move", job=job["id"], customer=one["id"])


def _new_visit(office: Office) -> bool:
    one = office.some("jobs", _open)
    return one is not None and office.act(
        "create", entity="appointment", job=one["id"], start=office.soon().isoformat()
    )


def _reschedule(office: Office) -> bool:
    one = office.some("appointments", lambda x: _there(x) and x["status"] == "Scheduled")
    start = office.soon()
    times = {"start": _z(start), "end": _z(start + timedelta(hours=3))}
    return one is not None and office.act("edit", entity="appointment", id=one["id"], fields=times)


def _z(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _delete_visit(office: Office) -> bool:
    one = office.some("appointments", lambda x: _there(x) and x["status"] != "Done")
    return one is not None and office.act("delete_appointment", appointment=one["id"])


def _reassign(office: Office) -> bool:
    visit, who = office.some("appointments", _there), office.some("technicians", _there)
    return (
        visit is not None
        and who is not None
        and office.act("reassign", appointment=visit["id"], technician=who["id"])
    )


def _timesheet(office: Office) -> bool:
    visit, who = office.some("appointments", _there), office.some("technicians", _there)
    if visit is None or who is None:
        return False
    start = datetime.fromisoformat(visit["start"]) + timedelta(minutes=office.number(1, 30))
    times = {"dispatchedOn": _z(start), "arrivedOn": _z(start + timedelta(minutes=9)), "canceledOn": None}
    of = {"jobId": visit["jobId"], "appointmentId": visit["id"], "technicianId": who["id"]}
    return office.act(
        "create",
        entity="job_timesheets",
        fields={**of, **times, "doneOn": _z(start + timedelta(minutes=office.number(20, 200)))},
    )


def _call(office: Office) -> bool:
    one = office.some("jobs")
    return one is not None and office.act("add_call", job=one["id"], minutes=office.number(1, 9))


# --- tags, notes, files, money --------------------------------------------------------------------------------


def _tag(office: Office) -> bool:
    feed = ("customers", "jobs", "locations")[office.number(0, 2)]
    one, tag = office.some(feed, _there), office.some("tag_types", _there)
    return (
        one is not None
        and tag is not None
        and office.act("add_tag", entity=feed, id=one["id"], tag=tag["id"])
    )


def _untag(office: Office) -> bool:
    feed = ("customers", "jobs", "locations")[office.number(0, 2)]
    one = office.some(feed, lambda x: _there(x) and bool(x["tagTypeIds"]))
    return one is not None and office.act("remove_tag", entity=feed, id=one["id"], tag=one["tagTypeIds"][0])


def _rename_tag(office: Office) -> bool:
    one = office.some("tag_types", _there)
    return one is not None and office.act("rename", entity="tag", id=one["id"], name=office.text("Tag"))


def _note(office: Office) -> bool:
    feed, role = (("customers", "customer"), ("locations", "location"), ("jobs", "job"))[office.number(0, 2)]
    one = office.some(feed, _there)
    text = f"<p>{office.text('Note')}</p>"
    return one is not None and office.act(
        "add_note", entity=role, id=one["id"], text=text, pinned=office.number(0, 1) == 1
    )


def _delete_note(office: Office) -> bool:
    role = ("customer", "location", "job")[office.number(0, 2)]
    one = office.some(f"{role}_notes", _there)
    return one is not None and office.act("delete_note", entity=role, id=one["id"])


def _file(office: Office) -> bool:
    one = office.some("jobs")
    return one is not None and office.act(
        "add_attachment", job=one["id"], name=f"{office.text('photo')}.jpg", size=office.number(100, 4_000)
    )


def _delete_file(office: Office) -> bool:
    one = office.some("job_attachments")
    return one is not None and office.act("delete_attachment", id=one["id"])


def _invoice(office: Office) -> bool:
    one = office.some("jobs")
    total = f"{office.number(-50, 900)}.{office.number(10, 99)}"
    return one is not None and office.act("add_invoice", job=one["id"], total=total)


def _pay(office: Office) -> bool:
    one = office.some("invoices", lambda x: _there(x) and float(x["balance"]) > 1)
    part = round(float(one["balance"]) / office.number(1, 3), 2) if one else 0
    return one is not None and office.act("add_payment", invoice=one["id"], amount=f"{part:.2f}")


def _void(office: Office) -> bool:
    feed = ("invoices", "payments")[office.number(0, 1)]
    one = office.some(feed, _there)
    return one is not None and office.act("deactivate", entity=feed, id=one["id"])


KINDS: dict[str, tuple[int, Callable[[Office], bool]]] = {
    change.__name__.strip("_"): (weight, change)
    for weight, change in (
        *((4, _new_customer), (4, _rename_customer), (1, _turn_commercial), (2, _new_site), (3, _move_house)),
        *((2, _merge_customers), (2, _merge_sites), (1, _switch_customer), (4, _contact), (3, _drop_contact)),
        *((2, _person), (1, _archive_person), (2, _reach_person), (1, _unrelate_person)),
        *((6, _new_job), (6, _edit_job), (3, _bucket), (3, _cancel), (4, _uncancel), (4, _complete)),
        *((4, _move_job), (5, _new_visit), (5, _reschedule), (4, _delete_visit), (5, _reassign)),
        *((4, _timesheet), (3, _call), (5, _tag), (4, _untag), (2, _rename_tag), (6, _note)),
        *((4, _delete_note), (4, _file), (3, _delete_file), (5, _invoice), (4, _pay), (3, _void)),
    )
}
"""Name → how often it happens beside the others, and what carries it out."""
