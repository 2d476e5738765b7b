"""What does the account hold? All records, listed once, kept as Parquet so that every batch can be read from it.

Of a few records among very many an excerpt costs less: these alone, by their ids, in the same form.

Memory stays that of a few pages: a listing is written page by page, in the order of ids, and read by ranges of ids.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from dispatch_to_pipedrive.migration.compare import without_nulls
from dispatch_to_pipedrive.migration.conflicts import current_record
from dispatch_to_pipedrive.migration.session import Session
from dispatch_to_pipedrive.migration.settle import DEAL_STATUSES
from dispatch_to_pipedrive.migration.stamps import stamp_of
from dispatch_to_pipedrive.migration.values import ENTITIES
from dispatch_to_pipedrive.pipedrive.client import page_of
from dispatch_to_pipedrive.pipedrive.prices import price
from dispatch_to_pipedrive.pipedrive.schema import AccountSchema

_COLUMNS = pa.schema(
    [("id", pa.int64()), ("stamp", pa.string()), ("deleted", pa.bool_()), ("record", pa.string())]
)
_BY_IDS = 100
"""Records that one request names."""
_SINGLY = ("files", "notes")
"""Entities whose lists take no ids."""
_ROWS = 4_000
"""Rows a row group: a batch reads those whose range of ids it meets."""


@dataclass(frozen=True)
class Listing:
    """One listing of the account: a Parquet file an entity."""

    folder: Path

    def records(self, entity: str, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Id → record, for those of the ids that were listed and not deleted."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        within = (ds.field("id") >= wanted[0]) & (ds.field("id") <= wanted[-1]) & ~ds.field("deleted")
        chosen = set(wanted)
        found: dict[int, dict[str, Any]] = {}
        for batch in self._dataset(entity).to_batches(
            columns=["id", "record"], filter=within, batch_size=_ROWS
        ):
            for number, text in zip(batch["id"].to_pylist(), batch["record"], strict=True):
                if number in chosen:
                    found[number] = orjson.loads(text.as_py())
        return found

    def each(self, entity: str) -> Iterator[list[tuple[int, dict[str, Any]]]]:
        """Groups of (id, record) of all that are not deleted."""
        for batch in self._dataset(entity).to_batches(
            columns=["id", "record"], filter=~ds.field("deleted"), batch_size=_ROWS
        ):
            texts = batch["record"].to_pylist()
            yield [
                (number, orjson.loads(text))
                for number, text in zip(batch["id"].to_pylist(), texts, strict=True)
            ]

    def deleted(self, entity: str, ids: Iterable[int]) -> set[int]:
        """Those of the ids that were listed as deleted."""
        gone = self._dataset(entity).to_table(columns=["id"], filter=ds.field("deleted"))["id"].to_pylist()
        return set(gone) & set(ids)

    def stamps(self, entity: str) -> Iterator[list[tuple[int, str]]]:
        """Groups of (id, source key) of the records that bear a stamp and are not deleted."""
        bearing = ~ds.field("deleted") & ds.field("stamp").is_valid()
        for batch in self._dataset(entity).to_batches(
            columns=["id", "stamp"], filter=bearing, batch_size=_ROWS
        ):
            yield list(zip(batch["id"].to_pylist(), batch["stamp"].to_pylist(), strict=True))

    def bearing(self, entity: str, stamp: str) -> list[int]:
        """Ids of the records that bear a stamp and are not deleted."""
        chosen = (ds.field("stamp") == stamp) & ~ds.field("deleted")
        found: list[int] = self._dataset(entity).to_table(columns=["id"], filter=chosen)["id"].to_pylist()
        return sorted(found)

    def _dataset(self, entity: str) -> ds.Dataset:
        return ds.dataset(self.folder / f"{entity}.parquet", format="parquet")


async def take_listing(session: Session, schema: AccountSchema, folder: Path) -> Listing:
    """List every record of the account once (500 a page, files 100) into the folder.

    Of notes and files nothing is listed as long as nothing was ever written: none of them could be ours.
    """
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  (local, and once)
    written = session.ledger.written_entities(session.scope.account)
    for entity in ENTITIES:
        with _writing(folder, entity) as writer:
            rows: list[tuple[int, str | None, bool, bytes]] = []
            status = DEAL_STATUSES if entity == "deals" else None
            lists = (False, True) if entity == "deals" else (False,)
            for archived in () if entity in ("files", "notes") and entity not in written else lists:
                pages = session.client.list(
                    entity,  # type: ignore[arg-type]
                    status=None if archived else status,
                    archived=archived,
                )
                async for page in pages:
                    rows.extend(_row(schema, entity, record) for record in page.records)
                    if len(rows) >= _ROWS:
                        _write(writer, rows)
                        rows = []
            _write(writer, rows)
    return Listing(folder)


async def take_excerpt(
    session: Session, schema: AccountSchema, folder: Path, ids: Mapping[str, Collection[int]]
) -> Listing:
    """Read these records (entity → ids) alone into the folder, and nothing of what else the account holds."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  (local, and once)
    for entity in ENTITIES:
        records = await _read_by_ids(session, entity, sorted(set(ids.get(entity, ()))))
        with _writing(folder, entity) as writer:
            _write(writer, [_row(schema, entity, record) for record in records])
    return Listing(folder)


