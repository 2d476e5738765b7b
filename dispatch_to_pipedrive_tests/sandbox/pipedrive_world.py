"""An account's server in this process, a client whose every exchange is checked against the vendor's documents."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn

from dispatch_to_pipedrive.sandbox.clock import Clock
from dispatch_to_pipedrive.sandbox.pipedrive.account import Account
from dispatch_to_pipedrive.sandbox.pipedrive.app import UVICORN_OPTIONS, Server, build_app

from ..contract import pipedrive_documents as documents

PEOPLE = [("Tina Tech", "Tina.Tech@example.com", True), ("Otto Out", "otto@example.com", False)]


class World:
    """A served account with short words for what tests do all the time."""

    def __init__(self, app: Any, url: str, clock: Clock) -> None:
        self.app = app
        self.url = url
        self.clock = clock
        self.account: Account = app.state.account
        self.server: Server = app.state.server
        self._plain = httpx.Client(base_url=url, verify=False, timeout=10)  # a TLS context takes long to make
        self.client = httpx.Client(
            verify=False,
            base_url=url,
            headers={"x-api-token": self.account.api_token},
            event_hooks={"response": [_contract]} if documents.available() else {},
            timeout=10,
        )

    def close(self) -> None:
        """Let the connections go."""
        self.client.close()
        self._plain.close()

    def ask(self, method: str, path: str, body: Any = None, expect: int = 200, **query: Any) -> Any:
        """Send a request (v2 unless the path says otherwise), expect a status, answer the JSON."""
        full = path if path.startswith("/") else f"/api/v2/{path}"
        answer = self.client.request(method, full, json=body, params=query or None)
        assert answer.status_code == expect, f"{method} {full}: {answer.status_code} {answer.text[:600]}"
        return answer.json()

    def post(self, path: str, body: Any, expect: int = 200) -> Any:
        """POST; answers `data`, or the error's words."""
        answer = self.ask("POST", path, body, expect)
        return answer["data"] if expect < 300 else answer["error"]

    def patch(self, path: str, body: Any, expect: int = 200) -> Any:
        """PATCH; answers `data`, or the error's words."""
        answer = self.ask("PATCH", path, body, expect)
        return answer["data"] if expect < 300 else answer["error"]

    def get(self, path: str, expect: int = 200, **query: Any) -> Any:
        """GET; answers `data`, or the error's words."""
        answer = self.ask("GET", path, None, expect, **query)
        return answer["data"] if expect < 300 else answer["error"]

    def delete(self, path: str, expect: int = 200) -> Any:
        """DELETE; answers the whole body."""
        return self.ask("DELETE", path, None, expect)

    def control(self, path: str, body: Any = None) -> Any:
        """A control command."""
        answer = self._plain.request("GET" if body is None else "POST", f"/_control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def every(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All pages of a v2 list."""
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.ask("GET", path, None, 200, **query, **({"cursor": cursor} if cursor else {}))
            found += page["data"]
            cursor = page["additional_data"]["next_cursor"]
            if cursor is None:
                return found


def _contract(response: httpx.Response) -> None:
    response.read()
    response.request.read()
    documents.check_response(response)


@contextmanager
def serve(**options: Any) -> Iterator[World]:
    """Serve an account on a free port of loopback until the block ends."""
    clock = options.pop("clock", None) or Clock()
    app = build_app(clock, **{"seed": 7, "people": PEOPLE, "plan": "premium", "limits": False, **options})
    connection = socket.socket()
    connection.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, **UVICORN_OPTIONS)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [connection]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    world = World(app, f"http://127.0.0.1:{connection.getsockname()[1]}", clock)
    try:
        yield world
    finally:
        world.close()
        server.should_exit = True
        thread.join(5)
