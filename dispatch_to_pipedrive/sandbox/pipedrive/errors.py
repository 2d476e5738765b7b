"""How does the vendor say no? Refusals, each with the literal body of the documents or of an observed answer."""

from typing import Any

import orjson

SUPPORT = "Please check developers.pipedrive.com"


class Refused(Exception):
    """A request the account does not carry out: its status and the JSON body of the answer."""

    def __init__(
        self, status: int, body: dict[str, Any], headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        super().__init__(f"{status} {body.get('error', '')}")
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def content(self) -> bytes:
        """The body as sent."""
        return orjson.dumps(self.body)


class Invalid(Exception):
    """One value that is not acceptable: `Validation failed: {path}: {words}`."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def validation(problems: list[str]) -> Refused:
    """v2's 400 for a body or query that breaks the schema; several problems are joined with '; '."""
    return Refused(
        400,
        {
            "success": False,
            "error": "Validation failed: " + "; ".join(problems),
            "code": "ERR_SCHEMA_VALIDATION_FAILED",
        },
    )


def not_allowed(key: str) -> str:
    """The words for an unknown key."""
    return f"{key}: Parameter '{key}' is not allowed for this request"


def plain(status: int, words: str, info: str = SUPPORT) -> Refused:
    """The general error body."""
    return Refused(
        status,
        {"success": False, "error": words, "error_info": info, "data": None, "additional_data": None},
    )


def unauthorized() -> Refused:
    """401 as the gateway words it."""
    return Refused(
        401,
        {"success": False, "error": "unauthorized access", "errorCode": 401, "error_info": SUPPORT},
        ((b"x-401-by-gw", b"true"), (b"x-correlation-id", b"00000000-0000-4000-8000-000000000401")),
    )


def forbidden() -> Refused:
    """403 for something this user may not do, or a feature that is not set up."""
    return plain(403, "You do not have permissions to do this.")


def not_found() -> Refused:
    """404 for an entity that is not there."""
    return plain(404, "Entity was not found", "Object was not found.")


def capped(what: str, code: str) -> Refused:
    """403 for a plan's cap."""
    body = plain(403, what, f"{SUPPORT} for more information about Pipedrive API.").body
    return Refused(403, body | {"code": code})


def too_many() -> Refused:
    """429, burst and day alike."""
    return Refused(429, {"success": False, "error": "Rate limit exceeded", "errorCode": 429})


CLOUDFLARE = (
    b'<!DOCTYPE html>\n<html lang="en-US">\n<head><title>Access denied | api.pipedrive.com used Cloudflare to '
    b"restrict access</title></head>\n<body>\n<h1>Error 1015</h1>\n<h2>You are being rate limited</h2>\n"
    b"<p>The owner of this website (api.pipedrive.com) has banned you temporarily from accessing this website."
    b"</p>\n<p>This error is produced by Cloudflare.</p>\n</body>\n</html>\n"
)
