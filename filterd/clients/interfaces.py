# SPDX-License-Identifier: Apache-2.0
"""This machine's own addresses, and the prefixes directly connected to it.

From ``ip -j address show`` and ``ip -j route show table all default`` of both
families. The school's side of the gateway (its LAN interfaces) is:

* an interface that ``lan_interfaces`` of the site names; where it names any, no
  other one;
* else one that has a private address (RFC 1918, or RFC 4193 for IPv6), or that
  no default route leads through.

So a gateway between a school and a provider follows what the provider delegates
to the school's side, while no host on the provider's own network is allowed; and a
machine that stands beside a provider's router, with one interface, serves it.

``IpCommand`` runs ``ip`` (iproute2) within bounds of size and time, for commands; what serves
asks the kernel itself (``kernel_tables``).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import threading
from functools import partial
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

from filterd.base.bounded_child import started
from filterd.base.value_class import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

MOST_ADDRESSES = 1_000

_PRIVATE = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)

_logger = logging.getLogger("filterd.clients")

_LARGEST_OUTPUT = 4 * 1024 * 1024
"""Some 30,000 neighbours; no network of a school has as many."""

_WITHIN_S = 5.0
_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


@frozen
class Prefix:
    """A prefix that is directly connected to an interface of the school's side."""

    network: IPv4Network | IPv6Network
    interface: str


@frozen
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
    inward = {name for name, address, _ in assigned if any(address in one for one in _PRIVATE)}
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


class IpCommand:
    """Runner of ``ip -j``; a failure is logged once, until the command works again."""

    def __init__(self, program: str = "ip") -> None:
        self._program = program
        self._failing = False

    async def ask(self, *arguments: str) -> list[dict[str, Any]] | None:
        """Return the output of ``ip -j ARGUMENTS``, None where it fails. Never raises.

        Returns: the objects of its list that are not empty, unchecked beyond that.
        """
        return await self.answer(partial(_objects, [self._program, "-j", *arguments]))

    async def answer(self, look: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]] | None:
        """Return what ``look`` does in a thread, None where it fails."""
        try:
            found = await asyncio.to_thread(look)
        except (OSError, ValueError, RecursionError) as error:
            if not self._failing:
                _warn(str(error))
            self._failing = True
            return None
        self._failing = False
        return found

    async def links(self, lan_interfaces: Collection[str]) -> Links | None:
        """Return the links and addresses of this machine, None where ``ip`` fails.

        Args:
            lan_interfaces: of the site; empty to find them.
        """
        addresses = await self.ask("address", "show")
        ipv4 = await self.ask("-4", "route", "show", "default", "table", "all")
        ipv6 = await self.ask("-6", "route", "show", "default", "table", "all")
        if addresses is None or ipv4 is None or ipv6 is None:
            return None
        return parse(addresses, [*ipv4, *ipv6], lan_interfaces)


def _objects(command: list[str]) -> list[dict[str, Any]]:
    """Return the JSON objects that a command prints; none where there is no route.

    Raises:
        OSError: it cannot be run.
        ValueError: it fails, or takes or prints too much, or its output is no JSON.
        RecursionError: that is nested too deeply for the parser.
    """
    parsed = json.loads(_output(command) or b"[]")
    every = parsed if isinstance(parsed, list) else [parsed]
    return [one for one in every if isinstance(one, dict) and one]


def _output(command: list[str]) -> bytes:
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{_PATH}"}
    with started(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as process:
        assert process.stdout is not None
        too_late = threading.Timer(_WITHIN_S, process.kill)
        too_late.start()
        try:
            output = process.stdout.read(_LARGEST_OUTPUT + 1)
            if len(output) > _LARGEST_OUTPUT:
                process.kill()
            code = process.wait()
        finally:
            too_late.cancel()
            too_late.join()
    if code:
        raise ValueError(f"`{' '.join(command)}` ends with {code}, or takes or prints too much")
    return output


def _warn(why: str) -> None:
    _logger.warning(
        "`ip` does not list the network (%s): devices are not recognised by MAC, and only "
        "`allow_from` and `networks` may ask; install iproute2",
        why,
    )
