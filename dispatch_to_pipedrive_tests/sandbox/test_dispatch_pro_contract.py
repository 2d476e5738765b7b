"""Every endpoint of the tenant answers as the vendor's documents say, and refuses as they say."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dispatch_to_pipedrive.sandbox.dispatch_pro.ids import Guids
from dispatch_to_pipedrive.sandbox.dispatch_pro.resources import RESOURCES

from ..contract.dispatch_documents import (
    NO_SCHEMA,
    ContractError,
    check_exchange,
    operations,
    require_documents,
    seen_operations,
)
from ..sandbox_process import Sandbox, start_sandbox

FIRST = {
    "customers": 410_000_001,
    "locations": 430_000_001,
    "jobs": 500_000_000,
    "named_contacts": Guids(3, "contact").write(1_000),
}
LISTS = [r.list_path for r in RESOURCES if r.list_path]
EXPORTS = [r.export_path for r in RESOURCES if r.export_path]
CHILDREN = [parent.path.replace("{id}", str(FIRST[parent.feed])) for r in RESOURCES for parent in r.parents]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    require_documents()
    with start_sandbox(customers=120, seed=3, no_limits=True) as running:
        yield running


@pytest.fixture(scope="module")
def source(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with sandbox.source() as client:
        yield client


def exchange(sandbox: Sandbox, source: httpx.Client, path: str, **query: str) -> tuple[int, Any]:
    path = path.replace("{tenant}", sandbox.env["DISPATCH_PRO_TENANT_ID"])
    answer = source.get(path, params=query)
    body = answer.json() if answer.headers.get("content-type") == "application/json" else answer.content
    check_exchange("GET", path, query, answer.status_code, body)
    return answer.status_code, body


@pytest.mark.parametrize("path", LISTS)
def test_a_list_and_each_single_record_keep_to_the_documents(
    sandbox: Sandbox, source: httpx.Client, path: str
) -> None:
    status, page = exchange(sandbox, source, path, pageSize="5000", includeTotal="true")
    assert status == 200
    assert page["data"]
    assert page["totalCount"] == len(page["data"])
    if next(r for r in RESOURCES if r.list_path == path).one:
        for record in page["data"][:3]:
            assert exchange(sandbox, source, f"{path}/{record['id']}") == (200, record)
        assert exchange(sandbox, source, f"{path}/7")[0] == 404


def test_business_hours_and_capacity_keep_to_the_documents(sandbox: Sandbox, source: httpx.Client) -> None:
    status, hours = exchange(sandbox, source, "/dispatch/v2/tenant/{tenant}/business-hours")
    assert status == 200
    assert hours["weekdays"]
    path = f"/dispatch/v2/tenant/{sandbox.env['DISPATCH_PRO_TENANT_ID']}/capacity"
    week = {"startsOnOrAfter": "2026-06-15T00:00:00Z", "endsOnOrBefore": "2026-06-22T00:00:00Z"}
    for more, expected in (
        ({"skillBasedAvailability": False}, 200),
        ({"skillBasedAvailability": True, "jobTypeId": 2201, "businessUnitIds": [1202]}, 200),
        ({}, 400),
        ({"skillBasedAvailability": False, "endsOnOrBefore": "2026-06-29T00:00:01Z"}, 400),
        ({"skillBasedAvailability": False, "jobTypeId": 7}, 400),
    ):
        answer = source.post(path, json={**week, **more})
        check_exchange("POST", path, {}, answer.status_code, answer.json(), {**week, **more})
        assert answer.status_code == expected
        if expected == 200:
            frames = answer.json()["availabilities"]
            assert len({frame["startUtc"] for frame in frames}) >= 20
            assert all(0 <= f["openAvailability"] <= f["totalAvailability"] for f in frames)


@pytest.mark.parametrize("path", EXPORTS)
def test_a_feed_keeps_to_the_documents_on_every_page(
    sandbox: Sandbox, source: httpx.Client, path: str
) -> None:
    token, more, seen = "", True, 0
    while more:
        query = {"from": token} if token else {}
        status, page = exchange(sandbox, source, path, **query)
        assert status == 200
        seen += len(page["data"])
        token, more = page["continueFrom"], page["hasMore"]
    assert seen > 0


@pytest.mark.parametrize("path", CHILDREN)
def test_the_list_of_a_parent_keeps_to_the_documents(
    sandbox: Sandbox, source: httpx.Client, path: str
) -> None:
    assert exchange(sandbox, source, path)[0] == 200
    missing = path.replace(*next((str(i), "9") for i in FIRST.values() if str(i) in path))
    assert exchange(sandbox, source, missing)[0] == 404


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/crm/v2/tenant/{tenant}/customers", {"ids": ",".join(str(i) for i in range(51))}),
        ("/crm/v2/tenant/{tenant}/customers", {"pageSize": "5001"}),
        ("/crm/v2/tenant/{tenant}/customers", {"sort": "+Name"}),
        ("/crm/v2/tenant/{tenant}/customers", {"active": "Perhaps"}),
        ("/crm/v2/tenant/{tenant}/customers", {"modifiedOnOrAfter": "yesterday"}),
        ("/crm/v2/tenant/{tenant}/customers/custom-fields", {"page": "0"}),
        ("/crm/v2/tenant/{tenant}/export/customers", {"from": "no-token"}),
    ],
)
def test_a_refusal_has_the_six_fields_of_the_envelope(
    sandbox: Sandbox, source: httpx.Client, path: str, query: dict[str, str]
) -> None:
    status, body = exchange(sandbox, source, path, **query)
    assert status == 400
    assert body["status"] == 400
    assert body["errors"]


def test_a_documented_parameter_that_is_not_simulated_is_refused_and_not_ignored(
    sandbox: Sandbox, source: httpx.Client
) -> None:
    assert exchange(sandbox, source, "/jpm/v2/tenant/{tenant}/jobs", technicianId="601")[0] == 501


def test_every_query_parameter_is_known_to_the_documents_or_named_as_not_simulated() -> None:
    require_documents()
    known = {operation.name: operation.parameters for operation in operations()}
    for resource in RESOURCES:
        if resource.list_path is None:
            continue
        documented = set(known[f"GET {resource.list_path}"])
        general = {
            "page",
            "pageSize",
            "includeTotal",
            "sort",
            "ids",
            "active",
            "activeState",
            "includeInactive",
        }
        times = {"createdBefore", "createdOnOrAfter", "modifiedBefore", "modifiedOnOrAfter"}
        ours = {*resource.filters, *resource.refused}
        assert ours <= documented, f"{resource.feed}: {ours - documented} in no document"
        assert documented <= ours | general | times, (
            f"{resource.feed}: {documented - ours - general - times} unknown"
        )


def test_attachments_have_no_schema_and_nothing_else_lacks_one(
    sandbox: Sandbox, source: httpx.Client
) -> None:
    path = f"/forms/v2/tenant/{{tenant}}/jobs/{FIRST['jobs']}/attachments"
    status, page = exchange(sandbox, source, path)
    assert status == 200
    assert set(page["data"][0]) == {"id", "fileName", "createdById", "createdOn"}
    status, _ = exchange(
        sandbox, source, f"/forms/v2/tenant/{{tenant}}/jobs/attachment/{page['data'][0]['id']}"
    )
    assert status == 302
    assert exchange(sandbox, source, "/forms/v2/tenant/{tenant}/jobs/attachment/7")[0] == 404
    assert len(NO_SCHEMA) == 2
    assert seen_operations


def test_the_check_itself_names_what_is_wrong() -> None:
    require_documents()
    page = {"page": 1, "pageSize": 50, "hasMore": False, "totalCount": None, "data": []}
    path = "/jpm/v2/tenant/1/jobs"
    check_exchange("GET", path, {"pageSize": "50"}, 200, page)
    for query, body, words in (
        ({"pagesize": "50"}, page, "parameter 'pagesize'"),
        ({"pageSize": "many"}, page, "is integer"),
        ({}, {**page, "data": [{"id": 1}]}, "jobNumber"),
        ({}, {**page, "more": True}, "more"),
    ):
        with pytest.raises(ContractError, match=words):
            check_exchange("GET", path, query, 200, body)
    with pytest.raises(ContractError, match="endsOnOrBefore"):
        check_exchange("POST", "/dispatch/v2/tenant/1/capacity", {}, 200, {}, {"startsOnOrAfter": "x"})
    with pytest.raises(ContractError, match="no document knows"):
        check_exchange("GET", "/jpm/v2/tenant/1/works", {}, 200, page)
    with pytest.raises(ContractError, match="traceId"):
        check_exchange(
            "GET", path, {}, 400, {"type": "", "title": "", "status": 400, "errors": {}, "data": {}}
        )
