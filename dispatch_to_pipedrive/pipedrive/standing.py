"""Which option of a field stands for a name, given what bore that name at the source?

Names are not enough: two tags can have one name, change names or take the name of a third, and batches are read as of
different times. So for each name and all that bore it the ledger keeps which option stood for it, for good; an option
that has only ever stood for one thing is renamed with it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dispatch_to_pipedrive.pipedrive.plans import OPTION_LABEL_LENGTH

Sources = Mapping[tuple[str, str], Mapping[str, Sequence[str]]]
"""(entity, custom field or LABELS) → label → what bears that name at the source, by id: `tag_type:7`.

Only for fields whose options follow renames at the source."""


@dataclass(frozen=True, slots=True)
class MadeOption:
    """An option (of a custom field by logical name, or of LABELS), and a label that it stands for.

    As one of the account's options: `label` is the name that the ledger knows it by, `sources` what it was made for;
    empty for one that people made, or whose field does not follow renames. As a name that it has stood for: `sources`
    are all that bore it.
    """

    entity: str
    field: str
    label: str
    id: int
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rename:
    """An option that gets the name which its source has now; `called` is what the account calls it."""

    id: int
    old: str
    new: str
    called: str

    @property
    def by_people(self) -> bool:
        """Whether people gave it a name of their own, which stays."""
        return self.called not in (fitting(self.old), fitting(self.new))


@dataclass(frozen=True)
class Standing:
    """The options of one field by the names that they stand for.

    own: those that are called so, or will be. every: what stood for the name before, else these, else what stands for
    something that bears it.
    """

    own: Mapping[str, int]
    every: Mapping[str, int]
    renames: Sequence[Rename]


def fitting(label: str) -> str:
    """A label as Pipedrive can hold it: cut where it is too long, and told from others that begin alike."""
    if len(label) <= OPTION_LABEL_LENGTH:
        return label
    mark = f"… [{hashlib.sha256(label.encode()).hexdigest()[:8]}]"
    return label[: OPTION_LABEL_LENGTH - len(mark)] + mark


def stand(
    options: Sequence[MadeOption],
    names: Sequence[MadeOption],
    called: Mapping[int, str],
    asked: Mapping[str, Sequence[str]],
) -> Standing:
    """Label → id for every name of the account and every one that is `asked` for (name → what bears it).

    options: those of the account that the ledger knows, names: which of them stood for which name, called: id → what
    the account calls it. What people renamed still stands for what it was made for.
    """
    known = {option.id for option in options}
    free: dict[str, int] = {}
    for number, label in called.items():
        if number not in known:
            free.setdefault(label, number)
    by_name = {**free, **{option.label: option.id for option in options}}
    if not asked:
        return Standing(by_name, by_name, ())
    before = {(name.label, frozenset(name.sources)): name.id for name in names if name.id in called}
    owned = _owned(options, names)
    renames = _renames(options, owned, called, asked)
    given = {one.new: one.id for one in renames}
    passing = {one.id for one in renames}
    some: dict[str, int] = {}
    for name in sorted((*names, *options), key=lambda one: one.id, reverse=True):
        some.update(dict.fromkeys(name.sources, name.id) if name.id in called else {})
    staying = {label: number for label, number in by_name.items() if number not in passing}
    own, every = dict(staying), dict(staying)
    for label, bearers in asked.items():
        mine = owned.get(frozenset(bearers))
        fit = mine.id if mine is not None and mine.label == label else given.get(label)
        here = staying.get(label, staying.get(fitting(label)))
        then = before.get((label, frozenset(bearers)))
        least = next((some[source] for source in bearers if source in some), None)
        for found, choices in ((own, (fit, here)), (every, (then, fit, here, least))):
            best = next((one for one in choices if one is not None), None)
            found.pop(label, None)
            if best is not None:
                found[label] = best
    return Standing(own, every, renames)


def _owned(options: Sequence[MadeOption], names: Sequence[MadeOption]) -> dict[frozenset[str], MadeOption]:
    """What bears a name → the option made by us that has never stood for anything else."""
    stood: dict[int, set[frozenset[str]]] = {}
    for name in names:
        stood.setdefault(name.id, set()).add(frozenset(name.sources))
    found: dict[frozenset[str], MadeOption] = {}
    for option in options:
        mine = frozenset(option.sources)
        if len(mine) == 1 and stood.get(option.id, {mine}) == {mine}:
            found.setdefault(mine, option)
    return found


def _renames(
    options: Sequence[MadeOption],
    owned: Mapping[frozenset[str], MadeOption],
    called: Mapping[int, str],
    asked: Mapping[str, Sequence[str]],
) -> list[Rename]:
    """Options that no longer bear the name of what they stand for, as far as no other option has that name."""
    wanted = [
        Rename(option.id, option.label, label, called[option.id])
        for label, bearers in asked.items()
        if (option := owned.get(frozenset(bearers))) is not None and option.label != label
    ]
    while True:
        there = Counter({**called, **{x.id: fitting(x.new) for x in wanted if not x.by_people}}.values())
        known = Counter({**{o.id: o.label for o in options}, **{x.id: x.new for x in wanted}}.values())
        free = [
            one for one in wanted if known[one.new] == 1 and (one.by_people or there[fitting(one.new)] == 1)
        ]
        if len(free) == len(wanted):
            return wanted
        wanted = free
