"""The sample: whole roots, few records, everything the tenant has, and the same one for the same tenant."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_to_pipedrive.migration.plan import sample
from dispatch_to_pipedrive.migration.sample import (
    SAMPLE_LEAST,
    SAMPLE_MOST,
    choose_sample,
    coverage,
    passed_over,
)

Sizes = dict[int, int]
Features = list[tuple[int, str]]

SIZES = st.dictionaries(st.integers(0, 60), st.one_of(st.integers(0, 40), st.integers(0, 700)), max_size=40)
NAMES = st.sampled_from(
    ["job type 1", "job type 2", "recall", "credit", "sites 11+", "technician 7", "owner nobody"]
)


def table(sizes: Sizes) -> pd.DataFrame:
    rows = pd.DataFrame({"root": list(sizes), "records": list(sizes.values())}, dtype="int64")
    return rows.assign(tokens=rows["records"] * 5).sort_values("root", ignore_index=True)


def frame(features: Features) -> pd.DataFrame:
    found = pd.DataFrame(features, columns=["root", "feature"])
    return found.astype({"root": "Int64", "feature": "string"})


@pytest.mark.promise("R080")
@settings(max_examples=40, deadline=None)
@given(SIZES, st.data())
def test_whole_roots_never_more_than_five_hundred_records_and_equal_tenants_give_equal_samples(
    sizes: Sizes, data: st.DataObject
) -> None:
    """R080; a sample is closed under foreign keys because it is made of roots."""
    roots = st.sampled_from(sorted(sizes)) if sizes else st.nothing()
    features = data.draw(st.lists(st.tuples(roots, NAMES), max_size=60)) if sizes else []
    chosen = choose_sample(table(sizes), frame(features))
    total = sum(sizes[root] for root in chosen)
    assert set(chosen) <= set(sizes)
    assert total <= SAMPLE_MOST
    fitting = {root: count for root, count in sizes.items() if 0 < count <= SAMPLE_MOST}
    if sum(fitting.values()) <= SAMPLE_LEAST:
        assert set(chosen) == set(fitting)  # a small tenant is its own sample
    elif max(fitting.values()) <= SAMPLE_MOST - SAMPLE_LEAST:
        assert total >= SAMPLE_LEAST
    shuffled = data.draw(st.permutations(features))
    mixed = table(sizes).sample(frac=1, random_state=1)
    assert choose_sample(mixed, frame(shuffled)) == chosen
    covered = coverage(table(sizes), frame(features), chosen)
    assert covered["root"].dropna().isin(chosen).all()
    assert ((covered["why"] == "") == covered["root"].notna()).all()
    having: dict[str, set[int]] = {}
    for root, feature in features:
        having.setdefault(feature, set()).add(root)
    for row in covered.itertuples():
        assert pd.isna(row.root) == (not having[str(row.feature)] & set(chosen))


@pytest.mark.promise("R080")
def test_each_feature_is_covered_with_few_records() -> None:
    sizes = {1: 20, 2: 2, 3: 3, **dict.fromkeys(range(10, 400), 1)}
    features = [(1, "recall"), (1, "credit"), (2, "recall"), (2, "credit"), (3, "job type 4")]
    chosen = choose_sample(table(sizes), frame(features))
    assert {2, 3} <= set(chosen)
    assert sum(sizes[root] for root in chosen) == SAMPLE_LEAST
    found = coverage(table(sizes), frame(features), chosen).set_index("feature")["root"]
    assert found.to_dict() == {"recall": 2, "credit": 2, "job type 4": 3}


@pytest.mark.promise("R080")
def test_what_five_hundred_records_cannot_cover_is_named_with_its_reason() -> None:
    sizes = {1: 501, 2: 300, 3: 0, 4: 190, 5: 150}
    features = [(1, "warranty"), (2, "recall"), (3, "call Inbound"), (4, "credit"), (5, "sites 5–10")]
    chosen = choose_sample(table(sizes), frame(features))
    assert sum(sizes[root] for root in chosen) <= SAMPLE_MOST
    why = coverage(table(sizes), frame(features), chosen).set_index("feature")["why"]
    assert why["warranty"] == "only on customers larger than the whole sample: 1 (501 records)"
    assert why["call Inbound"] == "only on records that make nothing in Pipedrive"
    assert why["recall"] == "no room: customer 2 would bring 300 records, 160 were left"
    assert why["credit"] == why["sites 5–10"] == ""
    assert passed_over(table(sizes)).to_dict("list") == {"root": [1], "records": [501]}


def test_technicians_do_not_make_a_sample_larger() -> None:
    sizes = {1: 200, **dict.fromkeys(range(2, 12), 40)}
    features = [(1, "recall"), *((root, f"technician {root}") for root in range(2, 12))]
    chosen = choose_sample(table(sizes), frame(features))
    assert chosen == (1,)
    why = coverage(table(sizes), frame(features), chosen).set_index("feature")["why"]
    assert "not asked for" in why["technician 2"]


def test_a_tenant_of_one_huge_customer_has_an_empty_sample_and_says_so() -> None:
    manifest = sample(table({7: 900}), frame([(7, "recall")]), generation=3)
    assert (manifest.roots, manifest.records, manifest.generation_to) == ((), 0, 3)
