"""Which records hang together with what batches wrote, and what of their operations is in force?"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.undo.history import History, in_force
from dispatch_to_pipedrive.migration.undo.reach import Key
from dispatch_to_pipedrive.migration.values import ALIVE, ENTITIES, Link, key_before


@dataclass(frozen=True)
class Histories:
    """The records of some roots, and those of them that take the place of their successor again."""

    by_key: Mapping[Key, History]
    put_back: Mapping[str, Link]
    """Source key under which a replaced record stayed known → the link that it has again."""
    roots: set[int]


def histories_of(session: Session, batches: Collection[str], roots: Iterable[int]) -> Histories:
    """All that hangs together with what the batches wrote of these roots, as the ledger has it."""
    ledger, scope = session.ledger, session.scope
    known: set[int] = set()
    fresh = set(roots)
    links: dict[Key, Link] = {}
    found: dict[Key, History] = {}
    put_back: dict[str, Link] = {}
    while fresh:
        known |= fresh
        written = ledger.keys_of_batches(scope.account, batches, fresh)
        more: set[int] = set()
        for entity in ENTITIES:
            of_roots = ledger.links_of_roots(scope, entity, fresh)
            others = {key for of, key in written if of == entity and key not in of_roots}
            new = {**of_roots, **ledger.links(scope, entity, others)}
            links |= {(entity, key): link for key, link in new.items()}
            left = in_force(ledger.carried_out(scope.account, entity, new))
            for key, link in new.items():
                ops = left.operations.get(key, [])
                found[entity, key] = History(link, ops, left.now.get(key))
                more |= {link.root, *(one.op.root for one in ops)}
            for key, number in left.put_back.items():
                old = links.get((entity, key_before(key, number)))
                successor = links.get((entity, key))
                done = left.operations.get(key)
                if old and done and old.state in ALIVE and successor and successor.state == "retired":
                    generation = done[-1].op.generation
                    put_back[old.source_key] = old._replace(source_key=key, generation=generation, digest="")
        fresh = more - known
    return Histories(found, put_back, known)
