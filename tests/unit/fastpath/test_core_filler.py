# SPDX-License-Identifier: Apache-2.0
"""What the fast path learns, forgets and counts; tests/e2e compare its answers with the chain's."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import dns.rcode
import pytest

from filterd.clients import identifier
from filterd.clients.identifier import probe_address
from filterd.daemon.shared_page import PolicyClock, SharedPage
from filterd.fastpath.core_filler import (
    AGAIN_AFTER_S,
    NOT_KEPT,
    SETTLED_EVERY_S,
    Core,
    FastPath,
)
from filterd.policy.engine import Engine
from filterd.policy.model import Client
from filterd.policy.temporary_rules import Exam, Overrides
from filterd.querylog import CountingRules, CountRow
from filterd.querylog.counts import MOST_DEVICES
from tests.support import malformed
from tests.support.clock import FakeClock
from tests.support.policies import NOW, block, wire
from tests.support.serving import GRADE_1, GRADE_11, NETWORKS, STAFF, Serving, SiteHolder, a_site
from tests.support.wire import QUESTION, a_message, a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from filterd.policy.verdict import Verdict
    from tests.support.upstream import FakeUpstream


pytestmark = pytest.mark.usefixtures("needs_native")


@pytest.fixture
def fast(index: Index, upstream: FakeUpstream) -> Iterator[Serving]:
    with Serving(a_site(index, [upstream]), listen=["127.0.0.1"], fast=True) as running:
        yield running


def by_the_chain(serving: Serving) -> int:
    """Return how many answers the chain gave: before they are settled the others are not in.

    The first of a client's is, because the fast path does not know him before.
    """
    return serving.run(lambda: sum(serving.resolver.counters.values()))


def settled(serving: Serving) -> dict[str, int]:
    """Return all that was answered, by source."""
    assert serving.fast is not None
    serving.run(serving.fast.settle)
    return serving.run(lambda: dict(serving.resolver.counters))


def test_a_known_client_gets_blocks_without_the_chain(fast: Serving) -> None:
    for name in ("porn.example", "a.porn.example", "b.porn.example"):
        fast.ask(name)
    assert by_the_chain(fast) == 1
    assert settled(fast) == {"blocked": 3}


def _asked_by_a_probe(fast: Serving) -> None:
    """Ask for a block and an open name, each first of the chain and then of the core."""
    address = probe_address(fast.sites.current.policy, "1")
    for name in ("porn.example", "www.example.com") * 3:
        fast.ask(name, source=address)
    assert by_the_chain(fast) <= 2


def test_what_a_probe_asks_is_answered_by_the_core_and_counted_nowhere(fast: Serving) -> None:
    _asked_by_a_probe(fast)
    assert settled(fast) == {}
    assert fast.run(lambda: len(fast.log)) == 0
    fast.ask("porn.example")
    assert settled(fast) == {"blocked": 1}


def _counted(*of: Any, **more: Any) -> Client:
    return Client(*of, **more | {"is_probe": False})


def test_control_a_group_that_is_counted_shows_the_questions_of_a_probe(
    fast: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identifier, "Client", _counted)
    _asked_by_a_probe(fast)
    assert settled(fast) == {"blocked": 3, "forwarded": 1, "cached": 2}


def test_another_client_is_another_matter(fast: Serving) -> None:
    for source in (GRADE_1, GRADE_1, GRADE_11):
        answer = fast.ask("social.example", source=source)
        assert bool(answer.answer) is (source == GRADE_11)


def test_a_room_that_sits_an_exam_is_answered_by_the_chain_alone(
    index: Index, upstream: FakeUpstream
) -> None:
    upstream.add("new.example.com. 300 IN A 198.18.0.9")
    exam = Exam(1, "grade-1", ("www.example.com",), (), "", "", NOW, NOW + 3600)
    site = a_site(index, [upstream]).at(NOW, Overrides(exams=(exam,)))
    asked = ("www.example.com", "new.example.com", "tracker.example") * 2
    with Serving(site, listen=["127.0.0.1"], fast=True) as running:
        answers = [bool(running.ask(name).answer) for name in asked]
        assert answers == [True, False, False] * 2
        assert by_the_chain(running) == len(asked)
        assert running.ask("new.example.com", source=GRADE_11).answer


def test_an_answer_from_the_cache_is_repeated(fast: Serving) -> None:
    for _ in range(5):
        assert fast.ask("www.example.com").answer
    assert by_the_chain(fast) == 1
    assert settled(fast) == {"forwarded": 1, "cached": 4}


def test_a_block_of_what_a_name_leads_to_is_not_repeated(
    fast: Serving, upstream: FakeUpstream
) -> None:
    """Its verdict states until when the target is blocked, not what becomes of the name."""
    upstream.add("alias.example. 300 IN CNAME porn.example.")
    for _ in range(4):
        assert not fast.ask("alias.example").answer
    assert by_the_chain(fast) == 4


def test_a_block_of_the_site_s_own_is_repeated_until_its_end(
    index: Index, upstream: FakeUpstream
) -> None:
    site = a_site(index, [upstream], rules=[block("www.example.com", ends_at=NOW + 5)])
    with Serving(site, listen=["127.0.0.1"], fast=True) as running:
        for _ in range(3):
            assert not running.ask("www.example.com").answer
        assert by_the_chain(running) == 1
        running.run(lambda: running.clock.advance(5))  # sooner than its TTL ends
        assert running.ask("www.example.com").answer


def test_a_block_is_decided_once(fast: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    decided = list[bytes]()
    decide = Engine.decide

    def counted(engine: Engine, client: Client, qname: bytes, qtype: int, now: float) -> Verdict:
        decided.append(qname)
        return decide(engine, client, qname, qtype, now)

    monkeypatch.setattr(Engine, "decide", counted)
    fast.ask("porn.example")
    assert decided == [wire("porn.example")]


def another_device_is_known(serving: Serving) -> None:
    serving.sites.current.surroundings.version += 1


def test_everything_is_forgotten_when_the_surroundings_change(fast: Serving) -> None:
    for _ in range(3):
        fast.ask("porn.example")
    fast.run(lambda: another_device_is_known(fast))
    fast.ask("porn.example")
    settled(fast)
    assert by_the_chain(fast) == 4
    assert fast.fast is not None
    assert len(fast.fast._numbers.groups) == 1


def test_what_is_no_query_is_refused_and_counted_as_by_the_chain(
    fast: Serving, index: Index, upstream: FakeUpstream
) -> None:
    refused = [message for message, _ in malformed.QUERIES.values() if len(message) >= 12]
    refused += [a_message(QUESTION, flags=opcode << 11) for opcode in range(1, 16)]
    with Serving(a_site(index, [upstream]), listen=["127.0.0.1"]) as plain:
        said = []
        for one in (plain, fast):
            one.ask("porn.example")
            with one.stub() as stub:
                said.append([stub.ask(message) for message in refused])
        assert said[0] == said[1]
        assert settled(fast) == plain.run(lambda: dict(plain.resolver.counters))


def test_what_is_no_query_does_not_come_to_the_chain(
    fast: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast.ask("porn.example")
    monkeypatch.setattr(fast.resolver, "admit", None)
    with fast.stub() as stub:
        assert stub.ask(a_message(QUESTION, ancount=1))[3] & 0xF == 1


def test_a_clock_that_is_set_makes_it_forget(fast: Serving) -> None:
    fast.ask("porn.example")
    before = fast.fast
    assert before is not None

    def set_back() -> None:
        fast.clock._wall -= 100

    fast.run(set_back)
    count = by_the_chain(fast)
    fast.ask("a.porn.example")
    assert by_the_chain(fast) == count + 1


class Ticking(FakeClock):
    """A clock that goes on whenever it is looked at."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start."""
        self.advance(0.001)
        return super().monotonic()


