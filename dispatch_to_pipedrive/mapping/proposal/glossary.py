"""Which words of field service and which words of a CRM mean the same thing? And which sound alike and do not?

A reviewed table, not a learned one: each row is one thing under all the names it goes by, in any spelling that
`words` makes one. Add a row when a tenant teaches one.
"""

from collections.abc import Mapping
from functools import cache

from dispatch_to_pipedrive.mapping.proposal.words import compact, plain, words, written_out

FIELDS: tuple[tuple[str, ...], ...] = (
    # work and paper
    ("purchase order number", "purchase order", "customer purchase order", "client purchase order", "work order po"),
    ("permit number", "permit", "permit id", "building permit number", "building permit", "city permit number"),
    ("permit status", "permit state", "permit stage"),
    ("inspection date", "date inspected", "inspected on", "inspection scheduled"),
    ("estimated hours", "hours estimate", "labor hours", "expected hours", "planned hours", "estimated duration"),
    ("crew size", "number of crew", "crew count", "technicians needed", "number of technicians", "people needed"),
    ("job summary", "work summary", "summary", "scope of work", "work description", "job description", "work done"),
    ("job type", "service type", "work type", "type of work", "service category"),
    ("job number", "work order number", "service order number"),
    ("dispatch priority", "job priority", "priority", "priority level", "urgency", "priority bucket"),
    ("technicians", "other technicians", "helpers", "helper technicians", "additional technicians", "crew members"),
    ("follow up date", "follow up", "next follow up", "next contact date", "call back date", "next action date"),
    ("satisfaction score", "customer satisfaction", "customer satisfaction score", "csat", "nps", "survey score"),
    # equipment
    ("equipment brand", "brand", "manufacturer", "make", "unit brand", "system brand", "equipment manufacturer"),
    ("equipment serial number", "serial number", "serial", "unit serial number"),
    ("equipment model number", "model number", "model", "unit model", "equipment model"),
    ("tonnage", "tons", "cooling capacity", "cooling tons", "system size tons", "ac size tons", "unit size tons"),
    ("system age", "equipment age", "age of system", "age of equipment", "unit age"),
    ("filter size", "air filter size", "filter dimensions"),
    ("install date", "installed on", "date installed", "installation date", "original install date"),
    ("warranty expiration", "warranty end date", "warranty until", "warranty expiration date", "warranty ends"),
    ("refrigerant type", "refrigerant", "freon type"),
    ("roof type", "roof", "roofing material", "roof material", "type of roof"),
    # sale and money
    ("expected close date", "target close date", "projected close", "anticipated close date", "forecast close date",
     "expected close", "estimated close date", "close date expected"),
    ("probability", "win probability", "close probability", "win percent", "chance of winning", "likelihood"),
    ("lost reason", "loss reason", "reason lost", "reason for loss", "cancel reason", "cancellation reason"),
    ("sales representative", "salesperson", "sold by", "comfort advisor", "sales consultant", "sales person"),
    ("deposit amount", "deposit", "down payment", "deposit paid"),
    ("discount amount", "discount", "promo discount", "promotional discount", "coupon amount"),
    ("rebate amount", "rebate", "utility rebate", "manufacturer rebate"),
    ("financing company", "finance company", "lender", "financing provider", "financing partner", "finance provider"),
    ("invoice amount", "invoice total", "total invoiced", "billed amount", "amount invoiced"),
    ("payment status", "payment state", "paid status", "invoice status"),
    ("payment terms", "terms of payment", "terms", "credit terms", "invoice terms", "billing terms"),
    ("marketing campaign", "campaign", "ad campaign", "advertising campaign", "campaign name"),
    ("lead source", "referral source", "how did you hear about us", "how did you hear", "heard about us from",
     "referred by", "referred from", "source of lead", "marketing source", "found us through"),
    # people
    ("birthday", "date of birth", "birth date", "born on"),
    ("job title", "occupation", "profession", "position", "title at work"),
    ("spouse name", "spouse", "partner name", "husband", "wife", "husband or wife", "significant other"),
    ("preferred contact method", "contact preference", "preferred contact", "best way to reach", "how to contact",
     "preferred method of contact", "communication preference", "best contact method"),
    ("languages", "preferred language", "language", "language spoken"),
    ("pets", "pet", "pet information", "dog", "dogs", "animals", "pets on site", "pets at home"),
    ("customer rating", "client rating", "customer grade", "customer score"),
    ("membership level", "membership tier", "membership type", "plan level", "club level", "member level",
     "maintenance plan level"),
    ("membership renewal date", "renewal date", "membership renews", "membership expiration date", "plan renewal"),
    # companies
    ("website", "web site url", "website url", "web page", "home page", "site url", "web address", "url"),
    ("linkedin", "linked in", "linkedin profile", "linkedin url", "linkedin page"),
    ("employee count", "number of employees", "employees", "headcount", "staff size", "company size", "head count"),
    ("annual revenue", "yearly revenue", "turnover", "annual sales", "yearly sales", "revenue per year"),
    ("tax id", "ein", "federal tax id", "tax number", "taxpayer id", "vat number", "employer identification number"),
    ("account manager", "account representative", "account executive", "key account manager", "relationship manager"),
    ("service agreement", "has service agreement", "maintenance agreement", "service contract", "maintenance contract"),
    ("contract end date", "contract expires", "contract expiration", "contract expiration date", "contract end",
     "agreement end date", "contract until"),
    ("billing notes", "billing instructions", "invoicing instructions", "invoice notes", "billing remarks"),
    # sites
    ("gate code", "entry code", "access code", "keypad code", "entrance code", "community gate code"),
    ("access notes", "access instructions", "entry instructions", "how to get in", "site access", "entry notes",
     "access information", "property access"),
    ("parking instructions", "parking", "where to park", "parking notes", "parking information"),
    ("square footage", "square feet", "square foot", "home size", "house size", "home square footage", "living area",
     "home size square feet", "house square feet"),
    ("facility size", "facility square feet", "building square footage", "building size", "floor area",
     "facility size square feet"),
    ("number of units", "unit count", "units", "apartments", "number of apartments"),
    ("year built", "built in", "constructed in", "construction year", "year of construction", "built"),
)  # fmt: skip
"""One row a field."""

