"""What a job is worth, whose it is, and how it ended: one deal for each job of a carried customer."""

from collections.abc import Mapping

import pandas as pd

from dispatch_to_pipedrive.normalize.customers import tags
from dispatch_to_pipedrive.normalize.leftovers import left, same_root
from dispatch_to_pipedrive.normalize.money import cents, units
from dispatch_to_pipedrive.normalize.sources import SourceHosts
from dispatch_to_pipedrive.normalize.technicians import Crew, emails, last_assigned, names
from dispatch_to_pipedrive.normalize.texts import linking_files, plain, summary
from dispatch_to_pipedrive.normalize.times import order, utc

PAYMENT_STATES = ("credit", "no_invoice", "paid", "partially_paid", "unpaid")


def carried_jobs(
    frames: Mapping[str, pd.DataFrame], customers: pd.DataFrame, survivor: pd.Series
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The jobs that become deals, with customer_name, organization_key, person_key; location_id after merges."""
    jobs = frames["jobs"]
    inactive = ~jobs["active"].fillna(True).astype(bool)
    homeless = ~jobs["root"].isin(customers["root"]) & ~inactive
    leftovers = [
        left("jobs", jobs, inactive, "deleted job"),
        left("jobs", jobs, homeless, "its customer is not in the export"),
    ]
    owners = customers[["root", "name", "organization_key", "person_key"]].rename(
        columns={"name": "customer_name"}
    )
    kept = jobs[~inactive & ~homeless].merge(owners, on="root", how="left", validate="many_to_one")
    place = kept["location_id"].map(survivor).astype("Int64")
    here = same_root(kept, place, frames["locations"])
    leftovers.append(left("jobs.location_id", kept, ~here, "its location is not among the customer's"))
    return kept.assign(location_id=place.where(here)), leftovers


def deals(
    jobs: pd.DataFrame,
    frames: Mapping[str, pd.DataFrame],
    reference: Mapping[str, pd.DataFrame],
    crew: Crew,
    priority_field: str,
    hosts: SourceHosts,
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The deals' frame (see schemas.SCHEMAS) for the jobs that `carried_jobs` gave; `site_id` is the job's location."""
    number = jobs["id"].astype("string")
    job_number = jobs["job_number"].astype("string").str.strip()
    labels, unknown_tags = tags(jobs, frames["jobs.tag_type_ids"], reference["tag_types"], "jobs")
    job_type, unknown_types = named(
        jobs, "job_type_id", reference["job_types"], "jobs.job_type_id", "job type"
    )
    amounts, unbilled = billed(jobs, frames)
    ended, unended = endings(jobs, frames, reference, hosts)
    technician = last_assigned(crew, "job_id", jobs["id"])
    sold_by = jobs["sold_by_id"].where(jobs["sold_by_id"] != 0)
    technician = technician.fillna(sold_by)
    frame = pd.DataFrame(
        {
            "source_key": "job:" + number + "/deal",
            "root": jobs["root"],
            "job_id": jobs["id"],
            "site_id": jobs["location_id"],
            "job_number": job_number.where(job_number.fillna("") != "", number),
            "job_type": job_type,
            "business_unit": business_unit(jobs, reference),
            "customer_name": jobs["customer_name"],
            "organization_key": jobs["organization_key"],
            "person_key": jobs["person_key"],
            "job_status": jobs["job_status"].astype("string"),
            "priority": _filled(jobs["priority"]),
            "priority_bucket": _bucket(jobs, frames["jobs.custom_fields"], priority_field),
            "labels": labels,
            "created_at": utc(jobs, "jobs", "created_on"),
            "technician_id": technician,
            "owner_email": emails(crew, technician),
            "technicians": names(crew, "job_id", jobs["id"], but=technician),
            "summary": summary(jobs["summary"].astype("string"), hosts),
            "recall_for": _number(jobs["recall_for_id"]),
            "warranty_for": _number(jobs["warranty_id"]),
            "project": _number(jobs["project_id"]),
        }
    )
    frame = pd.concat([frame, amounts, ended], axis=1)
    return frame, [*unknown_tags, unknown_types, *unbilled, *unended]


def business_unit(jobs: pd.DataFrame, reference: Mapping[str, pd.DataFrame]) -> pd.Series:
    """The name of each job's business unit."""
    units_ = reference["business_units"].drop_duplicates("id").set_index("id")["name"]
    return jobs["business_unit_id"].map(units_).astype("string")


def named(
    rows: pd.DataFrame, column: str, kinds: pd.DataFrame, feed: str, word: str
) -> tuple[pd.Series, pd.DataFrame]:
    """The names behind a column of ids, and the rows whose id has none."""
    found = rows[column].map(kinds.drop_duplicates("id").set_index("id")["name"]).astype("string")
    unknown = found.isna() & rows[column].notna()
    return found, left(
        feed, rows, unknown, word + " " + rows[column].astype("string") + " is not in the export"
    )


def billed(jobs: pd.DataFrame, frames: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Value (decimal, cents) and payment_status for each job.

    The value is the sum of the totals of its active invoices, credits negative; without an invoice the job's own
    total; else 0. The payment status compares that sum with what active payments were applied to those invoices.
    """
    invoices, leftovers = _active_invoices(jobs, frames["invoices"])
    payments = frames["payments"]
    void = ~payments["active"].fillna(True).astype(bool)
    applied = frames["payments.applied_to"]
    of_void = applied["id"].isin(payments.loc[void, "id"])
    stray = ~same_root(applied, applied["applied_to"], invoices) & ~of_void
    leftovers += [
        left("payments", payments, void, "inactive payment"),
        left("payments.applied_to", applied, stray, "applied to no active invoice of a carried job"),
    ]
    used = applied[~of_void & ~stray]
    of_job = used["applied_to"].map(invoices.set_index("id")["job_id"]).astype("Int64")
    paid = units(used["applied_amount"]).fillna(0).groupby(of_job.to_numpy()).sum()
    totals = units(invoices["total"]).fillna(0).groupby(invoices["job_id"].to_numpy()).sum()
    invoiced = jobs["id"].map(totals).astype("Int64")
    received = jobs["id"].map(paid).astype("Int64").fillna(0)
    value = invoiced.fillna(units(jobs["total"])).fillna(0)
    status = pd.Series("paid", index=jobs.index, dtype="string")
    status = status.mask((invoiced > 0) & (received < invoiced), "partially_paid")
    status = status.mask((invoiced > 0) & (received <= 0), "unpaid")
    status = status.mask(invoiced < 0, "credit").mask(invoiced.isna(), "no_invoice")
    return pd.DataFrame({"value": cents(value), "payment_status": status}), leftovers


def _active_invoices(jobs: pd.DataFrame, invoices: pd.DataFrame) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    inactive = ~invoices["active"].fillna(True).astype(bool)
    jobless = invoices["job_id"].isna() & ~inactive
    stray = ~same_root(invoices, invoices["job_id"], jobs) & ~inactive & ~jobless
    leftovers = [
        left("invoices", invoices, inactive, "inactive invoice"),
        left("invoices", invoices, jobless, "invoice without a job"),
        left("invoices", invoices, stray, "its job is not carried"),
    ]
    return invoices[~inactive & ~jobless & ~stray], leftovers


def endings(
    jobs: pd.DataFrame,
    frames: Mapping[str, pd.DataFrame],
    reference: Mapping[str, pd.DataFrame],
    hosts: SourceHosts,
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """won_at of completed jobs; lost_at, cancel_reason and cancel_memo of canceled ones, by their last active log."""
    status = jobs["job_status"].str.casefold()
    logs = frames["job_canceled_logs"]
    active = logs["active"].fillna(True).astype(bool)
    logs = logs.assign(at=utc(logs, "job_canceled_logs", "created_on"))
    logs = logs.assign(key=order(logs["at"]).fillna("")).sort_values(["key", "id"], kind="stable")
    active = active.reindex(logs.index)
    last = logs[active].drop_duplicates("job_id", keep="last")
    canceled = jobs.loc[status == "canceled", "id"]
    used = logs["id"].isin(last["id"]) & logs["job_id"].isin(canceled)
    linked = used & linking_files(logs["memo"].astype("string"), hosts)
    leftovers = [
        left("job_canceled_logs", logs, ~used, "not the last active log of a canceled job"),
        left("job_canceled_logs.memo", logs, linked, "a file linked in the text"),
    ]
    reasons = reference["job_cancel_reasons"].drop_duplicates("id").set_index("id")["name"]
    last = last.assign(reason=last["reason_id"].map(reasons).astype("string")).set_index("job_id")
    lost = {
        "lost_at": jobs["id"].map(last["at"]).astype("string"),
        "cancel_reason": _filled(jobs["id"].map(last["reason"])),
        "cancel_memo": plain(_filled(jobs["id"].map(last["memo"])), hosts),
    }
    won = utc(jobs, "jobs", "completed_on").where(status == "completed")
    columns = {"won_at": won, **{name: values.where(status == "canceled") for name, values in lost.items()}}
    return pd.DataFrame(columns), leftovers


def _number(ids: pd.Series) -> pd.Series:
    """Ids of other records as text: a reference by the source's own number, whatever batch that record is in."""
    return ids.where(ids != 0).astype("string")


def _filled(values: pd.Series) -> pd.Series:
    text = values.astype("string").str.strip()
    return text.where(text != "")


def _bucket(jobs: pd.DataFrame, custom: pd.DataFrame, priority_field: str) -> pd.Series:
    """The value of the job custom field that holds the priority bucket."""
    mine = custom[custom["name"].str.strip().str.casefold() == priority_field.casefold()]
    found = mine.assign(value=_filled(mine["value"]))
    found = found[found["value"].notna()].drop_duplicates("id")
    return jobs["id"].map(found.set_index("id")["value"]).astype("string")
