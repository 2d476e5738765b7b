"""What the diff tells of files and notes: where they hang, how large they are, what they say, whose they are."""

from typing import Any

import pandas as pd
import pytest

from dispatch_to_pipedrive.mapping import RenderOptions, apply
from dispatch_to_pipedrive.mapping.model import EntityMap, Maps
from dispatch_to_pipedrive.migration.diff import Sides, field_diff
from dispatch_to_pipedrive.migration.resolve import Owners
from dispatch_to_pipedrive.migration.values import Link
from dispatch_to_pipedrive.migration.verify import Difference
from dispatch_to_pipedrive.reports.attached import file_lines, note_lines
from dispatch_to_pipedrive_tests.migration.test_diff import SCHEMA

VERDICTS = ("missing", "wrong", "equal")
FIELDS: dict[str, dict[str, Any]] = {
    "deals": {"title": {"type": "text", "from": "job_number"}},
    "files": {
        "name": {"type": "text", "from": "name"},
        "content": {"type": "content", "from": "source"},
        "deal_id": {"type": "reference", "to": "deals", "from": "deal_key"},
        "visible_to": {"type": "visibility", "transform": "constant", "args": {"value": "everyone"}},
    },
    "notes": {
        "content": {"type": "hosted_html", "from": "content"},
        "deal_id": {"type": "reference", "to": "deals", "from": "deal_key"},
        "user_id": {"type": "author", "from": "author_email"},
        "pinned_to_deal_flag": {"type": "boolean", "from": "pinned", "value_map": {"yes": True, "no": False}},
    },
}
MAPS = Maps({entity: EntityMap(entity=entity, fields=fields) for entity, fields in FIELDS.items()})  # type: ignore[arg-type]
SOURCE = {
    "deals": pd.DataFrame({"source_key": ["job:1/deal"], "root": [1], "job_number": ["#1"]}),
    "files": pd.DataFrame(
        {
            "source_key": ["attachment:7/file", "job_note:8/image-0123456789ab", "attachment:9/file"],
            "root": [1, 1, 1],
            "name": ["before.jpg", "image.png", "after.jpg"],
            "source": ["attachment:7", "data:image/png;base64," + "A" * 900, "attachment:9"],
            "deal_key": ["job:1/deal", "job:1/deal", "job:1/deal"],
        }
    ),
    "notes": pd.DataFrame(
        {
            "source_key": ["job_note:8/note"],
            "root": [1],
            "content": [
                '<p>Look: <a href="file:job_note:8/image-0123456789ab">image.png</a></p><p>[stamp]</p>'
            ],
            "deal_key": ["job:1/deal"],
            "author_email": ["tess@x.example"],
            "pinned": ["yes"],
        }
    ),
}
LINKS = {
    "deals": {"job:1/deal": 201},
    "files": {"attachment:7/file": 301, "job_note:8/image-0123456789ab": 302, "attachment:9/file": 303},
    "notes": {"job_note:8/note": 401},
}
RECORDS = {
    "deals": {201: {"id": 201, "title": "#1"}},
    "files": {
        301: {"id": 301, "name": "before.jpg", "size": 1_234, "deal_id": 201, "visible_to": 7},
        303: {"id": 303, "name": "after.jpg", "size": 1_234, "deal_id": 201, "visible_to": 7},
    },
    "notes": {
        401: {
            "id": 401,
            "content": '<p>Look: <a href="https://c.pipedrive.com/v1/files/302/download">image.png</a></p><p>[stamp]</p>',
            "deal_id": 201,
            "user_id": 11,
            "pinned_to_deal_flag": True,
        }
    },
}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    sides = Sides(
        maps=MAPS,
        source=SOURCE,
        mapped={entity: apply(MAPS[entity], SOURCE[entity], RenderOptions("USD")) for entity in MAPS},
        links={
            entity: {key: Link(entity, key, number, "live", 1, 1, "") for key, number in links.items()}
            for entity, links in LINKS.items()
        },
        records=RECORDS,
        schema=SCHEMA,
        owners=Owners({"tess@x.example": 11}, fallback=12),
        users={11: "tess@x.example"},
        generation=1,
        sent={
            "attachment:7/file": {"size": 1_234, "sha256": "ab" * 32},
            "attachment:9/file": {"size": 1_234, "sha256": "ab" * 32},
        },
        plan="premium",
    )
    gone = Difference("files", "job_note:8/image-0123456789ab", 302, "", "", "", "missing")
    other = Difference("files", "attachment:9/file", 303, "sha-256", "ab", "cd", "wrong")
    return field_diff(sides, [gone, other])


@pytest.mark.promise("R081", "R023")
def test_a_file_is_told_by_its_name_parent_size_and_hash(rows: pd.DataFrame) -> None:
    lost, other, moved = file_lines(rows, VERDICTS)
    assert moved == {
        "source_key": "attachment:7/file",
        "name": "before.jpg",
        "parent": "#1 (job:1/deal)",
        "meant": f"1,234 bytes, sha256 {'ab' * 32}",
        "found": "1,234 bytes",
        "verdict": "equal",
    }
    assert (lost["verdict"], lost["found"]) == ("missing", "")
    assert (other["verdict"], other["name"]) == ("wrong", "after.jpg")
    sources = rows.loc[rows["field"] == "content", "source_value"].tolist()
    assert sources[:2] == ["attachment:7", "data:image/png;base64,…"]
    seen = rows[(rows["field"] == "visible_to") & (rows["verdict"] == "equal")]
    assert seen[["mapped", "read_back"]].to_numpy().tolist() == [["everyone", "everyone"]] * 2


@pytest.mark.promise("R081", "R056")
def test_a_note_is_told_as_text_with_its_author(rows: pd.DataFrame) -> None:
    (note,) = note_lines(rows, VERDICTS)
    assert note["meant"] == note["found"] == "Look: image.png\n[stamp]"
    assert note["author"] == "tess@x.example"
    assert (note["parent"], note["pinned"]) == ("#1 (job:1/deal)", "pinned to the deal")
