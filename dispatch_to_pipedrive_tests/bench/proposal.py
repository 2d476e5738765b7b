"""How often is the proposal right? Scored against labels that were written before there was a method.

The labels are split in two by a hash of their names. The seen half may be looked at row by row; of the unseen half
nothing is ever shown but its scores. Each half's rows of a tenant are proposed for together, as one tenant's.
"""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from dispatch_to_pipedrive.mapping import Maps, load_maps
from dispatch_to_pipedrive.mapping.proposal import AccountField, Catalogue, Proposal, Slot, propose
from dispatch_to_pipedrive.mapping.proposal.inference import inferred
from dispatch_to_pipedrive.mapping.proposal.likeness import METHODS
from dispatch_to_pipedrive.mapping.proposal.slots import PLACES, known_values
from dispatch_to_pipedrive_tests.bench.figures import Figure
from dispatch_to_pipedrive_tests.bench.tenants import MAPPINGS

LABELS = Path(__file__).parent / "proposal_labels"
HALVES = ("seen", "unseen")
HIT_1, HIT_3 = 0.70, 0.85
COLUMN_OF = {
    "job_status": "job_status",
    "job_type": "job_type",
    "priority": "priority",
    "payment_status": "payment_status",
    "tag": "labels",
}
RECORDS = 100
NATIVE_TYPES = {"birthday": "date", "expected_close_date": "date"}


@dataclass(frozen=True)
class Label:
    """One row: where it stands, what it is, and the answers of which any is right."""

    tenant: str
    feed: str
    entity: str
    name: str
    data_type: str
    samples: tuple[str, ...]
    right: frozenset[str]

    @property
    def half(self) -> str:
        """By a hash of the name."""
        return HALVES[hashlib.sha256(self.name.encode()).digest()[0] % 2]


@dataclass(frozen=True)
class Outcome:
    """A label, what was proposed for it, and the answers in their order, abstaining among them."""

    label: Label
    proposal: Proposal

    @property
    def answers(self) -> tuple[str, ...]:
        """At most three."""
        offered = tuple(candidate.target for candidate in self.proposal.candidates)
        return (("abstain", *offered) if self.proposal.verdict == "abstain" else offered)[:3]

    def hit(self, first: int) -> bool:
        """Whether one of the first answers is right."""
        return bool(self.label.right & set(self.answers[:first]))

    @property
    def wrongly_sure(self) -> bool:
        """Whether what was marked sure is not right."""
        return self.proposal.verdict == "sure" and not self.hit(1)


@cache
def labels() -> tuple[Label, ...]:
    """Every label."""
    tenants = yaml.safe_load((LABELS / "labels.yaml").read_text(encoding="utf-8"))
    return tuple(
        Label(tenant, feed, entity, name, data_type, tuple(samples), frozenset(right))
        for tenant, rows in tenants.items()
        for feed, entity, name, data_type, samples, right in rows
    )


@cache
def account() -> Catalogue:
    """The account that the labels were written for."""
    held = yaml.safe_load((LABELS / "account.yaml").read_text(encoding="utf-8"))
    native = [
        AccountField(entity, code, code.replace("_", " ").capitalize(), NATIVE_TYPES.get(code, "varchar"))
        for entity, codes in held["native"].items()
        for code in codes
    ]
    custom = [
        AccountField(entity, f"{entity}:{name}", name, kind, tuple(options), custom=True)
        for entity, fields in held["fields"].items()
        for name, (kind, *options) in fields.items()
    ]
    ours = [
        AccountField("deals", name, name, "enum", tuple(options), custom=True, ours=name)
        for name, options in held["options"].items()
    ]
    return Catalogue((*native, *custom, *ours), held["labels"])


