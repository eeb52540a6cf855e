# SPDX-License-Identifier: Apache-2.0
"""The network around the gateway: which devices are seen at the moment.

``observer`` writes it, ``Identifier`` and the local zones read it. Nothing is believed
for longer than a minute without being seen again; the machine's own addresses and links
stay as they were last seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.clients.devices import Device, Neighbour, Place, devices
from filterd.clients.interfaces import Links
from filterd.clients.leases import LeaseNames, name_leases
from filterd.clock import Clock, SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from ipaddress import IPv4Address, IPv6Address

    from filterd.clients.leases import Lease

LEARNED_FOR_S = 60.0
UNKNOWN_FOR_S = 1.0


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
