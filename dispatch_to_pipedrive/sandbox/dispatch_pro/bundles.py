"""How the list of calls shows a call: as a bundle with its job, where the feed has it flat.

The documents have no null for what an unclassified call lacks, so an empty name with id 0 stands there.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from .table import Record, Table

_NOBODY: Record = {"id": 0, "name": ""}


def call_bundles(tables: Mapping[str, Table], calls: Sequence[Record]) -> list[Record]:
    """Calls of the feed in the form of `/telecom/v3/…/calls`."""
    units, kinds = (_by_id(tables[feed]) for feed in ("business_units", "job_types"))
    return [_bundle(tables["jobs"], units, kinds, call) for call in calls]


def _bundle(jobs: Table, units: Mapping[int, Record], kinds: Mapping[int, Record], call: Record) -> Record:
    job = jobs.get(call["job"]["id"]) if call["job"] else None
    unit = units[job["businessUnitId"]] if job else _NOBODY
    kind = kinds[job["jobTypeId"]] if job else {**_NOBODY, "modifiedOn": call["modifiedOn"]}
    return {
        "id": call["id"],
        "jobNumber": job["jobNumber"] if job else "",
        "projectId": (job["projectId"] or 0) if job else 0,
        "businessUnit": {"id": unit["id"], "name": unit["name"]},
        "type": {"id": kind["id"], "name": kind["name"], "modifiedOn": kind["modifiedOn"]},
        "leadCall": {
            "createdOn": call["createdOn"],
            "active": call["active"],
            "id": call["id"],
            "receivedOn": call["createdOn"],
            "duration": call["duration"],
            "from": call["from"],
            "to": call["to"],
            "direction": call["direction"],
            "callType": call["type"],
            "reason": {**(call["reason"] or _NOBODY), "lead": False, "active": True},
            "recordingUrl": call["recordingUrl"] or "",
            "voiceMailUrl": call["voiceMailPath"] or "",
            "createdBy": call["createdBy"] or _NOBODY,
            "customer": call["customer"] or _NOBODY,
            "campaign": call["campaign"] or _NOBODY,
            "modifiedOn": call["modifiedOn"],
            "agent": call["agent"] or _NOBODY,
            "sid": None,
            "tags": None,
        },
    }


def _by_id(table: Table) -> dict[int, Record]:
    rows = np.arange(len(table.ids), dtype=np.int64)
    return {record["id"]: record for record in table.read(rows)}
