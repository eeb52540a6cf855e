# SPDX-License-Identifier: Apache-2.0
"""The network around the gateway: the devices seen at the moment, by address.

``observer`` writes it, ``Identifier`` and the local zones read it. Nothing is believed
for longer than a minute without being seen again; the machine's own addresses and links
stay as they were last seen.

Neighbours (the kernel's table, as ``ip -j neigh show`` prints it), leases and links are put
together. A MAC identifies only an address on a link of the school's side: packets from
beyond a router carry the router's MAC. A MAC that stands for many unrelated addresses is
such a router (or a repeater that answers for the devices behind it) and identifies no device.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from filterd.clients.interfaces import Links
from filterd.clients.leases import LeaseNames, name_leases, parse_mac
from filterd.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from filterd.clients.leases import Lease

LEARNED_FOR_S = 60.0
UNKNOWN_FOR_S = 1.0

MOST_DEVICES = 10_000

MOST_IPV4_ADDRESSES = 3
"""Of one device on one link: its own, an old one that is remembered, a docking station's."""

MOST_IPV6_ADDRESSES, MOST_IPV6_PREFIXES = 32, 4
"""A device makes a new temporary address a day and drops it after a week, in each
prefix (RFC 8981 §3.8); prefixes change with the provider."""


MOST_NEIGHBOURS = 10_000

_SAYS_NOTHING = frozenset(("FAILED", "INCOMPLETE", "NOARP", "NONE"))
"""States in which the device has not answered the kernel (ip-neighbour(8))."""


class Sighting(NamedTuple):
    """A device on a link, None for one not seen yet; valid until a monotonic time."""

    device: Device | None
    until: float


class Surroundings:
    """Devices and prefixes that are seen now; outlives reloads.

    Attributes:
        version: counts changes that may change the client or the name of an address.
        links: this machine's own addresses, and the links of the school's side.
        wanted: an address was asked about that is on a link and not known.
        on_wanted: called when ``wanted`` becomes true.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.version = 0
        self.links = Links()
        self.wanted = False
        self.on_wanted: Callable[[], None] = _nobody_waits
        self._neighbours: tuple[Neighbour, ...] = ()
        self._leases: tuple[Lease, ...] = ()
        self._devices: dict[Place, Device] = {}
        self._names = LeaseNames()
        self._neighbours_until = self._leases_until = 0.0

    def take_links(self, links: Links) -> None:
        """Replace this machine's links and addresses."""
        if links != self.links:
            self.links = links
            self.version += 1
            self._join()

    def take_neighbours(self, neighbours: tuple[Neighbour, ...]) -> None:
        """Replace the whole neighbour table; devices that are not in it are forgotten."""
        self.wanted = False
        self._neighbours_until = self.clock.monotonic() + LEARNED_FOR_S
        if neighbours != self._neighbours:
            self._neighbours = neighbours
            self._join()

    def take_leases(self, leases: tuple[Lease, ...]) -> None:
        """Replace all leases; those that are missing are forgotten."""
        self._leases_until = self.clock.monotonic() + LEARNED_FOR_S
        names = name_leases(leases, self.names, self.clock.wall())
        if names != self._names:
            self._names = names
            self.version += 1
        before, self._leases = self._leases, leases
        if _macs(leases) != _macs(before):  # most leases are only renewed
            self._join()

    @property
    def names(self) -> LeaseNames:
        """The names of leased addresses."""
        if self.clock.monotonic() < self._leases_until:
            return self._names
        return LeaseNames()

    def sighting(self, address: IPv4Address | IPv6Address, interface: str) -> Sighting | None:
        """Return the device of an address; notes that it is wanted where none is known.

        Args:
            address: without scope.
            interface: by which its packet came, empty where that is not known.

        Returns: None where no MAC can identify it, because the address is on no link.
        """
        link = self.links.link_of(address, interface)
        if link is None:
            return None
        self._forget()
        device = self._devices.get((address, link))
        if device is None:
            self._want()
            return Sighting(None, self.clock.monotonic() + UNKNOWN_FOR_S)
        return Sighting(device, self._known_until())

    def _want(self) -> None:
        if not self.wanted:
            self.wanted = True
            self.on_wanted()

    def _known_until(self) -> float:
        ends = (self._neighbours_until, self._leases_until)
        return min(end for end in ends if end > self.clock.monotonic())

    def _forget(self) -> None:
        """Forget devices that were not seen again in time."""
        now = self.clock.monotonic()
        if self._neighbours and self._neighbours_until <= now:
            self._neighbours = ()
            self._join()
        if self._leases and self._leases_until <= now:
            self._leases = ()
            self._join()

    def _join(self) -> None:
        found = devices(self._neighbours, self._leases, self.links)
        if found != self._devices:
            self._devices = found
            self.version += 1


def _macs(leases: tuple[Lease, ...]) -> list[tuple[IPv4Address | IPv6Address, str | None]]:
    return [(lease.address, lease.mac) for lease in leases]


def _nobody_waits() -> None:
    """Do nothing: without an observer, unknown devices stay unknown."""


Place: TypeAlias = tuple[IPv4Address | IPv6Address, str]
"""An address and the interface of its link; the same link-local one may be on several."""


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
