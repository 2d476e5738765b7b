"""What a visit is: one activity for each active appointment of a carried job."""

from collections.abc import Mapping

import pandas as pd

from dispatch_to_pipedrive.normalize.addresses import PARTS, Sites
from dispatch_to_pipedrive.normalize.leftovers import left, same_root
from dispatch_to_pipedrive.normalize.lists import listed, texts
from dispatch_to_pipedrive.normalize.sources import SourceHosts
from dispatch_to_pipedrive.normalize.technicians import Crew, emails, last_assigned, names
from dispatch_to_pipedrive.normalize.texts import linking_files, plain
from dispatch_to_pipedrive.normalize.times import order, utc

TIMES = {
    "created_at": "created_on",
    "start": "start",
    "end": "end",
    "arrival_window_start": "arrival_window_start",
    "arrival_window_end": "arrival_window_end",
}


def carried_visits(
    frames: Mapping[str, pd.DataFrame], jobs: pd.DataFrame
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The appointments that become activities."""
    appointments = frames["appointments"]
    inactive = ~appointments["active"].fillna(True).astype(bool)
    homeless = ~same_root(appointments, appointments["job_id"], jobs) & ~inactive
    leftovers = [
        left("appointments", appointments, inactive, "deleted appointment"),
        left("appointments", appointments, homeless, "its job is not carried"),
    ]
    return appointments[~inactive & ~homeless].reset_index(drop=True), leftovers


def of_visits(
    visits: pd.DataFrame,
    jobs: pd.DataFrame,
    deals: pd.DataFrame,
    persons: pd.DataFrame,
    frames: Mapping[str, pd.DataFrame],
    crew: Crew,
    sites: Sites,
    hosts: SourceHosts,
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The visits in the columns of activities (see schemas.SCHEMAS).

    `visit` is "scheduled" where the appointment has a start and an end and stands, else "none": an unused appointment
    and one of a held job that is on hold itself are no visits, and have no time of day.
    """
    of_job = visits[["job_id"]].merge(
        jobs[["id", "location_id", "job_status"]].rename(columns={"id": "job_id"}), on="job_id", how="left"
    )
    columns = [
        "job_id",
        "source_key",
        "organization_key",
        "person_key",
        "customer_name",
        "job_type",
        "business_unit",
    ]
    deal = visits[["job_id"]].merge(
        deals[[*columns, "owner_email"]], on="job_id", how="left", validate="many_to_one"
    )
    number = visits["id"].astype("string")
    times = {name: utc(visits, "appointments", field) for name, field in TIMES.items()}
    stands = ~visits["unused"].fillna(False).astype(bool) & ~_on_hold(visits, of_job)
    scheduled = stands & times["start"].notna() & times["end"].notna()
    technician = last_assigned(crew, "appointment_id", visits["id"])
    worked, unused_sheets = _timesheets(frames["job_timesheets"], visits)
    own_number = visits["appointment_number"].astype("string").str.strip()
    own_email = emails(crew, technician)
    frame = pd.DataFrame(
        {
            "source_key": "appointment:" + number + "/activity",
            "kind": "visit",
            "stamp": "Dispatch Pro appointment " + number,
            "root": visits["root"],
            "appointment_id": visits["id"],
            "appointment_number": own_number.where(own_number.fillna("") != "", number),
            "deal_key": deal["source_key"],
            "organization_key": deal["organization_key"],
            "participant_keys": _participants(visits, of_job, deal, persons),
            "customer_name": deal["customer_name"],
            "job_type": deal["job_type"],
            "business_unit": deal["business_unit"],
            "status": visits["status"].astype("string"),
            "visit": pd.Series("none", index=visits.index, dtype="string").mask(scheduled, "scheduled"),
            **times,
            "scheduled_start": times["start"],
            "scheduled_end": times["end"],
            "visit_start": times["start"].where(stands),
            "visit_end": times["end"].where(stands),
            "special_instructions": plain(visits["special_instructions"].astype("string"), hosts),
            "technician_id": technician,
            "owner_email": own_email.where(technician.notna(), deal["owner_email"]),
            "technicians": names(crew, "appointment_id", visits["id"]),
        }
    )
    linked = linking_files(visits["special_instructions"].astype("string"), hosts)
    lost = left("appointments.special_instructions", visits, linked, "a file linked in the text")
    return pd.concat([frame, worked, _place(of_job, sites)], axis=1), [*unused_sheets, lost]


def _on_hold(visits: pd.DataFrame, of_job: pd.DataFrame) -> pd.Series:
    held_job = of_job["job_status"].str.casefold() == "hold"
    held_visit = visits["status"].str.casefold() == "hold"
    return (held_job & held_visit).fillna(False).astype(bool)


def _participants(
    visits: pd.DataFrame, of_job: pd.DataFrame, deal: pd.DataFrame, persons: pd.DataFrame
) -> pd.Series:
    """The person of the job's site, if it has one, and the customer's."""
    of_site = persons[persons["location_id"].notna()].set_index("location_id")["source_key"]
    rows = pd.DataFrame(
        {
            "id": pd.concat([visits["id"], visits["id"]], ignore_index=True),
            "key": pd.concat(
                [of_job["location_id"].map(of_site).astype("string"), deal["person_key"]], ignore_index=True
            ),
        }
    )
    rows = rows[rows["key"].notna()]
    return listed(visits["id"], rows["id"], texts(rows["key"]))


def _timesheets(sheets: pd.DataFrame, visits: pd.DataFrame) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """arrived_at, the first arrival, and done_at, the last leaving, of each visit's active timesheets."""
    inactive = ~sheets["active"].fillna(True).astype(bool)
    stray = ~same_root(sheets, sheets["appointment_id"], visits) & ~inactive
    kept = sheets[~inactive & ~stray]
    arrived = _extreme(kept, "arrived_on", keep="first")
    done = _extreme(kept, "done_on", keep="last")
    leftovers = [
        left("job_timesheets", sheets, inactive, "inactive timesheet"),
        left("job_timesheets", sheets, stray, "its appointment is not carried"),
    ]
    worked = {
        "arrived_at": visits["id"].map(arrived).astype("string"),
        "done_at": visits["id"].map(done).astype("string"),
    }
    return pd.DataFrame(worked), leftovers


def _extreme(sheets: pd.DataFrame, field: str, *, keep: str) -> pd.Series:
    at = utc(sheets, "job_timesheets", field)
    rows = pd.DataFrame({"appointment_id": sheets["appointment_id"], "at": at, "key": order(at)})
    rows = rows[at.notna()].sort_values("key", kind="stable")
    one = rows.drop_duplicates("appointment_id", keep="first" if keep == "first" else "last")
    return one.set_index("appointment_id")["at"]


def _place(of_job: pd.DataFrame, sites: Sites) -> pd.DataFrame:
    """The address of the job's location, as location_street and so on."""
    columns = {f"address_{part}": f"location_{part}" for part in PARTS}
    places = sites.locations[["id", *columns]].rename(columns={"id": "location_id", **columns})
    merged = of_job[["location_id"]].merge(places, on="location_id", how="left", validate="many_to_one")
    return merged[list(columns.values())]
