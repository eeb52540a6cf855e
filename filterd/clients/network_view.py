# SPDX-License-Identifier: Apache-2.0
"""The network around the gateway: the devices seen at the moment, by address.

``observer`` writes it, ``Identifier`` and the local zones read it. Nothing is believed
for longer than a minute without being seen again; the machine's own addresses and links
stay as they were last seen.

Neighbours (the kernel's table, as ``ip -j neigh show`` prints it), leases, frames and links are
put together. A MAC identifies only an address on a link of the school's side: packets from
beyond a router carry the router's MAC. Each of these witnesses can be forged, so they must
agree. What is claimed of an address, by the table now and of late (``neighbours``) or by a lease,
are its device and the **rivals**: while there is one, the strictest of them decides. A device
without a rival is **proved** where the sockets take its questions in its own frames only
(``frame_filter``); where the kernel does not compare frames, by its answer to the kernel, or by
a lease that says the same.

A MAC that stands for many unrelated addresses is a router (or a repeater that answers for the
devices behind it) and identifies no device. But whoever likes can claim many addresses for the
MAC of another: among many, an address stays that of the device if it asked before they came, or
has a lease, and as long as not so many of them ask: that takes frames of this MAC.
"""

from __future__ import annotations

from collections import defaultdict
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.clock import Clock, SystemClock
from filterd.clients.interfaces import Links
from filterd.clients.leases import LeaseNames, name_leases
from filterd.clients.neighbours import NeighbourClaims, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from filterd.clients.frame_filter import FrameFilter
    from filterd.clients.leases import Lease
    from filterd.clients.neighbours import Neighbour

LEARNED_FOR_S = 60.0
UNKNOWN_FOR_S = 1.0

MOST_DEVICES = 10_000

MOST_IPV4_ADDRESSES = 3
"""Of one device on one link: its own, an old one that is remembered, a docking station's."""

MOST_IPV6_ADDRESSES, MOST_IPV6_PREFIXES = 32, 4
"""A device makes a new temporary address a day and drops it after a week, in each
prefix (RFC 8981 §3.8); prefixes change with the provider."""

AMONG_MANY_S = 10.0
"""An address that first asks among many of its MAC waits so long for whether the others ask: a
class behind a repeater does. Forged entries stay in an idle kernel's table for days."""

MOST_SHOWN = 8
"""Addresses with rivals that a status has."""


_NO_RIVALS = frozenset[str]()


class Device(NamedTuple):
    """The device that has an address.

    Attributes:
        mac: in the table now, else in the lease.
        is_router: this MAC identifies no device.
        rivals: other MACs that the address is claimed for.
        is_proved: questions from the address are of this MAC.
    """

    mac: str
    is_router: bool = False
    rivals: frozenset[str] = _NO_RIVALS
    is_proved: bool = True


class Sighting(NamedTuple):
    """A device on a link, None for one not seen yet; valid until a monotonic time."""

    device: Device | None
    until: float


class _PlaceAsker(NamedTuple):
    """The MAC of a place that has asked, and since when it asks; monotonic."""

    mac: str
    since: float


