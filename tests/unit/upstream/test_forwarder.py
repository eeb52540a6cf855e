# SPDX-License-Identifier: Apache-2.0
"""Identical questions in flight share one exchange; by both twins."""

from __future__ import annotations

import asyncio
import errno
import gc
import select
import socket
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rdatatype
import pytest
import uvloop

from filterd.base.errors import (
    UpstreamMalformedError,
    UpstreamOverloadError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from filterd.policy.model import UpstreamServer
from filterd.upstream import (
    Forwarder,
    Resolution,
    Route,
    UpstreamQuestion,
    forwarder,
    singleflight,
)
from filterd.upstream import server_group as group
from filterd.upstream.randomness import RandomPorts
from filterd.upstream.socket_pool import TimerWheel
from tests.support.clock import FakeClock
from tests.support.policies import wire
from tests.support.serving import WITHIN_S
from tests.support.twins import MODULES, both

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.upstream import FakeUpstream


@pytest.fixture(autouse=True, params=both("flights"))
def _twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarder, "Flights", request.param.Flights)


def a_question(name: str = "www.example.com", *, do: bool = False) -> UpstreamQuestion:
    return UpstreamQuestion(wire(name), dns.rdatatype.A, do=do, cd=False)


def by(question: UpstreamQuestion, to: Route) -> UpstreamQuestion:
    return question._replace(route=to)


def route(upstream: FakeUpstream, times: int = 1) -> Route:
    return Route((UpstreamServer(upstream.address, upstream.port),) * times)


def run(test: Callable[[Forwarder], Awaitable[None]]) -> None:
    async def main() -> None:
        asking = Forwarder(FakeClock())
        try:
            await asyncio.wait_for(test(asking), WITHIN_S)
            await asyncio.sleep(0)  # an exchange is forgotten a round after its waiters know
            assert asking.in_flight == 0
        finally:
            asking.close()
        assert asking.sockets == 0

    uvloop.run(main())


