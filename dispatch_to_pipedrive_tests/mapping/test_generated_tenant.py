"""What the maps make of a whole generated tenant, held against its raw records."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dispatch_to_pipedrive.mapping import RenderOptions, load_maps, option_values, render, schema_needs
from dispatch_to_pipedrive.mapping.needs import distinct
from dispatch_to_pipedrive.normalize import Normalized, NormalizeOptions, normalize
from dispatch_to_pipedrive_tests.mapping.test_load import MAPPINGS, copy
from dispatch_to_pipedrive_tests.totals.world import world

MAPS = load_maps(MAPPINGS)
TYPES = {"call", "meeting", "task", "email"}
MINUTES_OF_A_DAY = 24 * 60


@cache
def raw() -> dict[str, pd.DataFrame]:
    return world().frames()


@cache
def normalized() -> Normalized:
    return normalize(raw(), world().reference(), NormalizeOptions())


@cache
def records(entity: str) -> pd.DataFrame:
    """The records of an entity in logical form, by source key."""
    frame = render(MAPS, normalized(), RenderOptions("USD"))[entity]
    return frame.set_index("source_key", drop=False)


def names(feed: str) -> dict[int, str]:
    """Id → name of a reference record."""
    frame = world().reference()[feed]
    return dict(zip(frame["id"].astype(int), frame["name"], strict=True))


def groups(values: Iterable[Any], keys: Iterable[Any]) -> dict[Any, set[Any]]:
    """Value → all keys that it came with."""
    found: dict[Any, set[Any]] = {}
    for value, key in zip(values, keys, strict=True):
        found.setdefault(value, set()).add(key)
    return found


def jobs() -> pd.DataFrame:
    """The raw jobs that became deals, in the order of the deals."""
    return raw()["jobs"].set_index("id").loc[normalized().deals["job_id"]]


@pytest.mark.promise("R010")
def test_every_activity_has_exactly_one_type_and_every_visit_a_deal() -> None:
    assert set(records("activities")["type"]) <= TYPES
    assert records("activities")["type"].notna().all()
    assert "when" not in MAPS["activities"].fields["type"].args["rules"][-1], "the last rule is for all else"
    visits = records("activities").loc[lambda frame: frame["source_key"].str.startswith("appointment:")]
    assert set(visits["deal_id"]) <= set(records("deals")["source_key"])


@pytest.mark.promise("R030", "R032")
def test_every_visit_keeps_its_own_times_on_its_jobs_deal() -> None:
    appointments = raw()["appointments"]
    carried = set(normalized().deals["job_id"])
    wanted = appointments[appointments["active"].fillna(True) & appointments["job_id"].isin(carried)]
    visits = records("activities").loc[[f"appointment:{number}/activity" for number in wanted["id"]]]
    assert len(visits) == records("activities")["source_key"].str.startswith("appointment:").sum() > 100
    assert list(visits["deal_id"]) == [f"job:{number}/deal" for number in wanted["job_id"]]
    start, end = (pd.to_datetime(wanted[name], format="ISO8601", utc=True) for name in ("start", "end"))
    assert list(visits["due_date"]) == list(start.dt.strftime("%Y-%m-%d"))
    timed = visits["due_time"].notna().to_numpy()
    assert timed.sum() > 100
    assert list(visits["due_time"][timed]) == list(start[timed].dt.strftime("%H:%M"))
    minutes = (end.dt.floor("min") - start.dt.floor("min"))[timed].dt.total_seconds() // 60
    expected = [f"{m // 60:02}:{m % 60:02}" for m in minutes.clip(upper=MINUTES_OF_A_DAY - 1).astype(int)]
    assert list(visits["duration"][timed]) == expected
    for line, moment in zip(visits["note"], wanted["start"], strict=True):
        assert str(moment) in line


@pytest.mark.promise("R010", "R022", "R031")
def test_every_call_of_a_customer_keeps_its_moment_and_length() -> None:
    calls = raw()["calls"]
    found = records("activities")
    kept = found.loc[lambda frame: frame["source_key"].str.startswith("call:")]
    calls = calls.set_index("id").loc[kept["source_key"].str.extract(r"call:(\d+)/")[0].astype(int)]
    assert len(kept) > 100
    assert set(kept["type"]) == {"call"} and kept["done"].all()
    start = pd.to_datetime(calls["created_on"], format="ISO8601", utc=True)
    assert list(kept["due_date"]) == list(start.dt.strftime("%Y-%m-%d"))
    assert list(kept["due_time"]) == list(start.dt.strftime("%H:%M"))
    assert list(kept["duration"]) == [length[:5] for length in calls["duration"]]
    deals = set(records("deals")["source_key"])
    for deal, participants, job in zip(kept["deal_id"], kept["participants"], calls["job_id"], strict=True):
        assert deal == f"job:{job}/deal" if f"job:{job}/deal" in deals else participants


@pytest.mark.promise("R009", "R028", "R029")
def test_every_deal_bears_its_jobs_id_and_creation() -> None:
    deals = records("deals")
    assert deals["Source_System_Job_ID__c"].is_unique
    assert list(deals["Source_System_Job_ID__c"].astype(int)) == list(jobs().index)
    for field in ("Original_Created_At__c", "add_time"):
        made, told = (
            pd.to_datetime(values, format="ISO8601", utc=True).dt.floor("s").to_numpy()
            for values in (deals[field], jobs()["created_on"])
        )
        assert (made == told).all()


@pytest.mark.promise("R027")
def test_every_title_is_made_of_job_type_customer_and_number() -> None:
    frame, made = normalized().deals, jobs()
    types, customers = names("job_types"), raw()["customers"].set_index("id")["name"]
    for title, number, kind, customer in zip(
        records("deals")["title"], made["job_number"], made["job_type_id"], frame["root"], strict=True
    ):
        assert title == f"{types[kind]} — {customers[customer].strip()} #{number}"


@pytest.mark.promise("R027")
def test_every_status_and_stage_follows_the_job() -> None:
    ends = {"Completed": "won", "Canceled": "lost"}
    deals, status = records("deals"), list(jobs()["job_status"])
    assert list(deals["status"]) == [ends.get(one, "open") for one in status]
    assert [stage.replace(" ", "") for stage in deals["stage_id"]] == status
    assert set(status) == {"Scheduled", "Dispatched", "InProgress", "Hold", "Completed", "Canceled"}
    for moment in ("won_time", "lost_time"):
        assert set(deals.loc[deals[moment].notna(), "status"]) == {moment.removesuffix("_time")}


@pytest.mark.promise("R027", "R048")
def test_every_value_is_the_sum_of_its_jobs_invoices_to_the_cent() -> None:
    invoices = raw()["invoices"]
    invoices = invoices[invoices["active"].fillna(True) & invoices["job_id"].notna()]
    sums: dict[int, Decimal] = {}
    for number, total in zip(invoices["job_id"], invoices["total"], strict=True):
        sums[number] = sums.get(number, Decimal(0)) + Decimal(str(total))
    without = dict(zip(jobs().index, jobs()["total"], strict=True))
    deals = records("deals")
    for number, value in zip(jobs().index, deals["value"], strict=True):
        other = Decimal(0) if pd.isna(without[number]) else Decimal(str(without[number]))
        assert Decimal(str(value)) == sums.get(number, other), number
    amounts = [amount["value"] for amount in deals["Invoice_Amount__c"]]
    assert amounts == list(deals["value"])
    assert len(sums) > 50


@pytest.mark.promise("R042", "R043", "R044")
def test_job_types_are_a_pick_list_with_one_option_for_each_type_in_use() -> None:
    deals = records("deals")
    types = names("job_types")
    told = [types.get(number) for number in jobs()["job_type_id"].astype(object)]
    assert list(deals["Job_Type__c"].astype(object).where(deals["Job_Type__c"].notna(), None)) == told
    needs = schema_needs(
        MAPS, option_values(MAPS, {"deals.job_type": distinct(normalized().deals["job_type"])})
    )
    (field,) = [one for one in needs.fields if one.name == "Job_Type__c"]
    assert (field.entity, field.field_type) == ("deals", "enum")
    assert set(field.options) == {name for name in told if name}
    assert len(field.options) == len(set(field.options)) > 5


@pytest.mark.promise("R027", "R045", "R047")
def test_each_priority_or_bucket_is_one_value_by_which_deals_can_be_told_apart() -> None:
    frame = normalized().deals
    told = frame["priority_bucket"].fillna(frame["priority"])
    assert frame["priority_bucket"].nunique() == 8 and frame["priority"].nunique() == 4
    found = records("deals")["Dispatch_Pro_Priority__c"]
    assert all(len(values) == 1 for values in groups(told, found).values())
    assert all(len(values) == 1 for values in groups(found, told).values())
    assert MAPS["deals"].fields["Dispatch_Pro_Priority__c"].type == "option"


@pytest.mark.promise("R046")
def test_no_flag_of_importance_is_written_and_no_label_but_tags() -> None:
    assert not {"priority", "importance", "is_important"} & set(MAPS["deals"].fields)
    tags = set(names("tag_types").values())
    labels = records("deals")["label_ids"].dropna()
    assert {label for some in labels for label in some} <= tags


@pytest.mark.promise("R046")
def test_the_mark_of_the_highest_buckets_is_offered_and_nobody_has_it_unasked(tmp_path: Path) -> None:
    assert not any("High priority" in map(str, row) for row in records("deals").astype(object).to_numpy())
    offered = (MAPPINGS.parent / "docs" / "questions.md").read_text(encoding="utf-8")
    accepted = offered.partition("```yaml\n")[2].partition("```")[0]
    copy(tmp_path, {})
    (tmp_path / "accepted").mkdir()
    (tmp_path / "accepted" / "deals.yaml").write_text(accepted, encoding="utf-8")
    made = render(load_maps(tmp_path), normalized(), RenderOptions("USD"))["deals"]["High_Priority__c"]
    buckets = normalized().deals["priority_bucket"]
    assert set(buckets[made == "High priority"].str[:2]) == {"P1", "P2"}
    assert set(buckets[made.isna()].dropna().str[:2]) == {f"P{number}" for number in range(3, 9)}


@pytest.mark.promise("R051", "R052", "R053")
@pytest.mark.parametrize(
    ("entity", "feed", "key"),
    [
        ("deals", "jobs", "job:{}/deal"),
        ("organizations", "customers", "customer:{}/organization"),
        ("persons", "customers", "customer:{}/person"),
    ],
)
def test_the_tags_of_a_record_are_its_labels(entity: str, feed: str, key: str) -> None:
    tags, found = names("tag_types"), records(entity)
    wanted: dict[str, set[str]] = {}
    for row in raw()[f"{feed}.tag_type_ids"].itertuples():
        if int(row.value) in tags and (stamp := key.format(row.id)) in found.index:
            wanted.setdefault(stamp, set()).add(tags[int(row.value)])
    assert len(wanted) > 2
    labels = {stamp: set(some) for stamp, some in found["label_ids"].dropna().items()}
    assert {stamp: labels.get(stamp) for stamp in wanted} == wanted
    assert set(labels) == set(wanted), "who has no tag has no label"


@pytest.mark.promise("R038")
def test_an_organization_has_one_native_address_and_a_person_none() -> None:
    native = {
        entity: [
            name
            for name, field in MAPS[entity].fields.items()
            if field.type == "address" and name[-3:] != "__c"
        ]
        for entity in ("organizations", "persons")
    }
    assert native == {"organizations": ["address"], "persons": []}
    written = records("organizations")["address"].dropna()
    assert len(written) > 5
    assert all(isinstance(address, dict) and address["value"] for address in written)


@pytest.mark.promise("R011", "R034")
def test_every_customer_is_what_its_kind_makes_of_it() -> None:
    customers = raw()["customers"].set_index("id")
    organizations, persons = records("organizations"), records("persons")
    for key in organizations.index:
        assert customers.loc[int(key[9:].partition("/")[0]), "type"] == "Commercial"
        assert key.replace("/organization", "/person") in persons.index
    linked = persons["org_id"].dropna()
    assert set(linked) == set(organizations.index)
    alone = [key for key in persons[persons["org_id"].isna()].index if key.startswith("customer:")]
    assert len(alone) > 50
    for key in alone:
        assert customers.loc[int(key[9:].partition("/")[0]), "type"] == "Residential"
