"""What is uncertain about the vendor, and what does this account do? Capabilities (default: refused) and habits."""

from typing import Any

# Each is UNSURE in the vendor's documents. False: the request is refused, or the feature is not there.
CAPABILITIES: dict[str, bool] = {
    "deal_add_time": False,  # add_time on POST /deals
    "won_with_time": False,  # status won or lost together with won_time, lost_time or close_time
    "label_options_v2": False,  # options of the built-in label fields through v2
    "restore": False,  # PATCH is_deleted:false on a deleted record
    "get_deleted": False,  # GET by id of a deleted record
    "unarchive": False,  # PATCH is_archived:false on an archived deal
    "contact_sync": False,  # a person's postal_address, notes, im, birthday, job_title
    "campaigns": False,  # a person's marketing_status
    "query_token": False,  # ?api_token= instead of the header
    "unknown_query": False,  # unknown query parameters are ignored instead of refused
    "limit_clamped": False,  # limit over the maximum is cut down instead of refused
    "space_times": False,  # "YYYY-MM-DD HH:MM:SS" where v2 wants RFC 3339
    "null_links": False,  # null for a person's org_id, an activity's deal_id and org_id
    "null_address": False,  # null for an address, a location
    "null_activity_dates": False,  # null for due_date, due_time, duration
    "long_duration": False,  # an activity of 24 hours or more
    "activity_defaults": False,  # an activity without subject or type
    "any_email": False,  # an e-mail value without the form of one
    "any_visibility": False,  # visible_to 5 and 7 on plans without visibility groups
    "inactive_owner": False,  # a deactivated user as owner
    "linked_deleted": False,  # a deleted record as somebody's parent
    "stage_mismatch": False,  # stage_id of another pipeline than pipeline_id: the stage wins
    "pipeline_default_stages": False,  # POST /pipelines makes default stages
    "formatted_address": False,  # formatted_address in what is written
    "organization_profile": True,  # website, linkedin, industry, annual_revenue, employee_count
    "empty_file": True,  # a file of no bytes
    "long_file_name": False,  # a file name of more than 255 characters
    "admin": True,  # the token's user may change fields, pipelines, stages, activity types and note authors
}

# What real accounts were seen doing. Numbers are seconds of the sandbox's clock.
HABITS: dict[str, Any] = {
    "sanitize_html": True,
    "reformat_times": True,  # due_time 15:30 is read as 15:30:00
    "fill_address": True,  # an organization's missing address parts come later
    "fill_address_seconds": 5,
    "fill_address_bumps": False,  # … and move update_time
    "label_work": True,  # an e-mail or phone without label gets 'work'
    "fill_org_from_person": True,
    "fill_currency": True,  # a deal without currency gets the company's
    "empty_text_is_null": True,
    "empty_custom_fields_clears": True,  # custom_fields:{} on PATCH clears every custom field
    "sparse_open_deals": True,  # open deals leave out won_time, lost_time, expected_close_date, org_id when null
    "daily_headers": True,  # x-daily-ratelimit-token-*
    "search_lag": 0,
    "retry_after": False,  # a Retry-After header on 429
    "file_megabytes": 50,  # larger files are refused
    "keep_file_bytes": True,  # False: only size and hash are kept, a download answers 410
    "automation": False,  # {"to_stage": id, "seconds": n, "from_stage": id or absent}
}


class SwitchError(ValueError):
    """A switch nobody knows, or a value it cannot take."""


def turn(known: dict[str, Any], current: dict[str, Any], changes: Any) -> None:
    """Change switches in place; `changes` is a JSON object of names that exist."""
    if not isinstance(changes, dict):
        raise SwitchError("expected a JSON object of switches")
    unknown = sorted(set(changes) - set(known))
    if unknown:
        raise SwitchError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    current.update(changes)
