"""What do a diff's rows tell of each file and each note? One line a record: where it hangs and what it holds."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

_PARENTS = ("deal_id", "org_id", "person_id")
_PINNED = "pinned_to_{}_flag"
_YES = "yes"


class Cells(dict[tuple[str, str], str]):
    """(field, column) → text of one record; what it lacks is empty."""

    def __missing__(self, key: tuple[str, str]) -> str:
        return ""


def file_lines(rows: pd.DataFrame, verdicts: Sequence[str]) -> list[dict[str, str]]:
    """name, parent, meant and found (size and hash), source_key, verdict of each file; differences first."""
    return _lines(rows, "files", verdicts, lambda cells: {"name": cells["name", "mapped"]})


def note_lines(rows: pd.DataFrame, verdicts: Sequence[str]) -> list[dict[str, str]]:
    """parent, meant and found (its text), written, author, pinned, source_key, verdict of each note."""
    return _lines(rows, "notes", verdicts, _about_note)


def _about_note(cells: Cells) -> dict[str, str]:
    pinned = [
        kind for kind in ("deal", "organization", "person") if cells[_PINNED.format(kind), "mapped"] == _YES
    ]
    return {
        "written": cells["add_time", "mapped"],
        "author": cells["user_id", "mapped"],
        "pinned": f"pinned to the {pinned[0]}" if pinned else "",
    }


def _lines(
    rows: pd.DataFrame, entity: str, verdicts: Sequence[str], about: Callable[[Cells], dict[str, str]]
) -> list[dict[str, str]]:
    mine = rows[rows["entity"] == entity]
    rank: Mapping[str, int] = {name: place for place, name in enumerate(verdicts)}
    found = []
    for key, group in mine.groupby("source_key", sort=False):
        columns = [group[name].tolist() for name in ("field", "mapped", "read_back", "verdict")]
        cells = Cells()
        for field, mapped, read_back, _ in zip(*columns, strict=True):
            cells[field, "mapped"], cells[field, "read_back"] = mapped, read_back
        found.append(
            {
                "source_key": str(key),
                "parent": next((cells[name, "mapped"] for name in _PARENTS if cells[name, "mapped"]), ""),
                "meant": cells["content", "mapped"],
                "found": cells["content", "read_back"],
                "verdict": min(columns[3], key=lambda verdict: rank.get(verdict, len(rank))),
                **about(cells),
            }
        )
    return sorted(found, key=lambda line: rank.get(line["verdict"], len(rank)))
