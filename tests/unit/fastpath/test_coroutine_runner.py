# SPDX-License-Identifier: Apache-2.0
"""Coroutines that are run by hand until they wait."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING

import pytest
import uvloop

from filterd.fastpath.coroutine_runner import Stepper

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator
    from typing import Any

    Waits = Callable[[asyncio.Future[bytes]], Awaitable[object]]
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


def test_what_waits_goes_on_without_a_task(run: Run) -> None:
    async def main() -> None:
        stepper, done = Stepper(), asyncio.Event()
        future = asyncio.get_running_loop().create_future()
        answers = list[bytes]()

        def finish(answer: bytes) -> None:
            answers.append(answer)
            done.set()

        before = asyncio.all_tasks()
        stepper.run(after(future), finish)
        assert (len(stepper), asyncio.all_tasks()) == (1, before)
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
            soon = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(soon.set_result, number)
            await asyncio.wait((soon,), timeout=5)
            total += await soon
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


def for_a_future(future: asyncio.Future[bytes]) -> Awaitable[object]:
    return future


def for_a_round_of_the_loop(_: asyncio.Future[bytes]) -> Awaitable[object]:
    return asyncio.sleep(0)


@pytest.mark.parametrize("waits", [for_a_future, for_a_round_of_the_loop])
def test_closing_cancels_inside_and_waits_for_what_that_does(run: Run, waits: Waits) -> None:
    async def cleaning(future: asyncio.Future[bytes], seen: list[str]) -> bytes:
        try:
            await waits(future)
        finally:
            await asyncio.sleep(0)
            seen.append("cleaned up")
        return b"never"

    async def main() -> None:
        stepper, seen, answers = Stepper(), list[str](), list[bytes]()
        future = asyncio.get_running_loop().create_future()
        stepper.run(cleaning(future, seen), answers.append)
        await stepper.close()
        assert (seen, answers, len(stepper)) == (["cleaned up"], [], 0)

    run(main())


def test_closing_cancels_even_what_could_go_on_in_this_round(run: Run) -> None:
    async def main() -> None:
        stepper, future = Stepper(), asyncio.get_running_loop().create_future()
        stepper.run(after(future), lambda _: pytest.fail("it was cancelled"))
        future.set_result(b"too late")
        await stepper.close()
        assert len(stepper) == 0

    run(main())


async def stubborn(future: asyncio.Future[bytes]) -> bytes:
    try:
        return await future
    except asyncio.CancelledError:
        return b"all the same"


def test_closing_ends_what_begins_meanwhile(run: Run) -> None:
    async def main() -> None:
        stepper, loop = Stepper(), asyncio.get_running_loop()
        first, second = loop.create_future(), loop.create_future()

        def ask_again(_: bytes) -> None:
            stepper.run(after(second), lambda _: pytest.fail("it was cancelled"))

        stepper.run(stubborn(first), ask_again)
        await stepper.close()
        assert (len(stepper), second.cancelled()) == (0, True)

    run(main())


def test_one_that_will_not_be_cancelled_ends_by_itself(run: Run) -> None:
    async def main() -> None:
        stepper, answers = Stepper(), list[bytes]()
        stepper.run(stubborn(asyncio.get_running_loop().create_future()), answers.append)
        await stepper.close()
        assert (answers, len(stepper)) == ([b"all the same"], 0)

    run(main())


def test_what_raises_against_its_promise_is_reported_and_forgotten(run: Run) -> None:
    async def main() -> None:
        loop, contexts = asyncio.get_running_loop(), list[object]()
        loop.set_exception_handler(lambda _, context: contexts.append(context["exception"]))
        stepper, future = Stepper(), loop.create_future()
        stepper.run(after(future), lambda _: pytest.fail("there is no answer"))
        fault = ValueError()
        future.set_exception(fault)
        await stepper.drain(10)
        assert (contexts, len(stepper)) == ([fault], 0)

    run(main())


def test_nothing_is_left_to_the_garbage_collector(run: Run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        stepper, done = Stepper(), loop.create_future()
        future = loop.create_future()
        stepper.run(after(future), done.set_result)
        (waiting,) = stepper._waiting
        kept = weakref.ref(future)
        future.set_result(b"answer")
        assert await done == b"answer"
        assert waiting._awaited is None  # type: ignore[attr-defined]  # a coroutine's
        del future
        assert kept() is None

    gc.disable()
    try:
        run(main())
    finally:
        gc.enable()


def test_one_that_is_cancelled_does_not_cancel_another(run: Run) -> None:
    async def main() -> None:
        stepper, done = Stepper(), asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()
        first, second = loop.create_future(), loop.create_future()
        stepper.run(after(first), lambda _: pytest.fail("it was cancelled"))
        stepper.run(after(second), done.set_result)
        first.cancel()
        second.set_result(b"mine")
        assert await done == b"mine"
        assert len(stepper) == 0

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


def test_draining_does_not_wait_for_later_queries(run: Run) -> None:
    async def main() -> None:
        stepper, loop = Stepper(), asyncio.get_running_loop()
        soon, never = loop.create_future(), loop.create_future()
        stepper.run(after(soon), lambda _: None)
        draining = asyncio.ensure_future(stepper.drain(None))
        await asyncio.sleep(0)
        stepper.run(after(never), lambda _: pytest.fail("it was cancelled"))
        soon.set_result(b"answer")
        await draining
        assert len(stepper) == 1
        await stepper.close()

    run(main())


def test_a_drain_that_is_given_up_leaves_nothing(run: Run) -> None:
    async def main() -> None:
        stepper = Stepper()
        stepper.run(after(asyncio.get_running_loop().create_future()), lambda _: None)
        draining = asyncio.ensure_future(stepper.drain(None))
        await asyncio.sleep(0)
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)
        assert not stepper._drains
        await stepper.close()

    run(main())


def test_an_answered_client_may_ask_again_at_once(run: Run) -> None:
    """A TCP client's next question is taken when its last is answered."""

    async def main() -> None:
        stepper, loop = Stepper(), asyncio.get_running_loop()
        first, second, done = loop.create_future(), loop.create_future(), loop.create_future()

        def ask_again(_: bytes) -> None:
            stepper.run(at_once(), lambda _: None)
            stepper.run(after(second), done.set_result)

        stepper.run(after(first), ask_again)
        first.set_result(b"first")
        second.set_result(b"second")
        assert await done == b"second"
        assert len(stepper) == 0

    run(main())


