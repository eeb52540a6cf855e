# SPDX-License-Identifier: Apache-2.0
"""Questions of a stub to a real server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from filterd.appliance import stub_query
from filterd.appliance.stub_query import SIGNED, UpstreamTrial, addresses_in, ask, attempt
from filterd.policy.model import Tls, UpstreamServer
from tests.support.tls import NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.tls import TlsDoor
    from tests.support.upstream import FakeUpstream


def test_an_answer_has_its_addresses(upstream: FakeUpstream) -> None:
    answer = asyncio.run(ask("127.0.0.1", upstream.port, "www.example.com", source="127.0.0.2"))
    assert addresses_in(answer) == {bytes((198, 18, 0, 1))}


def test_a_lost_question_is_repeated(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stub_query, "AGAIN_AFTER_S", 0.05)
    known, lost = upstream.records, []

    def once_silent(query: object) -> object:
        lost.append(query)
        if len(lost) == 1:
            return None
        upstream.respond = None
        return upstream._from_records(query, "www.example.com")  # type: ignore[arg-type]

    assert known
    upstream.respond = once_silent  # type: ignore[assignment]
    answer = asyncio.run(ask("127.0.0.1", upstream.port, "www.example.com"))
    assert addresses_in(answer)
    assert len(lost) == 2


def test_a_source_that_is_not_of_this_machine_is_an_error(upstream: FakeUpstream) -> None:
    with pytest.raises(OSError, match="assign"):
        asyncio.run(ask("127.0.0.1", upstream.port, "www.example.com", source="192.0.2.77"))


def _world(
    known: str = "198.18.0.80", invented: str = "", *, validates: bool = True
) -> Callable[[dns.message.Message], dns.message.Message]:
    """Return a resolver that knows one name, and has an address for all others or none."""

    def respond(query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query, recursion_available=True)
        is_known = query.question[0].name.to_text(omit_final_dot=True) == SIGNED
        address = known if is_known else invented
        if address:
            answer.answer.append(
                dns.rrset.from_text(query.question[0].name, 60, "IN", "A", address)
            )
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        if validates:
            answer.flags |= dns.flags.AD
        return answer

    return respond


def _tried(upstream: FakeUpstream, within_s: float = 5.0) -> UpstreamTrial:
    server = UpstreamServer("127.0.0.1", upstream.port)
    return asyncio.run(attempt(server, within_s=within_s))


def test_an_honest_upstream_that_validates(upstream: FakeUpstream) -> None:
    upstream.respond = _world()
    trial = _tried(upstream)
    assert (trial.problem, trial.validates) == ("", True)
    assert not trial.rewrites_nxdomain
    assert not trial.is_captive
    assert trial.rtt_ms is not None


def test_one_that_does_not_validate(upstream: FakeUpstream) -> None:
    upstream.respond = _world(validates=False)
    assert not _tried(upstream).validates


def test_one_that_gives_names_an_address_that_do_not_exist(upstream: FakeUpstream) -> None:
    upstream.respond = _world(invented="198.18.0.99")
    trial = _tried(upstream)
    assert trial.rewrites_nxdomain
    assert not trial.is_captive


def test_a_captive_portal_has_one_address_for_all_names(upstream: FakeUpstream) -> None:
    upstream.respond = _world(invented="198.18.0.80")
    assert _tried(upstream).is_captive


def test_a_captive_portal_has_an_address_of_its_own_network(upstream: FakeUpstream) -> None:
    upstream.respond = _world(known="10.0.0.1")
    assert _tried(upstream).is_captive


def test_one_that_is_silent(upstream: FakeUpstream) -> None:
    upstream.silent.set()
    assert _tried(upstream, within_s=0.05).problem == "it does not answer"


def test_one_that_refuses(upstream: FakeUpstream) -> None:
    def respond(query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.set_rcode(dns.rcode.REFUSED)
        return answer

    upstream.respond = respond
    assert _tried(upstream).problem == "it answers with the error REFUSED"


def test_a_closed_port_is_named() -> None:
    server = UpstreamServer("127.0.0.1", 1)
    assert asyncio.run(attempt(server)).problem == "Connection refused"


def test_what_answers_nothing_is_no_answer(upstream: FakeUpstream) -> None:
    upstream.respond = lambda _: b"\0" * 12
    assert _tried(upstream, within_s=0.05).problem == "it does not answer"


def test_by_tls_the_name_is_proved(door: TlsDoor, upstream: FakeUpstream) -> None:
    upstream.respond = _world()
    server = UpstreamServer("127.0.0.1", door.port, Tls.STRICT, NAME)
    assert asyncio.run(attempt(server)).problem == ""
    wrong = asyncio.run(attempt(replace(server, tls_name="other.example")))
    assert "other.example" in wrong.problem
