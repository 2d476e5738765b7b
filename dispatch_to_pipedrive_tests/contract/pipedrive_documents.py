"""Does an exchange with Pipedrive keep to the vendor's own documents?

The OpenAPI documents are read where they lie (`VENDOR_SPECS`, default `../shared/specs` beside the repository), never
copied. On top come the overrides file and, by name and with its source, what the prose and observed answers say about
nulls and extra keys: the documents are weak on both.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import yaml
from openapi_schema_validator import OAS30Validator

from . import error_literals

Schema = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("VENDOR_SPECS", ROOT.parent / "shared" / "specs"))
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Operations whose success body has no JSON schema in the documents. This list may shrink, not grow.
NO_SCHEMA = frozenset({"v1 GET /files/{id}/download"})
seen_without_schema: set[str] = set()
seen_operations: set[str] = set()

# Nulls the schemas do not declare, by operation (pattern) and property name, with the source.
_PARTS = (
    "country",
    "admin_area_level_1",
    "admin_area_level_2",
    "locality",
    "sublocality",
    "route",
    "street_number",
)
_ADDRESS = (*_PARTS, "subpremise", "postal_code", "formatted_address")
NULLS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (r"v2 \w+ .*", ("next_cursor",), "overrides: all v2 lists"),
    (r"v1 GET /\w+/\{id\}/changelog", ("next_cursor",), "its own description: null on the last page"),
    (
        r"v2 \w+ /deals.*",
        ("person_id", "org_id", "stage_change_time", "won_time", "lost_time", "expected_close_date"),
        "overrides: GET /deals*",
    ),
    (r"v2 \w+ /organizations.*", (*_ADDRESS, "address"), "migration guide: omitted address parts are null"),
    (r"v2 \w+ /activities.*", (*_ADDRESS, "location"), "migration guide: omitted address parts are null"),
    (
        r"v2 \w+ /activities.*",
        (
            *("deal_id", "lead_id", "person_id", "org_id", "project_id", "due_date", "due_time", "duration"),
            *("marked_as_done_time", "conference_meeting_client", "conference_meeting_url"),
            *("conference_meeting_id", "public_description", "priority", "note"),
        ),
        "fact sheet 2.5: the composed 200 answer",
    ),
    (
        r"v2 \w+ /persons.*",
        ("org_id", "picture_id", "first_name", "last_name"),
        "fact sheet 2.3: the 200 answer",
    ),
    (
        r"v2 GET /(itemSearch|organizations/search).*",
        ("address",),
        "examples: organization without an address",
    ),
    (
        r"v1 \w+ /notes.*",
        (
            *("lead_id", "deal_id", "org_id", "person_id", "project_id", "task_id", "last_update_user_id"),
            *("deal", "organization", "person", "project", "task", "icon_url"),
        ),
        "fact sheet 2.10: the 200 answer",
    ),
    (
        r"v1 \w+ /(files|deals|persons|organizations).*",
        (
            *("deal_id", "person_id", "org_id", "product_id", "activity_id", "lead_id", "project_id"),
            *("deal_name", "person_name", "org_name", "product_name", "lead_name", "project_name"),
            *("mail_message_id", "mail_template_id"),
        ),
        "fact sheet 2.11: the 200 answer",
    ),
)
# Keys of answers that neither schema nor example has.
EXTRAS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (r"v2 \w+ /\w+Fields.*", ("is_writable",), "overrides: GET *Fields"),
    (r"v2 \w+ /activities.*", ("outcome",), "overrides: POST/PATCH /activities"),
    (
        r"v2 \w+ /deals.*",
        ("creator_user_id", "archive_time", "local_won_date", "local_lost_date", "local_close_date"),
        "examples: deals",
    ),
    (r"v2 GET /(deals|persons|organizations).*", ("labels",), "include_labels of the same operation"),
    (r"v1 \w+ /notes.*", ("pinned_to_lead_flag",), "examples: notes"),
    (r"v1 \w+ /\w+Fields.*", ("color",), "working-with-labels: options have id, label, color"),
    (r"v2 DELETE /\w+Fields/[^/]+", ("id", "label", "color"), "GET *Fields: what options and subfields are"),
)
# Requests: keys accepted beside the schema, keys the schema has but the vendor reads only, nulls it takes.
ACCEPTED = {
    "activities": {"outcome": {"type": "integer", "nullable": True}},
    "deals": {"channel_id": {"type": "string", "nullable": True}, "add_time": {"type": "string"}},
    "persons": {"first_name": {"type": "string"}, "last_name": {"type": "string"}},
}
READ_ONLY = {"activities": {"person_id"}}
NULLABLE = {"deals": {"person_id", "org_id", "archive_time"}}


class Mismatch(AssertionError):
    """An exchange that the documents do not allow: where, and every reason."""


@dataclass(frozen=True)
class Operation:
    """One operation of the documents, its schemas resolved and overridden."""

    name: str
    pattern: re.Pattern[str]
    parameters: Mapping[str, Schema]
    required: frozenset[str]
    request: Schema | None
    media: str
    answers: Mapping[str, Schema]
    examples: tuple[Any, ...] = field(default=())


def available() -> bool:
    """Are the vendor's documents on this machine?"""
    return (FOLDER / "pipedrive-v2.yaml").is_file()


