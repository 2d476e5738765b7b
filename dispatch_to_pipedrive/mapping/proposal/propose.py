"""What is proposed for each slot: at most three candidates and a verdict.

Candidates are scored by the likeness of their names, vetoed by type, and given out one to one: two fields of the source
never share one field of the destination. What no target is like enough for becomes a field (an option, a label) of its
own; what has no value, no telling name, or should not be copied at all is left to people.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

from dispatch_to_pipedrive.mapping.model import FieldMap, Maps
from dispatch_to_pipedrive.mapping.proposal import glossary
from dispatch_to_pipedrive.mapping.proposal.catalogue import Catalogue
from dispatch_to_pipedrive.mapping.proposal.likeness import METHODS, Method, of_fields, of_values
from dispatch_to_pipedrive.mapping.proposal.slots import Known, Slot
from dispatch_to_pipedrive.mapping.proposal.targets import Fit, Target, fit, logical_name, targets
from dispatch_to_pipedrive.mapping.proposal.words import plain

Verdict = Literal["sure", "likely", "create", "abstain"]

CREATE = "create"
MOST_CANDIDATES = 3
FIELD_LEAST = 0.6
"""A score below this is not enough for a field; a new one is proposed instead."""
VALUE_LEAST = 0.6
SHOWN_LEAST = 0.3
"""A candidate with less is not shown."""
SURE_LEAST = 0.98
RIVAL = 0.85
"""Another target as near as this leaves a doubt."""
CHOICES_BONUS = 0.08
CONFIRMED_MOST = 0.97
CHOICES_ALONE = 0.64
"""Three choices or more that are all known to a list say as much as a middling name."""
NOT_EXACT = 0.97
NEW_SCORE = 0.5
"""What stands beside a new field or value: it is like nothing, and always possible."""
_WHOSE = {
    "jobs.custom_fields": "Job",
    "customers.custom_fields": "Customer",
    "locations.custom_fields": "Site",
    "technicians.custom_fields": "Technician",
}
"""Whose the custom fields of a feed are: told in descriptions, and before names that are taken already."""


@dataclass(frozen=True)
class Candidate:
    """One answer: its target (`create` for a new one), why, and what accepting it adds to the map."""

    target: str
    words: str
    score: float
    method: str
    reason: str
    fields: Mapping[str, FieldMap] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposal:
    """A slot with its candidates, best first, and the verdict; never accepted by itself."""

    slot: Slot
    verdict: Verdict
    reason: str
    candidates: tuple[Candidate, ...]

    @property
    def id(self) -> str:
        """The slot's."""
        return self.slot.id


Reranker = Callable[[Slot, Sequence[Candidate]], Sequence[int] | None]
"""Given a slot and its candidates, their order by index (those left out go last), or None to abstain."""


class ModelUnusable(ValueError):
    """The language model that the settings name cannot be used."""


@dataclass(frozen=True, slots=True)
class _Scored:
    target: Target
    score: float
    method: str
    reason: str
    fit: Fit


def propose(
    maps: Maps,
    slots: Sequence[Slot],
    catalogue: Catalogue,
    *,
    reranker: Reranker | None = None,
    methods: Collection[Method] = METHODS,
    one_to_one: bool = True,
    veto: bool = True,
) -> list[Proposal]:
    """A proposal for every slot, in the slots' order.

    `methods`, `one_to_one` and `veto` are for measuring what each is worth. A reranker may change the order of what is
    offered and turn a guess into an abstention; it never makes anything sure.
    """
    found: dict[str, Proposal] = {}
    for entity, of_entity in groupby(sorted(slots, key=lambda s: s.entity), key=lambda s: s.entity):
        mine = list(of_entity)
        fields = [slot for slot in mine if slot.kind == "field"]
        values = [slot for slot in mine if slot.kind == "value"]
        places = targets(maps, catalogue, entity)
        for proposal in _for_fields(maps, fields, places, methods, one_to_one, veto):
            found[proposal.id] = proposal
        for _, of_column in groupby(sorted(values, key=lambda s: s.column), key=lambda s: s.column):
            for proposal in _for_values(list(of_column), methods, one_to_one):
                found[proposal.id] = proposal
    proposals = [found[slot.id] for slot in slots]
    return proposals if reranker is None else [_reranked(one, reranker) for one in proposals]


def worth_asking(proposal: Proposal) -> bool:
    """Whether people have to decide: a value that is like nothing known simply becomes an option or a label."""
    slot = proposal.slot
    return slot.kind == "field" or not slot.may_be_new or len(proposal.candidates) > 1


# --- fields ---------------------------------------------------------------------------------------------------


