# SPDX-License-Identifier: Apache-2.0
"""Ask the manager few questions at a time, and remember its answers.

At the bell a whole class opens the same page; and one device may ask without end. Both must
cost the manager little.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from filterd import control
from filterd.base.errors import ControlError
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from filterd.base.clock import Clock

WHY_S, SCHOOL_S = 5.0, 60.0
"""How long an answer is remembered."""
MOST_KEPT = 500
MOST_WAITING = 64
"""Questions that wait for their turn; further ones are refused at once."""
MOST_OF_DEVICE = 4
"""Of them of one device: names that are open are looked up, which may take seconds."""
_AT_A_TIME = 2
"""As many as one user may have at work in the manager (``daemon.handlers.control_caller``)."""
_SILENCE_S = 10.0


class ManagerAnswers:
    """The manager, as the page sees it.

    Args:
        socket: the control socket.
        clock: ages what is remembered.
        ask: asks it; ``control.ask``.
    """

    def __init__(self, socket: Path, clock: Clock, ask: Callable[..., Any] = control.ask) -> None:
        self._ask = partial(ask, socket, silence_s=_SILENCE_S)
        self._clock = clock
        self._threads = ThreadPoolExecutor(_AT_A_TIME, "manager")
        self._waiting = Counter[str]()
        """By the address of the device."""
        self._kept: dict[Hashable, tuple[float, asyncio.Task[Any]]] = {}

    async def school(self) -> dict[str, Any]:
        """Return name, contact and time zone of the school.

        Raises:
            FilterdError: the manager does not answer.
        """
        found: dict[str, Any] = await self._remembered("school", SCHOOL_S, "page-school")
        return found

    async def why(self, address: str, name: str) -> dict[str, Any] | None:
        """Return why a name is closed to a device, None for a device that may not ask.

        Raises:
            FilterdError: it is no name, or the manager does not answer.
        """
        asked = {"address": address, "name": name}
        found: dict[str, Any] | None = await self._remembered(
            (address, name), WHY_S, "page-why", **asked
        )
        return found

    async def ask_review(self, address: str, name: str, why: str) -> None:
        """Have a request for review noted.

        Raises:
            FilterdError: it is refused, or the manager does not answer.
        """
        await self._asked("page-ask", address=address, name=name, why=why)

    def close(self) -> None:
        """Ask no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _remembered(self, key: Hashable, for_s: float, command: str, **asked: Any) -> Any:
        """Return an answer of the last seconds, or ask; equal questions share one."""
        now = self._clock.monotonic()
        ends_at, task = self._kept.get(key, (0.0, None))
        if task is None or ends_at <= now or _has_failed(task):
            self._kept.pop(key, None)
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            task = asyncio.get_running_loop().create_task(self._asked(command, **asked))
            task.add_done_callback(_has_failed)  # its error is known, also if no client waits
            self._kept[key] = now + for_s, task
        return await asyncio.shield(task)

    async def _asked(self, command: str, **asked: Any) -> Any:
        device, waiting = str(asked.get("address", "")), self._waiting
        if waiting.total() >= MOST_WAITING or waiting[device] >= MOST_OF_DEVICE:
            raise ControlError(say("filterd has too much to do at the moment"))
        waiting[device] += 1
        try:
            ask = partial(self._ask, command, **asked)
            return await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        finally:
            waiting[device] -= 1
            if not waiting[device]:
                del waiting[device]


def _has_failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
