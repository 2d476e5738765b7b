"""Frames say what the records say: names, types, exact money, verbatim times."""

from __future__ import annotations

from decimal import Decimal

import orjson
import pandas as pd
import pytest

from dispatch_to_pipedrive.dispatch_pro.errors import BadRecord
from dispatch_to_pipedrive.dispatch_pro.records import (
    empty_frame,
    empty_frames,
    empty_reference,
    frame_names,
    frames_from_records,
)
from dispatch_to_pipedrive.dispatch_pro.shapes import SHAPES

JOB = (
    b'{"id": 50000777, "jobNumber": "50000777", "customerId": 41000123, "jobStatus": "Completed",'
    b' "total": 12345678901234.5678, "tagTypeIds": [3301, 3302], "noCharge": false, "externalData": null,'
    b' "customFields": [{"typeId": 9, "name": "Dispatch Pro Priority", "value": "3"}],'
    b' "jobGeneratedLeadSource": null, "completedOn": "2025-10-24T21:10:05.3321999Z", "unheardOf": [1]}'
)


def test_objects_are_flattened_and_lists_become_frames() -> None:
    frames = frames_from_records("jobs", [JOB, b'{"id":1,"customerId":2,"jobStatus":"Hold"}'], [41000123, 2])
    jobs = frames["jobs"].set_index("id")
    assert jobs["root"].to_dict() == {50000777: 41000123, 1: 2}
    assert jobs.loc[50000777, "completed_on"] == "2025-10-24T21:10:05.3321999Z"
    assert pd.isna(jobs.loc[50000777, "job_generated_lead_source_job_id"])
    assert pd.isna(jobs.loc[1, "total"])
    assert frames["jobs.tag_type_ids"][["id", "root", "position", "value"]].to_numpy().tolist() == [
        [50000777, 41000123, 0, 3301],
        [50000777, 41000123, 1, 3302],
    ]
    assert frames["jobs.custom_fields"].loc[0, "value"] == "3"
    assert frames["jobs.external_data"].empty


def test_money_is_exact_from_numbers_and_from_strings() -> None:
    assert frames_from_records("jobs", [JOB])["jobs"]["total"][0] == Decimal("12345678901234.5678")
    record = (
        '{"id":1,"total":"389.0000000000","balance":"-0.10","job":{"id":7},"customer":{"id":8,"name":"ج"}}'
    )
    invoice = frames_from_records("invoices", [record], [8])["invoices"]
    assert invoice["total"][0] == Decimal("389") and invoice["balance"][0] == Decimal("-0.1")
    assert invoice["job_id"][0] == 7 and invoice["customer_name"][0] == "ج"


def test_frames_without_rows_have_the_same_columns_and_types_as_frames_with_rows() -> None:
    full = frames_from_records("jobs", [JOB], [1])
    for name, frame in full.items():
        assert frame.dtypes.to_dict() == empty_frame(name).dtypes.to_dict()
    both = {**empty_frames(), **empty_reference()}
    assert set(both) == {name for feed in SHAPES for name in frame_names(feed)}
    assert all(frame.empty for frame in both.values())


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (b'{"id": 7, "jobStatus": "Hold"}', "customerId"),
        (b'{"id": 7, "jobStatus": "Hold", "customerId": "seven"}', "customerId"),
        (b'{"id": 7, "jobStatus": 5, "customerId": 1}', "jobStatus"),
        (b'{"id": 7, "jobStatus": "Hold", "customerId": 1, "total": "many"}', "total"),
        (b'{"id": 7, "jobStatus": "Hold", "customerId": 1, "tagTypeIds": {}}', "tagTypeIds"),
    ],
)
def test_a_record_out_of_shape_is_named_with_feed_id_and_field(record: bytes, field: str) -> None:
    with pytest.raises(BadRecord) as caught:
        frames_from_records("jobs", [JOB, record])
    assert (caught.value.feed, caught.value.record_id, caught.value.field) == ("jobs", "7", field)


@pytest.mark.parametrize("record", [b"<html>", b"[]", b"", b'{"id":1,"active":true} {"id":2}'])
def test_what_is_not_one_object_is_refused(record: bytes) -> None:
    with pytest.raises(BadRecord):
        frames_from_records("zones", [b'{"id":1}', record])


def test_line_breaks_between_the_parts_of_a_record_do_no_harm() -> None:
    pretty = orjson.dumps(orjson.loads(JOB) | {"total": 1}, option=orjson.OPT_INDENT_2)
    assert len(frames_from_records("jobs", [pretty, pretty])["jobs"]) == 2
