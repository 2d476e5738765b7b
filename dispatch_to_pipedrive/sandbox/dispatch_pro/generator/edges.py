"""Which hard cases every tenant has: the first customers are written by hand, chance writes the rest."""

from dataclasses import dataclass

COMPLETED, CANCELED, SCHEDULED, DISPATCHED, IN_PROGRESS, HOLD = range(6)
PAID, PARTLY, UNPAID, REFUNDED, TWICE = range(5)


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


CASES: tuple[CustomerCase, ...] = (
    CustomerCase(
        name="Jane Doe",
        jobs=(
            JobCase(bucket=0, invoices=(38900,), paid=PAID, visits=1, crew=1, technician=1, kind=0),
            JobCase(bucket=1, invoices=(129900, -9900), paid=PAID, visits=3, crew=2, technician=0, kind=4),
        ),
        tags=(0,),
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
            JobCase(SCHEDULED, bucket=3, visits=1, crew=1, technician=5),
            JobCase(bucket=4, invoices=(0,), visits=1, technician=4),
        ),
        tags=(2, 9),
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
    ),
    CustomerCase(name="No Jobs Yet", jobs=()),
    CustomerCase(name="Jane  Doe (old record)", active=False, merged_into=6, jobs=(JobCase(visits=1),)),
    CustomerCase(
        name="J. Doe", active=False, merged_into=7, moved=True, jobs=(JobCase(), JobCase(SCHEDULED))
    ),
    CustomerCase(name="Jane Doe-Smith", jobs=(JobCase(IN_PROGRESS, crew=2), JobCase(recall=True))),
    CustomerCase(name="=cmd|' /C calc'!A0", jobs=(JobCase(invoices=(9900,), paid=REFUNDED),)),
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
