# SPDX-License-Identifier: Apache-2.0
"""Updates of ``Surroundings``, from within the event loop of the serving process.

Once a second it checks whether a lease file changed or the kernel is worth asking
for its tables (``kernel_tables``): it reported a change, an unknown address asked, or half
a minute has passed. Nothing here blocks the loop, and a failure leaves answers as they
were: ``Surroundings`` itself forgets devices that are not seen again.

The kernel reports by a netlink socket (rtnetlink(7)) that has joined the groups of
links, addresses, routes and neighbours. Its messages are discarded unread: they
report that something changed; the tables show what.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from math import inf
from typing import TYPE_CHECKING

from filterd.clients.kernel_tables import KernelTables
from filterd.clients.leases import LeaseFiles, Mark
from filterd.clients.neighbours import parse_neighbours
from filterd.policy.model import strictest
from filterd.texts.i18n import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.base.clock import Clock
    from filterd.clients.frame_filter import FrameFilter
    from filterd.clients.interfaces import IpCommand
    from filterd.clients.network_view import Surroundings
    from filterd.policy.model import Policy

NEIGHBOURS = 0x4
"""The group of devices that come and go (linux/rtnetlink.h, ``RTMGRP_NEIGH``)."""

THIS_MACHINE = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
"""The groups of links, and of addresses and routes of both families."""

_MOST_MESSAGES = 1_000
_MESSAGE_OCTETS = 65_536

_START_WITHIN_S = 0.5
"""The kernel's tables take milliseconds; a file of leases may be on a disk that hangs."""
_LEASES_WITHIN_S = 2.0
_LOOK_EVERY_S = 1.0
_REFRESH_EVERY_S = 30.0
_SHARE_OF_READING = 0.05
"""The share of time that may go into reading leases, however large their files grow."""

_logger = logging.getLogger("filterd.clients")


def open_changes(groups: int) -> socket.socket | None:
    """Return a socket that is readable after a change of these groups, or None."""
    try:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    except OSError as error:
        _logger.warning(
            "changes of the network are seen late: no netlink socket (%s)", refused(error)
        )
        return None
    try:
        opened.bind((0, groups))
    except OSError as error:
        opened.close()
        _logger.warning("changes of the network are seen late: netlink reports %s", refused(error))
        return None
    return opened


def drain(changes: socket.socket) -> None:
    """Discard what was received; an overrun only means that much changed."""
    for _ in range(_MOST_MESSAGES):
        try:
            changes.recv(_MESSAGE_OCTETS)
        except BlockingIOError:
            return
        except OSError:  # ENOBUFS: the kernel had more messages than the socket holds
            with contextlib.suppress(OSError):
                changes.recv(_MESSAGE_OCTETS)
            return


def _ranked(policy: Policy) -> dict[str, int]:
    """Return the MACs of a policy and their ranks: the more is open, the lower."""
    left, ranks = {one.grade for one in policy.networks if one.macs}, dict[str, int]()
    while left:
        grade = strictest(policy.grades[key] for key in sorted(left))
        same = {key for key in left if policy.grades[key] is grade}
        left -= same
        ranks |= dict.fromkeys(same, len(left))
    return {mac: ranks[network.grade] for network in policy.networks for mac in network.macs}