def excerpt_tokens(ids: Mapping[str, Collection[int]]) -> int:
    """What an excerpt costs, if its records are there."""
    return sum(
        len(numbers) * price("read", entity)
        if entity in _SINGLY
        else -(-len(numbers) // _BY_IDS) * price("list", entity)
        for entity, numbers in ids.items()
    )


def listing_tokens(session: Session) -> int:
    """What a whole listing costs at least: that of our own records."""
    counts = dict.fromkeys(ENTITIES, 0)
    for (entity, _), count in session.ledger.link_counts(session.scope).items():
        counts[entity] += count
    return sum((1 + count // page_of(entity)) * price("list", entity) for entity, count in counts.items())


async def _read_by_ids(session: Session, entity: str, ids: Sequence[int]) -> list[dict[str, Any]]:
    """The records as they are now; what a list leaves out (an archived deal, a deleted record) is asked for itself."""
    found: dict[int, dict[str, Any]] = {}
    if entity not in _SINGLY:
        for start in range(0, len(ids), _BY_IDS):
            async for page in session.client.list(entity, ids=ids[start : start + _BY_IDS]):  # type: ignore[arg-type]
                found.update({int(record["id"]): record for record in page.records})
    others = [number for number in ids if number not in found]
    for start in range(0, len(others), _BY_IDS):
        chunk = others[start : start + _BY_IDS]
        records = await asyncio.gather(*(current_record(session, entity, number) for number in chunk))
        found.update({int(record["id"]): record for record in records if record is not None})
    return [found[number] for number in sorted(found)]


@contextmanager
def _writing(folder: Path, entity: str) -> Iterator[pq.ParquetWriter]:
    """The file of an entity; it gets its name when it is whole."""
    target = folder / f"{entity}.parquet"
    unfinished = target.with_suffix(".tmp")
    with pq.ParquetWriter(unfinished, _COLUMNS, compression="zstd") as writer:
        yield writer
    unfinished.rename(target)


def _row(schema: AccountSchema, entity: str, record: dict[str, Any]) -> tuple[int, str | None, bool, bytes]:
    deleted = bool(record.get("is_deleted")) or record.get("status") == "deleted"
    return int(record["id"]), stamp_of(schema, entity, record), deleted, orjson.dumps(without_nulls(record))


def _write(writer: pq.ParquetWriter, rows: list[tuple[int, str | None, bool, bytes]]) -> None:
    if rows:
        ids, stamps, deleted, records = zip(*rows, strict=True)
        texts = pa.array([r.decode() for r in records], pa.string())
        writer.write_table(
            pa.table(
                [pa.array(ids), pa.array(stamps, pa.string()), pa.array(deleted), texts], schema=_COLUMNS
            )
        )
