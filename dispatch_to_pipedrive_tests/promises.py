"""Which tests prove which promise, and how did they end? A plugin that tells, and docs/promises.md, which it writes.

`pytest --promises=FILE` writes the page when the session ends, also under xdist: workers tell what they collected, the
process that started them hears how each test ended.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

TESTS = Path(__file__).resolve().parent
LIST = TESTS / "promises.yaml"
PAGE = TESTS.parent / "docs" / "promises.md"

Scope = Literal["now", "documentation", "cutover"]
SCOPES: Mapping[Scope, str] = {
    "now": "in force",
    "documentation": "kept by a page",
    "cutover": "completed by the cutover",
}
PASSED, FAILED, NOT_RUN, SOAK = "passed", "failed", "not run", "soak"
"""How a test ended; soak: it stands for `make soak` and did not run here."""


@dataclass(frozen=True, slots=True)
class Promise:
    number: str
    area: str
    scope: Scope
    says: str


@dataclass(frozen=True, slots=True)
class Promises:
    """The list: promises by number, and the object table's rows with the numbers that make each fully supported."""

    by_number: Mapping[str, Promise]
    objects: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Test:
    """A test function, whatever its parameters: `folder/test_file.py::test_name`, seen from the tests' folder."""

    name: str
    numbers: tuple[str, ...]
    soak: bool

    __test__ = False


@cache
def the_promises() -> Promises:
    """As promises.yaml has them."""
    said = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    scopes: dict[str, Scope] = {
        number: scope for scope in ("documentation", "cutover") for number in said[scope]
    }
    found = [
        Promise(number, area, scopes.get(number, "now"), says)
        for area, in_area in said["promises"].items()
        for number, says in in_area.items()
    ]
    return Promises(
        {promise.number: promise for promise in found},
        {row: tuple(numbers) for row, numbers in said["objects"].items()},
    )


class Collector:
    """What was collected, with the promises that it proves; with `--promises`, also how it ended."""

    def __init__(self, page: str | None) -> None:
        self.page = page
        self.tests: tuple[Test, ...] = ()
        self.whole = False
        self._ends: dict[str, str] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Before anything is deselected."""
        self.tests = _tests(items)
        self.whole = {item.path for item in items} >= set(TESTS.rglob("test_*.py")) and not any(
            "::" in argument for argument in config.args
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self.page is not None:
            name = _name(report.nodeid)
            if report.failed:
                self._ends[name] = FAILED
            elif report.passed and report.when == "call":
                self._ends.setdefault(name, PASSED)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.page is None:
            return
        told = getattr(session.config, "workeroutput", None)
        if told is not None:
            told["promises"] = [
                self.whole,
                [[test.name, list(test.numbers), test.soak] for test in self.tests],
            ]
        elif self.whole:
            Path(self.page).write_text(render(the_promises(), self.tests, self._ends), encoding="utf-8")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Every worker collects the same."""
        if "promises" in (told := getattr(node, "workeroutput", None) or {}):
            self.whole, tests = told["promises"]
            self.tests = tuple(Test(name, tuple(numbers), soak) for name, numbers, soak in tests)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.page is not None:
            said = (
                f"are in {self.page}" if self.whole else "not written: only a part of the tests was collected"
            )
            terminalreporter.write_line(f"promises {said}")


def _tests(items: Iterable[pytest.Item]) -> tuple[Test, ...]:
    """By name. A test of which only some cases are soak runs without these."""
    numbers: dict[str, set[str]] = {}
    soak: dict[str, bool] = {}
    for item in items:
        name = _name(item.nodeid)
        numbers.setdefault(name, set()).update(
            number for marker in item.iter_markers("promise") for number in marker.args
        )
        soak[name] = soak.get(name, True) and item.get_closest_marker("soak") is not None
    return tuple(Test(name, tuple(sorted(numbers[name])), soak[name]) for name in sorted(numbers))


def _name(nodeid: str) -> str:
    return nodeid.partition("[")[0].removeprefix(f"{TESTS.name}/")


def render(promises: Promises, tests: Iterable[Test], ends: Mapping[str, str]) -> str:
    """The page. `ends`: name of a test → passed or failed; what is in it not was not run."""
    tests = tuple(tests)
    ended = {test.name: ends.get(test.name, SOAK if test.soak else NOT_RUN) for test in tests}
    proofs = {number: [test for test in tests if number in test.numbers] for number in promises.by_number}
    verdicts = {number: _verdict([ended[test.name] for test in proofs[number]]) for number in proofs}
    parts = [_HEAD, *_summary(promises, verdicts)]
    for area, group in groupby(promises.by_number.values(), key=lambda promise: promise.area):
        parts.append(f"\n## {area}\n")
        for promise in group:
            scope = "" if promise.scope == "now" else f", {SCOPES[promise.scope]}"
            parts.append(f"\n### {promise.number}\n\n{promise.says} *{verdicts[promise.number]}{scope}*\n\n")
            parts += [_line(ended[test.name], test) for test in proofs[promise.number]]
    parts.append(_OBJECTS)
    for row, numbers in promises.objects.items():
        own = {test.name for number in numbers for test in proofs[number]}
        passed = sum(ended[name] == PASSED for name in own)
        lacking = [number for number in numbers if verdicts[number] != "proven"]
        state = f"not proven: {', '.join(lacking)}" if lacking else "fully supported"
        links = ", ".join(f"[{number}](#{number.lower()})" for number in numbers)
        parts.append(f"| {row} | {state} | {links} | {passed} of {len(own)} |\n")
    return "".join(parts).replace("\n\n\n", "\n\n")


def ends_on(page: str) -> dict[str, str]:
    """How each test ended, as a page tells it."""
    return {f"{match['file']}::{match['name']}": match["end"] for match in _LINE.finditer(page)}


def _verdict(ends: list[str]) -> str:
    """Proven: it has tests that ran, and all of them passed; the long proofs run elsewhere."""
    if not ends:
        return "without a test"
    if FAILED in ends:
        return "failed"
    if NOT_RUN in ends:
        return "not run"
    return "proven" if PASSED in ends else "soak"


def _summary(promises: Promises, verdicts: Mapping[str, str]) -> Iterator[str]:
    yield "| promises | together | proven | failed | not run | without a test |\n"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |\n"
    for scope, words in SCOPES.items():
        counts = Counter(verdicts[one.number] for one in promises.by_number.values() if one.scope == scope)
        not_run = counts["not run"] + counts["soak"]
        cells = (counts.total(), counts["proven"], counts["failed"], not_run, counts["without a test"])
        yield f"| {words} | {' | '.join(map(str, cells))} |\n"


def _line(end: str, test: Test) -> str:
    file, _, name = test.name.partition("::")
    return f"- {end}: [{file}](../{TESTS.name}/{file}) `{name}`\n"


_LINE = re.compile(
    rf"^- (?P<end>[a-z ]+): \[(?P<file>[^]]+)\]\(\.\./{TESTS.name}/[^)]+\) `(?P<name>\w+)`$", re.M
)
_HEAD = """# What is promised, and what proves it

Written by `make promises` from a list (`dispatch_to_pipedrive_tests/promises.yaml`) and from the tests that bear its
numbers, with how each test ended in that run: *passed*, *failed*, *not run*, or *soak* for the proofs of `make soak`.
A promise is proven if tests of it ran and all of them passed. A test holds this page to list and tests of today.

"""
_OBJECTS = """
## The object table

Computed from the above: a row is fully supported if every promise that it rests on is proven.

| Dispatch Pro | state | rests on | tests passed |
| --- | --- | --- | --- |
"""
