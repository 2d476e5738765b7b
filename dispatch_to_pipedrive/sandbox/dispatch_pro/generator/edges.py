"""Which hard cases every tenant has: the first customers are written by hand, chance writes the rest."""

from dataclasses import dataclass

from . import texts

COMPLETED, CANCELED, SCHEDULED, DISPATCHED, IN_PROGRESS, HOLD = range(6)
PAID, PARTLY, UNPAID, REFUNDED, TWICE = range(5)


@dataclass(frozen=True)
class FileCase:
    """An attachment written by hand. Two of the same job with one `content` have the same bytes."""

    name: str
    size: int
    content: str | None = None
    media_type: str | None = None


@dataclass(frozen=True)
class NoteCase:
    """A note written by hand; `{storage}` in its text is the tenant's storage."""

    text: str
    pinned: bool = False


@dataclass(frozen=True)
class ContactCase:
    """A named contact of a customer. `methods` are (type, value); `site` counts the customer's sites from 0.

    `also` are rows of other customers it belongs to; without `customer` it belongs to its site only.
    """

    name: str | None
    title: str | None = None
    methods: tuple[tuple[str, str], ...] = ()
    archived: bool = False
    customer: bool = True
    site: int | None = None
    also: tuple[int, ...] = ()


@dataclass(frozen=True)
class JobCase:
    """A job whose looks are not left to chance; None leaves a trait to chance."""

    status: int = COMPLETED
    visits: int | None = None
    crew: int | None = None
    invoices: tuple[int, ...] | None = None
    paid: int | None = None
    kind: int | None = None
    bucket: int | None = None
    recall: bool = False
    warranty: bool = False
    project: bool = False
    unused: bool = False
    deleted: bool = False
    technician: int | None = None
    summary: str | None = None
    files: tuple[FileCase, ...] = ()
    notes: tuple[NoteCase, ...] = ()


@dataclass(frozen=True)
class CustomerCase:
    """A customer whose looks are not left to chance. `merged_into` is another customer's row."""

    jobs: tuple[JobCase, ...]
    name: str | None = None
    commercial: bool = False
    sites: int = 1
    emails: int = 1
    phones: int = 1
    shares_email: bool = False
    guests: bool = False
    active: bool = True
    merged_into: int | None = None
    moved: bool = False
    tags: tuple[int, ...] = ()
    contacts: tuple[ContactCase, ...] = ()
    notes: tuple[NoteCase, ...] = ()
    site_notes: tuple[NoteCase, ...] = ()


