"""What people, companies, streets and notes are called: word lists, and how a row draws from them."""

from typing import Any

import numpy as np

from ..draw import Draw, Flags
from ..times import Ints


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


FIRST = _words(
    "James|Mary|Robert|Patricia|John|Jennifer|Michael|Linda|David|Elizabeth|William|Barbara|"
    "Richard|Susan|Joseph|Jessica|Thomas|Sarah|Carlos|Karen|Christopher|Lisa|Daniel|Nancy|"
    "Matthew|Betty|Anthony|Margaret|Mark|Sandra|Zoë|José|Łukasz|Søren|Małgorzata|François|Nguyễn|"
    "Siân|Jürgen|Ángela|Oğuz|Anaïs|Björn|Chloé|Dvořák|Ines"
)
LAST = _words(
    "Smith|Johnson|Williams|Brown|Jones|Garcia|Miller|Davis|Rodriguez|Martinez|Hernandez|Lopez|"
    "Gonzalez|Wilson|Anderson|Thomas|Taylor|Moore|Jackson|Martin|Lee|Perez|Thompson|White|Harris|"
    "Sanchez|Clark|Ramirez|Lewis|Robinson|Walker|Young|Allen|King|Wright|Scott|Torres|Nguyen|"
    "Hill|Flores|Green|Adams|Nelson|Baker|Hall|Rivera|Campbell|Mitchell|Carter|Roberts|O'Brien|"
    "D'Angelo|Smith-Jones|Nuñez|Müller|Łaskowski|Åkesson|Çelik|Østergård|Żółć|Bąk|Řehoř|Đorđević|"
    "van\u00a0Dijk"
)
WHOLE = (
    "محمد العلي",
    "פלונית אלמונית",
    "王小明",
    "山田 太郎",
    "Иван Петров",
    "Αλέξανδρος Παπάς",
    "فاطمة الزهراء",
    "김민준",
)
TRADES = (
    "Dental Group",
    "Properties LLC",
    "Property Management",
    "Bakery & Café",
    "Auto Body",
    "Elementary School",
    "Storage, Inc.",
    "Medical Center",
    "Logistics",
    "Homeowners Association",
    "Church of Phoenix",
    "Brewing Co.",
)
STREETS = (
    "Main St",
    "E Camelback Rd",
    "N 7th Ave",
    "W Indian School Rd",
    "S Mill Ave",
    "Calle de la Luna",
    "N Scottsdale Rd",
    "E Baseline Rd",
    "W Thunderbird Rd",
    "O'Neil Dr",
    "Piñon Way",
    "County Road 12½",
)
CITIES = (
    ("Phoenix", "85001", 33.4484, -112.074),
    ("Scottsdale", "85251", 33.4942, -111.9261),
    ("Tempe", "85281", 33.4255, -111.94),
    ("Mesa", "85201", 33.4152, -111.8315),
    ("Glendale", "85301", 33.5387, -112.186),
    ("Cañon City", "85324", 34.0722, -112.1388),
    ("Peoria", "85345", 33.5806, -112.2374),
    ("Surprise", "85374", 33.6292, -112.3679),
)
UNITS = ("Apt 2B", "#14", "Suite 300", "Unit ½", "Bldg C")
SUMMARIES = (
    "<p>No cooling upstairs</p>",
    "<p>Customer reports <b>banging noise</b> &amp; burnt smell.</p>"
    "<ul><li>Check blower</li><li>Check ducts</li></ul>",
    "Leak under the kitchen sink",
    '<div style="color:red"><p>URGENT: no heat, infant at home</p></div>',
    "<p>Annual tune-up&nbsp;– see membership</p>",
    "<p>Quote requested: 3-ton system &lt;16 SEER&gt;</p><br/>",
    "<p>Gate code #1234; dog in back yard 🐕</p>",
    None,
    "",
    '<p>Replaces job from last week — <a href="https://example.com/photo">photo</a></p>',
    '=HYPERLINK("https://example.com","see here")',
    "<p>سخان الماء لا يعمل</p>",
)
INSTRUCTIONS = (
    None,
    None,
    None,
    "Call 30 minutes ahead",
    "Use the side gate\nBeware of dog",
    "Ring twice & wait",
    "",
)
NOTES = (
    "Called customer, left VM",
    "Customer prefers mornings.\nDo not park in the driveway.",
    "Parts ordered: capacitor 45/5 µF, ETA Friday",
    "<p>Sent estimate <i>#A-17</i></p>",
    "Paid by check at the door",
    "Tenant will let us in 🔑",
    "Filter size 20×25×1",
    "السعر متفق عليه",
)
CANCEL_MEMOS = (
    "Customer found another provider",
    "Rescheduled with <another> office",
    None,
    "",
    "Booked twice",
    "Too expensive",
)
MEMOS = ("Owner cell", "Work", "Spouse", None, None, "Billing", "After 5pm only", "Assistant: María")
FAMILIES = (
    "Tenant: Alex Kim",
    "Site manager: Dana Ortiz",
    "Front desk",
    "Superintendent — Øyvind",
    "Guard house",
)