def test_many_equal_questions_cause_one_exchange(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        waiters = [asking.resolve(by(a_question(), route(upstream))) for _ in range(1_000)]
        outcomes = await asyncio.gather(*waiters)
        assert len({id(outcome) for outcome in outcomes}) == 1
        assert asking.counters == {"sent": 1, "shared": 999}

    run(test)
    assert len(upstream.asked) == 1


def test_other_questions_and_other_servers_are_other_exchanges(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        here, twice = route(upstream), route(upstream, 2)
        await asyncio.gather(
            asking.resolve(by(a_question(), here)),
            asking.resolve(by(a_question(do=True), here)),
            asking.resolve(by(a_question("mail.example.com"), here)),
            asking.resolve(by(a_question(), twice)),
        )

    run(test)
    assert len(upstream.asked) == 4


def test_a_waiter_that_is_cancelled_does_not_harm_the_others(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        loop = asyncio.get_running_loop()
        waiters = [
            loop.create_task(asking.resolve(by(a_question(), route(upstream)))) for _ in range(3)
        ]
        await asyncio.sleep(0)
        waiters[0].cancel()
        outcomes = await asyncio.gather(*waiters, return_exceptions=True)
        assert isinstance(outcomes[0], asyncio.CancelledError)
        assert all(isinstance(outcome, Resolution) for outcome in outcomes[1:])

    run(test)


def test_an_outcome_is_not_kept_here(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        for _ in range(2):
            await asking.resolve(by(a_question(), route(upstream)))
            await asyncio.sleep(0)

    run(test)
    assert len(upstream.asked) == 2


def test_a_question_asked_before_the_outcome_is_kept_shares_it(
    upstream: FakeUpstream,
) -> None:
    async def test(asking: Forwarder) -> None:
        for _ in range(2):  # the second comes before the loop goes round
            await asking.resolve(by(a_question(), route(upstream)))

    run(test)
    assert len(upstream.asked) == 1


def test_an_error_reaches_all_waiting_questions() -> None:
    async def test(asking: Forwarder) -> None:
        waiters = [asking.resolve(by(a_question(), Route(()))) for _ in range(3)]
        outcomes = await asyncio.gather(*waiters, return_exceptions=True)
        assert all(isinstance(outcome, UpstreamUnreachableError) for outcome in outcomes)

    run(test)


def test_each_waiting_question_gets_an_error_of_its_own(upstream: FakeUpstream) -> None:
    upstream.silent.set()

    async def test(asking: Forwarder) -> None:
        loop = asyncio.get_running_loop()
        waiting = [
            loop.create_task(asking.resolve(by(a_question(), route(upstream)))) for _ in range(50)
        ]
        await asyncio.sleep(0)
        asking.close()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert len({id(outcome) for outcome in outcomes}) == 50
        depths = [
            _depth(outcome) for outcome in outcomes if isinstance(outcome, UpstreamUnreachableError)
        ]
        assert (len(depths), len(set(depths))) == (50, 1)

    run(test)


def _depth(error: BaseException) -> int:
    traceback, depth = error.__traceback__, 0
    while traceback is not None:
        traceback, depth = traceback.tb_next, depth + 1
    return depth


def test_an_answer_that_does_not_make_sense_is_an_error(upstream: FakeUpstream) -> None:
    upstream.add("loop.example.com. 60 IN CNAME loop.example.com.")

    async def test(asking: Forwarder) -> None:
        with pytest.raises(UpstreamMalformedError):
            await asking.resolve(by(a_question("loop.example.com"), route(upstream)))

    run(test)


def test_exchanges_are_bounded_and_waiters_are_not(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(singleflight, "MOST_EXCHANGES", 2)
    upstream.released.clear()

    async def test(asking: Forwarder) -> None:
        loop = asyncio.get_running_loop()
        names = ["a.example.com", "b.example.com", "a.example.com", "b.example.com"]
        waiting = [
            loop.create_task(asking.resolve(by(a_question(name), route(upstream))))
            for name in names
        ]
        await asyncio.sleep(0)
        with pytest.raises(UpstreamOverloadError, match="too many"):
            await asking.resolve(by(a_question("c.example.com"), route(upstream)))
        assert asking.counters["overload"] == 1
        upstream.released.set()
        await asyncio.gather(*waiting)

    run(test)


async def settled(asking: Forwarder, names: list[str], to: Route, asker: str) -> list[object]:
    """Ask for names; return what became of each, None for those that still wait."""
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(asking.resolve(by(a_question(name), to), asker)) for name in names]
    for _ in range(3):
        await asyncio.sleep(0)
    return [task.exception() if task.done() else None for task in tasks]


def hanging(count: int) -> list[str]:
    return [f"n{n}.hanging.example" for n in range(count)]


def test_hanging_questions_of_one_client_leave_room_for_others(upstream: FakeUpstream) -> None:
    upstream.silent.set()

    async def test(asking: Forwarder) -> None:
        outcomes = await settled(asking, hanging(1_500), route(upstream), "192.0.2.1")
        assert asking.in_flight == 250
        assert sum(isinstance(outcome, UpstreamOverloadError) for outcome in outcomes) == 1_250
        upstream.silent.clear()
        await asking.resolve(by(a_question(), route(upstream)), "192.0.2.2")
        asking.close()

    run(test)


def test_control_without_a_share_no_other_client_could_ask(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(singleflight, "MOST_A_CLIENT", 10_000)
    upstream.silent.set()

    async def test(asking: Forwarder) -> None:
        await settled(asking, hanging(1_500), route(upstream), "192.0.2.1")
        assert asking.in_flight == 1_000
        with pytest.raises(UpstreamOverloadError):
            await asking.resolve(by(a_question(), route(upstream)), "192.0.2.2")
        asking.close()

    run(test)


def test_where_many_fill_all_places_the_longest_waiting_gives_way(upstream: FakeUpstream) -> None:
    clock = FakeClock()

    async def main() -> None:
        asking, to = Forwarder(clock), route(upstream)
        loop = asyncio.get_running_loop()
        waiting = [
            loop.create_task(asking.resolve(by(a_question(name), silent), f"192.0.2.{n % 5}"))
            for n, name in enumerate(hanging(1_000))
        ]
        await asyncio.sleep(0)
        with pytest.raises(UpstreamOverloadError, match="too many"):
            await asking.resolve(by(a_question(), to), "192.0.2.99")
        clock.advance(0.2)
        await asyncio.wait_for(asking.resolve(by(a_question(), to), "192.0.2.99"), WITHIN_S)
        with pytest.raises(UpstreamOverloadError, match="gave way"):
            await waiting[0]
        assert [one.done() for one in waiting[1:]] == [False] * 999
        assert asking.counters["gave_way"] == 1
        asking.close()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert (asking.sockets, asking.in_flight) == (0, 0)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.bind(("127.0.0.1", 0))
        silent = Route((UpstreamServer("127.0.0.1", dead.getsockname()[1]),))
        uvloop.run(main())


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("ad", [True, False])
def test_only_a_trusted_server_s_word_makes_an_answer_authentic(
    upstream: FakeUpstream, trusted: bool, ad: bool
) -> None:
    def respond(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags = response.flags | dns.flags.AD if ad else response.flags & ~dns.flags.AD
        return response

    upstream.respond = respond

    async def test(asking: Forwarder) -> None:
        to = Route((UpstreamServer(upstream.address, upstream.port, trusted=trusted),))
        assert (await asking.resolve(by(a_question(), to))).authentic is (trusted and ad)

    run(test)


def test_after_closing_nothing_is_asked(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        asking.close()
        with pytest.raises(UpstreamUnreachableError):
            await asking.resolve(by(a_question(), route(upstream)))

    run(test)
    assert upstream.asked == []


def test_where_no_descriptor_is_left_that_is_an_error_like_another(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> object:
        raise OSError(errno.EMFILE, "Too many open files")

    async def test(asking: Forwarder) -> None:
        monkeypatch.setattr(select, "epoll", none_left)
        monkeypatch.setattr(RandomPorts, "connect", none_left)  # of the plain pool
        with pytest.raises(UpstreamUnreachableError, match="Too many open files"):
            await asking.resolve(by(a_question(), route(upstream)))
        monkeypatch.undo()
        await asyncio.sleep(0)  # what has failed is remembered in this turn
        await asking.resolve(by(a_question(), route(upstream)))

    run(test)


def test_routes_of_the_same_server_share_what_is_known_of_it(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        for to in (route(upstream), Route(route(upstream).servers, whole=True)):
            await asking.resolve(by(a_question(), to))
        members = {member for group in asking.groups().values() for member in group.members}
        assert len(members) == 1

    run(test)


def test_routes_of_old_sites_are_forgotten(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "MOST_GROUPS", 3)

    async def test(asking: Forwarder) -> None:
        for times in range(1, 7):
            await asking.resolve(by(a_question(), route(upstream, times)))
        assert [len(group.members) for group in asking.groups().values()] == [4, 5, 6]

    run(test)


def test_an_exchange_leaves_nothing_for_the_collector(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        await asking.resolve(by(a_question(), route(upstream)))
        gc.collect()  # what other tests of this process have left
        gc.disable()
        try:
            for n in range(20):
                await asking.resolve(by(a_question(f"n{n}.example.com"), route(upstream)))
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            ours = [one for one in gc.garbage if type(one).__module__.startswith("filterd")]
            assert ours == []
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()

    run(test)


def test_closing_ends_all_waiting_questions(upstream: FakeUpstream) -> None:
    upstream.silent.set()

    async def test(asking: Forwarder) -> None:
        loop = asyncio.get_running_loop()
        waiting = [
            loop.create_task(asking.resolve(by(a_question(), route(upstream)))) for _ in range(2)
        ]
        await asyncio.sleep(0)
        asking.close()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(outcome, UpstreamUnreachableError) for outcome in outcomes)

    run(test)


def test_what_is_learned_of_a_server_is_kept(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        await asking.resolve(by(a_question(), route(upstream)))
        (group,) = asking.groups().values()
        assert [member.failures for member in group.members] == [0]

    run(test)


def test_a_mistake_of_ours_in_reading_an_answer_leaves_no_question_waiting(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake")

    async def test(asking: Forwarder) -> None:
        said: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: said.append(str(context["exception"])))
        with monkeypatch.context() as patch:
            for twin in MODULES["flights"]:
                patch.setattr(twin, "resolution_of", mistaken)
            with pytest.raises(UpstreamMalformedError):
                await asking.resolve(by(a_question(), route(upstream)))
        await asyncio.sleep(0)
        assert said == ["a mistake"]
        assert (await asking.resolve(by(a_question(), route(upstream)))).rcode == 0

    run(test)


def test_a_mistake_of_ours_in_asking_leaves_no_question_waiting(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object) -> None:
        raise RuntimeError("a mistake")

    async def test(asking: Forwarder) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(TimerWheel, "put", mistaken)
            with pytest.raises(RuntimeError):
                await asking.resolve(by(a_question(), route(upstream)))
        assert asking.in_flight == 0
        assert (await asking.resolve(by(a_question(), route(upstream)))).rcode == 0

    run(test)


def test_a_question_with_less_time_waits_no_longer_and_harms_no_other(
    upstream: FakeUpstream,
) -> None:
    upstream.released.clear()

    async def test(asking: Forwarder) -> None:
        now, loop = FakeClock().monotonic(), asyncio.get_running_loop()
        other = loop.create_task(asking.resolve(by(a_question(), route(upstream))))
        await asyncio.sleep(0)
        with pytest.raises(UpstreamTimeoutError):
            await asking.resolve(by(a_question(), route(upstream)), None, now + 0.01)
        upstream.released.set()
        assert isinstance(await other, Resolution)
        await asyncio.sleep(0)
        in_time = await asking.resolve(by(a_question(), route(upstream)), None, now + 3_600)
        assert isinstance(in_time, Resolution)

    run(test)
    assert len(upstream.asked) == 2


def test_where_no_time_is_left_no_server_is_asked(upstream: FakeUpstream) -> None:
    async def test(asking: Forwarder) -> None:
        with pytest.raises(UpstreamTimeoutError):
            await asking.resolve(by(a_question(), route(upstream)), None, FakeClock().monotonic())

    run(test)
    assert upstream.asked == []
