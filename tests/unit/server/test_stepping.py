# SPDX-License-Identifier: Apache-2.0
"""Coroutines that are run by hand until they wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import uvloop

from filterd.server.stepping import Stepper

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    chosen: Run = request.param
    return chosen


async def at_once() -> bytes:
    return b"answer"


async def after(future: asyncio.Future[bytes]) -> bytes:
    return await future


def test_what_never_waits_is_done_at_once_and_makes_no_task(run: Run) -> None:
    async def main() -> None:
        stepper, done = Stepper(), list[bytes]()
        before = asyncio.all_tasks()
        stepper.run(at_once(), done.append)
        assert done == [b"answer"]
        assert asyncio.all_tasks() == before

    run(main())


def test_what_waits_gets_a_task_and_goes_on(run: Run) -> None:
    async def main() -> None:
        stepper, done = Stepper(), asyncio.Event()
        future = asyncio.get_running_loop().create_future()
        answers = list[bytes]()

        def finish(answer: bytes) -> None:
            answers.append(answer)
            done.set()

        stepper.run(after(future), finish)
        assert len(stepper) == 1
        future.set_result(b"later")
        await done.wait()
        await asyncio.sleep(0)
        assert (answers, len(stepper)) == ([b"later"], 0)

    run(main())


def test_it_may_wait_many_times_and_for_nothing(run: Run) -> None:
    async def many() -> bytes:
        total = 0
        for number in range(5):
            await asyncio.sleep(0)
            total += await asyncio.wait_for(asyncio.sleep(0, number), 5)
        return bytes((total,))

    async def main() -> None:
        stepper, done = Stepper(), asyncio.get_running_loop().create_future()
        stepper.run(many(), done.set_result)
        assert await done == b"\x0a"

    run(main())


def test_an_awaited_exception_is_raised_inside(run: Run) -> None:
    async def catching(future: asyncio.Future[bytes]) -> bytes:
        try:
            return await future
        except ValueError:
            return b"caught"

    async def main() -> None:
        stepper, done = Stepper(), asyncio.get_running_loop().create_future()
        future = asyncio.get_running_loop().create_future()
        stepper.run(catching(future), done.set_result)
        future.set_exception(ValueError())
        assert await done == b"caught"

    run(main())


@pytest.mark.parametrize("already_started", [True, False])
def test_closing_cancels_inside_and_waits_for_what_that_does(
    run: Run, already_started: bool
) -> None:
    async def cleaning(future: asyncio.Future[bytes], seen: list[str]) -> bytes:
        try:
            return await future
        finally:
            seen.append("cleaned up")

    async def main() -> None:
        stepper, seen, answers = Stepper(), list[str](), list[bytes]()
        future = asyncio.get_running_loop().create_future()
        stepper.run(cleaning(future, seen), answers.append)
        if already_started:
            await asyncio.sleep(0)
        await stepper.close()
        assert (seen, answers, len(stepper)) == (["cleaned up"], [], 0)

    run(main())


def test_one_that_is_cancelled_does_not_cancel_another(run: Run) -> None:
    async def main() -> None:
        stepper, done = Stepper(), asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()
        first, second = loop.create_future(), loop.create_future()
        stepper.run(after(first), lambda _: pytest.fail("it was cancelled"))
        (task,) = stepper._tasks
        stepper.run(after(second), done.set_result)
        task.cancel()
        second.set_result(b"mine")
        assert await done == b"mine"

    run(main())


def test_draining_lets_what_waits_come_to_its_end(run: Run) -> None:
    async def main() -> None:
        stepper, answers = Stepper(), list[bytes]()
        loop = asyncio.get_running_loop()
        soon = loop.create_future()
        stepper.run(after(soon), answers.append)
        loop.call_soon(soon.set_result, b"in time")
        await stepper.drain(10)
        assert answers == [b"in time"]

    run(main())


def test_draining_waits_for_nobody_for_ever(run: Run) -> None:
    async def main() -> None:
        stepper = Stepper()
        stepper.run(after(asyncio.get_running_loop().create_future()), lambda _: None)
        await stepper.drain(0.01)
        assert len(stepper) == 1
        await stepper.close()

    run(main())
