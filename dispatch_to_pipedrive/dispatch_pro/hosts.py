"""May a host be asked for a file, and at which address?

The source's texts and the redirects of its servers name hosts; both are data that others wrote. Asked are Dispatch
Pro's own host and those on the list, over https, and never an address inside a private network: otherwise a note
could make this program fetch what only this machine can reach. The address is checked after the name was resolved,
and the connection goes to that address, so that a second answer of the name server changes nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx

from dispatch_to_pipedrive.dispatch_pro.errors import Unfetchable

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port → addresses; OSError where the name is not known."""
_LOCAL_NAMES = ("localhost", ".localhost")


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses that the name server gives for a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True)
class Hosts:
    """Whom files may come from: the host of `api_url`, and `listed` (a leading dot means all hosts below it)."""

    api_url: str
    listed: tuple[str, ...] = ()
    resolve: Resolve = resolved

    def check(self, url: httpx.URL) -> None:
        """Raise Unfetchable for a URL that may not be asked for, naming what is wrong with it."""
        host = host_of(url)
        if url.scheme not in ("https", "http") or not host:
            raise Unfetchable("refused", f"{_shown(url)} is no address that files can be fetched from")
        if url.userinfo:
            raise Unfetchable("refused", f"the address of {host} carries a user name, which is not asked for")
        if not 0 < (url.port or 1) < 65_536:
            raise Unfetchable("refused", f"{host} has no port {url.port}")
        if url.scheme == "http" and not self._is_local(host):
            raise Unfetchable("refused", f"{host} would be asked without encryption")
        if not (host == self._own_host or self._is_local(host) or self._is_listed(host)):
            raise Unfetchable(
                "refused", f"{host} is not on the list of hosts that files may come from (DOWNLOAD_HOSTS)"
            )

    async def address(self, url: httpx.URL) -> str:
        """The address to connect to; Unfetchable if the host is unknown or leads into a private network."""
        host, port = host_of(url), url.port or (443 if url.scheme == "https" else 80)
        try:
            found = await self.resolve(host, port)
        except (OSError, UnicodeError):
            raise Unfetchable("broken", f"the host {host} is not known") from None
        private = [one for one in found if not (_is_public(one) or (self._is_local(host) and _loops(one)))]
        if private or not found:
            raise Unfetchable("refused", f"{host} leads to an address in a private network")
        return found[0]

    @property
    def _own_host(self) -> str:
        return host_of(httpx.URL(self.api_url))

    def _is_listed(self, host: str) -> bool:
        return any(host == name or (name.startswith(".") and host.endswith(name)) for name in self.listed)

    def _is_local(self, host: str) -> bool:
        """Whether the host is this machine, and Dispatch Pro is here too."""
        return _names_this_machine(host) and _names_this_machine(self._own_host)


def host_of(url: httpx.URL) -> str:
    """The host in lower case, as name servers know it; empty if there is none."""
    return url.raw_host.decode("ascii", "replace").lower().rstrip(".")


def _names_this_machine(host: str) -> bool:
    return host == _LOCAL_NAMES[0] or host.endswith(_LOCAL_NAMES[1]) or _loops(host)


def _loops(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _is_public(address: str) -> bool:
    """Whether an address is in the public internet; those that wrap another one are as public as that one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(str(inner))
        if ip.is_site_local:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _shown(url: httpx.URL) -> str:
    """As much of an address as may be repeated: never its query, which may hold a key."""
    return f"{url.scheme}:{url.path}"[:60] if url.scheme else str(url.path)[:60]
