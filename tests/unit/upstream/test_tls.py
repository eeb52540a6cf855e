# SPDX-License-Identifier: Apache-2.0
"""Questions by TLS to a real server on loopback, on both event loops."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import dns.flags
import dns.message
import dns.rdatatype
import pytest
import uvloop

from filterd.base.errors import (
    UpstreamMalformedError,
    UpstreamOverloadError,
    UpstreamUnreachableError,
)
from filterd.policy.model import Tls, UpstreamServer
from filterd.upstream import Forwarder, Route, UpstreamQuestion, tls, tls_trust
from filterd.upstream.tls import IDLE_S, STALL_S, TlsConnection, TlsConnections
from filterd.wire import Deframer
from tests.support.clock import FakeClock
from tests.support.policies import wire
from tests.support.serving import WITHIN_S, open_sockets

if TYPE_CHECKING:
    from filterd.wire import ParsedResponse
    from tests.support.tls import Authority, Certificate, TlsDoor
    from tests.support.upstream import FakeUpstream


QUESTION = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.A, do=False, cd=False)
OTHER = UpstreamQuestion(wire("mail.example.com"), dns.rdatatype.A, do=False, cd=False)


class Wire(asyncio.Transport):
    """Keeps what is written, and reports its end as asyncio does."""

    def __init__(self, connection: TlsConnection) -> None:
        super().__init__()
        self.queries: list[dns.message.Message] = []
        self.written: list[bytes] = []
        self.writes = 0
        self.goodbyes = 0
        self._connection = connection
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        for message in Deframer().feed(bytes(data)):
            self.written.append(message)
            self.queries.append(dns.message.from_wire(message))
        self.writes += 1

    def is_closing(self) -> bool:
        return self._is_closing

    def abort(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            asyncio.get_running_loop().call_soon(self._connection.connection_lost, None)

    def close(self) -> None:
        self.goodbyes += 1
        self.abort()


class World:
    """A connection, the time, and what lies on the wire."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.counters: Counter[str] = Counter()
        self.ended: list[TlsConnection] = []
        self.connection = TlsConnection(self.clock, self.counters, self.ended.append)
        self.wire = Wire(self.connection)
        self.connection.connection_made(self.wire)

    def ask(
        self, question: UpstreamQuestion = QUESTION, *, edns: bool = True
    ) -> asyncio.Future[ParsedResponse | None]:
        """Ask; what is asked is written when the loop turns, here at once."""
        waiter = self.connection.ask(question, edns=edns)
        self.connection._flush()
        return waiter

    def answer(self, *positions: int) -> None:
        """Send the answers to the questions at these positions."""
        answers = [
            dns.message.make_response(self.wire.queries[position]).to_wire()
            for position in positions
        ]
        self.say(*answers)

    def say(self, *messages: bytes) -> None:
        self.connection.data_received(
            b"".join(len(message).to_bytes(2) + message for message in messages)
        )

    def tick(self, after_s: float = 0.0) -> None:
        self.clock.advance(after_s)
        assert self.connection._timer is not None
        self.connection._timer.cancel()
        self.connection._tick()


