"""The list of promises, the tests that prove them, and the page that tells of both, agree."""

import pytest

from dispatch_to_pipedrive.mapping.objects import THINGS
from dispatch_to_pipedrive_tests.promises import (
    FAILED,
    PAGE,
    PASSED,
    Collector,
    Promise,
    Promises,
    Test,
    ends_on,
    render,
    the_promises,
)


@pytest.fixture
def whole(request: pytest.FixtureRequest) -> Collector:
    """What the session collected, where that is all tests."""
    collector: Collector = request.config.pluginmanager.get_plugin("promises")
    if not collector.whole:
        pytest.skip("only a part of the tests was collected")
    return collector


def test_no_number_is_missing() -> None:
    assert sorted(the_promises().by_number) == [f"R{number:03}" for number in range(1, 103)]


def test_every_promise_that_is_kept_now_has_a_test(whole: Collector) -> None:
    proven = {number for test in whole.tests for number in test.numbers}
    promises = the_promises().by_number
    assert proven <= set(promises), "tests name promises that are not in the list"
    assert {number for number, promise in promises.items() if promise.scope != "cutover"} <= proven


def test_the_page_names_the_promises_and_tests_of_today(whole: Collector) -> None:
    if whole.page is not None:
        pytest.skip("the page is being written by this very session")
    page = PAGE.read_text(encoding="utf-8")
    assert page == render(the_promises(), whole.tests, ends_on(page)), "run make promises"


@pytest.mark.promise("R057")
def test_the_rows_are_those_of_the_object_table_and_rest_on_promises_of_the_list() -> None:
    promises = the_promises()
    assert list(promises.objects) == [thing.source for thing in THINGS]
    assert all(numbers and set(numbers) <= set(promises.by_number) for numbers in promises.objects.values())


LIST = Promises(
    {
        "R001": Promise("R001", "Area", "now", "It holds."),
        "R002": Promise("R002", "Area", "now", "It holds, too."),
        "R003": Promise("R003", "Area", "cutover", "It will hold."),
    },
    {"Job": ("R001",), "Customer": ("R001", "R002")},
)
TESTS = [
    Test("room/test_a.py::test_one", ("R001",), False),
    Test("room/test_a.py::test_long", ("R001",), True),
    Test("room/test_b.py::test_two", ("R001", "R002"), False),
    Test("room/test_b.py::test_other", (), False),
]


@pytest.mark.promise("R057")
def test_a_row_is_supported_only_if_every_test_of_its_promises_passed() -> None:
    one, two = TESTS[0].name, TESTS[2].name
    assert rows(render(LIST, TESTS, {one: PASSED, two: PASSED})) == {
        "Job": "fully supported | [R001](#r001) | 2 of 3",
        "Customer": "fully supported | [R001](#r001), [R002](#r002) | 2 of 3",
    }
    assert rows(render(LIST, TESTS, {one: FAILED, two: PASSED}))["Customer"].startswith("not proven: R001 |")
    assert rows(render(LIST, TESTS, {one: PASSED}))["Customer"].startswith("not proven: R001, R002 |")
    assert rows(render(LIST, TESTS[:1], {one: PASSED}))["Customer"].startswith("not proven: R002 |")


def rows(page: str) -> dict[str, str]:
    table = page.partition("## The object table")[2].splitlines()
    cells = [line.strip("| ").partition(" | ") for line in table if line.startswith("| ")]
    return {name: rest for name, _, rest in cells if name in LIST.objects}


def test_the_page_tells_how_each_test_ended() -> None:
    ends = {TESTS[0].name: FAILED, TESTS[2].name: PASSED}
    page = render(LIST, TESTS, ends)
    assert ends_on(page) == {**ends, TESTS[1].name: "soak"}
    assert render(LIST, TESTS, ends_on(page)) == page
    assert "It holds. *failed*" in page
    assert "It holds, too. *proven*" in page
    assert "It will hold. *without a test, completed by the cutover*" in page
    assert "| in force | 2 | 1 | 1 | 0 | 0 |" in page
