"""Does an exchange with Dispatch Pro keep to the vendor's own documents?

The OpenAPI documents are read where they lie (`VENDOR_SPECS`, default `../shared/specs` beside the repository), never
copied. Without them checks are skipped with one printed line; with `CI=true` their absence is a failure.
"""

import functools
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("VENDOR_SPECS", ROOT.parent / "shared" / "specs"))
MODULES = ["accounting", "crm", "dispatch", "forms", "jpm", "payroll", "settings", "telecom"]

# Operations whose success body has no schema in the documents. This list may shrink, not grow.
NO_SCHEMA = frozenset(
    {
        "GET /forms/v2/tenant/{tenant}/jobs/{jobId}/attachments",
        "GET /forms/v2/tenant/{tenant}/jobs/attachment/{id}",
    }
)
# Calls the documents do not describe at all, with their source.
UNDOCUMENTED = {"POST /connect/token": "developer.servicetitan.io: make your first API call"}
seen_operations: set[str] = set()


class ContractError(AssertionError):
    """An exchange that the documents do not allow."""


@dataclass(frozen=True)
class Operation:
    """One documented call."""

    name: str
    pattern: re.Pattern[str]
    parameters: Mapping[str, Mapping[str, Any]]
    success: Draft202012Validator | None
    error: Draft202012Validator
    request: Draft202012Validator | None = None


def check_exchange(
    method: str,
    path: str,
    query: Mapping[str, str | Sequence[str]] | Sequence[tuple[str, str]],
    status: int,
    body: Any,
    sent: Any = None,
) -> None:
    """Raise ContractError unless the call and its answer keep to the documents.

    `body` is the decoded JSON, or bytes where an answer is no JSON; `sent` the JSON of the request. Parameters that no
    document knows are a mistake: the vendor ignores them and answers with everything.
    """
    if not available() or f"{method} {path}" in UNDOCUMENTED:
        return
    operation = _find(method, path)
    seen_operations.add(operation.name)
    pairs = list(query.items()) if isinstance(query, Mapping) else list(query)
    for name, value in pairs:
        schema = operation.parameters.get(name)
        if schema is None:
            raise ContractError(f"{operation.name}: no document knows the parameter {name!r}")
        for text in [value] if isinstance(value, str) else value:
            _check_parameter(operation.name, name, schema, text)
    if sent is not None and status < 400 and operation.request is not None:
        _check(operation.request, operation.name, status, sent)
    if status >= 400:
        _check(operation.error, operation.name, status, body)
    elif operation.success is not None:
        _check(operation.success, operation.name, status, body)
    elif operation.name not in NO_SCHEMA:
        raise ContractError(f"{operation.name}: its answers have no schema and it is not listed in NO_SCHEMA")


@functools.cache
def available() -> bool:
    """Whether the documents are there; prints one line if not, fails if they must be."""
    if (FOLDER / "servicetitan-crm-v2.json").is_file():
        return True
    if os.environ.get("CI") == "true":
        pytest.fail(f"the vendor's documents are missing: {FOLDER} (VENDOR_SPECS)")
    print(f"contract checks skipped: no vendor documents in {FOLDER} (VENDOR_SPECS)")
    return False


def require_documents() -> None:
    """Skip the test that calls this where the documents are not there."""
    if not available():
        pytest.skip(f"no vendor documents in {FOLDER}")


@functools.cache
def operations() -> tuple[Operation, ...]:
    """All documented calls of the modules that are used, those with fewer placeholders first."""
    found: list[Operation] = []
    for module in MODULES:
        file = FOLDER / (
            f"servicetitan-{module}.json" if module == "telecom" else f"servicetitan-{module}-v2.json"
        )
        found += _read(file)
    return tuple(sorted(found, key=lambda operation: operation.name.count("{")))


def _read(file: Path) -> list[Operation]:
    document = json.loads(file.read_bytes())
    prefix = urlsplit(document["servers"][0]["url"]).path.rstrip("/")
    document["components"]["schemas"] = _nullable(document["components"]["schemas"])
    registry = Registry().with_resource(file.name, Resource.from_contents(document, DRAFT202012))

    def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
        return Draft202012Validator(_absolute(_nullable(schema), file.name), registry=registry)

    error = validator({"$ref": "#/components/schemas/ApiErrorResponse"})
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            schemas = [
                content["schema"]
                for content in operation["responses"].get("200", {}).get("content", {}).values()
                if "schema" in content
            ]
            found.append(
                Operation(
                    f"{method.upper()} {prefix}{path}",
                    re.compile(re.sub(r"\{\w+\}", "[^/]+", f"{prefix}{path}") + "$"),
                    {p["name"]: p["schema"] for p in operation.get("parameters", []) if p["in"] == "query"},
                    validator(schemas[0]) if schemas else None,
                    error,
                    validator(sent["schema"]) if (sent := _json_of(operation.get("requestBody"))) else None,
                )
            )
    return found


def _json_of(body: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What the documents say of a request's JSON; empty where it has none."""
    found: Mapping[str, Any] = (body or {}).get("content", {}).get("application/json", {})
    return found if "schema" in found else {}


def _find(method: str, path: str) -> Operation:
    for operation in operations():
        if operation.name.startswith(f"{method} ") and operation.pattern.match(path):
            return operation
    raise ContractError(f"no document knows {method} {path}")


def _check(validator: Draft202012Validator, name: str, status: int, body: Any) -> None:
    found = min(validator.iter_errors(body), key=lambda error: error.json_path, default=None)
    if found is not None:
        raise ContractError(f"{name} {status}: {found.json_path}: {found.message[:300]}")


def _check_parameter(operation: str, name: str, schema: Mapping[str, Any], text: str) -> None:
    kind = schema.get("type", "string")
    fits = {
        "integer": lambda: re.fullmatch(r"-?\d+", text) is not None,
        "number": lambda: re.fullmatch(r"-?\d+(\.\d+)?", text) is not None,
        "boolean": lambda: text.lower() in ("true", "false"),
    }.get(str(kind), lambda: True)
    if not fits():
        raise ContractError(f"{operation}: the parameter {name} is {kind}, not {text!r}")


def _nullable(schema: Any) -> Any:
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(schema, list):
        return [_nullable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _nullable(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


def _absolute(schema: Any, base: str) -> Any:
    """References made to name their document."""
    if isinstance(schema, list):
        return [_absolute(item, base) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: f"{base}{value}"
        if key == "$ref" and isinstance(value, str) and value.startswith("#")
        else _absolute(value, base)
        for key, value in schema.items()
    }
