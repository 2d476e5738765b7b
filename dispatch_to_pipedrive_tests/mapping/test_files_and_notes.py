import unicodedata
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_to_pipedrive.mapping import Applied, EntityMap, RenderOptions, applied, load_maps
from dispatch_to_pipedrive.mapping.apply import RENAMED
from dispatch_to_pipedrive.mapping.names import LONGEST_NAME, file_name
from dispatch_to_pipedrive.mapping.transforms import NOTE_BYTES
from dispatch_to_pipedrive_tests.mapping.test_load import MAPPINGS
from dispatch_to_pipedrive_tests.normalize.source import CREATED, Source

MAPS = load_maps(MAPPINGS)
USD = RenderOptions("USD")
MAIL = "0123456789abcdef"


@pytest.fixture(scope="module")
def mapped() -> dict[str, Applied]:
    """A tenant with a note, a file, a visit, a call and an e-mail, through the project's maps."""
    source = Source()
    source.customer(1, "Acme", "Commercial")
    source.location(10, 1, "Store 1")
    source.named("job_types", 1, "No Cooling")
    source.job(500, 1, 10)
    source.visit(600, 500, "Done")
    source.add("employees", 5, userId=301, name="Carla King", email="carla@example.com")
    photo = '<p>See</p><img src="https://go.servicetitan.com/images/pump.jpg">'
    source.note("job_notes", 530, 500, photo, isPinned=True)
    source.note("location_notes", 531, 10, "Ring twice", createdById=9)
    source.attachment(610, 500, "../=cmd()\u202e.jpg", 10)
    source.call(620, 1, 500, agent={"id": 1, "name": "Front desk"}, duration="00:03:20")
    source.call(621, 1, direction=None, duration=None, **{"to": None})
    source.email(MAIL, 1, 500, subject="", body="<p>Hi</p>")
    frames = source.normalize()
    return {entity: applied(MAPS[entity], getattr(frames, entity), USD) for entity in MAPS}


def record(mapped: dict[str, Applied], entity: str, key: str) -> dict[str, Any]:
    frame = mapped[entity].frame
    [found] = frame[frame["source_key"] == key].to_dict("records")
    return {str(name): value for name, value in found.items()}


@pytest.mark.promise("R023", "R028", "R056")
def test_a_note_on_a_deal(mapped: dict[str, Applied]) -> None:
    note = record(mapped, "notes", "job_note:530/note")
    (image,) = [key for key in mapped["files"].frame["source_key"] if key.startswith("job_note:530/")]
    assert note == {
        "source_key": "job_note:530/note",
        "root": 1,
        "content": f'<p>See</p><p><a href="file:{image}">pump.jpg</a></p><br>Written by Carla King, {CREATED}'
        "<br>[Dispatch Pro job note 530]",
        "deal_id": "job:500/deal",
        "person_id": None,
        "org_id": None,
        "add_time": "2025-10-24T14:59:42Z",
        "user_id": "carla@example.com",
        "pinned_to_deal_flag": True,
        "pinned_to_person_flag": False,
        "pinned_to_organization_flag": False,
    }


@pytest.mark.promise("R023")
def test_a_note_of_a_location_says_which_and_leaves_out_who_is_unknown(mapped: dict[str, Applied]) -> None:
    note = record(mapped, "notes", "location_note:531/note")
    assert note["content"].split("<br>") == [
        "Ring twice",
        "Location: Store 1, 123 Main St, Phoenix, AZ 85001, USA",
        "[Dispatch Pro location note 531]",
    ]
    assert (note["org_id"], note["user_id"]) == ("customer:1/organization", None)


@pytest.mark.promise("R023", "R054")
def test_a_file_and_its_name(mapped: dict[str, Applied]) -> None:
    file = record(mapped, "files", "attachment:610/file")
    assert (file["name"], file["content"]) == (".._=cmd()_.jpg", "attachment:610")
    assert (file["deal_id"], file["person_id"], file["org_id"]) == ("job:500/deal", None, None)
    problems = mapped["files"].problems[["source_key", "field", "problem", "value"]]
    assert problems.to_numpy().tolist() == [["attachment:610/file", "name", RENAMED, "../=cmd()\u202e.jpg"]]


@pytest.mark.promise("R022", "R031")
def test_a_call_is_an_activity_of_its_type(mapped: dict[str, Applied]) -> None:
    call = record(mapped, "activities", "call:620/activity")
    assert (call["type"], call["subject"], call["done"]) == ("call", "Inbound call — Acme", True)
    assert (call["due_date"], call["due_time"], call["duration"]) == ("2025-10-24", "14:59", "00:03")
    assert call["note"].split("<br>") == [
        "Inbound call from 555-0101 to 555-0900",
        f"Inbound call, {CREATED} to 2025-10-24T15:03:02.10313Z",
        "Agent: Front desk",
        "[Dispatch Pro call 620]",
    ]
    other = record(mapped, "activities", "call:621/activity")
    assert (other["subject"], other["deal_id"]) == ("Call — Acme", None)
    assert (other["org_id"], other["duration"]) == ("customer:1/organization", None)
    assert other["note"] == "[Dispatch Pro call 621]"


