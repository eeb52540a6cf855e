# SPDX-License-Identifier: Apache-2.0
"""Devices by address: neighbours, leases and links put together. Pure.

Neighbours are the kernel's neighbour table, as ``ip -j neigh show`` prints it.

A MAC identifies only an address on a link of the school's side: packets from
beyond a router carry the router's MAC. A MAC that stands for many unrelated
addresses is such a router (or a repeater that answers for the devices behind it)
and identifies no device.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, TypeAlias

from filterd.clients.leases import parse_mac

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.clients.interfaces import Links
    from filterd.clients.leases import Lease

Place: TypeAlias = tuple[IPv4Address | IPv6Address, str]
"""An address and the interface of its link; the same link-local one may be on several."""

MOST_DEVICES = 10_000

MOST_IPV4_ADDRESSES = 3
"""Of one device on one link: its own, an old one that is remembered, a docking station's."""

MOST_IPV6_ADDRESSES, MOST_IPV6_PREFIXES = 32, 4
"""A device makes a new temporary address a day and drops it after a week, in each
prefix (RFC 8981 §3.8); prefixes change with the provider."""

_LOCALLY_ADMINISTERED = 0x02

MOST_NEIGHBOURS = 10_000

_SAYS_NOTHING = frozenset(("FAILED", "INCOMPLETE", "NOARP", "NONE"))
"""States in which the device has not answered the kernel (ip-neighbour(8))."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A device that answered for an address on a link."""

    address: IPv4Address | IPv6Address
    interface: str
    mac: str


def parse_neighbours(table: Iterable[dict[str, Any]]) -> tuple[Neighbour, ...]:
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


@dataclass(frozen=True, slots=True)
class Device:
    """The device that has an address. ``is_router``: its MAC identifies no device."""

    mac: str
    is_router: bool = False


def is_random(mac: str) -> bool:
    """Return whether a MAC is random, made by the device itself, and so may change.

    It is if it is locally administered (RFC 9542 §2.1), as telephones do.
    """
    return bool(int(mac[:2], 16) & _LOCALLY_ADMINISTERED)


def devices(
    neighbours: Iterable[Neighbour], leases: Iterable[Lease], links: Links
) -> dict[Place, Device]:
    """Return the devices by place, at most MOST_DEVICES.

    Where neighbour table and lease differ the table is right: it shows which device
    answered for the address just now.
    """
    macs: dict[Place, str] = {}
    for neighbour in neighbours:
        if len(macs) < MOST_DEVICES and links.link_of(neighbour.address, neighbour.interface):
            macs[neighbour.address, neighbour.interface] = neighbour.mac
    for lease in leases:
        link = links.link_of(lease.address, "") if lease.mac else None
        if lease.mac and link and len(macs) < MOST_DEVICES:
            macs.setdefault((lease.address, link), lease.mac)
    routers = _routers(macs)
    return {place: Device(mac, (mac, place[1]) in routers) for place, mac in macs.items()}


def _routers(macs: dict[Place, str]) -> set[tuple[str, str]]:
    """Return the MACs, each with its link, that have more addresses than a device has."""
    addresses: defaultdict[tuple[str, str], list[IPv4Address | IPv6Address]] = defaultdict(list)
    for (address, interface), mac in macs.items():
        if not address.is_link_local:
            addresses[mac, interface].append(address)
    return {key for key, found in addresses.items() if _are_many(found)}


def _are_many(addresses: list[IPv4Address | IPv6Address]) -> bool:
    ipv6 = [address for address in addresses if isinstance(address, IPv6Address)]
    if len(addresses) - len(ipv6) > MOST_IPV4_ADDRESSES or len(ipv6) > MOST_IPV6_ADDRESSES:
        return True
    return len({IPv6Network((address, 64), strict=False) for address in ipv6}) > MOST_IPV6_PREFIXES
