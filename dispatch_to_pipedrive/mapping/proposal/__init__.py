"""The proposal: what the maps leave open, where it could land, and how people's answer becomes part of the map.

What belongs here: slots, candidates, verdicts, the files under `proposed/` and `accepted/`. What does not: reading the
tenant or the account; both come in as values.
"""

from dispatch_to_pipedrive.mapping.proposal.accept import accept
from dispatch_to_pipedrive.mapping.proposal.catalogue import AccountField, Catalogue
from dispatch_to_pipedrive.mapping.proposal.files import CannotWriteMaps, read_proposals, write_proposals
from dispatch_to_pipedrive.mapping.proposal.propose import (
    Candidate,
    ModelUnusable,
    Proposal,
    Reranker,
    propose,
    worth_asking,
)
from dispatch_to_pipedrive.mapping.proposal.slots import Slot, open_slots

__all__ = [
    "AccountField",
    "Candidate",
    "CannotWriteMaps",
    "Catalogue",
    "ModelUnusable",
    "Proposal",
    "Reranker",
    "Slot",
    "accept",
    "open_slots",
    "propose",
    "read_proposals",
    "worth_asking",
    "write_proposals",
]
