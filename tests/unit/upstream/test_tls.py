# SPDX-License-Identifier: Apache-2.0
"""Questions by TLS to a real server on loopback, on both event loops."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import dns.flags
import dns.message
import dns.rdatatype
import pytest
import uvloop

from filterd.errors import (
    UpstreamMalformedError,
    UpstreamOverloadError,
    UpstreamUnreachableError,
)
from filterd.policy.model import Tls, UpstreamServer
from filterd.upstream import Forwarder, Route, UpstreamQuestion, tls, tls_connection, tls_trust
from filterd.upstream.tls import TlsConnections
from tests.support.clock import FakeClock
from tests.support.policies import wire
from tests.support.serving import WITHIN_S, open_sockets

if TYPE_CHECKING:
    from filterd.wire import ParsedResponse
    from tests.support.tls import Authority, Certificate, TlsDoor
    from tests.support.upstream import FakeUpstream

Test: TypeAlias = Callable[[TlsConnections], Awaitable[None]]
Run: TypeAlias = Callable[[Test], None]


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a test and see that nothing is left open after it."""

    def running(test: Test) -> None:
        async def main() -> None:
            before = open_sockets()
            asking = TlsConnections(FakeClock())
            try:
                await asyncio.wait_for(test(asking), WITHIN_S)
            finally:
                asking.close()
            while open_sockets() > before:
                await asyncio.sleep(0.001)

        (uvloop.run if request.param == "uvloop" else asyncio.run)(main())

    return running


async def ask(
    asking: TlsConnections, server: UpstreamServer, name: str = "www.example.com"
) -> ParsedResponse:
    question = UpstreamQuestion(wire(name), dns.rdatatype.A, do=False, cd=False)
    return await asking.ask(server, question, edns=True)


async def ask_many(
    asking: TlsConnections, server: UpstreamServer, names: int
) -> list[ParsedResponse]:
    """Ask for as many names at once; see that each got its own answer."""
    asked = [f"n{number}.example.com" for number in range(names)]
    responses = await asyncio.gather(*[ask(asking, server, name) for name in asked])
    for name, response in zip(asked, responses, strict=True):
        assert response.question is not None
        assert response.question.qname == wire(name)
    return responses


def later(asking: TlsConnections, seconds: float = tls._AGAIN_AFTER_S) -> None:
    """Let time pass: enough to try a server that failed again, or as much as told."""
    assert isinstance(asking._clock, FakeClock)
    asking._clock.advance(seconds)


def test_a_question_is_answered(run: Run, door: TlsDoor) -> None:
    async def test(asking: TlsConnections) -> None:
        response = await ask(asking, door.server())
        assert len(response.records) == 1

    run(test)
    assert door.upstream.transports == {"tls": 1}
    assert door.shown == [("dns.example", "dot", "TLSv1.3")]
    assert len(door.upstream.raw[0]) % 128 == 0


def test_those_who_ask_at_once_share_one_handshake_and_those_after_them_too(
    run: Run, door: TlsDoor
) -> None:
    async def test(asking: TlsConnections) -> None:
        for _ in range(3):
            await ask_many(asking, door.server(), 50)
        assert asking.counters == {"tls_connected": 1}

    run(test)
    assert (door.handshakes, len(door.upstream.asked)) == (1, 150)


def test_questions_do_not_wait_for_one_another(run: Run, door: TlsDoor) -> None:
    door.batch = 5  # it reads five before it answers the last of them

    async def test(asking: TlsConnections) -> None:
        await ask_many(asking, door.server(), 5)

    run(test)
    assert door.handshakes == 1


def test_a_certificate_may_name_the_address_which_is_then_not_sent(
    run: Run, door: TlsDoor, authority: Authority
) -> None:
    door.show(authority.issue("127.0.0.1"))

    async def test(asking: TlsConnections) -> None:
        await ask(asking, door.server(name="127.0.0.1"))
        await ask(asking, door.server(name=""))

    run(test)
    assert [name for name, _, _ in door.shown] == [None, None]


# Who is not believed.

