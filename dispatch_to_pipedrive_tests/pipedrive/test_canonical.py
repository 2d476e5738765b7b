"""What means the same is equal, what does not is not: by field type, and for records as a whole."""

import copy
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_to_pipedrive.pipedrive.account import Structure
from dispatch_to_pipedrive.pipedrive.canonical import agree, canonical, canonical_record, differences
from dispatch_to_pipedrive.pipedrive.recorded import AccountSchema, Made

SAME: list[tuple[str, str, str | None, Any, Any]] = [
    ("activities", "due_time", None, "15:30", "15:30:00"),
    ("activities", "duration", None, "01:05", "1:05:00"),
    ("activities", "note", None, "<p>a</p><script>x()</script>", "<p>a</p>"),
    ("activities", "note", None, '<p onclick="x()">a<br/>b</p>', "<p>a<br>b</p>"),
    ("activities", "note", None, "<div><strong>a</strong> &amp;&nbsp;b</div>", "<b>a</b> &\u00a0b"),
    ("activities", "note", None, "", None),
    ("activities", "location", None, {"value": "1 Main St"}, {"value": "1 Main St", "locality": "Denver"}),
    (
        "activities",
        "participants",
        None,
        [{"person_id": 6, "primary": True}],
        [{"primary": True, "person_id": 6}],
    ),
    (
        "organizations",
        "address",
        None,
        {"value": "x", "country": None},
        {"value": "x", "formatted_address": "X"},
    ),
    ("organizations", "add_time", None, "2019-05-29T04:21:51Z", "2019-05-29 04:21:51"),
    ("organizations", "add_time", None, "2019-05-29T04:21:51Z", "2019-05-29T06:21:51+02:00"),
    ("organizations", "label_ids", None, [7, 5], [5, 7]),
    ("organizations", "label_ids", None, [], None),
    ("persons", "name", None, "Jane  Doe ", "Jane Doe"),
    ("persons", "emails", None, [{"value": "a@b"}], [{"value": "a@b", "label": "work", "primary": True}]),
    ("persons", "phones", None, [], None),
    ("deals", "value", None, 18450.5, 18450.50),
    ("deals", "value", None, 100, 100.0),
    ("deals", "expected_close_date", None, "0000-00-00", None),
    ("deals", "won_time", None, "0000-00-00 00:00:00", None),
    ("deals", "is_archived", None, False, 0),
    ("deals", "visible_to", None, 3, "3"),
    ("deals", "x", "varchar", "", None),
    ("deals", "x", "double", 18450.5, "18450.50"),
    ("deals", "x", "enum", 31, {"id": 31, "label": "Repair"}),
    ("deals", "x", "set", [12, 11], "11,12"),
    ("deals", "x", "monetary", {"value": 500, "currency": "USD"}, {"value": 500.00, "currency": "USD"}),
    ("deals", "x", "monetary", None, {"value": None, "currency": None}),
    (
        "deals",
        "x",
        "time",
        {"value": "09:00"},
        {"value": "09:00:00", "timezone_name": "UTC", "timezone_id": 1},
    ),
    ("deals", "x", "address", {"value": "2 Side St"}, {"value": "2 Side St", "route": "Side St"}),
    ("deals", "x", "daterange", {"value": "2024-01-01", "until": None}, {"value": "2024-01-01"}),
    ("deals", "x", "user", 4, {"id": 4, "name": "Ada"}),
]