class HeldFromLater:
    """A core that takes it that it was made when it was held."""

    def __init__(self, clock: PolicyClock) -> None:
        self._core: Any = Core(bytes(16))
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def hold(self, *about: Any) -> None:
        """Hold it."""
        self._core.hold(*about[:4], self._clock.wall(), *about[5:])


def begun(index: Index, *, led: bool, guarded: bool = True) -> list[int]:
    """Return how often it begins anew at each look: policy time jumps before the fourth and sixth.

    A turn looks several times with one monotonic time, while the clock goes on.
    """
    page, machine = SharedPage(), Ticking()
    clock, now = PolicyClock(machine, page), machine.monotonic()
    page.lead_s = NOW - now
    sites, lead = SiteHolder(a_site(index)), page.lead_word if led else NOT_KEPT
    core: Any = Core(bytes(16)) if guarded else HeldFromLater(clock)
    others: Any = SimpleNamespace()
    fast = FastPath(sites, clock, others, others, core=core, lead=lead)
    epochs = [core.epoch]
    for jump_s, later_s in ((0, 0), (0, 0), (0, 0), (3_600, 0), (0, 0), (-3_600, 1), (0, 1)):
        page.lead_s += jump_s
        fast.refresh(now + later_s)
        assert core.site is not None
        epochs.append(core.epoch)
    return [later - before for before, later in pairwise(epochs)]


