"""What is written, filed and said while the tenant runs: notes, attachments and calls."""

from hashlib import blake2b
from typing import Any

from .files import File, media_type
from .generator.catalog import USER_OF_OFFICE
from .generator.texts import finished
from .hand import SINGULAR, ChangeError, Hand
from .table import Record
from .times import write_ticks


def add_note(
    hand: Hand, entity: str, id: Any, text: str, pinned: bool = False, images: int = 0, author: Any = None
) -> Record:
    """A note on a customer, a location or a job; `{storage}` in its text is the storage's address.

    `images` adds that many pictures of its own; `author` is a user's id.
    """
    singular = SINGULAR.get(entity, entity).removesuffix("s")
    notes = hand.table(f"{singular}_notes")
    for at in range(int(images)):
        key = blake2b(f"{singular}/{notes.next_id()}/{at}".encode(), digest_size=8).hexdigest()
        text += f'<p><img src="{hand.tenant.storage}/images/{key}/photo%20{at + 1}.jpg"></p>'
    fields = {"text": finished(text, hand.tenant.storage), "isPinned": pinned, f"{singular}Id": int(id)}
    if author is not None:
        fields["createdById"] = int(author)
    return hand.add(f"{singular}_notes", fields)


def delete_note(hand: Hand, entity: str, id: Any) -> Record:
    """Delete a note: one of a job becomes inactive, others vanish without a trace."""
    singular = SINGULAR.get(entity, entity).removesuffix("s")
    if singular == "job":
        return hand.change("job_notes", id, {"active": False})
    return _vanish(hand, f"{singular}_notes", id)


def add_attachment(
    hand: Hand, job: Any, name: str, size: int, content: str | None = None, type: str | None = None
) -> Record:
    """A file of `size` bytes on a job; files of one `content` and size have the same bytes."""
    made = hand.put(
        "job_attachments",
        {
            "id": hand.table("job_attachments").new_id(),
            "fileName": name,
            "createdById": USER_OF_OFFICE,
            "createdOn": write_ticks(hand.now()),
            "jobId": hand.get("jobs", job)["id"],
        },
    )
    what = content if content is not None else str(made["id"])
    kind = type or media_type(name)
    hand.tenant.files[made["id"]] = File(hand.tenant.seed, what, name, int(size), kind)
    return made


def delete_attachment(hand: Hand, id: Any) -> Record:
    """Delete a file: its job no longer lists it, nothing else tells."""
    return _vanish(hand, "job_attachments", id)


def add_call(
    hand: Hand,
    job: Any = None,
    customer: Any = None,
    minutes: float = 3,
    direction: str = "Inbound",
    fields: Record | None = None,
) -> Record:
    """A call that ended now: about a job (and its customer), of a customer, or of nobody we know."""
    of_job = hand.get("jobs", job) if job is not None else None
    owner = of_job["customerId"] if of_job else customer
    caller = hand.get("customers", owner) if owner is not None else None
    seconds = round(float(minutes) * 60)
    return hand.add(
        "calls",
        {
            "duration": f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}",
            "direction": direction,
            "status": "Completed",
            "type": None if direction == "Outbound" else ("Booked" if of_job else "Unbooked"),
            "job": {"id": of_job["id"], "number": of_job["jobNumber"]} if of_job else None,
            "customer": {"id": caller["id"], "name": caller["name"]} if caller else None,
            "location": None,
            "reason": None,
            "lead": None,
            "createdOn": write_ticks(hand.now() - seconds * 10_000_000),
            **(fields or {}),
        },
    )


def _vanish(hand: Hand, feed: str, record_id: Any) -> Record:
    record = hand.get(feed, record_id)
    if not hand.table(feed).remove(record["id"]):
        raise ChangeError(f"{feed} has no record {record_id}")
    return record
