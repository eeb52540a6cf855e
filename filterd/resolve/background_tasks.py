# SPDX-License-Identifier: Apache-2.0
"""Work that no client waits for, or none any longer: somebody has to keep it, and end it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable
    from typing import Any

T = TypeVar("T")

_log = logging.getLogger("filterd.resolve")


class Background(Generic[T]):
    """Keeps tasks, one a key; made with the chain, closed before its loop ends."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[T | None]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def once(
        self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> asyncio.Task[T | None]:
        """Begin work, or return what is going on under this key already.

        Whoever awaits the task must shield it: it is not theirs to cancel. Its
        result is None where ``work`` raised; that is logged here, because there
        may be nobody else to see it.
        """
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(_logging_errors(work))
            self._tasks[key] = task
            task.add_done_callback(lambda _: self._tasks.pop(key, None))
        return task

    async def close(self) -> None:
        """Cancel what goes on and wait until it is gone."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _logging_errors(work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
    try:
        return await work()
    except Exception:  # noqa: BLE001 -- logged whole; nobody may be there to be told
        _log.exception("work in the background failed")
        return None
