"""Options follow the names that their sources have: identities decide, names are only how things are called."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_to_pipedrive.pipedrive.account import Field, Option, Structure
from dispatch_to_pipedrive.pipedrive.making import SchemaOutcome, learn
from dispatch_to_pipedrive.pipedrive.schema import (
    LABELS,
    AccountSchema,
    LabelNeed,
    MadeOption,
    NotInSchema,
    SchemaNeeds,
    SchemaStep,
    fitting,
    names_to_keep,
    plan_schema,
)

Names = dict[str, tuple[str, ...]]


def account(labels: dict[int, str], options: dict[int, tuple[str, tuple[str, ...]]]) -> AccountSchema:
    """Deals with these labels; of those that the ledger knows, the recorded name and what they stand for."""
    field = Field(
        field_code="label_ids",
        field_name="Labels",
        field_type="set",
        options=tuple(Option(id=number, label=label) for number, label in labels.items()),
    )
    made = tuple(MadeOption("deals", LABELS, name, key, bears) for key, (name, bears) in options.items())
    return AccountSchema(Structure({"deals": {"label_ids": field}}, (), ()), (), made)


def at(schema: AccountSchema, names: Names) -> AccountSchema:
    return schema.at_source({("deals", LABELS): names})


def steps(schema: AccountSchema, names: Names) -> list[SchemaStep]:
    needs = SchemaNeeds(labels=(LabelNeed("deals", tuple(names)),), sources={("deals", LABELS): names})
    return list(plan_schema(schema, needs))


VIP = account({1: "VIP", 2: "Gold"}, {1: ("VIP", ("tag:7",)), 2: ("Gold", ("tag:8",))})
FIRST: Names = {"VIP": ("tag:7",), "Gold": ("tag:8",)}


def renamed(schema: AccountSchema, names: Names) -> AccountSchema:
    """The schema after the one rename that is planned for it, as the vendor's v1 answers it."""
    (step,) = steps(schema, names)
    assert step.kind == "rename"
    now = {number: (fitting(old), fitting(new)) for number, old, new in step.renames}
    options = [
        {"id": number, "label": now[number][1] if now.get(number, ("", ""))[0] == label else label}
        for number, label in schema.called("deals", LABELS).items()
    ]
    return learn(schema, SchemaOutcome(step, None, {"options": options}, 10, None))


@pytest.mark.promise("R051")
def test_a_renamed_tag_is_one_rename_and_the_same_option_then_and_now() -> None:
    names: Names = {"VIP customer": ("tag:7",), "Gold": ("tag:8",)}
    after = renamed(VIP, names)
    assert dict(after.called("deals", LABELS)) == {1: "VIP customer", 2: "Gold"}
    assert [(o.id, o.label) for o in after.options] == [(1, "VIP customer"), (2, "Gold")]
    assert steps(after, names) == []
    assert at(after, names).label_id("deals", "VIP customer") == 1
    assert at(after, FIRST).label_id("deals", "VIP") == 1, "what was read before the rename"
    assert at(VIP, names).label_id("deals", "VIP customer") == 1, "before the option was renamed"


def test_without_what_bears_it_a_new_name_is_a_new_option_and_the_old_one_stays() -> None:
    needs = SchemaNeeds(labels=(LabelNeed("deals", ("VIP customer", "Gold")),))
    (step,) = plan_schema(VIP, needs)
    assert (step.kind, step.labels, step.renames) == ("labels", ("VIP customer",), ())


@pytest.mark.parametrize(
    ("names", "called"),
    [
        ({"Gold": ("tag:7",), "VIP": ("tag:8",)}, {1: "Gold", 2: "VIP"}),
        ({"Gold": ("tag:7",), "Silver": ("tag:8",)}, {1: "Gold", 2: "Silver"}),
    ],
    ids=["two tags change names", "one takes the name that the other leaves"],
)
def test_names_that_are_passed_on_go_with_their_tags(names: Names, called: dict[int, str]) -> None:
    after = renamed(VIP, names)
    assert dict(after.called("deals", LABELS)) == called
    for label, (tag,) in FIRST.items():
        assert at(after, FIRST).label_id("deals", label) == {"tag:7": 1, "tag:8": 2}[tag]
    for label, (tag,) in names.items():
        assert at(after, names).label_id("deals", label) == {"tag:7": 1, "tag:8": 2}[tag]


def kept(schema: AccountSchema, names: Names, *, anew: bool = False) -> AccountSchema:
    """The schema after the ledger has kept what stands for these names."""
    asked = at(schema, names)
    return replace(asked, names=(*asked.names, *names_to_keep(asked, anew=anew)))


def test_a_tag_that_takes_the_name_of_another_shares_its_label_and_that_is_renamed_with_neither() -> None:
    both: Names = {"VIP": ("tag:7", "tag:8")}
    assert steps(VIP, both) == [], "no second label of that name"
    known = kept(kept(VIP, FIRST), both)
    assert known.label_id("deals", "VIP") == 1
    assert at(known, FIRST).label_id("deals", "Gold") == 2, "what was loaded before keeps its label"
    apart: Names = {"Silver": ("tag:7",), "VIP": ("tag:8",)}
    (step,) = steps(known, apart)
    assert (step.kind, step.labels) == ("labels", ("Silver",)), "records of tag 8 must not be called Silver"
    assert at(known, FIRST).label_id("deals", "VIP") == 1
    assert names_to_keep(at(known, both)) == []


