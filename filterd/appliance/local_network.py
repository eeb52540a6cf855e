# SPDX-License-Identifier: Apache-2.0
"""Describe the network around this machine: links, routes, neighbours, resolvers.

All of it is read from ``ip -j`` and resolv.conf at one moment; nothing is sent.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address, ip_interface
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import StoreError
from filterd.clients.interfaces import MOST_ADDRESSES, IpCommand, Links
from filterd.clients.interfaces import parse as parse_links
from filterd.clients.leases import parse_mac
from filterd.clients.neighbours import parse_neighbours
from filterd.policy.model import UpstreamServer
from filterd.texts.i18n import say
from filterd.upstream import resolv_conf

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
    from pathlib import Path

    from filterd.clients.neighbours import Neighbour
    from filterd.policy.model import Network, Policy

STAFF_TIERS = frozenset(("staff", "guest"))
"""The tiers of those who are not pupils."""

_MOST_INTERFACES = 100
_LONGEST_NAME = 15
"""IFNAMSIZ without its end mark."""


class NetworkInterface(NamedTuple):
    """An interface other than loopback; ``mac`` is empty where it has none."""

    name: str
    mac: str
    is_up: bool
    addresses: tuple[IPv4Interface | IPv6Interface, ...]


class DefaultRoute(NamedTuple):
    """The router behind an interface, None on a point-to-point link."""

    interface: str
    router: IPv4Address | IPv6Address | None


class LocalNetwork(NamedTuple):
    """What this machine has and sees.

    ``links`` distinguishes the school's side; ``resolvers`` are those of resolv.conf.
    """

    interfaces: tuple[NetworkInterface, ...]
    routes: tuple[DefaultRoute, ...]
    neighbours: tuple[Neighbour, ...]
    resolvers: tuple[str, ...]
    links: Links

    @property
    def lan(self) -> tuple[NetworkInterface, ...]:
        """The interfaces of the school's side that are up and have an address."""
        names = {one.interface for one in self.links.lan if not one.network.is_link_local}
        return tuple(
            interface
            for interface in self.interfaces
            if interface.name in names and interface.is_up
        )

    @property
    def outward(self) -> frozenset[str]:
        """The names of the interfaces that a default route leads through."""
        return frozenset(route.interface for route in self.routes)

    @property
    def own(self) -> frozenset[str]:
        """The addresses of this machine by which others reach it."""
        return frozenset(str(one.ip) for link in self.interfaces for one in link.addresses)


async def look(
    ip: IpCommand | None = None,
    *,
    lan_interfaces: Collection[str] = (),
    resolver_file: Path = resolv_conf.RESOLV_CONF,
) -> LocalNetwork:
    """Read the network of this machine.

    Args:
        ip: the runner of ``ip``.
        lan_interfaces: of the site; empty to find them.
        resolver_file: in the format of resolv.conf.

    Raises:
        StoreError: ``ip`` does not work.
    """
    ip = ip or IpCommand()
    answers = await asyncio.gather(
        ip.ask("address", "show"),
        ip.ask("-4", "route", "show", "default", "table", "all"),
        ip.ask("-6", "route", "show", "default", "table", "all"),
        ip.ask("neigh", "show"),
    )
    addresses, ipv4, ipv6, table = answers
    if addresses is None or ipv4 is None or ipv6 is None or table is None:
        raise StoreError(say("the command `ip` does not list the network; install iproute2"))
    routes = [*ipv4, *ipv6]
    return LocalNetwork(
        tuple(_interfaces(addresses)),
        tuple(_routes(routes)),
        parse_neighbours(table),
        _resolvers(resolver_file),
        parse_links(addresses, routes, lan_interfaces),
    )


def pupils_networks(policy: Policy) -> tuple[Network, ...]:
    """Return the networks of a site whose clients are pupils."""
    return tuple(
        network
        for network in policy.networks
        if policy.grades[network.grade].tier not in STAFF_TIERS
    )


def _interfaces(links: list[dict[str, Any]]) -> Iterable[NetworkInterface]:
    for link in links[:_MOST_INTERFACES]:
        name, flags = str(link.get("ifname", "")), link.get("flags")
        flags = flags if isinstance(flags, list) else []
        if not 0 < len(name) <= _LONGEST_NAME or "LOOPBACK" in flags:
            continue
        mac = parse_mac(str(link.get("address", ""))) or ""
        # An interface whose cable is out is UP and not LOWER_UP.
        is_up = "UP" in flags and "NO-CARRIER" not in flags
        yield NetworkInterface(name, mac, is_up, tuple(_addresses(link.get("addr_info"))))


def _addresses(infos: Any) -> Iterable[IPv4Interface | IPv6Interface]:
    for info in infos[:MOST_ADDRESSES] if isinstance(infos, list) else ():
        try:
            yield ip_interface(f"{info['local']}/{info['prefixlen']}")
        except (KeyError, TypeError, ValueError):
            continue


def _routes(routes: list[dict[str, Any]]) -> Iterable[DefaultRoute]:
    for route in routes[:MOST_ADDRESSES]:
        hops = route.get("nexthops")
        for hop in hops if isinstance(hops, list) else [route]:
            if not isinstance(hop, dict) or not isinstance(hop.get("dev"), str):
                continue
            try:
                router = ip_address(str(hop.get("gateway", "")))
            except ValueError:
                router = None
            yield DefaultRoute(hop["dev"], router)


def _resolvers(path: Path) -> tuple[str, ...]:
    system = (UpstreamServer("system"),)
    return tuple(server.address for server in resolv_conf.servers(system, (), path))
