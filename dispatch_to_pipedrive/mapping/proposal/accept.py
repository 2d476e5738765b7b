"""How people's answer to proposals becomes part of the map: `accepted/<entity>.yaml`.

Every mistake in the answer is told at once and then nothing is written. What was accepted before stays; the same answer
given twice changes nothing.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispatch_to_pipedrive.mapping.load import load_maps
from dispatch_to_pipedrive.mapping.mistakes import MapError, Mistake, nearest
from dispatch_to_pipedrive.mapping.model import Additions, FieldMap, Maps, folded
from dispatch_to_pipedrive.mapping.places import ACCEPTED, read_document
from dispatch_to_pipedrive.mapping.proposal.files import (
    PROPOSED,
    ProposedCandidate,
    ProposedEntry,
    read_proposals,
    write_yaml,
)
from dispatch_to_pipedrive.mapping.proposal.propose import CREATE
from dispatch_to_pipedrive.mapping.reads import custom_field_of, custom_fields_read

HEADER = "# Accepted by people out of proposals; part of the map.\n"


@dataclass(frozen=True, slots=True)
class _Chosen:
    entity: str
    path: Path
    line: int
    entry: ProposedEntry
    candidate: ProposedCandidate

    def mistake(self, words: str, suggestion: str | None = None) -> Mistake:
        return Mistake(str(self.path), self.line, self.entry.id, words, suggestion)


def accept(directory: Path, choices: Mapping[str, int | str]) -> list[str]:
    """Take proposals into the map; what changed, one line for each choice.

    `choices`: proposal id → number of the candidate, from 1, or "create". Raises MapError with every mistake (unknown
    ids and numbers, proposals that the map has overtaken, two onto one target), CannotWriteMaps.
    """
    chosen, mistakes = _chosen(directory, choices)
    maps = load_maps(directory)
    mistakes += [wrong for one in chosen for wrong in _overtaken(one, maps)]
    mistakes += _doubled(chosen)
    if mistakes:
        raise MapError(mistakes)
    written, lines = _added(directory, chosen, maps)
    _proven(directory, written)
    for entity, additions in written.items():
        write_yaml(_accepted(directory, entity), additions, HEADER)
    return lines


def _chosen(directory: Path, choices: Mapping[str, int | str]) -> tuple[list[_Chosen], list[Mistake]]:
    entries = {
        entry.id: (entity, standing.path, line, entry)
        for entity, standing in read_proposals(directory).items()
        for entry, line in zip(standing.content.proposals, standing.lines, strict=True)
    }
    found: list[_Chosen] = []
    mistakes = []
    trimmed = {key.strip(): key for key in entries}
    for given, choice in choices.items():
        # Blanks at the end are easily lost on the way here.
        key = given if given in entries else trimmed.get(given.strip(), given)
        if key not in entries:
            words = "no such proposal; materialize mapping_proposal, and take its ids"
            where = str(directory / PROPOSED)
            mistakes.append(Mistake(where, 1, key, words, nearest(key, list(entries))))
            continue
        entity, path, line, entry = entries[key]
        candidate, words = _candidate(entry, choice)
        if candidate is None:
            mistakes.append(Mistake(str(path), line, key, words))
        else:
            found.append(_Chosen(entity, path, line, entry, candidate))
    return found, mistakes


def _candidate(entry: ProposedEntry, choice: int | str) -> tuple[ProposedCandidate | None, str]:
    text = str(choice).strip().casefold()
    if text == CREATE:
        wanted = [one for one in entry.candidates if one.target == CREATE]
    elif text.isdecimal() and not isinstance(choice, bool):
        wanted = entry.candidates[int(text) - 1 : int(text)] if int(text) else []
    else:
        wanted = []
    if wanted:
        return wanted[0], ""
    offered = [str(number) for number in range(1, len(entry.candidates) + 1)]
    offered += [CREATE] if any(one.target == CREATE for one in entry.candidates) else []
    if not offered:
        return None, "nothing is offered here: write it into the map by hand if it is wanted"
    return None, f"{choice!r} is not offered: choose {' or '.join(offered)}"


def _overtaken(one: _Chosen, maps: Maps) -> Iterator[Mistake]:
    """What the map says by now that it did not when the proposal was made."""
    fields = maps[one.entity].fields
    stale = "; materialize mapping_proposal again"
    for name, field_map in one.candidate.fields.items():
        if name in fields:
            if fields[name] != field_map:
                yield one.mistake(f"{name} stands in the map already{stale}")
            continue
        read = {(one.entity, column, custom_field_of(field_map)) for column in field_map.sources}
        if read & custom_fields_read(maps):
            yield one.mistake(f"the map reads {one.entry.name!r} already{stale}")
        theirs = [n for n, f in fields.items() if _target(n, f) == _target(name, field_map)]
        if theirs:
            yield one.mistake(f"{theirs[0]} fills the account's field {field_map.adopts!r} already{stale}")
    for name, rows in one.candidate.values.items():
        if name not in fields:
            yield one.mistake(f"{name} is no field of the map any more{stale}")
            continue
        known = fields[name].value_map or {}
        for value, made in rows.items():
            if value in known and known[value] != made:
                words = f"the value map of {name} makes {known[value]!r} of {value!r} already"
                yield one.mistake(words + stale)


def _target(name: str, field_map: FieldMap) -> str:
    """What a field fills: the account's own field that it adopts, or what bears its name."""
    return f"account {folded(field_map.adopts)}" if field_map.adopts else name


