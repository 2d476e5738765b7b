"""What each call to Pipedrive costs, in tokens.

`x-token-cost` of the vendor's OpenAPI documents, for the operations that this program uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CREATE = UPDATE = 5
DELETE = 3
READ = 1
LIST = 10
LIST_ARCHIVED = 20
LIST_LEADS, LIST_ARCHIVED_LEADS = 20, 40
LIST_SMALL = 5
CREATE_V1 = UPDATE_V1 = 10
DELETE_V1 = 6
READ_V1 = 2
LIST_V1 = 20
DOWNLOAD = 20
CHANGELOG = 20

_RECORDS = ("organizations", "persons", "deals", "activities")
_V1_RECORDS = ("notes", "files")
_SMALL = ("pipelines", "stages")
_FIELDS = ("organizationFields", "personFields", "dealFields")


def _prices() -> dict[tuple[str, str], int]:
    prices: dict[tuple[str, str], int] = {}
    for name in (*_RECORDS, *_SMALL):
        prices["GET", f"/api/v2/{name}"] = LIST_SMALL if name in _SMALL else LIST
        prices["POST", f"/api/v2/{name}"] = CREATE
        prices["GET", f"/api/v2/{name}/{{id}}"] = READ
        prices["PATCH", f"/api/v2/{name}/{{id}}"] = UPDATE
        prices["DELETE", f"/api/v2/{name}/{{id}}"] = DELETE
    prices["GET", "/api/v2/deals/archived"] = LIST_ARCHIVED
    for name in _FIELDS:
        prices["GET", f"/api/v2/{name}"] = LIST
        prices["POST", f"/api/v2/{name}"] = CREATE
        prices["DELETE", f"/api/v2/{name}/{{field_code}}"] = DELETE
        prices["GET", f"/api/v2/{name}/{{field_code}}"] = READ
        prices["POST", f"/api/v2/{name}/{{field_code}}/options"] = CREATE
        prices["PATCH", f"/api/v2/{name}/{{field_code}}/options"] = UPDATE
        prices["DELETE", f"/api/v2/{name}/{{field_code}}/options"] = DELETE
        prices["GET", f"/api/v1/{name}"] = 20
        prices["GET", f"/api/v1/{name}/{{id}}"] = 2
        prices["PUT", f"/api/v1/{name}/{{id}}"] = 10
    prices["GET", "/api/v1/leads"] = LIST_LEADS
    prices["GET", "/api/v1/leads/archived"] = LIST_ARCHIVED_LEADS
    for name in ("users", "currencies", "activityTypes"):
        prices["GET", f"/api/v1/{name}"] = 20
    prices["GET", "/api/v1/users/me"] = 2
    for name in _V1_RECORDS:
        prices["GET", f"/api/v1/{name}"] = LIST_V1
        prices["POST", f"/api/v1/{name}"] = CREATE_V1
        prices["GET", f"/api/v1/{name}/{{id}}"] = READ_V1
        prices["PUT", f"/api/v1/{name}/{{id}}"] = UPDATE_V1
        prices["DELETE", f"/api/v1/{name}/{{id}}"] = DELETE_V1
    prices["GET", "/api/v1/files/{id}/download"] = DOWNLOAD
    for name in ("deals", "persons", "organizations"):
        prices["GET", f"/api/v1/{name}/{{id}}/files"] = LIST_V1
        prices["GET", f"/api/v1/{name}/{{id}}/changelog"] = CHANGELOG
    return prices


PRICES: Mapping[tuple[str, str], int] = MappingProxyType(_prices())
"""(method, path template) → tokens."""


def version_of(entity: str) -> str:
    """The version of the API in which an entity's records are written."""
    return "v1" if entity in _V1_RECORDS else "v2"


def price(verb: str, entity: str) -> int:
    """Tokens of one call on an entity's records: create, update, delete, read or list."""
    version = version_of(entity)
    method = {"create": "POST", "update": "PUT" if version == "v1" else "PATCH", "delete": "DELETE"}
    one = "" if verb in ("create", "list") else "/{id}"
    return PRICES[method.get(verb, "GET"), f"/api/{version}/{entity}{one}"]
