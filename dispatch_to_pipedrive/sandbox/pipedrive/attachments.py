"""How do notes and files hang on records? v1's notes and files, stored beside the four entities."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

import orjson
from starlette.datastructures import UploadFile

from . import habits, times
from .call import Call, Handler, Raw, ok
from .errors import forbidden, not_found, plain
from .store import DELETED, Record
from .v1 import offset
from .validate import NOTE_BYTES

if TYPE_CHECKING:
    from .account import Account

_LINKS = {"deal_id": "deals", "person_id": "persons", "org_id": "organizations"}
_FOREIGN = ("lead_id", "project_id", "task_id", "product_id")
_PINS = {
    "pinned_to_deal_flag": "deal_id",
    "pinned_to_person_flag": "person_id",
    "pinned_to_organization_flag": "org_id",
    "pinned_to_lead_flag": "lead_id",
    "pinned_to_project_flag": "project_id",
    "pinned_to_task_flag": "task_id",
}
_NOTE_KEYS = {"content", "add_time", "user_id", *_LINKS, "lead_id", "project_id", "task_id", *_PINS}


def form_or_json(call: Call) -> dict[str, Any]:
    """v1 takes JSON, and form-encoding here and there."""
    if call.body[:1] in (b"{", b"["):
        read = call.json()
        if isinstance(read, dict):
            return read
        raise plain(400, "The request body is not valid")
    return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not str(value).isdigit():
        raise plain(400, f"{name} must be an integer")
    return int(value)


def _links(account: Account, given: dict[str, Any], *, extra: dict[str, str] | None = None) -> Record:
    read: Record = {}
    for name, entity in (_LINKS | (extra or {})).items():
        if given.get(name) in (None, ""):
            continue
        id_ = _whole(name, given[name])
        if not account.stores[entity].alive(id_):
            raise plain(400, f"{name} {id_} was not found")
        read[name] = id_
    for name in _FOREIGN:
        if given.get(name) not in (None, ""):
            raise plain(400, f"{name} {given[name]} was not found")
    return read


# --- notes ----------------------------------------------------------------------------------------------------


def show_note(account: Account, record: Record) -> dict[str, Any]:
    """A note as v1 shows it."""
    get = record.get
    author = account.users.get(record["user_id"], account.me)
    shown: dict[str, Any] = {
        "id": record["id"],
        "active_flag": not get("is_deleted", False),
        "add_time": times.to_v1(record["add_time"]),
        "content": get("content", ""),
        "lead_id": None,
        "last_update_user_id": get("last_update_user_id"),
        "project_id": None,
        "project": None,
        "task_id": None,
        "task": None,
        "update_time": times.to_v1(record["update_time"]),
        "user": {
            "email": author["email"],
            "icon_url": None,
            "is_you": author["is_you"],
            "name": author["name"],
        },
        "user_id": record["user_id"],
    }
    for key, name, entity, title in (
        ("deal", "deal_id", "deals", "title"),
        ("person", "person_id", "persons", "name"),
        ("organization", "org_id", "organizations", "name"),
    ):
        shown[name] = get(name)
        shown[key] = {title: account.name_of(entity, get(name))} if get(name) is not None else None
    return shown | {flag: get(flag, False) for flag in _PINS}


def _read_note(account: Account, given: dict[str, Any], before: Record) -> Record:
    read = _links(account, given)
    for flag, link in _PINS.items():
        if flag in given:
            if given[flag] not in (0, 1, "0", "1", True, False):
                raise plain(400, f"{flag} must be 0 or 1")
            read[flag] = bool(int(given[flag]))
            if read[flag] and link not in read and link not in before:
                raise plain(400, f"{flag} needs {link}")
    if "content" in given:
        content = given["content"]
        if not isinstance(content, str) or not content:
            raise plain(400, "Note content must be given.")
        if len(content.encode()) > NOTE_BYTES:
            raise plain(400, "Note content is too long.")
        read["content"] = habits.sanitize(content) if account.habits["sanitize_html"] else content
    if given.get("add_time"):
        moment = times.read_spaced(str(given["add_time"]))
        if moment is None:
            raise plain(400, "add_time must be YYYY-MM-DD HH:MM:SS")
        read["add_time"] = moment
    if given.get("user_id") not in (None, ""):
        read["user_id"] = _author(account, given["user_id"])
    return read


def _author(account: Account, value: Any) -> int:
    """The author of a note, whom only an admin may name."""
    if not account.capabilities["admin"]:
        raise forbidden()
    id_ = _whole("user_id", value)
    if id_ not in account.users:
        raise plain(400, f"user_id {id_} was not found")
    return id_


def add_note(call: Call) -> dict[str, Any]:
    """POST /notes."""
    account, given = call.account, form_or_json(call)
    unknown = sorted(set(given) - _NOTE_KEYS)
    if unknown:
        raise plain(400, f"Unknown parameter {unknown[0]}")
    read = _read_note(account, given, {})
    if "content" not in read:
        raise plain(400, "Note content must be given.")
    if not any(name in read for name in _LINKS):
        raise plain(
            400, "At least one of deal_id, person_id, org_id, lead_id, project_id or task_id must be given."
        )
    stamp = account.stamp()
    stored = account.insert("notes", {"add_time": stamp, "user_id": 1, **read, "update_time": stamp})
    return ok(show_note(account, stored))


def update_note(call: Call) -> dict[str, Any]:
    """PUT /notes/{id}."""
    account = call.account
    before = account.live("notes", call.id)
    if before is None:
        raise not_found()
    read = _read_note(account, form_or_json(call), before)
    after = {**before, **read, "update_time": account.stamp(), "last_update_user_id": 1}
    return ok(show_note(account, account.replace("notes", after, before)))


def get_note(call: Call) -> dict[str, Any]:
    """GET /notes/{id}: a deleted one is still readable, active_flag false."""
    record = call.account.stores["notes"].get(call.id)
    if record is None:
        raise not_found()
    return ok(show_note(call.account, record))


def delete_note(call: Call) -> dict[str, Any]:
    """DELETE /notes/{id}."""
    record = call.account.live("notes", call.id)
    if record is None:
        raise not_found()
    call.account.drop("notes", record)
    return ok(True)


def _wanted(call: Call, names: tuple[str, ...]) -> dict[str, int]:
    return {name: _whole(name, call.query[name]) for name in names if call.query.get(name)}


def _page(
    call: Call, kind: str, wanted: dict[str, int], *, since: str = ""
) -> tuple[list[Record], dict[str, Any]]:
    """A page of notes or files in id order, or as `sort` says."""
    start, limit = offset(call, 100 if kind == "files" else 500)
    store = call.account.stores[kind]
    found = []
    for at, row in enumerate(store.rows):
        if row is None or store.flags[at] & DELETED:
            continue
        if any(b'"%s":%d' % (name.encode(), id_) not in row for name, id_ in wanted.items()):
            continue
        record: Record = orjson.loads(row)
        if all(record.get(name) == id_ for name, id_ in wanted.items()) and record["update_time"] >= since:
            found.append(record)
    key, _, direction = (call.query.get("sort") or "id ASC").partition(" ")
    if key not in ("id", "add_time", "update_time", "user_id", "deal_id", "person_id", "org_id", "content"):
        raise plain(400, f"sort by {key} is not possible")
    found.sort(key=lambda one: (one.get(key) or 0, one["id"]), reverse=direction.upper() == "DESC")
    more = start + limit < len(found)
    pages: dict[str, Any] = {"start": start, "limit": limit, "more_items_in_collection": more}
    if more:
        pages["next_start"] = start + limit
    return found[start : start + limit], {"pagination": pages}


def list_notes(call: Call) -> dict[str, Any]:
    """GET /notes."""
    since = ""
    if call.query.get("updated_since"):
        since = times.read_moment(call.query["updated_since"], spaced=False) or ""
        if not since:
            raise plain(400, "updated_since must be RFC 3339")
    found, pages = _page(call, "notes", _wanted(call, ("user_id", *_LINKS)), since=since)
    return ok([show_note(call.account, one) for one in found], additional_data=pages)


# --- files ----------------------------------------------------------------------------------------------------


def show_file(account: Account, record: Record) -> dict[str, Any]:
    """A file as v1 shows it."""
    get = record.get
    return {
        "id": record["id"],
        "user_id": record["user_id"],
        "deal_id": get("deal_id"),
        "person_id": get("person_id"),
        "org_id": get("org_id"),
        "product_id": None,
        "activity_id": get("activity_id"),
        "lead_id": None,
        "project_id": None,
        "log_id": None,
        "add_time": times.to_v1(record["add_time"]),
        "update_time": times.to_v1(record["update_time"]),
        "file_name": record["file_name"],
        "file_type": record["file_type"],
        "file_size": record["file_size"],
        "active_flag": not get("is_deleted", False),
        "inline_flag": False,
        "remote_location": "s3",
        "remote_id": record["remote_id"],
        "cid": "",
        "s3_bucket": "",
        "mail_message_id": None,
        "mail_template_id": None,
        "deal_name": account.name_of("deals", get("deal_id")),
        "person_name": account.name_of("persons", get("person_id")),
        "org_name": account.name_of("organizations", get("org_id")),
        "product_name": None,
        "lead_name": None,
        "project_name": None,
        "url": f"https://{account.company_domain}.pipedrive.com/v1/files/{record['id']}/download",
        "name": record["name"],
        "description": get("description", ""),
    }


def store_file(account: Account, given: Record, content: bytes) -> Record:
    """Commit a file."""
    name = given.get("name", "file")
    stem, dot, suffix = name.rpartition(".")
    digest = hashlib.sha1(f"{account.seed}:{account.stores['files'].next_id}".encode(), usedforsecurity=False)
    stamp = account.stamp()
    record = {
        "user_id": 1,
        "add_time": stamp,
        "update_time": stamp,
        "name": name,
        "file_name": f"{stem or suffix}_{digest.hexdigest()}{dot}{suffix if stem else ''}",
        "file_type": suffix.lower() if stem else "file",
        "file_size": len(content),
        "remote_id": digest.hexdigest(),
        **given,
    }
    stored = account.insert("files", record)
    account.contents[stored["id"]] = content
    return stored


def add_file(call: Call) -> dict[str, Any]:
    """POST /files: multipart with one `file` and the ids it belongs to."""
    form = call.form
    upload = None if form is None else form.get("file")
    if form is None or not isinstance(upload, UploadFile):
        raise plain(400, "No file was uploaded.")
    given = {name: value for name, value in form.items() if isinstance(value, str)}
    unknown = sorted(set(given) - {*_LINKS, *_FOREIGN, "activity_id"})
    if unknown:
        raise plain(400, f"Unknown parameter {unknown[0]}")
    links = _links(call.account, given, extra={"activity_id": "activities"})
    content = upload.file.read()
    if len(content) > call.account.habits["file_megabytes"] * 1_000_000:
        raise plain(400, "The file is too large.")
    return ok(
        show_file(
            call.account, store_file(call.account, {"name": upload.filename or "file", **links}, content)
        )
    )


def _file(call: Call) -> Record:
    record = call.account.live("files", call.id)
    if record is None:
        raise not_found()
    return record


def get_file(call: Call) -> dict[str, Any]:
    """GET /files/{id}."""
    return ok(show_file(call.account, _file(call)))


def update_file(call: Call) -> dict[str, Any]:
    """PUT /files/{id}: name and description, form-encoded."""
    before, given = _file(call), form_or_json(call)
    read: Record = {name: str(given[name]) for name in ("name", "description") if name in given}
    after: Record = {**before, **read, "update_time": call.account.stamp()}
    return ok(show_file(call.account, call.account.replace("files", after, before)))


def delete_file(call: Call) -> dict[str, Any]:
    """DELETE /files/{id}."""
    record = _file(call)
    call.account.drop("files", record)
    return ok({"id": record["id"]})


def download(call: Call) -> Raw:
    """GET /files/{id}/download: the bytes."""
    record = _file(call)
    disposition = f"attachment; filename*=UTF-8''{quote(record['name'])}"
    return Raw(call.account.contents[record["id"]], headers=((b"content-disposition", disposition.encode()),))


def list_files(link: str = "") -> Handler:
    """GET /files, and GET /{entity}/{id}/files with the name of the link."""

    def handler(call: Call) -> dict[str, Any]:
        wanted: dict[str, int] = {link: call.id} if link else {}
        found, pages = _page(call, "files", wanted)
        return ok([show_file(call.account, one) for one in found], additional_data=pages)

    return handler
