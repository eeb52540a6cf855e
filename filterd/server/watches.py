# SPDX-License-Identifier: Apache-2.0
"""What the manager watches for people: devices that appear in a room, trial runs of exams.

Both are switched on by somebody, in memory only, and over by themselves. Only the
manager imports this, once it is a process of its own: it brings the public suffixes.

A device *appears* in a room when it answers on a link of the school's side and
did not when the watch began; the kernel's table says which do. One that stands
in another network by its MAC, or in another room by its address, is left there.
On a network without VLANs there is nothing else to tell rooms apart by, so a
device somewhere else that wakes up meanwhile is taken for one of the room.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.errors import ChangeError, ControlError, FilterdError
from filterd.identity import Identifier, Surroundings
from filterd.identity.devices import MOST_DEVICES, devices
from filterd.identity.ip_command import IpCommand
from filterd.identity.lease_files import LeaseFiles
from filterd.identity.links import parse as parse_links
from filterd.identity.neighbours import parse as parse_neighbours
from filterd.lists.hostname import key_from_text, text_from_key
from filterd.lists.public_suffix import is_public_suffix
from filterd.overrides import values
from filterd.server.trials import MOST_NAMES
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.clock import Clock
    from filterd.policy.client import Client
    from filterd.policy.model import Policy
    from filterd.server.channel import Channel

LONGEST_S = 4 * 3600.0
_WORKER_WITHIN_S = 2.0
_ANSWERS = "REACHABLE"
"""The state of a neighbour that has answered within half a minute (ip-neighbour(8))."""


class Seen(NamedTuple):
    """A device on a link of the school's side; ``host`` is what it calls itself."""

    mac: str
    address: str
    answers: bool
    in_network: str | None
    host: str


@dataclass(slots=True)
class _Watch:
    until: float
    there_before: set[str]
    appeared: dict[str, Seen] = field(default_factory=dict)


class RoomWatches:
    """Looks for devices."""

    def __init__(self, clock: Clock, ip: IpCommand | None = None) -> None:
        self._clock, self._ip = clock, ip or IpCommand()
        self._watches: dict[str, _Watch] = {}

    async def begin(self, room: str, policy: Policy) -> dict[str, Any]:
        """Watch a room from now on.

        Args:
            room: id of a network.
            policy: that of the moment.

        Returns: the MACs that answer already, and so cannot appear.

        Raises:
            ControlError: nobody tells which devices there are.
        """
        seen = [one for one in await self._look(policy) if one.answers]
        now = self._clock.monotonic()
        self._watches[room] = _Watch(now + LONGEST_S, {one.mac for one in seen})
        already = sorted({one.mac for one in seen if one.mac not in _macs(policy)})
        return {"room": room, "already": already}

    async def seen(self, room: str, policy: Policy) -> dict[str, Any]:
        """Return the devices that have appeared since the watch of a room began.

        Raises:
            ControlError: it is not watched, or nobody tells which devices there are.
        """
        watch = self._watches.get(room)
        if watch is None or watch.until <= self._clock.monotonic():
            self._watches.pop(room, None)
            raise ControlError(f"the room {room} is not watched; `filterd room learn` does that")
        elsewhere = _macs(policy, but=room)
        rooms = {one.id for one in policy.networks if one.room and one.id != room}
        for one in await self._look(_without_macs(policy)):
            if (
                one.answers
                and one.mac not in watch.there_before | elsewhere
                and one.in_network not in rooms
                and len(watch.appeared) < MOST_DEVICES
            ):
                watch.appeared.setdefault(one.mac, one)
        return {"devices": [_plain(one) for one in watch.appeared.values()]}

    async def in_no_network(self, policy: Policy) -> dict[str, Any]:
        """Return the devices that are seen and are in no network.

        Raises:
            ControlError: nobody tells which devices there are.
        """
        found = {one.mac: one for one in await self._look(policy) if one.in_network is None}
        return {"devices": [_plain(one) for one in found.values()]}

    async def _look(self, policy: Policy) -> list[Seen]:
        """Return all devices, those with the address of a router apart."""
        addresses = await self._ip.ask("address", "show")
        ipv4 = await self._ip.ask("-4", "route", "show", "default", "table", "all")
        ipv6 = await self._ip.ask("-6", "route", "show", "default", "table", "all")
        table = await self._ip.ask("neigh", "show")
        if addresses is None or ipv4 is None or ipv6 is None or table is None:
            raise ControlError("`ip` does not tell which devices there are; install iproute2")
        around = Surroundings(self._clock)
        around.take_links(parse_links(addresses, [*ipv4, *ipv6], policy.lan_interfaces))
        neighbours = parse_neighbours(table)
        around.take_neighbours(neighbours)
        leases = await asyncio.to_thread(LeaseFiles(policy.leases).read)
        around.take_leases(leases)
        answering = {one.mac for one in parse_neighbours(filter(_is_answering, table))}
        hosts = {one.mac: one.host for one in leases if one.mac and one.host}
        identifier, found = Identifier(policy, around), []
        for (address, interface), device in devices(neighbours, leases, around.links).items():
            if not device.is_router:
                client: Client | None = identifier.identify(f"{address}%{interface}")
                place = client.network if client is not None else None
                mac = device.mac
                found.append(Seen(mac, str(address), mac in answering, place, hosts.get(mac, "")))
        return found


