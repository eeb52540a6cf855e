# SPDX-License-Identifier: Apache-2.0
"""The servers of resolv.conf, for which ``upstreams: [system]`` stands.

A school's provider hands them out by DHCP, and they change; no list of providers'
resolvers that could be shipped would stay correct for long.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

from filterd.base.addresses import LOOPBACK_OF, is_address
from filterd.policy.model import ListenAddress, Tls, UpstreamServer
from filterd.upstream.upstream_question import TLS_PORT, in_clear

RESOLV_CONF = Path("/etc/resolv.conf")

_LARGEST = 65_536
_MOST_SERVERS = 3
"""As many as the C library reads (resolv.conf(5))."""


_LONGEST_ADDRESS = 64
"""Of IPv6 with the name of an interface."""

_read_before: dict[Path, tuple[str, ...]] = {}
"""By file, what this process has read last, or the one that has forked it."""


def servers(
    configured: tuple[UpstreamServer, ...],
    listen: tuple[ListenAddress, ...],
    resolv_conf: Path | None = None,
) -> tuple[UpstreamServer, ...]:
    """Replace ``system`` by the machine's servers, with the options of that entry.

    Addresses that filterd itself listens on are left out: it must not ask
    itself. The file is read only where it is needed.
    """
    needed = any(server.address == "system" for server in configured)
    found = addresses_in(resolv_conf or RESOLV_CONF) if needed else ()
    return servers_with(configured, listen, found)


def servers_with(
    configured: tuple[UpstreamServer, ...],
    listen: tuple[ListenAddress, ...],
    addresses: tuple[str, ...],
) -> tuple[UpstreamServer, ...]:
    """Replace ``system`` by servers of these addresses; see ``servers``."""
    result: list[UpstreamServer] = []
    for server in configured:
        if server.address == "system":
            result += [_named(server, address) for address in addresses]
        else:
            result.append(server)
    return tuple(dict.fromkeys(server for server in result if not is_own(server, listen)))


def read_last() -> tuple[str, ...]:
    """Return the addresses of the machine's servers, as this process read them last."""
    return _read_before.get(RESOLV_CONF, ())


def addresses_in(path: Path) -> tuple[str, ...]:
    """Return the addresses of servers in a file of this form.

    A file that is absent gives none, as an absent network does. One that its disk does not give
    back any more gives those that were read last.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_LARGEST)
    except (FileNotFoundError, NotADirectoryError):
        text = ""
    except OSError:
        return _read_before.get(path, ())
    lines = [line.split() for line in text.splitlines()]
    named = (words[1] for words in lines if len(words) >= 2 and words[0] == "nameserver")
    known = (one for one in named if is_address(one.partition("%")[0]))
    found = tuple(one for one in known if len(one) <= _LONGEST_ADDRESS)[:_MOST_SERVERS]
    _read_before[path] = found
    return found


def is_own(server: UpstreamServer, listen: tuple[ListenAddress, ...]) -> bool:
    """Return whether a server is filterd itself, also where TLS cannot be had."""
    to_ask = (server,) if server.tls == Tls.STRICT else (server, in_clear(server))
    ways = {(way.address, way.port) for way in to_ask}
    for address in listen:
        if (address.address, address.port) in ways:
            return True
        if address.address in LOOPBACK_OF and any(
            port == address.port and ip_address(own.partition("%")[0]).is_loopback
            for own, port in ways
        ):
            return True
    return False


def _named(entry: UpstreamServer, address: str) -> UpstreamServer:
    if entry.tls == Tls.NO:
        return replace(entry, address=address)
    return replace(entry, address=address, port=TLS_PORT, tls_name="")