def in_a_world(test: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        world = World()
        await test(world)
        world.connection.close()
        await settled()
        assert world.ended == [world.connection]

    asyncio.run(main())


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def test_answers_may_come_in_any_order_and_in_pieces_of_any_size() -> None:
    async def test(world: World) -> None:
        first, second = world.ask(), world.ask(OTHER)
        answers = [dns.message.make_response(query).to_wire() for query in world.wire.queries]
        stream = b"".join(len(answer).to_bytes(2) + answer for answer in reversed(answers))
        for octet in stream:
            world.connection.data_received(bytes([octet]))
        one, other = await first, await second
        assert one is not None
        assert other is not None
        assert (one.question, other.question) != (None, None)
        assert one.message == answers[0]
        assert other.message == answers[1]

    in_a_world(test)


def test_a_query_is_padded_to_whole_blocks() -> None:
    async def test(world: World) -> None:
        world.ask()
        world.ask(edns=False)
        padded, bare = world.wire.written
        assert len(padded) % 128 == 0
        assert len(bare) < 128

    in_a_world(test)


def test_what_is_asked_in_one_turn_of_the_loop_is_written_at_once() -> None:
    async def test(world: World) -> None:
        for _ in range(5):
            world.connection.ask(QUESTION, edns=True)
        assert world.wire.writes == 0
        await settled()
        assert (world.wire.writes, len(world.wire.queries)) == (1, 5)

    in_a_world(test)


def test_no_two_outstanding_questions_have_one_id(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter([7, 7, 7, 8, 7, 8, 9])
    monkeypatch.setattr(tls, "new_id", lambda: next(ids))

    async def test(world: World) -> None:
        for _ in range(3):
            world.ask()
        assert [query.id for query in world.wire.queries] == [7, 8, 9]

    in_a_world(test)


def _of_another_id(query: dns.message.Message) -> bytes:
    response = dns.message.make_response(query)
    response.id ^= 1
    return response.to_wire()


def _to_another_question(query: dns.message.Message) -> bytes:
    other = dns.message.make_query("evil.example", "A", id=query.id)
    return dns.message.make_response(other).to_wire()


BAD: dict[str, Callable[[dns.message.Message], bytes]] = {
    "another ID": _of_another_id,
    "another question": _to_another_question,
    "a query": lambda query: query.to_wire(),
    "garbage": lambda query: query.id.to_bytes(2) + b"\xff" * 30,
    "one octet": lambda _: b"\0",
    "half a message": lambda query: dns.message.make_response(query).to_wire()[:20],
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_what_answers_nothing_is_counted_and_waiting_goes_on(
    bad: Callable[[dns.message.Message], bytes],
) -> None:
    async def test(world: World) -> None:
        waiter = world.ask()
        world.say(bad(world.wire.queries[0]))
        await settled()
        assert not waiter.done()
        assert world.counters == {"mismatched": 1}
        world.answer(0)
        assert await waiter is not None

    in_a_world(test)


def test_many_messages_that_answer_nothing_end_the_connection() -> None:
    async def test(world: World) -> None:
        waiter = world.ask()
        world.say(*[b"\xff" * 12] * 1_000)
        assert await waiter is None
        assert world.counters == {"mismatched": 10, "tls_lost": 1}
        assert "match no question" in world.connection.ending

    in_a_world(test)


def test_a_stream_that_is_no_dns_ends_the_connection() -> None:
    async def test(world: World) -> None:
        waiter = world.ask()
        world.connection.data_received(b"\0\0")
        assert await waiter is None
        assert "not send a DNS message" in world.connection.ending

    in_a_world(test)


def test_a_message_that_never_ends_takes_no_more_memory_than_one_may_have() -> None:
    async def test(world: World) -> None:
        world.ask()
        for _ in range(100):
            world.connection.data_received(b"\xff" * 60_000)
            assert world.connection._deframer.pending < 2 * 65_537

    in_a_world(test)


def test_the_end_of_the_connection_reaches_all_that_wait() -> None:
    async def test(world: World) -> None:
        waiters = [world.ask(), world.ask(OTHER)]
        world.connection.connection_lost(ConnectionResetError(104, "Connection reset"))
        assert await asyncio.gather(*waiters) == [None, None]
        assert "Connection reset" in world.connection.ending
        assert await world.ask() is None
        assert not world.connection.takes_questions

    asyncio.run(_without_close(test))


async def _without_close(test: Callable[[World], Awaitable[None]]) -> None:
    await test(World())


def test_a_question_given_up_is_no_longer_waited_for_and_a_late_answer_is_no_fault() -> None:
    async def test(world: World) -> None:
        gone, waiter = world.ask(), world.ask(OTHER)
        gone.cancel()
        await settled()
        assert world.connection.waiting == 1
        world.answer(0, 1)
        assert await waiter is not None
        assert (world.connection.waiting, world.counters["mismatched"]) == (0, 0)

    in_a_world(test)


def test_a_connection_on_which_many_answers_never_came_takes_no_more_and_is_closed() -> None:
    async def test(world: World) -> None:
        for _ in range(100):
            assert world.connection.takes_questions
            world.ask().cancel()
            await settled()
        assert not world.connection.takes_questions
        world.tick()
        assert world.wire.goodbyes == 1

    in_a_world(test)


def test_a_server_silent_for_long_is_given_up() -> None:
    async def test(world: World) -> None:
        waiter = world.ask()
        world.tick(STALL_S - 0.1)
        assert not waiter.done()
        world.tick(0.1)
        assert await waiter is None
        assert world.connection.ending == "it does not answer"

    in_a_world(test)


def test_a_server_that_answers_others_is_only_slow() -> None:
    async def test(world: World) -> None:
        waiter = world.ask()
        for _ in range(5):
            world.tick(STALL_S - 0.1)
            world.ask(OTHER)
            world.answer(-1)
        assert not waiter.done()

    in_a_world(test)


def test_a_question_after_a_pause_has_its_whole_time() -> None:
    async def test(world: World) -> None:
        world.tick(STALL_S + 1)
        waiter = world.ask()
        world.tick(STALL_S - 0.1)
        assert not waiter.done()

    in_a_world(test)


def test_an_unused_connection_is_closed_politely() -> None:
    async def test(world: World) -> None:
        world.ask()
        world.answer(0)
        world.tick(IDLE_S - 0.1)
        assert world.connection.takes_questions
        world.tick(0.1)
        assert (world.connection.takes_questions, world.wire.goodbyes) == (False, 1)

    in_a_world(test)


def test_the_tick_goes_on_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "TICK_S", 0.001)

    async def test(world: World) -> None:
        waiter = world.ask()
        world.clock.advance(STALL_S)
        assert await asyncio.wait_for(waiter, 10) is None

    in_a_world(test)


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
    """Let time pass: enough to try a server that failed again, or as much as given."""
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


def test_simultaneous_questions_share_one_handshake_and_later_ones_too(
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
    """Make the server an impostor; return the reason that filterd must give."""
    make, reason = request.param
    door.show(make(authority))
    return str(reason)


def test_strict_sends_nothing_to_a_server_that_does_not_prove_its_name(
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


def test_opportunistic_takes_any_server_that_answers(run: Run, door: TlsDoor, reason: str) -> None:
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
    monkeypatch.setattr(tls, "TICK_S", 0.01)

    async def test(asking: TlsConnections) -> None:
        await ask(asking, door.server())
        door.upstream.silent.set()
        asked = asyncio.ensure_future(ask(asking, door.server()))
        await asyncio.to_thread(door.upstream.wait_until_asked, 2)
        door.upstream.silent.clear()
        later(asking, tls.STALL_S)
        await asked
        assert asking.counters == {"tls_connected": 2, "tls_lost": 1}

    run(test)


def test_an_unused_connection_is_closed_and_the_next_question_opens_another(
    run: Run, door: TlsDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "TICK_S", 0.01)

    async def test(asking: TlsConnections) -> None:
        await ask(asking, door.server())
        later(asking, tls.IDLE_S)
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


def test_giving_up_during_the_handshake_ends_it_for_no_other_question(
    run: Run, door: TlsDoor
) -> None:
    async def test(asking: TlsConnections) -> None:
        asked = [asyncio.ensure_future(ask(asking, door.server())) for _ in range(3)]
        await asyncio.sleep(0)
        asked[0].cancel()
        assert len(await asyncio.gather(*asked[1:])) == 2

    run(test)
    assert door.handshakes == 1


def test_giving_up_on_an_answer_takes_it_from_no_other_question(run: Run, door: TlsDoor) -> None:
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
def test_when_filterd_stops_waiting_questions_get_an_error(
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


def test_more_questions_than_a_server_may_have_fail_with_a_reason(
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


# What people read.


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
    records = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in records] == ["WARNING", "WARNING", "INFO"]
    assert "'dns.example'" in records[0][1]


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


def test_without_tls_servers_the_module_is_not_loaded() -> None:
    """``asyncio`` and ``uvloop`` import the standard library's part themselves."""
    code = "import sys, filterd.resolve.pipeline; print([m for m in sys.modules if '.tls' in m])"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == "[]"
