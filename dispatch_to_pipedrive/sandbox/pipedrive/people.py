"""Who works at this company, and in which currencies? Users and currencies as v1 shows them."""

import hashlib
import uuid
from collections.abc import Iterable
from typing import Any

CURRENCIES: tuple[tuple[str, str, int, str], ...] = (
    ("USD", "US Dollar", 2, "$"),
    ("EUR", "Euro", 2, "€"),
    ("GBP", "British Pound", 2, "£"),
    ("CAD", "Canadian Dollar", 2, "CA$"),
    ("AUD", "Australian Dollar", 2, "A$"),
    ("NZD", "New Zealand Dollar", 2, "NZ$"),
    ("MXN", "Mexican Peso", 2, "MX$"),
    ("JPY", "Japanese Yen", 0, "¥"),
    ("CHF", "Swiss Franc", 2, "CHF"),
    ("SEK", "Swedish Krona", 2, "kr"),
)

_ADMIN = ("global", "sales", "account_settings")


def currencies() -> list[dict[str, Any]]:
    """The list that GET /currencies answers."""
    return [
        {
            "id": id_,
            "code": code,
            "name": name,
            "decimal_points": decimals,
            "symbol": symbol,
            "active_flag": True,
            "is_custom_flag": False,
        }
        for id_, (code, name, decimals, symbol) in enumerate(CURRENCIES, start=1)
    ]


def permission_set(seed: int, app: str, admin: bool) -> str:
    """The id of an app's permission set in this account."""
    text = f"{seed}:permission:{app}:{admin}"
    return str(uuid.UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()))


def user(seed: int, id_: int, name: str, email: str, active: bool, since: str) -> dict[str, Any]:
    """One user; the first is the admin whose token this is."""
    admin = id_ == 1
    apps = _ADMIN if admin else ("global", "sales")
    return {
        "id": id_,
        "name": name,
        "default_currency": "USD",
        "locale": "en_US",
        "lang": 1,
        "email": email,
        "phone": None,
        "activated": True,
        "last_login": since,
        "created": since,
        "modified": since,
        "has_created_company": admin,
        "access": [
            {"app": app, "admin": admin, "permission_set_id": permission_set(seed, app, admin)}
            for app in apps
        ],
        "active_flag": active,
        "timezone_name": "America/Los_Angeles",
        "timezone_offset": "-08:00",
        "role_id": 1,
        "icon_url": None,
        "is_you": admin,
        "is_deleted": False,
    }


def users(seed: int, people: Iterable[tuple[str, str, bool]], since: str) -> dict[int, dict[str, Any]]:
    """The admin, the second user who edits records in the web app, and the people named."""
    everyone = [
        ("Ada Admin", "admin@company.example", True),
        ("Eddie Editor", "editor@company.example", True),
        *people,
    ]
    return {
        id_: user(seed, id_, name, email, active, since)
        for id_, (name, email, active) in enumerate(everyone, start=1)
    }
