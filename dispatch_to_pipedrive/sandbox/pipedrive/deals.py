"""What is special about a deal? Stage and pipeline, status and its times, archiving, the plan's cap on open deals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import capped, not_allowed, validation
from .store import Record

if TYPE_CHECKING:
    from .account import Account

_TIMES = ("won_time", "lost_time", "close_time")


def on_create(account: Account, record: Record, read: Record) -> None:
    """Fill in what a new deal was not given and refuse what it may not have."""
    if read.get("is_deleted"):
        raise validation(["is_deleted: A deal cannot be created as deleted"])
    record.pop("is_deleted", None)
    record.setdefault("value", 0)
    record.setdefault("status", "open")
    if "currency" not in record:
        if not account.habits["fill_currency"]:
            raise validation(["currency: This value is required."])
        record["currency"] = account.currency
    _place(account, record, read, None)
    _status(account, {}, record, read)
    _archive(record, read)
    if record["status"] == "open":
        require_room(account)


def on_change(account: Account, before: Record, after: Record, read: Record) -> None:
    """Carry out a change of a deal."""
    if before.get("is_archived"):
        if not (read.get("is_archived") is False and account.capabilities["unarchive"]):
            raise validation(["is_archived: Archived deals cannot be updated"])
        after["archive_time"] = None
    if "is_deleted" in read:
        raise validation([not_allowed("is_deleted")])
    _place(account, after, read, before)
    _status(account, before, after, read)
    _archive(after, read)
    if after["status"] == "open" and before.get("status") != "open":
        require_room(account)


def require_room(account: Account) -> None:
    """Raise Refused where the plan allows no further open deal."""
    if account.open_deals >= account.cap("open_deals"):
        raise capped("Couldn't add the deal. Open deals limit reached.", "feature_capping_deals_limit")


def _place(account: Account, record: Record, read: Record, before: Record | None) -> None:
    """A stage brings its pipeline, a pipeline its first stage; neither means the default pipeline's first stage."""
    if "stage_id" in read:
        home = account.stages[read["stage_id"]]["pipeline_id"]
        if read.get("pipeline_id", home) != home and not account.capabilities["stage_mismatch"]:
            raise validation(["stage_id: The stage does not belong to the pipeline"])
        record["pipeline_id"] = home
    elif "pipeline_id" in read and (before is None or before.get("pipeline_id") != read["pipeline_id"]):
        record["stage_id"] = account.first_stage(read["pipeline_id"])
    elif before is None:
        record["pipeline_id"] = account.default_pipeline()
        record["stage_id"] = record["pipeline_id"] and account.first_stage(record["pipeline_id"])
    if before is not None and record.get("stage_id") != before.get("stage_id"):
        record["stage_change_time"] = record["update_time"]


def _status(account: Account, before: Record, after: Record, read: Record) -> None:
    status, was = after["status"], before.get("status", "open")
    problems = []
    for key, wanted in (("won_time", ("won",)), ("lost_time", ("lost",)), ("close_time", ("won", "lost"))):
        if read.get(key) is None:
            continue
        if status not in wanted:
            problems.append(f"{key}: Can only be set if deal status is {' or '.join(wanted)}")
        elif status != was and not account.capabilities["won_with_time"]:
            problems.append(f"{key}: Can only be set when deal status is already {status}")
    if read.get("lost_reason") is not None and status != "lost":
        problems.append("lost_reason: Can only be set if deal status is lost")
    if problems:
        raise validation(problems)
    if status == was:
        return
    for key in _TIMES:
        if key not in read:
            after[key] = None
    if status == "open":
        after["lost_reason"] = None
        return
    after["close_time"] = after.get("close_time") or after["update_time"]
    after[f"{status}_time"] = after.get(f"{status}_time") or after["update_time"]
    if status == "won":
        after["lost_reason"] = None


def _archive(record: Record, read: Record) -> None:
    if read.get("is_archived"):
        record["archive_time"] = read.get("archive_time") or record["update_time"]
    elif read.get("archive_time") is not None and not record.get("is_archived"):
        raise validation(["archive_time: Can only be set if the deal is archived"])
    if not record.get("is_archived"):
        record.pop("is_archived", None)
        record["archive_time"] = None
