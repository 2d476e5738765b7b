"""What do the e-mails say that people exported? A .csv file, or a folder of .eml files, read one by one.

The columns of a .csv are date, from, to, subject and body; message_id, job_number, customer_id and cc may be there.
A date is ISO-8601 or written as in an e-mail; without a zone UTC is meant. Of an .eml the HTML body counts before
the plain one; attachments are counted and left out.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path

from dispatch_to_pipedrive.dispatch_pro.errors import DispatchProError

NEEDED = ("date", "from", "to", "subject", "body")
OPTIONAL = ("message_id", "job_number", "customer_id", "cc")
_LONGEST = 64 << 20  # characters of one field
_HTML = re.compile(r"<(?:html|body|div|p|br|table|span|a|b|i|ul|ol|li|img)\b[^>]*>", re.IGNORECASE)


class BadMail(DispatchProError):
    """Exported e-mails that cannot be read; `line` is None where the whole file is meant."""

    def __init__(self, file: Path, line: int | None, problem: str) -> None:
        self.file, self.line, self.problem = file, line, problem
        where = str(file) if line is None else f"{file}, line {line}"
        super().__init__(f"{where}: {problem}")


@dataclass(frozen=True)
class Mail:
    """One e-mail; `sent_at` in UTC as the vendor writes times, the last two where the export has them."""

    id: str
    sent_at: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    body: str
    is_html: bool
    attachments: int
    job_number: str | None = None
    customer_id: int | None = None

    @property
    def addresses(self) -> frozenset[str]:
        """The bare addresses of all whom it names, in lower case."""
        found = getaddresses([self.sender, *self.recipients])
        return frozenset(address.strip().lower() for _, address in found if "@" in address)


def files_of(path: Path) -> list[Path]:
    """The files that hold the e-mails, in their order. Raises BadMail if there is nothing of the kind."""
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() == ".eml" and file.is_file())
        if not found:
            raise BadMail(path, None, "there is no .eml file in this folder (EMAILS_PATH)")
        return found
    if not path.is_file():
        raise BadMail(path, None, "there is no such file or folder (EMAILS_PATH)")
    if path.suffix.lower() != ".csv":
        raise BadMail(path, None, "is neither a .csv file nor a folder of .eml files (EMAILS_PATH)")
    return [path]


def mails(path: Path) -> Iterator[Mail]:
    """All e-mails at the path. Raises BadMail for the first mistake."""
    for file in files_of(path):
        try:
            if file.suffix.lower() == ".csv":
                yield from _of_csv(file)
            else:
                yield _of_eml(file)
        except OSError as error:
            raise BadMail(file, None, f"cannot be read: {error.strerror}") from None
        except RecursionError:
            raise BadMail(file, None, "its parts stand too deep in one another") from None


def _of_csv(file: Path) -> Iterator[Mail]:
    csv.field_size_limit(_LONGEST)
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        line = 1
        try:
            names = [name.strip().lower() for name in next(reader, [])]
            _check_columns(file, names)
            line = reader.line_num + 1
            for cells in reader:
                if cells:
                    if len(cells) != len(names):
                        raise BadMail(file, line, f"has {len(cells)} columns instead of {len(names)}")
                    yield _of_row(file, line, dict(zip(names, cells, strict=True)))
                line = reader.line_num + 1
        except UnicodeDecodeError:
            raise BadMail(file, line, "is not UTF-8: save the file as UTF-8") from None
        except csv.Error as error:
            raise BadMail(file, line, f"is no CSV ({error})") from None


def _check_columns(file: Path, names: list[str]) -> None:
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise BadMail(file, 1, f"lacks the column {', '.join(missing)}; there must be {', '.join(NEEDED)}")
    twice = sorted({name for name in names if name in (*NEEDED, *OPTIONAL) and names.count(name) > 1})
    if twice:
        raise BadMail(file, 1, f"has the column {twice[0]} more than once")


def _of_row(file: Path, line: int, row: Mapping[str, str]) -> Mail:
    sent = _moment(row["date"])
    if sent is None:
        raise BadMail(file, line, f"the date {row['date']!r} cannot be read; write 2025-10-24T14:59:42Z")
    customer = row.get("customer_id", "").strip()
    if customer and not re.fullmatch(r"\d{1,18}", customer):
        raise BadMail(file, line, f"the customer_id {customer!r} is no number")
    return _mail(
        message_id=row.get("message_id", "").strip(),
        sent=sent,
        sender=row["from"].strip(),
        to=[row["to"].strip()],
        cc=[row.get("cc", "").strip()],
        subject=row["subject"].strip(),
        body=row["body"],
        is_html=bool(_HTML.search(row["body"])),
        job_number=row.get("job_number", "").strip() or None,
        customer_id=int(customer) if customer else None,
    )


def _of_eml(file: Path) -> Mail:
    parsed = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert isinstance(parsed, EmailMessage)  # as this policy makes them
    attachments = _attachments(parsed)
    text = _header(parsed, "Date")
    sent = _moment(text)
    if sent is None:
        raise BadMail(file, None, f"the date {text!r} cannot be read" if text else "has no date")
    body, is_html = _body_of(parsed)
    return _mail(
        message_id=_header(parsed, "Message-ID"),
        sent=sent,
        sender=_header(parsed, "From"),
        to=_headers(parsed, "To"),
        cc=_headers(parsed, "Cc"),
        subject=_header(parsed, "Subject"),
        body=body,
        is_html=is_html,
        attachments=attachments,
    )


def _mail(
    *,
    message_id: str,
    sent: datetime,
    sender: str,
    to: list[str],
    cc: list[str],
    subject: str,
    body: str,
    is_html: bool,
    attachments: int = 0,
    job_number: str | None = None,
    customer_id: int | None = None,
) -> Mail:
    sent_at = sent.isoformat().replace("+00:00", "Z")
    recipients = tuple(text for text in (*to, *cc) if text)
    known_by = message_id or "\x1f".join([sent_at, sender, *to, subject, body])
    number = hashlib.sha256(known_by.encode("utf-8", "replace")).hexdigest()[:16]
    texts = [_clean(text) for text in (sender, subject, body)]
    return Mail(
        number,
        sent_at,
        texts[0],
        tuple(map(_clean, recipients)),
        texts[1],
        texts[2],
        is_html,
        attachments,
        job_number,
        customer_id,
    )


def _moment(text: str) -> datetime | None:
    text = text.strip()
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
            zoned = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
            return zoned.astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _header(message: EmailMessage, name: str) -> str:
    return next(iter(_headers(message, name)), "")


def _headers(message: EmailMessage, name: str) -> list[str]:
    """The values of a header, decoded; one that the library cannot read stands as it came."""
    try:
        return [" ".join(str(value).split()) for value in message.get_all(name, [])]
    except (ValueError, TypeError, IndexError, AttributeError, KeyError):
        raw = [value for key, value in message.raw_items() if key.lower() == name.lower()]
        return [" ".join(str(value).split()) for value in raw]


def _body_of(message: EmailMessage) -> tuple[str, bool]:
    """The body and whether it is HTML; empty if there is none."""
    for kind in ("html", "plain"):
        try:
            part = message.get_body(preferencelist=(kind,))
        except (AttributeError, KeyError, ValueError):
            part = None
        if part is not None:
            return _text_of(part), kind == "html"
    return "", False


def _text_of(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError, AttributeError):  # a character set that nobody knows
        content = part.get_payload(decode=True)
        return content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)


def _attachments(message: EmailMessage) -> int:
    """How many files there are. Headers of which the library cannot make sense it can read afterwards."""
    found = 0
    for part in message.walk():
        try:
            disposition, name = part.get("Content-Disposition", ""), part.get_filename()
        except (ValueError, TypeError, IndexError, AttributeError, KeyError):
            raw = [value for key, value in part.raw_items() if key.lower() == "content-disposition"]
            attached = raw[:1] and raw[0].strip().lower().startswith("attachment")
            disposition, name = "attachment" if attached else "inline", None
            del part["Content-Disposition"]
            part["Content-Disposition"] = disposition
        found += bool(name) or str(disposition).strip().lower().startswith("attachment")
    return found


def _clean(text: str) -> str:
    """Text that JSON and Parquet can hold: no halves of characters, no NUL."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")
