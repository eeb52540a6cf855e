# SPDX-License-Identifier: Apache-2.0
"""What every process under the supervisor shares: where its files are, its heart, its end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.daemon.policy_clock import PolicyClock
from filterd.daemon.supervisor import READY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.clock import Clock
    from filterd.daemon.shared_overrides import SharedOverrides
    from filterd.daemon.shared_page import SharedPage
    from filterd.daemon.site_loader import Unwritten
    from filterd.policy.model import ListenAddress
    from filterd.state_folder import StateFolder

BEAT_S = 0.25

_YIELDING = 10
"""Steps of niceness: a tenth of a core where a worker wants all of it, and nothing starves."""

_TURN_S = 0.0002
"""How long a thread keeps a loop waiting that has to answer; Python has 5 ms."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a daemon lives: the folder of ``site.yaml``, its state, the clock, what is shared.

    ``started`` is monotonic, because a board without a battery may start with
    the wrong date. ``listen`` and ``workers`` are what it started with, and stay.
    """

    config: Path
    state: StateFolder
    clock: Clock
    page: SharedPage
    overrides: SharedOverrides
    unwritten: Unwritten
    started: float
    listen: tuple[ListenAddress, ...]
    workers: int

    @property
    def time(self) -> PolicyClock:
        """The clock by which policy decides; ``clock`` is the machine's."""
        return PolicyClock(self.clock, self.page)


class Heart:
    """Beats in the shared page as long as the event loop gets to run it."""

    def __init__(self, page: SharedPage, number: int) -> None:
        self._page, self._number = page, number
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Beat from now on."""
        self._beat()

    def tell_ready(self) -> None:
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


def let_the_loop_go_first() -> None:
    """Let no thread of this process keep its loop from answering for long.

    A reload loads a site in a thread, beside the lookups. That is no more than
    some milliseconds, but each lookup asks several times for its turn.
    """
    sys.setswitchinterval(_TURN_S)


def wish_to_stop() -> asyncio.Event:
    """Return what SIGTERM and SIGINT set from now on, instead of ending the process."""
    loop, wish = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, wish.set)
    return wish


def hear_hangups(act: Callable[[], None]) -> None:
    """Call ``act`` at every SIGHUP from now on, and at one that has come since the fork."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, act)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
