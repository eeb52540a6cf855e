# SPDX-License-Identifier: Apache-2.0
"""The cache as clients see it: failures, stale answers, refreshing ahead.

Real sockets, and hours on the injected clock. Real waits are made short where an upstream is
silent: how long it may take, and how long a client waits when there is a stale answer. One that
answers has the usual time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, NoReturn

import dns.edns
import dns.message
import dns.rcode
import pytest

from filterd.base.errors import UpstreamOverloadError
from filterd.policy.model import DelegatedZone, UpstreamServer
from filterd.resolve import cache_entry
from filterd.resolve.links import cache
from filterd.resolve.links.filter import Filter
from filterd.upstream import Forwarder, exchange
from filterd.wire import EdeCode
from tests.support.answers import addresses, an_answer, edes, ttls
from tests.support.policies import block, wire
from tests.support.serving import GRADE_1, GRADE_11, Serving, a_site
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from filterd.lists.index import Index

DEAD_QUERIES = int(os.environ.get("FILTERD_CACHE_QUERIES", "3000"))
"""What clients ask for a dead name within a minute."""
WARM = int(os.environ.get("FILTERD_CACHE_NAMES", "40"))
"""Names in use when the Internet goes away."""

NAME = "www.example.com"
DAY_S = 86_400
SOON_STALE_S = 0.09


Impatience = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> Impatience:
    """A context in which an upstream that is silent is not waited for as long as usual."""
    monkeypatch.setattr(exchange, "SECOND_TRY_S", 0.2)  # read at the first question only

    @contextmanager
    def impatient() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(exchange, "DEADLINE_S", 0.2)
            patch.setattr(cache, "STALE_AFTER_S", SOON_STALE_S)
            yield

    return impatient


def ask_all(
    serving: Serving, names: Sequence[str], source: str = GRADE_1
) -> list[dns.message.Message]:
    """Ask all names at once and return the answers in their order."""
    answers = {}
    with serving.stub(source) as stub:
        for number, name in enumerate(names):
            stub.send(a_query(name, message_id=number))
        for _ in names:
            response = dns.message.from_wire(stub.receive())
            answers[response.id] = response
    return [answers[number] for number in range(len(names))]


def servfail(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.SERVFAIL)
    return response


# Failures (RFC 9520).


def _ask_for_a_minute(serving: Serving, name: str, queries: int) -> None:
    query = a_query(name)
    with serving.stub() as stub:
        for _ in range(queries):
            answer = stub.ask(query)
            assert answer[3] & 0x0F == dns.rcode.SERVFAIL
            serving.clock.advance(60 / queries)


@pytest.mark.parametrize("dead", [None, servfail], ids=["silent", "SERVFAIL"])
@pytest.mark.parametrize("name", [NAME, "dc.school.test"], ids=["Internet", "delegated"])
def test_a_dead_name_costs_its_upstream_a_few_packets_a_minute(
    index: Index,
    upstream: FakeUpstream,
    impatience: Impatience,
    dead: Callable[[dns.message.Message], dns.message.Message] | None,
    name: str,
) -> None:
    upstream.respond = dead or (lambda _: None)
    servers = (UpstreamServer(upstream.address, upstream.port),)
    zones = (DelegatedZone(wire("school.test"), servers),)
    waiting = nullcontext() if dead else impatience()
    with Serving(a_site(index, [upstream], delegated_zones=zones)) as serving, waiting:
        _ask_for_a_minute(serving, name, DEAD_QUERIES)
        assert serving.store.cached_failures == DEAD_QUERIES - 4
    assert 4 <= len(upstream.asked) <= 20


def test_control_without_a_memory_of_failures_every_query_would_cost_some(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_entry, "FIRST_HOLD_S", 0.0)
    upstream.respond = servfail
    _ask_for_a_minute(serving, NAME, 200)
    assert len(upstream.asked) >= 200


def test_a_repeated_failure_carries_its_reason_and_that_it_is_cached(
    serving: Serving, upstream: FakeUpstream
) -> None:
    def bogus(query: dns.message.Message) -> dns.message.Message:
        response = servfail(query)
        response.use_edns(0, 0, 1232, options=[dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS)])
        return response

    upstream.respond = bogus
    first, again = serving.ask(NAME), serving.ask(NAME)
    assert edes(first) == [EdeCode.DNSSEC_BOGUS]
    assert edes(again) == [EdeCode.DNSSEC_BOGUS, EdeCode.CACHED_ERROR]
    assert len(upstream.asked) == 1


def test_do_and_cd_fail_apart(serving: Serving, upstream: FakeUpstream) -> None:
    """CD=1 is how a validating client asks for what its upstream finds bogus."""
    upstream.respond = servfail
    for _ in range(2):
        for do in (False, True):
            for cd in (False, True):
                serving.ask(NAME, do=do, cd=cd)
    assert len(upstream.asked) == 4


@pytest.mark.parametrize("excused", [True, False])
def test_what_failed_while_all_upstreams_were_silent_works_as_soon_as_one_answers(
    serving: Serving,
    upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
    impatience: Impatience,
    excused: bool,
) -> None:
    if not excused:  # the control: the name would stay dead for the rest of its time
        monkeypatch.setattr(cache_entry.Failures, "forget", lambda *_: None)
    upstream.silent.set()
    with impatience():
        assert serving.ask(NAME).rcode() == dns.rcode.SERVFAIL
    upstream.silent.clear()
    assert serving.ask(NAME).rcode() == dns.rcode.SERVFAIL, "nobody knows yet"
    serving.clock.advance(1)
    serving.ask("other.example.com")
    assert bool(addresses(serving.ask(NAME))) is excused


def test_an_overload_of_ours_is_not_held_against_the_name(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Forwarder, "resolve", overloaded)
        assert serving.ask(NAME).rcode() == dns.rcode.SERVFAIL
    assert addresses(serving.ask(NAME)) == ["198.18.0.1"]


async def overloaded(*_: object) -> NoReturn:
    raise UpstreamOverloadError("too many questions are waiting for upstreams")


# Stale answers (RFC 8767).


@pytest.mark.parametrize("stale", [True, False])
def test_ten_minutes_without_internet_leave_what_was_known_and_what_is_blocked(
    index: Index, monkeypatch: pytest.MonkeyPatch, impatience: Impatience, stale: bool
) -> None:
    if not stale:  # the control: what has expired would be gone
        monkeypatch.setattr(cache, "STALE_FOR_S", 0)
    names = [f"host{number}.example.com" for number in range(WARM)]
    with FakeUpstream() as upstream:
        upstream.add(*(f"{name}. 60 IN A 198.18.0.7" for name in names))
        serving = Serving(a_site(index, [upstream]))
        serving.__enter__()
        assert all(addresses(one) == ["198.18.0.7"] for one in ask_all(serving, names))
    with ExitStack() as stack:
        stack.push(serving.__exit__)
        stack.enter_context(impatience())
        answered = 0
        for _ in range(20):
            serving.clock.advance(30)
            answers = ask_all(serving, names)
            answered += sum(addresses(answer) == ["198.18.0.7"] for answer in answers)
            assert all(max(ttls(answer), default=0) <= 30 for answer in answers)
        assert edes(answers[0])[:1] == [EdeCode.STALE_ANSWER if stale else 22]
        assert (answered >= 0.95 * 20 * WARM) is stale
        serving.sites.current = a_site(index, [upstream], rules=[block(names[0])])
        blocked, other = ask_all(serving, names[:2])
        assert (blocked.rcode(), addresses(blocked)) == (dns.rcode.NXDOMAIN, [])
        assert bool(addresses(other)) is stale


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_many_queries_for_a_stale_name_cause_one_exchange(
    index: Index, upstream: FakeUpstream, impatience: Impatience, loop: str
) -> None:
    with Serving(a_site(index, [upstream]), loop=loop) as serving:
        serving.ask(NAME)
        serving.clock.advance(301)
        upstream.silent.set()
        with impatience():
            answers = ask_all(serving, [NAME] * 200)
    assert {tuple(addresses(answer)) for answer in answers} == {("198.18.0.1",)}
    assert 1 < len(upstream.asked) <= 3


def test_what_comes_after_the_stale_answer_is_for_the_next(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "STALE_AFTER_S", SOON_STALE_S)
    serving.ask(NAME)
    serving.clock.advance(301)
    upstream.records.clear()
    upstream.add(f"{NAME}. 300 IN A 198.18.0.99")
    upstream.released.clear()
    late = serving.ask(NAME)
    assert (addresses(late), edes(late), ttls(late)) == (
        ["198.18.0.1"],
        [EdeCode.STALE_ANSWER],
        [30],
    )
    upstream.released.set()
    serving.eventually(lambda: len(serving.background) == 0)
    fresh = serving.ask(NAME)
    assert (addresses(fresh), edes(fresh)) == (["198.18.0.99"], [])
    assert serving.store.stale == 1


def test_after_a_failure_no_query_waits_or_goes_upstream_for_half_a_minute(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving.ask(NAME)
    serving.clock.advance(301)
    upstream.respond = servfail
    assert addresses(serving.ask(NAME)) == ["198.18.0.1"]
    monkeypatch.setattr(
        cache, "STALE_AFTER_S", 3_600
    )  # a client that waited now would wait too long
    for _ in range(29):
        serving.clock.advance(1)
        assert edes(serving.ask(NAME)) == [EdeCode.STALE_ANSWER]
    assert len(upstream.asked) == 2
    serving.clock.advance(1)
    assert edes(serving.ask(NAME)) == [EdeCode.STALE_ANSWER]
    assert len(upstream.asked) == 3


def test_an_overload_gives_what_is_stale(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    serving.ask(NAME)
    serving.clock.advance(301)
    with monkeypatch.context() as patch:
        patch.setattr(Forwarder, "resolve", overloaded)
        assert edes(serving.ask(NAME)) == [EdeCode.STALE_ANSWER]
    assert edes(serving.ask(NAME)) == []


def test_a_denial_may_be_stale_too(
    serving: Serving, upstream: FakeUpstream, impatience: Impatience
) -> None:
    assert serving.ask("nowhere.example.com").rcode() == dns.rcode.NXDOMAIN
    serving.clock.advance(61)
    upstream.silent.set()
    with impatience():
        stale = serving.ask("nowhere.example.com")
    assert (stale.rcode(), edes(stale)) == (dns.rcode.NXDOMAIN, [EdeCode.STALE_NXDOMAIN_ANSWER])
    assert ttls(stale) == [30]


@pytest.mark.parametrize(("age_s", "stale"), [(DAY_S, True), (DAY_S + 1, False)])
def test_an_answer_is_stale_for_a_day_at_most_however_often_it_is_given(
    serving: Serving, upstream: FakeUpstream, age_s: int, stale: bool
) -> None:
    serving.ask(NAME)
    upstream.respond = servfail
    for _ in range(10):
        serving.clock.advance((299 + age_s) / 10)
        last = serving.ask(NAME)
    assert bool(addresses(last)) is stale


def test_a_delegated_zone_is_never_answered_stale(
    index: Index, upstream: FakeUpstream, impatience: Impatience
) -> None:
    servers = (UpstreamServer(upstream.address, upstream.port),)
    zones = (DelegatedZone(wire("example.com"), servers),)
    with Serving(a_site(index, delegated_zones=zones)) as serving:
        assert addresses(serving.ask(NAME)) == ["198.18.0.1"]
        serving.clock.advance(301)
        upstream.silent.set()
        with impatience():
            assert serving.ask(NAME).rcode() == dns.rcode.SERVFAIL


@pytest.mark.parametrize("judged", [True, False])
def test_the_aliases_of_a_stale_answer_are_judged_for_each_client(
    serving: Serving,
    upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
    impatience: Impatience,
    judged: bool,
) -> None:
    if not judged:  # the control: the young would be led where they may not go
        monkeypatch.setattr(Filter, "_judge_targets", lambda *said: said[-1])
    upstream.add("chat.example.com. 300 IN CNAME social.example.")
    serving.ask("chat.example.com", source=GRADE_11)
    serving.clock.advance(301)
    upstream.silent.set()
    with impatience():
        old = serving.ask("chat.example.com", source=GRADE_11)
        young = serving.ask("chat.example.com", source=GRADE_1)
    assert (addresses(old), edes(old)) == (["198.18.0.2"], [EdeCode.STALE_ANSWER])
    assert (addresses(young) == []) is judged


def test_a_block_holds_for_queries_that_wait_for_a_stale_answer(
    index: Index, serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "STALE_AFTER_S", 3_600)  # until the upstream has failed
    serving.ask(NAME)
    serving.clock.advance(301)
    upstream.respond = servfail
    upstream.released.clear()
    with serving.stub() as stub:
        stub.send(a_query(NAME))
        upstream.wait_until_asked(2)
        serving.sites.current = a_site(index, [upstream], rules=[block(NAME)])
        upstream.released.set()
        assert dns.message.from_wire(stub.receive()).rcode() == dns.rcode.NXDOMAIN


def _with_another_id(query: dns.message.Message) -> dns.message.Message:
    response = an_answer(query)
    response.id ^= 1
    return response


def _for_another_name(query: dns.message.Message) -> dns.message.Message:
    return an_answer(dns.message.make_query("bank.example.org", "A", id=query.id))


def _as_a_failure(query: dns.message.Message) -> dns.message.Message:
    response = an_answer(query)
    response.set_rcode(dns.rcode.SERVFAIL)
    return response


def _cut(query: dns.message.Message) -> bytes:
    return an_answer(query).to_wire()[:-2]


def _in_a_circle(query: dns.message.Message) -> dns.message.Message:
    return an_answer(query, f"{NAME}. 300 IN CNAME {NAME}.")


LIES = [_with_another_id, _for_another_name, _as_a_failure, _cut, _in_a_circle]


@pytest.mark.parametrize("lie", LIES)
def test_what_is_stale_cannot_be_poisoned(
    serving: Serving,
    upstream: FakeUpstream,
    impatience: Impatience,
    lie: Callable[[dns.message.Message], dns.message.Message | bytes],
) -> None:
    serving.ask(NAME)
    serving.clock.advance(301)
    upstream.respond = lie
    with impatience():
        for _ in range(3):
            assert addresses(serving.ask(NAME)) == ["198.18.0.1"]
            serving.eventually(lambda: len(serving.background) == 0)
            serving.clock.advance(60)
    assert len(upstream.asked) >= 4, "it was lied to each time"


def test_an_honest_answer_replaces_what_is_stale(serving: Serving, upstream: FakeUpstream) -> None:
    serving.ask(NAME)
    serving.clock.advance(301)
    upstream.respond = an_answer
    assert addresses(serving.ask(NAME)) == ["198.18.0.66"]


def test_what_is_still_asked_for_when_serving_ends_ends_with_it(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "STALE_AFTER_S", SOON_STALE_S)
    serving.ask(NAME)
    serving.clock.advance(301)
    upstream.silent.set()
    serving.ask(NAME)
    assert serving.run(lambda: len(serving.background)) == 1


# Refreshing ahead.


@pytest.mark.parametrize("refreshed", [True, False])
def test_a_popular_name_never_expires(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, refreshed: bool
) -> None:
    if not refreshed:  # the control: a client would wait for each of its lives
        monkeypatch.setattr(cache, "REFRESHED_FROM_HITS", 1_000)
    seen = []
    for _ in range(100):
        seen += ttls(serving.ask(NAME))
        serving.eventually(lambda: len(serving.background) == 0)
        serving.clock.advance(10)
    assert serving.store.misses == (1 if refreshed else 4)
    assert len(upstream.asked) == 4
    assert (min(seen) > 20) is refreshed


def test_a_name_that_is_no_longer_queried_is_not_refreshed(
    serving: Serving, upstream: FakeUpstream
) -> None:
    for _ in range(2):
        serving.ask(NAME)
    serving.clock.advance(280)
    serving.ask(NAME)
    assert len(upstream.asked) == 1


# How soon a change reaches a device.


def test_a_block_that_was_a_mistake_is_gone_with_the_reload(
    index: Index, serving: Serving, upstream: FakeUpstream
) -> None:
    serving.sites.current = a_site(index, [upstream], rules=[block(NAME)])
    blocked = serving.ask(NAME)
    assert blocked.rcode() == dns.rcode.NXDOMAIN
    assert max(ttls(blocked)) <= 10
    serving.sites.current = a_site(index, [upstream])
    assert addresses(serving.ask(NAME)) == ["198.18.0.1"]
