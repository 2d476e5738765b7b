"""A transport that holds every exchange of the client against the vendor's documents, where they are at hand."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl

import httpx
import orjson

from dispatch_to_pipedrive.pipedrive.budget import TokenBudget
from dispatch_to_pipedrive.pipedrive.client import PipedriveClient
from dispatch_to_pipedrive_tests.contract import pipedrive_documents
from dispatch_to_pipedrive_tests.sandbox_process import Sandbox


class CheckedTransport(httpx.AsyncBaseTransport):
    """Passes requests on and checks what went and came."""

    def __init__(self) -> None:
        self.inner = httpx.AsyncHTTPTransport()
        self.operations: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = bytearray()
        copied = httpx.Request(
            request.method,
            request.url,
            headers=request.headers,
            stream=_Copied(request, sent),
            extensions=request.extensions,
        )
        response = await self.inner.handle_async_request(copied)
        await response.aread()
        if pipedrive_documents.available():
            self.operations.add(
                pipedrive_documents.check_exchange(
                    request.method,
                    request.url.path,
                    dict(request.url.params),
                    _body(request.headers.get("content-type", ""), bytes(sent)),
                    response.status_code,
                    pipedrive_documents.as_json(response.content, response.headers.get("content-type", "")),
                )
            )
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


def connected(sandbox: Sandbox, *, checked: bool = True, **options: Any) -> PipedriveClient:
    """A client of the sandbox's account."""
    env = sandbox.env
    budget = options.pop("budget", None) or TokenBudget("unlimited")
    transport = CheckedTransport() if checked else None
    return PipedriveClient(
        env["PIPEDRIVE_API_URL"], env["PIPEDRIVE_API_TOKEN"], budget, transport=transport, **options
    )


class _Copied(httpx.AsyncByteStream):
    """A body on its way, and a copy of it."""

    def __init__(self, request: httpx.Request, copy: bytearray) -> None:
        self.request = request
        self.copy = copy

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self.request.stream, httpx.AsyncByteStream)
        async for chunk in self.request.stream:
            self.copy += chunk
            yield chunk


def _body(media: str, content: bytes) -> Any:
    if media.startswith("multipart/"):
        names = re.findall(rb'form-data; name="([^"]+)"', content)
        return dict.fromkeys(name.decode() for name in names)
    if media.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(content.decode()))
    return orjson.loads(content) if content else None
