"""The one way to Dispatch Pro over HTTP: token, pace, retries, and refusals put into words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import orjson
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type
from tenacity.wait import wait_random_exponential

from dispatch_to_pipedrive.dispatch_pro.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    RequestFailed,
    Unauthorized,
    Unavailable,
)
from dispatch_to_pipedrive.dispatch_pro.pace import Pace

T = TypeVar("T")

_CREDENTIALS = (
    "Check DISPATCH_PRO_CLIENT_ID, DISPATCH_PRO_CLIENT_SECRET and DISPATCH_PRO_APP_KEY: "
    "they belong to one app, one tenant and one environment."
)
_SCOPES = (
    "Tick the read scope of this resource in the app, then have the tenant's administrator accept the app's "
    "new version; check that DISPATCH_PRO_APP_KEY is its key and that the tenant of DISPATCH_PRO_TENANT_ID "
    "connected it."
)
TOKEN_PATH = "/connect/token"  # noqa: S105 - an address
_KNOCKS = 3
"""So often an address is tried at which nobody has answered this client yet: it is more likely wrong than down."""
_RENEW_AT = 0.8  # of the token's life
_LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Credentials:
    """Where the tenant is and how one gets in; never shows its secrets."""

    auth_url: str
    api_url: str
    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    app_key: str = field(repr=False)


class _Again(Exception):
    """An answer worth another try, after `wait` seconds if the vendor said how long."""

    def __init__(self, failure: RequestFailed, wait: float | None = None) -> None:
        self.failure, self.wait = failure, wait
        super().__init__(str(failure))


class DispatchProClient:
    """Reads one tenant; an async context manager. All its calls share one pace and one token."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        calls_per_second: int = 60,
        concurrency: int = 60,
        timeout: float = 110.0,  # the vendor's own is 100 s
        attempts: int = 8,
        first_wait: float = 0.5,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.credentials = credentials
        self.pace = Pace(calls_per_second)
        self._attempts = attempts
        self._backoff = wait_random_exponential(multiplier=first_wait, max=30)
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout, connect=10.0),
            limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
            follow_redirects=False,  # a redirect would carry the key and the token elsewhere
            transport=transport,
        )
        self._reached: set[str] = set()
        self._told: datetime | None = None
        self._token: str | None = None
        self._renew_at = 0.0
        self._token_lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(
        self, path: str, params: Mapping[str, str] | None = None, question: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The JSON object at `path` ("{tenant}" in it is filled in), or the answer to a question posted there.

        Raises RequestFailed's children.
        """
        return await self.read(path, params or {}, _object, question)

    async def read(
        self,
        path: str,
        params: Mapping[str, str],
        parse: Callable[[bytes], T],
        question: Mapping[str, Any] | None = None,
    ) -> T:
        """What `parse`, in a thread, makes of the body; one that it refuses by ValueError is asked for again.

        question: the body of a POST, by which the vendor answers some questions.
        """
        path = path.replace("{tenant}", self.credentials.tenant_id)
        return await self._retry(lambda: self._once(path, params, parse, question))

    async def time(self) -> datetime:
        """What time it is at the vendor (UTC, to the second); ours, where its answers bear no Date."""
        await self._bearer(instead_of=self._token)
        return self.now()

    def now(self) -> datetime:
        """The vendor's time by its last answer: never later than it is there; ours, where no answer bore a Date."""
        return self._told or datetime.now(UTC)

    def _heed(self, response: httpx.Response) -> None:
        """Keep the time that an answer tells."""
        try:
            self._told = parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return

    def is_own(self, url: httpx.URL) -> bool:
        """Whether a URL leads to the API itself, where the credentials belong."""
        return _origin(url) == _origin(httpx.URL(self.credentials.api_url))

    async def open(self, path: str, headers: Mapping[str, str]) -> httpx.Response:
        """The answer to a GET before its body is read: a success, a redirect, or that the range is wrong (416).

        path: of the API, or a whole URL there. The caller closes it. Raises RequestFailed's children for the rest.
        """
        path = path.replace("{tenant}", self.credentials.tenant_id)
        return await self._retry(lambda: self._opened(path, headers))

    async def _opened(self, path: str, headers: Mapping[str, str]) -> httpx.Response:
        token = await self._bearer()
        response = await self._send(path, {}, token, headers=headers, stream=True)
        if response.status_code == 401:
            await response.aclose()
            fresh = await self._bearer(instead_of=token)
            response = await self._send(path, {}, fresh, headers=headers, stream=True)
        if response.status_code < 400 or response.status_code == 416:
            return response
        try:
            await response.aread()
        except httpx.TransportError as error:
            raise _Again(Unavailable(path, response.status_code, type(error).__name__)) from None
        finally:
            await response.aclose()
        raise self._refusal(path, response)

    async def _once(
        self,
        path: str,
        params: Mapping[str, str],
        parse: Callable[[bytes], T],
        question: Mapping[str, Any] | None,
    ) -> T:
        token = await self._bearer()
        response = await self._send(path, params, token, question)
        if response.status_code == 401:
            response = await self._send(path, params, await self._bearer(instead_of=token), question)
        if response.status_code != 200:
            raise self._refusal(path, response)
        try:
            return await asyncio.to_thread(parse, response.content)
        except ValueError as error:
            words = f"the answer is not what the documents promise ({error}): {_excerpt(response)}"
            raise _Again(Unavailable(path, response.status_code, words)) from None

    async def _send(
        self,
        path: str,
        params: Mapping[str, str],
        token: str,
        question: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
    ) -> httpx.Response:
        request = self._http.build_request(
            "GET" if question is None else "POST",
            path if "://" in path else self.credentials.api_url.rstrip("/") + path,
            params=dict(params) or None,
            json=question,
            headers={
                **(headers or {}),
                "Authorization": f"Bearer {token}",
                "ST-App-Key": self.credentials.app_key,
            },
        )
        async with self.pace.call():
            try:
                response = await self._http.send(request, stream=stream)
                self._reached.add(self.credentials.api_url)
                self._heed(response)
                return response
            except httpx.TransportError as error:
                raise _Again(Unavailable(path, None, type(error).__name__)) from None

    async def _bearer(self, instead_of: str | None = None) -> str:
        """The token; a new one when it nears its end, or when `instead_of` is still the one in use."""
        loop = asyncio.get_running_loop()
        async with self._token_lock:
            if self._token is None or loop.time() >= self._renew_at or self._token == instead_of:
                token, life = await self._retry(self._new_token)
                self._token, self._renew_at = token, loop.time() + _RENEW_AT * life
            return self._token

    async def _new_token(self) -> tuple[str, float]:
        path = TOKEN_PATH
        form = {
            "grant_type": "client_credentials",
            "client_id": self.credentials.client_id,
            "client_secret": self.credentials.client_secret,
        }
        try:
            response = await self._http.post(self.credentials.auth_url.rstrip("/") + path, data=form)
        except httpx.TransportError as error:
            raise _Again(Unavailable(path, None, type(error).__name__)) from None
        self._reached.add(self.credentials.auth_url)
        self._heed(response)
        if response.status_code in (400, 401, 403):
            raise Unauthorized(path, response.status_code, _words(response), _CREDENTIALS)
        if response.status_code != 200:
            raise self._refusal(path, response)
        try:
            answer = _object(response.content)
            return str(answer["access_token"]), float(answer["expires_in"])
        except (ValueError, KeyError, TypeError):
            raise _Again(Unavailable(path, 200, "the answer holds no token")) from None

    def _refusal(self, path: str, response: httpx.Response) -> Exception:
        status, words = response.status_code, _words(response)
        if status == 429:
            wait = _wait_asked_for(response)
            if wait is not None:
                self.pace.hold(wait)
            return _Again(Unavailable(path, status, words), wait)
        if status >= 500 or status == 408:
            return _Again(Unavailable(path, status, words), _wait_asked_for(response))
        if 300 <= status < 400:
            return RequestFailed(path, status, "a redirect is not followed.", "Check DISPATCH_PRO_API_URL.")
        if status == 401:
            return Unauthorized(path, status, words, _CREDENTIALS)
        if status == 403:
            return Forbidden(path, status, words, _SCOPES)
        if status == 404:
            return NotFound(path, status, words, "Check DISPATCH_PRO_TENANT_ID and DISPATCH_PRO_API_URL.")
        return BadRequest(path, status, words)

    async def _retry(self, call: Callable[[], Awaitable[T]]) -> T:
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(_Again),
                wait=self._wait,
                stop=self._enough,
                reraise=True,
            ):
                with attempt:
                    return await call()
        except _Again as error:
            failure = error.failure
            tried = _KNOCKS if self._nobody_there(failure) else self._attempts
            advice = f"Tried {tried} times; start again later, the work done so far is kept."
            raise Unavailable(failure.path, failure.status, failure.words, advice) from None
        raise AssertionError("unreachable")

    def _enough(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        lost = isinstance(error, _Again) and self._nobody_there(error.failure)
        return state.attempt_number >= (min(_KNOCKS, self._attempts) if lost else self._attempts)

    def _nobody_there(self, failure: RequestFailed) -> bool:
        url = self.credentials.auth_url if failure.path == TOKEN_PATH else self.credentials.api_url
        return failure.words == httpx.ConnectError.__name__ and url not in self._reached

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        jittered = self._backoff(state)
        if isinstance(error, _Again) and error.wait is not None:
            return error.wait + min(jittered, 1.0)
        return jittered


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.raw_host.decode("ascii").lower(), port


def _object(body: bytes) -> dict[str, Any]:
    value = orjson.loads(body)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _words(response: httpx.Response) -> str:
    """The vendor's own words: title and field errors of the error envelope, or the start of the page."""
    try:
        answer = _object(response.content)
    except ValueError:
        return _excerpt(response)
    parts = [str(answer.get("title") or answer.get("error_description") or answer.get("error") or "")]
    errors = answer.get("errors")
    if isinstance(errors, dict):
        parts += [f"{name}: {message}" for name, message in errors.items()]
    if trace := answer.get("traceId"):
        parts.append(f"(trace {trace})")
    return " ".join(part for part in parts if part) or _excerpt(response)


def _excerpt(response: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", response.text[:2000]).split())[:200] or "(an empty body)"


def _wait_asked_for(response: httpx.Response) -> float | None:
    """`Retry-After`, else the second-last word of the title: "Rate limit … Try again in 21 seconds."."""
    header = response.headers.get("Retry-After", "")
    if header.isdigit():
        return min(float(header), _LONGEST_WAIT)
    found = re.search(r"([\d.]+) seconds?\b", _words(response))
    return min(float(found[1]), _LONGEST_WAIT) if found and found[1].strip(".") else None
