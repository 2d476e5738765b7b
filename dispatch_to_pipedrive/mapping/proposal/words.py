"""What does a name say, whatever its case, punctuation, abbreviations and endings are?

Names of people's fields and values become tuples of stems: `permit_num`, `Permit No.` and `PERMIT #` all become
("permit", "number"). Two names that become the same are still only alike, never the same thing for certain.
"""

import re
import unicodedata
from functools import lru_cache

SHORT: dict[str, str] = {
    "acct": "account",
    "addl": "additional",
    "addr": "address",
    "agmt": "agreement",
    "amt": "amount",
    "appt": "appointment",
    "apt": "apartment",
    "avg": "average",
    "bday": "birthday",
    "bldg": "building",
    "cd": "code",
    "cnt": "count",
    "co": "company",
    "comm": "commercial",
    "cond": "condition",
    "cust": "customer",
    "ctr": "center",
    "desc": "description",
    "diag": "diagnostic",
    "disc": "discount",
    "dob": "date of birth",
    "dept": "department",
    "dnc": "do not contact",
    "dt": "date",
    "ein": "employer identification number",
    "elec": "electrical",
    "emer": "emergency",
    "emp": "employee",
    "eqp": "equipment",
    "equip": "equipment",
    "est": "estimated",
    "exp": "expiration",
    "ext": "extension",
    "freq": "frequency",
    "ft": "foot",
    "feet": "foot",
    "hi": "high",
    "hp": "heat pump",
    "hr": "hour",
    "hrs": "hour",
    "htr": "heater",
    "hvy": "heavy",
    "info": "information",
    "ins": "insurance",
    "insp": "inspection",
    "instr": "instructions",
    "inv": "invoice",
    "ld": "lead",
    "lic": "license",
    "loc": "location",
    "maint": "maintenance",
    "mbr": "member",
    "mfg": "manufacturer",
    "mfr": "manufacturer",
    "mgr": "manager",
    "mgmt": "management",
    "misc": "miscellaneous",
    "mkt": "marketing",
    "mktg": "marketing",
    "nbr": "number",
    "num": "number",
    "org": "organization",
    "pct": "percent",
    "ph": "phone",
    "pkg": "package",
    "plmb": "plumbing",
    "pmt": "payment",
    "po": "purchase order",
    "pref": "preferred",
    "prev": "previous",
    "pri": "priority",
    "prob": "probability",
    "prop": "property",
    "pymt": "payment",
    "qty": "quantity",
    "rec": "recommended",
    "ref": "reference",
    "rep": "representative",
    "repl": "replacement",
    "res": "residential",
    "rpr": "repair",
    "sched": "scheduled",
    "sn": "serial number",
    "sq": "square",
    "sqft": "square foot",
    "sr": "senior",
    "std": "standard",
    "svc": "service",
    "sys": "system",
    "sz": "size",
    "tech": "technician",
    "tel": "phone",
    "temp": "temperature",
    "tot": "total",
    "tstat": "thermostat",
    "vol": "volume",
    "warr": "warranty",
    "wh": "water heater",
    "wty": "warranty",
    "yr": "year",
    "yrs": "year",
}
"""Abbreviations of the trade, and what they stand for."""

_JOINED = {
    "footage": "foot",
    "gatecode": "gate code",
    "homepage": "home page",
    "linkedin": "linked in",
    "tuneup": "tune up",
    "website": "web site",
    "zipcode": "zip code",
}
_EMPTY = frozenset(
    (
        *(
            "a",
            "an",
            "and",
            "are",
            "at",
            "by",
            "for",
            "from",
            "has",
            "have",
            "in",
            "is",
            "of",
            "on",
            "or",
            "s",
        ),
        *("the", "to", "us", "with", "you", "your"),
    )
)
_ENDINGS = ("ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "s", "e")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SIGNS = str.maketrans({"#": " number ", "%": " percent ", "&": " and ", "’": "", "'": ""})
_DOTS = re.compile(r"\b(?:\w\.){2,}|\b\w/\w\b")
_FIGURES = re.compile(r"(?:(?<=\s)-|^-)?\d+(?:[^\w\s]\d+)*")
_SHORTEST_STEM = 4


@lru_cache(maxsize=65_536)
def plain(text: str) -> str:
    """Case, blanks and composed characters made one; nothing else."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


@lru_cache(maxsize=65_536)
def compact(text: str) -> str:
    """Letters and digits alone: what is left of `In Progress` and `in-progress` is the same."""
    return "".join(char for char in plain(text) if char.isalnum())


def figures(text: str) -> tuple[str, ...]:
    """The numbers of a text as they stand: 1.5 is not 15, nor is -5 the same as 5."""
    return tuple(_FIGURES.findall(plain(text)))


def symbols(text: str) -> frozenset[str]:
    """What is neither letter, digit, blank nor punctuation: currency and plus signs, arrows, emoji."""
    return frozenset(char for char in plain(text) if unicodedata.category(char).startswith("S"))


@lru_cache(maxsize=65_536)
def words(text: str) -> tuple[str, ...]:
    """The stems of a name in their order, abbreviations written out, words without a meaning left out."""
    spoken = written_out(text)
    return tuple(stem(word) for word in spoken if word not in _EMPTY) or tuple(map(stem, spoken))


@lru_cache(maxsize=65_536)
def written_out(text: str) -> tuple[str, ...]:
    """Every word of a name in its order, abbreviations written out, endings kept."""
    found: list[str] = []
    parts = _parts(text)
    for at, part in enumerate(parts):
        last = at and at == len(parts) - 1
        if part == "no" and (last or parts[at + 1 : at + 2] == ["of"]):
            part = "number"  # `Permit No.` and `No. of Units`, but not `No Heat`
        found += _JOINED.get(part, SHORT.get(part, part)).split()
    return tuple(found)


def _parts(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    text = _DOTS.sub(lambda dotted: re.sub(r"[./]", "", dotted.group()), text)
    text = _CAMEL.sub(" ", text).casefold()
    return re.findall(r"[^\W_]+", text)


def stem(word: str) -> str:
    """A word without its ending, where enough is left of it: install of installation, estimat of estimated."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return _single(word[: -len(ending)] + ("i" if ending in ("ies", "ied") else ""))
    if word.endswith("s") and len(word) > 3 and not word.endswith("ss"):
        return word[:-1]
    return word[:-1] + "i" if word.endswith("y") and len(word) > _SHORTEST_STEM else _single(word)


def _single(word: str) -> str:
    """Without a doubled last letter: canceled and cancelled are one word."""
    return word[:-1] if len(word) > _SHORTEST_STEM and word[-1] == word[-2] else word
