"""How do files hang on records? v1's files: uploads as multipart, bytes on disk, downloads in pieces."""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.datastructures import UploadFile

from . import times
from .attachments import FOREIGN, LINKS, form_or_json, links_of, page
from .call import Call, Handler, Pieces, Raw, ok
from .errors import Refused, not_found, plain
from .store import Record

if TYPE_CHECKING:
    from .account import Account

NAME_LENGTH = 255


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


def store_file(account: Account, given: Record, content: IO[bytes]) -> Record:
    """Commit a file."""
    name = given.get("name", "file")
    stem, dot, suffix = name.rpartition(".")
    digest = hashlib.sha1(f"{account.seed}:{account.stores['files'].next_id}".encode(), usedforsecurity=False)
    sha256, size = account.contents.add(content, keep=account.habits["keep_file_bytes"])
    stamp = account.stamp()
    record = {
        "user_id": 1,
        "add_time": stamp,
        "update_time": stamp,
        "name": name,
        "file_name": f"{stem or suffix}_{digest.hexdigest()}{dot}{suffix if stem else ''}",
        "file_type": suffix.lower() if stem else "file",
        "file_size": size,
        "remote_id": digest.hexdigest(),
        "sha256": sha256,
        **given,
    }
    return account.insert("files", record)


def add_file(call: Call) -> dict[str, Any]:
    """POST /files: multipart with one `file` and the ids it belongs to."""
    account, form = call.account, call.form
    upload = None if form is None else form.get("file")
    if form is None or not isinstance(upload, UploadFile):
        raise plain(400, "No file was uploaded.")
    given = {name: value for name, value in form.items() if isinstance(value, str)}
    unknown = sorted(set(given) - {*LINKS, *FOREIGN, "activity_id"})
    if unknown:
        raise plain(400, f"Unknown parameter {unknown[0]}")
    links = links_of(account, given, extra={"activity_id": "activities"})
    name, size = upload.filename or "file", upload.size or 0
    if size > account.habits["file_megabytes"] * 1_000_000:
        raise plain(400, "The file is too large.")
    if not size and not account.capabilities["empty_file"]:
        raise plain(400, "The file is empty.")
    if len(name) > NAME_LENGTH and not account.capabilities["long_file_name"]:
        raise plain(400, "The file name is too long.")
    return ok(
        show_file(account, store_file(account, {"user_id": call.user, "name": name, **links}, upload.file))
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
    """GET /files/{id}/download: the bytes; 410 where this account keeps none."""
    record, contents = _file(call), call.account.contents
    if record["sha256"] not in contents:
        raise Refused(410, {"success": False, "error": "The sandbox keeps no bytes of this file."})
    disposition = f"attachment; filename*=UTF-8''{quote(record['name'])}"
    pieces = Pieces(record["file_size"], contents.pieces(record["sha256"]))
    return Raw(pieces, headers=((b"content-disposition", disposition.encode()),))


def list_files(link: str = "") -> Handler:
    """GET /files, and GET /{entity}/{id}/files with the name of the link."""

    def handler(call: Call) -> dict[str, Any]:
        wanted = {link: call.id} if link else None
        found, pages = page(call, "files", most=100, sortable=("id", "update_time"), wanted=wanted)
        return ok([show_file(call.account, one) for one in found], additional_data=pages)

    return handler


def received(account: Account) -> list[dict[str, Any]]:
    """Every file that is not deleted: id, name, size, hash and what it hangs on, for the control endpoint."""
    store = account.stores["files"]
    files = (store.get(id_) or {} for id_ in store.ids() if store.alive(id_))
    names = ("id", "name", "file_size", "sha256", "deal_id", "person_id", "org_id", "activity_id", "user_id")
    return [{name: file.get(name) for name in names} for file in files]
