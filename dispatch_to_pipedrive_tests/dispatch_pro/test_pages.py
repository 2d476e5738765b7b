"""Records leave a page with the very text they came in."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_to_pipedrive.dispatch_pro.errors import BadRecord
from dispatch_to_pipedrive.dispatch_pro.feeds import FEEDS
from dispatch_to_pipedrive.dispatch_pro.pages import split_carefully, split_quickly
from dispatch_to_pipedrive.dispatch_pro.segments import keyed

TEXT = st.text(alphabet='{}[],":\\ aé‮', max_size=8)
VALUE = st.recursive(
    st.none() | st.integers(-5, 5) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
RECORD = st.fixed_dictionaries(
    {"id": st.integers(1, 99), "note": VALUE, "lists": st.lists(VALUE, max_size=3)}
)


@given(records=st.lists(RECORD, max_size=5), token=st.none() | TEXT, first=st.booleans())
def test_a_page_is_cut_rightly_or_the_cut_is_seen_to_be_wrong(
    records: list[dict[str, object]], token: str | None, first: bool
) -> None:
    head = {"hasMore": True, "continueFrom": token}
    page = orjson.dumps({"data": records, **head} if first else {**head, "data": records})
    texts = [orjson.dumps(record) for record in records]
    careful = split_carefully(page)
    assert (careful.records, careful.has_more, careful.continue_from) == (texts, True, token)
    try:
        quick = split_quickly(page)
        keyed(FEEDS["zones"], quick.records)
    except BadRecord:
        return
    assert (quick.records, quick.has_more, quick.continue_from) == (texts, True, token)


def test_the_text_of_a_number_survives() -> None:
    page = b'{"hasMore":false,"continueFrom":"a","data":[{"id":1,"total":389.10},{"id":2,"total":1e-7}]}'
    assert split_quickly(page).records == [b'{"id":1,"total":389.10}', b'{"id":2,"total":1e-7}']


def test_a_page_with_spaces_and_line_breaks_is_understood() -> None:
    page = b'\n{ "page": 1,\r\n "data" : [ {"id": 1} ,\n {"id": 2}\n ], "hasMore" : false }\n'
    assert split_carefully(page).records == [b'{"id": 1}', b'{"id": 2}']
    assert split_carefully(b'{"hasMore":false,"data":[]}').records == []
    assert split_quickly(b'{"data": [ ], "hasMore":false}').records == []


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"data":[]}', b'{"hasMore":true}', b'{"data":[{"id":1}', b"\xff", b"null"],
)
def test_what_is_no_page_is_refused(body: bytes) -> None:
    for split in (split_carefully, split_quickly):
        with pytest.raises(ValueError):
            split(body)