def require() -> None:
    """Skip the calling test where the documents are absent, with one line; with CI=true that is a failure."""
    if available():
        return
    line = f"vendor documents not found in {FOLDER} (VENDOR_SPECS): contract not checked"
    print(line)
    if os.environ.get("CI") == "true":
        pytest.fail(line)
    pytest.skip(line)


def _resolve(root: Schema, node: Any, depth: int = 0) -> Any:
    if depth > 40:
        return {}
    if isinstance(node, dict):
        if "$ref" in node:
            target: Any = root
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            return _resolve(root, target, depth + 1)
        return {key: _resolve(root, value, depth + 1) for key, value in node.items()}
    if isinstance(node, list):
        return [_resolve(root, value, depth + 1) for value in node]
    return node


def _walk(node: Any) -> Iterator[Schema]:
    """Every schema inside a schema."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)


def _allow_nulls(name: str, schema: Schema) -> None:
    names = {one for pattern, names, _ in NULLS if re.fullmatch(pattern, name) for one in names}
    for node in _walk(schema):
        properties = node.get("properties")
        if isinstance(properties, dict):
            for key in names & set(properties):
                _nullable(properties[key])


def _nullable(schema: Schema) -> None:
    schema["nullable"] = True
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    if not schema.get("type"):
        schema["type"] = "object"


def _request(name: str, schema: Schema) -> Schema:
    entity = name.split("/")[1].split("/")[0]
    if "properties" in schema:
        properties = schema["properties"]
        if name.startswith("v2"):
            properties |= copy.deepcopy(ACCEPTED.get(entity, {}))
            for key in READ_ONLY.get(entity, ()):
                properties.pop(key, None)
            for key in NULLABLE.get(entity, set()) & set(properties):
                _nullable(properties[key])
            schema["additionalProperties"] = False
    return schema


@lru_cache(maxsize=1)
def operations() -> tuple[Operation, ...]:
    """Every operation of both documents; fixed paths before those with variables."""
    found = []
    for api in ("v1", "v2"):
        root = yaml.load((FOLDER / f"pipedrive-{api}.yaml").read_text(), Loader=_LOADER)
        for path, methods in root["paths"].items():
            for method, raw in methods.items():
                if method in ("get", "post", "put", "patch", "delete"):
                    shared = methods.get("parameters", [])
                    found.append((root, api, method.upper(), path, raw, shared))
    found.sort(key=lambda one: one[3].count("{"))
    return tuple(_operation(*one) for one in found)


def _operation(root: Schema, api: str, method: str, path: str, raw: Schema, shared: list[Any]) -> Operation:
    name = f"{api} {method} {path}"
    raw = _resolve(root, raw)
    parameters = [
        one for one in [*_resolve(root, shared), *raw.get("parameters", ())] if one["in"] == "query"
    ]
    content = raw.get("requestBody", {}).get("content", {})
    media = next(iter(content), "")
    answers, examples = {}, []
    for status, answer in raw["responses"].items():
        body = answer.get("content", {}).get("application/json")
        if body is None:
            continue
        schema = copy.deepcopy(body.get("schema", {}))
        _allow_nulls(name, schema)
        answers[str(status)] = schema
        examples += [body["example"]] if "example" in body else []
        examples += [one.get("value") for one in body.get("examples", {}).values()]
    prefix = r"(?:/api/v2|)" if api == "v2" else r"(?:/api/v1|/v1)"
    pattern = re.compile(prefix + re.sub(r"\\\{[^}]+\\\}", r"[^/]+", re.escape(path)) + r"\Z")
    return Operation(
        name,
        pattern,
        {one["name"]: one["schema"] for one in parameters},
        frozenset(one["name"] for one in parameters if one.get("required")),
        _request(name, copy.deepcopy(content[media].get("schema", {}))) if media else None,
        media,
        answers,
        tuple(examples),
    )


def find(method: str, path: str) -> Operation:
    """The operation of a request; raises Mismatch where the documents have none."""
    api = "v2" if path.startswith("/api/v2/") else "v1"
    for one in operations():
        if one.name.startswith(f"{api} {method} ") and one.pattern.match(path):
            return one
    raise Mismatch(f"{method} {path}: no such operation in the documents")


def check_exchange(
    method: str,
    path: str,
    query: Mapping[str, str],
    request_body: Any,
    status: int,
    response_body: Any,
) -> str:
    """Check one exchange and answer the operation's name; raises Mismatch.

    `path` begins with /api/v2/, /api/v1/ or /v1/. Bodies are parsed JSON, or None; a form's fields as a dict; bytes or
    text of an answer that is no JSON as they are. A refused request (status 400 and up) is compared with the table of
    error literals instead of a schema, and what it sent is not looked at.
    """
    if status >= 400:
        error_literals.check(status, response_body)
        return f"error {status}"
    operation = find(method, path)
    seen_operations.add(operation.name)
    problems = [*_query_problems(operation, query), *_body_problems(operation, request_body)]
    schema = operation.answers.get(str(status))
    if schema is None:
        seen_without_schema.add(operation.name)
        if operation.name not in NO_SCHEMA:
            problems.append(f"the documents have no schema for {status}")
    else:
        problems += _schema_problems(schema, response_body, "answer")
        problems += _unknown_keys(operation, schema, response_body, query)
    if problems:
        raise Mismatch(f"{operation.name}: " + "; ".join(problems))
    return operation.name


def _schema_problems(schema: Schema, value: Any, where: str) -> list[str]:
    found = []
    for error in OAS30Validator(schema).iter_errors(value):
        place = "/".join(str(part) for part in error.absolute_path)
        found.append(f"{where} {place}: {error.message[:300]}")
    return found


def _query_problems(operation: Operation, query: Mapping[str, str]) -> list[str]:
    problems = [f"query: unknown {key}" for key in query if key not in operation.parameters]
    problems += [f"query: {key} is missing" for key in operation.required if key not in query]
    for key, text in query.items():
        schema = operation.parameters.get(key, {})
        kind, text = schema.get("type"), str(text)
        if kind == "integer" and not re.fullmatch(r"-?\d+", text):
            problems.append(f"query: {key} is no integer")
        elif kind == "boolean" and text not in ("true", "false"):
            problems.append(f"query: {key} is no boolean")
        elif "enum" in schema:
            allowed = {str(one) for one in schema["enum"]}
            problems += [f"query: {key} has {part}" for part in text.split(",") if not {part, text} & allowed]
        if key in ("updated_since", "updated_until") and not re.fullmatch(r"[-\d]{10}T[:\d]{8}Z", text):
            problems.append(f"query: {key} must be RFC 3339 with whole seconds")
    return problems


def _body_problems(operation: Operation, body: Any) -> list[str]:
    if operation.request is None:
        return [] if body is None else ["request: a body where the documents have none"]
    if operation.media == "application/json":
        return _schema_problems(operation.request, body, "request")
    known = set(operation.request.get("properties", {}))
    return [f"request: unknown form field {key}" for key in body or () if key not in known]


def _names(schema: Schema, examples: tuple[Any, ...]) -> set[str]:
    names = {
        key
        for node in _walk(schema)
        if isinstance(node.get("properties"), dict)
        for key in node["properties"]
    }
    for example in examples:
        names |= {key for node in _walk(example) for key in node}
    return names


def _unknown_keys(operation: Operation, schema: Schema, body: Any, query: Mapping[str, str]) -> list[str]:
    """Keys in an answer that no document names: an account must not invent any."""
    names = _names(schema, operation.examples)
    names |= {key for pattern, keys, _ in EXTRAS if re.fullmatch(pattern, operation.name) for key in keys}
    names |= set(str(query.get("include_fields", "")).split(","))
    names |= {"formatted_address"} if re.search("organizations", operation.name) else set()
    data = body.get("data") if isinstance(body, dict) else None
    return [f"answer: unknown key {key}" for key in sorted(set(_keys(data)) - names)]


def _keys(data: Any) -> Iterator[str]:
    if isinstance(data, list):
        for one in data:
            yield from _keys(one)
    elif isinstance(data, dict):
        for key, value in data.items():
            yield key
            if key != "custom_fields":
                yield from _keys(value)


def prices() -> dict[tuple[str, str, str], int]:
    """The price of each operation by (api, method, path), from the documents."""
    found = {}
    for line in (FOLDER / "pipedrive-operations.tsv").read_text().splitlines()[1:]:
        api, method, path, cost = line.split("\t")[:4]
        found[api, method, path] = int(cost)
    return found


def check_response(response: httpx.Response) -> None:
    """Check an answer that has been read, with the request it belongs to; other servers' and control answers pass."""
    request = response.request
    if not available() or not request.url.path.startswith(("/api/v1/", "/api/v2/", "/v1/")):
        return
    kind = request.headers.get("content-type", "")
    body = _request_body(kind, "" if kind.startswith("multipart/") else request.read().decode())
    found = as_json(response.content, response.headers.get("content-type", ""))
    query = dict(request.url.params)
    check_exchange(request.method, request.url.path, query, body, response.status_code, found)


