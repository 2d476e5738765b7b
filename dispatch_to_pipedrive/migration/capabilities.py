"""What can this account do that the vendor's documents leave open?

No test record is ever made: the first real record that needs an unsure capability is its probe, sent alone. What the
account answers is recorded, and the same record is sent without it if it refuses.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dispatch_to_pipedrive.migration.compare import without_nulls
from dispatch_to_pipedrive.migration.errors import RunStopped
from dispatch_to_pipedrive.migration.resolve import Wanted
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle import settle
from dispatch_to_pipedrive.migration.values import Body
from dispatch_to_pipedrive.migration.window import Draft, Sent, cause_of, send_all
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

log = logging.getLogger(__name__)

FIELDS: Mapping[str, frozenset[str]] = {
    "deal_add_time": frozenset({"add_time"}),
    "close_times_with_status": frozenset({"won_time", "lost_time", "close_time"}),
    "note_author": frozenset({"user_id"}),
}
"""Capability → the fields that need it. Without it they are left out; but closing times follow in a request of their
own, when the status is set already."""
ENTITY: Mapping[str, str] = {
    "deal_add_time": "deals",
    "close_times_with_status": "deals",
    "note_author": "notes",
}
"""Capability → the entity whose fields need it."""
_OF_STATE = FIELDS["close_times_with_status"] | {"lost_reason"}
_CANDIDATES = 5
"""So many refused for different causes, with and without a capability, and the fault is the run's."""


def not_taken(granted: Mapping[str, bool], entity: str) -> frozenset[str]:
    """The fields of an entity that an account which shows these capabilities does not take at all."""
    lacking = [name for name in ("deal_add_time", "note_author") if not granted.get(name)]
    return frozenset().union(*(FIELDS[name] for name in lacking if ENTITY[name] == entity))


@dataclass(frozen=True)
class Capabilities:
    """What is known of one account; a name that is absent is not known yet."""

    known: Mapping[str, bool]

    def unproven(self, entity: str, body: Body) -> list[str]:
        """Capabilities that a create of this body would need and nobody knows."""
        return [
            name
            for name, fields in FIELDS.items()
            if ENTITY[name] == entity and name not in self.known and fields & body.keys()
        ]

    def split(self, entity: str, body: Body) -> tuple[Body, Body]:
        """What may be sent now, and what has to follow in a second request."""
        if entity == "notes" and not self.known.get("note_author", False):
            return {k: v for k, v in body.items() if k not in FIELDS["note_author"]}, {}
        if entity != "deals":
            return body, {}
        # What belongs to a state goes with the state: the vendor clears it, and takes no null for a time.
        now, later = {k: v for k, v in body.items() if v is not None or k not in _OF_STATE}, {}
        if not self.known.get("deal_add_time", False):
            now.pop("add_time", None)
        if "status" in body and not self.known.get("close_times_with_status", False):
            for name in FIELDS["close_times_with_status"] & body.keys():
                if name in now:
                    later[name] = now.pop(name)
        return now, later

    def having(self, name: str, granted: bool) -> "Capabilities":
        """The same, and one more known."""
        return Capabilities({**self.known, name: granted})


async def probe(
    session: Session,
    schema: AccountSchema,
    wanted: Sequence[Wanted],
    generation: int,
    capabilities: Capabilities,
) -> tuple[Capabilities, int]:
    """Learn every capability that these creates would need, each from one real record; and how many were made.

    Where each of them is refused for a reason of its own, nothing is learned; they go without it, to be refused alone.
    """
    made = 0
    for name in FIELDS:
        users = [w for w in wanted if name in capabilities.unproven(w.entity, without_nulls(w.body))]
        keys = [w.source_key for w in users]
        # What another probe has just made is no create any more.
        links = session.ledger.links(session.scope, ENTITY[name], keys)
        users = [w for w in users if w.source_key not in links or links[w.source_key].state == "retired"]
        if users:
            granted = await _probe_one(session, schema, users, generation, capabilities, name)
            if granted is not None:
                session.ledger.record(session.scope, session.fence, capabilities={name: granted})
                log.info("this account %s %s", "grants" if granted else "refuses", name)
                made += 1
            capabilities = capabilities.having(name, bool(granted))
    return capabilities, made


async def _probe_one(
    session: Session,
    schema: AccountSchema,
    users: Sequence[Wanted],
    generation: int,
    known: Capabilities,
    name: str,
) -> bool | None:
    causes: set[object] = set()
    for want in users:
        for granted in (True, False):
            body, _ = known.having(name, granted).split(want.entity, without_nulls(want.body))
            sent, made = await _send_alone(session, schema, want, generation, body)
            if made:
                return granted
        for draft, words in sent.rejected:
            causes.add(cause_of(draft.intent, words))
            if len(causes) >= _CANDIDATES:
                raise RunStopped(
                    f"Pipedrive refuses the first {ENTITY[name]} with and without {name}: {words}"
                )
    return None


async def _send_alone(
    session: Session, schema: AccountSchema, want: Wanted, generation: int, body: Body
) -> tuple[Sent, bool]:
    """Send one create until its outcome is known; whether it was made."""
    while True:
        intent = session.intent("create", want.entity, want.source_key, root=want.root, generation=generation)
        sent = await send_all(session, [Draft(replace(intent, body=body), "")])
        if not sent.in_doubt:
            return sent, bool(sent.done)
        settled = await settle(session, schema, sent.in_doubt)
        if settled.linked:
            return sent, True