def people(draw: Draw, rows: Ints) -> list[str]:
    """A person's name for each row; about 2 % in other scripts."""
    first = draw.below("first", rows, len(FIRST)).tolist()
    last = draw.below("last", rows, len(LAST)).tolist()
    whole = draw.below("whole", rows, len(WHOLE)).tolist()
    other = draw.chance("other script", rows, 0.02).tolist()
    style = draw.below("style", rows, 60).tolist()
    names = []
    for f, la, w, o, s in zip(first, last, whole, other, style, strict=True):
        name = WHOLE[w] if o else f"{FIRST[f]} {LAST[la]}"
        if s == 0:
            name = name.upper()
        elif s == 1:
            name = f"{LAST[la]}, {FIRST[f]}"
        elif s == 2:
            name = f" {name}  "
        elif s == 3:
            name = f"{FIRST[f]} & {FIRST[(f + 7) % len(FIRST)]} {LAST[la]}"
        names.append(name)
    return names


def companies(draw: Draw, rows: Ints) -> list[str]:
    """A company's name for each row."""
    last = draw.below("owner", rows, len(LAST)).tolist()
    trade = draw.below("trade", rows, len(TRADES)).tolist()
    return [f"{LAST[la]} {TRADES[t]}" for la, t in zip(last, trade, strict=True)]


def emails(draw: Draw, rows: Ints) -> list[str]:
    """An e-mail address for each row, no two rows the same when case is folded; some in capitals."""
    host = draw.below("host", rows, 4).tolist()
    shouted = draw.chance("capitals", rows, 0.04).tolist()
    hosts = ("example.com", "example.net", "mail.example.org", "example.co.uk")
    written = [f"customer{row}@{hosts[h]}" for row, h in zip(rows.tolist(), host, strict=True)]
    return [text.upper() if loud else text for text, loud in zip(written, shouted, strict=True)]


def phones(draw: Draw, rows: Ints) -> list[str]:
    """A telephone number for each row, written as people write them."""
    area = draw.below("area", rows, 5).tolist()
    line = draw.below("line", rows, 10_000).tolist()
    form = draw.weighted("form", rows, (70, 15, 6, 4, 3, 2)).tolist()
    codes = ("602", "480", "623", "520", "928")
    forms = (
        "{0}555{1}",
        "({0}) 555-{1}",
        "+1 {0}-555-{1}",
        "{0}.555.{1} x12",
        "1-{0}-555-{1}",
        "{0} 555 {1} (home)",
    )
    return [forms[f].format(codes[a], f"{ln:04d}") for a, ln, f in zip(area, line, form, strict=True)]


def addresses(draw: Draw, rows: Ints, *, whole: bool = True) -> list[dict[str, Any]]:
    """A postal address for each row; `whole` adds latitude and longitude."""
    number = draw.between("number", rows, 1, 19_999).tolist()
    street = draw.below("street", rows, len(STREETS)).tolist()
    city = draw.below("city", rows, len(CITIES)).tolist()
    unit = draw.below("unit", rows, len(UNITS) * 8).tolist()
    plus4 = draw.between("plus four", rows, 1000, 90_000).tolist()
    located: Flags = ~draw.chance("not located", rows, 0.1)
    shift = np.round(draw.unit("shift", rows) * 0.05, 6).tolist()
    made: list[dict[str, Any]] = []
    for n, s, c, u, p, here, d in zip(
        number, street, city, unit, plus4, located.tolist(), shift, strict=True
    ):
        name, code, latitude, longitude = CITIES[c]
        address: dict[str, Any] = {
            "street": f"{n} {STREETS[s]}",
            "unit": UNITS[u] if u < len(UNITS) else None,
            "city": name,
            "state": "AZ",
            "zip": f"{code}-{p}" if p < 10_000 else code,
            "country": "USA",
        }
        if whole:
            address["latitude"] = round(latitude + d, 6) if here else None
            address["longitude"] = round(longitude - d, 6) if here else None
        made.append(address)
    return made
