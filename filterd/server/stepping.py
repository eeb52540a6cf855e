# SPDX-License-Identifier: Apache-2.0
"""Run a coroutine by hand until it waits, and only then give it a task.

Most answers wait for nothing. A task for each of them costs several times what
answering costs; eager tasks, which would save that, are not in Python 3.11 and
are refused by uvloop. What runs before the first wait runs outside any task, so
it must not use what needs one (``asyncio.timeout``, for example).
"""

from __future__ import annotations

import asyncio
import types
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator


class Stepper:
    """Steps coroutines; keeps the tasks of those that had to wait."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def run(self, work: Coroutine[Any, Any, bytes], done: Callable[[bytes], None]) -> None:
        """Call ``done`` with what ``work`` returns: at once if it does not wait.

        ``work`` must not raise.
        """
        try:
            awaited = work.send(None)
        except StopIteration as finished:
            done(finished.value)
            return
        task = self._loop.create_task(_rest(work, awaited, done))
        self._tasks.add(task)

        def ended(_: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            work.close()  # cancelled before its first step, the task has not told it

        task.add_done_callback(ended)

    async def drain(self, within_s: float) -> None:
        """Let what waits come to its end, but no longer than this."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)

    async def close(self) -> None:
        """Cancel what still waits and wait until it is gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _rest(
    work: Coroutine[Any, Any, bytes], awaited: object, done: Callable[[bytes], None]
) -> None:
    done(await _resume(work, awaited))


@types.coroutine
def _resume(work: Coroutine[Any, Any, bytes], awaited: object) -> Generator[object, None, bytes]:
    """Go on with a coroutine that has already yielded ``awaited`` once."""
    while True:
        try:
            yield awaited
        except BaseException as error:  # noqa: BLE001 -- the coroutine's to see, cancelling too
            go_on = partial(work.throw, error)
        else:
            go_on = partial(work.send, None)
        try:
            awaited = go_on()
        except StopIteration as finished:
            result: bytes = finished.value
            return result
