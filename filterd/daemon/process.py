# SPDX-License-Identifier: Apache-2.0
"""Provide what all processes of the daemon have: folders, a heartbeat, an end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING

from filterd.base.value_class import frozen
from filterd.daemon.shared_page import PolicyClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder
    from filterd.daemon.manager.site_loader import Unwritten
    from filterd.daemon.sealed_sites import SealedSites
    from filterd.daemon.shared_page import SharedOverrides, SharedPage
    from filterd.policy.model import ListenAddress

BEAT_S = 0.25

READY = signal.SIGUSR1
"""The signal of a child that serves; the page shows which one it is."""

_YIELDING = 10
"""Steps of niceness: a tenth of a core where a worker wants all of it, and nothing starves."""

_TURN_S = 0.0002
"""How long a thread keeps a loop waiting that has to answer; Python has 5 ms."""


@frozen
class Setting:
    """The folder of ``site.yaml``, the state folder, the clock and the shared memory.

    ``sites`` has the policy and lists in force, and ``overrides`` what commands have set.

    ``started`` is monotonic, because a board without a battery may start with
    the wrong date. ``listen`` and ``workers`` are those of the start, and stay.
    ``ran_until`` is the last known Unix time of the run before, 0 for none.
    """

    config: Path
    state: StateFolder
    clock: Clock
    page: SharedPage
    overrides: SharedOverrides
    sites: SealedSites
    unwritten: Unwritten
    started: float
    listen: tuple[ListenAddress, ...]
    workers: int
    ran_until: float = 0.0

    @property
    def time(self) -> PolicyClock:
        """The clock by which policy decides; ``clock`` is the machine's."""
        return PolicyClock(self.clock, self.page)


class Heart:
    """A heartbeat in the shared page, for as long as the event loop runs."""

    def __init__(self, page: SharedPage, number: int) -> None:
        self._page, self._number = page, number
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Beat from now on."""
        self._beat()

    def note_ready(self) -> None:
        """Report that this process serves."""
        self._page.note_ready(self._number, os.getpid())
        os.kill(os.getppid(), READY)

    def stop(self) -> None:
        """Beat no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self) -> None:
        self._page.beat(self._number)
        self._timer = self._loop.call_later(BEAT_S, self._beat)


def yield_to_workers() -> None:
    """Give workers priority from now on over this process and its children.

    A reload has some hundred milliseconds of work for the manager and for the
    process that compiles. On one core every lookup meanwhile would wait for it.
    """
    os.nice(_YIELDING)


def prefer_the_loop() -> None:
    """Keep threads of this process from delaying its event loop for long.

    A reload loads a site in a thread, beside the lookups. That is no more than
    some milliseconds, but each lookup asks several times for its turn.
    """
    sys.setswitchinterval(_TURN_S)


def stop_event() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set, instead of ending the process."""
    loop, wish = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, wish.set)
    return wish


def on_hangup(act: Callable[[], None]) -> None:
    """Call ``act`` at every SIGHUP from now on.

    It is called, too, at one that has come since the fork.
    """
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, act)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
