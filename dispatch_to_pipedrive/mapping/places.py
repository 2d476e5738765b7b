"""Where in which file does each key of a map stand? YAML read so that every mistake can be pointed at.

Scalars are read as editors read them (YAML 1.2): Yes and No, dates, and numbers with a leading zero are text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dispatch_to_pipedrive.mapping.mistakes import Mistake

Place = tuple[int | str, ...]

ACCEPTED = "accepted"
"""The folder, beside the curated maps, of what people accepted."""

_C_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where there is one: each run reads the maps several times."""
_SCALARS = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    "float": (r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+)", "-+.0123456789"),
    "null": (r"~|null|Null|NULL|", "~nN\0"),
}


class _Loader(_C_LOADER):  # type: ignore[misc,valid-type]
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as PyYAML has it


for _name, (_pattern, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}",
        re.compile(f"^(?:{_pattern})$"),
        ["" if letter == "\0" else letter for letter in _first],
    )


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its value, the line of each key, and what is wrong with it as YAML (then it has no value)."""

    file: str
    value: Any = None
    lines: Mapping[Place, int] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()

    def mistake(self, place: Place, message: str, suggestion: str | None = None) -> Mistake:
        """A mistake at a place of the document, or at the nearest one above it that stands there."""
        known = place
        while known and known not in self.lines:
            known = known[:-1]
        key = ".".join(str(part) for part in place) or Path(self.file).stem
        return Mistake(self.file, self.lines.get(known, 1), key, message, suggestion)


@dataclass(frozen=True, slots=True)
class Source:
    """The curated file of one entity and, where there is one, the file of what people accepted for it."""

    base: Document
    accepted: Document | None = None

    def mistake(self, place: Place, message: str, suggestion: str | None = None) -> Mistake:
        """A mistake at a place of the merged map, told in the file that the place comes from."""
        if self.accepted is None or place in self.base.lines:
            return self.base.mistake(place, message, suggestion)
        if (
            len(place) == 4
            and place[2] == "value_map"
            and ("values", place[1], place[3]) in self.accepted.lines
        ):
            return self.accepted.mistake(("values", place[1], place[3]), message, suggestion)
        ours = place[:2] in self.accepted.lines and place[:2] not in self.base.lines
        return (self.accepted if ours else self.base).mistake(place, message, suggestion)


def read_source(directory: Path, entity: str) -> Source:
    """An entity's files; a curated file that is not there is a mistake, the other one need not be."""
    base, accepted = directory / f"{entity}.yaml", directory / ACCEPTED / f"{entity}.yaml"
    return Source(read_document(base), read_document(accepted) if accepted.exists() else None)


def read_document(path: Path) -> Document:
    """One file; never raises for what stands in it."""
    file = str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return _broken(file, "this file is missing")
    except UnicodeDecodeError:
        return _broken(file, "not UTF-8 text")
    except OSError as error:
        return _broken(file, f"cannot be read: {error.strerror}")
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            lines: dict[Place, int] = {}
            wrong: list[tuple[Place, str]] = []
            _walk(root, (), lines, wrong, set())
            recursive = any(message == _ALIAS for _, message in wrong)
            value = None if root is None or recursive else loader.construct_document(root)
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return Document(file, mistakes=_not_yaml(file, text, error))
    document = Document(file, value, lines)
    mistakes = [document.mistake(place, message) for place, message in wrong]
    if not isinstance(value, dict) and not recursive:
        mistakes.append(document.mistake((), "a map is a mapping of keys"))
    return Document(file, value if isinstance(value, dict) else None, lines, tuple(mistakes))


_ALIAS = "anchors and aliases are no part of the map's language: write it out"


def _broken(file: str, message: str) -> Document:
    return Document(file, mistakes=(Mistake(file, 1, Path(file).stem, message),))


def _not_yaml(file: str, text: str, error: Exception) -> tuple[Mistake, ...]:
    """One mistake for each line that a tab indents, else what the parser says."""
    name = Path(file).stem
    tabs = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"[ -]*\t", line)]
    if tabs:
        return tuple(Mistake(file, number, name, "a tab stands where blanks belong") for number in tabs)
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return (Mistake(file, mark.line + 1 if mark else 1, name, f"not YAML: {problem}"),)


def _walk(
    node: yaml.Node | None,
    place: Place,
    lines: dict[Place, int],
    wrong: list[tuple[Place, str]],
    seen: set[int],
) -> None:
    """Note each key's line, keys that stand twice, and aliases (a node met a second time)."""
    if node is None:
        return
    if id(node) in seen:
        wrong.append((place, _ALIAS))
        return
    seen.add(id(node))
    for key, line, value in _children(node):
        here = (*place, key)
        if here in lines:
            wrong.append((here, f"stands here a second time, first in line {lines[here]}"))
        lines.setdefault(here, line)
        _walk(value, here, lines, wrong, seen)


def _children(node: yaml.Node) -> Iterator[tuple[int | str, int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            yield name, key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield number, item.start_mark.line + 1, item
