# SPDX-License-Identifier: Apache-2.0
"""The kernel's neighbour table, as ``ip -j neigh show`` prints it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

from filterd.clients.leases import parse_mac

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_NEIGHBOURS = 10_000

_SAYS_NOTHING = frozenset(("FAILED", "INCOMPLETE", "NOARP", "NONE"))
"""States in which the device has not answered the kernel (ip-neighbour(8))."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A device that answered for an address on a link."""

    address: IPv4Address | IPv6Address
    interface: str
    mac: str


def parse(table: Iterable[dict[str, Any]]) -> tuple[Neighbour, ...]:
    """Return the neighbours that are known, at most MOST_NEIGHBOURS. Never raises."""
    found = [neighbour for entry in table if (neighbour := _neighbour(entry))]
    return tuple(found[:MOST_NEIGHBOURS])


def _neighbour(entry: dict[str, Any]) -> Neighbour | None:
    states, interface, mac = entry.get("state"), entry.get("dev"), entry.get("lladdr")
    if not isinstance(states, list) or not _SAYS_NOTHING.isdisjoint(map(str, states)):
        return None
    if not isinstance(interface, str) or not isinstance(mac, str):
        return None
    known, address = parse_mac(mac), _address(str(entry.get("dst")))
    return Neighbour(address, interface, known) if known and address else None


@lru_cache(MOST_NEIGHBOURS)  # as a rule the same ones are there a second later
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
