"""What the bench's own instruments promise."""

from pathlib import Path

import pytest

from dispatch_to_pipedrive_tests.bench.__main__ import as_table, main
from dispatch_to_pipedrive_tests.bench.child import StepFailed, in_own_process
from dispatch_to_pipedrive_tests.bench.figures import Figure, median
from dispatch_to_pipedrive_tests.bench.watching import Watch


def hold(mebibytes: int) -> int:
    return len(bytearray(mebibytes << 20))


def read(path: str) -> int:
    return len(Path(path).read_bytes())


def fail() -> None:
    raise ValueError("on purpose")


@pytest.mark.soak
def test_a_step_is_charged_its_own_memory_and_not_its_parents() -> None:
    held = bytearray(300 << 20)
    modest, greedy = (in_own_process(hold, mebibytes=size) for size in (1, 200))
    assert len(held) > modest.peak
    assert greedy.peak - modest.peak > 150 << 20
    assert greedy.result == 200 << 20


def test_a_step_is_charged_what_it_reads(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(5 << 20))
    took = in_own_process(read, path=str(tmp_path / "file"))
    assert 5 << 20 <= took.read < 6 << 20


def test_a_step_that_fails_is_no_measurement() -> None:
    with pytest.raises(StepFailed, match="fail"):
        in_own_process(fail)


@pytest.mark.parametrize(
    ("value", "at_least", "met"),
    [(1.0, True, True), (0.9, True, False), (1.0, False, True), (1.1, False, False)],
)
def test_a_figure_is_met_on_its_side_of_the_goal(value: float, at_least: bool, met: bool) -> None:
    figure = Figure("a", value, 1.0, "x", at_least=at_least)
    assert figure.met is met
    assert as_table([figure]).row_count == 1


def test_the_median_is_in_the_middle() -> None:
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert median([4.0, 1.0, 2.0, 3.0]) == 2.5


def test_a_rate_is_that_between_two_moments() -> None:
    watch = Watch(lambda: 0)
    watch.seen = [(0.0, 100), (1.0, 110), (2.0, 130), (3.0, 150), (4.0, 150)]
    assert watch.rate(1.0, 3.0) == 20.0
    with pytest.raises(ValueError, match="too short"):
        watch.rate(1.5, 2.5)


def test_an_unknown_section_is_refused() -> None:
    assert main(["nothing"]) == 2
