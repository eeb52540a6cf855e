# SPDX-License-Identifier: Apache-2.0
"""Waiting for work that goes on without whoever waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from filterd.resolve.shared_wait import Patience
from tests.support.serving import WITHIN_S

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    import pytest

    Test = Callable[[Patience, asyncio.Future[int]], Coroutine[Any, Any, None]]


def run(test: Test) -> None:
    async def main() -> None:
        work: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        patience = Patience()
        await asyncio.wait_for(test(patience, work), WITHIN_S)
        work.cancel()
        await asyncio.sleep(0)
        assert not patience._waiters, "it keeps what is over"

    asyncio.run(main())


def test_who_waits_goes_on_when_the_work_is_done() -> None:
    async def test(patience: Patience, work: asyncio.Future[int]) -> None:
        waiting = [asyncio.ensure_future(patience.wait_for(work, WITHIN_S)) for _ in range(3)]
        await asyncio.sleep(0)
        work.set_result(1)
        await asyncio.gather(*waiting)

    run(test)


def test_work_that_is_done_is_not_waited_for() -> None:
    async def test(patience: Patience, work: asyncio.Future[int]) -> None:
        work.set_result(1)
        await patience.wait_for(work, WITHIN_S)

    run(test)


def test_patience_ends_for_all_at_once_and_for_who_comes_later() -> None:
    async def test(patience: Patience, work: asyncio.Future[int]) -> None:
        await asyncio.gather(*(patience.wait_for(work, 0.001) for _ in range(3)))
        await patience.wait_for(work, WITHIN_S)
        assert not work.done()

    run(test)


def test_who_goes_away_ends_neither_the_work_nor_the_waiting_of_others() -> None:
    async def test(patience: Patience, work: asyncio.Future[int]) -> None:
        waiting = [asyncio.ensure_future(patience.wait_for(work, WITHIN_S)) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        assert (waiting[0].cancelled(), waiting[1].done(), work.done()) == (True, False, False)
        work.set_result(1)
        await waiting[1]

    run(test)


def test_a_crowd_takes_one_timer_and_one_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand of either would be taken away one by one, each after a look at all others."""

    async def test(patience: Patience, work: asyncio.Future[int]) -> None:
        loop, timers = asyncio.get_running_loop(), list[asyncio.TimerHandle]()
        call_later = loop.call_later

        def counted(delay: float, *args: Any) -> asyncio.TimerHandle:
            timers.append(call_later(delay, *args))
            return timers[-1]

        monkeypatch.setattr(loop, "call_later", counted)
        waiting = [asyncio.ensure_future(patience.wait_for(work, 5.0)) for _ in range(2_000)]
        await asyncio.sleep(0)
        callbacks = work._callbacks
        assert (len(timers), len(callbacks)) == (1, 1)
        work.set_result(1)
        await asyncio.gather(*waiting)
        assert timers[0].cancelled()

    run(test)
