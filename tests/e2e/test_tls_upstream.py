# SPDX-License-Identifier: Apache-2.0
"""Upstreams over TLS through real sockets (RFC 7858, RFC 8310).

One server has two ports: for TLS, and for plain questions. So a test sees the transport
of every question.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from filterd.lists.rules import Pin
from filterd.policy.model import Tls
from filterd.upstream import exchange, tls_trust, upstream_question
from filterd.version import RELEASED_AT
from tests.support.policies import wire
from tests.support.serving import Serving, a_site
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filterd.lists.index import Index
    from tests.support.tls import Authority, Certificate, TlsDoor

pytestmark = pytest.mark.usefixtures("patient")
GOOD = "198.18.0.1"
BELL = 200


@pytest.fixture(autouse=True)
def _way_in_clear(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question in clear reaches the server of a test, and is counted."""
    monkeypatch.setattr(
        upstream_question, "PLAIN_PORT", request.getfixturevalue("door").upstream.port
    )


@pytest.fixture(params=["uvloop", "asyncio"])
def serve(request: pytest.FixtureRequest, index: Index, door: TlsDoor) -> Serve:
    """Return what serves a school whose upstream is asked by TLS."""

    @contextmanager
    def serving(tls: Tls = Tls.STRICT, *, trusted: bool = False) -> Iterator[Serving]:
        site = a_site(index, [door.server(tls, trusted=trusted)], pins=[TIME_SERVER])
        with Serving(site, loop=request.param) as running:
            yield running

    return serving


TIME_SERVER = Pin(wire("time.example"), reason="time")


def addresses(response: dns.message.Message) -> list[str]:
    return [rdata.to_text() for rrset in response.answer for rdata in rrset]


def ede_codes(response: dns.message.Message) -> set[int]:
    return {
        int(option.code) for option in response.options if isinstance(option, dns.edns.EDEOption)
    }


def test_a_question_goes_by_tls_and_in_no_other_way(serve: Serve, door: TlsDoor) -> None:
    with serve() as serving:
        assert addresses(serving.ask("www.example.com")) == [GOOD]
    assert door.upstream.transports == {"tls": 1}
    assert door.shown == [("dns.example", "dot", "TLSv1.3")]


def test_a_lesson_s_questions_share_one_connection(serve: Serve, door: TlsDoor) -> None:
    with serve() as serving, serving.stub() as stub:
        for number in range(BELL):
            stub.send(a_query(f"n{number}.example.com", message_id=number))
        assert {int.from_bytes(stub.receive()[:2]) for _ in range(BELL)} == set(range(BELL))
    assert door.handshakes <= 2
    assert door.upstream.transports == {"tls": BELL}


def test_what_must_be_blocked_is_blocked_whichever_way_it_came(serve: Serve, door: TlsDoor) -> None:
    door.upstream.add(
        "porn.example. 300 IN A 198.18.0.66", "cloak.example. 300 IN CNAME porn.example."
    )
    with serve() as serving:
        for name in ("porn.example", "cloak.example"):
            assert addresses(serving.ask(name)) == []
    assert door.upstream.asked == ["cloak.example A"]


# Strict: it proves its name, or it is not asked.

IMPOSTORS: dict[str, Callable[[Authority], Certificate]] = {
    "another name": lambda authority: authority.issue("other.example"),
    "expired": lambda authority: authority.issue(from_days=-2, until_days=-1),
    "not valid yet": lambda authority: authority.issue(from_days=1, until_days=2),
    "self-signed": lambda authority: authority.self_signed(),
}


@pytest.fixture(params=list(IMPOSTORS.values()), ids=list(IMPOSTORS))
def impostor(request: pytest.FixtureRequest, door: TlsDoor, authority: Authority) -> TlsDoor:
    door.show(request.param(authority))
    return door


def test_strict_asks_an_impostor_nothing_and_sends_nothing_in_clear(
    serve: Serve, impostor: TlsDoor
) -> None:
    with serve() as serving:
        response = serving.ask("www.example.com")
        assert response.rcode() == dns.rcode.SERVFAIL
        assert ede_codes(response) & {22, 23}
    assert impostor.upstream.transports == {}


def test_control_without_verification_an_impostor_would_be_asked(
    serve: Serve, impostor: TlsDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_trust, "_strict", tls_trust._opportunistic)
    with serve() as serving:
        assert addresses(serving.ask("www.example.com")) == [GOOD]
    assert impostor.upstream.transports == {"tls": 1}


def test_an_impostor_that_is_replaced_by_the_true_server_is_asked(
    serve: Serve, door: TlsDoor, authority: Authority
) -> None:
    with serve() as serving:
        door.show(authority.issue("other.example"))
        assert serving.ask("www.example.com").rcode() == dns.rcode.SERVFAIL
        door.show(door.certificate)
        serving.clock.advance(1)
        assert addresses(serving.ask("www.example.com", "AAAA")) == ["2001:2::1"]


def test_strict_never_falls_back(serve: Serve, door: TlsDoor) -> None:
    door.stop()
    with serve() as serving:
        assert serving.ask("www.example.com").rcode() == dns.rcode.SERVFAIL
    door.start()
    assert door.upstream.transports == {}


def test_opportunistic_falls_back_to_the_way_in_clear(serve: Serve, door: TlsDoor) -> None:
    door.stop()
    with serve(Tls.OPPORTUNISTIC) as serving:
        assert addresses(serving.ask("www.example.com")) == [GOOD]
    door.start()
    assert door.upstream.transports == {"udp": 1}


