# SPDX-License-Identifier: Apache-2.0
"""This machine's own addresses, and the prefixes directly connected to it. Pure.

From ``ip -j address show`` and ``ip -j route show table all default`` of both
families. The school's side of the gateway (its LAN interfaces) is:

* an interface that ``lan_interfaces`` of the site names; where it names any, no
  other one;
* else one that has a private address (RFC 1918, or RFC 4193 for IPv6), or that
  no default route leads through.

So a gateway between a school and a provider follows what the provider delegates
to the school's side, while no host on the provider's own network is allowed; and a
machine that stands beside a provider's router, with one interface, serves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_interface,
    ip_network,
)
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

MOST_ADDRESSES = 1_000

_PRIVATE = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prefix that is directly connected to an interface of the school's side."""

    network: IPv4Network | IPv6Network
    interface: str


@dataclass(frozen=True, slots=True)
class Links:
    """Links and addresses of this machine; empty until ``ip`` has been asked."""

    own: frozenset[IPv4Address | IPv6Address] = frozenset()
    lan: tuple[Prefix, ...] = ()

    def link_of(self, address: IPv4Address | IPv6Address, interface: str) -> str | None:
        """Return the LAN interface that has an address on its link.

        Args:
            address: without scope.
            interface: by which a packet from there came, empty where it is not
                known. A link-local address has a link only together with it.

        Returns: None where the address is on no such link, or came by another interface.
        """
        if not interface and address.is_link_local:
            return None
        for prefix in self.lan:
            if address in prefix.network and interface in ("", prefix.interface):
                return prefix.interface
        return None


def parse(
    addresses: Iterable[dict[str, Any]],
    default_routes: Iterable[dict[str, Any]],
    lan_interfaces: Collection[str] = (),
) -> Links:
    """Parse the output of ``ip``. Never raises.

    Args:
        addresses: of ``ip -j address show``.
        default_routes: of ``ip -j -4 route show table all default``, and of ``-6``.
        lan_interfaces: of the site; empty to find them.
    """
    assigned = list(_assigned(addresses))[:MOST_ADDRESSES]
    outward = {name for route in default_routes for name in _interfaces_of(route)}
    inward = {name for name, address, _ in assigned if _is_private(address)}
    names = {name for name, _, _ in assigned}
    lan = set(lan_interfaces) or inward | (names - outward)
    prefixes = dict.fromkeys(
        Prefix(connected.network, name)
        for name, _, connected in assigned
        if name in lan and not connected.is_loopback
    )
    return Links(frozenset(address for _, address, _ in assigned), tuple(prefixes))


_Assigned = tuple[str, IPv4Address | IPv6Address, IPv4Interface | IPv6Interface]
"""An interface, its address, and the connected prefix or the other end of a tunnel."""


def _assigned(addresses: Iterable[dict[str, Any]]) -> Iterator[_Assigned]:
    for link in addresses:
        name, infos = str(link.get("ifname", "")), link.get("addr_info")
        for info in infos if isinstance(infos, list) else ():
            try:
                local, length = info["local"], info["prefixlen"]
                own = ip_interface(f"{local}/{length}")
                yield name, own.ip, ip_interface(f"{info.get('address', local)}/{length}")
            except (KeyError, TypeError, ValueError, AttributeError):
                continue


def _interfaces_of(route: dict[str, Any]) -> Iterator[str]:
    """Yield the interfaces of a route.

    One with several next hops lists them beneath ``nexthops``.
    """
    hops = route.get("nexthops")
    for hop in (route, *(hops if isinstance(hops, list) else ())):
        name = hop.get("dev") if isinstance(hop, dict) else None
        if isinstance(name, str):
            yield name


def _is_private(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in _PRIVATE)
