"""How proposals stand in files: `proposed/<entity>.yaml` beside the maps, in the map's own language.

A proposed file is never part of the map. Names and samples in it are the source's own: data, quoted where YAML could
take them for anything else.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from dispatch_to_pipedrive.mapping.mistakes import MapError, Mistake
from dispatch_to_pipedrive.mapping.model import ENTITIES, EntityName, FieldMap, Scalar, Strict
from dispatch_to_pipedrive.mapping.places import read_document
from dispatch_to_pipedrive.mapping.proposal.propose import Candidate, Proposal, Verdict

PROPOSED = "proposed"
"""The folder of proposals, beside the curated maps."""
WIDTH = 110
LONGEST_SAMPLE = 120
HEADER = "# Proposed, not part of the map: accept by id. Names and samples are the source's own.\n"
_ANEW = "materialize mapping_proposal to have the file written anew"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[ ./-][A-Za-z0-9_]+)*")
"""Text that every YAML reads as text without quotes, unless it is one of the words below."""
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])


class ProposedCandidate(Strict):
    """One answer, and what accepting it adds to the map."""

    target: str
    words: str
    score: float = Field(ge=0, le=1)
    method: str
    reason: str
    fields: dict[str, FieldMap] = Field(default_factory=dict)
    values: dict[str, dict[str, Scalar]] = Field(default_factory=dict)


class ProposedEntry(Strict):
    """One open thing with its candidates, best first."""

    id: str
    kind: Literal["field", "value"]
    feed: str
    name: str
    data_type: str = ""
    type: str = ""
    samples: list[str] = Field(default_factory=list)
    filled: int
    records: int
    distinct: int = 0
    verdict: Verdict
    reason: str
    candidates: list[ProposedCandidate] = Field(default_factory=list)


class ProposedFile(Strict):
    """All that is proposed for one entity."""

    entity: EntityName
    status: Literal["proposed"]
    proposals: list[ProposedEntry]


class CannotWriteMaps(MapError):
    """The folder of the maps cannot be written."""

    def __init__(self, path: Path, reason: str) -> None:
        words = (
            f"cannot be written ({reason}): copy the maps to a folder of yours and name it in MAPPINGS_DIR"
        )
        super().__init__([Mistake(str(path), 1, path.stem, words)])


def write_proposals(directory: Path, proposals: Iterable[Proposal]) -> list[Path]:
    """Write every entity's file anew, remove those of entities without a proposal; the paths that stand.

    Raises CannotWriteMaps.
    """
    by_entity: dict[str, list[Proposal]] = {}
    for proposal in proposals:
        by_entity.setdefault(proposal.slot.entity, []).append(proposal)
    written = []
    for entity in ENTITIES:
        path = directory / PROPOSED / f"{entity}.yaml"
        if entity in by_entity:
            entries = [_entry(proposal) for proposal in by_entity[entity]]
            content = ProposedFile(entity=entity, status="proposed", proposals=entries)  # type: ignore[arg-type]
            write_yaml(path, content, HEADER)
            written.append(path)
        else:
            with _writing(path):
                path.unlink(missing_ok=True)
    return written


@dataclass(frozen=True, slots=True)
class Standing:
    """A proposed file: its content, where it is, and the line on which each proposal begins."""

    content: ProposedFile
    path: Path
    lines: tuple[int, ...]


def read_proposals(directory: Path) -> Mapping[str, Standing]:
    """Entity → its proposed file; MapError where one is out of shape."""
    found: dict[str, Standing] = {}
    mistakes: list[Mistake] = []
    for entity in ENTITIES:
        path = directory / PROPOSED / f"{entity}.yaml"
        if not path.exists():
            continue
        document = read_document(path)
        mistakes += document.mistakes
        if document.value is None:
            continue
        try:
            content = ProposedFile.model_validate(document.value)
        except ValidationError as wrong:
            mistakes += [document.mistake(tuple(e["loc"]), f"{e['msg']}; {_ANEW}") for e in wrong.errors()]
            continue
        lines = tuple(
            document.lines.get(("proposals", number), 1) for number in range(len(content.proposals))
        )
        found[entity] = Standing(content, path, lines)
    if mistakes:
        raise MapError(mistakes)
    return found


def write_yaml(path: Path, content: Strict, header: str) -> None:
    """Write a model whole or not at all; its keys in their order, what is left at its default left out."""
    value = content.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text = header + yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH, default_flow_style=False
    )
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as wrong:
        raise CannotWriteMaps(path, wrong.strerror or str(wrong)) from None


def _entry(proposal: Proposal) -> ProposedEntry:
    slot = proposal.slot
    return ProposedEntry(
        id=slot.id,
        kind=slot.kind,
        feed=slot.feed,
        name=slot.name,
        data_type=slot.data_type,
        type=slot.type if slot.kind == "field" else "",
        samples=[_cut(sample) for sample in slot.samples],
        filled=slot.filled,
        records=slot.records,
        distinct=slot.distinct,
        verdict=proposal.verdict,
        reason=proposal.reason,
        candidates=[_candidate(one) for one in proposal.candidates],
    )


def _candidate(one: Candidate) -> ProposedCandidate:
    return ProposedCandidate(
        target=one.target,
        words=one.words,
        score=round(one.score, 2),
        method=one.method,
        reason=one.reason,
        fields=dict(one.fields),
        values={name: dict(rows) for name, rows in one.values.items()},
    )


def _cut(sample: str) -> str:
    return sample if len(sample) <= LONGEST_SAMPLE else sample[: LONGEST_SAMPLE - 1] + "…"


class _Dumper(yaml.SafeDumper):
    """Block lists indented below their key, text in quotes unless it is plain words."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    plain = _PLAIN.fullmatch(value) is not None and value.casefold() not in _WORDS
    # Between double quotes everything that is no plain character is written as an escape.
    style = None if plain else '"' if "'" in value or not value.isprintable() else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
