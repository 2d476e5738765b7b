"""A transport that holds every exchange of the client against the vendor's documents, where they are at hand."""

from typing import Any

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
        response = await self.inner.handle_async_request(request)
        await response.aread()
        if pipedrive_documents.available():
            self.operations.add(
                pipedrive_documents.check_exchange(
                    request.method,
                    request.url.path,
                    dict(request.url.params),
                    _json(request.content),
                    response.status_code,
                    _json(response.content),
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


def _json(content: bytes) -> Any:
    return orjson.loads(content) if content else None
