# SPDX-License-Identifier: Apache-2.0
"""One timer for all that waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest
import uvloop

from filterd.upstream.timer_wheel import TICK_S, TimerWheel

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeHandle:
    """A timer of the fake loop."""

    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at, self.call, self.cancelled = at, call, False

    def cancel(self) -> None:
        self.cancelled = True


class FakeLoop:
    """An event loop whose time is set forward."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.timers: list[FakeHandle] = []
        self.raised: list[Exception] = []

    def time(self) -> float:
        return self.now

    def call_at(self, at: float, call: Callable[[], None]) -> FakeHandle:
        self.timers.append(FakeHandle(at, call))
        return self.timers[-1]

    def call_soon(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 -- as a loop does
            self.raised.append(error)

    def advance(self, seconds: float) -> None:
        until = self.now + seconds
        while due := [one for one in self.timers if not one.cancelled and one.at <= until]:
            first = min(due, key=lambda one: one.at)
            self.timers.remove(first)
            self.now = max(self.now, first.at)
            first.call()
        self.now = until

    @property
    def armed(self) -> int:
        return sum(not one.cancelled for one in self.timers)


class Noting:
    """Notes when it was due."""

    def __init__(self, loop: FakeLoop) -> None:
        self.loop = loop
        self.times: list[float] = []

    def due(self) -> None:
        self.times.append(self.loop.now)


def a_wheel() -> tuple[FakeLoop, TimerWheel]:
    loop = FakeLoop()
    return loop, TimerWheel(cast("asyncio.AbstractEventLoop", loop))


@pytest.mark.parametrize("delay_s", [0.0, 0.001, 0.02, 0.15, 0.1999, 3.8])
def test_it_is_never_early_and_at_most_a_tick_late(delay_s: float) -> None:
    loop, wheel = a_wheel()
    waiting = Noting(loop)
    wheel.put(waiting, loop.now + delay_s)
    loop.advance(10)
    (late,) = (at - 1_000 - delay_s for at in waiting.times)
    assert 0 <= late <= TICK_S + 1e-9


def test_an_earlier_one_is_not_kept_by_a_later_one() -> None:
    loop, wheel = a_wheel()
    later, earlier = Noting(loop), Noting(loop)
    wheel.put(later, loop.now + 3)
    wheel.put(earlier, loop.now + 1)
    loop.advance(2)
    assert (len(earlier.times), len(later.times)) == (1, 0)
    loop.advance(2)
    assert (len(earlier.times), len(later.times)) == (1, 1)


def test_what_is_taken_out_is_not_called() -> None:
    loop, wheel = a_wheel()
    waiting = Noting(loop)
    wheel.put(waiting, loop.now + 1).pop(waiting)
    assert len(wheel) == 0
    loop.advance(10)
    assert waiting.times == []


def test_many_cost_one_timer_of_the_loop() -> None:
    loop, wheel = a_wheel()
    waiting = [Noting(loop) for _ in range(1_000)]
    for one in waiting:
        wheel.put(one, loop.now + 1)
    assert loop.armed == 1
    loop.advance(2)
    assert sum(len(one.times) for one in waiting) == 1_000
    assert loop.armed == 0


def test_one_that_raises_takes_no_other_along() -> None:
    class Broken:
        def due(self) -> None:
            raise ValueError

    loop, wheel = a_wheel()
    waiting = Noting(loop)
    wheel.put(Broken(), loop.now + 1)
    wheel.put(waiting, loop.now + 1)
    loop.advance(2)
    assert (len(waiting.times), len(loop.raised)) == (1, 1)


def test_after_closing_nothing_is_called() -> None:
    loop, wheel = a_wheel()
    waiting = Noting(loop)
    wheel.put(waiting, loop.now + 1)
    wheel.close()
    loop.advance(2)
    assert (waiting.times, loop.armed) == ([], 0)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_turns_on_a_real_loop(run: Callable[..., None]) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        wheel, done = TimerWheel(loop), asyncio.Event()

        class Setting:
            def due(self) -> None:
                done.set()

        wheel.put(Setting(), wheel.now() + 0.03)
        await asyncio.wait_for(done.wait(), 10)

    run(main())
