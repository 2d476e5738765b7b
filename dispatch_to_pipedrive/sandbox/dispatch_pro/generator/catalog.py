"""What the company sells and how it names things: units, job types, tags, fields, reasons, and their first ids."""

from ..table import Record
from ..times import DAY, HOUR, write_ticks

UNIT, JOB_TYPE, TAG, TECHNICIAN, OFFICE, ZONE, REASON, CAMPAIGN = 1201, 2201, 3301, 601, 301, 7101, 91, 8801
USER_OF_TECHNICIAN, USER_OF_OFFICE = 1601, 1301
FEWEST = 9  # technicians of the smallest tenant
PRIORITY_FIELD = 931

# name, trade, division
UNITS = (
    ("HVAC - Service", "HVAC", "Service"),
    ("HVAC - Install", "HVAC", "Install"),
    ("Plumbing - Service", "Plumbing", "Service"),
    ("Plumbing - Install", "Plumbing", "Replacement"),
    ("Electrical", "Electrical", "Service"),
    ("Sales", "HVAC", "Sales"),
)
# name, unit, class, priority, hours, enabled for Dispatch Pro, active, weight
JOB_TYPES: tuple[tuple[str, int, str, str, int, bool, bool, int], ...] = (
    ("No Cooling", 0, "Service", "High", 2, True, True, 18),
    ("No Heat", 0, "Service", "Urgent", 2, True, True, 10),
    ("AC Tune-Up", 0, "Maintenance", "Low", 1, True, True, 18),
    ("Furnace Tune-Up", 0, "Maintenance", "Low", 1, True, True, 10),
    ("System Replacement", 1, "Installation", "Normal", 8, False, True, 6),
    ("Heat Pump Installation", 1, "Installation", "Normal", 8, False, True, 3),
    ("Drain Clearing", 2, "Service", "High", 2, True, True, 9),
    ("Leak Repair", 2, "Service", "Urgent", 2, True, True, 7),
    ("Water Heater Replacement", 3, "Installation", "Normal", 4, False, True, 4),
    ("Panel Upgrade", 4, "Installation", "Normal", 6, False, True, 2),
    ("EV Charger “Quick” <240V> & Install", 4, "Installation", "Normal", 4, False, True, 1),
    ("Estimate - HVAC", 5, "Sales", "Normal", 1, True, True, 5),
    ("Site Visit – Plumbing", 5, "Sales", "Normal", 1, False, True, 3),
    ("Warranty Repair", 0, "Warranty", "High", 2, True, True, 2),
    ("Recall / Callback", 0, "Recall", "High", 1, True, True, 2),
    ("Old Service Type", 2, "", "Normal", 1, False, False, 1),
)
JOB_TYPE_SUMMARIES = {
    "No Cooling": "<p>Ask for the <b>model</b> &amp; age of the unit.</p>",
    "AC Tune-Up": "Check filter\nCheck refrigerant\nTake a photo",
    "System Replacement": "<ul><li>Permit</li><li>Crane?</li></ul>",
    "Estimate - HVAC": "=Both owners at home",
}
PRIORITIES = ("Low", "Normal", "High", "Urgent")
BUCKETS = (
    "P1 Emergency",
    "P2 No heat or cooling",
    "P3 Same day",
    "P4 Next day",
    "P5 This week",
    "P6 Planned",
    "P7 Flexible",
    "P8 Whenever",
)
# name, importance, active
TAGS: tuple[tuple[str, str | None, bool], ...] = (
    ("VIP", "High", True),
    ("Do Not Call", "High", True),
    ("Net 30, PO required", None, True),
    ("Señor discount", None, True),
    ("🔥 Hot lead", "Medium", True),
    ("Warranty", None, True),
    ("Recall", "Medium", True),
    ("Financing", None, True),
    ("O'Brien territory", None, True),
    ("عميل مميز", None, True),
    ("vip ", None, True),
    ("Retired tag", None, False),
)
Field = tuple[int, str, str, list[str] | None]
# id, name, data type, options: the vendor's three data types, for each kind of record
CUSTOMER_FIELDS: tuple[Field, ...] = (
    (901, "Gate Code", "Text", None),
    (902, "Lead Source", "Dropdown", ["Google", "Referral", "Truck, seen", "Yard sign"]),
    (903, "Square Footage", "Numeric", None),
)
LOCATION_FIELDS: tuple[Field, ...] = (
    (911, "Access Notes", "Text", None),
    (912, "Roof Type", "Dropdown", ["Tile", "Shingle", "Flat"]),
    (913, "System Age", "Numeric", None),
)
JOB_FIELDS: tuple[Field, ...] = (
    (PRIORITY_FIELD, "Dispatch Pro Priority", "Dropdown", list(BUCKETS)),
    (932, "Permit Number", "Text", None),
    (933, "Estimated Hours", "Numeric", None),
    (934, "Permit Needed", "Dropdown", ["Yes", "No", "Unknown"]),
)
_FIELDS = {
    "customers": CUSTOMER_FIELDS,
    "locations": LOCATION_FIELDS,
    "jobs": JOB_FIELDS,
    "technicians": (),
}
# name, data type, options: what a tenant with extra fields has beside its own, for each kind of record
_EXTRA: tuple[tuple[str, str, list[str] | None], ...] = (
    ("Zählernummer", "Text", None),
    ("Warranty – Exp. (mm/yy)", "Text", None),
    ("<b>Bold</b> Remark", "Text", None),
    ("مرجع", "Text", None),
    ("Preferred Time", "Dropdown", ["Morning", "Afternoon", "Any, really"]),
    ("Credit Rating", "Dropdown", ["A+", "A", "=B", "C <low>"]),
    ("Language 🗣", "Dropdown", ["English", "Español", "中文"]),
    ("Ladder Height (ft)", "Numeric", None),
    ("Score", "Numeric", None),
    ("Distance, km", "Numeric", None),
)
_EXTRA_FIRST = {"customers": 9401, "locations": 9501, "jobs": 9601, "technicians": 9701}
CANCEL_REASONS = (
    "Customer request",
    "No show",
    "Duplicate",
    "Weather",
    "Price – too high",
    "Other <unlisted>",
)
CAMPAIGNS = ("Google LSA", "Referral", "Direct Mail", "Radio")
ROLES = ("CSR", "Dispatch", "Accounting", "Owner", "GeneralOffice", "SalesManager")
SKILLS = ("HVAC Service", "HVAC Install", "Plumbing", "Electrical", "Sales")


def fields_of(feed: str, *, extra: bool = False) -> tuple[Field, ...]:
    """The custom fields of customers, locations, jobs or technicians; `extra` adds ten of every data type."""
    first, kind = _EXTRA_FIRST[feed], feed.removesuffix("s").capitalize()
    more = tuple(
        (first + at, f"{kind}: {name}", data, options) for at, (name, data, options) in enumerate(_EXTRA)
    )
    return _FIELDS[feed] + (more if extra else ())


def author_of(looks: int) -> int:
    """Who wrote a note or added a file: a user of the office, or one time in three a technician's user."""
    return USER_OF_TECHNICIAN + looks // 3 % FEWEST if looks % 3 == 0 else USER_OF_OFFICE + looks % 4


def settled_times(now: int, at: int) -> Record:
    """When the company's own records were made and changed: years ago."""
    born = now - 7 * 365 * DAY + at * HOUR + 1
    modified = now - 660 * DAY + at * 37 * DAY // 36 if at % 3 else born
    return {"createdOn": write_ticks(born), "modifiedOn": write_ticks(modified)}
