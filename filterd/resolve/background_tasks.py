# SPDX-License-Identifier: Apache-2.0
"""Background tasks: work without a waiting client, which needs an owner to end it."""

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
    """Owner of tasks, one for each key; close it before its loop ends."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[T | None]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def once(
        self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> asyncio.Task[T | None]:
        """Begin work, or return the running task of this key.

        A caller that awaits the task must shield it: it must not cancel it. Its
        result is None where ``work`` raised; that is logged here, because there
        may be no caller left to see it.
        """
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(_logging_errors(work))
            self._tasks[key] = task
            task.add_done_callback(lambda _: self._tasks.pop(key, None))
        return task

    async def close(self) -> None:
        """Cancel all tasks and wait for their end."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _logging_errors(work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
    try:
        return await work()
    except Exception:  # noqa: BLE001 -- logged whole; there may be no caller left
        _log.exception("work in the background failed")
        return None
