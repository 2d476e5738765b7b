"""Which record has taken the place of one that people deleted or merged? A person says it, and the ledger remembers.

Nothing is sent. Where the named record is nobody else's, it stands for the source key from now on: what holds our
values there follows the source, what differs is people's and kept, what is empty is filled. Where it stands for another
key already (people merged two of ours), it goes on following that one alone, and only what hangs on the gone record
hangs on it. In both cases children that were held come with the next load.
"""

from dataclasses import replace
from typing import NamedTuple

from dispatch_to_pipedrive.migration.compare import without_nulls
from dispatch_to_pipedrive.migration.errors import WrongRecord
from dispatch_to_pipedrive.migration.ledger.approvals import signature
from dispatch_to_pipedrive.migration.resolve import entity_of
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.values import ALIVE, GONE, RELINK, KeptEdit, Link, Outcome, key_after
from dispatch_to_pipedrive.pipedrive.errors import NotFound


class Relinked(NamedTuple):
    """What a source key is connected with now; `shares_with` is the key that the record stands for as well, or ''."""

    entity: str
    source_key: str
    before: int
    now: int
    shares_with: str
    by: str


async def relink(session: Session, source_key: str, pipedrive_id: int, by: str) -> Relinked:
    """Connect a source key with a record of the account. Raises WrongRecord where that cannot be, and says why."""
    by, _ = signature(by)
    ledger, scope = session.ledger, session.scope
    entity, link = _linked(session, source_key)
    record = await _record(session, entity, pipedrive_id)
    others = [
        one
        for one in ledger.links_to(scope, entity, pipedrive_id)
        if one.state in ALIVE and one.source_key != source_key
    ]
    if link.pipedrive_id == pipedrive_id and link.state in ALIVE:
        raise WrongRecord(
            f"{source_key} is connected with {entity} {pipedrive_id} already: there is nothing to do"
        )
    if link.state in ALIVE and await _is_there(session, entity, link.pipedrive_id):
        raise WrongRecord(
            f"{source_key} is connected with {entity} {link.pipedrive_id}, which is there: merge or delete it in "
            "Pipedrive first, if the other one is to take its place"
        )
    intent = session.intent(RELINK, entity, source_key, root=link.root, generation=link.generation)
    intent = replace(intent, pipedrive_id=pipedrive_id, body={"by": by}, before={"id": link.pipedrive_id})
    (intent,), _ = ledger.record(scope, session.fence, intents=[intent])
    at = session.client.budget.server_now().isoformat(timespec="seconds")
    done = Outcome(intent, "done", 0, pipedrive_id, without_nulls(record), f"by {by}", at)
    state = GONE if others else "live"
    ledger.record(
        scope,
        session.fence,
        outcomes=[done],
        links=[link._replace(pipedrive_id=pipedrive_id, state=state, digest="")],
        release=[(entity, source_key)],
    )
    ledger.forget_edits(scope, ledger.kept_edits(scope, entity, [source_key]))
    if others:
        ledger.keep_edits(scope, [_merged(link, pipedrive_id, at)])
    return Relinked(
        entity, source_key, link.pipedrive_id, pipedrive_id, others[0].source_key if others else "", by
    )


def _linked(session: Session, source_key: str) -> tuple[str, Link]:
    try:
        entity = entity_of(source_key)
    except (KeyError, IndexError):
        raise WrongRecord(
            f"{source_key!r} is no source key: give one such as customer:41000123/organization or job:7/deal"
        ) from None
    link = session.ledger.links(session.scope, entity, [source_key]).get(source_key)
    if link is None or key_after(source_key) != source_key:
        raise WrongRecord(
            f"no record was ever made for {source_key}: see `history` for what the ledger knows"
        )
    if link.state == "retired":
        raise WrongRecord(
            f"{source_key} was retired: the source no longer asks for it, so nothing would follow"
        )
    in_doubt = [one for one in session.ledger.open_intents(session.scope.account) if one.verb != RELINK]
    if batches := [one.batch for one in in_doubt if (one.entity, one.source_key) == (entity, source_key)]:
        raise WrongRecord(
            f"nobody knows yet what became of the last write for {source_key}: load its batch {batches[0]} first"
        )
    return entity, link


async def _record(session: Session, entity: str, number: int) -> dict[str, object]:
    try:
        record = (await session.client.get(entity, number)).record  # type: ignore[arg-type]
    except NotFound:
        record = {"is_deleted": True}
    if record.get("is_deleted"):
        raise WrongRecord(
            f"there is no {entity} {number} in the account, or it was deleted: give the one that is there"
        )
    return record


async def _is_there(session: Session, entity: str, number: int) -> bool:
    try:
        record = (await session.client.get(entity, number)).record  # type: ignore[arg-type]
    except NotFound:
        return False
    return not record.get("is_deleted")


def _merged(link: Link, number: int, at: str) -> KeptEdit:
    """Said at this time; who merged them, and when, nobody knows."""
    words = f"merged into {link.entity} {number}"
    return KeptEdit(link.entity, link.source_key, number, "", GONE, "", words, "", "", "", at)
