# SPDX-License-Identifier: Apache-2.0
"""What every process under the supervisor shares: where its files are, its heart, its end."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.server.supervisor import READY

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.clock import Clock
    from filterd.paths import StateFolder
    from filterd.server.page import SharedPage

BEAT_S = 1.0


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a daemon lives: the folder of ``site.yaml``, its state, the clock, the shared page.

    ``started_at`` is a Unix time.
    """

    config: Path
    state: StateFolder
    clock: Clock
    page: SharedPage
    started_at: float


class Heart:
    """Beats in the shared page as long as the event loop gets to run it."""

    def __init__(self, page: SharedPage, number: int) -> None:
        self._page, self._number = page, number
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Say that this process serves, and beat from now on."""
        self._page.note_ready(self._number, os.getpid())
        os.kill(os.getppid(), READY)
        self._beat()

    def stop(self) -> None:
        """Beat no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self) -> None:
        self._page.beat(self._number)
        self._timer = self._loop.call_later(BEAT_S, self._beat)


def wish_to_stop() -> asyncio.Event:
    """Return what SIGTERM and SIGINT set from now on, instead of ending the process."""
    loop, wish = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, wish.set)
    return wish
