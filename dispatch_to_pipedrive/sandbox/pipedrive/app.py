"""How does a request go through the account's server? In: token, faults, limits. Out: the vendor's answer, or none.

The server is one ASGI callable under a Starlette application, without middleware of its own: a load test should
measure the client. A connection is cut off by aborting its transport, which the client sees as a reset.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send

from ..clock import Clock
from . import changelog, control, dump, habits, routes, times
from .account import Account
from .call import Call, Pieces, Raw, Route
from .errors import CLOUDFLARE, Refused, forbidden, plain, unauthorized
from .faults import Fate, Faults
from .limits import Blocked, Limits
from .recording import Recorder
from .stats import Stats

JSON = b"application/json; charset=utf-8"
# The Date header is the sandbox clock's, so uvicorn must not add its own.
UVICORN_OPTIONS: dict[str, Any] = {
    "date_header": False,
    "server_header": False,
    "access_log": False,
    "timeout_keep_alive": 75,
}
_PREFIXES = (("/api/v2/", "v2"), ("/api/v1/", "v1"), ("/v1/", "v1"))
Headers = list[tuple[bytes, bytes]]
Content = bytes | Pieces


def build_app(
    clock: Clock,
    *,
    seed: int,
    people: Iterable[tuple[str, str, bool]] = (),
    plan: str = "lite",
    seats: int = 1,
    limits: bool = True,
    latency_ms: float = 0,
    load_dump: dict[str, Any] | None = None,
) -> Starlette:
    """An account's server; `app.state.account` and `app.state.server` are what it is made of.

    `people` are (name, e-mail, active) of the users beside the admin (id 1, whose token the migration has) and the
    editor (id 2), who have tokens of their own;
    `load_dump` is what `GET /_control/dump` gave. Serve it with `UVICORN_OPTIONS`.
    """
    account = Account(clock, seed=seed, people=people, plan=plan, seats=seats)
    server = Server(clock, account, limits=limits, latency_ms=latency_ms)
    if load_dump is not None:
        dump.load(account, load_dump)
        if "limits" in load_dump:
            server.limits.load(load_dump["limits"])
    app = Starlette(routes=[Mount("/", app=server)])
    app.state.account = account
    app.state.server = server
    return app


class Server:
    """The account behind HTTP."""

    def __init__(self, clock: Clock, account: Account, *, limits: bool, latency_ms: float) -> None:
        self.clock = clock
        self.account = account
        self.limits = Limits(account, enforced=limits)
        self.faults = Faults()
        self.stats = Stats()
        self.recorder = Recorder()
        self.latency = latency_ms / 1000
        self.routes = routes.build()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        if path.startswith("/_control/"):
            body = await _body(receive)
            query = _query(scope)
            status, content = control.answer(
                self, path.removeprefix("/_control/").strip("/"), method, query, body
            )
            await self._send(send, status, content, JSON, [])
            return
        with contextlib.suppress(ClientDisconnect):  # who hangs up amid an upload has uploaded nothing
            await self._answer(scope, receive, send, path, method)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, path: str, method: str) -> None:
        found = self._find(path, method)
        route = found[1]
        fate = self.faults.fate(method, path, route, self.account.user_of(self._token(scope)))
        if fate is not None and fate.reset_before:
            self.stats.faults["reset_before"] += 1
            await _abort(receive)
            return
        async with _read(scope, receive, route) as (body, form):
            await self._respond(scope, receive, send, found, fate, body, form)

    async def _respond(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        found: tuple[str, Route | None, tuple[str, ...], bool],
        fate: Fate | None,
        body: bytes,
        form: FormData | None,
    ) -> None:
        path, method = scope["path"], scope["method"]
        api, route, ids, allowed = found
        template = route.template if route else f"/api/{api}/?"
        user = 1
        try:
            user = self._user(scope)
            if route is None:
                words = "Method not allowed" if allowed else "Requested service is not available"
                raise plain(405 if allowed else 404, words)
            headers = self._admit(method, route, user)
        except Blocked:
            self.stats.requests["blocked 403"] += 1
            await self._send(send, 403, CLOUDFLARE, b"text/html; charset=UTF-8", [])
            return
        except Refused as refused:
            self.stats.answered(method, template, "", refused.status, user)
            self._record(scope, body, refused.status, JSON, refused.content)
            await self._send(send, refused.status, refused.content, JSON, list(refused.headers))
            return
        if self.latency:
            await asyncio.sleep(self.latency / 2)
        call = Call(self.account, method, path, _query(scope), body, ids, form, user)
        status, content, kind, more = await self._carry_out(call, route, fate)
        self.stats.answered(method, template, route.entity, status, user)
        self._record(scope, body, status, kind, content)
        if fate is not None and fate.delay:
            self.stats.faults["latency"] += 1
        if self.latency or (fate is not None and fate.delay):
            await asyncio.sleep(self.latency / 2 + (fate.delay if fate else 0.0))
        if fate is not None and fate.lost_after:
            self.stats.faults["lost_after_commit"] += 1
            await _abort(receive)
            return
        await self._send(send, status, content, kind, headers + more)

    def _admit(self, method: str, route: Route, user: int) -> Headers:
        """Let a known caller's request in, for its price; raises Refused or Blocked."""
        admin = user == 1 and self.account.capabilities["admin"]
        if route.entity in routes.ADMINISTERED and method != "GET" and not admin:
            raise forbidden()
        headers = self.limits.admit(route.cost, search=route.search, user=user)
        if user == 1:
            self.stats.charged(method, route.template, route.cost)
        return headers

    async def _carry_out(
        self, call: Call, route: Route, fate: Fate | None
    ) -> tuple[int, Content, bytes, Headers]:
        """Do what is asked; a fault may come first."""
        if fate is not None:
            if fate.hold:
                self.stats.faults["hold_commit"] += 1
                await asyncio.sleep(fate.hold)
            if fate.refuse is not None:
                rule = fate.refuse
                self.stats.faults[f"status {rule.status}"] += 1
                if rule.commit:
                    _handle(call, route)
                body = rule.body if rule.body is not None else plain(rule.status, "Server error").body
                extra = [(name.lower().encode(), str(value).encode()) for name, value in rule.headers.items()]
                if isinstance(body, str):
                    return rule.status, body.encode(), b"text/html; charset=UTF-8", extra
                return rule.status, orjson.dumps(body), JSON, extra
        return _handle(call, route)

    def _record(self, scope: Scope, body: bytes, status: int, kind: bytes, content: Content) -> None:
        if self.recorder.path is None:
            return
        media = next((value.decode() for name, value in scope["headers"] if name == b"content-type"), "")
        answer = (kind, b"" if isinstance(content, Pieces) else content)
        self.recorder.write(scope["method"], scope["path"], _query(scope), (media, body), status, answer)

    def _find(self, path: str, method: str) -> tuple[str, Route | None, tuple[str, ...], bool]:
        for prefix, api in _PREFIXES:
            if path.startswith(prefix):
                template, ids = routes.template_of(path[len(prefix) :].strip("/").split("/"))
                methods = self.routes.get((api, template), {})
                return api, methods.get(method), ids, bool(methods)
        return "?", None, (), False

    def _user(self, scope: Scope) -> int:
        """Whose token a request bears; raises Refused."""
        user = self.account.user_of(self._token(scope))
        if user is None:
            raise unauthorized()
        return user

    def _token(self, scope: Scope) -> str:
        token = next((value for name, value in scope["headers"] if name == b"x-api-token"), b"").decode(
            "latin-1"
        )
        if not token and self.account.capabilities["query_token"]:
            token = _query(scope, keep_token=True).get("api_token", "")
        return token

    async def _send(self, send: Send, status: int, content: Content, kind: bytes, headers: Headers) -> None:
        size = content.size if isinstance(content, Pieces) else len(content)
        length = (b"content-length", b"%d" % size)
        date = (b"date", times.http_date(self.account.now()))
        start: Message = {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", kind), length, date, *headers],
        }
        await send(start)
        if isinstance(content, Pieces):
            for part in content.parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            content = b""
        await send({"type": "http.response.body", "body": content})


