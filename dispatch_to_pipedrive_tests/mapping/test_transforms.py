import pandas as pd
import pyarrow as pa
import pytest

from dispatch_to_pipedrive.mapping import EntityMap, RenderOptions, applied, apply
from dispatch_to_pipedrive.mapping.apply import UnmappedValues
from dispatch_to_pipedrive.mapping.text import html_to_text
from dispatch_to_pipedrive.mapping.transforms import FIELD_LIST, NOTE_BYTES

USD = RenderOptions("USD")
LIST = pd.ArrowDtype(pa.list_(pa.string()))


def made(frame: pd.DataFrame, **field: object) -> list[object]:
    return apply(_map(**field), _keyed(frame), USD)["x"].tolist()


def _map(**field: object) -> EntityMap:
    return EntityMap.model_validate({"entity": "deals", "fields": {"x": {"type": "text", **field}}})


def _keyed(frame: pd.DataFrame) -> pd.DataFrame:
    keys = [f"job:{number}/deal" for number in range(len(frame))]
    return frame.assign(
        source_key=pd.Series(keys, dtype="string"), root=pd.Series(range(len(frame)), dtype="Int64")
    )


def texts(*values: str | None) -> pd.Series:
    return pd.Series(values, dtype="string")


def test_template() -> None:
    frame = pd.DataFrame({"a": texts("A", None, "C"), "n": pd.Series([1, 2, None], dtype="Int64")})
    field = {"from": ["a", "n"], "transform": "template"}
    assert made(frame, **field, args={"template": "{a} #{n}"}) == ["A #1", None, None]
    args = {"template": "{a} #{n}", "missing": {"a": "?"}}
    assert made(frame, **field, args=args) == ["A #1", "? #2", None]
    args = {"template": "{a} #{n}", "otherwise": ["only {n}", "only {a}"]}
    assert made(frame, **field, args=args) == ["A #1", "only 2", "only C"]


def test_first_join_constant_setting() -> None:
    frame = pd.DataFrame({"a": texts("A", None, None), "b": texts("B", "B", None)})
    assert made(frame, **{"from": ["a", "b"], "transform": "first"}) == ["A", "B", None]
    lists = pd.DataFrame({"a": pd.Series([["x", "y"], [], None], dtype=LIST)})
    assert made(lists, **{"from": "a", "transform": "join", "args": {"separator": "; "}}) == [
        "x; y",
        None,
        None,
    ]
    assert made(frame, transform="constant", args={"value": "c"}) == ["c", "c", "c"]
    assert made(frame, transform="setting", args={"name": "currency"}) == ["USD"] * 3


def test_times_are_cut_not_computed() -> None:
    frame = pd.DataFrame({"a": texts("2025-10-24T23:59:59.9999999Z", None)})
    assert made(frame, **{"from": "a", "type": "date", "transform": "date"}) == ["2025-10-24", None]
    assert made(frame, **{"from": "a", "type": "time", "transform": "time"}) == ["23:59", None]
    assert made(frame, **{"from": "a", "type": "datetime", "transform": "datetime"}) == [
        "2025-10-24T23:59:59Z",
        None,
    ]


def test_duration() -> None:
    start = "2025-10-24T19:00:00Z"
    ends = [start, "2025-10-24T20:30:59.5Z", "2025-10-24T18:59:00Z", None, "2025-10-27T00:00:00Z"]
    frame = pd.DataFrame({"a": texts(*[start] * 5), "b": texts(*ends)})
    found = made(frame, **{"from": ["a", "b"], "type": "duration", "transform": "duration"})
    assert found == ["00:00", "01:30", None, None, "23:59"]


@pytest.mark.promise("R031")
def test_rules_first_match_wins() -> None:
    frame = pd.DataFrame(
        {"kind": texts("Site Visit", "AC Install", None, "AC Install"), "n": texts("1", "1", "1", "2")}
    )
    rules = [
        {"when": {"kind": "*visit*"}, "then": "a"},
        {"when": {"kind": ["*install*", "x"], "n": "1"}, "then": "b"},
        {"when": {"kind": None}, "then": "c"},
        {"then": "d"},
    ]
    assert made(frame, **{"from": ["kind", "n"], "transform": "rules", "args": {"rules": rules}}) == list(
        "abcd"
    )


