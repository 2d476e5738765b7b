"""What is not carried, and why: one row for each source record that gives nothing to the destination."""

from collections.abc import Iterable

import pandas as pd

COLUMNS = ("feed", "id", "key", "root", "reason")
"""`key` is the id of records whose ids are no numbers (contacts, e-mails); they have no `id`."""
NOTHING = pd.DataFrame(columns=list(COLUMNS))


def left(feed: str, rows: pd.DataFrame, where: pd.Series, reason: str | pd.Series) -> pd.DataFrame:
    """The rows of a feed that are left behind, with one reason or one for each."""
    mask = where.fillna(False).to_numpy(dtype=bool)
    if not mask.any():
        return NOTHING
    found = rows.loc[mask, ["id", "root"]]
    words = reason if isinstance(reason, str) else reason[mask].astype("string")
    named = found["id"].dtype == "string"
    return found.assign(
        feed=feed,
        reason=words,
        key=found["id"] if named else None,
        id=pd.Series(pd.NA, index=found.index, dtype="Int64") if named else found["id"],
    )[list(COLUMNS)]


def same_root(rows: pd.DataFrame, ids: pd.Series, parents: pd.DataFrame) -> pd.Series:
    """Where the parent that `ids` names is there and has the same root: what a batch may depend on."""
    roots = ids.map(parents.drop_duplicates("id").set_index("id")["root"]).astype("Int64")
    return (roots == rows["root"]).fillna(False).astype(bool)


def together(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All leftovers as one frame: feed, id, key, root, reason, sorted by feed, id, key and reason."""
    filled = [part for part in parts if len(part)]
    types = {"feed": "string", "id": "Int64", "key": "string", "root": "Int64", "reason": "string"}
    if not filled:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in types.items()})
    frame = pd.concat(filled, ignore_index=True).astype(types)
    return frame.sort_values(["feed", "id", "key", "reason"], kind="stable", ignore_index=True)
