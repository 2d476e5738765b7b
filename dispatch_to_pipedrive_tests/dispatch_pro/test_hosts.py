"""Nobody is asked who is not on the list, and no address inside a private network."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest

from dispatch_to_pipedrive.dispatch_pro.errors import Unfetchable
from dispatch_to_pipedrive.dispatch_pro.hosts import Hosts

API = "https://api.example.com"
PRIVATE = (
    *("10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
    *(
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
    ),
    *("::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "rubbish"),
)


def hosts(*addresses: str, listed: tuple[str, ...] = ("files.example.net", ".cdn.example.net")) -> Hosts:
    async def resolve(host: str, port: int) -> Sequence[str]:
        if not addresses:
            raise OSError
        return addresses

    return Hosts(API, listed, resolve)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/x",
        "https://API.example.com./x",
        "https://files.example.net:8443/x",
        "https://a.b.cdn.example.net/x",
    ],
)
def test_hosts_of_the_list_and_the_api_may_be_asked(url: str) -> None:
    hosts().check(httpx.URL(url))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://files.example.net.evil.org/x", "files.example.net.evil.org"),
        ("https://cdn.example.net/x", "cdn.example.net"),
        ("https://evilcdn.example.net/x", "evilcdn.example.net"),
        ("https://api.example.com@evil.org/x", "evil.org"),
        ("http://api.example.com/x", "without encryption"),
        ("http://localhost/x", "without encryption"),
        ("https://127.0.0.1/x", "127.0.0.1 is not on the list"),
        ("https://api.example.com:70000/x", "no port 70000"),
        ("file:///etc/passwd", "no address"),
        ("https:///x", "no address"),
        ("javascript:alert(1)", "no address"),
    ],
)
def test_others_are_refused_by_name(url: str, words: str) -> None:
    with pytest.raises(Unfetchable) as error:
        hosts().check(httpx.URL(url))
    assert words in error.value.words and error.value.reason == "refused"


def test_a_query_is_never_repeated() -> None:
    with pytest.raises(Unfetchable) as error:
        hosts().check(httpx.URL("ftp://files.example.net/x?sig=secret"))
    assert "secret" not in error.value.words


@pytest.mark.parametrize("address", PRIVATE)
async def test_an_address_in_a_private_network_is_refused_whoever_gives_it(address: str) -> None:
    for found in ((address,), ("93.184.216.34", address)):
        with pytest.raises(Unfetchable, match="private"):
            await hosts(*found).address(httpx.URL("https://files.example.net/x"))


async def test_the_address_that_was_checked_is_the_one_to_connect_to() -> None:
    assert await hosts("93.184.216.34").address(httpx.URL("https://files.example.net/x")) == "93.184.216.34"
    with pytest.raises(Unfetchable, match="not known"):
        await hosts().address(httpx.URL("https://files.example.net/x"))


async def test_this_machine_may_be_asked_only_where_dispatch_pro_is_on_it_too() -> None:
    async def here(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    local = Hosts("http://127.0.0.1:5000", (), here)
    local.check(httpx.URL("http://localhost:6000/x"))
    assert await local.address(httpx.URL("http://localhost:6000/x")) == "127.0.0.1"
    with pytest.raises(Unfetchable, match="private"):
        await Hosts(API, ("files.example.net",), here).address(httpx.URL("https://files.example.net/x"))
