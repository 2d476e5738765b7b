"""Small tenants for the engine's tests: what each root wants at each generation, in logical form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from dispatch_to_pipedrive.mapping.model import ENTITIES, Maps
from dispatch_to_pipedrive.migration.values import Manifest

STATUSES = (("Scheduled", "open"), ("Hold", "open"), ("Completed", "won"), ("Canceled", "lost"))


@dataclass(frozen=True)
class RootVersion:
    """What one root holds at one generation; `flavour` goes into every value that can change.

    photos: on its first job, else on the customer: two equal ones, then one of its own. remarks: notes on the customer,
    each with a picture of its own.
    """

    commercial: bool
    contacts: int
    jobs: tuple[tuple[int, int], ...]  # (status, visits) of each job, None-like (-1) visits: the job is gone
    flavour: int
    photos: int = 0
    remarks: int = 0


@dataclass(frozen=True)
class Tenant:
    """Root → its versions, one a generation."""

    roots: Mapping[int, Sequence[RootVersion]]
    maps: Maps = field(repr=False)

    @property
    def generations(self) -> int:
        return max(len(versions) for versions in self.roots.values())

    def version(self, root: int, generation: int) -> RootVersion:
        versions = self.roots[root]
        return versions[min(generation, len(versions)) - 1]

    def manifest(self, roots: Sequence[int], generation: int, key: str) -> Manifest:
        return Manifest(key, "wave", 0, generation, tuple(roots), 0, 0)

    def frames(self, roots: Sequence[int], generation: int) -> dict[str, pd.DataFrame]:
        rows: dict[str, list[dict[str, Any]]] = {entity: [] for entity in ENTITIES}
        for root in roots:
            for entity, row in _records(root, self.version(root, generation)):
                rows[entity].append(row)
        return {entity: _frame(self.maps, entity, rows[entity]) for entity in ENTITIES}


def _frame(maps: Maps, entity: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = ["source_key", "root", *maps[entity].fields]
    values = np.empty((len(rows), len(columns)), dtype=object)  # one block: pandas looks at no value
    for number, row in enumerate(rows):
        values[number] = [row.get(name) for name in columns]
    return pd.DataFrame(values, columns=columns, copy=False)


def _records(root: int, version: RootVersion) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    organization = None
    if version.commercial:
        organization = f"customer:{root}/organization"
        found.append(
            (
                "organizations",
                _stamped(
                    organization,
                    root,
                    name=f"Company {root} v{version.flavour}",
                    add_time="2020-01-02T03:04:05Z",
                ),
            )
        )
    person = f"customer:{root}/person"
    contact = {
        "emails": [{"value": f"{root}.{version.flavour}@example.com", "label": "work", "primary": True}],
        "phones": [
            {"value": f"+1555{root:04d}{i}", "label": "work", "primary": i == 0}
            for i in range(version.contacts)
        ],
    }
    found.append(
        (
            "persons",
            _stamped(person, root, name=f"Person {root} v{version.flavour}", org_id=organization, **contact),
        )
    )
    for number, (status, visits) in enumerate(version.jobs):
        if visits < 0:
            continue
        job = root * 100 + number
        found.append(("deals", _deal(job, root, version, status, organization, person)))
        found.extend(
            ("activities", _activity(job, visit, root, version, organization, person))
            for visit in range(visits)
        )
    customer = {"org_id": organization} if organization else {"person_id": person}
    jobs = [root * 100 + number for number, (_, visits) in enumerate(version.jobs) if visits >= 0]
    place = {"deal_id": f"job:{jobs[0]}/deal"} if jobs else customer
    found.extend(("files", _photo(root, number, version, place)) for number in range(version.photos))
    for number in range(version.remarks):
        found.extend(_remark(root, number, version, customer))
    return found


def _photo(root: int, number: int, version: RootVersion, place: Mapping[str, str]) -> dict[str, Any]:
    name = "photo.jpg" if number < 2 else f"photo {number} v{version.flavour}.jpg"
    attachment = root * 10 + number
    return {
        "source_key": f"attachment:{attachment}/file",
        "root": root,
        "name": name,
        "content": f"attachment:{attachment}",
        **place,
    }


def _remark(
    root: int, number: int, version: RootVersion, customer: Mapping[str, str]
) -> list[tuple[str, dict[str, Any]]]:
    note = f"customer_note:{root * 10 + number}"
    picture = f"{note}/image-0123456789ab"
    pinned = version.flavour % 2 == 0
    return [
        (
            "files",
            {
                "source_key": picture,
                "root": root,
                "name": "gate.png",
                "content": f"https://files.example/{root}/{number}.png?signature=secret",
                **customer,
            },
        ),
        (
            "notes",
            {
                "source_key": f"{note}/note",
                "root": root,
                "content": f'<p>Remark v{version.flavour} <a href="file:{picture}">gate</a></p>'
                f"[Dispatch Pro customer note {root * 10 + number}]",
                "add_time": "2021-07-01T14:03:22Z",
                "user_id": "author@company.example",
                "pinned_to_deal_flag": False,
                "pinned_to_person_flag": pinned and "person_id" in customer,
                "pinned_to_organization_flag": pinned and "org_id" in customer,
                **customer,
            },
        ),
    ]


def bytes_of(source: str) -> bytes:
    """What a source of a file gives: the first two photos of a root are one and the same."""
    if source.startswith("attachment:"):
        number = int(source.partition(":")[2])
        return b"photo %d" % (number - number % 10 if number % 10 < 2 else number) * 100
    return source.partition("?")[0].encode()


def _stamped(key: str, root: int, **values: Any) -> dict[str, Any]:
    return {"source_key": key, "root": root, "Source_Key__c": key, **values}


def _deal(
    job: int, root: int, version: RootVersion, status: int, organization: str | None, person: str
) -> dict[str, Any]:
    stage, state = STATUSES[status]
    closed = f"2024-05-{1 + version.flavour % 28:02d}T10:00:00Z"
    return _stamped(
        f"job:{job}/deal",
        root,
        title=f"Job {job} v{version.flavour}",
        org_id=organization,
        person_id=person,
        pipeline_id="Dispatch Pro Jobs",
        stage_id={"Canceled": "Canceled", "Completed": "Completed", "Hold": "Hold"}.get(stage, "Scheduled"),
        status=state,
        value=100.5 + version.flavour,
        currency="USD",
        won_time=closed if state == "won" else None,
        lost_time=closed if state == "lost" else None,
        lost_reason="Customer canceled" if state == "lost" else None,
        add_time="2021-06-07T08:09:10Z",
        Source_System_Job_ID__c=str(job),
        Job_Type__c=("Repair", "Install")[version.flavour % 2],
        Original_Created_Date__c="2021-06-07",
    )


def _activity(
    job: int, visit: int, root: int, version: RootVersion, organization: str | None, person: str
) -> dict[str, Any]:
    appointment = job * 10 + visit
    return {
        "source_key": f"appointment:{appointment}/activity",
        "root": root,
        "subject": f"Visit {appointment} v{version.flavour}",
        "type": "meeting",
        "due_date": "2024-05-06",
        "due_time": "15:30",
        "duration": "01:30",
        "done": version.flavour % 2 == 0,
        "deal_id": f"job:{job}/deal",
        "org_id": organization,
        "participants": [person],
        "note": f"Visit v{version.flavour}<br>[Dispatch Pro appointment {appointment}]",
    }
