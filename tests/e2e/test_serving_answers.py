# SPDX-License-Identifier: Apache-2.0
"""Aliases, the cache and shared exchanges, through real sockets."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from filterd.resolve.links.filter import Filter
from tests.support.policies import a_pin, allow, block
from tests.support.serving import GRADE_1, GRADE_11, STAFF, Serving, a_site
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.lists.index import Index
    from tests.support.upstream import FakeUpstream

pytestmark = pytest.mark.usefixtures("patient")

BELL = 200
"""Clients that ask at the same moment."""


def addresses(response: dns.message.Message) -> list[str]:
    return [
        rdata.address
        for rrset in response.answer
        if rrset.rdtype == dns.rdatatype.A
        for rdata in rrset
    ]


CLOAKS = {
    "at once": ["shop.example.com. 300 IN CNAME a.tracker.example."],
    "in the middle": [
        "shop.example.com. 300 IN CNAME one.example.net.",
        "one.example.net. 300 IN CNAME tracker.example.",
        "tracker.example. 300 IN CNAME two.example.net.",
        "two.example.net. 300 IN A 198.18.0.3",
    ],
    "in mixed case": [
        "shop.example.com. 300 IN CNAME one.example.net.",
        "one.example.net. 300 IN CNAME A.TrAcKeR.ExAmPlE.",
    ],
    "at the end of a long chain": [
        "shop.example.com. 300 IN CNAME n1.example.net.",
        *(f"n{n}.example.net. 300 IN CNAME n{n + 1}.example.net." for n in range(1, 9)),
        "n9.example.net. 300 IN CNAME tracker.example.",
    ],
}


@pytest.mark.parametrize("records", CLOAKS.values(), ids=CLOAKS.keys())
def test_a_blocked_name_does_not_hide_behind_an_alias_cold_or_warm(
    serving: Serving, upstream: FakeUpstream, records: list[str]
) -> None:
    upstream.add(*records, "a.tracker.example. 300 IN A 198.18.0.3")
    cold, warm = (serving.ask("shop.example.com") for _ in range(2))
    assert len(upstream.asked) == 1
    for response in (cold, warm):
        assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])


@pytest.mark.parametrize("qtype", ["HTTPS", "SVCB"])
@pytest.mark.parametrize("mode", ["0 tracker.example.", "1 tracker.example. alpn=h2"])
def test_a_blocked_service_target_is_blocked(
    serving: Serving, upstream: FakeUpstream, qtype: str, mode: str
) -> None:
    upstream.add(f"shop.example.com. 300 IN {qtype} {mode}")
    assert [serving.ask("shop.example.com", qtype).answer for _ in range(2)] == [[], []]


def test_a_service_target_that_is_not_blocked_passes(
    serving: Serving, upstream: FakeUpstream
) -> None:
    upstream.add("shop.example.com. 300 IN HTTPS 1 cdn.example.net. alpn=h2")
    assert len(serving.ask("shop.example.com", "HTTPS").answer) == 1


def test_an_alias_is_judged_for_each_client_though_the_answer_is_shared(
    serving: Serving, upstream: FakeUpstream
) -> None:
    upstream.add("chat.example.com. 300 IN CNAME social.example.")
    assert addresses(serving.ask("chat.example.com", source=GRADE_11)) == ["198.18.0.2"]
    assert addresses(serving.ask("chat.example.com", source=GRADE_1)) == []
    assert len(upstream.asked) == 1


@pytest.mark.parametrize(
    ("policy", "covered"),
    [
        ({}, False),
        ({"pins": [a_pin("shop.example.com")]}, True),
        ({"rules": [allow("shop.example.com")]}, False),
    ],
    ids=["nothing", "a pin", "a local allow, which yields to a locked category"],
)
def test_what_let_the_qname_through_covers_its_aliases(
    index: Index, upstream: FakeUpstream, policy: dict[str, Any], covered: bool
) -> None:
    upstream.add(*CLOAKS["at once"], "a.tracker.example. 300 IN A 198.18.0.3")
    with Serving(a_site(index, [upstream], **policy)) as serving:
        assert bool(addresses(serving.ask("shop.example.com"))) is covered


def test_an_alias_that_leads_in_a_circle_is_a_servfail(
    serving: Serving, upstream: FakeUpstream
) -> None:
    upstream.add(
        "a.example.com. 300 IN CNAME b.example.com.", "b.example.com. 300 IN CNAME a.example.com."
    )
    assert serving.ask("a.example.com").rcode() == dns.rcode.SERVFAIL
    assert len(serving.store) == 0


def test_a_positive_answer_ages_and_is_asked_anew_at_its_end(
    serving: Serving, upstream: FakeUpstream
) -> None:
    seen = []
    for seconds in (0, 100, 199, 1):
        serving.clock.advance(seconds)
        seen.append(serving.ask("www.example.com").answer[0].ttl)
    assert seen == [300, 200, 1, 300]
    assert len(upstream.asked) == 2


@pytest.mark.parametrize("name", ["nowhere.example.com", "www.example.com"])
def test_a_negative_answer_is_kept_for_the_time_of_its_soa(
    serving: Serving, upstream: FakeUpstream, name: str
) -> None:
    for seconds in (0, 59, 1):
        serving.clock.advance(seconds)
        assert serving.ask(name, "TXT").answer == []
    assert len(upstream.asked) == 2, "its MINIMUM is 60, its TTL 300"


def test_a_negative_answer_without_soa_is_not_kept(
    serving: Serving, upstream: FakeUpstream
) -> None:
    upstream.respond = dns.message.make_response
    serving.ask("www.example.com")
    serving.ask("www.example.com")
    assert len(upstream.asked) == 2


def test_a_ttl_of_zero_is_not_kept(serving: Serving, upstream: FakeUpstream) -> None:
    upstream.add("now.example.com. 0 IN A 198.18.0.4")
    for _ in range(2):
        assert addresses(serving.ask("now.example.com")) == ["198.18.0.4"]
    assert len(upstream.asked) == 2


def test_do_and_cd_are_part_of_what_is_asked_and_kept(
    serving: Serving, upstream: FakeUpstream
) -> None:
    for _ in range(2):
        for do in (False, True):
            for cd in (False, True):
                serving.ask("www.example.com", do=do, cd=cd)
    asked = [dns.message.from_wire(message) for message in upstream.raw]
    seen = [(bool(m.ednsflags & dns.flags.DO), bool(m.flags & dns.flags.CD)) for m in asked]
    assert sorted(seen) == [(False, False), (False, True), (True, False), (True, True)]


def test_options_of_the_client_are_never_forwarded(
    serving: Serving, upstream: FakeUpstream
) -> None:
    serving.ask("www.example.com", options=[dns.edns.ECSOption("192.0.2.0", 24)])
    assert dns.message.from_wire(upstream.raw[0]).options == ()


def test_different_clients_share_the_cache(serving: Serving, upstream: FakeUpstream) -> None:
    for source in (GRADE_1, GRADE_11, STAFF):
        assert addresses(serving.ask("www.example.com", source=source)) == ["198.18.0.1"]
    assert len(upstream.asked) == 1


def test_records_outside_the_question_are_dropped(serving: Serving, upstream: FakeUpstream) -> None:
    def generous(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        name = query.question[0].name
        forged = dns.rrset.from_text("bank.example.org.", 300, "IN", "A", "198.18.0.66")
        response.answer += [dns.rrset.from_text(name, 300, "IN", "A", "198.18.0.5"), forged]
        response.authority.append(dns.rrset.from_text(name, 300, "IN", "NS", "bank.example.org."))
        response.additional.append(forged)
        return response

    upstream.respond = generous
    first = serving.ask("www.example.com")
    assert (addresses(first), first.authority, first.additional) == (["198.18.0.5"], [], [])
    serving.ask("bank.example.org")
    assert upstream.asked == ["www.example.com A", "bank.example.org A"]


def test_one_label_with_a_dot_is_another_name_than_two(
    serving: Serving, upstream: FakeUpstream
) -> None:
    with serving.stub() as stub:
        stub.ask(b"\0\1\1\0\0\1\0\0\0\0\0\0\x0fwww.example.com\3net\0\0\1\0\1")
    serving.ask("www.example.com.net")
    assert len(upstream.asked) == 2


def ring(serving: Serving, upstream: FakeUpstream, then: Callable[[], None]) -> list[bytes]:
    """Let many clients ask one name; when all wait, do ``then``, and return their answers."""
    upstream.released.clear()
    with ExitStack() as stack:
        stubs = [stack.enter_context(serving.stub(f"127.0.1.{n + 1}")) for n in range(BELL)]
        for number, stub in enumerate(stubs):
            stub.send(a_query("www.example.com", message_id=number))
        upstream.wait_until_asked()
        serving.eventually(lambda: serving.forwarder.counters["shared"] == BELL - 1)
        then()
        upstream.released.set()
        return [stub.receive() for stub in stubs]


def test_many_clients_with_one_question_share_one_exchange(
    serving: Serving, upstream: FakeUpstream
) -> None:
    answers = ring(serving, upstream, lambda: None)
    assert [int.from_bytes(answer[:2]) for answer in answers] == list(range(BELL))
    assert {tuple(addresses(dns.message.from_wire(answer))) for answer in answers} == {
        ("198.18.0.1",)
    }
    assert upstream.asked == ["www.example.com A"]


def test_a_client_that_goes_away_does_not_harm_the_others(
    serving: Serving, upstream: FakeUpstream
) -> None:
    upstream.released.clear()
    query = a_query("www.example.com")
    with serving.stub() as staying, serving.tcp_stub() as leaving:
        leaving.send(query)
        upstream.wait_until_asked()
        serving.eventually(lambda: len(serving.stepper) == 1)  # what began before has ended
        (its_work,) = serving.stepper._waiting
        staying.send(query)
        serving.eventually(lambda: serving.forwarder.counters["shared"] == 1)
        leaving.socket.close()
        serving.run(its_work.cancel)
        upstream.released.set()
        assert addresses(dns.message.from_wire(staying.receive()))


@pytest.mark.parametrize("rejudged", [True, False])
def test_a_reload_holds_for_queries_that_already_wait(
    index: Index, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, rejudged: bool
) -> None:
    if not rejudged:  # the control: without this step the answers would leak
        monkeypatch.setattr(Filter, "_judge_again", lambda *said: said[-1])
    site, closed = a_site(index, [upstream]), a_site(index, rules=[block("www.example.com")])
    with Serving(site) as serving:
        answers = ring(serving, upstream, lambda: setattr(serving.sites, "current", closed))
    rcodes = {dns.message.from_wire(answer).rcode() for answer in answers}
    assert rcodes == {dns.rcode.NXDOMAIN if rejudged else dns.rcode.NOERROR}


def test_a_client_that_a_reload_shuts_out_is_refused(index: Index, upstream: FakeUpstream) -> None:
    nobody = a_site(index, [upstream], networks=(), allow_from=())
    with Serving(a_site(index, [upstream])) as serving:
        answers = ring(serving, upstream, lambda: setattr(serving.sites, "current", nobody))
    assert {dns.message.from_wire(answer).rcode() for answer in answers} == {dns.rcode.REFUSED}


def test_an_allow_that_ends_while_the_upstream_thinks_has_ended(
    index: Index, upstream: FakeUpstream
) -> None:
    upstream.released.clear()
    with Serving(a_site(index, [upstream])) as serving, serving.stub() as stub:
        ends_at = serving.clock.wall() + 1
        serving.sites.current = a_site(
            index, [upstream], rules=[allow("social.example", ends_at=ends_at)]
        )
        stub.send(a_query("social.example"))
        upstream.wait_until_asked()
        serving.clock.advance(2)
        upstream.released.set()
        assert dns.message.from_wire(stub.receive()).rcode() == dns.rcode.NXDOMAIN