def _for_fields(
    maps: Maps,
    slots: list[Slot],
    places: Sequence[Target],
    methods: Collection[Method],
    one_to_one: bool,
    veto: bool,
) -> Iterable[Proposal]:
    scored = {slot.id: [_score(slot, place, methods, veto) for place in places] for slot in slots}
    given = _assigned(
        [[one.score for one in scored[slot.id]] for slot in slots], FIELD_LEAST, one_to_one=one_to_one
    )
    wanted = Counter(one.target.key for rows in scored.values() for one in rows if one.score >= RIVAL)
    taken: set[str] = {name for slot in slots for name in maps[slot.entity].fields}
    for slot, chosen in zip(slots, given, strict=True):
        rows = scored[slot.id]
        best = rows[chosen] if chosen is not None else None
        named = logical_name(slot.name, taken, _WHOSE[slot.feed])
        taken.add(named)
        contested = best is not None and wanted[best.target.key] > (best.score >= RIVAL)
        yield _field_proposal(slot, best, rows, named, contested)


def _score(slot: Slot, target: Target, methods: Collection[Method], veto: bool) -> _Scored:
    suits = fit(slot, target) if veto else Fit()
    if suits.veto is not None:
        return _Scored(target, 0.0, "veto", suits.veto, suits)
    alike = of_fields(slot.name, target.names, methods)
    score, method, reason = alike.score, str(alike.method), alike.reason
    if suits.overlap and "fuzzy" in methods:
        known = f"{round(100 * suits.overlap)} % of its choices are known there"
        if suits.overlap == 1.0 and len(slot.options) >= 3 and score < CHOICES_ALONE:
            score, method, reason = CHOICES_ALONE, "choices", known
        else:
            reason = f"{reason}; {known}"
        # Choices confirm a name; they never make it the same name.
        score = min(score + CHOICES_BONUS * suits.overlap, max(score, CONFIRMED_MOST))
    if not suits.exactly:
        score *= NOT_EXACT
    return _Scored(target, round(score, 4), method, reason, suits)


def _field_proposal(
    slot: Slot, best: _Scored | None, rows: list[_Scored], named: str, contested: bool
) -> Proposal:
    new = _create(slot, named)
    if glossary.is_secret(slot.name):
        return Proposal(slot, "abstain", "its name is that of a secret, which no program should copy", ())
    others = sorted((one for one in rows if one is not best), key=lambda one: (-one.score, one.target.key))
    near = [one for one in others if one.score >= SHOWN_LEAST]
    offered = [_candidate(slot, one, named) for one in ([best] if best is not None else []) + near]
    if not slot.filled:
        return _cut(slot, "abstain", "no record has a value of it", [new, *offered])
    if best is None and glossary.is_idle(slot.name):
        return _cut(slot, "abstain", "its name does not say what it is", [new, *offered])
    if best is None:
        first = "nothing is like it enough" if near else "nothing in the account is like it"
        why = f"{first}; {slot.why_type}"
        return _cut(slot, "create", why, [new, *offered])
    sure = (
        best.score >= SURE_LEAST
        and best.method in ("exact", "normalized")
        and best.fit.exactly
        and best.target.kind != "map"
        and not contested
        and not glossary.is_idle(slot.name)
        and not any(one.score >= RIVAL for one in others)
    )
    offered = [*offered[: MOST_CANDIDATES - 1], new]
    return Proposal(slot, "sure" if sure else "likely", best.reason, tuple(offered))


def _cut(slot: Slot, verdict: Verdict, reason: str, offered: list[Candidate]) -> Proposal:
    return Proposal(slot, verdict, reason, tuple(offered[:MOST_CANDIDATES]))


def _candidate(slot: Slot, one: _Scored, named: str) -> Candidate:
    target = one.target
    if target.kind == "map":
        fields: dict[str, FieldMap] = {}
    elif target.kind == "standard":
        fields = {target.key: _field_map(slot, target.type)}
    else:
        field_map = _field_map(slot, target.type, options=_into(slot, target), adopts=target.names[0])
        fields = {named: field_map}
    reason = one.reason
    if one.fit.added and target.kind == "account":
        reason += f"; adds {len(one.fit.added)} choices there"
    return Candidate(target.key, target.words, one.score, one.method, reason, fields=fields)


def _create(slot: Slot, named: str) -> Candidate:
    options = {option: option for option in slot.options} if slot.type == "option" else None
    return Candidate(
        CREATE,
        f"a new field {named}",
        NEW_SCORE,
        CREATE,
        f"a field of its own of type {slot.type}: {slot.why_type}",
        fields={named: _field_map(slot, slot.type, options=options)},
    )


def _into(slot: Slot, target: Target) -> dict[str, str] | None:
    """A value map onto the choices of a field that exists; what it lacks is added under its own name."""
    if target.type != "option":
        return None
    theirs = {plain(option): option for option in target.options}
    mine = slot.options if slot.type == "option" else slot.samples
    return {option: theirs.get(plain(option), option) for option in mine}