class Surroundings:
    """Devices and prefixes that are seen now; outlives reloads.

    Attributes:
        version: counts changes that may change the client or the name of an address.
        links: this machine's own addresses, and the links of the school's side.
        devices: those of now, by place.
        wanted: an address was asked about that is on a link and not known.
        on_wanted: called when ``wanted`` becomes true.

    Args:
        clock: of this machine.
        is_survey: whether it only shows where a device belongs: every claim counts as proved.
    """

    def __init__(self, clock: Clock | None = None, *, is_survey: bool = False) -> None:
        self.clock: Clock = clock or SystemClock()
        self._is_survey = is_survey
        self.version = 0
        self.links = Links()
        self.devices: Mapping[Place, Device] = {}
        self.wanted = False
        self.on_wanted: Callable[[], None] = _nobody_waits
        self._frames: FrameFilter | None = None
        self._claims = NeighbourClaims()
        self._leases: tuple[Lease, ...] = ()
        self._askers: dict[Place, _PlaceAsker] = {}
        self._crowded: set[str] = set()
        self._on_link: dict[Place, bool] = {}
        self._names = LeaseNames()
        self._neighbours_until = self._leases_until = 0.0
        self._due_at = inf

    def check_frames(self, frames: FrameFilter) -> None:
        """Have the frames of questions checked from now on, or for other MACs than before."""
        self._frames = frames
        self._join()

    def take_links(self, links: Links) -> None:
        """Replace this machine's links and addresses."""
        if links != self.links:
            self.links = links
            self._on_link.clear()
            self.version += 1
            self._join()

    def take_neighbours(self, neighbours: tuple[Neighbour, ...]) -> None:
        """Replace the whole neighbour table; devices that are not in it are forgotten."""
        self.wanted = False
        now = self.clock.monotonic()
        self._neighbours_until = now + LEARNED_FOR_S
        if self._claims.take(neighbours, now):
            self._join()

    def take_leases(self, leases: tuple[Lease, ...]) -> None:
        """Replace all leases; those that are missing, or over, are forgotten."""
        self._leases_until = self.clock.monotonic() + LEARNED_FOR_S
        wall = self.clock.wall()
        names = name_leases(leases, self.names, wall)
        if names != self._names:
            self._names = names
            self.version += 1
        held = tuple(
            lease for lease in leases if lease.expires_at is None or lease.expires_at > wall
        )
        before, self._leases = self._leases, held
        if _macs(held) != _macs(before):  # most leases are only renewed
            self._join()

    @property
    def names(self) -> LeaseNames:
        """The names of leased addresses."""
        if self.clock.monotonic() < self._leases_until:
            return self._names
        return LeaseNames()

    @property
    def disputes(self) -> list[tuple[str, ...]]:
        """The MACs of each address that several devices claim.

        Of addresses with a listed MAC, MOST_SHOWN at most: others decide nothing.
        """
        self.settle()
        listed = set() if self._frames is None else self._frames.listed.keys()
        claimed = {tuple(sorted({device.mac, *device.rivals})) for device in self.devices.values()}
        found = (one for one in claimed if len(one) > 1 and not listed.isdisjoint(one))
        return sorted(found)[:MOST_SHOWN]

    def sighting(self, address: IPv4Address | IPv6Address, interface: str) -> Sighting | None:
        """Return the device of an address that asks.

        Notes that one is wanted where none is known.

        Args:
            address: without scope.
            interface: by which its packet came, empty where that is not known.

        Returns: None where no MAC can identify it, because the address is on no link.
        """
        link = self.links.link_of(address, interface)
        if link is None:
            return None
        self.settle()
        place = (address, link)
        device = self.devices.get(place)
        if device is None:
            self._want()
            return Sighting(None, self.clock.monotonic() + UNKNOWN_FOR_S)
        self._note_asker(place, device)
        return Sighting(self.devices.get(place, device), min(self._known_until(), self._due_at))

    def settle(self) -> None:
        """Do what is due by now: forget what was not seen again, end rivals."""
        now = self.clock.monotonic()
        is_due = now >= self._due_at
        if self._neighbours_until <= now:
            is_due |= self._claims.take((), now)
        if self._leases and self._leases_until <= now:
            self._leases, is_due = (), True
        if is_due:
            self._join()

    def _want(self) -> None:
        if not self.wanted:
            self.wanted = True
            self.on_wanted()

    def _known_until(self) -> float:
        ends = (self._neighbours_until, self._leases_until)
        return min(end for end in ends if end > self.clock.monotonic())

    def _note_asker(self, place: Place, device: Device) -> None:
        known = self._askers.get(place)
        if not device.is_proved or device.rivals or (known and known.mac == device.mac):
            return
        self._askers[place] = _PlaceAsker(device.mac, self.clock.monotonic())
        if device.mac in self._crowded:
            self._join()

    def _join(self) -> None:
        now = self.clock.monotonic()
        self._claims.age(now)
        self._due_at = self._claims.rivals_until
        found = self._proved(self._claimed(), now)
        for place, asker in list(self._askers.items()):
            if place not in found or found[place].mac != asker.mac:
                del self._askers[place]
        if found != self.devices:
            self.devices = found
            self.version += 1

    def _is_on_link(self, place: Place) -> bool:
        known = self._on_link.get(place)
        if known is None:
            if len(self._on_link) >= MOST_DEVICES:
                self._on_link.clear()
            known = self._on_link[place] = self.links.link_of(*place) is not None
        return known

    def _leased(self) -> dict[Place, str]:
        found: dict[Place, str] = {}
        for lease in self._leases:
            link = self.links.link_of(lease.address, "") if lease.mac else None
            if lease.mac and link:
                found[lease.address, link] = lease.mac
        return found

    def _claimed(self) -> dict[Place, Device]:
        """Return the devices with their rivals, at most MOST_DEVICES.

        ``is_proved`` is what table and lease say.
        """
        found: dict[Place, Device] = {}
        leased = self._leased()
        for place, claim in self._claims:
            if len(found) < MOST_DEVICES and self._is_on_link(place):
                lease_of = leased.get(place)
                rivals = _NO_RIVALS
                if claim.left_at or lease_of not in (None, claim.mac):
                    rivals = frozenset((*claim.left_at, lease_of or claim.mac)) - {claim.mac}
                is_proved = self._is_survey or claim.has_answered or lease_of == claim.mac
                found[place] = Device(claim.mac, False, rivals, is_proved)
        for place, mac in leased.items():
            if place not in found and len(found) < MOST_DEVICES:
                rivals = self._claims.rivals_of(place) - {mac}
                found[place] = Device(mac, False, rivals, self._is_survey)
        return self._among_many(found, leased)

    def _among_many(
        self, found: dict[Place, Device], leased: Mapping[Place, str]
    ) -> dict[Place, Device]:
        """Mark the addresses of routers as such."""
        of_mac: defaultdict[tuple[str, str], list[Place]] = defaultdict(list)
        for place, device in found.items():
            of_mac[device.mac, place[1]].append(place)
        self._crowded.clear()
        for (mac, _), places in of_mac.items():
            if len(places) > MOST_IPV4_ADDRESSES and _are_many(places):
                self._crowded.add(mac)
                kept = self._kept_among(places, mac, leased)
                for place in places:
                    if place not in kept:
                        found[place] = Device(
                            mac, True, found[place].rivals, found[place].is_proved
                        )
        return found

    def _kept_among(
        self, places: Sequence[Place], mac: str, leased: Mapping[Place, str]
    ) -> set[Place]:
        """Return those of many places that stay the device's own."""
        now = self.clock.monotonic()
        by_lease = {place for place in places if leased.get(place) == mac}
        kept = set[Place]() if _are_many(by_lease) else by_lease
        askers = {
            place: asker
            for place in places
            if (asker := self._askers.get(place)) and asker.mac == mac
        }
        if _are_many(askers):
            return set()
        for place, asker in askers.items():
            before = self.devices.get(place)
            waits_until = asker.since + AMONG_MANY_S
            if waits_until <= now or (before and before.mac == mac and not before.is_router):
                kept.add(place)
            else:
                self._due_at = min(self._due_at, waits_until)
        return kept

    def _proved(self, found: dict[Place, Device], now: float) -> dict[Place, Device]:
        """Return the devices with what the frames of their questions prove."""
        frames = self._frames
        if frames is None:
            return found
        wanted = [
            (place, device.mac)
            for place, device in found.items()
            if device.mac in frames.listed and not device.rivals
        ]
        wanted.sort(key=lambda one: (one[0] not in self._askers, frames.listed[one[1]]))
        frames.hold(wanted, now)
        self._due_at = min(self._due_at, frames.next_at(now))
        for place, mac in wanted:
            if frames.is_whole and frames.has(place):
                device, is_proved = found[place], frames.covers(place, mac, now)
                found[place] = Device(mac, device.is_router, device.rivals, is_proved)
        return found


def _macs(leases: tuple[Lease, ...]) -> list[tuple[IPv4Address | IPv6Address, str | None]]:
    return [(lease.address, lease.mac) for lease in leases]


def _nobody_waits() -> None:
    """Do nothing: without an observer, unknown devices stay unknown."""


def devices(
    neighbours: Iterable[Neighbour], leases: Iterable[Lease], links: Links
) -> Mapping[Place, Device]:
    """Return the devices by place, at most MOST_DEVICES, by one look at the network."""
    around = Surroundings(is_survey=True)
    around.take_links(links)
    around.take_neighbours(tuple(neighbours))
    around.take_leases(tuple(leases))
    return around.devices


def _are_many(places: Iterable[Place]) -> bool:
    """Return whether these are more addresses than a device has on a link."""
    addresses = [address for address, _ in places if not address.is_link_local]
    ipv6 = [address for address in addresses if isinstance(address, IPv6Address)]
    if len(addresses) - len(ipv6) > MOST_IPV4_ADDRESSES or len(ipv6) > MOST_IPV6_ADDRESSES:
        return True
    return len({IPv6Network((address, 64), strict=False) for address in ipv6}) > MOST_IPV6_PREFIXES
