"""A server on loopback that answers each request by the next line of a script, and remembers what reached it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from dispatch_to_pipedrive.pipedrive.budget import TokenBudget
from dispatch_to_pipedrive.pipedrive.client import PipedriveClient

TOKEN = "0123456789abcdef0123456789abcdef01234567"
DATE = "Mon, 23 Nov 2026 10:00:00 GMT"


@dataclass(frozen=True)
class Line:
    """One answer, or a way of giving none.

    'reset': read, then cut; 'hang': read, then silence; 'torso'; 'deaf': cut before the body is read.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    fate: str = "answer"


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Vendor:
    url: str
    script: list[Line]
    requests: list[Request] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.requests]

    def client(self, **options: Any) -> PipedriveClient:
        budget = options.pop("budget", None) or TokenBudget("premium")
        options = {"request_timeout": 5.0, "backoff": 0.005, **options}
        return PipedriveClient(self.url, TOKEN, budget, **options)


def record(**values: Any) -> Line:
    return Line(body={"success": True, "data": {"id": 1, **values}})


def refused(status: int, error: str = "no", **more: Any) -> Line:
    return Line(status, {"success": False, "error": error, **more})


def page(records: Sequence[Any], cursor: str | None = None) -> Line:
    return Line(body={"success": True, "data": list(records), "additional_data": {"next_cursor": cursor}})


@asynccontextmanager
async def vendor(*script: Line) -> AsyncIterator[Vendor]:
    """Serve the script; its last line repeats."""
    lines = list(script)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await _one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        line = lines.pop(0) if len(lines) > 1 else lines[0]
        length = 0 if line.fate == "deaf" else int(headers.get("content-length", 0))
        content = await reader.readexactly(length)
        form = "json" not in headers.get("content-type", "json")
        body = content if form else json.loads(content) if content else None
        place.requests.append(Request(method, path, headers, body))
        place.reached.set()
        if line.fate == "hang":
            await asyncio.sleep(30)
        if line.fate in ("reset", "hang", "deaf"):
            if line.fate == "deaf":
                writer.transport.abort()
            return False
        body = line.body if isinstance(line.body, bytes) else json.dumps(line.body).encode()
        kind = "text/html" if isinstance(line.body, bytes) else "application/json"
        answer = {"date": DATE, "content-type": kind, "content-length": str(len(body)), **line.headers}
        lines_out = [f"HTTP/1.1 {line.status} X", *(f"{k}: {v}" for k, v in answer.items()), "", ""]
        writer.write("\r\n".join(lines_out).encode() + (body[:5] if line.fate == "torso" else body))
        await writer.drain()
        return line.fate == "answer"

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    place = Vendor(f"http://{host}:{port}", lines)
    try:
        yield place
    finally:
        server.close()