def _field_map(
    slot: Slot, kind: str, *, options: Mapping[str, str] | None = None, adopts: str | None = None
) -> FieldMap:
    written: dict[str, Any] = {
        "type": kind,
        "from": slot.column,
        "transform": "custom_field",
        "args": {"name": slot.name},
        "description": f"The {_WHOSE[slot.feed].lower()}'s custom field {slot.name!r}.",
    }
    if options:
        written |= {"value_map": dict(options), "unmapped": "add_option"}
    if adopts is not None:
        written["adopts"] = adopts
    return FieldMap.model_validate(written)


# --- values ---------------------------------------------------------------------------------------------------


def _for_values(slots: list[Slot], methods: Collection[Method], one_to_one: bool) -> Iterable[Proposal]:
    by_slot = [[_value_score(slot, known, methods) for known in slot.known] for slot in slots]
    # Two values of the source may have one standing, but not one option: the account could not tell them apart.
    given = _assigned(
        [[one.score for one in rows] for rows in by_slot],
        VALUE_LEAST,
        one_to_one=one_to_one and slots[0].may_be_new,
    )
    for slot, rows, chosen in zip(slots, by_slot, given, strict=True):
        yield _value_proposal(slot, rows, rows[chosen] if chosen is not None else None)


@dataclass(frozen=True, slots=True)
class _KnownScored:
    known: Known
    score: float
    method: str
    reason: str


def _value_score(slot: Slot, known: Known, methods: Collection[Method]) -> _KnownScored:
    alike = of_values(slot.name, known.names, methods)
    return _KnownScored(known, alike.score, alike.method, alike.reason)


def _value_proposal(slot: Slot, rows: list[_KnownScored], best: _KnownScored | None) -> Proposal:
    others = sorted((one for one in rows if one is not best), key=lambda one: (-one.score, one.known.value))
    near = [one for one in others if one.score >= SHOWN_LEAST]
    offered = [_known_candidate(slot, one) for one in ([best] if best is not None else []) + near]
    new = [_new_value(slot)] if slot.may_be_new else []
    if best is None and not slot.may_be_new:
        return _cut(slot, "abstain", "like no value that the map knows", offered)
    if best is None:
        return _cut(slot, "create", "becomes one of its own", [*new, *offered])
    sure = best.score >= SURE_LEAST and not any(one.score >= RIVAL for one in others)
    return Proposal(
        slot,
        "sure" if sure else "likely",
        best.reason,
        (*offered[: MOST_CANDIDATES - len(new)], *new),
    )


def _known_candidate(slot: Slot, one: _KnownScored) -> Candidate:
    entries = {name: {slot.name: made} for name, made in one.known.entries.items()}
    words = f"the same as {one.known.value!r}"
    return Candidate(f"={one.known.value}", words, one.score, one.method, one.reason, values=entries)


def _new_value(slot: Slot) -> Candidate:
    entries = {name: {slot.name: slot.name} for known in slot.known[:1] for name in known.entries}
    words, reason = f"{slot.name!r} as it is", "one of its own, under its own name"
    return Candidate(CREATE, words, NEW_SCORE, CREATE, reason, values=entries)


# --- both -----------------------------------------------------------------------------------------------------


def _assigned(scores: list[list[float]], least: float, *, one_to_one: bool) -> list[int | None]:
    """For each row the column it gets, if any is worth at least that; each column once, the sum of scores highest."""
    if not scores or not scores[0]:
        return [None] * len(scores)
    matrix = np.array(scores)
    if not one_to_one:
        best = matrix.argmax(axis=1)
        return [int(at) if matrix[row, at] >= least else None for row, at in enumerate(best)]
    # Each row has a column of its own besides, worth just less than what is enough: to get nothing.
    alone = np.full((len(scores), len(scores)), -1.0)
    np.fill_diagonal(alone, least - 1e-6)
    rows, columns = linear_sum_assignment(np.hstack([matrix, alone]), maximize=True)
    given = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    return [given[row] if given[row] < matrix.shape[1] else None for row in range(len(scores))]


def _reranked(proposal: Proposal, reranker: Reranker) -> Proposal:
    if proposal.verdict == "sure" or len(proposal.candidates) < 2:
        return proposal
    order = reranker(proposal.slot, proposal.candidates)
    if order is None:
        return replace(proposal, verdict="abstain", reason="the language model does not know either")
    wanted = [*order, *(at for at in range(len(proposal.candidates)) if at not in order)]
    candidates = tuple(proposal.candidates[at] for at in wanted)
    if candidates == proposal.candidates:
        return proposal
    verdict: Verdict = "create" if candidates[0].target == CREATE else "likely"
    return replace(proposal, verdict=verdict, reason="reordered by the language model", candidates=candidates)
