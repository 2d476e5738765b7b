"""Who may call: client credentials for a token of 900 seconds, then token, app key and tenant on each call."""

import base64
import hmac
from hashlib import blake2b

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ..clock import Clock
from .errors import ApiError
from .tenant import Credentials

TOKEN_LIFE = 900
_SCOPE = "tn.crm.customers:r tn.crm.locations:r tn.jpm.jobs:r tn.jpm.appointments:r tn.acc.invoices:r tn.frm.jobs:r"


class Door:
    """Gives out tokens and looks at them again."""

    def __init__(self, clock: Clock, credentials: Credentials) -> None:
        self._clock = clock
        self._credentials = credentials
        self._issued = 0
        self._expiry: dict[str, float] = {}

    async def token(self, request: Request) -> Response:
        """`POST /connect/token`, form-encoded."""
        async with request.form() as form:
            given = {key: str(value) for key, value in form.items()}
        if given.get("grant_type") != "client_credentials":
            return _oauth_error(400, "unsupported_grant_type")
        known = hmac.compare_digest(given.get("client_id", "").encode(), self._credentials.client_id.encode())
        secret = self._credentials.client_secret.encode()
        if not (hmac.compare_digest(given.get("client_secret", "").encode(), secret) and known):
            return _oauth_error(400, "invalid_client")
        body = {
            "access_token": self._issue(),
            "expires_in": TOKEN_LIFE,
            "token_type": "Bearer",
            "scope": _SCOPE,
        }
        return Response(orjson.dumps(body), 200, {"Cache-Control": "no-store"}, "application/json")

    def check(self, request: Request) -> None:
        """Raise ApiError unless the call bears a living token, the app key and this tenant's id."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        expiry = self._expiry.get(token)
        if expiry is None or self._clock.timestamp() >= expiry:
            raise ApiError(401, "Unauthorized", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        key = request.headers.get("st-app-key") or request.query_params.get("servicetitanapplicationkey", "")
        if not hmac.compare_digest(key.encode(), self._credentials.app_key.encode()):
            raise ApiError(403, "The application key is missing or not known.")
        if request.path_params.get("tenant") != str(self._credentials.tenant_id):
            raise ApiError(403, "The application has no access to this tenant.")

    def _issue(self) -> str:
        """A token that looks like a JWT and is none: clients must not read it."""
        now = self._clock.timestamp()
        self._issued += 1
        self._expiry = {token: end for token, end in self._expiry.items() if end > now}
        head = _b64(orjson.dumps({"alg": "RS256", "typ": "at+jwt"}))
        body = _b64(
            orjson.dumps({"client_id": self._credentials.client_id, "jti": self._issued, "nbf": int(now)})
        )
        secret = self._credentials.client_secret.encode()
        token = f"{head}.{body}.{_b64(blake2b(body.encode(), key=secret[:64], digest_size=32).digest())}"
        self._expiry[token] = now + TOKEN_LIFE
        return token


def _oauth_error(status: int, code: str) -> Response:
    return Response(orjson.dumps({"error": code}), status, media_type="application/json")


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
