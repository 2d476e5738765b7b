import pandas as pd
import pytest

from dispatch_to_pipedrive.normalize.addresses import LONGEST
from dispatch_to_pipedrive.normalize.html import visible
from dispatch_to_pipedrive_tests.normalize.source import CREATED, HOME, Source, address, reasons, row

PHOTO = "https://go.servicetitan.com/images/pump.jpg"


def tenant(kind: str = "Commercial") -> Source:
    source = Source()
    source.customer(1, "Acme", kind)
    source.location(10, 1, "Store 1")
    source.job(500, 1, 10)
    source.add("employees", 5, userId=301, name=" Carla King ", email="carla@example.com")
    return source


@pytest.mark.promise("R023")
def test_a_note_of_a_job_hangs_on_its_deal_with_time_author_and_pin() -> None:
    source = tenant()
    source.note("job_notes", 530, 500, "Gate code 4411\nRing twice", isPinned=True)
    note = row(source.normalize().notes, "job_note:530/note")
    assert (note["deal_key"], note["organization_key"], note["person_key"]) == ("job:500/deal", None, None)
    assert (note["kind"], note["record_id"], note["stamp"]) == ("job note", 530, "Dispatch Pro job note 530")
    assert (note["content"], note["created_at"]) == ("Gate code 4411<br>Ring twice", CREATED)
    assert (note["author"], note["author_email"]) == ("Carla King", "carla@example.com")
    pins = [note[f"pinned_to_{of}"] for of in ("deal", "person", "organization")]
    assert pins == ["yes", "no", "no"]


@pytest.mark.promise("R023")
@pytest.mark.parametrize(
    ("kind", "parent", "key"),
    [
        ("Commercial", "organization", "customer:1/organization"),
        ("Residential", "person", "customer:1/person"),
    ],
)
def test_notes_of_customers_and_locations_hang_on_the_organization_else_on_the_person(
    kind: str, parent: str, key: str
) -> None:
    source = tenant(kind)
    source.customer(2, "Old", kind, active=False, mergedToId=1)
    source.location(11, 2, "Depot", active=False, mergedToId=10)
    source.note("customer_notes", 531, 2, "of a merged customer", createdById=999, isPinned=True)
    source.note("location_notes", 532, 11, "of a merged location")
    made = source.normalize().notes
    of_customer, of_location = row(made, "customer_note:531/note"), row(made, "location_note:532/note")
    assert {note[f"{parent}_key"] for note in (of_customer, of_location)} == {key}
    assert of_customer[f"pinned_to_{parent}"] == "yes"
    assert of_customer["author"] is None
    assert of_location["place"] == "Store 1, 123 Main St, Phoenix, AZ 85001, USA"


def test_a_technician_may_have_written_a_note() -> None:
    source = tenant()
    source.technician(601, "tech@example.com", userId=1601)
    source.note("job_notes", 530, 500, "Done", createdById=1601)
    assert row(source.normalize().notes, "job_note:530/note")["author_email"] == "tech@example.com"


@pytest.mark.promise("R056")
def test_the_images_of_a_note_are_files_on_the_same_record() -> None:
    source = tenant()
    source.note("job_notes", 530, 500, f'<p>Pump</p><img src="{PHOTO}"> and again {PHOTO}')
    source.note("customer_notes", 531, 1, f'<img src="{PHOTO}">')
    made = source.normalize()
    note = row(made.notes, "job_note:530/note")
    (key,) = note["file_keys"]
    assert note["content"].count(f'<a href="file:{key}">pump.jpg</a>') == 2
    assert "servicetitan" not in note["content"]
    file = row(made.files, key)
    assert key.startswith("job_note:530/image-")
    assert (file["name"], file["source"], file["deal_key"]) == ("pump.jpg", PHOTO, "job:500/deal")
    assert (file["attachment_id"], file["size"], file["created_at"]) == (None, None, CREATED)
    (other,) = row(made.notes, "customer_note:531/note")["file_keys"]
    assert row(made.files, other)["organization_key"] == "customer:1/organization"
    assert other.partition("/")[2] == key.partition("/")[2]