IMPOSTORS: dict[str, tuple[Callable[[Authority], Certificate], str]] = {
    "another name": (lambda a: a.issue("other.example"), "not for 'dns.example'"),
    "a name beneath": (lambda a: a.issue("a.dns.example"), "not for 'dns.example'"),
    "an address": (lambda a: a.issue("127.0.0.1"), "not for 'dns.example'"),
    "expired": (lambda a: a.issue(from_days=-2, until_days=-1), "has expired"),
    "not valid yet": (lambda a: a.issue(from_days=1, until_days=2), "not valid yet"),
    "self-signed": (lambda a: a.self_signed(), "no authority that this machine trusts"),
}


@pytest.fixture(params=list(IMPOSTORS.values()), ids=list(IMPOSTORS))
def reason(request: pytest.FixtureRequest, door: TlsDoor, authority: Authority) -> str:
    """Make the server an impostor; return what filterd must say of it."""
    make, reason = request.param
    door.show(make(authority))
    return str(reason)


def test_strict_asks_nothing_of_who_does_not_prove_its_name(
    run: Run, door: TlsDoor, reason: str
) -> None:
    async def test(asking: TlsConnections) -> None:
        with pytest.raises(UpstreamUnreachableError, match=reason):
            await ask(asking, door.server())
        assert asking.counters == {"tls_failed": 1}

    run(test)
    assert door.upstream.asked == []


