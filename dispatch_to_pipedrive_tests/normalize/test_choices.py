import pandas as pd

from dispatch_to_pipedrive.dispatch_pro.records import empty_reference
from dispatch_to_pipedrive.normalize.choices import REFERENCE, choices, identities
from dispatch_to_pipedrive.normalize.schemas import kinds
from dispatch_to_pipedrive_tests.totals.world import world

NO_FEATURES = pd.DataFrame({"root": pd.Series(dtype="Int64"), "feature": pd.Series(dtype="string")})


def test_every_column_of_known_values_is_known() -> None:
    reference = {feed: empty_reference()[feed] for feed in REFERENCE}
    known = {
        f"{entity}.{column}"
        for entity in ("organizations", "persons", "deals")
        for column, kind in kinds(entity, 4).items()
        if kind.endswith(" of known values")
    }
    assert set(choices(NO_FEATURES, reference)) == known


def test_what_records_have_is_among_the_choices() -> None:
    made = world()
    features = pd.DataFrame({"root": [1], "feature": ["job status Scheduled"]}).astype({"feature": "string"})
    found = choices(features, made.reference())
    jobs, units = made.frames()["jobs"], made.reference()["business_units"]
    assert set(units["name"]) == set(found["deals.business_unit"])
    assert found["deals.job_status"] == ("Scheduled",)
    assert set(jobs["business_unit_id"].dropna()) <= set(units["id"])


def test_two_of_one_name_are_two_that_bear_it() -> None:
    reference = {feed: empty_reference()[feed] for feed in REFERENCE}
    tags = pd.DataFrame({"id": [7, 8, 9, 9], "name": ["VIP", "vip", "VIP", "VIP"]}).astype(
        {"id": "Int64", "name": "string"}
    )
    reasons = pd.DataFrame({"id": [3], "name": [" Price "]}).astype({"id": "Int64", "name": "string"})
    found = identities({**reference, "tag_types": tags, "job_cancel_reasons": reasons})
    assert found["deals.labels"] == {"VIP": ("tag_type:7", "tag_type:9"), "vip": ("tag_type:8",)}
    assert found["persons.labels"] == found["organizations.labels"] == found["deals.labels"]
    assert found["deals.cancel_reason"] == {"Price": ("job_cancel_reason:3",)}
    assert found["deals.job_type"] == {}
