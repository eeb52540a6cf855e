# SPDX-License-Identifier: Apache-2.0
"""Answers that still hold."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING

import dns.rdatatype
import pytest

from filterd.base.errors import (
    UpstreamError,
    UpstreamMalformedError,
    UpstreamOverloadError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from filterd.policy.model import DelegatedZone, UpstreamServer
from filterd.resolve import pipeline
from filterd.resolve.links import cache as module
from filterd.resolve.links.cache import Background, Cache, Forward, Patience
from filterd.resolve.query import Answer, Fetched, Query, Source
from filterd.upstream import DEADLINE_S, Forwarder, Resolution, UpstreamQuestion
from filterd.upstream.resolution import resolution_of
from filterd.wire import Ede, EdeCode, Rcode, RebuiltSections, parse_response
from filterd.wire.section import Question
from tests.support.chain import a_chain_query, already_answered, answer_of, proceed
from tests.support.clock import FakeClock
from tests.support.policies import wire
from tests.support.serving import GRADE_11, STAFF, a_site
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Hashable
    from typing import Any

    from filterd.lists.index import Index
    from filterd.resolve.cache_store import ResolutionStore

    Test = Callable[[Patience, asyncio.Future[int]], Coroutine[Any, Any, None]]

NAME = "www.example.com"
WITHIN_S = 10.0
DAY_S = 86_400


def a_resolution(ttl_s: int = 300) -> Resolution:
    response = a_response(a_query(NAME), f"{NAME} {ttl_s} A 198.18.0.1")
    question = UpstreamQuestion(wire(NAME), dns.rdatatype.A, do=False, cd=False)
    return resolution_of(parse_response(response), question)


async def forward(_: Query) -> Answer:
    return Answer(Source.FORWARDED, resolution=a_resolution())


async def fail(_: Query) -> Answer:
    return Answer(Source.FAILED, edes=(Ede(EdeCode.DNSSEC_BOGUS),))


async def reach_no_server(_: Query) -> Answer:
    return Answer(Source.FAILED, edes=(Ede(EdeCode.NO_REACHABLE_AUTHORITY),))


async def wait(_: Query) -> Answer:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody ends it")


class Upstreams:
    """The rest of the chain, which gives the answers of the test and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.then: Callable[[Query], Awaitable[Answer]] = forward

    async def __call__(self, query: Query) -> Answer:
        self.asked += 1
        return await self.then(query)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> ResolutionStore:
    return pipeline.ResolutionStore()


@pytest.fixture
def background() -> Background[Answer]:
    return Background()


@pytest.fixture
def cache(store: ResolutionStore, background: Background[Answer], clock: FakeClock) -> Cache:
    return Cache(store, background, clock)


@pytest.fixture
def upstreams(monkeypatch: pytest.MonkeyPatch) -> Upstreams:
    """Also lets clients wait for no time, where there is something stale to give."""
    monkeypatch.setattr(module, "STALE_AFTER_S", 0.01)
    return Upstreams()


@pytest.fixture
def expired(index: Index, cache: Cache, clock: FakeClock) -> Query:
    """Return a question whose answer was kept and has just ceased to hold."""
    query = a_chain_query(a_site(index))
    answer_of(cache, query, forward)
    clock.advance(301)
    return query


