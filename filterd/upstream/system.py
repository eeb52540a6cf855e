# SPDX-License-Identifier: Apache-2.0
"""The servers that the machine itself uses: what ``upstreams: [system]`` stands for.

A school's provider hands them out by DHCP, and they change; no list of
providers' resolvers that we could ship would be true for long.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from filterd.policy.model import ListenAddress, UpstreamServer

RESOLV_CONF = Path("/etc/resolv.conf")

_LARGEST = 65_536
_MOST_SERVERS = 3
"""As many as the C library reads (resolv.conf(5))."""


def servers(
    configured: tuple[UpstreamServer, ...],
    listen: tuple[ListenAddress, ...],
    resolv_conf: Path = RESOLV_CONF,
) -> tuple[UpstreamServer, ...]:
    """Put the machine's servers in the place of ``system``.

    Addresses that filterd itself listens on are left out: it must not ask
    itself. An unreadable file gives no servers, as an absent network does.
    """
    result: list[UpstreamServer] = []
    for server in configured:
        result += _system(resolv_conf) if server.address == "system" else [server]
    own = {(address.address, address.port) for address in listen}
    return tuple(
        dict.fromkeys(server for server in result if (server.address, server.port) not in own)
    )


def _system(resolv_conf: Path) -> list[UpstreamServer]:
    try:
        with resolv_conf.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_LARGEST)
    except OSError:
        return []
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and _is_address(words[1]):
            found.append(UpstreamServer(words[1]))
    return found[:_MOST_SERVERS]


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
