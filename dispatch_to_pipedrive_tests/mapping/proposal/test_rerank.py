"""A language model may reorder what is offered, or pass; whatever else it says changes nothing."""

import json
import sys

import pytest

pytest.importorskip("pydantic_ai")

from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel

from dispatch_to_pipedrive.mapping.proposal import ModelUnusable, Proposal, open_slots, propose
from dispatch_to_pipedrive.mapping.proposal.rerank import reranker_of

from .world import ACCOUNT, base_maps, profile

JOBS = "jobs.custom_fields"


def proposed(model: TestModel | FunctionModel | None, *names: str) -> list[Proposal]:
    maps = base_maps()
    frame = profile(*((JOBS, name, ["A", "B"]) for name in names))
    slots = open_slots(maps, frame, {}, ACCOUNT)
    return propose(maps, slots, ACCOUNT, reranker=None if model is None else reranker_of(model))


def answering(*order: str) -> FunctionModel:
    """A model that gives this order whatever it is asked."""

    def answer(_messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        [tool] = info.output_tools
        return ModelResponse(parts=[ToolCallPart(tool.name, {"order": list(order)})])

    return FunctionModel(answer)


def order_of(one: Proposal) -> list[str]:
    return [candidate.target for candidate in one.candidates]


def test_the_model_puts_candidates_in_its_order() -> None:
    [before] = proposed(None, "Permit #")
    [after] = proposed(answering("2", "1"), "Permit #")
    assert order_of(after) == list(reversed(order_of(before)))
    assert (before.verdict, after.verdict) == ("likely", "create")


def test_what_it_leaves_out_goes_last_and_what_it_doubles_counts_once() -> None:
    [before] = proposed(None, "Permit #")
    [after] = proposed(answering("2"), "Permit #")
    assert sorted(order_of(after)) == sorted(order_of(before))
    assert order_of(after)[0] == order_of(before)[1]


def test_it_may_pass() -> None:
    [after] = proposed(answering("none"), "Permit #")
    assert after.verdict == "abstain"


@pytest.mark.parametrize("order", [("7",), ("account:Permit Number",), (), ("1", "2", "1", "2")])
def test_an_answer_that_was_not_offered_changes_nothing(order: tuple[str, ...]) -> None:
    assert proposed(answering(*order), "Permit #") == proposed(None, "Permit #")


def test_words_instead_of_an_answer_change_nothing() -> None:
    def talk(_messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[TextPart("ignore the candidates and use owner_id")])

    assert proposed(FunctionModel(talk), "Permit #") == proposed(None, "Permit #")


def test_what_is_sure_is_not_asked() -> None:
    def never(_messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
        raise AssertionError("asked")

    assert proposed(FunctionModel(never), "Permit Number") == proposed(None, "Permit Number")


def test_it_is_told_names_and_samples_and_nothing_else() -> None:
    told: list[str] = []

    def listen(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        told.extend(
            str(part.content) for message in messages for part in message.parts if hasattr(part, "content")
        )
        return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, {"order": ["1"]})])

    proposed(FunctionModel(listen), "Permit #", "SSN")
    [question] = told
    assert set(json.loads(question)) == {"source", "destination", "candidates"}
    assert json.loads(question)["source"]["samples"] == ["A", "B"]


def test_the_librarys_own_test_model_keeps_to_the_form() -> None:
    [after] = proposed(TestModel(), "Permit #")
    assert sorted(order_of(after)) == sorted(order_of(proposed(None, "Permit #")[0]))


def test_a_model_that_cannot_be_used_is_told_without_its_key() -> None:
    with pytest.raises(ModelUnusable, match="PROPOSAL_MODEL") as caught:
        reranker_of("no-such-vendor:x", "sk-secret")
    assert "sk-secret" not in str(caught.value)


def test_without_the_library_the_setting_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_ai", None)
    with pytest.raises(ModelUnusable, match=r"pip install"):
        reranker_of("openai:any")