@pytest.mark.promise("R056")
def test_a_summary_that_shows_images_is_a_note_beside_the_field() -> None:
    source = tenant()
    source.job(501, 1, 10, summary=f'<p>No cooling</p><img src="{PHOTO}">')
    source.job(502, 1, 10, summary='<p>Hot</p> see <a href="https://go.servicetitan.com/#/1">job</a>')
    source.job(503, 1, 10, summary="<p>Plain  text</p>")
    made = source.normalize()
    assert list(made.notes["source_key"]) == ["job:501/note"]
    note = row(made.notes, "job:501/note")
    assert (note["kind"], note["stamp"]) == ("job summary", "Dispatch Pro job summary 501")
    assert list(made.files["source_key"]) == note["file_keys"]
    summaries = made.deals.set_index("job_id")["summary"]
    assert visible(summaries[501]).split() == ["No", "cooling", "pump.jpg"]
    assert summaries[502] == "<p>Hot</p><p>see job (link into Dispatch Pro removed)</p>"
    assert summaries[503] == "<p>Plain  text</p>"


@pytest.mark.promise("R023")
def test_a_note_that_is_too_long_is_several_and_none_of_it_is_lost() -> None:
    source = tenant()
    words = [f"word{number}" for number in range(12_000)]
    source.note("job_notes", 530, 500, " ".join(words) + f' <img src="{PHOTO}">', isPinned=True)
    made = source.normalize()
    first, second = (row(made.notes, f"job_note:530/{role}") for role in ("note", "note-2"))
    assert len(made.notes) == 2
    assert second["stamp"] == "Dispatch Pro job note 530 part 2"
    assert (first["content"] + second["content"]).split(" <a")[0].split() == words
    assert (first["file_keys"], second["file_keys"]) == (None, list(made.files["source_key"]))
    assert first["pinned_to_deal"] == second["pinned_to_deal"] == "yes"


def test_a_note_that_both_owners_list_after_a_merge_is_one() -> None:
    source = tenant()
    source.customer(2, "Old", "Commercial", active=False, mergedToId=1)
    source.location(11, 2, "Depot", active=False, mergedToId=10)
    for feed, id, parents in (("customer_notes", 530, (2, 1)), ("location_notes", 531, (11, 10))):
        for parent in parents:
            source.note(feed, id, parent, f"of {parent}")
    made = source.normalize()
    assert row(made.notes, "customer_note:530/note")["content"] == "of 1"
    assert row(made.notes, "location_note:531/note")["content"] == "of 10"
    assert len(made.notes) == 2 and len(made.not_carried[made.not_carried["id"].isin([530, 531])]) == 2


def test_notes_that_are_not_carried_are_counted_with_a_reason() -> None:
    source = tenant()
    source.job(501, 1, active=False)
    source.note("job_notes", 530, 500, "gone", active=False)
    source.note("job_notes", 531, 501, "of a deleted job")
    source.note("job_notes", 532, 500, " <p> </p> ")
    source.note("job_notes", 533, 500, None)
    source.note("customer_notes", 534, 99, "of nobody")
    source.note("location_notes", 535, 99, "of nowhere")
    made = source.normalize()
    assert len(made.notes) == 0
    assert reasons(made, "job_notes") == {
        530: "deleted note",
        531: "its job is not carried",
        532: "note without a text",
        533: "note without a text",
    }
    assert reasons(made, "customer_notes") == {534: "its customer is not in the export"}
    assert reasons(made, "location_notes") == {535: "its customer is not in the export"}


def test_an_attachment_that_two_jobs_list_is_one_file() -> None:
    source = tenant()
    source.job(501, 1, 10)
    for job in (501, 500):
        source.attachment(610, job, "moved.jpg")
    made = source.normalize()
    assert row(made.files, "attachment:610/file")["deal_key"] == "job:501/deal"
    assert reasons(made, "job_attachments") == {610: "listed with a later job, too"}


