"""`estimate`: what moving so many records takes, and whether a plan does it in time; from counts alone."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer

from dispatch_to_pipedrive.commands.endings import (
    DIFFERENCE,
    OUT,
    plain_end,
    refuse,
    settings_of_process,
)

VISITS_A_JOB, CALLS_A_JOB, NOTES_A_JOB, FILES_A_JOB = 1.3, 1, 1, 1
COMMERCIAL_SHARE, OPEN_SHARE, SITES_A_CUSTOMER = 0.15, 0.05, 1.2
"""What is assumed where a count is not given."""


def estimate(
    customers: Annotated[int, typer.Option(min=0, help="Customers of the tenant.")],
    jobs: Annotated[int, typer.Option(min=0, help="Jobs: each becomes a deal.")],
    appointments: Annotated[
        int | None, typer.Option(min=0, help="Appointments: each becomes an activity (1.3 a job).")
    ] = None,
    commercial: Annotated[
        int | None,
        typer.Option(min=0, help="Commercial customers: an organization on top of the person (15 %)."),
    ] = None,
    site_contacts: Annotated[
        int | None,
        typer.Option(min=0, help="Sites of commercial customers with contacts of their own (as many)."),
    ] = None,
    open_jobs: Annotated[
        int | None, typer.Option(min=0, help="Jobs that are neither completed nor canceled (5 %).")
    ] = None,
    calls: Annotated[
        int | None, typer.Option(min=0, help="Calls and e-mails: each becomes an activity (1 a job).")
    ] = None,
    notes: Annotated[
        int | None, typer.Option(min=0, help="Notes of jobs, customers and sites (1 a job).")
    ] = None,
    files: Annotated[
        int | None, typer.Option(min=0, help="Attachments, photos and images in notes (1 a job).")
    ] = None,
    megabytes_a_file: Annotated[float, typer.Option(min=0, help="Their mean size, for the time alone.")] = 2,
    plan: Annotated[str, typer.Option(help="lite, growth, premium or ultimate.")] = "lite",
    seats: Annotated[int, typer.Option(min=1, help="Paid seats of the company.")] = 1,
    reserve: Annotated[
        float, typer.Option(min=0, help="Left to other apps: below 1 a part of the day, else tokens.")
    ] = 0.1,
    deadline: Annotated[str, typer.Option(help="A date such as 2027-01-31, or a number of days.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
) -> None:
    """Tokens, time and the smallest plan for so many records; ends with 1 where it is not feasible."""
    with plain_end():
        from dispatch_to_pipedrive.mapping import load_maps
        from dispatch_to_pipedrive.migration.forecast import Account, forecast
        from dispatch_to_pipedrive.migration.volume import Volume, schema_size
        from dispatch_to_pipedrive.reports.forecast import answer, forecast_table

        assumed: dict[str, int] = {}

        def given(name: str, count: int | None, otherwise: float) -> int:
            if count is None:
                count = assumed[name] = round(otherwise)
            return count

        visits = given("appointments", appointments, jobs * VISITS_A_JOB)
        companies = given("commercial", commercial, customers * COMMERCIAL_SHARE)
        contacts = given("site-contacts", site_contacts, companies)
        still_open = given("open-jobs", open_jobs, jobs * OPEN_SHARE)
        talks = given("calls", calls, jobs * CALLS_A_JOB)
        written = given("notes", notes, jobs * NOTES_A_JOB)
        filed = given("files", files, jobs * FILES_A_JOB)
        _refuse_contradictions(customers, jobs, visits, companies, contacts, still_open)
        settings = settings_of_process()
        volume = Volume(
            organizations=companies,
            persons=customers + contacts,
            deals=jobs,
            closed_deals=jobs - still_open,
            activities=visits + talks,
            files=filed,
            notes=written,
            parents=jobs + customers + round(customers * SITES_A_CUSTOMER),
            file_bytes=round(filed * megabytes_a_file * 1_000_000),
        )
        try:
            found = forecast(
                volume,
                schema_size(load_maps(settings.maps)),
                Account(plan, seats, reserve),
                deadline_days=_days(deadline, datetime.now(UTC).date()),
                source_calls_a_second=settings.dispatch_pro_calls_per_second,
            ).as_json()
        except ValueError as error:
            refuse(str(error))
        if as_json:
            typer.echo(json.dumps({**found, "assumed": assumed}, indent=2))
        else:
            OUT.print(forecast_table(found))
            if assumed:
                OUT.print("assumed: " + ", ".join(f"--{name} {count:,}" for name, count in assumed.items()))
            OUT.print(answer(found), style="bold", highlight=False)
        if not found["feasible"]:
            raise typer.Exit(DIFFERENCE)


def _refuse_contradictions(
    customers: int, jobs: int, visits: int, companies: int, contacts: int, still_open: int
) -> None:
    if not customers and (jobs or visits):
        refuse("--customers is 0, but a job always has a customer: give the number of customers")
    if not jobs and visits:
        refuse(f"--appointments is {visits}, but there are no jobs: an appointment always has a job")
    if companies > customers:
        refuse(f"--commercial is {companies}, which is more than --customers {customers}")
    if contacts and not companies:
        refuse(f"--site-contacts is {contacts}, but there are no commercial customers")
    if still_open > jobs:
        refuse(f"--open-jobs is {still_open}, which is more than --jobs {jobs}")


def _days(deadline: str, today: date) -> int | None:
    """Days until the deadline, which is a number of days or a date; none is no deadline."""
    deadline = deadline.strip()
    if not deadline:
        return None
    try:
        days = (
            int(deadline) if deadline.lstrip("+-").isdigit() else (date.fromisoformat(deadline) - today).days
        )
    except ValueError:
        refuse(
            f"--deadline is {deadline!r}: give a date such as {today + timedelta(days=30)} or a number of days"
        )
    if days < 1:
        refuse(f"--deadline {deadline} leaves no day: give a later date, or a number of days from 1")
    return days