@pytest.mark.parametrize("led", [True, False])
def test_one_look_is_enough_until_policy_time_jumps(index: Index, led: bool) -> None:
    assert begun(index, led=led) == [1, 0, 0, 1, 0, 1, 0]


def test_control_held_from_a_moment_later_it_would_begin_anew_all_turn(index: Index) -> None:
    assert begun(index, led=True, guarded=False) == [1] * 7


def test_repetitions_count_for_the_refresh_of_the_cache(fast: Serving) -> None:
    for _ in range(6):
        fast.ask("www.example.com")
    assert fast.run(lambda: fast.store.hits) == 1
    fast.run(lambda: fast.clock.advance(275))  # in the last tenth of its 300 s
    fast.ask("www.example.com")
    fast.eventually(lambda: fast.store.refreshed == 1)


def test_a_fault_while_a_cell_is_filled_leaves_the_name_to_the_chain(
    fast: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("it cannot be read")

    monkeypatch.setattr("filterd.policy.plain_sets.SetReader.read", broken)
    for name in ("porn.example", "a.porn.example", "b.porn.example"):
        assert not fast.ask(name).answer
    (error,) = fast.errors.take()  # a cell is filled once
    assert "it cannot be read" in error
    assert settled(fast) == {"blocked": 3}


def broken(*_: object) -> None:
    raise RuntimeError("it cannot be read")


@pytest.mark.parametrize("guarded", [True, False])
def test_a_client_that_came_while_the_policy_was_unknown_is_answered_all_the_same(
    fast: Serving, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    fast.ask("porn.example")
    monkeypatch.setattr(FastPath, "_begin" if guarded else "refresh", broken)
    fast.run(lambda: another_device_is_known(fast))
    with fast.stub() as stub:
        asked = [a_query("porn.example", message_id=number) for number in range(100)]

        def send_all() -> None:
            for message in asked:
                stub.send(message)

        fast.run(send_all)
        if guarded:
            heard = [stub.receive() for _ in asked]
            assert sorted(one[:2] for one in heard) == [one[:2] for one in asked]
            assert {one[3] & 0xF for one in heard} == {dns.rcode.NXDOMAIN}
            assert by_the_chain(fast) == 1 + len(asked)
        else:
            fast.eventually(lambda: fast.udp[0].counters["received"] == 1 + len(asked))
            stub.socket.setblocking(False)
            with pytest.raises(BlockingIOError):
                stub.socket.recv(4_096)
    assert all("it cannot be read" in one for one in fast.errors.take())


def test_a_fault_of_the_fast_path_passes(fast: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    fast.ask("porn.example")
    with monkeypatch.context() as patch:
        patch.setattr(FastPath, "_begin", broken)
        fast.run(lambda: another_device_is_known(fast))
        fast.ask("porn.example")
    (error,) = fast.errors.take()
    assert "could not read the active site" in error
    fast.ask("porn.example")  # it is left alone for a while
    assert by_the_chain(fast) == 3
    fast.run(lambda: fast.clock.advance(AGAIN_AFTER_S))
    for _ in range(3):
        fast.ask("porn.example")
    assert by_the_chain(fast) == 4


def test_what_cannot_be_decided_at_an_edge_is_left_to_the_chain_for_a_while(
    fast: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast.ask("porn.example")
    ended = fast.run(lambda: fast.sites.standing)._replace(until=NOW - 1)
    begun, begin = list[float](), FastPath._begin

    def counted(self: FastPath, now: float) -> None:
        begun.append(now)
        begin(self, now)

    monkeypatch.setattr(FastPath, "_begin", counted)
    with monkeypatch.context() as patch:
        patch.setattr(type(fast.sites), "standing", ended)
        fast.run(lambda: another_device_is_known(fast))
        for _ in range(3):
            assert not fast.ask("porn.example").answer
        assert by_the_chain(fast) == 4
    fast.run(lambda: fast.clock.advance(AGAIN_AFTER_S))
    for _ in range(3):
        fast.ask("porn.example")
    assert by_the_chain(fast) == 5
    assert len(begun) == 2


def test_a_site_made_anew_for_where_the_clock_was_set_back_to_is_taken_up(
    fast: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is seen of a site does not prove that another in its place is just like it."""
    fast.ask("porn.example")

    def pass_an_edge_and_come_back() -> None:
        standing, site = fast.sites.standing, fast.sites.current
        fast.sites.current = dataclasses.replace(site)
        monkeypatch.setattr(type(fast.sites), "standing", standing)
        fast.sites._changes[0] = standing.value

    fast.run(pass_an_edge_and_come_back)
    for _ in range(2):  # somebody who is not known yet comes to the chain
        fast.ask("www.example.com", source=GRADE_11)
    assert fast.run(lambda: fast.fast is not None and fast.fast._site is fast.sites.current)
    for _ in range(2):
        fast.ask("porn.example", source=GRADE_11)
    count = by_the_chain(fast)
    fast.ask("porn.example", source=GRADE_11)
    assert by_the_chain(fast) == count


ASKED = (
    *(("porn.example", f"127.0.1.{host}") for host in (1, 1, 2, 3, 1, 2)),
    *(("www.example.com", f"127.0.1.{host}") for host in range(1, 21)),
    *(("www.example.com", f"127.0.1.{host}") for host in range(1, 21)),
    *(("social.example", source) for source in (GRADE_1, GRADE_11, GRADE_1, GRADE_11)),
    *(("malware.example", STAFF) for _ in range(3)),
)


def in_the_log(serving: Serving) -> set[CountRow]:
    """Return the rows of a batch, as the log takes it from a worker."""

    def take() -> set[CountRow]:
        if serving.fast is not None:
            serving.fast.settle()
        return {row for batch in serving.log.take_all() for row in batch.rows}

    return serving.run(take)


def test_the_fast_path_and_the_chain_count_alike(index: Index, upstream: FakeUpstream) -> None:
    """By network, by what blocked and by device, through the socket."""
    logged, chain = [], []
    for is_fast in (True, False):
        site = a_site(index, [upstream], rules=[block("www.example.net")])
        with Serving(site, listen=["127.0.0.1"], fast=is_fast) as running:
            for name, source in (*ASKED, *[("www.example.net", GRADE_11)] * 3):
                running.ask(name, source=source)
            chain.append(by_the_chain(running))
            logged.append(in_the_log(running))
    assert chain[0] < chain[1] / 2
    assert logged[0] == logged[1]
    cells = {(row.network, row.category, row.blocker): row for row in logged[0]}
    assert (cells["grade-1", "porn", "porn"].n, cells["grade-1", "porn", "porn"].devices) == (6, 3)
    assert cells["grade-1", "", ""].n == 40
    assert cells["grade-1", "", ""].devices == MOST_DEVICES
    assert cells["staff", "malware", "malware"].devices == 1
    assert sum(row.n for row in logged[0]) == len(ASKED) + 3


def test_a_change_of_the_site_loses_no_count(fast: Serving, index: Index) -> None:
    """Group 0 is of another network afterwards: what was counted before is of the old one."""
    for _ in range(4):
        fast.ask("porn.example")
    renamed = [dataclasses.replace(one, id=f"new-{one.id}") for one in NETWORKS]
    site = a_site(index, networks=tuple(renamed))

    def change() -> None:
        fast.sites.current = site

    fast.run(change)
    for _ in range(3):
        fast.ask("porn.example", source=GRADE_11)
    found = {row.network: (row.n, row.devices) for row in in_the_log(fast)}
    assert found == {"grade-1": (4, 1), "new-grade-11": (3, 1)}


@pytest.mark.parametrize("confidential", [frozenset({"porn"}), frozenset[str]()])
def test_control_a_confidential_category_is_counted_for_the_whole_school_on_both_paths(
    fast: Serving, confidential: frozenset[str]
) -> None:
    fast.log.rules = CountingRules(confidential=confidential, off={"11"})
    for source in (GRADE_1, GRADE_1, GRADE_11):
        for _ in range(3):
            fast.ask("porn.example", source=source)
    found = {(row.grade, row.network, row.blocker): row.n for row in in_the_log(fast)}
    assert found == {("", "", "") if confidential else ("1", "grade-1", "porn"): 6}


def test_counts_are_settled_before_an_hour_ends(fast: Serving) -> None:
    """The log need not ask: a core counts for seconds, and an hour has its own answers."""
    for _ in range(3):
        fast.ask("porn.example")
    fast.run(lambda: fast.clock.advance(SETTLED_EVERY_S + 1.0))
    fast.ask("www.example.com", source=GRADE_11)
    assert sum(row.n for row in fast.run(fast.log.take).rows if row.network == "grade-1") == 3