def test_opportunistic_goes_by_tls_where_it_can(serve: Serve, impostor: TlsDoor) -> None:
    with serve(Tls.OPPORTUNISTIC) as serving:
        assert addresses(serving.ask("www.example.com")) == [GOOD]
    assert impostor.upstream.transports == {"tls": 1}


# Servers that behave oddly.


def test_a_server_may_close_after_each_answer(serve: Serve, door: TlsDoor) -> None:
    door.answers_a_connection = 1
    with serve() as serving:
        for number in range(5):
            assert serving.ask(f"n{number}.example.com").rcode() == dns.rcode.NXDOMAIN
    assert door.handshakes == 5


def test_a_server_may_answer_the_last_question_first(serve: Serve, door: TlsDoor) -> None:
    door.upstream.add(
        *(f"n{number}.example.com. 300 IN A 198.18.0.{number}" for number in range(4))
    )
    door.batch = 4
    with serve() as serving, serving.stub() as stub:
        for number in range(4):
            stub.send(a_query(f"n{number}.example.com", message_id=number))
        answers = [dns.message.from_wire(stub.receive()) for _ in range(4)]
    assert {answer.id: addresses(answer) for answer in answers} == {
        n: [f"198.18.0.{n}"] for n in range(4)
    }


GARBAGE = {
    "noise in frames": (b"\0\x20" + b"\xff" * 32) * 20,
    "no frames": b"\0\0" * 50,
    "a frame without end": b"\xff\xff" + b"\0" * 20_000,
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_no_answer_and_does_not_last(
    serve: Serve, door: TlsDoor, garbage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.frames = garbage
    with serve() as serving:
        with monkeypatch.context() as soon:
            soon.setattr(exchange, "DEADLINE_S", 0.5)
            assert serving.ask("www.example.com").rcode() == dns.rcode.SERVFAIL
        door.frames = None
        door.end_connections()
        serving.clock.advance(1)
        assert addresses(serving.ask("www.example.com", "AAAA")) == ["2001:2::1"]
    assert set(door.upstream.transports) == {"tls"}


def test_lies_before_the_truth_are_passed_over(serve: Serve, door: TlsDoor) -> None:
    def lying(query: dns.message.Message) -> list[dns.message.Message | bytes]:
        truth = dns.message.make_response(query)
        truth.answer.append(dns.rrset.from_text(query.question[0].name, 300, "IN", "A", GOOD))
        other = dns.message.make_query("evil.example", "A", id=query.id)
        wrong_id = dns.message.make_response(query)
        wrong_id.id ^= 0x8000
        return [dns.message.make_response(other), wrong_id, b"\xff" * 3, truth]

    door.upstream.respond = lying
    with serve() as serving:
        assert addresses(serving.ask("www.example.com")) == [GOOD]


def test_a_server_that_never_answers_is_a_failure_in_time(
    serve: Serve, door: TlsDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve() as serving:
        assert addresses(serving.ask("www.example.com")) == [GOOD]  # so it has connected
        monkeypatch.setattr(exchange, "DEADLINE_S", 0.3)
        door.upstream.silent.set()
        assert serving.ask("www.example.com", "AAAA").rcode() == dns.rcode.SERVFAIL
    assert set(door.upstream.transports) == {"tls"}


# The answer of a trusted server.


def _validated(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.flags |= dns.flags.AD
    response.answer.append(dns.rrset.from_text(query.question[0].name, 300, "IN", "A", GOOD))
    return response


@pytest.mark.parametrize("trusted", [True, False])
def test_what_a_trusted_server_validated_is_passed_on(
    serve: Serve, door: TlsDoor, trusted: bool
) -> None:
    door.upstream.respond = _validated
    with serve(trusted=trusted) as serving:
        response = serving.ask("www.example.com", ad=True)
        assert bool(response.flags & dns.flags.AD) == trusted


# While the time is not known.


def _at(serving: Serving, wall: float) -> None:
    serving.clock._wall = wall


def test_time_servers_are_asked_for_in_clear_before_the_clock_is_known(
    serve: Serve, door: TlsDoor, authority: Authority
) -> None:
    door.upstream.add("time.example. 86400 IN A 198.18.0.123")
    door.show(authority.issue(from_days=1, until_days=2))  # as every certificate is in 1970
    with serve() as serving:
        _at(serving, 0.0)
        assert addresses(serving.ask("time.example")) == ["198.18.0.123"]
        assert serving.ask("www.example.com").rcode() == dns.rcode.SERVFAIL
        assert door.upstream.asked == ["time.example A"]
        assert door.upstream.transports == {"udp": 1}


def test_once_the_clock_is_known_all_goes_by_tls_and_nothing_learned_in_clear_is_used(
    serve: Serve, door: TlsDoor
) -> None:
    door.upstream.add("time.example. 86400 IN A 198.18.0.66")
    with serve() as serving:
        _at(serving, 0.0)
        assert addresses(serving.ask("time.example")) == ["198.18.0.66"]
        door.upstream.records["time.example A"] = ["time.example. 300 IN A 198.18.0.123"]
        _at(serving, RELEASED_AT)
        assert addresses(serving.ask("time.example")) == ["198.18.0.123"]
    assert door.upstream.transports == {"udp": 1, "tls": 1}


def test_a_plain_answer_of_a_trusted_server_is_not_authentic(serve: Serve, door: TlsDoor) -> None:
    door.upstream.respond = _validated
    with serve(trusted=True) as serving:
        _at(serving, 0.0)
        assert not serving.ask("time.example", ad=True).flags & dns.flags.AD
    assert door.upstream.transports == {"udp": 1}


if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    Serve = Callable[..., AbstractContextManager[Serving]]
