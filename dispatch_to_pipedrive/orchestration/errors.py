"""Which errors a person can act on, and how they look in Dagster: their own words, no stack of ours, no retry."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from dispatch_to_pipedrive.dispatch_pro.errors import DispatchProError
from dispatch_to_pipedrive.mapping import MapError, OptionCollision
from dispatch_to_pipedrive.mapping.apply import UnmappedValues
from dispatch_to_pipedrive.migration.errors import MigrationError
from dispatch_to_pipedrive.orchestration.reset import tell_run
from dispatch_to_pipedrive.pipedrive.errors import BudgetSpent, PipedriveError
from dispatch_to_pipedrive.pipedrive.schema import NotInSchema, SchemaChanged
from dispatch_to_pipedrive.settings import WrongSettings

EXPECTED = (
    DispatchProError,
    MapError,
    MigrationError,
    NotInSchema,
    OptionCollision,
    PipedriveError,
    SchemaChanged,
    UnmappedValues,
    WrongSettings,
)


@contextmanager
def plain_words() -> Iterator[None]:
    """Turn an expected error into a Dagster failure that says what it says; its cause is the error."""
    try:
        yield
    except EXPECTED as error:
        if isinstance(error, BudgetSpent):
            tell_run(error)
        raise dg.Failure(description=str(error), allow_retries=False) from error