def slot_of(label: Label, maps: Maps) -> Slot:
    """The slot as `open_slots` would find it."""
    if label.data_type == "-":
        column = COLUMN_OF[label.feed]
        known, may_be_new = known_values(maps, account(), label.entity, column)
        return Slot(
            "value",
            label.entity,
            label.feed,
            label.name,
            column,
            filled=1,
            records=RECORDS,
            known=known,
            may_be_new=may_be_new,
        )
    options = label.samples if label.data_type == "Dropdown" else ()
    kind = inferred(label.name, label.data_type, options, label.samples, complete=True)
    return Slot(
        kind="field",
        entity=label.entity,
        feed=label.feed,
        name=label.name,
        column=dict(PLACES[label.feed])[label.entity],
        data_type=label.data_type,
        type=kind.type,
        options=kind.options,
        why_type=kind.reason,
        samples=label.samples,
        filled=len(label.samples),
        records=RECORDS,
        distinct=len(label.samples),
    )


def outcomes(half: str, **how: Any) -> list[Outcome]:
    """What is proposed for the labels of a half; `how` goes to `propose`."""
    maps = load_maps(MAPPINGS)
    found = []
    for tenant in dict.fromkeys(label.tenant for label in labels()):
        mine = [label for label in labels() if label.tenant == tenant and label.half == half]
        proposals = propose(maps, [slot_of(label, maps) for label in mine], account(), **how)
        found += [Outcome(*pair) for pair in zip(mine, proposals, strict=True)]
    return found


def scores(found: Sequence[Outcome]) -> Mapping[str, float]:
    """hit@1, hit@3, how many were sure, and how many of these wrongly."""
    return {
        "hit@1": sum(one.hit(1) for one in found) / len(found),
        "hit@3": sum(one.hit(3) for one in found) / len(found),
        "sure": sum(one.proposal.verdict == "sure" for one in found),
        "wrong": sum(one.wrongly_sure for one in found),
    }


WAYS: Mapping[str, Mapping[str, Any]] = {
    "exact names": {"methods": METHODS[:1], "one_to_one": False, "veto": False},
    "+ normalized": {"methods": METHODS[:2], "one_to_one": False, "veto": False},
    "+ glossary": {"methods": METHODS[:3], "one_to_one": False, "veto": False},
    "+ likeness": {"one_to_one": False, "veto": False},
    "+ veto by type": {"one_to_one": False},
    "+ one to one": {},
    "all but the glossary": {"methods": ("exact", "normalized", "fuzzy")},
}
"""Each way adds one step to the one before; the last two are the whole method, and the whole without its glossary."""


def proposal(_folder: Path) -> list[Figure]:
    """What the proposal gets right of the unseen half, and what each step of the method is worth."""
    seen, unseen = (scores(outcomes(half)) for half in HALVES)
    ways = {way: scores(outcomes("unseen", **how)) for way, how in WAYS.items()}
    count = sum(label.half == "unseen" for label in labels())
    figures = []
    for hit, goal in (("hit@1", HIT_1), ("hit@3", HIT_3)):
        detail = "; ".join(f"{way} {found[hit]:.2f}" for way, found in ways.items())
        name = f"proposal, {hit} of {count} unseen labels"
        detail = f"{detail}; seen half {seen[hit]:.2f}"
        figures.append(Figure(name, unseen[hit], goal, "", at_least=True, detail=detail))
    sure, wrong = (seen[one] + unseen[one] for one in ("sure", "wrong"))
    return [*figures, Figure("proposal, wrongly sure", wrong, 0, "", detail=f"of {sure:.0f} in both halves")]


def main() -> None:
    """Show the seen half row by row (with --all also what is right), and of the unseen half its scores."""
    console = Console(width=None if sys.stdout.isatty() else 200)
    table = Table("feed", "entity", "name", "right", "answered", "verdict", "hit")
    for one in outcomes("seen"):
        if "--all" in sys.argv or not one.hit(1):
            label, hit = one.label, "1" if one.hit(1) else "3" if one.hit(3) else "-"
            answers, right = ", ".join(one.answers), ", ".join(sorted(label.right))
            table.add_row(label.feed, label.entity, label.name, right, answers, one.proposal.verdict, hit)
    console.print(table)
    for figure in proposal(Path()):
        console.print(f"{figure.name}: {figure.value:.3f} ({figure.detail})")


if __name__ == "__main__":
    main()
