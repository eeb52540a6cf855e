# SPDX-License-Identifier: Apache-2.0
"""Recognise clients by network, and tell who may ask at all."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from filterd.policy.client import Client

if TYPE_CHECKING:
    from filterd.identity.surroundings import Surroundings
    from filterd.policy.model import Network, Policy

_MEMO_CLIENTS = 10_000
"""Five times the devices of the largest school; beyond that the memo starts again."""


class Identifier:
    """Answers, for one policy, who asks; remembers what it found."""

    def __init__(self, policy: Policy, surroundings: Surroundings) -> None:
        self._policy, self._surroundings = policy, surroundings
        self._unknown = policy.grades[policy.unknown_grade]
        ranges = [(ip_network(cidr), net) for net in policy.networks for cidr in net.cidrs]
        self._ranges = sorted(ranges, key=lambda item: item[0].prefixlen, reverse=True)
        self._interfaces = {name: net for net in policy.networks for name in net.interfaces}
        self._allowed = [ip_network(cidr) for cidr in policy.allow_from]
        self._memo: dict[tuple[str, int], Client | None] = {}

    def identify(self, address: str, interface: int = 0) -> Client | None:
        """Return the client, None for one that may not ask here.

        Args:
            address: as the kernel gives it. Its scope (``fe80::1%eth0``) says
                by which interface it came where ``interface`` does not.
            interface: index of the interface it came in by, 0 if not known.
        """
        key = (address, interface)
        if key in self._memo:
            return self._memo[key]
        if len(self._memo) >= _MEMO_CLIENTS:
            self._memo.clear()
        bare, _, scope = address.partition("%")
        came_by = _interface_name(interface) if interface else scope
        client = self._memo[key] = self._identify(_parse(bare), came_by)
        return client

    def _identify(self, address: IPv4Address | IPv6Address, interface: str) -> Client | None:
        network = self._network_of(address, interface)
        if network is None:
            if not any(address in allowed for allowed in self._allowed):
                return None
            return Client(self._unknown, None, str(address))
        return Client(self._policy.grades[network.grade], network.id, str(address))

    def _network_of(self, address: IPv4Address | IPv6Address, interface: str) -> Network | None:
        for cidr, network in self._ranges:
            if address in cidr:
                return network
        return self._interfaces.get(interface)


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


_MAPPED = IPv6Network("::ffff:0:0/96")