OTHER: list[tuple[str, str, str | None, Any, Any]] = [
    ("activities", "due_time", None, "15:30", "16:30:00"),
    ("activities", "due_time", None, "15:30", None),
    ("activities", "duration", None, "01:05", "00:65"),
    ("activities", "due_date", None, "2024-01-01", "2024-01-02"),
    ("activities", "note", None, "<p>Left voicemail</p>", "<p>Left voice</p>"),
    ("activities", "note", None, "<p>a</p><p>b</p>", "<p>ab</p>"),
    ("activities", "note", None, '<a href="https://a.example">x</a>', '<a href="https://b.example">x</a>'),
    ("activities", "note", None, "<p>1 &lt; 2</p>", "<p>1</p>"),
    ("activities", "done", None, True, False),
    ("activities", "deal_id", None, 1, 2),
    ("activities", "location", None, {"value": "1 Main St"}, {"value": "2 Main St"}),
    ("activities", "location", None, {"value": "1 Main St"}, None),
    (
        "activities",
        "participants",
        None,
        [{"person_id": 6, "primary": True}, {"person_id": 7, "primary": False}],
        [{"person_id": 6, "primary": False}, {"person_id": 7, "primary": True}],
    ),
    ("organizations", "address", None, {"value": "x", "postal_code": "94085"}, {"value": "x"}),
    (
        "organizations",
        "address",
        None,
        {"value": "x", "postal_code": "1"},
        {"value": "x", "postal_code": "2"},
    ),
    ("organizations", "add_time", None, "2019-05-29T04:21:51Z", "2019-05-29T04:21:51+02:00"),
    ("organizations", "label_ids", None, [5], [5, 7]),
    ("persons", "name", None, "Jane Doe", "Jane Do"),
    ("persons", "org_id", None, 1, None),
    ("persons", "emails", None, [{"value": "a@b"}], [{"value": "a@b", "label": "home", "primary": True}]),
    ("persons", "emails", None, [{"value": "a@b"}, {"value": "c@d"}], [{"value": "a@b"}]),
    (
        "persons",
        "emails",
        None,
        [{"value": "a@b"}, {"value": "c@d"}],
        [{"value": "a@b", "primary": False}, {"value": "c@d", "primary": True}],
    ),
    ("deals", "value", None, 18450.5, 18450.05),
    ("deals", "title", None, "Job — Ünal", "Job — Unal"),
    ("deals", "status", None, "won", "open"),
    ("deals", "won_time", None, "2023-04-12T16:05:00Z", "2023-04-12T16:05:01Z"),
    ("deals", "x", "enum", 31, 32),
    ("deals", "x", "enum", 31, None),
    ("deals", "x", "set", [11], [11, 12]),
    ("deals", "x", "varchar", "ST-10021", "ST-1002"),
    ("deals", "x", "varchar", "007", "7"),
    ("deals", "x", "text", "a\nb", "a b"),
    ("deals", "x", "monetary", {"value": 5, "currency": "USD"}, {"value": 5, "currency": "EUR"}),
    ("deals", "x", "monetary", {"value": 5, "currency": "USD"}, {"value": 6, "currency": "USD"}),
    (
        "deals",
        "x",
        "time",
        {"value": "09:00", "timezone_name": "UTC"},
        {"value": "09:00", "timezone_name": "CET"},
    ),
    ("deals", "x", "date", "2024-01-01", None),
    ("deals", "x", "daterange", {"value": "2024-01-01"}, {"value": "2024-01-01", "until": "2024-02-01"}),
]


@pytest.mark.parametrize(("entity", "field", "kind", "sent", "shown"), SAME)
def test_the_vendors_way_of_writing_a_value_means_the_same(
    entity: str, field: str, kind: str | None, sent: Any, shown: Any
) -> None:
    assert agree(canonical(entity, field, kind, sent), canonical(entity, field, kind, shown))


@pytest.mark.parametrize(("entity", "field", "kind", "sent", "shown"), OTHER)
def test_another_value_differs(entity: str, field: str, kind: str | None, sent: Any, shown: Any) -> None:
    assert not agree(canonical(entity, field, kind, sent), canonical(entity, field, kind, shown))


KEYS = {name: f"{number:040x}" for number, name in enumerate(("Job_Type__c", "Tags__c", "Fee__c", "Ref__c"))}
TYPES = dict(zip(KEYS, ("enum", "set", "monetary", "varchar"), strict=True))
SCHEMA = AccountSchema(
    Structure(fields={}, pipelines=(), stages=()),
    tuple(Made("field", "deals", name, KEYS[name], TYPES[name]) for name in KEYS),
)

words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)).map(
    lambda m: m.replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")
)
amounts = st.integers(-10_000_00, 10_000_00).map(lambda cents: cents / 100)
deals = st.fixed_dictionaries(
    {
        "title": words,
        "value": amounts,
        "currency": st.just("USD"),
        "owner_id": st.integers(1, 9),
        "status": st.just("won"),
        "won_time": moments,
        "label_ids": st.lists(st.integers(1, 50), min_size=1, max_size=4, unique=True),
        "custom_fields": st.fixed_dictionaries(
            {
                KEYS["Job_Type__c"]: st.integers(1, 50),
                KEYS["Tags__c"]: st.lists(st.integers(1, 50), min_size=1, max_size=4, unique=True),
                KEYS["Fee__c"]: amounts.map(lambda a: {"value": a, "currency": "USD"}),
                KEYS["Ref__c"]: words,
            }
        ),
    }
)