VALUES: tuple[tuple[str, ...], ...] = (
    # a job's and a visit's standing
    ("scheduled", "booked", "planned", "appointment set", "rescheduled"),
    ("dispatched", "en route", "on the way", "sent out", "driving", "assigned and sent"),
    ("in progress", "working", "started", "on site", "arrived", "underway", "work started"),
    ("hold", "on hold", "paused", "waiting on parts", "waiting for parts", "awaiting parts", "suspended", "parts hold",
     "waiting", "delayed"),
    ("completed", "complete", "done", "finished", "closed", "closed out", "work complete"),
    ("canceled", "cancelled", "void", "voided", "called off", "no show"),
    # payment
    ("paid", "paid in full", "settled", "fully paid"),
    ("unpaid", "not paid", "open balance", "outstanding", "due"),
    ("partially paid", "partial payment", "part paid", "partly paid"),
    ("no invoice", "not invoiced", "uninvoiced"),
    # haste
    ("emergency", "p1", "p1 emergency", "emergency call", "life safety", "critical"),
    ("same day", "today"),
    ("next day", "tomorrow"),
    ("this week", "within a week"),
    ("whenever", "no rush", "any time"),
    # work
    ("installation", "install", "new install"),
    ("tune up", "seasonal tune up", "precision tune up"),
    ("recall", "callback", "call back", "go back", "recall callback"),
    ("replacement", "replace", "change out", "changeout", "swap out"),
    ("estimate", "quote", "bid", "proposal"),
    ("inspection", "inspect"),
    ("test", "testing"),
    ("back flow", "backflow"),
    # what people call customers
    ("vip", "very important customer"),
    ("do not contact", "dnc", "no contact"),
    ("do not call", "no calls", "dnc list"),
    ("financing", "financed", "on financing"),
    ("past due", "overdue", "delinquent", "late payer"),
    ("senior discount", "senior", "senior citizen discount"),
    ("member", "club member", "plan member"),
    ("tax exempt", "exempt from tax"),
)  # fmt: skip
"""One row a value."""

