"""Exported e-mails arrive once, belong to whom they name, and a mistake in them is told by file and line."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pandas as pd
import pytest
from upath import UPath

from dispatch_to_pipedrive.dispatch_pro.mail_files import BadMail, Mail, mails
from dispatch_to_pipedrive.dispatch_pro.raw import Extent

from .shelves import Road
from .worlds import Record, at, customer, job

HEAD = "date,from,to,subject,body,message_id,job_number,customer_id\n"


def contact(id_: int, customer_id: int, value: str, active: bool = True, second: float = 0) -> Record:
    return {
        "id": id_,
        "customerId": customer_id,
        "type": "Email",
        "value": value,
        "active": active,
        "modifiedOn": at(second),
    }


@pytest.fixture
async def road(tmp_path: Path) -> Road:
    """Customers 1 to 4 (4 is merged into 1), job 101 of customer 1 and job 102 of customer 2."""
    road = Road(UPath(tmp_path / "data"), "customers", "customer_contacts", "jobs", "emails")
    await road.advance(
        customers=[customer(1), customer(2), customer(3), customer(4, merged_to=1)],
        jobs=[job(101, 1, jobNumber="J-101"), job(102, 2, jobNumber="102")],
        customer_contacts=[
            contact(21, 1, "Ann@Example.com"),
            contact(22, 2, "shared@example.com"),
            contact(23, 3, "shared@example.com"),
            contact(24, 4, "ann@example.com "),
            contact(25, 3, "old@example.com", active=False),
        ],
    )
    return road


async def arrived(road: Road, path: Path) -> pd.DataFrame:
    await road.advance(Extent(emails=path))
    return road.frames()["emails"].set_index("subject")


@pytest.mark.promise("R022")
async def test_an_email_belongs_to_whom_it_names_and_else_to_nobody(road: Road, tmp_path: Path) -> None:
    rows = [
        '2025-10-24T14:59:42Z,x@y.org,office@z.org,by number,"<p>Hi</p>",<1@x>,102,',
        "2025-10-24 07:59:42-07:00,x@y.org,office@z.org,by customer,Hi,,nothing,3",
        '"Fri, 24 Oct 2025 14:59:42 +0000",x@y.org,office@z.org,Re: your visit (#J-101),Hi,,,',
        '2025-10-24,"Ann <ANN@example.com>",office@z.org,by address,"two\nlines",,,',
        "2025-10-24,shared@example.com,office@z.org,of two customers,Hi,,,",
        "2025-10-24,old@example.com,office@z.org,of nobody any more,Hi,,,",
        "2025-10-24,x@y.org,office@z.org,#102 or #J-101,Hi,,,",
    ]
    path = tmp_path / "mail.csv"
    path.write_text("\ufeff" + HEAD + "\n".join(rows) + "\n\n", encoding="utf-8")
    mail = await arrived(road, path)
    assert mail["root"].to_dict() == {
        "by number": 2,
        "by customer": 3,
        "Re: your visit (#J-101)": 1,
        "by address": 1,
        "of two customers": 0,
        "of nobody any more": 0,
        "#102 or #J-101": 0,
    }
    assert mail["matched_by"].fillna("nobody").tolist().count("nobody") == 3
    first, second = mail.loc["by number"], mail.loc["by customer"]
    assert (first["job_id"], first["sent_at"], first["is_html"]) == (102, "2025-10-24T14:59:42Z", True)
    assert (second["customer_id"], second["sent_at"], second["is_html"]) == (3, "2025-10-24T14:59:42Z", False)
    assert mail.loc["by address", "body"] == "two\nlines"
    assert mail["id"].str.fullmatch("[0-9a-f]{16}").all()


@pytest.mark.promise("R022")
async def test_files_that_did_not_change_land_nothing_and_a_new_job_claims_its_email(
    road: Road, tmp_path: Path
) -> None:
    path = tmp_path / "mail.csv"
    path.write_text(HEAD + "2025-10-24,x@y.org,office@z.org,About #103,Hi,,,\n")
    first = (await road.advance(Extent(emails=path)))["emails"]
    assert (first.rows, "1 of them belong to nobody" in first.remark) == (1, True)
    assert (await road.advance(Extent(emails=path)))["emails"].pages == 0
    found = await road.advance(Extent(emails=path), jobs=[job(103, 2)])
    assert found["emails"].rows == 1
    assert road.frames()["emails"][["root", "job_id"]].to_numpy().tolist() == [[2, 103]]
    assert (await road.advance())["emails"].remark.endswith("EMAILS_PATH is not set")
    assert len(road.frames()["emails"]) == 1


@pytest.mark.promise("R022")
async def test_an_email_that_was_sent_and_received_stays_the_same_one(road: Road, tmp_path: Path) -> None:
    """The two stand so far apart that they are read one after the other."""
    path = tmp_path / "mail.csv"
    others = "".join(f"2025-10-24,x@y.org,z@z.org,{n},Hi,,,\n" for n in range(600))
    twice = [f"2025-10-24,x@y.org,office@z.org,s,{body},<1@x>,,\n" for body in ("sent", "received")]
    path.write_text(HEAD + twice[0] + others + twice[1])
    assert (await arrived(road, path)).loc["s", "body"] == "sent"
    path.write_text(HEAD + twice[0] + others + twice[1] + "\n")
    assert not (await road.advance(Extent(emails=path)))["emails"].segments
    path.write_text(HEAD + twice[1])
    found = (await road.advance(Extent(emails=path)))["emails"]
    assert found.rows == 1 and "600 that were read before are not in the files any more" in found.remark
    assert len(road.frames()["emails"]) == 601


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("date,from,to,subject\n", 1, "lacks the column body"),
        ("", 1, "lacks the column date"),
        (HEAD.replace("message_id", "body"), 1, "more than once"),
        (HEAD + "2025-10-24,a,b,c,d,,,\nyesterday,a,b,c,d,,,\n", 3, "'yesterday' cannot be read"),
        (HEAD + '2025-10-24,a,b,c,"d\ne",,,\n2025-10-24,a,b\n', 4, "has 3 columns instead of 8"),
        (HEAD + "2025-10-24,a,b,c,d,,,x1\n", 2, "customer_id 'x1' is no number"),
    ],
)
async def test_a_mistake_is_told_by_file_and_line_and_nothing_lands(
    road: Road, tmp_path: Path, text: str, line: int, words: str
) -> None:
    path = tmp_path / "mail.csv"
    path.write_text(text)
    before = sorted(road.data.rglob("*.parquet"))
    with pytest.raises(BadMail, match=r"mail\.csv") as error:
        await road.advance(Extent(emails=path), customers=[customer(9)])
    assert error.value.line == line and words in error.value.problem
    assert sorted(road.data.rglob("*.parquet")) == before


def test_bytes_that_are_no_text_and_paths_that_are_no_mail_are_told(tmp_path: Path) -> None:
    path = tmp_path / "mail.csv"
    path.write_bytes(HEAD.encode() + b"2025-10-24,a,b,c,\xff\xfe,,,\n")
    with pytest.raises(BadMail, match="UTF-8"):
        list(mails(path))
    with pytest.raises(BadMail, match="no such file"):
        list(mails(tmp_path / "none.csv"))
    (tmp_path / "mail.xlsx").write_bytes(b"")
    with pytest.raises(BadMail, match="neither"):
        list(mails(tmp_path / "mail.xlsx"))
    with pytest.raises(BadMail, match=r"no \.eml file"):
        list(mails(tmp_path))


def written(folder: Path, name: str, message: EmailMessage | bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(message if isinstance(message, bytes) else bytes(message))


def test_a_folder_of_eml_files_is_read_with_its_encodings_and_parts(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Date"] = "Fri, 24 Oct 2025 16:59:42 +0200"
    message["From"] = "Søren Ø <soren@example.com>"
    message["To"] = "office@z.org"
    message["Cc"] = "Ann <ann@example.com>"
    message["Subject"] = "Grüße 🔧 #102"
    message["Message-ID"] = "<abc@example.com>"
    message.set_content("plain")
    message.add_alternative("<p>rich</p>", subtype="html")
    message.add_attachment(b"\x00\x01", maintype="image", subtype="jpeg", filename="../a.jpg")
    written(tmp_path / "2025", "a.EML", message)
    latin = b"Date: Fri, 24 Oct 2025 14:59:42 +0000\nFrom: x@y.org\nSubject: =?iso-8859-1?Q?caf=E9?=\n"
    written(tmp_path, "b.eml", latin + b"Content-Type: text/plain; charset=unheard-of\n\ncaf\xe9\x00")
    written(tmp_path, "c.txt", b"no e-mail")
    rich, plain = list(mails(tmp_path))
    assert rich == Mail(
        rich.id,
        "2025-10-24T14:59:42Z",
        "Søren Ø <soren@example.com>",
        ("office@z.org", "Ann <ann@example.com>"),
        "Grüße 🔧 #102",
        "<p>rich</p>\n",
        True,
        1,
    )
    assert rich.addresses == {"soren@example.com", "office@z.org", "ann@example.com"}
    assert (plain.subject, plain.body, plain.is_html, plain.attachments) == ("café", "caf\ufffd", False, 0)


def test_an_eml_that_was_made_to_be_hard_to_read(tmp_path: Path) -> None:
    head = b"Date: Fri, 24 Oct 2025 14:59:42 +0000\r\n"
    written(tmp_path, "a.eml", head + b"Content-Disposition: inline; filename*\r\n\r\nThe pump leaks")
    (mail,) = mails(tmp_path)
    assert (mail.body, mail.attachments) == ("The pump leaks", 0)
    written(tmp_path, "a.eml", head + b"Content-Type: message/rfc822\r\n\r\n" * 3_000)
    with pytest.raises(BadMail, match="too deep"):
        list(mails(tmp_path))


def test_an_eml_without_a_date_is_named(tmp_path: Path) -> None:
    written(tmp_path, "a.eml", b"From: x@y.org\n\nHi")
    with pytest.raises(BadMail, match=r"a\.eml: has no date"):
        list(mails(tmp_path))
    written(tmp_path, "a.eml", b"From: x@y.org\nDate: soon\n\nHi")
    with pytest.raises(BadMail, match="'soon' cannot be read"):
        list(mails(tmp_path))