def _doubled(chosen: list[_Chosen]) -> Iterator[Mistake]:
    first: dict[tuple[str, str], str] = {}
    for one in chosen:
        for name, field_map in one.candidate.fields.items():
            for target in {_target(name, field_map), name}:
                other = first.setdefault((one.entity, target), one.entry.id)
                if other != one.entry.id:
                    yield one.mistake(f"{other} was given the same target: choose another for one of them")
                    break
    for one in chosen:
        # Where a value may be one of its own, two on one name could not be told apart again.
        own = any(candidate.target == CREATE for candidate in one.entry.candidates)
        if one.entry.kind == "value" and own:
            for name, rows in one.candidate.values.items():
                for made in rows.values():
                    other = first.setdefault((one.entity, f"{name}={made}"), one.entry.id)
                    if other != one.entry.id:
                        yield one.mistake(f"{other} becomes {made!r} already: two values need two names")


def _added(directory: Path, chosen: list[_Chosen], maps: Maps) -> tuple[dict[str, Additions], list[str]]:
    written: dict[str, dict[str, Any]] = {}
    lines = []
    for one in chosen:
        before = written.get(one.entity) or _standing(directory, one.entity)
        fields, values = dict(before["fields"]), {name: dict(rows) for name, rows in before["values"].items()}
        known = maps[one.entity].fields
        new = [name for name in one.candidate.fields if name not in known]
        fields |= {name: one.candidate.fields[name] for name in new}
        for name, rows in one.candidate.values.items():
            known_rows = known[name].value_map or {}
            fresh = {value: made for value, made in rows.items() if value not in known_rows}
            if fresh:
                new.append(name)
                values[name] = {**values.get(name, {}), **fresh}
        if new:
            written[one.entity] = {"fields": fields, "values": values}
        lines.append(_told(one, new))
    return {
        entity: Additions(entity=entity, fields=content["fields"], values=content["values"])  # type: ignore[arg-type]
        for entity, content in written.items()
    }, lines


def _told(one: _Chosen, new: list[str]) -> str:
    if new:
        return f"{one.entry.id}: {one.candidate.words}; adds {', '.join(dict.fromkeys(new))}"
    return f"{one.entry.id}: {one.candidate.words}; nothing to add"


def _standing(directory: Path, entity: str) -> dict[str, Any]:
    """What was accepted before; `load_maps` has found it sound."""
    path = _accepted(directory, entity)
    if not path.is_file():
        return {"fields": {}, "values": {}}
    found = Additions.model_validate(read_document(path).value)
    return {"fields": found.fields, "values": found.values}


def _proven(directory: Path, written: Mapping[str, Additions]) -> None:
    """Raise MapError if the map with these additions would have a mistake, before any of them stands."""
    with tempfile.TemporaryDirectory(prefix="accept-") as name:
        trial = Path(name)
        for path in sorted(directory.glob("*.yaml")):
            shutil.copyfile(path, trial / path.name)
        if (directory / ACCEPTED).is_dir():
            shutil.copytree(directory / ACCEPTED, trial / ACCEPTED)
        for entity, additions in written.items():
            write_yaml(_accepted(trial, entity), additions, HEADER)
        try:
            load_maps(trial)
        except MapError as wrong:
            raise MapError(
                [
                    Mistake(m.file.replace(name, str(directory)), m.line, m.key, m.message, m.suggestion)
                    for m in wrong.mistakes
                ]
            ) from None


def _accepted(directory: Path, entity: str) -> Path:
    return directory / ACCEPTED / f"{entity}.yaml"