def _handle(call: Call, route: Route) -> tuple[int, Content, bytes, Headers]:
    habits.settle(call.account)
    try:
        with changelog.acting(call.account, call.user, "api"):
            answer = route.handler(call)
    except Refused as refused:
        return refused.status, refused.content, JSON, list(refused.headers)
    if isinstance(answer, Raw):
        return 200, answer.content, answer.content_type, list(answer.headers)
    return 200, orjson.dumps(answer), JSON, []


@contextlib.asynccontextmanager
async def _read(
    scope: Scope, receive: Receive, route: Route | None
) -> AsyncIterator[tuple[bytes, FormData | None]]:
    """The request's body, or its form, whose file lies on disk and goes when the answer is given."""
    if route is None or not route.multipart:
        yield await _body(receive), None
        return
    form = None
    with contextlib.suppress(MultiPartException, AssertionError, KeyError):
        form = await Request(scope, receive).form()
    try:
        yield b"", form
    finally:
        if form is not None:
            await form.close()


async def _body(receive: Receive) -> bytes:
    message = await receive()
    parts: list[bytes] = [message.get("body", b"")]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _query(scope: Scope, *, keep_token: bool = False) -> dict[str, str]:
    text = scope["query_string"]
    if not text:
        return {}
    query = dict(parse_qsl(text.decode("latin-1"), keep_blank_values=True))
    if not keep_token:
        query.pop("api_token", None)
    return query


async def _abort(receive: Receive) -> None:
    """Cut the connection off without an answer: the client sees a reset."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("this server gives no access to its transport, so a connection cannot be cut off")
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


__all__ = ["UVICORN_OPTIONS", "Server", "build_app"]
