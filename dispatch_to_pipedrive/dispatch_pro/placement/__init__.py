"""Placement: for every source record its root and its winning version, and reading by root.

Folders under the data folder: `raw/` (segments), `placement/<generation>/` (one row for each root-bound record,
sorted by root), `clustered/<generation>/` (the records of a first history, sorted by root).
"""

from dispatch_to_pipedrive.dispatch_pro.placement.build import PlacementSummary, build_placement
from dispatch_to_pipedrive.dispatch_pro.placement.features import features_of, in_words, root_features
from dispatch_to_pipedrive.dispatch_pro.placement.index import (
    CommittedSegment,
    PlacementMissing,
    newest_placed,
)
from dispatch_to_pipedrive.dispatch_pro.placement.profile import source_profile
from dispatch_to_pipedrive.dispatch_pro.placement.read import (
    newest_change,
    read_batch,
    read_reference,
    root_bytes,
    root_sizes,
    sweep_seconds,
    touched_roots,
)

__all__ = [
    "CommittedSegment",
    "PlacementMissing",
    "PlacementSummary",
    "build_placement",
    "features_of",
    "in_words",
    "newest_change",
    "newest_placed",
    "read_batch",
    "read_reference",
    "root_bytes",
    "root_features",
    "root_sizes",
    "source_profile",
    "sweep_seconds",
    "touched_roots",
]
