"""Fixtures of the sandbox's own tests."""

from collections.abc import Iterator

import pytest

from .pipedrive_world import World, serve


@pytest.fixture
def world() -> Iterator[World]:
    with serve() as served:
        yield served
