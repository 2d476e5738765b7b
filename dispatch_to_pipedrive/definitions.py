"""The front door for Dagster: the road from Dispatch Pro to Pipedrive as assets.

    raw/* → placement → features → batches
                 └→ normalized/* [batch] → clearance [batch] → pipedrive/* [batch] → reconciliation [batch]
    pipedrive_schema, technician_owners ──────┘

Each asset is one short step from Dagster to a function of the rooms below; `orchestration/build.py` puts them together.
"""

from dispatch_to_pipedrive.orchestration.build import build_defs

defs = build_defs()
