"""Is anything of ours in the account that should not be there? The proof that nothing was made twice.

Every stamp must be borne by the record that the ledger links to it, and by no other; and no file may be there once more
than it was sent. Not ours to judge are copies that people made (a duplicated deal has our stamp, too), and the record
into which people merged one of ours.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from dispatch_to_pipedrive.migration.files import PARENTS
from dispatch_to_pipedrive.migration.ledger import utc_now
from dispatch_to_pipedrive.migration.listing import Listing
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.values import (
    ALIVE,
    ENTITIES,
    GONE,
    KEPT,
    KeptEdit,
    Link,
    key_after,
    key_before,
)
from dispatch_to_pipedrive.migration.verify import Difference, Verdicts

_Bearers = list[tuple[int, str, Link | None]]
"""Records that bear a stamp which is not theirs by the ledger: id, stamp, and the link of the stamp."""


def stray_sweep(session: Session, listing: Listing) -> Verdicts:
    """Every stamp must be known to the ledger and borne once, and no file be there once more than it was sent.

    Names what is not so. A file of our user that no link knows is extra where one of ours on the same record has its
    name and size. Copies that people made are edits, and listed.
    """
    verdicts = Verdicts()
    for entity in ENTITIES:
        _judge(session, listing, entity, _odd_bearers(session, listing, entity), verdicts)
    known = session.ledger.kept_edits(session.scope)
    copied = {(edit.entity, edit.source_key) for edit in verdicts.edits}
    verdicts.over = [
        edit
        for edit in known
        if edit.verdict == KEPT and not edit.field and (edit.entity, edit.source_key) not in copied
    ]
    return verdicts.merged([_stray_files(session, listing)])


def _odd_bearers(session: Session, listing: Listing, entity: str) -> _Bearers:
    seen: set[str] = set()
    odd: _Bearers = []
    for group in listing.stamps(entity):
        keys = {stamp for _, stamp in group} | {key_before(stamp, number) for number, stamp in group}
        links = session.ledger.links(session.scope, entity, sorted(keys))
        for number, stamp in group:
            link = links.get(stamp)
            known = link is not None and link.pipedrive_id == number and link.state in (*ALIVE, GONE)
            replaced = links.get(key_before(stamp, number))
            if known and stamp not in seen:
                seen.add(stamp)
            elif replaced is None or replaced.state not in ALIVE:
                odd.append((number, stamp, link))
    return odd


def _judge(session: Session, listing: Listing, entity: str, odd: _Bearers, verdicts: Verdicts) -> None:
    """Which of them are extra, and which are people's doing."""
    if not odd:
        return
    ledger, scope = session.ledger, session.scope
    records = listing.records(entity, [number for number, *_ in odd])
    lost = [link.pipedrive_id for _, _, link in odd if link is not None]
    there = listing.records(entity, lost)
    met = {edit.source_key for edit in _gone(session, entity, {stamp for _, stamp, _ in odd})}
    users = ledger.user_names(scope.account)
    copies: dict[str, list[int]] = {}
    for number, stamp, link in odd:
        record = records[number]
        named = [one.source_key for one in ledger.links_to(scope, entity, number) if one.state in ALIVE]
        if ledger.relinked(scope, entity, named):
            continue  # people connected it with another key than the one that it bears
        maker = record.get("creator_user_id", record.get("user_id"))
        if link is not None and maker not in (None, session.user_id):
            copies.setdefault(stamp, []).append(number)
            words = f"record {number} is a copy that {users.get(int(maker), f'user {maker}')} made"
            verdicts.differences.append(Difference(entity, stamp, number, "", "", words, KEPT))
        elif link is not None and (_was_lost(link, there) or stamp in met):
            continue  # people merged it: the record that is gone says so
        else:
            verdicts.records["extra"] += 1
            expected = "" if link is None else f"record {link.pipedrive_id}"
            words = f"record {number} bears this stamp"
            verdicts.differences.append(Difference(entity, stamp, number, "", expected, words, "extra"))
    of_stamp = {stamp: link for _, stamp, link in odd if link is not None}
    verdicts.edits += [
        _copy(of_stamp[stamp], numbers, records, users) for stamp, numbers in sorted(copies.items())
    ]


def _was_lost(link: Link, there: Mapping[int, Any]) -> bool:
    """Whether the linked record is gone, by the ledger or by the listing."""
    return link.state == GONE or (link.state in ALIVE and link.pipedrive_id not in there)


def _gone(session: Session, entity: str, stamps: Iterable[str]) -> list[KeptEdit]:
    return [edit for edit in session.ledger.kept_edits(session.scope, entity, stamps) if edit.verdict == GONE]


def _copy(
    link: Link, numbers: list[int], records: Mapping[int, Mapping[str, Any]], users: Mapping[int, str]
) -> KeptEdit:
    record = records[numbers[0]]
    maker = int(record.get("creator_user_id") or record["user_id"])
    named = ", ".join(map(str, sorted(numbers)))
    return KeptEdit(
        entity=link.entity,
        source_key=link.source_key,
        pipedrive_id=link.pipedrive_id,
        field="",
        verdict=KEPT,
        ours="",
        theirs=f"copied as {link.entity} {named}",
        edited_by=users.get(maker) or f"user {maker}",
        edited_at=str(record.get("add_time") or ""),
        batch="",
        seen_at=utc_now(),
    )


_Kind = tuple[object, ...]


def _stray_files(session: Session, listing: Listing) -> Verdicts:
    unknown: dict[_Kind, list[int]] = {}
    for group in listing.each("files"):
        ours = {number: record for number, record in group if record.get("user_id") == session.user_id}
        linked = session.ledger.linked_ids(session.scope, "files", ours)
        for number, record in ours.items():
            if number not in linked:
                unknown.setdefault(_kind(record), []).append(number)
    verdicts = Verdicts()
    if not unknown:
        return verdicts
    twins: dict[_Kind, str] = {}
    for group in listing.each("files"):
        alike = {number: _kind(record) for number, record in group if _kind(record) in unknown}
        for number, link in session.ledger.links_of_ids(session.scope, "files", alike).items():
            twins[alike[number]] = key_after(link.source_key)
    for kind, numbers in unknown.items():
        for number in numbers if kind in twins else ():
            verdicts.records["extra"] += 1
            words = f"record {number} on the same record has its name and size"
            verdicts.differences.append(Difference("files", twins[kind], number, "", "", words, "extra"))
    return verdicts


def _kind(record: Mapping[str, Any]) -> _Kind:
    return (*(record.get(name) for name in PARENTS), record.get("name"), record.get("size"))
