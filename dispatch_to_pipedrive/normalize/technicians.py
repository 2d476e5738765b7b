"""Who did the work: the technicians of appointments and jobs, and which of them owns the deal."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from dispatch_to_pipedrive.normalize.leftovers import left, same_root
from dispatch_to_pipedrive.normalize.lists import listed, texts
from dispatch_to_pipedrive.normalize.times import order, utc


@dataclass(frozen=True)
class Crew:
    """The assignments in their order: job_id, appointment_id, technician_id, technician_name; and id → name, email."""

    assignments: pd.DataFrame
    roster: pd.DataFrame
    leftovers: list[pd.DataFrame]


def crew(
    frames: Mapping[str, pd.DataFrame], reference: Mapping[str, pd.DataFrame], visits: pd.DataFrame
) -> Crew:
    """The active assignments to the appointments in `visits` (id, job_id), oldest first."""
    rows = frames["appointment_assignments"]
    inactive = ~rows["active"].fillna(True).astype(bool)
    lost = ~same_root(rows, rows["appointment_id"], visits) & ~inactive
    nobody = rows["technician_id"].isna() & ~inactive & ~lost
    leftovers = [
        left("appointment_assignments", rows, inactive, "inactive assignment"),
        left("appointment_assignments", rows, lost, "its appointment is not carried"),
        left("appointment_assignments", rows, nobody, "assignment of nobody"),
    ]
    kept = rows[~inactive & ~lost & ~nobody]
    kept = kept.assign(at=order(utc(kept, "appointment_assignments", "assigned_on")).fillna(""))
    kept = kept.drop(columns=["job_id"]).merge(
        visits[["id", "job_id"]].rename(columns={"id": "appointment_id"}), on="appointment_id", how="left"
    )
    kept = kept.sort_values(["at", "id"], kind="stable", ignore_index=True)
    roster = (
        reference["technicians"].drop_duplicates("id").set_index("id")[["name", "email"]].astype("string")
    )
    columns = ["job_id", "appointment_id", "technician_id", "technician_name"]
    return Crew(kept[columns], roster, leftovers)


def last_assigned(crew_: Crew, of: str, ids: pd.Series) -> pd.Series:
    """The technician assigned last to each job (`of` job_id) or appointment (`of` appointment_id)."""
    last = crew_.assignments.drop_duplicates(of, keep="last").set_index(of)["technician_id"]
    return ids.map(last).astype("Int64")


def emails(crew_: Crew, technicians: pd.Series) -> pd.Series:
    """The e-mail of each technician as the source has it; the id of one who has none, since people decide by it."""
    found = technicians.map(crew_.roster["email"]).astype("string").str.strip()
    known = technicians.where(technicians.isin(crew_.roster.index)).astype("string")
    return found.where((found != "").fillna(False), known)


def names(crew_: Crew, of: str, ids: pd.Series, *, but: pd.Series | None = None) -> pd.Series:
    """For each job or appointment the list of its technicians as `Name (id)` by id, without the one in `but`."""
    rows = crew_.assignments.drop_duplicates([of, "technician_id"], keep="last")
    rows = rows.sort_values("technician_id", kind="stable")
    if but is not None:
        owner = rows[of].map(pd.Series(but.to_numpy(), index=pd.Index(ids))).astype("Int64")
        rows = rows[(rows["technician_id"] != owner).fillna(True)]
    number = rows["technician_id"].astype("string")
    name = rows["technician_id"].map(crew_.roster["name"]).astype("string").fillna(rows["technician_name"])
    return listed(ids, rows[of], texts(name.fillna("Technician") + " (" + number + ")"))
