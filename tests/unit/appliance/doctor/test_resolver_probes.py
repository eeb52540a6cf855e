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

from filterd.appliance.doctor import resolver_probes
from filterd.appliance.doctor.probe import UnseenError
from filterd.appliance.doctor.resolver_probes import answers, canaries, port, upstreams
from filterd.appliance.stub_query import SIGNED
from filterd.policy.model import ListenAddress, Tls, UpstreamServer
from filterd.texts.i18n import say
from tests.support.examined import CLEAN, FOUND, UNSEEN, examined, look, outcomes
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.appliance.doctor.probe import ExaminedSite
    from filterd.policy.model import Policy
    from tests.support.upstream import FakeUpstream


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


def test_the_daemon_has_root_ask_this_machine_only(tmp_path: Path, upstream: FakeUpstream) -> None:
    status = _listening(upstream.port)
    status["listen"] += [{"address": one, "port": 53} for one in ("192.0.2.1", "2001:db8::1")]
    (found,) = look(answers, examined(tmp_path, status=status))
    assert found.text == "it answers on 1 address"


def test_what_is_connected_to_is_named_by_the_files_and_not_by_what_is_in_force(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    by_the_daemon = replace(a_policy(), upstreams=(UpstreamServer("192.0.2.1"),))
    named = replace(a_policy(), upstreams=(UpstreamServer("127.0.0.1", upstream.port),))
    site = examined(tmp_path, policy_or_why=by_the_daemon, named_or_why=named)
    assert [one.address for one in site.upstreams] == ["127.0.0.1"]
    wrong = examined(tmp_path, policy_or_why=by_the_daemon, named_or_why=say("a key is unknown"))
    with pytest.raises(UnseenError, match="a key is unknown"):
        look(upstreams, wrong)


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
        ("198.18.0.80", "", CLEAN),
        ("198.18.0.80", "198.18.0.99", FOUND),
        ("198.18.0.80", "198.18.0.80", FOUND),
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
    upstream.respond = _resolver("198.18.0.80")
    policy = a_policy(upstreams=(UpstreamServer("127.0.0.1", upstream.port, trusted=True),))
    assert outcomes(upstreams, examined(tmp_path, policy_or_why=policy)) == [FOUND]


def test_one_without_tls_is_found_and_is_asked_in_clear(tmp_path: Path) -> None:
    policy = a_policy(upstreams=(UpstreamServer("127.0.0.1", 1, Tls.OPPORTUNISTIC),))
    assert len(look(upstreams, examined(tmp_path, policy_or_why=policy))) == 2


def test_no_upstream_is_found(tmp_path: Path) -> None:
    assert outcomes(upstreams, examined(tmp_path, policy_or_why=a_policy(upstreams=()))) == [FOUND]


def _tested(folder: Path, *rows: tuple[str, str, str]) -> list[Any]:
    """Return the findings on the rows of a self-test: tier, category, outcome."""
    keys = ("tier", "category", "outcome")
    answer = {"rows": [dict(zip(keys, row, strict=True)) for row in rows]}
    return look(canaries, examined(folder, ask_daemon=lambda *_, **__: answer))


def test_categories_that_are_blocked_for_each_tier_are_clean(tmp_path: Path) -> None:
    (one,) = _tested(tmp_path, ("primary", "games", "passed"), ("staff", "porn", "unknown"))
    assert (one.outcome, one.text) == (
        CLEAN,
        "a listed name of 1 category is blocked for each tier that it is closed to",
    )


def test_a_category_that_is_open_is_found_with_its_tiers(tmp_path: Path) -> None:
    failed = [(tier, "porn", "failed") for tier in ("staff", "primary")]
    (one,) = _tested(tmp_path, *failed, ("staff", "games", "passed"))
    assert one.outcome is FOUND
    assert one.text == "a listed name of 'porn' is not blocked for staff, primary"


def test_without_a_listed_name_nothing_is_seen(tmp_path: Path) -> None:
    (one,) = _tested(tmp_path, ("primary", "games", "unknown"))
    assert one.outcome is UNSEEN
