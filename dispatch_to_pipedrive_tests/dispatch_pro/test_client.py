"""What the client does with tokens, limits, refusals and rubbish, on answers served in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from dispatch_to_pipedrive.dispatch_pro.client import Credentials, DispatchProClient
from dispatch_to_pipedrive.dispatch_pro.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    RequestFailed,
    Unauthorized,
    Unavailable,
)

CREDENTIALS = Credentials("https://auth", "https://api", "7", "cid.1", "cs1.secret", "ak1.key")
Answer = httpx.Response | Exception


class Vendor:
    """Answers the API with what the script says, then with `{}`; counts tokens and calls."""

    def __init__(self, *script: Answer, life: float = 900) -> None:
        self.script, self.life = list(script), life
        self.tokens = 0
        self.calls: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth":
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"token-{self.tokens}", "expires_in": self.life})
        self.calls.append(request)
        answer = self.script.pop(0) if self.script else httpx.Response(200, json={})
        if isinstance(answer, Exception):
            raise answer
        return answer


def client(vendor: Callable[[httpx.Request], httpx.Response], **options: Any) -> DispatchProClient:
    return DispatchProClient(
        CREDENTIALS, transport=httpx.MockTransport(vendor), first_wait=0.001, **{"attempts": 3, **options}
    )


async def test_every_call_bears_token_and_app_key_and_one_token_serves_all() -> None:
    vendor = Vendor()
    async with client(vendor) as api:
        await asyncio.gather(*(api.get("/x/tenant/{tenant}/y", {"from": "a+b/="}) for _ in range(5)))
    assert vendor.tokens == 1
    assert {call.headers["Authorization"] for call in vendor.calls} == {"Bearer token-1"}
    assert {call.headers["ST-App-Key"] for call in vendor.calls} == {"ak1.key"}
    assert str(vendor.calls[0].url) == "https://api/x/tenant/7/y?from=a%2Bb%2F%3D"


async def test_a_token_is_renewed_before_its_end_and_once_after_a_401() -> None:
    early = Vendor(life=0)
    async with client(early) as api:
        await api.get("/a")
        await api.get("/a")
    assert early.tokens == 2
    late = Vendor(httpx.Response(401), httpx.Response(200, json={"ok": 1}))
    async with client(late) as api:
        assert await api.get("/a") == {"ok": 1}
    assert [call.headers["Authorization"] for call in late.calls] == ["Bearer token-1", "Bearer token-2"]


async def test_calls_that_lose_their_token_together_renew_it_once() -> None:
    tokens = 0

    def vendor(request: httpx.Request) -> httpx.Response:
        nonlocal tokens
        if request.url.host == "auth":
            tokens += 1
            return httpx.Response(200, json={"access_token": f"t{tokens}", "expires_in": 900})
        return httpx.Response(401 if request.headers["Authorization"] == "Bearer t1" else 200, json={})

    async with client(vendor) as api:
        await asyncio.gather(*(api.get("/a") for _ in range(20)))
    assert tokens == 2


@pytest.mark.parametrize(
    ("status", "kind"), [(400, BadRequest), (403, Forbidden), (404, NotFound), (409, BadRequest)]
)
async def test_a_refusal_carries_the_vendors_words_and_is_not_repeated(
    status: int, kind: type[RequestFailed]
) -> None:
    envelope = {
        "type": "",
        "title": "No such thing.",
        "status": status,
        "traceId": "t9",
        "errors": {"Ids": ["x"]},
    }
    vendor = Vendor(httpx.Response(status, json=envelope))
    async with client(vendor) as api:
        with pytest.raises(kind) as caught:
            await api.get("/a")
    assert len(vendor.calls) == 1
    assert caught.value.status == status
    assert "No such thing." in str(caught.value) and "Ids" in str(caught.value) and "t9" in str(caught.value)


@pytest.mark.promise("R058")
async def test_a_wrong_secret_says_what_to_check() -> None:
    def vendor(_: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"error": "invalid_client"})

    async with client(vendor) as api:
        with pytest.raises(Unauthorized, match=r"invalid_client.*DISPATCH_PRO_CLIENT_SECRET"):
            await api.get("/a")


async def test_a_token_refused_twice_is_unauthorized() -> None:
    async with client(Vendor(httpx.Response(401), httpx.Response(401))) as api:
        with pytest.raises(Unauthorized):
            await api.get("/a")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, text="<html><h1>Oops</h1></html>"),
        httpx.Response(429, json={"title": "Rate limit is exceeded. Try again in 0 seconds."}),
        httpx.Response(429, headers={"Retry-After": "0"}),
        httpx.Response(200, text="<html>maintenance</html>"),
        httpx.Response(200, text="[]"),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("gone"),
    ],
)
async def test_what_may_pass_is_tried_again(answer: Answer) -> None:
    async with client(Vendor(answer, httpx.Response(200, json={"ok": 1}))) as api:
        assert await api.get("/a") == {"ok": 1}


@pytest.mark.promise("R060")
async def test_an_outage_ends_with_what_was_said_last() -> None:
    vendor = Vendor(*[httpx.Response(503, text="<html><body>Sorry</body></html>")] * 3)
    async with client(vendor) as api:
        with pytest.raises(Unavailable, match="503 to /a: Sorry"):
            await api.get("/a")
    assert len(vendor.calls) == 3


async def test_a_redirect_is_not_followed() -> None:
    vendor = Vendor(httpx.Response(302, headers={"Location": "https://elsewhere/"}))
    async with client(vendor) as api:
        with pytest.raises(RequestFailed, match="redirect"):
            await api.get("/a")
    assert [call.url.host for call in vendor.calls] == ["api"]


async def test_secrets_are_in_no_text() -> None:
    texts = [repr(CREDENTIALS)]
    for answer in (httpx.Response(401), httpx.ConnectError("x"), httpx.Response(418, text="teapot")):
        async with client(Vendor(*[answer] * 3), attempts=1) as api:
            with pytest.raises(RequestFailed) as caught:
                await api.get("/a")
            texts += [repr(caught.value), str(caught.value), repr(api)]
    assert not [text for text in texts if "cs1.secret" in text or "ak1.key" in text or "token-" in text]
