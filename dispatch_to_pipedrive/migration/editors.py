"""Who edited what was kept, and when? The account's changelog says it of deals, persons and organizations.

A record is asked for once, and only where it has an edit of which nobody has asked yet. That costs 20 tokens a record,
so it ends at a number: a line (see `kept.lines`) needs no more than a few records to tell who is behind it.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dispatch_to_pipedrive.migration.compare import canonical_value, flat
from dispatch_to_pipedrive.migration.kept import SAID_BY_CHANGELOG, Reader
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.values import OVERWRITTEN, KeptEdit, Link
from dispatch_to_pipedrive.pipedrive.errors import BudgetSpent, Forbidden, NotFound
from dispatch_to_pipedrive.pipedrive.prices import CHANGELOG
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

log = logging.getLogger(__name__)

MOST_TOKENS = 2_000
"""Tokens that one reading back spends on asking who."""
OF_ONE_LINE = 25
"""Records of one line that are asked for in all, however many there are."""
DOUBTS = 50
"""Records of one batch that are asked for because somebody may have edited them in the second of our own write."""
PROVEN = 3
"""So many edits to the same value are proof enough for all others to it."""
_V1_NAMES = {
    "owner_id": ("user_id",),
    "pipeline_id": ("pipeline",),
    "label_ids": ("label",),
    "emails": ("email",),
    "phones": ("phone",),
}

Place = tuple[str, int]


async def put_on_record(
    session: Session, schema: AccountSchema, edits: Sequence[KeptEdit], over: Sequence[KeptEdit]
) -> None:
    """Bring the ledger up to date with what reading back found of people's doing, and ask who and when.

    over: edits that the ledger has, and that are so no more.
    """
    ledger, scope = session.ledger, session.scope
    ledger.forget_edits(scope, over)
    ledger.keep_edits(scope, edits)
    unasked = [edit for edit in ledger.kept_edits(scope) if edit.edited_by is None] if edits else []
    if unasked:
        reader = Reader(schema, await _users(session), "", "")
        ledger.keep_edits(scope, await learn_who(session, reader, ledger.kept_edits(scope)))


async def _users(session: Session) -> dict[int, str]:
    """Id → name of the account's users: as last read, or asked now where nobody was read yet."""
    known = session.ledger.user_names(session.scope.account)
    if known:
        return known
    return {int(user["id"]): str(user.get("name") or "") for user in await session.client.users()}


async def learn_who(session: Session, reader: Reader, edits: Sequence[KeptEdit]) -> list[KeptEdit]:
    """Those of the edits of which the account was asked now, with what it said ('' where it says nothing)."""
    wanted = to_ask(edits, MOST_TOKENS // CHANGELOG)
    answers = await asyncio.gather(*(_changes(session, place) for place in wanted))
    changes = dict(zip(wanted, answers, strict=True))
    told = []
    for edit in edits:
        found = changes.get((edit.entity, edit.pipedrive_id))
        if edit.edited_by is None and found is not None:
            told.append(_told(session, reader, edit, found))
    return told


def to_ask(edits: Sequence[KeptEdit], most: int) -> list[Place]:
    """The records to ask for: first one of each line, then further ones, a line's share at most."""
    asked: Counter[tuple[str, ...]] = Counter()
    waiting: list[KeptEdit] = []
    for edit in edits:
        if edit.entity in SAID_BY_CHANGELOG and edit.edited_by is None:
            waiting.append(edit)
        elif edit.edited_by is not None:
            asked[_of_line(edit)] += 1
    chosen: dict[Place, None] = {}
    for share in (1, OF_ONE_LINE):
        for edit in waiting:
            place = (edit.entity, edit.pipedrive_id)
            if len(chosen) < most and asked[_of_line(edit)] < share and place not in chosen:
                chosen[place] = None
                asked[_of_line(edit)] += 1
    return list(chosen)


def _of_line(edit: KeptEdit) -> tuple[str, ...]:
    return edit.entity, edit.field, edit.verdict, edit.ours, edit.theirs


async def _changes(session: Session, place: Place) -> list[dict[str, Any]] | None:
    entity, number = place
    try:
        return await session.client.changelog(entity, number)
    except NotFound:
        return []
    except (Forbidden, BudgetSpent) as refusal:
        log.info("who edited %s %s stays unknown: %s", entity, number, refusal)
        return None


class Doubts:
    """Who changed a field in the very second of our own write? Asked of so many records of a batch at most."""

    def __init__(self, session: Session, schema: AccountSchema) -> None:
        self._session, self._schema = session, schema
        self._asked = 0
        self._proven: Counter[tuple[str, str, Hashable]] = Counter()

    async def settle(self, names: Collection[str], link: Link, record: Mapping[str, Any]) -> set[str]:
        """Those of the doubtful fields (wire names) that others changed, as far as the account says.

        What was found to be others' doing a few times over needs no further proof: an automation moves thousands.
        """
        if not names:
            return set()
        has = flat(record)
        kinds = {
            name: (link.entity, name, canonical_value(self._schema, link.entity, name, has.get(name)))
            for name in names
        }
        known = {name for name, kind in kinds.items() if self._proven[kind] >= PROVEN}
        if known == set(names) or self._asked >= DOUBTS:
            return known
        self._asked += 1
        changes = await _changes(self._session, (link.entity, link.pipedrive_id)) or []
        newest = {name: next((c for c in changes if _is_of(c, name)), None) for name in names}
        others = {name for name, c in newest.items() if c is not None and not _is_ours(self._session, c)}
        self._proven.update(kinds[name] for name in others)
        return others


def _is_of(change: Mapping[str, Any], name: str) -> bool:
    """Whether a change is one of the field that has this wire name."""
    key = str(change.get("field_key"))
    return key == name or key in _V1_NAMES.get(name, ()) or key.startswith(f"{name}_")


def _is_ours(session: Session, change: Mapping[str, Any]) -> bool:
    return change.get("actor_user_id") == session.user_id and change.get("change_source") == "api"


def _told(session: Session, reader: Reader, edit: KeptEdit, changes: Sequence[Mapping[str, Any]]) -> KeptEdit:
    """Whose the newest change of the field is; ours under no name, as others may share our token.

    Of what was overwritten, our own change came after the one that is meant.
    """
    names = reader.schema.customs(edit.entity)
    codes = [code for code, (name, _) in names.items() if name == edit.field] or [edit.field]
    newest = next(
        (
            change
            for change in changes
            if any(_is_of(change, code) for code in codes)
            and not (edit.verdict == OVERWRITTEN and _is_ours(session, change))
        ),
        {},
    )
    actor = newest.get("actor_user_id")
    if actor is None or _is_ours(session, newest):
        return edit._replace(edited_by="")
    return edit._replace(edited_by=reader.user(actor), edited_at=_moment(newest.get("time")))


def _moment(text: object) -> str:
    """The changelog's time, as records have theirs; '' for what is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return ""
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).strftime("%Y-%m-%dT%H:%M:%SZ")
