# SPDX-License-Identifier: Apache-2.0
"""Watch rooms for users, in the manager: devices that appear, trial runs of exams.

A command starts a watch; it is in memory only and ends by itself. Only the manager
imports this, when it is a process of its own, because it loads the public suffixes.

A device *appears* in a room if it answers on a link of the school's side and did not
when the watch began; the kernel's neighbour table shows it. The table or a lease may
have devices that were silent for long. So each of them is called at the beginning; one
that answers, such as a telephone in a pocket, was there before, until it is switched off.
A device that is in another network by its MAC, or in another room by its address, is left
there. A network without VLANs has nothing else to distinguish rooms by, so a device
elsewhere that is switched on meanwhile is taken for one of the room, unless the caller
leaves out invented MACs, as telephones have.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ChangeError, ControlError, FilterdError
from filterd.clients.device_rows import device_rows
from filterd.clients.device_survey import DeviceSurvey, Seen, call_devices, makers_of, states
from filterd.clients.network_view import MOST_DEVICES
from filterd.daemon.watch_recorders import MOST_NAMES
from filterd.lists.hostname import key_from_text, text_from_key
from filterd.lists.public_suffix import is_public_suffix
from filterd.policy import field_checks
from filterd.texts.i18n import say
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from filterd.base.clock import Clock
    from filterd.clients.interfaces import IpCommand
    from filterd.daemon.worker_channel import Channel
    from filterd.policy.model import Policy

LONGEST_S = 4 * 3600.0
_WORKER_WITHIN_S = 2.0
_FAILED = "FAILED"
"""The state of a neighbour that has been asked and has not answered."""
_IS_CALLED = frozenset(("INCOMPLETE", "DELAY", "PROBE"))
"""States of a neighbour that the kernel is about to ask, or asks, whether it is there."""
_CALL_AGAIN_S, _MOST_LOOKS = 0.5, 20
"""The kernel waits for five seconds before it asks, and asks three times in three."""

UNREAD_S = 60.0
"""After which a trial run that is not read ends; `filterd exam learn` reads every other second."""


@dataclass(slots=True)
class _Watch:
    until: float
    there_before: dict[str, list[Seen]]
    appeared: dict[str, Seen] = field(default_factory=dict)


class RoomWatches:
    """Watches of rooms for new devices.

    Args:
        clock: for the end of a watch.
        ip: reads the kernel's tables of the network.
        call: has the kernel probe these devices.
        rest: waits for so many seconds.
    """

    def __init__(
        self,
        clock: Clock,
        ip: IpCommand | None = None,
        call: Callable[[Iterable[Seen]], None] | None = None,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock, self._survey = clock, DeviceSurvey(clock, ip)
        self._call, self._rest = call or call_devices, rest
        self._watches: dict[str, _Watch] = {}

    async def begin(self, room: str, policy: Policy) -> dict[str, Any]:
        """Watch a room from now on; takes ten seconds if devices have to be called first.

        Args:
            room: id of a network.
            policy: that of the moment.

        Returns: the MACs that answer already, and so cannot appear.

        Raises:
            ControlError: there is no source of devices.
        """
        await self._call_the_silent(policy)
        seen = [one for one in await self._survey.look(policy) if one.answers]
        now = self._clock.monotonic()
        there_before: dict[str, list[Seen]] = {}
        for one in seen:
            there_before.setdefault(one.mac, []).append(one)
        self._watches[room] = _Watch(now + LONGEST_S, there_before)
        already = sorted({one.mac for one in seen if one.mac not in _macs(policy)})
        return {"room": room, "already": already}

    async def seen(self, room: str, policy: Policy) -> dict[str, Any]:
        """Return the devices that have appeared since the watch of a room began.

        Raises:
            ControlError: it is not watched, or there is no source of devices.
        """
        watch = self._watches.get(room)
        if watch is None or watch.until <= self._clock.monotonic():
            self._watches.pop(room, None)
            raise ControlError(
                say("room {room} is not being watched; start with `filterd room learn`", room=room)
            )
        elsewhere = _macs(policy, but=room)
        rooms = {network.id for network in policy.networks if network.room and network.id != room}
        looked = await self._survey.look(_without_macs(policy))
        await self._forget_absent(watch, {one.mac for one in looked if one.answers})
        for one in looked:
            if (
                one.answers
                and one.mac not in watch.there_before
                and one.mac not in elsewhere
                and one.in_network not in rooms
                and len(watch.appeared) < MOST_DEVICES
            ):
                watch.appeared.setdefault(one.mac, one)
        return {"devices": [_plain(one) for one in watch.appeared.values()]}

    async def devices(self, policy: Policy, names: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the row of each device that is there now or was lately.

        Args:
            policy: that of the moment.
            names: by MAC, as the school has named devices.

        Raises:
            ControlError: there is no source of devices.
        """
        seen = await self._survey.look(policy)
        makers = await asyncio.to_thread(makers_of, {one.mac for one in seen})
        return device_rows(seen, names, makers)

    async def in_no_network(self, policy: Policy) -> dict[str, Any]:
        """Return the visible devices in no network.

        Raises:
            ControlError: there is no source of devices.
        """
        rows = device_rows(await self._survey.look(policy), {}, {})
        return {
            "devices": [
                {"mac": row["mac"], "address": row["addresses"][0], "name": row["host"]}
                for row in rows
                if row["network"] is None
            ]
        }

    async def _forget_absent(self, watch: _Watch, answering: set[str]) -> None:
        """Forget devices that were there before and are switched off.

        So they may appear again. The kernel is made to ask those that are silent. ``FAILED``
        proves that it has asked; such an entry no longer has the MAC, so it is found by its
        address.
        """
        table = await self._survey.neighbours()
        failed = {(one.get("dst"), one.get("dev")) for one in table if _FAILED in states(one)}
        for mac in watch.there_before.keys() - answering:
            waiting = [
                one for one in watch.there_before[mac] if (one.address, one.interface) not in failed
            ]
            if waiting:
                self._call(waiting)
            else:
                del watch.there_before[mac]

    async def _call_the_silent(self, policy: Policy) -> None:
        """Probe all devices that may be there; those switched off stay silent."""
        silent = [one for one in await self._survey.look(policy) if not one.answers]
        called = {(one.address, one.interface) for one in silent}
        self._call(silent)
        for _ in range(_MOST_LOOKS if called else 0):
            await self._rest(_CALL_AGAIN_S)
            table = await self._survey.neighbours()
            waiting = (one for one in table if states(one) & _IS_CALLED)
            if called.isdisjoint((one.get("dst"), one.get("dev")) for one in waiting):
                return


