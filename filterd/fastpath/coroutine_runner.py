# SPDX-License-Identifier: Apache-2.0
"""Run coroutines without tasks.

Each is stepped by hand, and again when its future is done.

Most answers wait for nothing, and the others once. A task for each costs several times
what answering costs; eager tasks, which would save some of that, are not in Python 3.11
and are refused by uvloop. So a coroutine here must not use what needs a task
(``asyncio.timeout``, for example), and may only await futures or a round of the loop.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class Cancellable(Protocol):
    """Something that waits, coroutine or not."""

    def cancel(self) -> None:
        """Stop waiting; calls ``Stepper.ended``, now or soon."""


class Stepper:
    """Steps coroutines; keeps those that wait."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: set[Cancellable] = set()
        self.began = self._waiting.add
        """Add something that waits, until ``ended`` is called with it."""
        self._drains: list[_Drain] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def run(self, work: Coroutine[Any, Any, T], done: Callable[[T], None]) -> None:
        """Call ``done`` with the result of ``work``, at once if it does not wait.

        ``work`` must not raise.
        """
        try:
            awaited = work.send(None)
        except StopIteration as finished:
            done(finished.value)
            return
        waiting = _Waiting(self, work, done)
        self.began(waiting)
        waiting.wait_for(awaited)

    async def drain(self, within_s: float | None) -> None:
        """Wait until all that waits now has ended, at most ``within_s`` seconds."""
        if not self._waiting:
            return
        drain = _Drain(self._waiting.copy(), self._loop.create_future())
        self._drains.append(drain)
        try:
            await asyncio.wait((drain.over,), timeout=within_s)
        finally:
            self._drains.remove(drain)

    async def close(self) -> None:
        """Cancel all that waits and wait for its end.

        Likewise for what begins meanwhile: a client may ask again after its last answer.
        """
        while self._waiting:
            for waiting in self._waiting.copy():
                waiting.cancel()
            await self.drain(None)

    def call_soon(self, resume: Callable[[], None]) -> None:
        """Call ``resume`` in the next round of the loop."""
        self._loop.call_soon(resume)

    def ended(self, waiting: Cancellable) -> None:
        """Remove a coroutine that has ended."""
        self._waiting.discard(waiting)
        for drain in self._drains:
            drain.ended(waiting)


class _Waiting(Generic[T]):
    """A coroutine that has waited at least once, and the future that it waits for.

    It does what a task does: it marks the future as awaited, steps the coroutine in the
    future's callback, and cancels the future, or raises the cancellation at the next
    step if no future can be cancelled. Any awaitable that suits a task suits it, also one
    that calls back at once instead of by the loop.
    """

    __slots__ = ("_awaited", "_done", "_must_cancel", "_stepper", "_work")

    def __init__(
        self, stepper: Stepper, work: Coroutine[Any, Any, T], done: Callable[[T], None]
    ) -> None:
        self._stepper, self._work, self._done = stepper, work, done
        self._awaited: asyncio.Future[Any] | None = None
        self._must_cancel = False

    def wait_for(self, awaited: Any) -> None:
        """Step again when the yielded future is done; None stands for a round of the loop."""
        self._awaited = awaited
        if awaited is None:
            self._stepper.call_soon(self._step)
            return
        awaited._asyncio_future_blocking = False  # noqa: SLF001 -- asyncio's mark of an awaited future
        awaited.add_done_callback(self._step)

    def cancel(self) -> None:
        """Cancel the coroutine as soon as possible."""
        if self._awaited is None or not self._awaited.cancel():
            self._must_cancel = True

    def _step(self, _: object = None) -> None:
        self._awaited = None  # a future and its callback would keep each other
        try:
            if self._must_cancel:
                self._must_cancel = False
                awaited = self._work.throw(asyncio.CancelledError())
            else:
                awaited = self._work.send(None)  # the future itself raises inside, if it has to
        except StopIteration as finished:
            self._stepper.ended(self)
            self._done(finished.value)
        except asyncio.CancelledError:
            self._stepper.ended(self)
        except BaseException:
            self._stepper.ended(self)
            raise
        else:
            self.wait_for(awaited)


class _Drain:
    """Waits for the coroutines that waited when it began."""

    def __init__(self, left: set[Cancellable], over: asyncio.Future[None]) -> None:
        self._left, self.over = left, over

    def ended(self, waiting: Cancellable) -> None:
        self._left.discard(waiting)
        if not self._left and not self.over.done():
            self.over.set_result(None)