class ExamTrials:
    """Asks the workers what is asked for in trial runs."""

    def __init__(self, clock: Clock, workers: Sequence[Channel]) -> None:
        self._clock, self._workers = clock, workers
        self._until: dict[str, float] = {}
        self._found: dict[str, dict[str, bool]] = {}

    async def begin(self, room: str) -> None:
        """Listen to a room from now on.

        Raises:
            FilterdError: a worker does not.
        """
        self._until[room] = self._clock.monotonic() + LONGEST_S
        self._found[room] = {}
        await asyncio.gather(*(self._tell(one, room, LONGEST_S) for one in self._workers))

    async def end(self, room: str) -> None:
        """Listen no more, and forget what was heard."""
        self._until.pop(room, None)
        self._found.pop(room, None)
        told = (self._tell(one, room, 0.0) for one in self._workers)
        await asyncio.gather(*told, return_exceptions=True)

    async def names(self, room: str) -> dict[str, Any]:
        """Return the names that were asked for, each with the part that somebody registered.

        A worker that was restarted meanwhile is told to listen again.

        Raises:
            ControlError: nobody listens to this room.
        """
        left_s = self._until.get(room, 0.0) - self._clock.monotonic()
        if left_s <= 0:
            await self.end(room)
            raise ControlError(f"there is no trial in {room}; `filterd exam learn` begins one")
        for worker in self._workers:
            try:
                await self._hear(worker, room, left_s)
            except FilterdError:  # it is being replaced; the others have heard something
                continue
        told = [
            {"name": name, "registrable": registrable(name), "blocked": blocked}
            for name, blocked in sorted(self._found[room].items())
        ]
        return {"names": told, "left_s": round(left_s)}

    async def _hear(self, worker: Channel, room: str, left_s: float) -> None:
        since, more = 0, True
        found = self._found[room]
        while more:
            told = await worker.ask(
                "trial",
                within_s=_WORKER_WITHIN_S,
                room=room,
                left_s=left_s,
                since=since,
                fresh=False,
            )
            more, since = told["more"], since + len(told["names"])
            for wire, blocked in told["names"]:
                name = _as_text(bytes.fromhex(wire))
                if name and (name in found or len(found) < MOST_NAMES):
                    found[name] = blocked

    async def _tell(self, worker: Channel, room: str, left_s: float) -> None:
        await worker.ask(
            "trial", within_s=_WORKER_WITHIN_S, room=room, left_s=left_s, since=0, fresh=True
        )


def registrable(name: str) -> str:
    """Return the part of a name that somebody registered; the name itself where nobody did."""
    labels = name.split(".")
    for count in range(1, len(labels) + 1):
        part = ".".join(labels[-count:])
        if count > 1 and not is_public_suffix(key_from_text(part)):
            return text_from_key(key_from_text(part))
    return name


def _as_text(wire: bytes) -> str:
    """Return a name as an exam's list may have it, empty for what is no name of a host."""
    try:
        return values.name(names.to_text(wire).removesuffix("."))
    except ChangeError:
        return ""


def _is_answering(entry: dict[str, Any]) -> bool:
    states = entry.get("state")
    return isinstance(states, list) and _ANSWERS in states


def _macs(policy: Policy, but: str = "") -> set[str]:
    return {mac for one in policy.networks if one.id != but for mac in one.macs}


def _without_macs(policy: Policy) -> Policy:
    """Return a policy by which only ranges and interfaces tell where a device is."""
    return replace(policy, networks=tuple(replace(one, macs=()) for one in policy.networks))


def _plain(one: Seen) -> dict[str, Any]:
    return {"mac": one.mac, "address": one.address, "name": one.host}
