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
LIST_SMALL = 5

_RECORDS = ("organizations", "persons", "deals", "activities")
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
        prices["POST", f"/api/v2/{name}/{{field_code}}/options"] = CREATE
        prices["GET", f"/api/v1/{name}"] = 20
        prices["PUT", f"/api/v1/{name}/{{id}}"] = 10
    for name in ("users", "currencies", "activityTypes"):
        prices["GET", f"/api/v1/{name}"] = 20
    prices["GET", "/api/v1/users/me"] = 2
    return prices


PRICES: Mapping[tuple[str, str], int] = MappingProxyType(_prices())
"""(method, path template) → tokens."""
