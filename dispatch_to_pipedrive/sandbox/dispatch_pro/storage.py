"""Where the tenant's files lie: attachments behind signed links that expire, pictures of notes behind open ones.

As with the vendor's sibling endpoints the API answers a download with a 302 to the storage. The storage is another
service: it knows no token and no app key, and refuses (400) who shows it one, so that a leak is noticed.
"""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from ..clock import Clock
from .auth import Door
from .detours import Detour, Detours
from .errors import ApiError, not_found
from .files import File, media_type
from .resource import T
from .tenant import Tenant
from .traffic import Traffic

LINK_LIFE = 300
DOWNLOAD = f"/forms/v2{T}/jobs/attachment/{{id:int}}"
ATTACHMENT = "/storage/{tenant}/attachments/{id:int}"
IMAGE = "/storage/{tenant}/images/{key}/{name:path}"
_KEY = re.compile(r"[0-9a-f]{12,64}")
_UNTIL = re.compile(r"[0-9]{1,12}")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_BATCH = 4
Fetched = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Storage:
    """The files of a tenant and how they are handed out."""

    tenant: Tenant
    clock: Clock
    door: Door
    traffic: Traffic
    detours: Detours

    def routes(self) -> list[Route]:
        """The download of an attachment and the two kinds of links to the storage."""
        return [
            self._route(DOWNLOAD, self._download),
            self._route(ATTACHMENT, self._attachment),
            self._route(IMAGE, self._image),
        ]

    async def _download(self, request: Request) -> Response:
        self.door.check(request)
        attachment = request.path_params["id"]
        file = self.tenant.file(attachment)
        rule = self.detours.of(request.url.path)
        if file is None or (rule and rule.kind == "missing"):
            raise not_found("attachment", attachment)
        if rule and rule.kind == "direct":
            return send(request, file, None)
        until = int(self.clock.timestamp()) + LINK_LIFE
        path = f"/storage/{self.tenant.credentials.tenant_id}/attachments/{attachment}"
        query = f"se={until}&sig={self._signature(attachment, until)}"
        plain = RedirectResponse(f"{self.tenant.origin}{path}?{query}", 302)
        return detour(rule, request, path, query) or plain

    async def _attachment(self, request: Request) -> Response:
        wanted, until = request.path_params["id"], request.query_params.get("se", "")
        sig = request.query_params.get("sig", "").encode()
        good = _UNTIL.fullmatch(until) and hmac.compare_digest(
            sig, self._signature(wanted, int(until)).encode()
        )
        if not good or self.clock.timestamp() >= int(until):
            return _refusal(
                403, "AuthenticationFailed", "The signature is not valid or the link has expired."
            )
        return self._serve(request, self.tenant.file(wanted))

    async def _image(self, request: Request) -> Response:
        key, name = request.path_params["key"], request.path_params["name"]
        return self._serve(request, picture(self.tenant.seed, key, name) if _KEY.fullmatch(key) else None)

    def _serve(self, request: Request, file: File | None) -> Response:
        rule = self.detours.of(request.url.path)
        if file is None or (rule and rule.kind == "missing"):
            return _refusal(404, "BlobNotFound", "The specified blob does not exist.")
        return detour(rule, request, request.url.path, request.url.query) or send(request, file, rule)

    def _signature(self, attachment: int, until: int) -> str:
        secret = self.tenant.credentials.client_secret.encode()[:64]
        return blake2b(f"{attachment}/{until}".encode(), key=secret, digest_size=16).hexdigest()

    def _route(self, template: str, answer: Fetched) -> Route:
        shown = template.replace(":int}", "}").replace(":path}", "}")

        async def endpoint(request: Request) -> Response:
            try:
                if template == DOWNLOAD:
                    self.traffic.admit()
                response = await self.traffic.delay_or_fail(request)
                if response is None and template != DOWNLOAD:
                    response = _refuse_credentials(request, self.tenant)
                response = response or await answer(request)
            except ApiError as error:
                response = error.response()
            self.traffic.count(request.method, shown, response.status_code)
            self.traffic.rows[shown] += int(response.status_code in (200, 206, 302))
            return response

        return Route(template, endpoint, methods=["GET"])


def picture(seed: int, key: str, name: str) -> File:
    """A picture or file of a note, 1 to 60 kB: any that is asked for by a key in hexadecimal digits."""
    size = 1_000 + int.from_bytes(blake2b(f"{seed}/{key}".encode(), digest_size=4).digest(), "big") % 59_000
    return File(seed, f"images/{key}", name, size, media_type(name))


def detour(rule: Detour | None, request: Request, path: str, query: str) -> Response | None:
    """The redirect a rule makes of a request for `path`; None where it makes none."""
    if rule is not None and rule.kind == "loop":
        return RedirectResponse(str(request.url), 302)
    if rule is not None and rule.kind == "redirect":
        return Response(status_code=302, headers={"location": rule.target(path, query)})
    return None


def send(request: Request, file: File, rule: Detour | None) -> Response:
    """The bytes, or the part that `Range` asks for; a rule decides how they come."""
    start, end = 0, file.size
    headers = {"accept-ranges": "bytes"}
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if asked and (asked[1] or asked[2]):
        start = int(asked[1]) if asked[1] else max(file.size - int(asked[2]), 0)
        end = min(int(asked[2]) + 1, file.size) if asked[1] and asked[2] else file.size
        if start >= end:
            return Response(status_code=416, headers={"content-range": f"bytes */{file.size}"})
        headers["content-range"] = f"bytes {start}-{end - 1}/{file.size}"
    else:
        asked = None
    if rule is None or rule.kind != "no_length":
        headers["content-length"] = str(end - start)
    kind = rule.media_type if rule and rule.kind == "wrong_type" else file.media_type
    stop = start + (end - start) // 2 if rule and rule.kind == "early_end" else end
    body = _stream(request, file, start, stop, cut=stop < end)
    return StreamingResponse(body, 206 if asked else 200, headers, kind)


async def _stream(request: Request, file: File, start: int, end: int, *, cut: bool) -> AsyncIterator[bytes]:
    batch: list[bytes] = []
    for piece in file.pieces(start, end):
        batch.append(piece)
        if len(batch) == _BATCH:
            yield b"".join(batch)
            batch = []
    if batch:
        yield b"".join(batch)
    if cut:
        transport = getattr(getattr(request.receive, "__self__", None), "transport", None)
        if transport is None:
            raise RuntimeError("this server gives no access to its transport, so a body cannot end early")
        transport.close()
        await asyncio.Event().wait()  # the client's end of the connection ends this task


def _refuse_credentials(request: Request, tenant: Tenant) -> Response | None:
    if {"authorization", "st-app-key"} & set(request.headers) or (
        "servicetitanapplicationkey" in request.query_params
    ):
        return _refusal(
            400, "InvalidAuthenticationInfo", "This service takes no credentials but the link's own."
        )
    if request.path_params["tenant"] != str(tenant.credentials.tenant_id):
        return _refusal(404, "ResourceNotFound", "The specified container does not exist.")
    return None


def _refusal(status: int, code: str, words: str) -> Response:
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{words}</Message></Error>'
    )
    return Response(body, status, media_type="application/xml")
