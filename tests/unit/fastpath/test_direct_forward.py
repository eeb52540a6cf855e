# SPDX-License-Identifier: Apache-2.0
"""What the relay answers is answered and counted as by the chain."""

from __future__ import annotations

import socket
from functools import partial
from itertools import islice
from math import inf
from random import Random
from typing import TYPE_CHECKING, Any

import dns.message
import pytest

from filterd.fastpath import core_filler
from filterd.fastpath.core_filler import Core
from filterd.fastpath.rate_limit import packed
from filterd.resolve.links import filter as filter_link
from filterd.resolve.links.cache import Forward
from filterd.resolve.links.redaction import Ech, Rebinding
from filterd.resolve.query import leaves_all_alone
from filterd.upstream import CONCLUSIVE
from filterd.wire import name as names
from tests.support.native_faults import serve_with
from tests.support.relaying import School, differences, listed
from tests.support.serving import GRADE_1, GRADE_11, NETWORKS
from tests.support.tunnelling import TUNNELS
from tests.support.wire import a_query
from tests.unit.fastpath import relay_stories as stories

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.lists.index import Index
    from filterd.resolve.query import Link
    from tests.unit.fastpath.relay_stories import Story


pytestmark = pytest.mark.usefixtures("needs_native")


@pytest.fixture(scope="session")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return listed(tmp_path_factory.mktemp("school"))


def by_the_chain(index: Index, story: Story, **policy: Any) -> int:
    """Return how many answers of a story the chain gives where there is a relay."""
    with School(index, fast=True, **policy) as school:
        story(school)
        return school.by_the_chain


@pytest.mark.parametrize("what", stories.PLAIN)
def test_a_name_without_a_rule_against_it_is_answered_as_by_the_chain(
    lists: Index, what: str
) -> None:
    assert differences(lists, stories.PLAIN[what]) == []
    assert by_the_chain(lists, stories.PLAIN[what]) == 0


def test_an_answer_from_the_cache_grows_older(lists: Index) -> None:
    def story(school: School) -> list[bytes]:
        classes = [f"127.0.{n}.1" for n in range(2, 8)]  # what one has got is repeated to nobody
        school.greet(*classes)
        replies = [school.ask("www.example.com")]
        for source in classes:
            school.advance(1.5)
            replies.append(school.ask("www.example.com", source=source))
        return replies

    assert differences(lists, story) == []
    assert by_the_chain(lists, story) == 0


@pytest.mark.parametrize("cached", [False, True])
def test_an_answer_is_repeated_from_then_on(lists: Index, cached: bool) -> None:
    with School(lists, fast=True) as school:
        school.ask("www.example.com")
        if cached:
            school.stop_repeating()
            school.ask("www.example.com")
        school.serving.udp[0]._relay = None
        school.ask("www.example.com")
        assert school.by_the_chain == 0


def test_where_half_is_taken_what_was_asked_for_once_is_not_repeated(
    lists: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core_filler, "Core", partial(Core, entries=8))
    with School(lists, fast=True) as school:  # who were greeted with an answer for each
        for name in ("www.example.com", "b.example.com", "c.example.com", "d.example.com"):
            school.ask(name)
        school.serving.udp[0]._relay = None
        school.ask("www.example.com")
        assert school.by_the_chain == 0
        school.ask("d.example.com")
        assert school.by_the_chain == 1


def test_a_forwarded_answer_is_not_repeated_beyond_the_end_of_a_lesson(lists: Index) -> None:
    with School(lists, fast=True) as school:
        assert school.serving.fast is not None
        ends_at = school.serving.clock.wall() + 30
        school.serving.fast.edges[:] = [ends_at] * len(school.serving.fast.edges)
        school.ask("www.example.com")
        school.serving.udp[0]._relay = None
        school.ask("www.example.com")
        assert school.by_the_chain == 0
        school.advance(31)
        school.ask("www.example.com")
        assert school.by_the_chain == 1


