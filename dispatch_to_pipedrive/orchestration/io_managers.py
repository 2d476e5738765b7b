"""How frames rest between assets: one Parquet file a partition, in a folder or an object store."""

from contextlib import closing
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.store import write_whole
from dispatch_to_pipedrive.orchestration.homes import OF_THE_ACCOUNT, apart
from dispatch_to_pipedrive.orchestration.resources import open_ledger
from dispatch_to_pipedrive.settings import load_settings

_PLAIN = {
    pa.int64(): pd.Int64Dtype(),
    pa.string(): pd.StringDtype(),
    pa.large_string(): pd.StringDtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.float64(): pd.Float64Dtype(),
}


def column_schema(frame: pd.DataFrame) -> dg.TableSchema:
    """The frame's columns as Dagster's catalogue shows them."""
    return dg.TableSchema(
        columns=[dg.TableColumn(str(name), str(dtype)) for name, dtype in frame.dtypes.items()]
    )


def to_parquet(frame: pd.DataFrame) -> bytes:
    """A frame as Parquet."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink, compression="zstd")
    return bytes(sink.getvalue())


def from_parquet(content: bytes) -> pd.DataFrame:
    """The frame again, with nullable types; what pandas has no type of its own for stays Arrow's."""
    table = pq.read_table(pa.BufferReader(content))
    frame: pd.DataFrame = table.to_pandas(
        ignore_metadata=True, types_mapper=lambda kind: _PLAIN.get(kind, pd.ArrowDtype(kind))
    )
    return frame


class ParquetIOManager(dg.UPathIOManager):
    """Frames by asset key and partition."""

    extension = ".parquet"

    def get_asset_relative_path(self, context: dg.InputContext | dg.OutputContext) -> UPath:
        """Where an asset's frames lie below the base path: those that tell of a further account lie apart."""
        path = super().get_asset_relative_path(context)
        if context.asset_key.path[0] not in OF_THE_ACCOUNT:
            return path
        with closing(open_ledger(load_settings())) as ledger:
            return UPath(*apart(ledger), path)

    def dump_to_path(self, context: dg.OutputContext, obj: pd.DataFrame, path: UPath) -> None:
        """Write the file whole or not at all."""
        write_whole(path, to_parquet(obj))

    def load_from_path(self, context: dg.InputContext, path: UPath) -> pd.DataFrame:
        """Read it."""
        return from_parquet(path.read_bytes())

    def get_metadata(self, context: dg.OutputContext, obj: pd.DataFrame) -> dict[str, Any]:
        """Row count and columns, for the catalogue."""
        return {"dagster/row_count": len(obj), "dagster/column_schema": column_schema(obj)}


@dg.io_manager
def frames(_context: dg.InitResourceContext) -> ParquetIOManager:
    """Frames under the data folder."""
    return ParquetIOManager(base_path=UPath(load_settings().data) / "frames")
