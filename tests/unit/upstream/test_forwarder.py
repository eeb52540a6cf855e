# SPDX-License-Identifier: Apache-2.0
"""Identical questions in flight share one exchange (reliability.md B3)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import dns.rdatatype
import pytest
import uvloop

from filterd.errors import UpstreamMalformedError, UpstreamOverloadError, UpstreamUnreachableError
from filterd.policy.model import UpstreamServer
from filterd.upstream import Forwarder, Resolution, Route, UpstreamQuestion, places
from tests.support.clock import FakeClock
from tests.support.policies import wire
from tests.support.serving import WITHIN_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.upstream import FakeUpstream


def a_question(name: str = "www.example.com", *, do: bool = False) -> UpstreamQuestion:
    return UpstreamQuestion(wire(name), dns.rdatatype.A, do=do, cd=False)


def route(upstream: FakeUpstream, times: int = 1) -> Route:
    return Route((UpstreamServer(upstream.address, upstream.port),) * times)


def run(test: Callable[[Forwarder], Awaitable[None]]) -> None:
    async def main() -> None:
        asking = Forwarder(FakeClock())
        try:
            await asyncio.wait_for(test(asking), WITHIN_S)
            assert asking.in_flight == 0
        finally:
            asking.close()
        assert asking.sockets == 0

    uvloop.run(main())


def test_many_who_ask_the_same_cause_one_exchange(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        waiters = [asking.resolve(a_question(), route(upstream)) for _ in range(1_000)]
        outcomes = await asyncio.gather(*waiters)
        assert len({id(one) for one in outcomes}) == 1
        assert asking.counters == {"sent": 1, "shared": 999}

    run(test)
    assert len(upstream.asked) == 1


def test_other_questions_and_other_servers_are_other_exchanges(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        here, twice = route(upstream), route(upstream, 2)
        await asyncio.gather(
            asking.resolve(a_question(), here),
            asking.resolve(a_question(do=True), here),
            asking.resolve(a_question("mail.example.com"), here),
            asking.resolve(a_question(), twice),
        )

    run(test)
    assert len(upstream.asked) == 4


def test_a_waiter_that_is_cancelled_does_not_harm_the_others(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        loop = asyncio.get_running_loop()
        waiters = [
            loop.create_task(asking.resolve(a_question(), route(upstream))) for _ in range(3)
        ]
        await asyncio.sleep(0)
        waiters[0].cancel()
        outcomes = await asyncio.gather(*waiters, return_exceptions=True)
        assert isinstance(outcomes[0], asyncio.CancelledError)
        assert all(isinstance(one, Resolution) for one in outcomes[1:])

    run(test)


def test_an_outcome_is_not_kept_here(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        for _ in range(2):
            await asking.resolve(a_question(), route(upstream))

    run(test)
    assert len(upstream.asked) == 2


def test_an_error_reaches_everybody_who_waits() -> None:
    async def test(asking: Forwarder) -> None:
        waiters = [asking.resolve(a_question(), Route(())) for _ in range(3)]
        outcomes = await asyncio.gather(*waiters, return_exceptions=True)
        assert all(isinstance(one, UpstreamUnreachableError) for one in outcomes)

    run(test)


def test_an_answer_that_does_not_make_sense_is_an_error(upstream: FakeUpstream) -> None:
    upstream.add("loop.example.com. 60 IN CNAME loop.example.com.")

    async def test(asking: Forwarder) -> None:
        with pytest.raises(UpstreamMalformedError):
            await asking.resolve(a_question("loop.example.com"), route(upstream))

    run(test)


def test_exchanges_are_bounded_and_waiters_are_not(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "MOST_PLACES", 2)
    upstream.released.clear()

    async def test(asking: Forwarder) -> None:
        loop = asyncio.get_running_loop()
        names = ["a.example.com", "b.example.com", "a.example.com", "b.example.com"]
        waiting = [
            loop.create_task(asking.resolve(a_question(name), route(upstream))) for name in names
        ]
        await asyncio.sleep(0)
        with pytest.raises(UpstreamOverloadError, match="too many"):
            await asking.resolve(a_question("c.example.com"), route(upstream))
        assert asking.counters["overload"] == 1
        upstream.released.set()
        await asyncio.gather(*waiting)

    run(test)


def test_closing_tells_everybody_who_waits(upstream: FakeUpstream) -> None:
    upstream.silent.set()

    async def test(asking: Forwarder) -> None:
        loop = asyncio.get_running_loop()
        waiting = [
            loop.create_task(asking.resolve(a_question(), route(upstream))) for _ in range(2)
        ]
        await asyncio.sleep(0)
        asking.close()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(one, UpstreamUnreachableError) for one in outcomes)

    run(test)


def test_what_is_learned_of_a_server_is_kept(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        await asking.resolve(a_question(), route(upstream))
        (group,) = asking.groups().values()
        assert [member.failures for member in group.members] == [0]

    run(test)
