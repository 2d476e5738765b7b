"""How do notes hang on records? v1's notes: content, author, time and pins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import habits, times
from .attachments import LINKS, form_or_json, links_of, page, whole
from .call import Call, ok
from .errors import forbidden, not_found, plain
from .store import Record
from .validate import NOTE_BYTES

if TYPE_CHECKING:
    from .account import Account

_PINS = {
    "pinned_to_deal_flag": "deal_id",
    "pinned_to_person_flag": "person_id",
    "pinned_to_organization_flag": "org_id",
    "pinned_to_lead_flag": "lead_id",
    "pinned_to_project_flag": "project_id",
    "pinned_to_task_flag": "task_id",
}
_NOTE_KEYS = {"content", "add_time", "user_id", *LINKS, "lead_id", "project_id", "task_id", *_PINS}
_SORTABLE = ("id", "user_id", "deal_id", "person_id", "org_id", "content", "add_time", "update_time")
_ABSENT = ("lead_id", "project_id", "task_id")


def show_note(account: Account, record: Record, you: int = 1) -> dict[str, Any]:
    """A note as v1 shows it to user `you`."""
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
            "is_you": author["id"] == you,
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


def _read_note(call: Call, given: dict[str, Any], before: Record) -> Record:
    account = call.account
    read = links_of(account, given)
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
        read["user_id"] = _author(call, given["user_id"])
    return read


def _author(call: Call, value: Any) -> int:
    """The author of a note, whom only an admin may name."""
    if call.user != 1 or not call.account.capabilities["admin"]:
        raise forbidden()
    id_ = whole("user_id", value)
    if id_ not in call.account.users:
        raise plain(400, f"user_id {id_} was not found")
    return id_


def add_note(call: Call) -> dict[str, Any]:
    """POST /notes."""
    account, given = call.account, form_or_json(call)
    unknown = sorted(set(given) - _NOTE_KEYS)
    if unknown:
        raise plain(400, f"Unknown parameter {unknown[0]}")
    read = _read_note(call, given, {})
    if "content" not in read:
        raise plain(400, "Note content must be given.")
    if not any(name in read for name in LINKS):
        raise plain(
            400, "At least one of deal_id, person_id, org_id, lead_id, project_id or task_id must be given."
        )
    stamp = account.stamp()
    stored = account.insert("notes", {"add_time": stamp, "user_id": call.user, **read, "update_time": stamp})
    return ok(show_note(account, stored, call.user))


def update_note(call: Call) -> dict[str, Any]:
    """PUT /notes/{id}."""
    account = call.account
    before = account.live("notes", call.id)
    if before is None:
        raise not_found()
    read = _read_note(call, form_or_json(call), before)
    after = {**before, **read, "update_time": account.stamp(), "last_update_user_id": call.user}
    return ok(show_note(account, account.replace("notes", after, before), call.user))


def get_note(call: Call) -> dict[str, Any]:
    """GET /notes/{id}: a deleted one is still readable, active_flag false."""
    record = call.account.stores["notes"].get(call.id)
    if record is None:
        raise not_found()
    return ok(show_note(call.account, record, call.user))


def delete_note(call: Call) -> dict[str, Any]:
    """DELETE /notes/{id}."""
    record = call.account.live("notes", call.id)
    if record is None:
        raise not_found()
    call.account.drop("notes", record)
    return ok(True)


def list_notes(call: Call) -> dict[str, Any]:
    """GET /notes."""
    query = call.query
    since, first, last = _since(query.get("updated_since")), query.get("start_date"), query.get("end_date")
    for name in ("start_date", "end_date"):
        if query.get(name) and not times.is_date(query[name]):
            raise plain(400, f"{name} must be YYYY-MM-DD")
    pins = {flag: query[flag] == "1" for flag in _PINS if query.get(flag) in ("0", "1")}
    nothing = any(query.get(name) for name in _ABSENT)

    def keep(note: Record) -> bool:
        day = note["add_time"][:10]
        return (
            not nothing
            and (first or day) <= day <= (last or day)
            and all(note.get(flag, False) == pinned for flag, pinned in pins.items())
        )

    plainly = not (nothing or first or last or pins)
    wanted = {name: whole(name, query[name]) for name in ("user_id", *LINKS) if query.get(name)}
    found, pages = page(
        call,
        "notes",
        most=500,
        sortable=_SORTABLE,
        wanted=wanted,
        since=since,
        keep=None if plainly else keep,
    )
    return ok([show_note(call.account, one, call.user) for one in found], additional_data=pages)


def _since(text: str | None) -> int:
    moment = times.read_moment(text, spaced=False) if text else None
    if text and moment is None:
        raise plain(400, "updated_since must be RFC 3339")
    return times.epoch(moment) if moment else 0