async def check_async_response(response: httpx.Response) -> None:
    """The same as an event hook of an asynchronous client: `event_hooks={"response": [check_async_response]}`."""
    await response.aread()
    check_response(response)


def check_recording(path: Path) -> Counter[str]:
    """Check every exchange that a sandbox recorded (`/_control/record`) and count them by operation.

    Raises Mismatch with the first few exchanges that do not keep to the documents.
    """
    counts: Counter[str] = Counter()
    problems = []
    for line in path.read_text().splitlines():
        one = json.loads(line)
        body = _request_body(one["media"], one["request"])
        answer = as_json(one["answer"].encode(), one["answer_media"])
        try:
            counts[check_exchange(one["method"], one["path"], one["query"], body, one["status"], answer)] += 1
        except AssertionError as error:
            problems.append(f"{one['method']} {one['path']} {one['status']}: {error}")
    if problems:
        raise Mismatch(f"{len(problems)} exchanges: " + " | ".join(problems[:5]))
    return counts


def _request_body(media: str, text: str) -> Any:
    if media.startswith("application/json"):
        return json.loads(text or "null")
    if media.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(text))
    return {} if media else None


def as_json(content: bytes, content_type: str) -> Any:
    """An answer's body as `check_exchange` wants it."""
    return (
        json.loads(content)
        if content_type.startswith("application/json")
        else content.decode("utf-8", "replace")
    )
