"""Which standard fields of Pipedrive may a map fill, and with which of its types?

What the program can carry, not all that Pipedrive has. Activities, notes and files have no custom fields at all; a
person's birthday and job title are taken only by accounts with Contact Sync.
"""

from collections.abc import Mapping

TAKES_CUSTOM_FIELDS = ("organizations", "persons", "deals")

STANDARD: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "organizations": {
        "name": ("text",),
        "owner_id": ("user",),
        "visible_to": ("visibility",),
        "add_time": ("datetime",),
        "address": ("address",),
        "label_ids": ("labels",),
        "website": ("text",),
        "linkedin": ("text",),
        "annual_revenue": ("number",),
        "employee_count": ("number",),
    },
    "persons": {
        "name": ("text",),
        "owner_id": ("user",),
        "visible_to": ("visibility",),
        "org_id": ("reference",),
        "add_time": ("datetime",),
        "emails": ("emails",),
        "phones": ("phones",),
        "birthday": ("date",),
        "job_title": ("text",),
        "label_ids": ("labels",),
    },
    "deals": {
        "title": ("text",),
        "owner_id": ("user",),
        "visible_to": ("visibility",),
        "org_id": ("reference",),
        "person_id": ("reference",),
        "pipeline_id": ("pipeline",),
        "stage_id": ("stage",),
        "status": ("text",),
        "value": ("number",),
        "currency": ("text",),
        "add_time": ("datetime",),
        "won_time": ("datetime",),
        "lost_time": ("datetime",),
        "lost_reason": ("text",),
        "expected_close_date": ("date",),
        "probability": ("number",),
        "label_ids": ("labels",),
    },
    "activities": {
        "subject": ("text",),
        "type": ("activity_type",),
        "owner_id": ("user",),
        "due_date": ("date",),
        "due_time": ("time",),
        "duration": ("duration",),
        "busy": ("boolean",),
        "done": ("boolean",),
        "deal_id": ("reference",),
        "org_id": ("reference",),
        "participants": ("participants",),
        "location": ("address",),
        "note": ("html",),
        "public_description": ("html",),
    },
    "files": {
        "name": ("text",),
        "content": ("content",),
        "deal_id": ("reference",),
        "person_id": ("reference",),
        "org_id": ("reference",),
    },
    "notes": {
        "content": ("hosted_html",),
        "deal_id": ("reference",),
        "person_id": ("reference",),
        "org_id": ("reference",),
        "add_time": ("datetime",),
        "user_id": ("author",),
        "pinned_to_deal_flag": ("boolean",),
        "pinned_to_person_flag": ("boolean",),
        "pinned_to_organization_flag": ("boolean",),
    },
}
"""Entity → standard field → the map's types that it takes."""

REFERS_TO: Mapping[str, str] = {
    "org_id": "organizations",
    "person_id": "persons",
    "deal_id": "deals",
    "participants": "persons",
}
"""Standard field → the entity whose records it names."""

INDISPENSABLE: Mapping[str, tuple[str, ...]] = {
    "organizations": ("name", "Source_Key__c"),
    "persons": ("name", "Source_Key__c"),
    "deals": ("title", "pipeline_id", "stage_id", "status", "Source_Key__c"),
    "activities": ("subject", "type", "note"),
    "files": ("name", "content"),
    "notes": ("content",),
}
"""Without these Pipedrive takes no record, or the program cannot tell its own records (`Source_Key__c`, `note`)."""

STAMP = "Source_Key__c"
"""The custom field that bears a record's source key, by which the program knows its own records."""

STAMP_LINE = "[{stamp}]"
"""The last line of an activity's note and of a note's content, which bears it there."""

STAMPED: Mapping[str, str] = {"activities": "note", "notes": "content"}
"""Entity without custom fields → the field whose last line is the stamp."""

VISIBILITIES = ("everyone", "group", "subgroups", "owner")
"""Who sees a record: Pipedrive's numbers for them differ by plan, and small plans know only the first and the last."""

ON_CREATION_ONLY = ("add_time",)
"""Pipedrive takes these with a new record and never again."""
