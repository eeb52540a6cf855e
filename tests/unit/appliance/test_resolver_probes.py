# SPDX-License-Identifier: Apache-2.0
"""Faults of the resolver: a port that another holds, silence, upstreams that lie, open names."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dns.edns
import dns.message
import dns.rcode
import dns.rrset
import pytest

from filterd.appliance import resolver_probes, stub_query
from filterd.appliance.finding import UnseenError
from filterd.appliance.resolver_probes import answers, canaries, port, upstreams
from filterd.appliance.upstream_trial import SIGNED
from filterd.i18n import say
from filterd.policy.model import ListenAddress, Tls, UpstreamServer
from tests.support.examined import CLEAN, FOUND, UNSEEN, examined, look, outcomes
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.appliance.examined_site import ExaminedSite
    from filterd.policy.model import Policy
    from tests.support.upstream import FakeUpstream

CANARIES = {"porn": ("porn.example",), "games": ("gone.example", "games.example")}


def _listening(number: int) -> dict[str, Any]:
    return {"pid": os.getpid(), "listen": [{"address": "127.0.0.1", "port": number}]}


def _stopped(folder: Path, policy: Policy) -> ExaminedSite:
    no_daemon = say("filterd is not running")
    return examined(folder, policy_or_why=policy, status_or_why=no_daemon, is_running=False)


def test_a_port_that_another_program_holds(tmp_path: Path) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        number = opened.getsockname()[1]
        policy = replace(a_policy(), listen=(ListenAddress("127.0.0.1", number),))
        site = examined(
            tmp_path, policy_or_why=policy, status_or_why=say("no daemon"), is_running=False
        )
        (found,) = look(port, site)
        assert found.outcome is FOUND
        assert f"process {os.getpid()}" in found.text
        assert found.remedy
        running = examined(tmp_path, policy_or_why=policy, status=_listening(number))
        assert outcomes(port, running) == [CLEAN]
    assert outcomes(port, site) == [CLEAN]


def test_a_holder_that_only_root_sees_is_unseen(tmp_path: Path) -> None:
    status = {"pid": 1, "listen": [{"address": "127.0.0.1", "port": 53}]}
    assert outcomes(port, examined(tmp_path, status=status, root=tmp_path)) == [UNSEEN]


def test_a_port_on_another_address_is_free(tmp_path: Path) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.2", 0))
        listen = (ListenAddress("127.0.0.1", opened.getsockname()[1]),)
        policy = replace(a_policy(), listen=listen)
        site = examined(
            tmp_path, policy_or_why=policy, status_or_why=say("no daemon"), is_running=False
        )
        assert outcomes(port, site) == [CLEAN]


def test_an_answer_on_each_address(tmp_path: Path, upstream: FakeUpstream) -> None:
    assert outcomes(answers, examined(tmp_path, status=_listening(upstream.port))) == [CLEAN]


def test_silence_is_found(
    tmp_path: Path, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver_probes, "ANSWER_WITHIN_S", 0.05)
    upstream.silent.set()
    (found,) = look(answers, examined(tmp_path, status=_listening(upstream.port)))
    assert found.text == f"no answer on 127.0.0.1 port {upstream.port}"


def test_no_daemon_is_found(tmp_path: Path) -> None:
    site = examined(tmp_path, status_or_why=say("not running"), is_running=False)
    assert outcomes(answers, site) == [FOUND]


def test_a_daemon_that_this_user_may_not_ask_is_unseen(tmp_path: Path) -> None:
    with pytest.raises(UnseenError, match="may not ask"):
        look(answers, examined(tmp_path, status_or_why=say("you may not ask")))


def _resolver(
    known: str, invented: str = ""
) -> Callable[[dns.message.Message], dns.message.Message]:
    def respond(query: dns.message.Message) -> dns.message.Message:
        answer, name = dns.message.make_response(query), query.question[0].name
        address = known if name.to_text(omit_final_dot=True) == SIGNED else invented
        if address:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", address))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer

    return respond


@pytest.mark.parametrize(
    ("known", "invented", "outcome"),
    [
        ("192.0.2.80", "", CLEAN),
        ("192.0.2.80", "192.0.2.99", FOUND),
        ("192.0.2.80", "192.0.2.80", FOUND),
        ("10.0.0.1", "", FOUND),
    ],
)
def test_an_upstream_that_lies_is_found(
    tmp_path: Path, upstream: FakeUpstream, known: str, invented: str, outcome: str
) -> None:
    upstream.respond = _resolver(known, invented)
    policy = a_policy(upstreams=(UpstreamServer("127.0.0.1", upstream.port),))
    assert outcomes(upstreams, examined(tmp_path, policy_or_why=policy)) == [outcome]


def test_one_that_is_trusted_must_validate(tmp_path: Path, upstream: FakeUpstream) -> None:
    upstream.respond = _resolver("192.0.2.80")
    policy = a_policy(upstreams=(UpstreamServer("127.0.0.1", upstream.port, trusted=True),))
    assert outcomes(upstreams, examined(tmp_path, policy_or_why=policy)) == [FOUND]


def test_one_without_tls_is_found_and_is_asked_in_clear(tmp_path: Path) -> None:
    policy = a_policy(upstreams=(UpstreamServer("127.0.0.1", 1, Tls.OPPORTUNISTIC),))
    assert len(look(upstreams, examined(tmp_path, policy_or_why=policy))) == 2


def test_no_upstream_is_found(tmp_path: Path) -> None:
    assert outcomes(upstreams, examined(tmp_path, policy_or_why=a_policy(upstreams=()))) == [FOUND]


def _blocker(*open_names: str) -> Callable[[dns.message.Message], dns.message.Message]:
    """Return a resolver that blocks all names but these."""

    def respond(query: dns.message.Message) -> dns.message.Message:
        answer, name = dns.message.make_response(query), query.question[0].name
        if name.to_text(omit_final_dot=True) in open_names:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.7"))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
            answer.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode.FILTERED)])
        return answer

    return respond


def _ask(reason: str = "category", action: str = "nxdomain") -> Callable[..., Any]:
    """Return a daemon whose lists have all names but one."""

    def ask(command: str, *, qname: str, **_: Any) -> Any:
        if command == "lists-search":
            return [] if b"gone" in bytes.fromhex(qname) else [{"list": "x"}]
        return {"action": action, "reason": reason, "changed_by": None}

    return ask


def _asked(folder: Path, upstream: FakeUpstream, ask: Callable[..., Any]) -> list[Any]:
    status = _listening(upstream.port)
    return outcomes(canaries, examined(folder, status=status, ask_daemon=ask, canaries=CANARIES))


def test_listed_names_that_are_blocked_are_clean(tmp_path: Path, upstream: FakeUpstream) -> None:
    upstream.respond = _blocker()
    assert _asked(tmp_path, upstream, _ask()) == [CLEAN]
    assert sorted(upstream.asked) == ["games.example A", "porn.example A"]


def test_one_that_is_answered_is_found_whatever_the_daemon_reports(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    upstream.respond = _blocker("porn.example")
    assert _asked(tmp_path, upstream, _ask()) == [FOUND]


def test_one_that_no_rule_of_the_school_opens_is_found(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    upstream.respond = _blocker("porn.example", "games.example")
    assert _asked(tmp_path, upstream, _ask("not-listed", "pass")) == [FOUND, FOUND]


def test_one_that_the_school_opens_is_no_fault(tmp_path: Path, upstream: FakeUpstream) -> None:
    assert _asked(tmp_path, upstream, _ask("local", "pass")) == [UNSEEN]


def test_an_age_opens_no_locked_category(tmp_path: Path, upstream: FakeUpstream) -> None:
    assert _asked(tmp_path, upstream, _ask("open", "pass")) == [FOUND]
    assert upstream.asked == ["porn.example A"], "games suit some ages"


def test_control_the_daemons_word_alone_hides_an_open_name(
    tmp_path: Path, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the question on the real socket, what ``check`` reports is all that is seen."""
    upstream.respond = _blocker("porn.example")
    monkeypatch.setattr(stub_query, "is_block", lambda _: True)
    assert _asked(tmp_path, upstream, _ask()) == [CLEAN]