def test_address_parts() -> None:
    frame = pd.DataFrame(
        {
            "a_street": texts("1 Elm St", " ", None),
            "a_unit": texts("Unit 4", None, None),
            "a_city": texts("Phoenix", None, "Mesa"),
            "a_state": texts("AZ", None, None),
            "a_zip": texts("85001", None, "85201"),
            "a_country": texts("USA", None, None),
        }
    )
    found = made(frame, **{"from": "a", "type": "address", "transform": "address"})
    assert found == [
        {
            "value": "1 Elm St, Unit 4, Phoenix, AZ 85001, USA",
            "route": "1 Elm St",
            "subpremise": "Unit 4",
            "locality": "Phoenix",
            "admin_area_level_1": "AZ",
            "postal_code": "85001",
            "country": "USA",
        },
        None,
        {"value": "Mesa, 85201", "locality": "Mesa", "postal_code": "85201"},
    ]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain & simple", "plain & simple"),
        ("<p>No cooling</p><p>upstairs</p>", "No cooling\nupstairs"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<ul><li>one</li><li>two &amp; three</li></ul>", "- one\n- two & three"),
        ("<script>x()</script><b>bold</b>", "bold"),
        ("5 < 6", "5 < 6"),
        ("&#x1F600; &nbsp; x", "😀 x"),
    ],
)
def test_html_to_text(html: str, text: str) -> None:
    assert html_to_text(html) == text
    frame = pd.DataFrame({"a": texts(html, None, "<p></p>")})
    assert made(frame, **{"from": "a", "transform": "html_to_text"}) == [text, None, None]


def test_html_lines_escape_values_and_leave_out_lines_with_an_empty_column() -> None:
    frame = pd.DataFrame(
        {
            "a": texts("<b>&\nsecond", None),
            "n": pd.Series([1, 2], dtype="Int64"),
            "t": pd.Series([["x", "y"], None], dtype=LIST),
        }
    )
    lines = ["{a}", "Who: {t}", "[number {n}]"]
    found = made(
        frame,
        **{"from": ["a", "n", "t"], "type": "html", "transform": "html_lines", "args": {"lines": lines}},
    )
    assert found == ["&lt;b&gt;&amp;<br>second<br>Who: x, y<br>[number 1]", "[number 2]"]


def test_a_note_that_is_too_long_keeps_its_stamp_and_is_reported() -> None:
    frame = pd.DataFrame({"a": texts("🛠" * 40_000, "short…"), "n": pd.Series([1, 2], dtype="Int64")})
    field = {
        "from": ["a", "n"],
        "type": "html",
        "transform": "html_lines",
        "args": {"lines": ["{a}", "[number {n}]"]},
    }
    cut, whole = made(frame, **field)
    assert isinstance(cut, str) and len(cut.encode()) <= NOTE_BYTES
    assert cut.endswith("…<br>[number 1]")
    assert whole == "short…<br>[number 2]"
    found = applied(_map(**field), _keyed(frame), USD).problems
    assert list(found["source_key"]) == ["job:0/deal"]


def test_text_that_is_too_long_is_cut_and_reported_never_silently() -> None:
    frame = pd.DataFrame({"a": texts("é" * 255, "é" * 256, "", None)})
    field = {"from": "a", "required": True}
    assert made(frame, **field) == ["é" * 255, "é" * 254 + "…", None, None]
    found = applied(_map(**field), _keyed(frame), USD).problems
    assert [(row.source_key, row.problem) for row in found.itertuples()] == [
        ("job:2/deal", "required, and empty"),
        ("job:3/deal", "required, and empty"),
        ("job:1/deal", "too long for Pipedrive, cut"),
    ]


@pytest.mark.promise("R043")
def test_value_map_and_what_it_does_not_name() -> None:
    frame = pd.DataFrame({"a": texts("Done", "Odd", None)})
    field = {"from": "a", "value_map": {"Done": "ready"}}
    with pytest.raises(UnmappedValues, match="'Odd' \\(1 records\\)"):
        made(frame, **field)
    assert made(frame, **field, unmapped="warn", default="?") == ["ready", "?", "?"]
    assert made(frame, **field, unmapped="add_option") == ["ready", "Odd", None]
    found = applied(_map(**field, unmapped="warn"), _keyed(frame), USD).problems
    assert found[["source_key", "value"]].to_numpy().tolist() == [["job:1/deal", "Odd"]]
    flags = {"from": "a", "type": "boolean", "value_map": {"Done": True, "Odd": False}}
    assert made(frame, **flags) == [True, False, None]


