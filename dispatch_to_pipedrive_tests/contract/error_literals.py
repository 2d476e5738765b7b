"""Which error bodies does the vendor send? Literals of documents and of observed answers, each with its source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_PATH = r"[\w.\[\]]+"
_SCHEMA_WORDS = (
    rf"{_PATH}: Parameter '[^']+' is not allowed for this request",
    r"custom_fields: Unknown key '[^']*'",
    rf"(?:{_PATH}: )*The value is not a valid '\w+'",
    rf"(?:{_PATH}: )*This value is not a valid (?:datetime|date|time|email address)\.",
    # The words of the next ones are not published anywhere: the form is the vendor's, the sentence is ours.
    rf"(?:{_PATH}: )*(?:This value|This collection|The value|The object|The user|The option|The activity type"
    r"|The currency|The lead|The project|The stage|The request body|Only|Participants|Options|Unknown key"
    r"|Can only be set|A deal|Archived deals|At least one)[^;]*",
)
_ONE = "(?:" + "|".join(_SCHEMA_WORDS) + ")"


@dataclass(frozen=True)
class Literal:
    """One error body: its status, the keys that must be there and the pattern of `error`."""

    name: str
    status: int
    error: str
    keys: frozenset[str]
    fixed: dict[str, Any]
    source: str


_GENERAL = frozenset({"success", "error", "error_info", "data", "additional_data"})
_INFO = {"error_info": "Please check developers.pipedrive.com", "data": None, "additional_data": None}
LITERALS: tuple[Literal, ...] = (
    Literal(
        "schema",
        400,
        rf"Validation failed: {_ONE}(?:; {_ONE})*",
        frozenset({"success", "error", "code"}),
        {"code": "ERR_SCHEMA_VALIDATION_FAILED"},
        "client-nodejs issue 651, seen live; custom_fields and null date by mmedum/pipedrive-mcp, seen live",
    ),
    Literal(
        "both names",
        400,
        re.escape("Cannot set 'name' and 'first_name'/'last_name' at the same time"),
        _GENERAL,
        _INFO,
        "mmedum/pipedrive-mcp, seen live; the envelope is the general one",
    ),
    Literal(
        "v1 bad request", 400, r"[A-Z\w].*", _GENERAL, _INFO, "core-api-concepts-responses: general body"
    ),
    Literal(
        "unauthorized",
        401,
        "unauthorized access",
        frozenset({"success", "error", "errorCode", "error_info"}),
        {"errorCode": 401, "error_info": "Please check developers.pipedrive.com"},
        "gateway answer seen live 2026-09-26",
    ),
    Literal(
        "no permission",
        403,
        re.escape("You do not have permissions to do this."),
        _GENERAL,
        _INFO,
        "OpenAPI v1 examples of 403",
    ),
    Literal(
        "open deals cap",
        403,
        re.escape("Couldn't add the deal. Open deals limit reached."),
        _GENERAL | {"code"},
        {"code": "feature_capping_deals_limit"},
        "core-api-concepts-responses: feature capping",
    ),
    Literal(
        "custom fields cap",
        403,
        re.escape("Couldn't add the field. Custom fields limit reached."),
        _GENERAL | {"code"},
        {"code": "feature_capping_custom_fields_limit"},
        "core-api-concepts-responses: feature capping; words and code for fields are not published",
    ),
    Literal(
        "not found",
        404,
        "Entity was not found",
        _GENERAL,
        {"error_info": "Object was not found."},
        "OpenAPI v2 example of the convert endpoints' 404",
    ),
    Literal(
        "unknown user",
        404,
        re.escape("User not found or not accessible."),
        frozenset({"success", "error"}),
        {},
        "OpenAPI v1 example of GET /users/{id}",
    ),
    Literal(
        "no such endpoint",
        404,
        "Requested service is not available",
        _GENERAL,
        _INFO,
        "core-api-concepts-responses: general body",
    ),
    Literal("method", 405, "Method not allowed", _GENERAL, _INFO, "core-api-concepts-http-status-codes: 405"),
    Literal(
        "too many",
        429,
        "Rate limit exceeded",
        frozenset({"success", "error", "errorCode"}),
        {"errorCode": 429},
        "not in the current documents; third-party fakes agree on it",
    ),
)


def check(status: int, body: Any) -> Literal | None:
    """The literal an error body is; raises AssertionError where it is none."""
    if status == 403 and isinstance(body, str):
        assert "This error is produced by Cloudflare" in body
        return None
    if status >= 500:
        return None
    assert isinstance(body, dict), f"{status}: not JSON: {body!r}"
    assert body.get("success") is False, f"{status}: success is not false: {body}"
    for one in LITERALS:
        if one.status != status or set(body) != one.keys:
            continue
        if not re.fullmatch(one.error, body["error"], re.DOTALL):
            continue
        if all(body[key] == value for key, value in one.fixed.items()):
            return one
    raise AssertionError(f"{status}: not a known error body: {body}")
