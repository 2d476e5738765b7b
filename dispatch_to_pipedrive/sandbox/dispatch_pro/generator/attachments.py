"""Which files hang on the jobs, what they are called, how large they are and what is in them."""

from dataclasses import dataclass

import numpy as np

from ..draw import Draw, count_up
from ..files import File, media_type
from ..table import Columns, Record
from ..times import DAY, HOUR, TICKS, Ints, write_many
from .catalog import author_of
from .edges import FileCase
from .jobs import JOB, Jobs

ATTACHMENT = 610_000_000
FILES = (
    "before.jpg",
    "after.jpg",
    "estimate.pdf",
    "Größe & Plan (1).png",
    "signature.png",
    "فاتورة.pdf",
    "notes.txt",
)


@dataclass(frozen=True)
class Plenty:
    """So many attachments of so many bytes each, spread evenly over the jobs, instead of those of chance."""

    count: int
    size: int


@dataclass(frozen=True)
class Attachments:
    """All first attachments by row: their jobs' rows and sizes in bytes; `by_hand` by row."""

    seed: int
    job: Ints
    size: Ints
    ordinal: Ints
    by_hand: dict[int, FileCase]

    def name(self, row: int, looks: int) -> str:
        """What the file is called; `looks` is its draw."""
        hand = self.by_hand.get(row)
        return hand.name if hand else FILES[(looks + int(self.ordinal[row])) % len(FILES)]

    def file(self, row: int, name: str) -> File:
        """The file of a row."""
        hand = self.by_hand.get(row)
        content = f"{int(self.job[row])}/{hand.content}" if hand and hand.content else str(ATTACHMENT + row)
        kind = hand.media_type if hand and hand.media_type else media_type(name)
        return File(self.seed, content, name, int(self.size[row]), kind)


def make_attachments(jobs: Jobs, plenty: Plenty | None = None) -> Attachments:
    """About 0.6 files for each job, most of 1 to 150 kB; those written by hand come after a job's others."""
    draw = Draw(jobs.seed, "attachments")
    if plenty is not None:
        rows = np.arange(plenty.count, dtype=np.int64)
        job = rows * len(jobs) // max(plenty.count, 1)
        return Attachments(jobs.seed, job, np.full(len(rows), plenty.size, dtype=np.int64), rows, {})
    every = np.arange(len(jobs), dtype=np.int64)
    chance = np.array([0, 1, 2, 4], dtype=np.int64)[draw.weighted("count", every, (66, 20, 10, 4))]
    counts = np.where(every < 2, 2, chance)
    hands = [(row, case.files) for row, case in jobs.by_hand if case.files]
    for row, files in hands:
        counts[row] += len(files)
    starts, job, ordinal = count_up(counts)
    rows = np.arange(len(job), dtype=np.int64)
    size = np.exp(6.9 + draw.unit("size", rows) * 5).astype(np.int64)
    by_hand: dict[int, FileCase] = {}
    for row, files in hands:
        last = int(starts[row] + counts[row]) - len(files)
        by_hand |= {last + at: file for at, file in enumerate(files)}
    for row, file in by_hand.items():
        size[row] = file.size
    return Attachments(jobs.seed, job, size, ordinal, by_hand)


def attachment_columns(jobs: Jobs, files: Attachments) -> Columns:
    """The vendor's attachments, in the shape known from practice: its documents give none."""
    draw = Draw(jobs.seed, "attachments")
    rows = np.arange(len(files.job), dtype=np.int64)
    created = np.minimum(jobs.created[files.job] + draw.below("after", rows, 9 * DAY), jobs.now - HOUR)
    created = created // TICKS * TICKS

    def render(wanted: Ints) -> list[Record]:
        columns = zip(
            wanted.tolist(),
            files.job[wanted].tolist(),
            draw.below("file", wanted, 1 << 16).tolist(),
            write_many(created[wanted]),
            strict=True,
        )
        return [
            {
                "id": ATTACHMENT + row,
                "fileName": files.name(row, looks),
                "createdById": author_of(looks),
                "createdOn": at,
                "jobId": JOB + job,
            }
            for row, job, looks, at in columns
        ]

    active = np.ones(len(rows), dtype=np.bool_)
    keys = {"jobId": JOB + files.job}
    return Columns(ATTACHMENT + rows, created, created.copy(), active, render, keys)