@dataclass(slots=True)
class _Found:
    """The names of a trial run: whether each was blocked, and how often it came."""

    names: dict[str, tuple[bool, int]] = field(default_factory=dict)
    _counted: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, life: str, name: str, times: int, *, blocked: bool) -> None:
        """Take how often a name was asked for in one life of a worker, up to now."""
        if name not in self.names and len(self.names) >= MOST_NAMES:
            return
        new = times - self._counted.get((life, name), 0)
        self._counted[life, name] = times
        self.names[name] = blocked, self.names.get(name, (False, 0))[1] + new


@dataclass
class _Trial:
    """A trial run of a user; it ends at the earlier of two monotonic times."""

    by: str
    ends_at: float
    unread_at: float
    found: _Found = field(default_factory=_Found)


class ExamTrials:
    """Trial runs of exams: collects the names that workers record.

    The user who began one reads it, and it ends soon after the last read: in the next lesson
    another class has the room, and another teacher.
    """

    def __init__(self, clock: Clock, workers: Sequence[Channel]) -> None:
        self._clock, self._workers = clock, workers
        self._trials: dict[str, _Trial] = {}

    async def begin(self, room: str, by: str) -> None:
        """Record the names of a room from now on, for a user.

        Raises:
            FilterdError: a worker does not.
        """
        now = self._clock.monotonic()
        self._trials[room] = _Trial(by, now + LONGEST_S, now + UNREAD_S)
        await asyncio.gather(*(self._tell(worker, room, UNREAD_S) for worker in self._workers))

    async def end(self, room: str) -> None:
        """End a trial run, and forget its names."""
        self._trials.pop(room, None)
        asked = (self._tell(worker, room, 0.0) for worker in self._workers)
        await asyncio.gather(*asked, return_exceptions=True)

    async def names(self, room: str, by: str) -> dict[str, Any]:
        """Return the qnames and their counts to the user who began the trial run.

        Each with its registered part, and whether it was blocked.

        A worker that was restarted meanwhile starts to record again.

        Raises:
            ControlError: there is no trial run of the user in this room.
        """
        now, trial = self._clock.monotonic(), self._trials.get(room)
        if trial is not None and now >= min(trial.ends_at, trial.unread_at):
            await self.end(room)
            trial = None
        if trial is None or trial.by != by:
            raise ControlError(
                say(
                    "there is no trial run in {room}; start one with `filterd exam learn`",
                    room=room,
                )
            )
        left_s, trial.unread_at = trial.ends_at - now, now + UNREAD_S
        for worker in self._workers:
            try:
                await self._hear(worker, room, min(left_s, UNREAD_S), trial.found)
            except FilterdError:  # it is being replaced; the others have heard something
                continue
        rows = [
            {"name": name, "registrable": registrable(name), "blocked": blocked, "times": times}
            for name, (blocked, times) in sorted(trial.found.names.items())
        ]
        return {"names": rows, "left_s": round(left_s)}

    async def _hear(self, worker: Channel, room: str, left_s: float, found: _Found) -> None:
        since, more = 0, True
        while more:
            page = await worker.ask(
                "trial",
                within_s=_WORKER_WITHIN_S,
                room=room,
                left_s=left_s,
                since=since,
                fresh=False,
            )
            more, since = page["more"], since + len(page["names"])
            for wire, blocked, times in page["names"]:
                name = _as_text(bytes.fromhex(wire))
                if name:
                    found.take(page["life"], name, times, blocked=blocked)

    async def _tell(self, worker: Channel, room: str, left_s: float) -> None:
        await worker.ask(
            "trial", within_s=_WORKER_WITHIN_S, room=room, left_s=left_s, since=0, fresh=True
        )


def registrable(name: str) -> str:
    """Return the registered part of a name; the name itself if there is none."""
    labels = name.split(".")
    for count in range(1, len(labels) + 1):
        part = ".".join(labels[-count:])
        if count > 1 and not is_public_suffix(key_from_text(part)):
            return text_from_key(key_from_text(part))
    return name


def _as_text(wire: bytes) -> str:
    """Return a name in the form of an exam's list, empty if it is no host name."""
    try:
        return field_checks.name(names.to_text(wire).removesuffix("."))
    except ChangeError:
        return ""


def _macs(policy: Policy, but: str = "") -> set[str]:
    return {mac for network in policy.networks if network.id != but for mac in network.macs}


def _without_macs(policy: Policy) -> Policy:
    """Return a policy that locates devices only by ranges and interfaces."""
    return replace(policy, networks=tuple(replace(network, macs=()) for network in policy.networks))


def _plain(seen: Seen) -> dict[str, Any]:
    return {"mac": seen.mac, "address": seen.address, "name": seen.host}
