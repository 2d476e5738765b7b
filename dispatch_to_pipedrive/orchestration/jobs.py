"""Which jobs there are: the front doors launch them in this order."""

from typing import Any

import dagster as dg

from dispatch_to_pipedrive.orchestration.cutover import close_window_job, freeze_job, open_window_job
from dispatch_to_pipedrive.orchestration.lifecycle import pause, reopen, resume
from dispatch_to_pipedrive.orchestration.relink import relink_job
from dispatch_to_pipedrive.orchestration.rollback_jobs import reapply, rollback, rollback_everything
from dispatch_to_pipedrive.orchestration.sign_off import sign_off_job

advance_source = dg.define_asset_job(
    "advance_source",
    selection=dg.AssetSelection.key_prefixes("raw") | dg.AssetSelection.assets("placement", "features"),
    description="Read the source on from its cursors and place what arrived.",
    tags={"dispatch/lane": "source"},
)
assess = dg.define_asset_job(
    "assess",
    selection=dg.AssetSelection.assets(
        *("source_profile", "preflight", "assessment", "mapping_proposal", "technician_owners", "schema_plan")
    ),
    description="Tell what is in the tenant, what moving it takes and what stands in the way; nothing is written.",
    tags={"dispatch/lane": "source"},
)
take_inventory = dg.define_asset_job(
    "take_inventory",
    selection=dg.AssetSelection.assets("reference_data", "inventory", "rebuild_checklist"),
    description="Write down what cannot move: every field's place or reason, reference data, what to rebuild by hand.",
    tags={"dispatch/lane": "source"},
)
plan_batches = dg.define_asset_job(
    "plan_batches",
    selection=dg.AssetSelection.assets("batches"),
    description="Write the batch plan and add its partitions.",
    tags={"dispatch/lane": "source"},
)
confirm_map = dg.define_asset_job(
    "confirm_map",
    selection=dg.AssetSelection.assets("map_confirmation"),
    description="Confirm the map, with the proposals and technicians that you decide; nothing is written before.",
    tags={"dispatch/lane": "approval"},
)
advance_and_plan = dg.define_asset_job(
    "advance_and_plan",
    selection=dg.AssetSelection.key_prefixes("raw")
    | dg.AssetSelection.assets("placement", "features", "batches"),
    description="Read the source on from its cursors, and plan what changed as the next delta, unless one waits.",
    tags={"dispatch/lane": "source"},
)
match_technicians = dg.define_asset_job(
    "match_technicians",
    selection=dg.AssetSelection.assets("technician_owners"),
    description="Match technicians with users again, after users were created or `technicians.csv` was changed.",
    tags={"dispatch/lane": "source"},
)
prepare = dg.define_asset_job(
    "prepare",
    selection=dg.AssetSelection.assets("pipedrive_schema", "technician_owners"),
    description="Make the account's schema and match technicians with users.",
    tags={"dispatch/lane": "load"},
)
load = dg.define_asset_job(
    "load",
    selection=dg.AssetSelection.key_prefixes("normalized")
    | dg.AssetSelection.assets("clearance")
    | dg.AssetSelection.key_prefixes("pipedrive"),
    description="Bring a batch's records into the account.",
    tags={"dispatch/lane": "load"},
)
reconcile = dg.define_asset_job(
    "reconcile",
    selection=dg.AssetSelection.assets("reconciliation"),
    description="Read a batch back and compare it field by field.",
    tags={"dispatch/lane": "reconcile"},
)
deliver = dg.define_asset_job(
    "deliver",
    selection=prepare.selection | load.selection | reconcile.selection,
    description="Prepare the account for a batch, bring its records and read them back: what a delta takes.",
    tags={"dispatch/lane": "load"},
)
approve_sample = dg.define_asset_job(
    "approve_sample",
    selection=dg.AssetSelection.assets("sample_approval"),
    description="Approve the sample as it was read back; no wave is written before.",
    tags={"dispatch/lane": "approval"},
)
tell_state = dg.define_asset_job(
    "tell_state",
    selection=dg.AssetSelection.assets("migration_state"),
    description="Show where the migration stands; red where something is wrong.",
    tags={"dispatch/lane": "source"},
)

JOBS: list[Any] = [
    advance_source,
    assess,
    take_inventory,
    plan_batches,
    advance_and_plan,
    match_technicians,
    confirm_map,
    prepare,
    load,
    reconcile,
    deliver,
    approve_sample,
    open_window_job,
    close_window_job,
    freeze_job,
    pause,
    resume,
    relink_job,
    sign_off_job,
    reopen,
    rollback,
    rollback_everything,
    reapply,
    tell_state,
]
