# SPDX-License-Identifier: Apache-2.0
"""How long clients wait for work that goes on without them.

Two thousand may wait for one name whose upstream has fallen silent. All who
wait for one work share one timer and one place among what is called when it is
done: with one each, to let them go would take a time that grows with the square
of their number.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    Work = asyncio.Future[Any]
    Waiters = list[asyncio.Future[None]]


class Patience:
    """Lets go of who waits when the work is done, or has been waited for long enough."""

    def __init__(self) -> None:
        self._waiters: dict[Work, Waiters | None] = {}
        """None: it has been waited for long enough, and nobody waits any more."""

    async def wait_for(self, work: Work, most_s: float) -> None:
        """Wait until the work is done, but no longer than this since somebody first did.

        Never cancels it, nor anybody else who waits.
        """
        if work not in self._waiters:
            self._begin(work, most_s)
        waiters = self._waiters[work]
        if waiters is not None:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiters.append(waiter)
            await waiter

    def _begin(self, work: Work, most_s: float) -> None:
        self._waiters[work] = []
        timer = asyncio.get_running_loop().call_later(most_s, self._lose, work)
        work.add_done_callback(partial(self._end, timer))

    def _lose(self, work: Work) -> None:
        waiters, self._waiters[work] = self._waiters[work], None
        _let_go(waiters or ())

    def _end(self, timer: asyncio.TimerHandle, work: Work) -> None:
        timer.cancel()
        _let_go(self._waiters.pop(work) or ())


def _let_go(waiters: Iterable[asyncio.Future[None]]) -> None:
    for waiter in waiters:
        if not waiter.done():  # it may have been cancelled
            waiter.set_result(None)
