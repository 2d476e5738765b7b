"""How the vendor says no: RFC 7807 problems with all six fields of its document."""

from collections.abc import Mapping
from hashlib import blake2b

import orjson
from starlette.responses import Response

_TYPES = {
    400: "https://tools.ietf.org/html/rfc7231#section-6.5.1",
    401: "https://tools.ietf.org/html/rfc7235#section-3.1",
    403: "https://tools.ietf.org/html/rfc7231#section-6.5.3",
    404: "https://tools.ietf.org/html/rfc7231#section-6.5.4",
    405: "https://tools.ietf.org/html/rfc7231#section-6.5.5",
    429: "https://tools.ietf.org/html/rfc6585#section-4",
}
INVALID = "One or more validation errors occurred."


class ApiError(Exception):
    """An answer that is no success; raised anywhere below a route, written once by the app."""

    def __init__(
        self,
        status: int,
        title: str,
        *,
        errors: Mapping[str, list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The envelope."""
        body = {
            "type": _TYPES.get(self.status, "https://tools.ietf.org/html/rfc7231"),
            "title": self.title,
            "status": self.status,
            "traceId": f"00-{blake2b(self.title.encode(), digest_size=16).hexdigest()}-00",
            "errors": self.errors,
            "data": {},
        }
        return Response(orjson.dumps(body), self.status, self.headers, "application/json")


def invalid(field: str, message: str) -> ApiError:
    """A 400 about one parameter, named as the vendor names them (first letter a capital)."""
    return ApiError(400, INVALID, errors={field[:1].upper() + field[1:]: [message]})


def not_found(what: str, record_id: int | str) -> ApiError:
    """A 404."""
    return ApiError(404, f"{what} {record_id} was not found.")