def kept_for_another(lists: Index, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Let all be forgotten while an answer is kept; return whether the next class would get it."""
    with School(lists, fast=True) as school, monkeypatch.context() as patch:
        fast = school.serving.fast
        assert fast is not None
        core, who = fast.core, (packed(GRADE_1), socket.if_nametoindex("lo"))
        patch.setattr(school.serving.store.failures, "forget", lambda *_: fast.forget())
        school.ask("www.example.com")

        def repeated() -> bool:  # it is kept after it was sent
            core.learn(*who, core.add_group(0), inf)
            return core.answer(a_query("www.example.com"), *who) is not None

        return school.serving.run(repeated)


def test_what_the_chain_made_be_forgotten_meanwhile_is_not_kept_for_another(
    lists: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not kept_for_another(lists, monkeypatch)


def test_control_kept_in_any_epoch_another_class_would_get_it(
    lists: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_with(monkeypatch, "kept in any epoch")
    assert kept_for_another(lists, monkeypatch)


@pytest.mark.parametrize("by", stories.OVERRULED)
def test_a_name_with_any_rule_is_decided_by_the_chain(lists: Index, by: str) -> None:
    story, policy = stories.OVERRULED[by]
    assert differences(lists, story, **policy) == []
    assert by_the_chain(lists, story, **policy) > 0


@pytest.mark.parametrize("what", stories.NOT_PLAIN)
def test_what_is_not_plain_is_answered_by_the_chain(lists: Index, what: str) -> None:
    story, policy = stories.NOT_PLAIN[what]
    assert differences(lists, story, **policy) == []
    assert by_the_chain(lists, story, **policy) > 0


@pytest.mark.parametrize("what", stories.SHARED)
def test_queries_that_wait_together_are_judged_one_by_one(lists: Index, what: str) -> None:
    assert differences(lists, stories.SHARED[what]) == []


def test_one_exchange_serves_permitted_and_blocked_clients(lists: Index) -> None:
    with School(lists, fast=True) as school:
        replies = stories.SHARED["a name of one grade's"](school)
        assert [bool(dns.message.from_wire(reply).answer) for reply in replies] == [False, True]
        assert school.upstream.asked == ["alias.example.com A"]
        assert school.by_the_chain == 1


@pytest.mark.parametrize("what", stories.MEANWHILE)
def test_what_changes_meanwhile_is_what_an_answer_is_judged_by(lists: Index, what: str) -> None:
    assert differences(lists, stories.MEANWHILE[what]) == []
    assert by_the_chain(lists, stories.MEANWHILE[what]) > 0


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("what", ["who has the address", "nobody is seen any more"])
def test_an_answer_is_judged_for_the_holder_of_the_address_when_it_comes(
    lists: Index, monkeypatch: pytest.MonkeyPatch, what: str, *, fast: bool
) -> None:
    story = stories.MEANWHILE[what]
    with School(lists, fast=fast) as school:
        (reply,) = story(school)
        assert not dns.message.from_wire(reply).answer
        assert school.upstream.asked == ["alias.example.com A"]
    keep_the_first_client(monkeypatch)
    if not fast:  # else the chain is asked by whoever it is anew
        with School(lists, fast=False) as school:
            (reply,) = story(school)
            assert dns.message.from_wire(reply).answer


def test_what_changes_while_it_stands_in_line_is_what_a_question_is_judged_by(
    lists: Index,
) -> None:
    assert differences(lists, stories.in_line) == []


@pytest.mark.parametrize("story", [stories.expired, stories.refreshed, stories.failed_again])
def test_what_the_cache_thinks_of_is_left_to_the_chain(lists: Index, story: Story) -> None:
    assert differences(lists, story) == []
    assert by_the_chain(lists, story) > 0


def test_a_query_that_was_given_up_is_not_answered(lists: Index) -> None:
    assert differences(lists, stories.given_up) == []


def test_a_query_that_waits_at_the_end_is_answered_while_there_is_time(lists: Index) -> None:
    with School(lists, fast=True) as school:
        (stub,) = school.held(stories.WWW)
        serving = school.serving
        drained = serving.start(serving.stepper.drain(None))
        school.upstream.released.set()
        drained.result(10)
        assert dns.message.from_wire(stub.receive()).answer
        assert not serving.run(lambda: len(serving.stepper))


def test_no_query_waits_for_ever_when_it_stops(lists: Index) -> None:
    with School(lists, fast=True) as school:
        school.held(stories.WWW, stories.OPEN, stories.ALIAS[1])
        stepper, forwarder = school.serving.stepper, school.serving.forwarder
    assert len(stepper) == 0
    assert forwarder.in_flight == 0


def test_a_client_that_may_no_longer_ask_gets_nothing(lists: Index) -> None:
    with School(lists, fast=True) as school:
        (stub,) = school.held(stories.WWW)
        school.change(networks=NETWORKS[1:], allow_from=["127.0.11.0/24"])
        school.upstream.released.set()
        school.serving.eventually(lambda: not len(school.serving.stepper))
        assert school.ask("porn.example", source=GRADE_11)
        stub.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            stub.receive()


@pytest.mark.parametrize("cached", [False, True])
def test_a_fault_while_an_answer_is_made_leaves_it_to_the_chain(lists: Index, cached: bool) -> None:
    with School(lists, fast=True) as school:
        assert school.serving.fast is not None
        if cached:
            school.ask("www.example.com")
            school.stop_repeating()
        school.serving.fast.openings = []
        assert dns.message.from_wire(school.ask("www.example.com")).answer
        (error,) = school.serving.errors.take()
        assert "could not be forwarded directly" in error
        assert school.by_the_chain == 1
        assert school.upstream.asked == ["www.example.com A"]


def test_while_the_policy_is_unknown_the_chain_answers_all(
    lists: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: float) -> None:
        raise RuntimeError("it cannot be read")

    with School(lists, fast=True) as school, monkeypatch.context() as patch:
        stubs = school.held(stories.WWW, stories.OPEN)
        patch.setattr(school.serving.fast, "refresh", broken)
        patch.setattr(school.serving.sites.current.surroundings, "version", -1)
        school.upstream.released.set()
        assert all(dns.message.from_wire(stub.receive()).answer for stub in stubs[:2])
        assert all("it cannot be read" in one for one in school.serving.errors.take())
        assert school.by_the_chain == 2
        # On a busy machine an exchange asks again before the upstream is released.
        assert list(dict.fromkeys(school.upstream.asked)) == [
            "www.example.com A",
            "open.example.com A",
        ]


def test_a_fault_while_an_answer_is_kept_loses_no_answer(
    lists: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("it cannot be kept")

    with School(lists, fast=True) as school, monkeypatch.context() as patch:
        patch.setattr(school.serving.store.failures, "forget", broken)
        assert dns.message.from_wire(school.ask("www.example.com")).answer
        school.serving.run(lambda: None)  # it is kept afterwards
        (error,) = school.serving.errors.take()
        assert "what was relayed could not be kept" in error
        assert school.by_the_chain == 0


class FaultyOnce(list[float]):
    """Edges that cannot be read the so-many-th time."""

    def __init__(self, edges: list[float], fails_at: int) -> None:
        super().__init__(edges)
        self._left = fails_at

    def __getitem__(self, at: Any) -> Any:
        self._left -= 1
        if not self._left:
            raise RuntimeError("it cannot be read")
        return super().__getitem__(at)


def answers_heard(lists: Index, fails_at: int) -> int:
    """Let a fault come up while an answer from the cache is made; return how many are heard."""
    with School(lists, fast=True) as school:
        assert school.serving.fast is not None
        school.ask("www.example.com")
        school.stop_repeating()
        school.serving.fast.edges = FaultyOnce(school.serving.fast.edges, fails_at)
        school.ask("www.example.com")
        stub, heard = school.send("social.example"), 1
        while stub.receive()[:2] != school._id.to_bytes(2):
            heard += 1
        assert len(school.serving.errors.take()) == 1
        return heard


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_fault_while_an_answer_is_noted_or_made_causes_no_second_answer(
    lists: Index, fails_at: int
) -> None:
    assert answers_heard(lists, fails_at) == 1


def test_control_an_answer_that_is_noted_too_late_would_be_heard_twice(
    lists: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_with(monkeypatch, "noted too late")
    assert answers_heard(lists, fails_at=2) == 2


def keep_the_first_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filter_link, "_current_client", lambda query, _: query.client)


WITHOUT: dict[str, tuple[str, Story, dict[str, Any]]] = {
    "targets": ("targets unseen", *stories.NOT_PLAIN["an alias for what is locked"]),
    "targets together": ("targets unseen", stories.SHARED["the other one first"], {}),
    "what links change": ("plain unseen", *stories.NOT_PLAIN["a private address"]),
    "the epoch at last": ("any epoch", stories.MEANWHILE["blocked, and asked of"], {}),
    "the epoch at first": ("any epoch at first", stories.in_line, {}),
    "the site in force": ("site unseen", stories.MEANWHILE["blocked"], {}),
    "the class": ("site unseen", stories.MEANWHILE["a younger class"], {}),
    "how long he is known": ("known for ever", stories.MEANWHILE["nobody is seen any more"], {}),
    "who was given up": ("given up unseen", stories.given_up, {}),
}


@pytest.mark.parametrize("what", WITHOUT)
def test_control_without_a_safeguard_the_difference_is_noticed(
    lists: Index, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    fault, story, policy = WITHOUT[what]
    serve_with(monkeypatch)
    assert differences(lists, story, **policy) == []
    serve_with(monkeypatch, fault)
    assert differences(lists, story, **policy) != []


CONCLUSIVE_ONLY = staticmethod(lambda _, resolution: resolution.rcode in CONCLUSIVE)
WITHOUT_REASONS = staticmethod(lambda _, resolution: not resolution.edes)
UNDECLARED: dict[str, tuple[type[Link], Any, str]] = {
    "private addresses": (Rebinding, staticmethod(leaves_all_alone), "a private address"),
    "keys": (Ech, staticmethod(leaves_all_alone), "a key that nobody may have"),
    "reasons": (Forward, CONCLUSIVE_ONLY, "a reason"),
    "failures": (Forward, WITHOUT_REASONS, "a failure"),
}


@pytest.mark.parametrize("what", UNDECLARED)
def test_control_what_a_link_does_not_declare_is_noticed(
    lists: Index, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    link, declared, name = UNDECLARED[what]
    story, policy = stories.NOT_PLAIN[name]
    assert differences(lists, story, **policy) == []
    monkeypatch.setattr(link, "leaves_alone", declared)
    assert differences(lists, story, **policy) != []


@pytest.mark.parametrize("fast", [True, False])
def test_a_tunnel_is_noticed_on_either_way(lists: Index, *, fast: bool) -> None:
    with School(lists, fast=fast) as school:
        asked = TUNNELS["dnscat2"]("t.tunnel.example.com", Random(1))
        for name in islice(asked, 900):
            school.ask(names.to_text(name))
            if school.serving.tunnels.facts(0.0)["at"] is not None:
                break
        assert (school.by_the_chain == 0) is fast
        assert school.serving.tunnels.is_noticed(name, device_of(school))


def device_of(school: School) -> int:
    client = school.serving.sites.current.identifier.identify(GRADE_1)
    assert client is not None
    return school.serving.log.device_of(client)


def seen_by_the_counter(school: School, ask: Callable[[School], object]) -> list[tuple[bytes, int]]:
    """Return what the counter is given of these questions."""
    found = list[tuple[bytes, int]]()
    assert school.serving.fast is not None
    relay = core_filler.Relay(
        school.serving.fast,
        school.serving.store,
        school.serving.forwarder,
        school.serving.stepper,
        school.serving.clock,
        lambda qname, device: found.append((qname, device)),
    )
    school.serving.run(lambda: setattr(school.serving.udp[0], "_relay", relay))
    ask(school)
    return found


def ask_all(names_of: Callable[[int], str], n: int = 20) -> Callable[[School], None]:
    def ask(school: School) -> None:
        for number in range(n):
            school.ask(names_of(number))

    return ask


@pytest.mark.parametrize(
    ("what", "names_of", "passes"),
    [
        ("long children of one domain", lambda n: f"a-long-child-{n}.example.com", 12),
        ("short children of one domain", lambda n: f"c{n}.example.com", 0),
        ("one child each of many domains", lambda n: f"a-long-child.d{n}.example", 0),
        ("a name that is asked for again", lambda _: "a-long-child.example.com", 0),
        ("a domain without children", lambda n: f"a-long-domain-{n}.example", 0),
    ],
)
def test_the_counter_of_tunnels_is_called_for_many_long_children_of_a_domain_only(
    lists: Index, what: str, names_of: Callable[[int], str], passes: int
) -> None:
    with School(lists, fast=True) as school:
        found = seen_by_the_counter(school, ask_all(names_of))
        assert len(found) == passes, what
        assert {device for _, device in found} <= {device_of(school)}
        assert school.by_the_chain == 0


def test_after_a_minute_the_sieve_begins_anew(lists: Index) -> None:
    with School(lists, fast=True) as school:
        few = ask_all(lambda n: f"a-long-child-{n}.example.com", 8)

        def ask(school: School) -> None:
            few(school)
            school.advance(60.0)
            school.greet(GRADE_1)
            ask_all(lambda n: f"another-long-child-{n}.example.com", 9)(school)

        assert len(seen_by_the_counter(school, ask)) == 1
