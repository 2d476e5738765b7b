"""The winning version of every record of a feed that has a root, verbatim, as a view for whole-tenant queries."""

from __future__ import annotations

import duckdb
import pyarrow as pa
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.placement.engine import address, parquet
from dispatch_to_pipedrive.dispatch_pro.placement.index import Index

_NOTHING = """
CREATE OR REPLACE TEMP VIEW winning AS SELECT 0::BIGINT AS id, 0::BIGINT AS root, '{}' AS record WHERE false
"""
_CLUSTERED = """
SELECT p.id, p.root, c.record FROM clustered c JOIN placed p ON p.home = c.root AND p.id = c.id
"""
_IN_SEGMENTS = """
SELECT p.id, p.root, s.record
FROM stored s JOIN places x ON x.address = s.filename JOIN placed p ON p.path = x.path AND p.position = s.position
WHERE p.home IS NULL
"""


def view_winning(connection: duckdb.DuckDBPyConnection, data: UPath, index: Index, feed: str) -> None:
    """Make the view `winning`: id, root, record."""
    spans = index.files.get(feed, [])
    if not spans:
        connection.execute(_NOTHING)
        return
    placed = parquet(connection, [data / span.path for span in spans])
    placed.filter("root IS NOT NULL").create_view("placed", True)
    connection.execute(_union(connection, data, index, feed))


def _union(connection: duckdb.DuckDBPyConnection, data: UPath, index: Index, feed: str) -> str:
    """SQL for the view: records in the clustered history, and those in segments."""
    sources = []
    if clustered := index.clustered.get(feed):
        parquet(connection, [data / span.path for span in clustered]).create_view("clustered", True)
        sources.append(_CLUSTERED)
    rows = connection.execute("SELECT DISTINCT path FROM placed WHERE home IS NULL ORDER BY path").fetchall()
    if rows:
        paths = [path for (path,) in rows]
        files = [data / "raw" / path for path in paths]
        places = pa.table({"path": paths, "address": [address(file) for file in files]})
        connection.register("incoming", places)
        connection.execute("CREATE OR REPLACE TEMP TABLE places AS SELECT * FROM incoming")
        connection.unregister("incoming")
        parquet(connection, files, filename=True).create_view("stored", True)
        sources.append(_IN_SEGMENTS)
    return "CREATE OR REPLACE TEMP VIEW winning AS " + " UNION ALL ".join(sources)