def test_a_future_may_call_back_at_once(run: Run) -> None:
    class AtOnce:
        """Done before its callbacks would be called."""

        _asyncio_future_blocking = True

        def __await__(self) -> Generator[AtOnce, None, bytes]:
            yield self
            return b"at once"

        def add_done_callback(self, callback: Callable[[AtOnce], None]) -> None:
            callback(self)

    async def twice() -> bytes:
        return await AtOnce() + await AtOnce()

    async def main() -> None:
        stepper, answers = Stepper(), list[bytes]()
        stepper.run(twice(), answers.append)
        assert (answers, len(stepper)) == ([b"at onceat once"], 0)

    run(main())


def test_one_may_be_cancelled_twice(run: Run) -> None:
    async def main() -> None:
        stepper = Stepper()
        future = asyncio.get_running_loop().create_future()
        stepper.run(after(future), lambda _: pytest.fail("it was cancelled"))
        await asyncio.gather(stepper.close(), stepper.close())
        assert (len(stepper), future.cancelled()) == (0, True)

    run(main())


def test_draining_does_not_wait_for_ever(run: Run) -> None:
    async def main() -> None:
        stepper = Stepper()
        stepper.run(after(asyncio.get_running_loop().create_future()), lambda _: None)
        await stepper.drain(0.01)
        assert len(stepper) == 1
        await stepper.close()

    run(main())
