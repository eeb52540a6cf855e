# SPDX-License-Identifier: Apache-2.0
"""One connection, seen from both sides; output is kept instead of sent."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import dns.message
import dns.rdatatype
import pytest

from filterd.upstream import UpstreamQuestion, tls_connection
from filterd.upstream.tls_connection import IDLE_S, STALL_S, TlsConnection
from filterd.wire import Deframer
from tests.support.clock import FakeClock
from tests.support.policies import wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from filterd.wire import ParsedResponse

QUESTION = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.A, do=False, cd=False)
OTHER = UpstreamQuestion(wire("mail.example.com"), dns.rdatatype.A, do=False, cd=False)


class Wire(asyncio.Transport):
    """Keeps what is written, and tells of its end as asyncio does."""

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
        answers = [dns.message.make_response(self.wire.queries[one]).to_wire() for one in positions]
        self.say(*answers)

    def say(self, *messages: bytes) -> None:
        self.connection.data_received(b"".join(len(one).to_bytes(2) + one for one in messages))

    def tick(self, after_s: float = 0.0) -> None:
        self.clock.advance(after_s)
        assert self.connection._timer is not None
        self.connection._timer.cancel()
        self.connection._tick()


def run(test: Callable[[World], Awaitable[None]]) -> None:
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
        stream = b"".join(len(one).to_bytes(2) + one for one in reversed(answers))
        for octet in stream:
            world.connection.data_received(bytes([octet]))
        one, other = await first, await second
        assert one is not None
        assert other is not None
        assert (one.question, other.question) != (None, None)
        assert one.message == answers[0]
        assert other.message == answers[1]

    run(test)


def test_a_query_is_padded_to_whole_blocks() -> None:
    async def test(world: World) -> None:
        world.ask()
        world.ask(edns=False)
        padded, bare = world.wire.written
        assert len(padded) % 128 == 0
        assert len(bare) < 128

    run(test)


def test_what_is_asked_in_one_turn_of_the_loop_is_written_at_once() -> None:
    async def test(world: World) -> None:
        for _ in range(5):
            world.connection.ask(QUESTION, edns=True)
        assert world.wire.writes == 0
        await settled()
        assert (world.wire.writes, len(world.wire.queries)) == (1, 5)

    run(test)


def test_no_two_outstanding_questions_have_one_id(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter([7, 7, 7, 8, 7, 8, 9])
    monkeypatch.setattr(tls_connection, "new_id", lambda: next(ids))

    async def test(world: World) -> None:
        for _ in range(3):
            world.ask()
        assert [query.id for query in world.wire.queries] == [7, 8, 9]

    run(test)


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

    run(test)


def test_many_messages_that_answer_nothing_end_the_connection() -> None:
    async def test(world: World) -> None:
        waiter = world.ask()
        world.say(*[b"\xff" * 12] * 1_000)
        assert await waiter is None
        assert world.counters == {"mismatched": 10, "tls_lost": 1}
        assert "match no question" in world.connection.ending

    run(test)


def test_a_stream_that_is_no_dns_ends_the_connection() -> None:
    async def test(world: World) -> None:
        waiter = world.ask()
        world.connection.data_received(b"\0\0")
        assert await waiter is None
        assert "not send a DNS message" in world.connection.ending

    run(test)


def test_a_message_that_never_ends_takes_no_more_memory_than_one_may_have() -> None:
    async def test(world: World) -> None:
        world.ask()
        for _ in range(100):
            world.connection.data_received(b"\xff" * 60_000)
            assert world.connection._deframer.pending < 2 * 65_537

    run(test)


def test_the_end_of_the_connection_is_told_to_all_who_wait() -> None:
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


def test_who_gives_up_is_no_longer_waited_for_and_a_late_answer_is_no_fault() -> None:
    async def test(world: World) -> None:
        gone, waiter = world.ask(), world.ask(OTHER)
        gone.cancel()
        await settled()
        assert world.connection.waiting == 1
        world.answer(0, 1)
        assert await waiter is not None
        assert (world.connection.waiting, world.counters["mismatched"]) == (0, 0)

    run(test)


def test_a_connection_on_which_many_answers_never_came_takes_no_more_and_is_closed() -> None:
    async def test(world: World) -> None:
        for _ in range(100):
            assert world.connection.takes_questions
            world.ask().cancel()
            await settled()
        assert not world.connection.takes_questions
        world.tick()
        assert world.wire.goodbyes == 1

    run(test)


def test_a_server_that_says_nothing_for_long_is_given_up() -> None:
    async def test(world: World) -> None:
        waiter = world.ask()
        world.tick(STALL_S - 0.1)
        assert not waiter.done()
        world.tick(0.1)
        assert await waiter is None
        assert world.connection.ending == "it does not answer"

    run(test)


def test_a_server_that_answers_others_is_only_slow() -> None:
    async def test(world: World) -> None:
        waiter = world.ask()
        for _ in range(5):
            world.tick(STALL_S - 0.1)
            world.ask(OTHER)
            world.answer(-1)
        assert not waiter.done()

    run(test)


def test_a_question_after_a_pause_has_its_whole_time() -> None:
    async def test(world: World) -> None:
        world.tick(STALL_S + 1)
        waiter = world.ask()
        world.tick(STALL_S - 0.1)
        assert not waiter.done()

    run(test)


def test_a_connection_that_nobody_uses_is_closed_politely() -> None:
    async def test(world: World) -> None:
        world.ask()
        world.answer(0)
        world.tick(IDLE_S - 0.1)
        assert world.connection.takes_questions
        world.tick(0.1)
        assert (world.connection.takes_questions, world.wire.goodbyes) == (False, 1)

    run(test)


def test_the_tick_goes_on_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_connection, "TICK_S", 0.001)

    async def test(world: World) -> None:
        waiter = world.ask()
        world.clock.advance(STALL_S)
        assert await asyncio.wait_for(waiter, 10) is None

    run(test)
