"""Records dealt out by ranges of roots come back in one order, whatever the size of a range."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.placement.dealing import records_by_root

ROWS = 500


@pytest.mark.parametrize("most", [1, 7, 100, ROWS, 10 * ROWS])
def test_records_come_in_the_order_of_root_and_id_and_none_is_lost(tmp_path: Path, most: int) -> None:
    (tmp_path / ".spill").mkdir()
    roots = [None if n % 11 == 0 else (n * 37) % 60 for n in range(ROWS)]  # some wait for their parent
    roots[3:40] = [5] * 37  # a root with more rows than most ranges
    numbers = pa.array(range(ROWS), pa.int64())
    connection = duckdb.connect()
    connection.register("stored", pa.table({"position": numbers, "record": [f"r{n}" for n in range(ROWS)]}))
    connection.execute("CREATE TABLE held AS SELECT 0 AS segment, * FROM stored")
    connection.unregister("stored")
    connection.execute("CREATE VIEW stored AS SELECT * FROM held ORDER BY hash(position)")
    rooted = pa.table({"root": pa.array(roots, pa.int64()), "id": numbers, "position": numbers})
    connection.register("incoming", rooted)
    connection.execute("CREATE TABLE rooted AS SELECT 0 AS segment, * FROM incoming")

    found = pa.Table.from_batches(list(records_by_root(connection, UPath(tmp_path), rows=most, batch=13)))

    expected = sorted((root, n, f"r{n}") for n, root in enumerate(roots) if root is not None)
    assert [tuple(row.values()) for row in found.to_pylist()] == expected
    assert list((tmp_path / ".spill").iterdir()) == []


def test_nothing_to_deal_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / ".spill").mkdir()
    connection = duckdb.connect()
    connection.execute("CREATE TABLE stored (segment INT, position BIGINT, record VARCHAR)")
    connection.execute("CREATE TABLE rooted (root BIGINT, id BIGINT, segment INT, position BIGINT)")
    assert list(records_by_root(connection, UPath(tmp_path))) == []