def echo(body: dict[str, Any], shift: int, turn: int) -> dict[str, Any]:
    """The body as the vendor may show it: other order, other formats, fields of others."""
    shown = copy.deepcopy(body)
    won = datetime.fromisoformat(body["won_time"])
    shown["won_time"] = won.astimezone(timezone(timedelta(hours=shift))).isoformat()
    shown["value"] = float(body["value"])
    shown["label_ids"] = body["label_ids"][turn:] + body["label_ids"][:turn]
    tags = body["custom_fields"][KEYS["Tags__c"]]
    shown["custom_fields"][KEYS["Tags__c"]] = list(reversed(tags))
    shown["custom_fields"]["f" * 40] = None
    shown |= {"id": 1, "update_time": "2026-01-01T00:00:00Z", "person_id": None, "lost_reason": None}
    return dict(reversed(shown.items()))


@given(deals, st.integers(-12, 12), st.integers(0, 3))
def test_an_echo_has_no_differences(body: dict[str, Any], shift: int, turn: int) -> None:
    shown = echo(body, shift, turn)
    expected = canonical_record("deals", body, SCHEMA)
    assert set(expected) == {*body, *KEYS} - {"custom_fields"}
    assert differences(expected, canonical_record("deals", shown, SCHEMA)) == ()


CORRUPTIONS = {
    "title": lambda d: d.update(title=d["title"] + "x"),
    "value": lambda d: d.update(value=d["value"] + 0.01),
    "owner_id": lambda d: d.update(owner_id=99),
    "status": lambda d: d.update(status="lost"),
    "won_time": lambda d: d.update(won_time=d["won_time"].replace("Z", "+01:00")),
    "label_ids": lambda d: d["label_ids"].pop(),
    "Job_Type__c": lambda d: d["custom_fields"].update({KEYS["Job_Type__c"]: 99}),
    "Tags__c": lambda d: d["custom_fields"][KEYS["Tags__c"]].append(99),
    "Fee__c": lambda d: d["custom_fields"][KEYS["Fee__c"]].update(currency="EUR"),
    "Ref__c": lambda d: d["custom_fields"].pop(KEYS["Ref__c"]),
}


@given(deals, st.sampled_from(sorted(CORRUPTIONS)))
def test_one_corrupted_field_is_named_and_no_other(body: dict[str, Any], field: str) -> None:
    shown = copy.deepcopy(body)
    CORRUPTIONS[field](shown)
    found = differences(canonical_record("deals", body, SCHEMA), canonical_record("deals", shown, SCHEMA))
    assert [difference.field for difference in found] == [field]


@given(words, words)
def test_texts_agree_only_with_themselves(one: str, other: str) -> None:
    assert agree(canonical("deals", "title", None, one), canonical("deals", "title", None, other)) == (
        one == other
    )


@given(amounts, amounts)
def test_amounts_agree_only_with_themselves(one: float, other: float) -> None:
    assert agree(canonical("deals", "value", None, one), canonical("deals", "value", None, other)) == (
        one == other
    )


plain = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), max_size=30
)


@given(plain, plain)
def test_html_keeps_its_text_to_the_letter(one: str, other: str) -> None:
    def note(text: str) -> str:
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return f"<p>{escaped}<br />end</p>"

    equal = agree(
        canonical("activities", "note", None, note(one)), canonical("activities", "note", None, note(other))
    )
    assert equal == (one == other)


def test_what_the_vendor_fills_in_by_itself_is_no_difference() -> None:
    expected, found = {"org_id": None, "title": "x"}, {"org_id": 5, "title": "x"}
    assert [d.field for d in differences(expected, found)] == ["org_id"]
    assert differences(expected, found, {"org_id": 5}) == ()
    assert [d.field for d in differences(expected, found, {"org_id": 6})] == ["org_id"]


def test_a_field_that_is_missing_from_the_account_differs_with_both_values() -> None:
    (difference,) = differences({"title": "x"}, {})
    assert difference == ("title", "x", None)


def test_fields_that_are_not_ours_do_not_count() -> None:
    assert differences({"title": "x"}, {"title": "x", "probability": "5"}) == ()
    assert canonical_record("deals", {"custom_fields": {"e" * 40: 1}, "acv": 5}, SCHEMA) == {}
