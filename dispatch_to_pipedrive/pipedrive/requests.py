"""How one request to Pipedrive is paid, sent, repeated and read: all HTTP to it is here.

Every call pays its price before it leaves. Reads are repeated with jitter; a write is repeated only when the server
said that it did not execute it (429). What was sent and not answered is `Ambiguous`: only a look at the account can
settle it. But an upload whose last chunk never left was not executed, whatever went wrong.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, partial
from types import TracebackType
from typing import Any, Self

import httpx
import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from dispatch_to_pipedrive.pipedrive.answers import (
    Answer,
    Reply,
    envelope_of,
    opened,
    record_of,
    refusal,
)
from dispatch_to_pipedrive.pipedrive.budget import Kind, Ticket, TokenBudget
from dispatch_to_pipedrive.pipedrive.errors import (
    Ambiguous,
    Blocked,
    PipedriveError,
    Throttled,
    Transient,
)
from dispatch_to_pipedrive.pipedrive.streams import Digest, Form, Incoming, Outgoing, Upload, renewed

REDIRECTS = 3
"""A download is passed on to a store; so often at most."""
COOL_OFF = 900.0
"""Seconds of silence after an HTML 403: the vendor's front blocks callers that go on."""
READ_ATTEMPTS = 6
WRITE_ATTEMPTS = 6
_Content = bytes | Form | Upload | None