def test_control_without_verification_an_impostor_would_be_asked(
    run: Run, door: TlsDoor, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reason
    monkeypatch.setattr(tls_trust, "_strict", tls_trust._opportunistic)

    async def test(asking: TlsConnections) -> None:
        await ask(asking, door.server())

    run(test)
    assert door.upstream.transports == {"tls": 1}


def test_strict_wants_the_address_that_it_asked_in_the_certificate(
    run: Run, door: TlsDoor, authority: Authority
) -> None:
    door.show(authority.issue("127.0.0.2"))

    async def test(asking: TlsConnections) -> None:
        with pytest.raises(UpstreamUnreachableError, match="not for '127"):
            await ask(asking, door.server(name="127.0.0.1"))

    run(test)
    assert door.upstream.asked == []


def test_an_authority_that_the_machine_does_not_trust_proves_nothing(
    run: Run, door: TlsDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")

    async def test(asking: TlsConnections) -> None:
        with pytest.raises(UpstreamUnreachableError, match="no authority that this machine trusts"):
            await ask(asking, door.server())

    run(test)
    assert door.upstream.asked == []


@pytest.mark.parametrize("name", [".", "a..b", "\0", "x" * 300, "*.example"])
def test_a_name_that_no_certificate_can_have_is_not_asked(
    run: Run, door: TlsDoor, name: str
) -> None:
    async def test(asking: TlsConnections) -> None:
        with pytest.raises(UpstreamUnreachableError):
            await ask(asking, door.server(name=name))

    run(test)
    assert door.upstream.asked == []


def test_opportunistic_takes_whoever_answers(run: Run, door: TlsDoor, reason: str) -> None:
    assert reason

    async def test(asking: TlsConnections) -> None:
        await ask(asking, door.server(Tls.OPPORTUNISTIC))

    run(test)
    assert door.upstream.transports == {"tls": 1}


# Who does not answer.


def test_a_server_that_does_not_listen_is_unreachable(run: Run, door: TlsDoor) -> None:
    door.stop()

    async def test(asking: TlsConnections) -> None:
        with pytest.raises(UpstreamUnreachableError, match="refuses connections"):
            await ask(asking, door.server())

    run(test)
    door.start()


def test_a_server_that_shakes_no_hands_is_unreachable(
    run: Run, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "CONNECTED_WITHIN_S", 0.05)
    in_clear = UpstreamServer(upstream.address, upstream.port, Tls.OPPORTUNISTIC)

    async def test(asking: TlsConnections) -> None:
        with pytest.raises(UpstreamUnreachableError, match="no TLS connection in time"):
            await ask(asking, in_clear)

    run(test)


def test_a_server_that_ends_each_connection_unanswered_is_unreachable(
    run: Run, door: TlsDoor
) -> None:
    door.frames, door.answers_a_connection = b"", 1

    async def test(asking: TlsConnections) -> None:
        with pytest.raises(UpstreamUnreachableError, match="closed the connection"):
            await ask(asking, door.server())

    run(test)
    assert door.handshakes == 2


@pytest.mark.parametrize("frames", [b"\0\x0c" + b"\xff" * 12, b"\0\0"], ids=["lies", "no frame"])
def test_a_server_that_floods_us_is_unreachable(run: Run, door: TlsDoor, frames: bytes) -> None:
    door.frames = frames * 5_000

    async def test(asking: TlsConnections) -> None:
        with pytest.raises(UpstreamUnreachableError):
            await ask(asking, door.server())
        assert asking.counters["mismatched"] <= 20
        assert asking.counters["tls_lost"] == 2

    run(test)


def test_a_server_that_fails_is_not_tried_again_for_each_question(
    run: Run, door: TlsDoor, authority: Authority
) -> None:
    door.show(authority.self_signed())

    async def test(asking: TlsConnections) -> None:
        for tried in (1, 2):
            for _ in range(10):
                with pytest.raises(UpstreamUnreachableError, match="no authority"):
                    await ask(asking, door.server())
            assert asking.counters["tls_failed"] == tried
            later(asking)

    run(test)


def test_an_answer_that_is_cut_is_malformed(run: Run, door: TlsDoor) -> None:
    def cut(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return response

    door.upstream.respond = cut

    async def test(asking: TlsConnections) -> None:
        with pytest.raises(UpstreamMalformedError):
            await ask(asking, door.server())

    run(test)


# Who closes, and who gives up.


def test_a_server_may_close_after_each_answer(run: Run, door: TlsDoor) -> None:
    door.answers_a_connection = 1

    async def test(asking: TlsConnections) -> None:
        for _ in range(3):
            await ask(asking, door.server())
        await ask_many(asking, door.server(), 10)

    run(test)
    assert door.handshakes == 13


def test_a_question_on_a_connection_that_dies_is_asked_again_unseen(
    run: Run, door: TlsDoor
) -> None:
    async def test(asking: TlsConnections) -> None:
        await ask(asking, door.server())
        door.upstream.silent.set()
        asked = asyncio.ensure_future(ask(asking, door.server()))
        await asyncio.to_thread(door.upstream.wait_until_asked, 2)
        door.upstream.silent.clear()
        await asyncio.to_thread(door.end_connections)
        await asked
        assert asking.counters == {"tls_connected": 2, "tls_lost": 1}

    run(test)


def test_a_connection_on_which_nothing_comes_any_more_is_replaced(
    run: Run, door: TlsDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_connection, "TICK_S", 0.01)

    async def test(asking: TlsConnections) -> None:
        await ask(asking, door.server())
        door.upstream.silent.set()
        asked = asyncio.ensure_future(ask(asking, door.server()))
        await asyncio.to_thread(door.upstream.wait_until_asked, 2)
        door.upstream.silent.clear()
        later(asking, tls_connection.STALL_S)
        await asked
        assert asking.counters == {"tls_connected": 2, "tls_lost": 1}

    run(test)


def test_a_connection_that_nobody_uses_is_closed_and_the_next_question_opens_another(
    run: Run, door: TlsDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_connection, "TICK_S", 0.01)

    async def test(asking: TlsConnections) -> None:
        await ask(asking, door.server())
        later(asking, tls_connection.IDLE_S)
        while door.connections:
            await asyncio.sleep(0.001)
        await ask(asking, door.server())
        assert asking.counters == {"tls_connected": 2}

    run(test)


def test_a_server_that_was_away_is_asked_again_when_it_is_back(run: Run, door: TlsDoor) -> None:
    async def test(asking: TlsConnections) -> None:
        await ask(asking, door.server())
        await asyncio.to_thread(door.stop)
        with pytest.raises(UpstreamUnreachableError):
            await ask(asking, door.server())
        door.start()
        later(asking)
        await ask(asking, door.server())

    run(test)


def test_who_gives_up_during_the_handshake_ends_it_for_nobody_else(run: Run, door: TlsDoor) -> None:
    async def test(asking: TlsConnections) -> None:
        asked = [asyncio.ensure_future(ask(asking, door.server())) for _ in range(3)]
        await asyncio.sleep(0)
        asked[0].cancel()
        assert len(await asyncio.gather(*asked[1:])) == 2

    run(test)
    assert door.handshakes == 1


def test_who_gives_up_on_an_answer_takes_it_from_nobody_else(run: Run, door: TlsDoor) -> None:
    async def test(asking: TlsConnections) -> None:
        door.upstream.released.clear()
        asked = [asyncio.ensure_future(ask(asking, door.server())) for _ in range(3)]
        await asyncio.to_thread(door.upstream.wait_until_asked)
        asked[0].cancel()
        door.upstream.released.set()
        await asyncio.gather(*asked[1:])
        assert asking.counters == {"tls_connected": 1}

    run(test)


@pytest.mark.parametrize("is_connected", [False, True])
def test_when_filterd_stops_who_waits_gets_an_error(
    run: Run, door: TlsDoor, is_connected: bool
) -> None:
    async def test(asking: TlsConnections) -> None:
        if is_connected:
            await ask(asking, door.server())
            door.upstream.silent.set()
        asked = asyncio.ensure_future(ask(asking, door.server()))
        await asyncio.sleep(0)
        asking.close()
        with pytest.raises(UpstreamUnreachableError):
            await asked
        with pytest.raises(UpstreamUnreachableError):
            await ask(asking, door.server())

    run(test)


# How much there may be.


def test_a_busy_server_gets_a_second_connection_and_no_third(
    run: Run, door: TlsDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "_BUSY", 3)
    door.upstream.released.clear()

    async def test(asking: TlsConnections) -> None:
        asked = []
        for number in range(12):
            asked.append(asyncio.ensure_future(ask(asking, door.server(), f"n{number}.example")))
            await asyncio.to_thread(door.wait_for_connections, 1 if number < 3 else 2)
        door.upstream.released.set()
        await asyncio.gather(*asked)

    run(test)
    assert door.handshakes == 2


def test_more_questions_than_a_server_may_have_are_told_so(
    run: Run, door: TlsDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "MOST_WAITING", 5)
    door.upstream.silent.set()

    async def test(asking: TlsConnections) -> None:
        asked = [asyncio.ensure_future(ask(asking, door.server())) for _ in range(5)]
        await asyncio.to_thread(door.upstream.wait_until_asked, 5)
        with pytest.raises(UpstreamOverloadError):
            await ask(asking, door.server())
        for one in asked:
            one.cancel()

    run(test)


# What people are told.


def test_what_is_wrong_is_logged_when_it_changes_and_not_for_each_question(
    run: Run, door: TlsDoor, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "filterd.upstream")
    good = door.certificate
    changes = [authority.issue("other.example"), authority.self_signed(), good, good]

    async def test(asking: TlsConnections) -> None:
        for certificate in changes:
            door.show(certificate)
            for _ in range(5):
                later(asking)
                await asyncio.gather(ask(asking, door.server()), return_exceptions=True)
            assert (asking.problem(door.server()) == "") == (certificate is good)

    run(test)
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in told] == ["WARNING", "WARNING", "INFO"]
    assert "'dns.example'" in told[0][1]


def test_a_forwarder_knows_what_is_wrong_with_a_server(door: TlsDoor) -> None:
    async def main() -> None:
        forwarder, server = Forwarder(FakeClock()), door.server(name="other.example")
        question = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.A, do=False, cd=False)
        assert forwarder.problem_of(server) == ""
        with pytest.raises(UpstreamUnreachableError):
            await forwarder.resolve(question._replace(route=Route((server,))))
        assert "not for 'other.example'" in forwarder.problem_of(server)
        assert forwarder.counters == {"tls": 1, "tls_failed": 1}
        forwarder.close()

    uvloop.run(main())


def test_who_asks_nobody_by_tls_does_not_carry_it() -> None:
    """``asyncio`` and ``uvloop`` import the standard library's part themselves."""
    code = "import sys, filterd.resolve.pipeline; print([m for m in sys.modules if '.tls' in m])"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == "[]"