def test_what_people_called_an_option_it_is_called() -> None:
    theirs = account({1: "Key account", 2: "Gold"}, {1: ("VIP", ("tag:7",)), 2: ("Gold", ("tag:8",))})
    names: Names = {"VIP customer": ("tag:7",), "Gold": ("tag:8",)}
    (one,) = at(theirs, names).standing("deals", LABELS).renames
    assert one.by_people
    after = renamed(theirs, names)
    assert after.called("deals", LABELS)[1] == "Key account"
    assert after.options[0].label == "VIP customer"
    assert at(after, names).label_id("deals", "VIP customer") == 1


def test_a_name_that_people_use_for_another_option_is_not_taken_from_them() -> None:
    theirs = account({1: "VIP", 3: "VIP customer"}, {1: ("VIP", ("tag:7",))})
    names: Names = {"VIP customer": ("tag:7",)}
    assert steps(theirs, names) == []
    assert at(theirs, names).label_id("deals", "VIP customer") == 3
    assert at(kept(theirs, FIRST), FIRST).label_id("deals", "VIP") == 1, (
        "what was loaded before keeps its label"
    )


def test_labels_of_people_are_never_renamed() -> None:
    theirs = account({4: "Customer"}, {4: ("Customer", ())})
    (step,) = steps(theirs, {"Client": ("tag:7",)})
    assert (step.kind, step.labels, step.sources) == ("labels", ("Client",), (("tag:7",),))


@pytest.mark.promise("R052")
def test_names_stay_verbatim_and_what_is_too_long_is_told_apart() -> None:
    long = "Commercial roof " * 20
    for label in ("VIP", "vip", " vip ", "ключевой 🔑", "=cmd()", "x" * 255):
        assert fitting(label) == label
    cut = [fitting(long), fitting(long + "!"), fitting(long)]
    assert [len(label) for label in cut] == [255, 255, 255]
    assert cut[0] == cut[2] != cut[1]
    assert cut[0].startswith("Commercial roof Commercial")
    there = account({1: fitting(long)}, {})
    assert steps(there, {long: ("tag:7",)}) == []
    assert at(there, {long: ("tag:7",)}).label_id("deals", long) == 1


def test_names_that_differ_in_case_alone_are_two_labels() -> None:
    (step,) = steps(account({}, {}), {"VIP": ("tag:7",), "vip": ("tag:8",)})
    assert step.labels == ("VIP", "vip")
    with pytest.raises(NotInSchema):
        account({1: "vip"}, {}).label_id("deals", "VIP")


TAGS = st.fixed_dictionaries({tag: st.sampled_from("ABCD") for tag in (1, 2, 3)})


def named(tags: Mapping[int, str]) -> Names:
    return {name: tuple(f"tag:{tag}" for tag in tags if tags[tag] == name) for name in tags.values()}


def prepared(schema: AccountSchema, names: Names) -> AccountSchema:
    """The schema after everything that is planned for these names, and an end to it."""
    while planned := steps(schema, names):
        step, called = planned[0], dict(schema.called("deals", LABELS))
        for number, old, new in step.renames:
            called[number] = new if called[number] == old else called[number]
        new_ids = range(max(called, default=0) + 1, 100)
        made = [
            MadeOption("deals", LABELS, label, number, sources)
            for number, label, sources in zip(new_ids, step.labels, step.sources, strict=False)
        ]
        called |= {option.id: option.label for option in made}
        assert len(set(called.values())) == len(called), "two labels of one name"
        answer = {"options": [{"id": number, "label": label} for number, label in called.items()]}
        schema = learn(schema, SchemaOutcome(step, None, answer, 10, None, tuple(made)))
    return kept(schema, names, anew=True)


@settings(max_examples=150, deadline=None)
@given(history=st.lists(st.tuples(TAGS, st.booleans()), min_size=1, max_size=5))
def test_whatever_tags_are_called_in_turn_no_label_is_lost_and_old_batches_find_theirs(
    history: list[tuple[dict[int, str], bool]],
) -> None:
    schema, loaded = account({}, {}), list[tuple[Names, dict[str, int]]]()
    for tags, loads in history:
        names = named(tags)
        schema = prepared(schema, names)
        ids = {name: at(schema, names).label_id("deals", name) for name in names}
        called = schema.called("deals", LABELS)
        assert {name: called[number] for name, number in ids.items()} == {name: name for name in names}
        if loads:
            loaded.append((names, ids))
        for then, had in loaded:
            for name, number in had.items():
                now = at(schema, then).label_id("deals", name)
                # A label that could not go with its tag is given up for one that has the name, and `verify` names it.
                assert now == number or called[now] == name