def test_numbers_and_money_are_exact() -> None:
    cents = pd.ArrowDtype(pa.decimal128(18, 2))
    frame = pd.DataFrame(
        {"a": pd.Series(["0.10", "123456789.29", "-0.07", None], dtype="string").astype(cents)}
    )
    assert made(frame, **{"from": "a", "type": "number"}) == [0.1, 123456789.29, -0.07, None]
    assert made(frame, **{"from": "a", "type": "money"})[1:] == [
        {"value": 123456789.29, "currency": "USD"},
        {"value": -0.07, "currency": "USD"},
        None,
    ]


def test_texts_that_are_no_number_or_date_are_left_out_and_reported() -> None:
    frame = pd.DataFrame({"a": texts(" 2400 ", "-1.5", "2,400", "n/a", "", None)})
    field = {"from": "a", "type": "number"}
    assert made(frame, **field) == [2400.0, -1.5, None, None, None, None]
    found = applied(_map(**field), _keyed(frame), USD).problems
    assert found[["source_key", "problem", "value"]].to_numpy().tolist() == [
        ["job:2/deal", "no number, left out", "2,400"],
        ["job:3/deal", "no number, left out", "n/a"],
    ]
    days = pd.DataFrame({"a": texts("2025-10-24", "24.10.2025", "2025-13-01")})
    assert made(days, **{"from": "a", "type": "date"}) == ["2025-10-24", None, None]


def test_sum_is_exact_and_empty_counts_as_nothing() -> None:
    cents = pd.ArrowDtype(pa.decimal128(18, 2))
    frame = pd.DataFrame(
        {
            "a": pd.Series(["0.10", "123456789.29", None, None], dtype="string").astype(cents),
            "b": pd.Series(["0.20", None, None, "-0.07"], dtype="string").astype(cents),
            "n": pd.Series([1, None, None, 2], dtype="Int64"),
        }
    )
    field = {"from": ["a", "b", "n"], "transform": "sum", "type": "number"}
    assert made(frame, **field) == [1.3, 123456789.29, None, 1.93]
    assert made(frame, **{**field, "type": "money"})[3] == {"value": 1.93, "currency": "USD"}


def test_a_custom_field_is_found_by_its_folded_name() -> None:
    lists = [
        [{"name": "Roof", "value": "Tile"}, {"name": "gate  CODE", "value": " #1 "}],
        [{"name": "Gate Code", "value": " "}, {"name": "GATE CODE", "value": "#2"}],
        [{"name": "Roof", "value": "Flat"}],
        [],
        None,
    ]
    as_arrow = pd.DataFrame({"a": pd.Series(lists, dtype=pd.ArrowDtype(FIELD_LIST))})
    as_objects = pd.DataFrame({"a": pd.Series(lists, dtype=object)})
    field = {"from": "a", "transform": "custom_field", "args": {"name": "Gate Code"}}
    assert made(as_arrow, **field) == made(as_objects, **field) == ["#1", "#2", None, None, None]
    assert made(as_arrow.iloc[1:3], **field) == ["#2", None]
    assert made(as_arrow, **field, type="options") == [["#1"], ["#2"], None, None, None]


def test_lookup_passes_keys_and_addresses_as_they_are() -> None:
    frame = pd.DataFrame({"a": texts("customer:1/person", None), "b": texts("t@x.example", None)})
    field = {"from": "a", "type": "reference", "to": "persons", "transform": "lookup"}
    assert made(frame, **field) == ["customer:1/person", None]
    assert made(frame, **{"from": "b", "type": "user", "transform": "lookup"}) == ["t@x.example", None]


def test_lists_keep_their_order_and_empty_ones_are_missing() -> None:
    frame = pd.DataFrame({"a": pd.Series([["b", "a"], [], None], dtype=LIST)})
    assert made(frame, **{"from": "a", "type": "labels"}) == [["b", "a"], None, None]


def test_columns_without_a_pandas_type_of_their_own_map_the_same_as_arrows() -> None:
    points = [[{"value": "a@x.example", "label": "work", "primary": True}], [], None]
    kind = pa.list_(pa.struct([("value", pa.string()), ("label", pa.string()), ("primary", pa.bool_())]))
    as_arrow = pd.DataFrame({"a": pd.Series(points, dtype=pd.ArrowDtype(kind))})
    as_objects = pd.DataFrame({"a": pd.Series(points, dtype=object)})
    field = {"from": "a", "type": "emails"}
    assert made(as_arrow, **field) == made(as_objects, **field) == [points[0], None, None]