@pytest.mark.promise("R054")
def test_an_attachment_is_a_file_on_the_deal_of_its_job() -> None:
    source = tenant()
    source.attachment(610, 500, "../photo.jpg", 1234)
    source.attachment(611, 500, " ", None)
    source.attachment(612, 99, "stray.jpg")
    made = source.normalize()
    file = row(made.files, "attachment:610/file")
    assert (file["name"], file["size"], file["media_type"]) == ("../photo.jpg", 1234, "image/jpeg")
    assert (file["source"], file["attachment_id"]) == ("attachment:610", 610)
    assert (file["deal_key"], file["created_at"]) == ("job:500/deal", CREATED)
    assert row(made.files, "attachment:611/file")["name"] == "attachment 611"
    assert reasons(made, "job_attachments") == {612: "its job is not carried"}


@pytest.mark.promise("R055")
def test_a_file_above_the_limit_is_a_note_that_tells_of_it() -> None:
    source = tenant()
    for id, size in ((610, 24_999_999), (611, 25_000_000), (612, 25_000_001)):
        source.attachment(id, 500, "<video>.mp4", size, sha256="ab" * 32)
    made = source.normalize()
    assert list(made.files["source_key"]) == ["attachment:610/file", "attachment:611/file"]
    assert list(made.notes["source_key"]) == ["attachment:612/note"]
    note = row(made.notes, "attachment:612/note")
    assert (note["kind"], note["stamp"]) == ("oversized file", "Dispatch Pro attachment 612")
    assert (note["deal_key"], note["author"]) == ("job:500/deal", "Carla King")
    assert visible(note["content"]).split("\n") == [
        "This file is too large to move: <video>.mp4",
        "Size: 25,000,001 bytes",
        f"SHA-256: {'ab' * 32}",
        "Dispatch Pro attachment 612",
    ]


def test_a_file_that_cannot_be_fetched_stays_a_file() -> None:
    source = tenant()
    source.attachment(610, 500, "a.jpg", None, problem="404")
    assert list(source.normalize().files["source_key"]) == ["attachment:610/file"]


@pytest.mark.promise("R011", "R036", "R037")
def test_no_site_is_lost_however_many_there_are() -> None:
    source = Source()
    counts = dict(enumerate((1, 2, 4, 5, 10, 500, 5_000) * 2, 1))
    for customer, count in counts.items():
        source.customer(customer, "Acme", "Residential" if customer < 8 else "Commercial")
        for number in range(count):
            street = address(f"{number} Elm St") if number else HOME
            source.location(customer * 10_000 + number, customer, f"Site {number}", address=street)
    made = source.normalize()
    assert (len(made.persons), len(made.organizations)) == (14, 7)
    for customer, count in counts.items():
        of = "person" if customer < 8 else "organization"
        record = row(getattr(made, f"{of}s"), f"customer:{customer}/{of}")
        notes = made.notes[made.notes["root"] == customer]
        native = [record[f"site_{n}_street"] for n in range(1, 5) if record[f"site_{n}_street"]]
        listed = record["additional_sites"] or ""
        written = "\n".join([listed, *map(visible, notes["content"])])
        lines = [line for line in written.split("\n") if line and not line.startswith("…")]
        assert len(native) + len(lines) == count
        assert lines == [f"Site {n}: {n} Elm St, Phoenix, AZ 85001, USA" for n in range(4, count)]
        assert len(listed) <= LONGEST
        assert listed.endswith("… and more in the pinned note") == (len(notes) > 1) == (count == 5_000)
        assert (notes[f"pinned_to_{of}"] == "yes").all()
        assert (notes[f"{of}_key"] == record["source_key"]).all()


def test_notes_and_files_of_a_batch_are_sorted_and_typed() -> None:
    source = tenant()
    for number in (3, 1, 2):
        source.note("job_notes", number, 500, f"note {number}")
        source.attachment(number, 500, f"{number}.jpg")
    made = source.normalize()
    assert list(made.notes["record_id"]) == [1, 2, 3]
    assert isinstance(made.notes["file_keys"].dtype, pd.ArrowDtype)
    assert made.files["size"].dtype == pd.Int64Dtype()
