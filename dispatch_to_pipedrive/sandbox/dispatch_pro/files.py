"""What is in an attachment: bytes made from the seed and the attachment's id, with the right first bytes."""

import random

_MAGIC = {
    "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "png": b"\x89PNG\r\n\x1a\n",
    "pdf": b"%PDF-1.7\n",
    "txt": b"Notes\n",
}
TYPES = {"jpg": "image/jpeg", "png": "image/png", "pdf": "application/pdf", "txt": "text/plain"}


def file_bytes(seed: int, attachment_id: int, name: str, size: int) -> bytes:
    """Always the same `size` bytes for the same attachment."""
    head = _MAGIC.get(_suffix(name), b"")[:size]
    return head + random.Random(f"{seed}/{attachment_id}").randbytes(size - len(head))  # noqa: S311 (test data)


def media_type(name: str) -> str:
    """The type a browser would be told."""
    return TYPES.get(_suffix(name), "application/octet-stream")


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].lower()
