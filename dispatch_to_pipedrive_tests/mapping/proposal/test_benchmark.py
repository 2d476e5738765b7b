"""The goals of the labelled benchmark hold; of the unseen half only figures are told."""

from functools import cache

import pytest

from dispatch_to_pipedrive_tests.bench.proposal import HALVES, HIT_1, HIT_3, Outcome, labels, outcomes, scores


@cache
def found(half: str) -> list[Outcome]:
    """What is proposed for a half."""
    return outcomes(half)


def test_there_are_labels_enough_in_both_halves() -> None:
    assert len(labels()) >= 150
    assert all(len(found(half)) >= 75 for half in HALVES)
    assert {right for label in labels() for right in label.right} >= {"create", "abstain"}
    assert all(label.right for label in labels())


@pytest.mark.parametrize("half", HALVES)
def test_candidates_hold_the_right_answer_often_enough(half: str) -> None:
    figures = scores(found(half))
    assert figures["hit@1"] >= HIT_1
    assert figures["hit@3"] >= HIT_3


@pytest.mark.parametrize("half", HALVES)
def test_nothing_that_is_sure_is_wrong(half: str) -> None:
    figures = scores(found(half))
    assert figures["sure"] > 0
    assert figures["wrong"] == 0


def test_no_more_than_three_candidates_and_none_twice() -> None:
    for one in (one for half in HALVES for one in found(half)):
        targets = [candidate.target for candidate in one.proposal.candidates]
        assert len(targets) == len(set(targets)) <= 3
        assert all(0 <= candidate.score <= 1 and candidate.reason for candidate in one.proposal.candidates)


def test_two_fields_of_a_tenant_are_never_led_to_one_target() -> None:
    for half in HALVES:
        given: dict[tuple[str, str, str], Outcome] = {}
        for one in found(half):
            first = one.answers[0] if one.answers else "abstain"
            if one.proposal.slot.kind == "field" and first not in ("create", "abstain"):
                key = (one.label.tenant, one.label.entity, first)
                assert key not in given, (one.label, given[key].label)
                given[key] = one