def run(background: Background[Answer], test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await asyncio.wait_for(test(), WITHIN_S)
        await background.close()

    asyncio.run(main())


def codes(answer: Answer) -> list[int]:
    return [ede.code for ede in answer.edes]


def test_an_answer_is_given_again_with_its_age(
    index: Index, cache: Cache, clock: FakeClock
) -> None:
    query = a_chain_query(a_site(index))
    assert answer_of(cache, query, forward).source == Source.FORWARDED
    clock.advance(42.7)
    again = answer_of(cache, query, proceed)
    assert (again.source, again.age_s) == (Source.CACHED, 42)


def test_it_holds_until_its_end(
    index: Index, cache: Cache, clock: FakeClock, background: Background[Answer]
) -> None:
    query = a_chain_query(a_site(index))
    answer_of(cache, query, forward)
    clock.advance(299)
    assert answer_of(cache, query, proceed).source == Source.CACHED
    clock.advance(1)

    async def test() -> None:
        assert (await cache(query, forward)).source == Source.FORWARDED

    run(background, test)


def test_what_upstreams_have_said_already_is_not_looked_up(
    index: Index, cache: Cache, store: ResolutionStore
) -> None:
    """The question that was sent has looked; since then another may have put it there."""
    query = a_chain_query(a_site(index))
    answer_of(cache, query, forward)
    answered_query = already_answered(query, a_resolution())
    assert answer_of(cache, answered_query, forward).source == Source.FORWARDED
    assert (store.hits, store.misses) == (0, 1)


def test_a_failure_of_upstreams_is_not_one_that_was_remembered(
    index: Index, cache: Cache, store: ResolutionStore, clock: FakeClock
) -> None:
    query = a_chain_query(a_site(index))
    for began_at in (clock.monotonic(), clock.monotonic() - 1):
        answered_query = already_answered(query, UpstreamTimeoutError(), began_at=began_at)
        assert codes(answer_of(cache, answered_query, fail)) == [EdeCode.DNSSEC_BOGUS]
        clock.advance(0.5)
    failure = store.failures.holding(query.upstream_question, clock.monotonic())
    assert failure is not None
    assert failure.failed_at == clock.monotonic() - 1  # both waited for one exchange


def test_what_upstreams_have_said_to_another_question_is_no_answer(
    index: Index, cache: Cache
) -> None:
    site = a_site(index)
    query, other = a_chain_query(site), a_chain_query(site, "other.example.com")
    answer_of(cache, query, forward)
    answered_query = already_answered(query, a_resolution(), key=other.upstream_question)
    assert answer_of(cache, answered_query, proceed).source == Source.CACHED


@pytest.mark.parametrize("address", [GRADE_11, STAFF])
def test_other_clients_share_it(index: Index, cache: Cache, address: str) -> None:
    site = a_site(index)
    answer_of(cache, a_chain_query(site), forward)
    other = a_chain_query(site, address=address, edns=False, ad=True)
    assert answer_of(cache, other, proceed).source == Source.CACHED


@pytest.mark.parametrize("flags", [{"do": True}, {"cd": True}, {"qtype": "AAAA"}])
def test_what_an_upstream_sees_otherwise_is_kept_apart(
    index: Index, cache: Cache, flags: dict[str, bool]
) -> None:
    site = a_site(index)
    answer_of(cache, a_chain_query(site), forward)
    other = a_chain_query(site, **flags)  # type: ignore[arg-type]  # one of them is a text
    assert answer_of(cache, other, forward).source == Source.FORWARDED


def test_what_other_upstreams_said_is_kept_apart(index: Index, cache: Cache) -> None:
    answer_of(cache, a_chain_query(a_site(index)), forward)
    elsewhere = a_site(index, [UpstreamServer("192.0.2.9")])
    assert answer_of(cache, a_chain_query(elsewhere), forward).source == Source.FORWARDED


def test_a_failure_is_given_again_for_a_while(
    index: Index, cache: Cache, clock: FakeClock, store: ResolutionStore
) -> None:
    query = a_chain_query(a_site(index))
    assert codes(answer_of(cache, query, fail)) == [EdeCode.DNSSEC_BOGUS]
    clock.advance(4)
    again = answer_of(cache, query, forward)
    assert again.source == Source.FAILED
    assert codes(again) == [EdeCode.DNSSEC_BOGUS, EdeCode.CACHED_ERROR]
    assert store.cached_failures == 1
    clock.advance(1)
    assert answer_of(cache, query, forward).source == Source.FORWARDED


def test_an_overload_is_not_remembered_of_the_name(index: Index, cache: Cache) -> None:
    async def overload(_: Query) -> Answer:
        return Answer(Source.FAILED, overloaded=True)

    query = a_chain_query(a_site(index))
    assert answer_of(cache, query, overload).source == Source.FAILED
    assert answer_of(cache, query, forward).source == Source.FORWARDED


@pytest.mark.parametrize("remembered", [True, False])
def test_a_dead_name_is_asked_for_a_few_times_a_minute(
    index: Index,
    cache: Cache,
    clock: FakeClock,
    upstreams: Upstreams,
    monkeypatch: pytest.MonkeyPatch,
    remembered: bool,
) -> None:
    if not remembered:  # the control: every query would become an exchange
        monkeypatch.setattr("filterd.resolve.cache_entry.FIRST_HOLD_S", 0.0)
    query = a_chain_query(a_site(index))
    upstreams.then = fail
    for _ in range(1_000):
        assert answer_of(cache, query, upstreams).source == Source.FAILED
        clock.advance(0.06)
    assert upstreams.asked == (4 if remembered else 1_000)


@pytest.mark.parametrize("name", ["dc.school.example", NAME])
def test_a_failure_is_remembered_in_delegated_zones_too(
    index: Index, cache: Cache, upstreams: Upstreams, name: str
) -> None:
    zone = DelegatedZone(wire("school.example"), (UpstreamServer("192.0.2.8"),))
    query = a_chain_query(a_site(index, delegated_zones=[zone]), name)
    upstreams.then = fail
    for _ in range(10):
        answer_of(cache, query, upstreams)
    assert upstreams.asked == 1


def test_what_has_expired_is_given_when_asking_takes_too_long_and_asking_goes_on(
    expired: Query,
    cache: Cache,
    background: Background[Answer],
    upstreams: Upstreams,
) -> None:
    async def test() -> None:
        thinking = asyncio.get_running_loop().create_future()

        async def at_last(query: Query) -> Answer:
            await thinking
            return await forward(query)

        upstreams.then = at_last
        for _ in range(3):
            stale = await cache(expired, upstreams)
            assert (stale.source, codes(stale)) == (Source.STALE, [EdeCode.STALE_ANSWER])
        assert (upstreams.asked, len(background)) == (1, 1)
        thinking.set_result(None)
        while len(background):
            await asyncio.sleep(0)
        assert (await cache(expired, upstreams)).source == Source.CACHED

    run(background, test)


def test_an_answer_in_time_is_better_than_a_stale_one(
    expired: Query,
    cache: Cache,
    background: Background[Answer],
    upstreams: Upstreams,
) -> None:
    async def test() -> None:
        assert (await cache(expired, upstreams)).source == Source.FORWARDED

    run(background, test)


def test_after_a_failure_a_stale_answer_is_given_at_once_without_an_exchange(
    expired: Query,
    cache: Cache,
    clock: FakeClock,
    background: Background[Answer],
    upstreams: Upstreams,
) -> None:
    upstreams.then = fail

    async def test() -> None:
        for _ in range(89):
            assert (await cache(expired, upstreams)).source == Source.STALE
            clock.advance(1)

    run(background, test)
    assert upstreams.asked == 3
    assert answer_of(cache, expired, proceed).source == Source.STALE, "it waits for nothing"


@pytest.mark.parametrize("silent", [True, False])
def test_no_query_waits_for_a_route_that_is_silent(
    index: Index,
    cache: Cache,
    clock: FakeClock,
    background: Background[Answer],
    monkeypatch: pytest.MonkeyPatch,
    silent: bool,
) -> None:
    monkeypatch.setattr(module, "STALE_AFTER_S", 3_600)
    site = a_site(index)
    query = a_chain_query(site)
    answer_of(cache, query, forward)
    clock.advance(301)
    for number in range(3):
        answer_of(cache, a_chain_query(site, f"dead{number}.example.com"), reach_no_server)
    if not silent:
        answer_of(cache, a_chain_query(site, "other.example.com"), forward)

    async def test() -> None:
        asking = asyncio.ensure_future(cache(query, wait))
        await asyncio.wait((asking,), timeout=0.05)
        assert asking.done() is silent
        assert len(background) == 1, "it is asked for all the same"
        asking.cancel()

    run(background, test)


def test_an_overload_gives_what_is_stale_at_once_and_is_not_remembered(
    expired: Query,
    cache: Cache,
    background: Background[Answer],
    upstreams: Upstreams,
) -> None:
    async def overload(_: Query) -> Answer:
        return Answer(Source.FAILED, overloaded=True)

    upstreams.then = overload

    async def test() -> None:
        assert (await cache(expired, upstreams)).source == Source.STALE
        await asyncio.sleep(0)
        upstreams.then = forward
        assert (await cache(expired, upstreams)).source == Source.FORWARDED

    run(background, test)


@pytest.mark.parametrize(("age_s", "source"), [(DAY_S, Source.STALE), (DAY_S + 1, Source.FAILED)])
def test_an_answer_is_stale_for_a_day_at_most(
    index: Index,
    cache: Cache,
    clock: FakeClock,
    background: Background[Answer],
    age_s: int,
    source: Source,
) -> None:
    query = a_chain_query(a_site(index))
    answer_of(cache, query, forward)
    clock.advance(299 + age_s)

    async def test() -> None:
        assert (await cache(query, fail)).source == source

    run(background, test)


def test_a_delegated_zone_is_never_answered_stale(
    index: Index, cache: Cache, clock: FakeClock
) -> None:
    zone = DelegatedZone(wire("example.com"), (UpstreamServer("192.0.2.8"),))
    query = a_chain_query(a_site(index, delegated_zones=[zone]))
    answer_of(cache, query, forward)
    clock.advance(300)  # from the moment on in which it has expired
    assert answer_of(cache, query, fail).source == Source.FAILED


def test_an_exception_of_what_is_below_gives_what_is_stale_and_is_logged(
    expired: Query,
    cache: Cache,
    background: Background[Answer],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(_: Query) -> Answer:
        raise RuntimeError("a bug")

    async def test() -> None:
        assert (await cache(expired, broken)).source == Source.STALE

    run(background, test)
    assert "RuntimeError: a bug" in caplog.text


@pytest.mark.parametrize(
    ("rcode", "code"),
    [
        (Rcode.NOERROR, EdeCode.STALE_ANSWER),
        (Rcode.NXDOMAIN, EdeCode.STALE_NXDOMAIN_ANSWER),
    ],
)
def test_a_stale_answer_is_what_was_kept_with_its_reason_and_is_counted(
    index: Index,
    cache: Cache,
    clock: FakeClock,
    background: Background[Answer],
    store: ResolutionStore,
    rcode: Rcode,
    code: EdeCode,
) -> None:
    kept = a_resolution()._replace(rcode=rcode)
    query = a_chain_query(a_site(index))

    async def once(_: Query) -> Answer:
        return Answer(Source.FORWARDED, resolution=kept)

    answer_of(cache, query, once)
    clock.advance(301)

    async def test() -> None:
        for count in (1, 2):
            stale = await cache(query, fail)
            assert (stale.source, codes(stale), store.stale) == (Source.STALE, [code], count)
            assert stale.resolution is not None
            assert (stale.resolution.rcode, stale.resolution.sections) == (rcode, kept.sections)

    run(background, test)


def test_the_question_that_makes_a_name_popular_begins_the_refresh(
    index: Index,
    cache: Cache,
    clock: FakeClock,
    background: Background[Answer],
    store: ResolutionStore,
) -> None:
    query = a_chain_query(a_site(index))
    answer_of(cache, query, forward)
    clock.advance(280)

    async def test() -> None:
        for refreshed in (0, 0, 1, 1):
            await cache(query, wait)
            assert store.refreshed == refreshed

    run(background, test)


def test_who_waits_when_the_asking_is_ended_gets_what_is_stale(
    expired: Query, cache: Cache, background: Background[Answer]
) -> None:
    async def test() -> None:
        client = asyncio.ensure_future(cache(expired, wait))
        await asyncio.sleep(0)
        await background.close()
        assert (await client).source == Source.STALE

    run(background, test)


def test_work_that_ends_after_the_patience_raises_nothing() -> None:
    problems = list[object]()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: problems.append(context))
        patience, work = Patience(), loop.create_future()
        await patience.wait_for(work, 0.0)
        work.set_result(1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert problems == []


def test_a_client_that_goes_away_does_not_end_the_asking(
    expired: Query, cache: Cache, background: Background[Answer]
) -> None:
    async def test() -> None:
        client = asyncio.ensure_future(cache(expired, wait))
        await asyncio.sleep(0)
        client.cancel()
        await asyncio.gather(client, return_exceptions=True)
        assert len(background) == 1

    run(background, test)


@pytest.mark.parametrize(
    ("hits", "age_s", "asked"), [(3, 270, 1), (2, 270, 0), (3, 269, 0), (300, 299, 1)]
)
def test_what_is_popular_is_asked_for_again_in_its_last_tenth_and_once(
    index: Index,
    cache: Cache,
    clock: FakeClock,
    background: Background[Answer],
    upstreams: Upstreams,
    hits: int,
    age_s: int,
    asked: int,
) -> None:
    query = a_chain_query(a_site(index))
    answer_of(cache, query, forward)

    async def test() -> None:
        for _ in range(hits - 1):
            assert (await cache(query, wait)).source == Source.CACHED
        clock.advance(age_s)
        for _ in range(2 if asked else 1):
            assert (await cache(query, upstreams)).age_s == age_s
        while len(background):
            await asyncio.sleep(0)
        if asked:
            assert (await cache(query, wait)).age_s == 0

    run(background, test)
    assert upstreams.asked == asked


def test_a_refresh_that_fails_takes_nothing_away(
    index: Index,
    cache: Cache,
    clock: FakeClock,
    background: Background[Answer],
    upstreams: Upstreams,
    store: ResolutionStore,
) -> None:
    query = a_chain_query(a_site(index))
    answer_of(cache, query, forward)
    upstreams.then = fail

    async def test() -> None:
        clock.advance(280)
        for _ in range(9):
            assert (await cache(query, upstreams)).source == Source.CACHED
            await asyncio.sleep(0)
        clock.advance(20)
        assert (await cache(query, upstreams)).source == Source.STALE

    run(background, test)
    assert (upstreams.asked, store.refreshed) == (1, 1)


def test_refreshes_are_bounded(
    index: Index,
    cache: Cache,
    clock: FakeClock,
    background: Background[Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_REFRESHES", 1)
    site = a_site(index)
    queries = [a_chain_query(site, NAME, qtype) for qtype in ("A", "AAAA")]
    for query in queries:
        answer_of(cache, query, forward)

    async def test() -> None:
        clock.advance(280)
        for _ in range(5):
            for query in queries:
                await cache(query, wait)
        assert len(background) == 1

    run(background, test)


def test_a_clock_of_day_that_jumps_changes_nothing(
    index: Index, cache: Cache, clock: FakeClock
) -> None:
    query = a_chain_query(a_site(index))
    answer_of(cache, query, forward)
    clock._wall -= 86_400 * 365
    assert answer_of(cache, query, proceed).age_s == 0


def run_waiting(test: Test) -> None:
    async def main() -> None:
        work: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        patience = Patience()
        await asyncio.wait_for(test(patience, work), WITHIN_S)
        work.cancel()
        await asyncio.sleep(0)
        assert not patience._waiters, "it keeps what is over"

    asyncio.run(main())


def test_a_waiting_query_goes_on_when_the_work_is_done() -> None:
    async def test(patience: Patience, work: asyncio.Future[int]) -> None:
        waiting = [asyncio.ensure_future(patience.wait_for(work, WITHIN_S)) for _ in range(3)]
        await asyncio.sleep(0)
        work.set_result(1)
        await asyncio.gather(*waiting)

    run_waiting(test)


def test_work_that_is_done_is_not_waited_for() -> None:
    async def test(patience: Patience, work: asyncio.Future[int]) -> None:
        work.set_result(1)
        await patience.wait_for(work, WITHIN_S)

    run_waiting(test)


def test_patience_ends_for_all_at_once_and_for_later_queries() -> None:
    async def test(patience: Patience, work: asyncio.Future[int]) -> None:
        await asyncio.gather(*(patience.wait_for(work, 0.001) for _ in range(3)))
        await patience.wait_for(work, WITHIN_S)
        assert not work.done()

    run_waiting(test)


def test_a_query_that_goes_away_ends_neither_the_work_nor_the_waiting_of_others() -> None:
    async def test(patience: Patience, work: asyncio.Future[int]) -> None:
        waiting = [asyncio.ensure_future(patience.wait_for(work, WITHIN_S)) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        assert (waiting[0].cancelled(), waiting[1].done(), work.done()) == (True, False, False)
        work.set_result(1)
        await waiting[1]

    run_waiting(test)


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

    run_waiting(test)


async def wait_for_ever() -> int:
    await asyncio.get_running_loop().create_future()
    return 1


async def raise_error() -> int:
    raise RuntimeError("a bug")


async def give() -> int:
    return 1


def test_what_goes_on_under_a_key_is_not_begun_again() -> None:
    async def main() -> None:
        background = Background[int]()
        first = background.once("key", wait_for_ever)
        assert background.once("key", raise_error) is first
        assert background.once("other", wait_for_ever) is not first
        assert len(background) == 2
        await background.close()

    asyncio.run(main())


def test_what_has_ended_is_forgotten_and_may_begin_again() -> None:
    async def main() -> None:
        background = Background[int]()
        first = background.once("key", give)
        assert await first == 1
        await asyncio.sleep(0)
        assert len(background) == 0
        assert background.once("key", give) is not first
        await background.close()

    asyncio.run(main())


def test_an_exception_is_logged_and_gives_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        background = Background[int]()
        assert await background.once("key", raise_error) is None
        await background.close()

    asyncio.run(main())
    assert "RuntimeError: a bug" in caplog.text


def test_closing_ends_what_goes_on() -> None:
    async def main() -> None:
        background = Background[int]()
        task = background.once("key", wait_for_ever)
        await background.close()
        assert task.cancelled()
        assert len(background) == 0

    asyncio.run(main())


def test_control_without_closing_it_would_go_on() -> None:
    async def main() -> None:
        background = Background[int]()
        task = background.once("key", wait_for_ever)
        await asyncio.sleep(0)
        assert not task.done()
        await background.close()

    asyncio.run(main())


NOTHING = RebuiltSections(b"", 0, 0, 0, (), (), 21)
UPSTREAM, DOMAIN_CONTROLLER = UpstreamServer("192.0.2.53"), UpstreamServer("192.0.2.8")


class Scripted(Forwarder):
    """Gives one outcome and notes the route it would have asked."""

    def __init__(self, outcome: Resolution | UpstreamError) -> None:
        super().__init__(FakeClock())
        self.outcome = outcome
        self.servers: tuple[UpstreamServer, ...] = ()
        self.asker: Hashable = None
        self.deadline = 0.0

    async def resolve(
        self,
        question: UpstreamQuestion,
        asker: Hashable = None,
        deadline: float = inf,
    ) -> Resolution:
        self.servers, self.asker, self.deadline = question.route.servers, asker, deadline
        if isinstance(self.outcome, UpstreamError):
            raise self.outcome
        return self.outcome


FAILURES = [
    (UpstreamTimeoutError(), EdeCode.NO_REACHABLE_AUTHORITY),
    (UpstreamUnreachableError(), EdeCode.NETWORK_ERROR),
    (UpstreamMalformedError(), EdeCode.NETWORK_ERROR),
    (UpstreamOverloadError(), EdeCode.NETWORK_ERROR),
    (Resolution(Rcode.SERVFAIL, NOTHING), EdeCode.NO_REACHABLE_AUTHORITY),
    (Resolution(Rcode.REFUSED, NOTHING), EdeCode.NO_REACHABLE_AUTHORITY),
    (Resolution(Rcode.FORMERR, NOTHING), EdeCode.NO_REACHABLE_AUTHORITY),
    (Resolution(Rcode.SERVFAIL, NOTHING, edes=(Ede(6),)), EdeCode.DNSSEC_BOGUS),
]


@pytest.mark.parametrize(("outcome", "code"), FAILURES)
def test_a_failure_states_its_reason(
    index: Index, outcome: Resolution | UpstreamError, code: EdeCode
) -> None:
    answer = answer_of(Forward(Scripted(outcome)), a_chain_query(a_site(index)))
    assert (answer.source, [ede.code for ede in answer.edes]) == (Source.FAILED, [code])


def test_each_question_for_which_an_upstream_is_asked_is_noted(index: Index) -> None:
    noted = list[Query]()
    query = a_chain_query(a_site(index))
    answer_of(Forward(Scripted(Resolution(Rcode.SERVFAIL, NOTHING)), noted.append), query)
    assert noted == [query]


@pytest.mark.parametrize(
    ("outcome", "overloaded"), [(UpstreamOverloadError(), True), (UpstreamTimeoutError(), False)]
)
def test_an_overload_is_distinguished_from_a_timeout(
    index: Index, outcome: UpstreamError, overloaded: bool
) -> None:
    answer = answer_of(Forward(Scripted(outcome)), a_chain_query(a_site(index)))
    assert answer.overloaded is overloaded


def test_after_other_servers_were_asked_a_timeout_counts_as_an_overload(
    index: Index,
) -> None:
    site, forwarder = a_site(index, [UPSTREAM]), Scripted(UpstreamTimeoutError())
    first = a_chain_query(site)
    assert not answer_of(Forward(forwarder), first).overloaded
    assert forwarder.deadline == inf
    again = first.since(1_000.0)
    assert answer_of(Forward(forwarder), again).overloaded
    assert forwarder.deadline == 1_000.0 + DEADLINE_S
    others = first.about(Question.of(wire("other.example"), 1)).upstream_question
    fetched = Fetched(others, UpstreamTimeoutError(), 1_000.0)
    relayed = Query(first.message, first.peer, first.client, site, fetched=fetched)
    assert answer_of(Forward(forwarder), relayed).overloaded
    assert forwarder.deadline == 1_000.0 + DEADLINE_S


@pytest.mark.parametrize("rcode", [Rcode.NOERROR, Rcode.NXDOMAIN, Rcode.YXDOMAIN])
def test_what_is_said_of_the_name_is_passed_on(index: Index, rcode: Rcode) -> None:
    resolution = Resolution(rcode, NOTHING)
    answer = answer_of(Forward(Scripted(resolution)), a_chain_query(a_site(index)))
    assert (answer.source, answer.resolution) == (Source.FORWARDED, resolution)


@pytest.mark.parametrize(
    ("name", "server"),
    [("www.example.com", UPSTREAM), ("dc.school.example", DOMAIN_CONTROLLER)],
)
def test_a_delegated_zone_is_asked_of_its_own_servers(
    index: Index, name: str, server: UpstreamServer
) -> None:
    zone = DelegatedZone(wire("school.example"), (DOMAIN_CONTROLLER,))
    site = a_site(index, [UPSTREAM], delegated_zones=[zone])
    scripted = Scripted(Resolution(Rcode.NOERROR, NOTHING))
    answer_of(Forward(scripted), a_chain_query(site, name))
    assert scripted.servers == (server,)


def test_each_caller_is_counted_so_that_none_takes_all_places(index: Index) -> None:
    scripted = Scripted(Resolution(Rcode.NOERROR, NOTHING))
    query = a_chain_query(a_site(index))
    answer_of(Forward(scripted), query)
    assert scripted.asker == query.peer.address


def test_an_answer_at_hand_needs_no_exchange(index: Index) -> None:
    resolution = Resolution(Rcode.NOERROR, NOTHING)
    scripted = Scripted(UpstreamUnreachableError())
    answered_query = already_answered(a_chain_query(a_site(index)), resolution)
    answer = answer_of(Forward(scripted), answered_query)
    assert (answer.source, answer.resolution) == (Source.FORWARDED, resolution)
    assert scripted.asker is None


@pytest.mark.parametrize(("outcome", "code"), FAILURES)
def test_a_cached_failure_states_its_reason(
    index: Index, outcome: Resolution | UpstreamError, code: EdeCode
) -> None:
    scripted = Scripted(Resolution(Rcode.NOERROR, NOTHING))
    answered_query = already_answered(a_chain_query(a_site(index)), outcome)
    answer = answer_of(Forward(scripted), answered_query)
    assert (answer.source, [ede.code for ede in answer.edes]) == (Source.FAILED, [code])


def test_a_failure_that_others_hear_of_too_is_not_raised_itself(index: Index) -> None:
    """It would grow a traceback of them all."""
    failure = UpstreamTimeoutError()
    answer_of(Forward(Scripted(failure)), already_answered(a_chain_query(a_site(index)), failure))
    assert failure.__traceback__ is None


def test_what_upstreams_have_said_to_another_question_is_asked_anew(index: Index) -> None:
    site = a_site(index)
    other = a_chain_query(site, "other.example.com").upstream_question
    scripted = Scripted(Resolution(Rcode.NOERROR, NOTHING))
    answered_query = already_answered(
        a_chain_query(site), Resolution(Rcode.NXDOMAIN, NOTHING), key=other
    )
    answer = answer_of(Forward(scripted), answered_query)
    assert answer.resolution == scripted.outcome
    assert scripted.asker is not None


@pytest.mark.parametrize(
    ("rcode", "edes", "is_left_alone"),
    [
        (Rcode.NOERROR, (), True),
        (Rcode.NXDOMAIN, (), True),
        (Rcode.NOERROR, (Ede(EdeCode.STALE_ANSWER),), False),
        (Rcode.SERVFAIL, (), False),
        (Rcode.SERVFAIL, (Ede(EdeCode.STALE_ANSWER),), False),
    ],
)
def test_an_answer_without_errors_is_left_alone(
    rcode: Rcode, edes: tuple[Ede, ...], is_left_alone: bool
) -> None:
    resolution = a_resolution()._replace(rcode=rcode, edes=edes)
    question = UpstreamQuestion(wire(NAME), dns.rdatatype.A, do=False, cd=False)
    forward_link = Forward(Forwarder(FakeClock()))
    assert forward_link.leaves_alone(question, resolution) is is_left_alone


def test_a_timeout_of_what_was_fetched_for_this_very_question_is_no_overload(index: Index) -> None:
    query = a_chain_query(a_site(index))
    error = UpstreamTimeoutError("late")
    fetched = already_answered(query, error)
    assert answer_of(Forward(Forwarder(FakeClock())), fetched).overloaded is False
    elsewhere = query.upstream_question._replace(qname=wire("b.example"))
    late = already_answered(query, error, key=elsewhere, began_at=1)
    assert module._had_less_time(late)
