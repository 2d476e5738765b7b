"""At which points a crash is interesting: named here once, used by tests only."""

from collections.abc import Callable

POINTS = (
    "segments_landed",
    "generation_committed",
    "placement_written",
    "manifests_planned",
    "schema_intent_committed",
    "schema_step_sent",
    "schema_outcome_committed",
    "file_fetched",
    "intents_committed",
    "request_sending",
    "last_look",
    "response_received",
    "outcomes_committed",
    "settled",
    "retiring",
    "entity_loaded",
    "reconciled",
    "undo_begun",
    "undo_looked",
    "undo_sent",
    "undo_recorded",
)

_hook: Callable[[str], None] | None = None


def install(hook: Callable[[str], None] | None) -> None:
    """Call `hook` with the name of each point that is passed from now on."""
    global _hook
    _hook = hook


def point(name: str) -> None:
    """Pass a point."""
    if _hook is not None:
        _hook(name)
