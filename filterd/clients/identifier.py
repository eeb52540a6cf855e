# SPDX-License-Identifier: Apache-2.0
"""Identification of clients by MAC, range or interface; which clients are allowed."""

from __future__ import annotations

import socket
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from math import inf
from typing import TYPE_CHECKING

from filterd.policy.model import Client, strictest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.clients.network_view import Device, Sighting, Surroundings
    from filterd.policy.model import GradePolicy, Network, Policy

_MEMO_CLIENTS = 10_000
"""Five times the devices of the largest school; beyond that the memo starts again."""

_MAPPED = IPv6Network("::ffff:0:0/96")
_LOOPBACK = "lo"
PROBE_RANGE = IPv4Network("127.117.0.0/16")
"""Reserved for the self-test: the n-th address asks as the n-th grade of the policy in force.

Only this machine can: the kernel drops a packet with such a source that comes from outside (RFC
1122 §3.2.1.3), and sends what goes to such an address to itself. The interface cannot be compared:
what this machine sends to its address on a link is reported with the interface of that link.
Any process of this machine may so ask as any grade, which reveals what is blocked and no more.
"""
_ALWAYS_OWN = frozenset((ip_address("127.0.0.1"), ip_address("::1")))
"""Not all of 127.0.0.0/8: the sample school has its networks and unknown clients there."""


def probe_address(policy: Policy, key: str) -> str:
    """Return the address from which the daemon asks as a grade.

    Args:
        policy: in force.
        key: of the grade, as in ``Policy.grades``.

    Raises:
        ValueError: the policy does not have the grade.
    """
    return str(PROBE_RANGE[1 + list(policy.grades).index(key)])