OPPOSITES: tuple[tuple[str, str], ...] = (
    ("high", "low"),
    ("hot", "cold"),
    ("warm", "cold"),
    ("hot", "warm"),
    ("open", "closed"),
    ("indoor", "outdoor"),
    ("residential", "commercial"),
    ("tenant", "landlord"),
    ("start", "end"),
    ("repair", "replacement"),
    ("repair", "installation"),
    ("heating", "cooling"),
    ("paid", "unpaid"),
    ("first", "last"),
    ("front", "back"),
    ("before", "after"),
    ("opt in", "opt out"),
)
"""Pairs of which one never stands for the other."""

NEGATIONS = frozenset(
    ("no", "not", "non", "never", "without", "denied", "declined", "refused", "former", "ex")
)
_NEGATING = ("un", "non", "in", "not", "no", "de", "dis")

SECRETS: tuple[str, ...] = (
    *(
        "ssn",
        "social security",
        "social security number",
        "password",
        "wifi password",
        "wi fi password",
        "passcode",
    ),
    *("credit card", "credit card number", "card number", "cvv", "cvc", "card expiration", "bank account"),
    *(
        "bank account number",
        "routing number",
        "account number iban",
        "iban",
        "driver license number",
        "passport",
    ),
    *("drivers license", "passport number", "alarm code", "pin"),
)
"""Names of what should not be copied from system to system without somebody's deliberate word."""

IDLE: tuple[str, ...] = (
    *(
        "test",
        "testing",
        "tbd",
        "misc",
        "miscellaneous",
        "other",
        "unused",
        "old",
        "temp",
        "do not use",
        "delete",
    ),
    *(
        "dummy",
        "sample",
        "example",
        "untitled",
        "new field",
        "custom",
        "field",
        "custom field",
        "na",
        "none",
        "blank",
    ),
)
"""Names that say nothing."""


@cache
def _rows(table: str) -> Mapping[frozenset[str], frozenset[int]]:
    found: dict[frozenset[str], set[int]] = {}
    for number, row in enumerate({"fields": FIELDS, "values": VALUES}[table]):
        for phrase in row:
            found.setdefault(frozenset(words(phrase)), set()).add(number)
    return {phrase: frozenset(numbers) for phrase, numbers in found.items()}


def meanings(table: str, name: str) -> frozenset[int]:
    """The rows of `fields` or `values` of which a name is one of the spellings."""
    return _rows(table).get(frozenset(words(name)), frozenset())


@cache
def spellings(table: str, row: int) -> tuple[frozenset[str], ...]:
    """The stems of every name in one row."""
    return tuple(frozenset(words(phrase)) for phrase in {"fields": FIELDS, "values": VALUES}[table][row])


def contradict(one: str, other: str) -> bool:
    """Whether one name says the opposite of the other: a negation that only one has, or a pair of opposites."""
    mine, theirs = set(words(one)), set(words(other))
    # What only one of the two says: a word that both have cannot set them against each other.
    if NEGATIONS.isdisjoint(written_out(one)) != NEGATIONS.isdisjoint(written_out(other)):
        return True
    if _negated(compact(one), compact(other)) or _negated(compact(other), compact(one)):
        return True
    for left, right in OPPOSITES:
        a, b = set(words(left)), set(words(right))
        for x, y in ((a, b), (b, a)):
            if x <= mine and y <= theirs and not x <= theirs and not y <= mine:
                return True
    return False


def is_secret(name: str) -> bool:
    """Whether a name is that of a password, a number of an identity or of a bank."""
    mine = frozenset(words(name))
    return any(frozenset(words(secret)) <= mine for secret in SECRETS)


def is_idle(name: str) -> bool:
    """Whether a name says nothing about what it holds."""
    mine = [word for word in words(name) if not word.isdigit()]
    if not mine or not any(char.isalpha() for char in name):
        return True
    idle = {word for phrase in IDLE for word in words(phrase)}
    letters = compact(name)
    keys = any(letters in row for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")) and len(letters) > 2
    return keys or len(set(letters)) == 1 or set(mine) <= idle or _retired(plain(name))


def _retired(name: str) -> bool:
    return any(
        sign in name for sign in ("do not use", "don't use", "deprecated", "obsolete")
    ) or name.startswith(("zz", "xx"))


def _negated(longer: str, shorter: str) -> bool:
    return bool(shorter) and any(longer == prefix + shorter for prefix in _NEGATING)
