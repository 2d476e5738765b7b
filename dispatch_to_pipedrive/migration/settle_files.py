"""Which files of the account are those whose upload had no answer?

A file bears no stamp. On the intent's parent stand those of our user that came after the intent and that no link knows;
name and size decide, as a multiset: two equal photos on one job are two. Bytes are looked at only where name and size
leave open which is which, or where the vendor changed the name.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from dispatch_to_pipedrive.migration.files import PARENTS
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.values import Intent
from dispatch_to_pipedrive.pipedrive.canonical import canonical
from dispatch_to_pipedrive.pipedrive.errors import NotFound

Records = dict[int, dict[str, Any]]
_Parent = tuple[str, int]


def parent_of(body: Mapping[str, Any]) -> _Parent | None:
    """The entity and id that a file's body or record hangs on; the first where it names several."""
    for name, entity in PARENTS.items():
        if body.get(name):
            return entity, int(body[name])
    return None


async def file_candidates(
    session: Session, intents: Sequence[Intent], margin: timedelta
) -> dict[str, Records]:
    """Source key → the files that may be its own: one where it is clear, several where it is not, none if absent."""
    by_parent: dict[_Parent, list[Intent]] = defaultdict(list)
    for intent in intents:
        if parent := parent_of(intent.body or {}):
            by_parent[parent].append(intent)
    found: dict[str, Records] = {}
    for (entity, number), there in by_parent.items():
        dates = [datetime.fromisoformat(x.server_date) for x in there if x.server_date]
        since = min(dates) - margin if len(dates) == len(there) else None
        listed: Records = {}
        try:
            async for page in session.client.files_of(entity, number):
                listed.update({int(r["id"]): r for r in page.records if _ours(session, r, since)})
        except NotFound:  # the parent was deleted there, and takes no file any more
            continue
        linked = session.ledger.linked_ids(session.scope, "files", listed)
        free = {i: r for i, r in listed.items() if i not in linked}
        found.update(await _matched(session, there, free))
    return found


def _ours(session: Session, record: dict[str, Any], since: datetime | None) -> bool:
    added = record.get("add_time")
    recent = since is None or not added or datetime.fromisoformat(str(added)) >= since
    return record.get("user_id") == session.user_id and recent


async def _matched(session: Session, intents: Sequence[Intent], free: Records) -> dict[str, Records]:
    groups: dict[tuple[Any, int], list[Intent]] = defaultdict(list)
    for intent in sorted(intents, key=lambda x: x.number):
        groups[_name(intent.body or {}), int((intent.body or {})["size"])].append(intent)
    found: dict[str, Records] = {}
    for (name, size), same in groups.items():
        there = {i: r for i, r in sorted(free.items()) if r.get("size") == size}
        named = {i: r for i, r in there.items() if _name(r) == name}
        if len({(x.body or {}).get("sha256") for x in same}) == 1 and named:
            taken = _dealt(same, named)
        else:
            taken = await _by_bytes(session, same, named or there)
        found.update(taken)
        for records in taken.values():
            for number in records:
                free.pop(number, None)
    return found


def _dealt(intents: Sequence[Intent], records: Records) -> dict[str, Records]:
    """As many files as intents, or fewer: one each. More: nobody knows whose they are."""
    if len(records) > len(intents):
        return {intent.source_key: dict(records) for intent in intents}
    return {x.source_key: {i: r} for x, (i, r) in zip(intents, records.items(), strict=False)}


async def _by_bytes(session: Session, intents: Sequence[Intent], records: Records) -> dict[str, Records]:
    same: dict[str, Records] = defaultdict(dict)
    for number, record in records.items():
        digest = await session.client.digest_of_file(number)
        same[digest.sha256][number] = record
    meant: dict[str, list[Intent]] = defaultdict(list)
    for intent in intents:
        meant[str((intent.body or {}).get("sha256"))].append(intent)
    found: dict[str, Records] = {}
    for sha256, alike in meant.items():
        found.update(_dealt(alike, same.get(sha256, {})))
    return found


def _name(body: dict[str, Any]) -> Any:
    return canonical("files", "name", None, body.get("name"))
