"""How the definitions are put together."""

import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

from dispatch_to_pipedrive.orchestration.assets import (
    approval,
    assessment,
    clearance,
    inventory,
    normalized,
    owners,
    pipedrive,
    proposal,
    reconciliation,
    schema,
    source,
    state,
)
from dispatch_to_pipedrive.orchestration.assets.common import FRAMES
from dispatch_to_pipedrive.orchestration.budget_sensor import resume_after_reset
from dispatch_to_pipedrive.orchestration.checks import CHECKS
from dispatch_to_pipedrive.orchestration.io_managers import frames
from dispatch_to_pipedrive.orchestration.jobs import JOBS
from dispatch_to_pipedrive.orchestration.resources import Migration
from dispatch_to_pipedrive.orchestration.sensors import SCHEDULES, SENSORS

# Dagster itself passes owners on when it binds a sensor to its jobs, and warns of it with every command of the shell.
warnings.filterwarnings(
    "ignore", message="Parameter `owners` of initializer `SensorDef", category=dg.BetaWarning
)

ASSETS = [
    source.raw,
    source.placement,
    source.features,
    source.batches,
    assessment.source_profile,
    assessment.preflight,
    assessment.assessment,
    proposal.mapping_proposal,
    approval.map_confirmation,
    schema.schema_plan,
    schema.pipedrive_schema,
    owners.technician_owners,
    inventory.reference_data,
    inventory.inventory,
    inventory.rebuild_checklist,
    normalized.normalized_frames,
    clearance.clearance,
    *pipedrive.load_assets,
    pipedrive.retired,
    reconciliation.reconciliation,
    approval.sample_approval,
    state.migration_state,
]


def build_defs(*, resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The code location; `resources` replace ours by name."""
    return dg.Definitions(
        assets=ASSETS,
        asset_checks=[*CHECKS, *inventory.checks, state.nothing_is_wrong],
        jobs=JOBS,
        schedules=SCHEDULES,
        sensors=[*SENSORS, resume_after_reset],
        resources={"migration": Migration(), FRAMES: frames, **(resources or {})},
        executor=dg.in_process_executor,
    )