@pytest.mark.promise("R022", "R031")
def test_an_email_is_an_activity_of_its_type(mapped: dict[str, Applied]) -> None:
    mail = record(mapped, "activities", f"email:{MAIL}/activity")
    assert (mail["type"], mail["subject"], mail["deal_id"]) == ("email", "(no subject)", "job:500/deal")
    assert (mail["due_date"], mail["due_time"], mail["duration"]) == ("2025-10-24", "14:59", None)
    assert mail["note"].split("<br>") == [
        "<p>Hi</p>",
        f"From jane@example.com to office@us.example, sent {CREATED}",
        f"[Dispatch Pro e-mail {MAIL}]",
    ]


@pytest.mark.promise("R030", "R032")
def test_a_visit_among_them_is_what_it_was(mapped: dict[str, Applied]) -> None:
    visit = record(mapped, "activities", "appointment:600/activity")
    assert (visit["type"], visit["subject"]) == ("meeting", "No Cooling — Acme #500-1")
    assert visit["note"].split("<br>") == [
        f"Appointment 500-1, Done, created {CREATED}",
        "Scheduled 2025-10-24T19:00:00Z to 2025-10-24T21:00:00Z",
        "[Dispatch Pro appointment 600]",
    ]


@pytest.mark.promise("R063")
def test_who_sees_a_record_is_a_policy_of_the_map(mapped: dict[str, Applied]) -> None:
    for entity in ("organizations", "persons", "deals"):
        assert set(mapped[entity].frame["visible_to"]) == {"everyone"}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("C:\\temp\\a?.png", "C__temp_a_.png"),
        ("a\x00b\nc\u202egpj.exe", "a_b_c_gpj.exe"),
        ("..", "file"),
        (" ", "file"),
        ("=cmd()", "=cmd()"),
        ("\u200d.\u200d", "file"),
        ("👩\u200d🔧 قائمة.png", "👩\u200d🔧 قائمة.png"),
        ("é" * 200 + ".jpeg", "é" * 125 + ".jpeg"),
        ("x" * 300, "x" * 255),
        ("a." + "x" * 300, "a." + "x" * 253),
    ],
)
def test_a_files_name_can_stand_anywhere(name: str, kept: str) -> None:
    assert file_name(name) == kept


@given(st.text(st.characters(exclude_categories=[]), max_size=400))
def test_any_name_becomes_one_that_can_stand_anywhere(name: str) -> None:
    made = file_name(name)
    assert 0 < len(made.encode()) <= LONGEST_NAME
    assert not set(made) & set("/\\:\x00\n\u202e")
    assert {unicodedata.category(letter) for letter in made} & {"Cc", "Cs"} == set()
    assert made.strip(". ")
    assert file_name(made) == made


def html_body(body: list[str | None], line: list[str | None]) -> Applied:
    frame = pd.DataFrame(
        {
            "source_key": pd.Series([f"email:{n:016x}/activity" for n in range(len(body))], dtype="string"),
            "root": pd.Series(range(len(body)), dtype="Int64"),
            "body": pd.Series(body, dtype="string"),
            "line": pd.Series(line, dtype="string"),
        }
    )
    args = {"body": "body", "lines": ["{line}"]}
    field = {"type": "html", "from": ["body", "line"], "transform": "html_body", "args": args}
    return applied(EntityMap.model_validate({"entity": "activities", "fields": {"note": field}}), frame, USD)


def test_a_body_stands_as_it_is_and_lines_below_it_are_escaped() -> None:
    made = html_body(["<p>a</p>", None, "b", None], ["<x>", "y", None, None])
    assert made.frame["note"].tolist() == ["<p>a</p><br>&lt;x&gt;", "y", "b", None]
    assert len(made.problems) == 0


def test_a_body_that_is_too_long_is_cut_and_listed() -> None:
    made = html_body(["<p>" + "<b>é</b> &amp; " * 20_000 + "</p>", "short"], ["stamp", "stamp"])
    note, short = made.frame["note"]
    assert len(note.encode()) < NOTE_BYTES
    assert note.endswith("…<br>stamp")
    assert "<b>" not in note
    assert short == "short<br>stamp"
    assert made.problems["problem"].tolist() == ["too long for Pipedrive, cut"]
