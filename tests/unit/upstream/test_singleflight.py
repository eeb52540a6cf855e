# SPDX-License-Identifier: Apache-2.0
"""What is in flight, and what waits for it by a callback; both twins pass the same tests."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import dns.rdatatype
import pytest
import uvloop

from filterd.base.errors import UpstreamError, UpstreamOverloadError, UpstreamUnreachableError
from filterd.policy.model import UpstreamServer
from filterd.upstream import Resolution, Route, UpstreamQuestion, singleflight
from filterd.upstream.server_group import Groups
from tests.support.clock import FakeClock
from tests.support.policies import wire
from tests.support.serving import WITHIN_S
from tests.support.twins import both

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType

    from filterd.upstream.singleflight import Flights
    from tests.support.upstream import FakeUpstream


class Twin:
    """The twin that is tested."""

    module: ModuleType


@pytest.fixture(autouse=True, params=both("flights"))
def _twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Twin, "module", request.param, raising=False)


def a_question(name: str = "www.example.com") -> UpstreamQuestion:
    return UpstreamQuestion(wire(name), dns.rdatatype.A, do=False, cd=False)


def route(upstream: FakeUpstream) -> Route:
    return Route((UpstreamServer(upstream.address, upstream.port),))


def run(test: Callable[[Flights], Awaitable[None]]) -> None:
    async def and_settle(asking: Flights) -> None:
        await test(asking)
        while len(asking):  # all flights land, some turns of the loop later
            await asyncio.sleep(0)

    async def main() -> None:
        asking = Twin.module.Flights(FakeClock(), Counter(), Groups())
        try:
            await asyncio.wait_for(and_settle(asking), WITHIN_S)
        finally:
            asking.close()

    uvloop.run(main())


class CallbackRecorder:
    """Callbacks that wait: what each got, in this order."""

    def __init__(self, asking: Flights, to: Route) -> None:
        self.asking, self.to = asking, to
        self.outcomes: list[tuple[str, Resolution | UpstreamError]] = []
        self.within = False

    def ask(self, who: str, name: str = "www.example.com") -> Resolution | UpstreamError | None:
        def done(outcome: Resolution | UpstreamError) -> None:
            assert not self.within
            self.outcomes.append((who, outcome))

        self.within = True
        try:
            return self.asking.ask(a_question(name)._replace(route=self.to), who, done)
        finally:
            self.within = False

    @property
    def who(self) -> list[str]:
        return [who for who, _ in self.outcomes]

    async def until(self, count: int) -> None:
        while len(self.outcomes) < count:
            await asyncio.sleep(0)


def test_callbacks_are_called_once_and_in_order(upstream: FakeUpstream) -> None:
    async def test(asking: Flights) -> None:
        recorder = CallbackRecorder(asking, route(upstream))
        assert [recorder.ask(who) for who in "abc"] == [None] * 3
        await recorder.until(3)
        assert recorder.who == ["a", "b", "c"]
        assert len({id(outcome) for _, outcome in recorder.outcomes}) == 1
        assert recorder.ask("d") is recorder.outcomes[0][1]  # it has landed
        asking.close()
        await asyncio.sleep(0)
        assert recorder.who == ["a", "b", "c"]

    run(test)
    assert len(upstream.asked) == 1


def test_a_waiting_question_that_fails_delays_no_other(upstream: FakeUpstream) -> None:
    async def test(asking: Flights) -> None:
        def failing(_: object) -> None:
            raise RuntimeError("a mistake")

        said: list[str] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: said.append(str(context["exception"])))
        recorder = CallbackRecorder(asking, route(upstream))
        recorder.ask("a")
        asking.ask(a_question()._replace(route=recorder.to), None, failing)
        recorder.ask("b")
        await recorder.until(2)
        assert said == ["a mistake"]

    run(test)


def test_that_asking_has_failed_is_returned_and_reported_to_no_callback(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(singleflight, "MOST_EXCHANGES", 1)
    upstream.silent.set()

    async def test(asking: Flights) -> None:
        recorder = CallbackRecorder(asking, Route(()))
        assert isinstance(recorder.ask("a"), UpstreamUnreachableError)
        await asyncio.sleep(0)
        recorder.to = route(upstream)
        assert recorder.ask("b") is None
        assert isinstance(recorder.ask("c", "c.example.com"), UpstreamOverloadError)
        asking.close()
        assert isinstance(recorder.ask("d"), UpstreamUnreachableError)
        await asyncio.sleep(0)
        assert recorder.who == ["b"]
        assert isinstance(recorder.outcomes[0][1], UpstreamUnreachableError)

    run(test)


def test_a_question_that_gives_way_ends_after_the_other_has_asked(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(singleflight, "MOST_EXCHANGES", 1)
    monkeypatch.setattr(singleflight, "GIVES_WAY_AFTER_S", 0.0)
    upstream.silent.set()

    async def test(asking: Flights) -> None:
        recorder = CallbackRecorder(asking, route(upstream))
        assert [recorder.ask("a"), recorder.ask("b", "b.example.com")] == [None, None]
        assert recorder.who == []
        await asyncio.sleep(0)
        assert recorder.who == ["a"]
        assert isinstance(recorder.outcomes[0][1], UpstreamOverloadError)
        asking.close()
        assert recorder.who == ["a", "b"]

    run(test)


def few(monkeypatch: pytest.MonkeyPatch, most: int, a_client: int, after_s: float) -> None:
    monkeypatch.setattr(singleflight, "MOST_EXCHANGES", most)
    monkeypatch.setattr(singleflight, "MOST_A_CLIENT", a_client)
    monkeypatch.setattr(singleflight, "GIVES_WAY_AFTER_S", after_s)


def test_a_client_with_its_share_gives_way_to_itself_only(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, 8, 2, 0.0)
    upstream.silent.set()

    async def test(asking: Flights) -> None:
        recorder = CallbackRecorder(asking, route(upstream))
        asked = [
            recorder.ask(who, f"{n}.example.com") for n, who in enumerate(("h", "g", "g", "h", "g"))
        ]
        await asyncio.sleep(0)
        assert (asked, recorder.who, len(asking)) == ([None] * 5, ["g"], 4)
        assert [recorder.ask("x", f"{n}.example.com") for n in (0, 2)] == [None, None]
        assert len(asking) == 4  # the first of the greedy client ended, and no other
        asking.close()

    run(test)


def test_where_there_are_too_many_the_oldest_gives_way(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, 3, 3, 0.0)
    upstream.silent.set()

    async def test(asking: Flights) -> None:
        recorder = CallbackRecorder(asking, route(upstream))
        assert [recorder.ask(who, f"{who}.example.com") for who in "abcd"] == [None] * 4
        await asyncio.sleep(0)
        assert recorder.who == ["a"]
        asking.close()

    run(test)


def test_a_question_of_no_client_has_no_share(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, 8, 2, 0.0)
    upstream.silent.set()

    async def test(asking: Flights) -> None:
        for n in range(5):
            question = a_question(f"{n}.example.com")._replace(route=route(upstream))
            assert asking.ask(question, None, lambda _: None) is None
        assert len(asking) == 5
        asking.close()

    run(test)


def test_what_another_client_waits_for_is_no_part_of_a_share(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, 8, 2, 10.0)
    upstream.silent.set()

    async def test(asking: Flights) -> None:
        recorder = CallbackRecorder(asking, route(upstream))
        assert [recorder.ask("g", name) for name in ("a.vn", "b.vn", "a.vn")] == [None] * 3
        assert isinstance(
            recorder.ask("g", "c.vn"), UpstreamOverloadError
        )  # its own changes nothing
        assert recorder.ask("h", "a.vn") is None
        assert recorder.ask("g", "c.vn") is None
        assert isinstance(recorder.ask("g", "d.vn"), UpstreamOverloadError)
        asking.close()

    run(test)


def test_what_has_ended_is_no_part_of_a_share(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, 8, 2, 10.0)
    upstream.silent.set()

    async def test(asking: Flights) -> None:
        recorder = CallbackRecorder(asking, route(upstream))
        for _ in range(3):
            assert [recorder.ask("g", name) for name in ("a.vn", "b.vn")] == [None] * 2
            asking.keep_to(())
        assert len(asking) == 0

    run(test)


def test_what_goes_by_a_route_that_is_left_ends_and_nothing_else(upstream: FakeUpstream) -> None:
    upstream.released.clear()

    async def test(asking: Flights) -> None:
        left, kept = (
            CallbackRecorder(asking, route(upstream)),
            CallbackRecorder(asking, Route(route(upstream).servers * 2)),
        )
        for recorder in (left, kept):
            assert recorder.ask("a") is recorder.ask("b") is None
        asking.keep_to({kept.to})
        assert left.who == []  # called later: who calls it is in the middle of anything
        assert left.ask("c") is None  # asked anew, for whoever still wants that
        await asyncio.sleep(0)
        assert left.who == ["a", "b"]
        assert all(isinstance(one, UpstreamOverloadError) for _, one in left.outcomes)
        upstream.released.set()
        await kept.until(2)
        await left.until(3)
        assert all(isinstance(one, Resolution) for _, one in (*kept.outcomes, left.outcomes[2]))

    run(test)
    assert len(upstream.asked) == 3