class Requests:
    """One account, one token, one budget: an asynchronous context manager that sends and reads."""

    def __init__(
        self,
        api_url: str,
        token: str,
        budget: TokenBudget,
        *,
        concurrency: int = 16,
        request_timeout: float = 30.0,
        before_send: Callable[[], None] | None = None,
        cool_off: float = COOL_OFF,
        backoff: float = 0.5,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare; nothing is sent.

        api_url: scheme and host; v2 is at {api_url}/api/v2, v1 at {api_url}/api/v1.
        request_timeout: seconds after which a request, connecting included, is given up; of a file that goes up or
            comes down they are counted anew from each chunk.
        before_send: called for each write after all waiting, and once more in the same breath in which its
            last byte is handed to the system; what it raises ends the call with nothing executed.
        backoff: seconds, the first step of the waits between repeated reads.
        """
        if httpx.URL(api_url).scheme not in ("http", "https"):
            raise ValueError(f"not an http address: {api_url!r}")
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("the API token is empty or holds characters that no token has")
        self.budget = budget
        self.before_send = before_send
        self.request_timeout = request_timeout
        self.throttled = 0
        self.writes = 0
        self.accepted = 0
        """Writes that the server answered with a record: it carried them out."""
        self._url = api_url.rstrip("/")
        self._token = token
        self._cool_off = cool_off
        self._backoff = backoff
        self._blocked_until = 0.0
        self._places = asyncio.Semaphore(concurrency)
        self._dates: tuple[bytes, datetime] = (b"", datetime.min.replace(tzinfo=UTC))
        # Connecting may take a third: what ends there was surely not sent.
        timeout = httpx.Timeout(request_timeout, connect=request_timeout / 3)
        self._extensions: dict[str, Any] = {"timeout": timeout.as_dict()}
        self._headers = {"x-api-token": token, "accept": "application/json", "accept-encoding": "gzip"}
        self._body_headers = {**self._headers, "content-type": "application/json"}
        self._transports = [transport] if transport is not None else _connections(concurrency)
        self._idle = self._transports * concurrency if transport is not None else list(self._transports)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for transport in self._transports:
            await transport.aclose()

    async def _write(
        self, method: str, path: str, body: object, price: int, kind: Kind, *, wrap: str | None = None
    ) -> Answer:
        content = body if body is None or isinstance(body, Form | Upload) else orjson.dumps(body)
        try:
            reply = await self._send(method, path, None, content, price, kind)
        except (Throttled, Transient):
            reply = await self._insist(method, path, content, price, kind)
        data = {wrap: reply.data} if wrap else reply.data
        answer = Answer(record_of(data, method, path), reply.date, price)
        self.accepted += 1
        return answer

    async def _insist(self, method: str, path: str, content: _Content, price: int, kind: Kind) -> Reply:
        """Send a write again that was surely not executed; the vendor's own pause is kept by the budget."""
        again = AsyncRetrying(
            retry=retry_if_exception_type((Throttled, Transient)),
            wait=wait_random_exponential(multiplier=self._backoff, max=5.0),
            stop=stop_after_attempt(WRITE_ATTEMPTS),
            reraise=True,
        )
        return await again(self._send, method, path, None, content, price, kind)

    async def _read(
        self,
        path: str,
        query: Mapping[str, str | int] | None,
        price: int,
        kind: Kind,
        *,
        asks_clock: bool = False,
    ) -> Reply:
        again = AsyncRetrying(
            retry=retry_if_exception_type((Transient, Throttled)),
            wait=wait_random_exponential(multiplier=self._backoff, max=20.0),
            stop=stop_after_attempt(READ_ATTEMPTS),
            reraise=True,
        )
        return await again(self._send, "GET", path, query, None, price, kind, asks_clock)

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None,
        content: _Content,
        price: int,
        kind: Kind,
        asks_clock: bool = False,
    ) -> Reply:
        response, date = await self._paid(method, path, query, content, price, kind, asks_clock)
        status = response.status_code
        if status < 300:
            return opened(response.content, status, method, path, date)
        raise self._refusal(response, method, path)

    async def _paid(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None,
        content: _Content,
        price: int,
        kind: Kind,
        asks_clock: bool = False,
        into: Incoming | None = None,
    ) -> tuple[httpx.Response, datetime]:
        """Send one request and pay for it; the answer whole, or its bytes in `into`."""
        async with self._places:
            self._refuse_if_blocked(method, path)
            ticket = await self.budget.spend(price, kind, asks_clock=asks_clock)
            with ExitStack() as until_answered:
                try:
                    self._refuse_if_blocked(method, path)
                    extensions = self._extensions
                    if method != "GET":
                        if self.before_send is not None:
                            self.before_send()
                            look = _last_look(self.before_send, has_body=content is not None)
                            extensions = {**extensions, "trace": look}
                        self.writes += 1
                    request = self._request(method, path, query, content, extensions, until_answered)
                except BaseException:
                    self.budget.withdraw(ticket)
                    raise
                return await self._exchange(request, method, path, ticket, into)

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None,
        content: _Content,
        extensions: dict[str, Any],
        until_answered: ExitStack,
    ) -> httpx.Request:
        make = partial(httpx.Request, method, self._url + path, params=query)
        if isinstance(content, Upload):
            # Its chunks look by themselves, and only before the last.
            made = partial(make, headers=self._headers, extensions=self._extensions)
            request = until_answered.enter_context(content.opened(made))
            if isinstance(request.stream, Outgoing) and self.before_send is not None:
                request.stream.look = self.before_send
            return request
        if isinstance(content, Form):
            return make(headers=self._headers, data=dict(content.fields), extensions=extensions)
        headers = self._headers if content is None else self._body_headers
        return make(headers=headers, content=content, extensions=extensions)

    async def _exchange(
        self, request: httpx.Request, method: str, path: str, ticket: Ticket, into: Incoming | None
    ) -> tuple[httpx.Response, datetime]:
        transport = self._idle.pop()
        try:
            response = await self._answer(transport, request, into)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            self.budget.withdraw(ticket)
            raise Transient(self._clean(error), method=method, path=path) from None
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
            self.budget.lost(ticket)
            torso = isinstance(request.stream, Outgoing) and not request.stream.complete
            kind = Transient if method == "GET" or torso else Ambiguous
            raise kind(self._clean(error), method=method, path=path) from None
        except BaseException:
            self.budget.lost(ticket)
            raise
        finally:
            self._idle.append(transport)
        headers = {name.lower(): value for name, value in response.headers.raw}
        date = self._date(headers)
        self.budget.observe(ticket, headers, date, carried_out=response.status_code < 300)
        return response, date

    async def _answer(
        self, transport: httpx.AsyncBaseTransport, request: httpx.Request, into: Incoming | None
    ) -> httpx.Response:
        async with asyncio.timeout(self.request_timeout) as limit:
            renew = renewed(limit, self.request_timeout)
            if isinstance(request.stream, Outgoing):
                request.stream.on_chunk = renew
            response = await transport.handle_async_request(request)
            try:
                if into is not None and response.status_code == 200:
                    await into.read(response, renew)
                else:
                    await response.aread()
            finally:
                await response.aclose()
        return response

    async def _download(self, path: str, price: int) -> Digest:
        """What the bytes behind a path come to; a redirect to a store is followed, without the token."""
        again = AsyncRetrying(
            retry=retry_if_exception_type((Transient, Throttled)),
            wait=wait_random_exponential(multiplier=self._backoff, max=20.0),
            stop=stop_after_attempt(READ_ATTEMPTS),
            reraise=True,
        )
        return await again(self._download_once, path, price)

    async def _download_once(self, path: str, price: int) -> Digest:
        into = Incoming()
        response, _ = await self._paid("GET", path, None, None, price, "read", into=into)
        for _hop in range(REDIRECTS):
            if not response.is_redirect:
                break
            target = httpx.URL(self._url + path).join(response.headers.get("location", ""))
            if target.scheme != "https" and target.netloc != httpx.URL(self._url).netloc:
                break
            # A store's address is good for whoever has it; the token is for nobody but Pipedrive.
            request = httpx.Request("GET", target, extensions=self._extensions)
            try:
                async with self._places:
                    transport = self._idle.pop()
                    try:
                        response = await self._answer(transport, request, into)
                    finally:
                        self._idle.append(transport)
            except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
                raise Transient(self._clean(error), method="GET", path=path) from None
        if response.status_code != 200:
            raise self._refusal(response, "GET", path)
        return into.digest

    def _refusal(self, response: httpx.Response, method: str, path: str) -> PipedriveError:
        status = response.status_code
        content = response.content.replace(self._token.encode(), b"***")
        envelope = None if _is_html(response) else envelope_of(content)
        if status == 403 and envelope is None:
            self._blocked_until = asyncio.get_running_loop().time() + self._cool_off
            return Blocked(
                "an HTML page instead of an answer", seconds=self._cool_off, method=method, path=path
            )
        if status == 429:
            return self._throttle(response, method, path)
        return refusal(status, envelope or {}, response.reason_phrase, method, path)

    def _throttle(self, response: httpx.Response, method: str, path: str) -> PipedriveError:
        self.throttled += 1
        if response.headers.get("x-daily-ratelimit-token-remaining") == "0":
            return self.budget.exhausted()
        wait = (
            _seconds(response.headers.get("retry-after"))
            or _seconds(response.headers.get("x-ratelimit-reset"))
            or 2.0
        )
        self.budget.burst.close(wait)
        return Throttled("too many requests", retry_after=wait, method=method, path=path)

    def _refuse_if_blocked(self, method: str, path: str) -> None:
        if self._blocked_until:
            left = self._blocked_until - asyncio.get_running_loop().time()
            if left > 0:
                raise Blocked("cooling off; nothing was sent", seconds=left, method=method, path=path)
            self._blocked_until = 0.0

    def _date(self, headers: Mapping[bytes, bytes]) -> datetime:
        text = headers.get(b"date")
        if text is None:
            return datetime.now(UTC)
        if text != self._dates[0]:
            self._dates = (text, parsedate_to_datetime(text.decode("ascii")).astimezone(UTC))
        return self._dates[1]

    def _clean(self, words: object) -> str:
        return (str(words) or type(words).__name__).replace(self._token, "***")


def _connections(count: int) -> list[httpx.AsyncBaseTransport]:
    """Transports of one connection each: a shared pool looks at all its connections for every request.

    Redirects are not followed and the environment's proxies not asked, since no httpx client stands above them.
    An idle connection is dropped before a server would: a write on a closing one has no known outcome.
    """
    one = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=3.0)
    return [httpx.AsyncHTTPTransport(verify=_trust(), limits=one, trust_env=False) for _ in range(count)]


@cache
def _trust() -> ssl.SSLContext:
    """Whom to trust, read once a process: it takes as long as several requests."""
    return httpx.create_ssl_context(trust_env=False)


def _last_look(look: Callable[[], None], *, has_body: bool) -> Callable[[str, object], Awaitable[None]]:
    """A trace of the transport that looks before the bytes without which the server cannot execute the request.

    Between this event and the socket the transport does not give way to other tasks.
    """
    decisive = "http11.send_request_body.started" if has_body else "http11.send_request_headers.started"

    async def trace(event: str, _info: object) -> None:
        if event == decisive:
            look()

    return trace


def _is_html(response: httpx.Response) -> bool:
    return "html" in response.headers.get("content-type", "")


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