class Identifier:
    """An identifier of clients for one policy; it memorises results while they hold."""

    def __init__(self, policy: Policy, surroundings: Surroundings) -> None:
        self._policy, self._surroundings = policy, surroundings
        self._clock = surroundings.clock
        ranges = [(ip_network(cidr), net) for net in policy.networks for cidr in net.cidrs]
        self._ranges = sorted(ranges, key=lambda item: item[0].prefixlen, reverse=True)
        self._interfaces = {name: net for net in policy.networks for name in net.interfaces}
        self._macs = {mac: net for net in policy.networks for mac in net.macs}
        self._by_probe = tuple(policy.grades.values())
        self._allowed = [ip_network(cidr) for cidr in policy.allow_from]
        self._memo: dict[tuple[str, int], tuple[Client | None, float]] = {}
        self._memo_version = surroundings.version

    def identify(self, address: str, interface: int = 0) -> Client | None:
        """Return the client, None for one that is not allowed.

        Args:
            address: as the kernel gives it. Its scope (``fe80::1%eth0``) names the
                interface where ``interface`` does not.
            interface: index of the interface it came in by, 0 if not known.
        """
        if self._memo_version != self._surroundings.version:
            self._memo.clear()
            self._memo_version = self._surroundings.version
        key = (address, interface)
        known = self._memo.get(key)
        if known is not None:
            client, until = known
            # Most results do not end with time: no clock is read for them.
            if until is inf or self._clock.monotonic() < until:
                return client
        return self._remember(key)

    def device_of(self, address: str, interface: int = 0) -> str:
        """Return the MAC of the device that has an address, or the address.

        That is where no MAC is seen, and where it is a router's: many devices are behind one.
        """
        bare, _, scope = address.partition("%")
        came_by = _interface_name(interface) if interface else scope
        sighting = self._sighting(_parse(bare), came_by)
        device = None if sighting is None else sighting.device
        return address if device is None or device.is_router else device.mac

    def holds_until(self, address: str, interface: int = 0) -> float:
        """Return until when (``Clock.monotonic``) the last ``identify`` holds at most.

        A change of the surroundings may end it before.
        """
        known = self._memo.get((address, interface))
        return known[1] if known is not None else 0.0

    def _remember(self, key: tuple[str, int]) -> Client | None:
        if len(self._memo) >= _MEMO_CLIENTS:
            self._memo.clear()
        bare, _, scope = key[0].partition("%")
        came_by = _interface_name(key[1]) if key[1] else scope
        found = self._identify(_parse(bare), came_by)
        self._memo[key] = found
        return found[0]

    def _identify(
        self, address: IPv4Address | IPv6Address, interface: str
    ) -> tuple[Client | None, float]:
        """Return the client, and until when (``Clock.monotonic``) that holds at most."""
        if address in PROBE_RANGE:
            return self._probe(address), inf
        network = self._network_of(address, interface)
        sighting = self._sighting(address, interface)
        if sighting is None:
            return self._client(address, interface, network, None), inf
        if sighting.device is None:
            return self._not_yet_known(address, interface, network), sighting.until
        return self._of_device(sighting.device, address, interface, network), sighting.until

    def _of_device(
        self,
        device: Device,
        address: IPv4Address | IPv6Address,
        interface: str,
        network: Network | None,
    ) -> Client | None:
        """Return the client of an address; ``network`` is that without the MAC."""
        listed = [one for one in (device.mac, *sorted(device.rivals)) if one in self._macs]
        if device.rivals and listed:
            return self._disputed(address, interface, network, listed)
        if device.is_router or not listed:
            return self._client(address, interface, network, device.mac)
        if not device.is_proved:
            return self._not_yet_known(address, interface, network)
        return self._client(address, interface, self._macs[device.mac], device.mac)

    def _disputed(
        self,
        address: IPv4Address | IPv6Address,
        interface: str,
        network: Network | None,
        macs: Iterable[str],
    ) -> Client | None:
        """Return the strictest client that one of these MACs, or another device, would be."""
        possible = [
            self._client(address, interface, one, None)
            for one in (network, *(self._macs[mac] for mac in macs))
        ]
        by_grade = {one.grade.key: one for one in reversed(possible) if one is not None}
        if not by_grade:
            return None
        return by_grade[strictest(one.grade for one in by_grade.values()).key]

    def _probe(self, address: IPv4Address | IPv6Address) -> Client | None:
        """Return the client of a probe address; None for one of no grade."""
        number = int(address) - int(PROBE_RANGE[1])
        if not 0 <= number < len(self._by_probe):
            return None
        return Client(self._by_probe[number], None, str(address), is_probe=True)

    def _sighting(self, address: IPv4Address | IPv6Address, interface: str) -> Sighting | None:
        """Return the sighting of the device, where a MAC can identify the client."""
        if not self._macs or self._is_own(address, interface):
            return None
        return self._surroundings.sighting(address, interface)

    def _client(
        self,
        address: IPv4Address | IPv6Address,
        interface: str,
        network: Network | None,
        mac: str | None,
    ) -> Client | None:
        if network is not None:
            return Client(self._grade(network.grade, address), network.id, str(address), mac)
        if self._may_ask(address, interface):
            unknown = self._grade(self._policy.unknown_grade, address)
            return Client(unknown, None, str(address), mac)
        return None

    def _grade(self, key: str, address: IPv4Address | IPv6Address) -> GradePolicy:
        """Return the grade of a network, or that of a single address in it."""
        instead = self._policy.clients.get(str(address)) if self._policy.clients else None
        return self._policy.grades[instead.get(key, key) if instead else key]

    def _not_yet_known(
        self, address: IPv4Address | IPv6Address, interface: str, network: Network | None
    ) -> Client | None:
        """Return a client with the strictest of all grades that are assigned by MAC.

        For a device that is not identified yet. Not stricter than that: a school that lists
        its teachers' laptops loses nothing while a classroom's devices are looked for.
        """
        client = self._client(address, interface, network, None)
        if client is None:
            return None
        grades = self._policy.grades
        grade = strictest([client.grade, *(grades[mac.grade] for mac in self._macs.values())])
        if grade is client.grade:
            return client
        return Client(grade, None, client.address)

    def _network_of(self, address: IPv4Address | IPv6Address, interface: str) -> Network | None:
        """Return the network by range, else by interface.

        A link-local address alone identifies no network.
        """
        if not address.is_link_local or address.version == 4:
            for cidr, network in self._ranges:
                if address in cidr:
                    return network
        return self._interfaces.get(interface)

    def _may_ask(self, address: IPv4Address | IPv6Address, interface: str) -> bool:
        """Return whether a client of no network is allowed.

        This machine is: it queries itself to check its health.
        """
        if self._is_own(address, interface) or any(address in allowed for allowed in self._allowed):
            return True
        return self._surroundings.links.link_of(address, interface) is not None

    def is_own(self, address: str) -> bool:
        """Return whether an address is this machine's own."""
        bare, _, scope = address.partition("%")
        return self._is_own(_parse(bare), scope)

    def _is_own(self, address: IPv4Address | IPv6Address, interface: str) -> bool:
        """Return whether an address is this machine's own.

        A link-local address of this machine may be another device's on another link.
        """
        if address.is_link_local and interface != _LOOPBACK:
            return False
        return address in _ALWAYS_OWN or address in self._surroundings.links.own


def _interface_name(index: int) -> str:
    try:
        return socket.if_indextoname(index)
    except OSError:  # the interface went away while its last packet waited
        return ""


def _parse(address: str) -> IPv4Address | IPv6Address:
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address) and parsed in _MAPPED:
        return parsed.ipv4_mapped or parsed
    return parsed
