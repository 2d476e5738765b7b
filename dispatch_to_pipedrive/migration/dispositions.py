"""Which rows of the reference data ask for what in Pipedrive? One table of rules.

All rules of a kind that hold for a row speak; the most demanding decides its disposition. Triggers and actions are
those that Pipedrive's automations have ("deal created", "update deal"); nobody but a person can build them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Disposition = Literal["field", "automation to build", "manual step", "nothing to rebuild"]
FIELD: Final = "field"
AUTOMATION: Final = "automation to build"
MANUAL: Final = "manual step"
NOTHING: Final = "nothing to rebuild"
FILLED: Final = object()
"""Asks for any value that is not blank."""
OVER: Final = object()
"""Asks for a time that has passed."""
COMING: Final = object()
"""Asks for a time that has not passed, or none."""


@dataclass(frozen=True)
class Rule:
    """One rule: of which rows of a table it holds, and what becomes of them.

    when: column → what it must be: True or False, one of several texts, FILLED, OVER or COMING; all must
    hold. columns: the normalized columns that carry it; its fields are those of the map that read them. fields: the
    same where a row names them itself. fields, trigger, action, step, why: words with a row's values at `{column}`.
    """

    table: str
    title: str
    disposition: Disposition
    when: Mapping[str, object] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    fields: str = ""
    trigger: str = ""
    action: str = ""
    step: str = ""
    why: str = ""


_ON: dict[str, object] = {"active": True}
_OFF: dict[str, object] = {"active": False}
_RUSHED = ("High", "Urgent")
_TYPE = "Deal created, Job_Type__c is {name}"

_JOB_TYPES = (
    Rule("job_types", "Job type as a choice", FIELD, columns=("deals.job_type",)),
    Rule(
        "job_types",
        "Dispatch rule of a job type",
        AUTOMATION,
        when={**_ON, "is_smart_dispatched": True},
        trigger=_TYPE,
        action="Create an activity for whoever dispatches, then set the owner by hand",
        why="Dispatch Pro chose the technician; its algorithm does not carry over.",
    ),
    Rule(
        "job_types",
        "Priority of a job type",
        AUTOMATION,
        when={**_ON, "priority": _RUSHED},
        trigger=_TYPE,
        action="Update deal: Dispatch_Pro_Priority__c becomes {priority}",
        why="New jobs of this type began with the priority {priority}.",
    ),
    Rule(
        "job_types",
        "Tags of a job type",
        AUTOMATION,
        when={**_ON, "tags": FILLED},
        trigger=_TYPE,
        action="Update deal: add the labels {tags}",
        why="New jobs of this type got these tags by themselves.",
    ),
    Rule(
        "job_types",
        "Summary of a job type",
        AUTOMATION,
        when={**_ON, "summary": FILLED},
        trigger=_TYPE,
        action="Create a note with the summary that stands in the table",
        why="New jobs of this type began with this summary.",
    ),
    Rule(
        "job_types",
        "Skills of a job type",
        MANUAL,
        when={**_ON, "skills": FILLED},
        step="Give deals of the type {name} to technicians who have: {skills}.",
        why="Pipedrive's users have no skills.",
    ),
    Rule("job_types", "Retired job type", NOTHING, when=_OFF, why="Retired: the choice stays for old deals."),
)

_PRIORITIES = (
    Rule(
        "priorities",
        "Priority as a choice",
        FIELD,
        when={"kind": ("job priority",)},
        columns=("deals.priority",),
    ),
    Rule(
        "priorities",
        "Priority bucket as a choice",
        FIELD,
        when={"kind": ("bucket",)},
        columns=("deals.priority_bucket",),
    ),
    Rule(
        "priorities",
        "What comes first",
        AUTOMATION,
        when={"kind": ("job priority",), "name": _RUSHED},
        trigger="Deal created or updated, Dispatch_Pro_Priority__c is {name}",
        action="Create an activity that is due today for the deal's owner",
        why="Dispatch Pro ranked such jobs before others.",
    ),
    Rule(
        "priorities",
        "What the buckets meant",
        MANUAL,
        when={"kind": ("bucket",)},
        step="Write down what the bucket {name} meant in your dispatch rules; build an automation on "
        "Dispatch_Pro_Priority__c where somebody must act on it.",
        why="No interface tells what a bucket asks for.",
    ),
)

_TERRITORY = (
    Rule(
        "zones",
        "Zone",
        MANUAL,
        when=_ON,
        step="Make a filter of deals by the site's ZIP code or city for the zone {name}, shared with its technicians.",
        why="Pipedrive has no territories with routes.",
    ),
    Rule("zones", "Retired zone", NOTHING, when=_OFF, why="Retired in Dispatch Pro."),
    Rule(
        "technician_shifts",
        "Shifts to come",
        MANUAL,
        when={**_ON, "end": COMING},
        step="Keep the shifts to come where the rota is made; the table has them.",
        why="Pipedrive has no working-time calendar of field staff.",
    ),
    Rule(
        "arrival_windows",
        "Arrival window",
        AUTOMATION,
        when=_ON,
        trigger="Activity created, type is meeting",
        action="Send an e-mail to its person with the arrival window ({start}, lasting {duration})",
        why="Dispatch Pro promised customers a window of {duration} from {start}; a migrated visit names its own.",
    ),
    Rule("arrival_windows", "Retired arrival window", NOTHING, when=_OFF, why="Retired in Dispatch Pro."),
    Rule(
        "business_hours",
        "Business hours",
        MANUAL,
        step="Set the working hours in Pipedrive's scheduler of each user; the table has them.",
        why="The interface cannot set them.",
    ),
    Rule(
        "capacity",
        "Capacity",
        MANUAL,
        step="Decide who watches how many hours can still be booked; the table tells how it stood.",
        why="Pipedrive has no capacity of field staff.",
    ),
    Rule("technician_shifts", "Shift that is over", NOTHING, when={"end": OVER}, why="It is over."),
    Rule("technician_shifts", "Deleted shift", NOTHING, when=_OFF, why="Deleted in Dispatch Pro."),
)

_PEOPLE = (
    Rule(
        "technicians",
        "Technician as owner",
        FIELD,
        when=_ON,
        columns=("deals.owner_email",),
        why="Deals and visits belong to the Pipedrive user who stands for the technician.",
    ),
    Rule(
        "technicians",
        "Former technician",
        FIELD,
        when=_OFF,
        columns=("deals.technician_id", "deals.technicians"),
        why="No longer active: named on old deals.",
    ),
    Rule(
        "technicians",
        "Technician without an e-mail",
        MANUAL,
        when={**_ON, "email": ("",)},
        step="{name} has no e-mail in Dispatch Pro: decide in technicians.csv which user stands for this technician.",
        why="Technicians are matched with users by e-mail.",
    ),
    Rule(
        "technician_skills",
        "Skills of technicians",
        MANUAL,
        when=_ON,
        step="Keep who has which skill where work is given out; the table has it.",
        why="Pipedrive's users have no skills.",
    ),
    Rule("technician_skills", "Retired skill", NOTHING, when=_OFF, why="Retired in Dispatch Pro."),
    Rule(
        "teams",
        "Team",
        MANUAL,
        when=_ON,
        step="Make a team of the name {name} in Pipedrive and add its users.",
        why="Teams are made by an admin; the interface does not make them.",
    ),
    Rule("teams", "Retired team", NOTHING, when=_OFF, why="Retired in Dispatch Pro."),
    Rule(
        "business_units",
        "Business unit decides the kind of visit",
        FIELD,
        columns=("deals.business_unit", "activities.business_unit"),
    ),
    Rule("business_units", "Retired business unit", NOTHING, when=_OFF, why="Retired in Dispatch Pro."),
)

_LABELS_AND_REASONS = (
    Rule(
        "tag_types",
        "Tag as a label",
        FIELD,
        columns=("deals.labels", "persons.labels", "organizations.labels"),
        why="A label is made for each tag in use.",
    ),
    Rule(
        "tag_types",
        "Tag that asks for attention",
        AUTOMATION,
        when={**_ON, "importance": ("High",)},
        trigger="Deal or person created or updated, label is {name}",
        action="Create an activity for the owner",
        why="Dispatch Pro showed this tag as important.",
    ),
    Rule(
        "tag_types",
        "Tag that marks an opportunity",
        AUTOMATION,
        when={**_ON, "is_conversion_opportunity": True},
        trigger="Deal updated, label is {name}",
        action="Create a lead for the same person",
        why="Dispatch Pro counted jobs with this tag as opportunities.",
    ),
    Rule(
        "job_hold_reasons",
        "Hold reason",
        MANUAL,
        when=_ON,
        step="Jobs do not tell their hold reason in the export: add {name} to a pick-list of deals, if people shall "
        "choose from such reasons in Pipedrive.",
        why="Only the list of reasons can be read, not which job has which.",
    ),
    Rule("job_hold_reasons", "Retired hold reason", NOTHING, when=_OFF, why="Retired in Dispatch Pro."),
    Rule("job_cancel_reasons", "Cancel reason", FIELD, columns=("deals.cancel_reason",)),
    Rule(
        "job_cancel_reasons",
        "Cancel reason to choose from",
        MANUAL,
        when=_ON,
        step="Add {name} to the predefined lost reasons (company settings), if people shall choose from them.",
        why="The interface cannot set predefined lost reasons.",
    ),
)

_DEFINITIONS = tuple(
    Rule(
        f"{feed}_custom_field_types",
        "Custom field that no map reads",
        MANUAL,
        when={"read_by": ("",)},
        step="Decide on the custom field {name}: accept a proposal (`mapping_proposal`), or leave it behind.",
        why="No map reads it yet.",
    )
    for feed in ("customer", "location", "job")
) + tuple(
    Rule(
        f"{feed}_custom_field_types",
        "Custom field that moves",
        FIELD,
        when={"read_by": FILLED},
        fields="{read_by}",
        why="The map reads it by its name.",
    )
    for feed in ("customer", "location", "job")
)

RULES: tuple[Rule, ...] = (
    *_JOB_TYPES,
    *_PRIORITIES,
    *_TERRITORY,
    *_PEOPLE,
    *_LABELS_AND_REASONS,
    *_DEFINITIONS,
)