class Observer:
    """Observer of the network: ``start`` once, ``apply`` at every reload, ``close``."""

    def __init__(
        self,
        surroundings: Surroundings,
        clock: Clock,
        frames: FrameFilter | None = None,
        ip: IpCommand | None = None,
    ) -> None:
        self._surroundings, self._clock, self._frames = surroundings, clock, frames
        self._ip = ip or KernelTables()
        self._files = LeaseFiles(())
        self._mark: Mark | None = None
        self._policy: Policy
        self._links_at = self._neighbours_at = self._leases_at = -inf
        self._rest_until = -inf
        self._changed = asyncio.Event()
        self._sockets: list[socket.socket] = []
        self._task: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self, policy: Policy) -> None:
        """Look once, so that the first query is answered correctly, then start the loop."""
        self.apply(policy)
        with contextlib.suppress(TimeoutError):  # then it begins with what it knows
            async with asyncio.timeout(_START_WITHIN_S):
                await self.look()
        self._changed.clear()
        self._surroundings.on_wanted = self._neighbours_changed
        self._task = asyncio.get_running_loop().create_task(self._keep_looking())

    def apply(self, policy: Policy) -> None:
        """Look for what this policy needs from now on."""
        self._policy = policy
        if self._frames is not None:
            self._frames.listed = _ranked(policy)
            self._surroundings.check_frames(self._frames)
        self._files, self._mark = LeaseFiles(policy.leases), None
        self._stop_listening()
        self._listen(THIS_MACHINE, self._links_changed)
        self._links_changed()
        if self._needs_neighbours:
            self._listen(NEIGHBOURS, self._neighbours_changed)
            self._neighbours_changed()

    async def close(self) -> None:
        """Stop looking."""
        tasks = [one for one in (self._task, self._reading) if one is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._stop_listening()

    async def look(self) -> None:
        """Look for changes. Never raises: a bug in here must not end the loop."""
        try:
            now = self._clock.monotonic()
            if now - self._links_at >= _REFRESH_EVERY_S:
                self._links_at = now
                await self._look_at_links()
            if self._needs_neighbours and now - self._neighbours_at >= _REFRESH_EVERY_S:
                self._neighbours_at = now
                await self._look_at_neighbours()
            await self._look_at_leases()
            self._surroundings.settle()
        except Exception:
            _logger.exception("the network around this machine could not be looked at")

    async def _keep_looking(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._changed.wait()
            changed = self._changed.is_set()
            self._changed.clear()
            await self.look()
            if changed:  # the next change may come at once, and waits for a second
                await asyncio.sleep(_LOOK_EVERY_S)

    @property
    def _needs_neighbours(self) -> bool:
        return any(network.macs for network in self._policy.networks)

    async def _look_at_links(self) -> None:
        links = await self._ip.links(self._policy.lan_interfaces)
        if links is not None:
            self._surroundings.take_links(links)

    async def _look_at_neighbours(self) -> None:
        table = await self._ip.ask("neigh", "show")
        if table is not None:
            self._surroundings.take_neighbours(parse_neighbours(table))

    async def _look_at_leases(self) -> None:
        """Read the leases; a disk that hangs keeps nothing else from being looked at."""
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_task(self._read_leases())
        done, _ = await asyncio.wait([self._reading], timeout=_LEASES_WITHIN_S)
        if done:
            finished, self._reading = self._reading, None
            finished.result()

    async def _read_leases(self) -> None:
        now = self._clock.monotonic()
        if now < self._rest_until:
            return
        mark = await asyncio.to_thread(self._files.mark)
        if mark == self._mark and now - self._leases_at < _REFRESH_EVERY_S:
            return
        self._mark, self._leases_at = mark, now
        self._surroundings.take_leases(await asyncio.to_thread(self._files.read))
        self._rest_until = now + (self._clock.monotonic() - now) / _SHARE_OF_READING

    def _listen(self, groups: int, on_change: Callable[[], None]) -> None:
        opened = open_changes(groups)
        if opened is not None:
            self._sockets.append(opened)
            loop = asyncio.get_running_loop()
            loop.add_reader(opened, self._hear, opened, on_change)

    @staticmethod
    def _hear(opened: socket.socket, on_change: Callable[[], None]) -> None:
        drain(opened)
        on_change()

    def _stop_listening(self) -> None:
        for opened in self._sockets:
            asyncio.get_running_loop().remove_reader(opened)
            opened.close()
        self._sockets.clear()

    def _links_changed(self) -> None:
        self._links_at = -inf
        self._changed.set()

    def _neighbours_changed(self) -> None:
        self._neighbours_at = -inf
        self._changed.set()
