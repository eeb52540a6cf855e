# SPDX-License-Identifier: Apache-2.0
"""Survey of devices on the links of the school's side, and their makers.

It is made from one look at the kernel's tables. Nothing is kept: each survey runs ``ip`` and
reads the lease files anew. The kernel's neighbour table and the leases hold devices for some
time after these fell silent, so a survey has those of the last minutes to hours, too.

Makers are found in the IEEE's table where the package ``ieee-data`` is installed; filterd
has no table of its own. A line of the table that is read::

    00-00-5E   (hex)<two tabs>ICANN, IANA Department

A MAC that the device made itself has no maker.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.addresses import is_random
from filterd.base.errors import ControlError
from filterd.base.paths import open_plain
from filterd.clients.identifier import Identifier
from filterd.clients.interfaces import IpCommand
from filterd.clients.leases import LeaseFiles
from filterd.clients.neighbours import parse_neighbours
from filterd.clients.network_view import Surroundings
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.base.clock import Clock
    from filterd.policy.model import Client, Policy


_DISCARD = 9
"""A port without a listener (RFC 863)."""


class Seen(NamedTuple):
    """One address of a device; ``host`` is the device's own name.

    ``answers``: the device has answered within half a minute, at whichever address.
    ``client`` is the client of policy, None where the address is not allowed.
    """

    mac: str
    address: str
    interface: str
    answers: bool
    client: Client | None
    host: str

    @property
    def in_network(self) -> str | None:
        """The id of its network, None for none."""
        return None if self.client is None else self.client.network


class DeviceSurvey:
    """Surveys of devices: ``look`` for one."""

    def __init__(self, clock: Clock, ip: IpCommand | None = None) -> None:
        self._clock, self._ip = clock, ip or IpCommand()

    async def neighbours(self) -> list[dict[str, Any]]:
        """Return the kernel's neighbour table as it is; empty where it cannot be read."""
        return await self._ip.ask("neigh", "show") or []

    async def look(self, policy: Policy) -> list[Seen]:
        """Return all addresses of all devices but routers.

        Args:
            policy: by which devices are located; it names the lease files, too.

        Raises:
            ControlError: there is no source of devices.
        """
        links = await self._ip.links(policy.lan_interfaces)
        table = await self._ip.ask("neigh", "show")
        if links is None or table is None:
            raise ControlError(say("the command `ip` does not list the devices; install iproute2"))
        around = Surroundings(self._clock, is_survey=True)
        around.take_links(links)
        around.take_neighbours(parse_neighbours(table))
        leases = await asyncio.to_thread(LeaseFiles(policy.leases).read)
        around.take_leases(leases)
        answering = {neighbour.mac for neighbour in parse_neighbours(table) if neighbour.answers}
        hosts = {lease.mac: lease.host for lease in leases if lease.mac and lease.host}
        identifier, found = Identifier(policy, around), []
        for (address, interface), device in around.devices.items():
            if not device.is_router:
                client = identifier.identify(f"{address}%{interface}")
                mac = device.mac
                answers, host = mac in answering, hosts.get(mac, "")
                found.append(Seen(mac, str(address), interface, answers, client, host))
        return found


def call_devices(devices: Iterable[Seen]) -> None:
    """Send each device a datagram that it throws away.

    Before that, the kernel asks whether the device is there.
    """
    for device in devices:
        family = socket.AF_INET6 if ":" in device.address else socket.AF_INET
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as opened:
            opened.setblocking(False)
            scope = socket.if_nametoindex(device.interface)
            place = (device.address, _DISCARD)
            opened.sendto(b"", (*place, 0, scope) if family == socket.AF_INET6 else place)


def states(entry: dict[str, Any]) -> set[str]:
    """Return the states of an entry of the neighbour table."""
    found = entry.get("state")
    return set(map(str, found)) if isinstance(found, list) else set()


TABLE = Path("/usr/share/ieee-data/oui.txt")
_LARGEST_LINE = 200
_MOST_LINES = 1_000_000
"""Five times the lines of 2026; the package is the system's, and its size not filterd's."""
_MARK = b"(hex)"


def makers_of(macs: Iterable[str], table: Path = TABLE) -> dict[str, str]:
    """Return the makers of MACs, without those that are not known. Never raises.

    It reads the whole table, so it runs in a thread.
    """
    wanted: dict[bytes, list[str]] = {}
    for mac in macs:
        if not is_random(mac):
            wanted.setdefault(mac[:8].upper().replace(":", "-").encode(), []).append(mac)
    found: dict[str, str] = {}
    if not wanted:
        return found
    try:
        with open_plain(table) as file:
            for _ in range(_MOST_LINES):
                line = file.readline(_LARGEST_LINE)
                if not line:
                    break
                prefix, mark, maker = line.partition(_MARK)
                if mark and (same := wanted.get(prefix.strip())):
                    found |= dict.fromkeys(same, _shown(maker))
    except OSError:  # as a rule it is not installed
        return {}
    return found


def _shown(maker: bytes) -> str:
    text = maker.decode("utf-8", errors="replace").strip()
    return "".join(letter for letter in text if letter.isprintable())