CASES: tuple[CustomerCase, ...] = (
    CustomerCase(
        name="Jane Doe",
        jobs=(
            JobCase(
                bucket=0,
                invoices=(38900,),
                paid=PAID,
                visits=1,
                crew=1,
                technician=1,
                kind=0,
                summary=texts.SUMMARY_WITH_PICTURES,
                files=(
                    FileCase("photo.jpg", 40_000, "twin"),
                    FileCase("photo.jpg", 40_000, "twin"),
                    FileCase("../../etc/passwd", 1_200),
                    FileCase("nul\x00byte.png", 2_000),
                ),
                notes=(NoteCase(texts.PICTURES, pinned=True), NoteCase(texts.RICH), NoteCase("")),
            ),
            JobCase(
                bucket=1,
                invoices=(129900, -9900),
                paid=PAID,
                visits=3,
                crew=2,
                technician=0,
                kind=4,
                files=(
                    FileCase("long " + "n" * 291 + ".pdf", 3_000),
                    FileCase("🔧 leak 👨‍👩‍👧.jpg", 5_000),
                    FileCase("invoice\u202efdp.exe", 1_500),
                    FileCase("=cmd()", 800),
                    FileCase("no suffix", 900),
                    FileCase("empty.txt", 0),
                    FileCase("page.jpg", 7_000, media_type="text/html"),
                    FileCase("scan.pdf", 6_000, media_type="application/octet-stream"),
                ),
                notes=(NoteCase(texts.LINES), NoteCase(texts.DATA_IMAGE)),
            ),
        ),
        tags=(0,),
        contacts=(ContactCase("Jane Q. Doe", None, (("MobilePhone", "6025550111"),)),),
        notes=(NoteCase(texts.SAME_PICTURE_TWICE, pinned=True), NoteCase(texts.ENTITIES)),
        site_notes=(NoteCase(texts.PICTURES),),
    ),
    CustomerCase(
        name="Baker & Søns “Quality” Bakery",
        commercial=True,
        sites=3,
        emails=3,
        phones=2,
        guests=True,
        jobs=(
            JobCase(
                bucket=2, invoices=(250000, 75050), paid=TWICE, visits=2, crew=2, technician=2, project=True
            ),
            JobCase(
                SCHEDULED, bucket=3, visits=1, crew=1, technician=5, notes=(NoteCase(texts.very_long()),)
            ),
            JobCase(bucket=4, invoices=(0,), visits=1, technician=4, summary=texts.ONLY_A_PICTURE),
        ),
        tags=(2, 9),
        contacts=(
            ContactCase(
                "Søren Baker",
                "Owner",
                (("Email", "soren@bakery.example.com"), ("MobilePhone", "(602) 555-0177"), ("Phone", "x12")),
            ),
            ContactCase(None, "Night shift", (("Phone", "6025550178"),)),
            ContactCase("Old Manager", "Manager", (("Email", "old@bakery.example.com"),), archived=True),
            ContactCase("Site Two <Keys>", None, (("Phone", "6025550179"),), customer=False, site=1),
        ),
        notes=(NoteCase(texts.RICH), NoteCase("   ")),
        site_notes=(NoteCase(texts.DATA_IMAGE), NoteCase(texts.LINES)),
    ),
    CustomerCase(
        name="محمد العلي",
        emails=0,
        jobs=(
            JobCase(bucket=5, invoices=(51234,), paid=PARTLY, visits=1),
            JobCase(CANCELED, bucket=6, visits=1, invoices=(0,)),
            JobCase(HOLD, bucket=7, visits=2, invoices=(19999,), paid=UNPAID, unused=True),
        ),
    ),
    CustomerCase(
        name="Northside School District",
        commercial=True,
        sites=40,
        guests=True,
        emails=2,
        jobs=(JobCase(),) * 3,
        contacts=(
            ContactCase(
                "Pat Facilities", "Facilities", (("Email", "PAT@district.example.org"),), site=0, also=(1,)
            ),
            ContactCase("=cmd|' /C calc'!A0", "=1+1"),
        ),
    ),
    CustomerCase(name="No Jobs Yet", jobs=()),
    CustomerCase(name="Jane  Doe (old record)", active=False, merged_into=6, jobs=(JobCase(visits=1),)),
    CustomerCase(
        name="J. Doe", active=False, merged_into=7, moved=True, jobs=(JobCase(), JobCase(SCHEDULED))
    ),
    CustomerCase(name="Jane Doe-Smith", jobs=(JobCase(IN_PROGRESS, crew=2), JobCase(recall=True))),
    CustomerCase(
        name="=cmd|' /C calc'!A0",
        jobs=(
            JobCase(
                invoices=(9900,),
                paid=REFUNDED,
                files=(FileCase("limit.mp4", 25_000_000), FileCase("over the limit.mp4", 25_000_001)),
            ),
        ),
    ),
    CustomerCase(name="+1-Call Now", shares_email=True, jobs=(JobCase(DISPATCHED),)),
    CustomerCase(
        name="<b>Bold</b> & Sons <script>alert(1)</script>", commercial=True, sites=2, jobs=(JobCase(),)
    ),
    CustomerCase(name="Left Town", active=False, jobs=(JobCase(invoices=(12000,), paid=UNPAID),)),
    CustomerCase(
        name="Zoë 🏠 Nuñez-Łukasiewicz", emails=2, tags=(3, 4, 10), jobs=(JobCase(warranty=True), JobCase())
    ),
    CustomerCase(name="  שרה   כהן ", phones=0, emails=2, jobs=(JobCase(visits=5, crew=3),)),
    CustomerCase(name="Jane Doe", jobs=(JobCase(CANCELED, visits=2), JobCase(deleted=True, visits=2))),
    CustomerCase(name="The " + "Very " * 28 + "Long Name Company, Inc.", commercial=True, jobs=(JobCase(),)),
    CustomerCase(
        name="Free Rider", jobs=(JobCase(invoices=(0, 0)), JobCase(invoices=(-5000,), kind=14, recall=True))
    ),
    CustomerCase(
        name='O\'Brien, "Bob"\tTab', phones=0, emails=0, jobs=(JobCase(HOLD, visits=1),), tags=(11,)
    ),
)
