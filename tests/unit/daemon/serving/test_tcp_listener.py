# SPDX-License-Identifier: Apache-2.0
"""The TCP listener (RFC 7766)."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dns.message
import dns.rcode
import dns.rrset
import pytest

from filterd.daemon.serving import tcp_listener
from filterd.daemon.serving.tcp_listener import TcpSlots
from filterd.fastpath.rate_limit import Limiter
from filterd.policy.model import RateLimit
from filterd.wire import frame
from tests.support.serving import GRADE_1, STAFF, WITHIN_S, Serving, a_site
from tests.support.wire import QUESTION, a_message, a_query

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from tests.support.serving import TcpStub
    from tests.support.upstream import FakeUpstream

BLOCKED = a_query("porn.example")


@pytest.fixture(params=["uvloop", "asyncio"])
def on_each_loop(
    index: Index, upstream: FakeUpstream, request: pytest.FixtureRequest
) -> Iterator[Serving]:
    with Serving(a_site(index, [upstream]), loop=request.param) as serving:
        yield serving


def test_what_comes_in_pieces_is_put_together(on_each_loop: Serving) -> None:
    framed = len(BLOCKED).to_bytes(2) + BLOCKED
    with on_each_loop.tcp_stub() as stub:
        stub.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in framed * 2:
            stub.socket.sendall(bytes((octet,)))
        assert [dns.message.from_wire(stub.receive()).rcode() for _ in range(2)] == [
            dns.rcode.NXDOMAIN
        ] * 2


def test_a_connection_ends_when_its_address_is_another_device_s(
    on_each_loop: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = iter(("pupils", "pupils", "laptops"))
    monkeypatch.setattr(on_each_loop.resolver, "network_of", lambda _: next(networks))
    with on_each_loop.tcp_stub() as stub:
        assert dns.message.from_wire(stub.ask(BLOCKED)).rcode() == dns.rcode.NXDOMAIN
        stub.send(BLOCKED)
        assert stub.is_ended()


def test_a_quick_answer_overtakes_a_slow_one(on_each_loop: Serving, upstream: FakeUpstream) -> None:
    upstream.released.clear()
    with on_each_loop.tcp_stub() as stub:
        stub.send(a_query("www.example.com", message_id=1), a_query("porn.example", message_id=2))
        assert stub.receive()[:2] == b"\0\2"
        upstream.released.set()
        assert stub.receive()[:2] == b"\0\1"


def test_twenty_questions_whose_answers_come_in_reverse(
    serving: Serving, upstream: FakeUpstream
) -> None:
    answered = [threading.Event() for _ in range(21)]
    answered[20].set()

    def last_first(query: dns.message.Message) -> dns.message.Message:
        number = int(query.question[0].name.labels[0])
        assert answered[number + 1].wait(WITHIN_S)
        answered[number].set()
        return dns.message.make_response(query)

    upstream.respond = last_first
    with serving.tcp_stub() as stub:
        stub.send(*(a_query(f"{n}.example.com", message_id=n) for n in range(20)))
        messages = [stub.receive() for _ in range(20)]
    for message in messages:
        response = dns.message.from_wire(message)
        assert int(response.question[0].name.labels[0]) == response.id
    assert sorted(message[:2] for message in messages) == [n.to_bytes(2) for n in range(20)]


def test_no_more_than_the_limit_are_in_flight_and_none_is_lost(
    serving: Serving, upstream: FakeUpstream
) -> None:
    upstream.released.clear()
    with serving.tcp_stub() as stub:
        stub.send(*(a_query(f"{n}.example.com", message_id=n) for n in range(50)))
        upstream.wait_until_asked(tcp_listener.MOST_IN_FLIGHT)
        assert serving.run(lambda: serving.forwarder.in_flight) == tcp_listener.MOST_IN_FLIGHT
        upstream.released.set()
        assert {stub.receive()[:2] for _ in range(50)} == {n.to_bytes(2) for n in range(50)}


@pytest.mark.parametrize("name", ["porn.example", "www.example.com"])
def test_the_last_question_of_a_connection_is_answered_and_then_it_ends(
    on_each_loop: Serving, name: str
) -> None:
    with on_each_loop.tcp_stub() as stub:
        for number in range(tcp_listener.MOST_QUERIES_A_CONNECTION):
            stub.send(a_query(name, message_id=number))
        for _ in range(tcp_listener.MOST_QUERIES_A_CONNECTION):
            assert stub.receive()
        assert stub.is_ended()


@pytest.mark.parametrize("lingers", [True, False])
def test_a_client_with_more_queries_than_allowed_gets_its_answers_before_a_reset(
    on_each_loop: Serving, monkeypatch: pytest.MonkeyPatch, lingers: bool
) -> None:
    if not lingers:
        monkeypatch.setattr(
            tcp_listener.TcpConnection, "_finish", lambda one: one._transport.close()
        )
    with on_each_loop.tcp_stub() as stub:
        stub.send(*[BLOCKED] * 1_000)
        received, is_reset = _until_the_end(stub)
    assert is_reset is not lingers
    if lingers:
        assert received.count(BLOCKED[12:-11]) == tcp_listener.MOST_QUERIES_A_CONNECTION


def _until_the_end(stub: TcpStub) -> tuple[bytes, bool]:
    """Return all that comes and whether a reset ended it."""
    received = b""
    try:
        while part := stub.socket.recv(1 << 16):
            received += part
    except ConnectionResetError:
        return received, True
    return received, False


def test_a_client_that_goes_on_after_its_last_query_is_read_for_a_moment_only(
    on_each_loop: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_listener, "LINGER_S", 0.05)
    with on_each_loop.tcp_stub() as stub:
        stub.send(*[BLOCKED] * tcp_listener.MOST_QUERIES_A_CONNECTION)
        assert all(stub.receive() for _ in range(tcp_listener.MOST_QUERIES_A_CONNECTION))
        assert stub.is_ended()
        on_each_loop.eventually(lambda: not on_each_loop.connections)


def test_a_client_that_closes_one_half_gets_the_answer_and_then_the_end(
    on_each_loop: Serving, upstream: FakeUpstream
) -> None:
    upstream.released.clear()
    with on_each_loop.tcp_stub() as stub:
        stub.send(a_query("www.example.com"))
        stub.socket.shutdown(socket.SHUT_WR)
        upstream.wait_until_asked()
        upstream.released.set()
        assert dns.message.from_wire(stub.receive()).answer
        assert stub.is_ended()
    on_each_loop.eventually(lambda: not on_each_loop.connections)


def test_a_client_that_only_connects_and_closes_leaves_nothing(on_each_loop: Serving) -> None:
    with on_each_loop.tcp_stub() as stub:
        on_each_loop.eventually(lambda: on_each_loop.connections.of(GRADE_1) == 1)
        stub.socket.shutdown(socket.SHUT_WR)
        assert stub.is_ended()
    on_each_loop.eventually(lambda: not on_each_loop.connections)


@pytest.mark.parametrize(
    "octets",
    [
        b"\0\0",
        b"\xff\xff" + b"\xaa" * 65535,
        b"\x10\x01" + bytes(4097),
        b"\0\x0c" + a_message(b"", flags=0x8180, qdcount=0),
        b"\0\3abc",
    ],
    ids=["length 0", "65535 octets of garbage", "4097 octets", "a response", "3 octets"],
)
def test_what_is_no_question_ends_the_connection(on_each_loop: Serving, octets: bytes) -> None:
    with on_each_loop.tcp_stub() as stub:
        stub.socket.sendall(octets)
        assert stub.is_ended()


def test_a_malformed_question_gets_formerr_and_the_connection_stays(serving: Serving) -> None:
    with serving.tcp_stub() as stub:
        assert stub.ask(a_message(QUESTION * 2, qdcount=2))[3] & 0xF == dns.rcode.FORMERR
        assert stub.ask(BLOCKED)[3] & 0xF == dns.rcode.NXDOMAIN


@pytest.mark.parametrize(
    ("limit", "sent"),
    [
        ("FIRST_OCTET_WITHIN_S", b""),
        ("MESSAGE_WITHIN_S", b"\0"),
        ("MESSAGE_WITHIN_S", b"\0\x20abc"),
        ("MESSAGE_WITHIN_S", BLOCKED[:5]),
        ("MESSAGE_WITHIN_S", frame(BLOCKED) + b"\0"),
        ("IDLE_S", frame(BLOCKED)),
    ],
)
def test_a_client_without_progress_is_ended(
    on_each_loop: Serving, limit: str, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    _be_patient(monkeypatch, but=limit, seconds=0.05)
    with on_each_loop.tcp_stub() as stub:
        stub.socket.sendall(sent)
        if len(sent) > len(BLOCKED):
            stub.receive()
        assert stub.is_ended()


def test_an_octet_now_and_then_is_no_progress(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    _be_patient(monkeypatch, but="MESSAGE_WITHIN_S", seconds=0.2)
    with serving.tcp_stub() as stub:
        stub.socket.settimeout(0.02)
        dripped = 0
        for octet in len(BLOCKED).to_bytes(2) + BLOCKED:
            try:
                stub.socket.sendall(bytes((octet,)))
                if stub.is_ended():
                    break
            except TimeoutError:
                dripped += 1
        assert 0 < dripped < 20


def test_half_a_question_that_we_do_not_read_yet_is_nobodys_fault(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    _be_patient(monkeypatch, but="MESSAGE_WITHIN_S", seconds=0.5)
    monkeypatch.setattr(tcp_listener, "MOST_IN_FLIGHT", 1)
    upstream.released.clear()
    with serving.tcp_stub() as stub:
        stub.socket.sendall(frame(a_query("a.vn")) + frame(BLOCKED)[:5])
        upstream.wait_until_asked()
        threading.Timer(0.8, upstream.released.set).start()
        stub.receive()
        stub.socket.sendall(frame(BLOCKED)[5:])
        assert stub.receive()[3] & 0xF == dns.rcode.NXDOMAIN


def _be_patient(monkeypatch: pytest.MonkeyPatch, *, but: str, seconds: float) -> None:
    for limit in ("FIRST_OCTET_WITHIN_S", "MESSAGE_WITHIN_S", "IDLE_S"):
        monkeypatch.setattr(tcp_listener, limit, seconds if limit == but else 3_600.0)


def test_a_client_has_a_limit_of_connections_and_others_have_theirs(
    on_each_loop: Serving,
) -> None:
    with ExitStack() as stack:
        for _ in range(tcp_listener.MOST_CONNECTIONS_A_CLIENT):
            stub = stack.enter_context(on_each_loop.tcp_stub())
            assert stub.ask(BLOCKED)
        assert stack.enter_context(on_each_loop.tcp_stub()).is_ended()
        assert stack.enter_context(on_each_loop.tcp_stub(STAFF)).ask(BLOCKED)
        stub.socket.close()
        limit = tcp_listener.MOST_CONNECTIONS_A_CLIENT
        on_each_loop.eventually(lambda: on_each_loop.connections.of(GRADE_1) < limit)
        assert stack.enter_context(on_each_loop.tcp_stub()).ask(BLOCKED)


def fill(serving: Serving, stack: ExitStack, clients: int, each: int) -> list[TcpStub]:
    """Take places with connections that have asked once."""
    sources = [f"127.0.{n}.9" for n in range(2, 2 + clients) for _ in range(each)]
    stubs = [stack.enter_context(serving.tcp_stub(source)) for source in sources]
    assert all(stub.ask(BLOCKED) for stub in stubs)
    return stubs


def test_a_client_with_many_places_makes_room_for_one_with_none(
    on_each_loop: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_listener, "MOST_CONNECTIONS", 6)
    with ExitStack() as stack:
        stubs = fill(on_each_loop, stack, clients=2, each=3)
        assert stack.enter_context(on_each_loop.tcp_stub()).ask(BLOCKED)
        assert stubs[0].is_ended()
        assert all(stub.ask(BLOCKED) for stub in stubs[1:])
        assert on_each_loop.run(lambda: len(on_each_loop.connections)) == 6


def test_control_without_making_room_they_would_lock_out_everybody(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_listener, "MOST_CONNECTIONS", 6)
    monkeypatch.setattr(TcpSlots, "_leaving_for", lambda *_: None)
    with ExitStack() as stack:
        stubs = fill(serving, stack, clients=2, each=3)
        assert stack.enter_context(serving.tcp_stub()).is_ended()
        assert all(stub.ask(BLOCKED) for stub in stubs)


def test_a_client_that_waits_for_an_answer_keeps_its_place_while_another_is_idle(
    on_each_loop: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_listener, "MOST_CONNECTIONS", 6)
    upstream.released.clear()
    with ExitStack() as stack:
        stubs = fill(on_each_loop, stack, clients=2, each=3)
        for stub in (*stubs[:2], *stubs[3:]):
            stub.send(a_query("www.example.com"))
        on_each_loop.eventually(lambda: len(on_each_loop.stepper) == 5)
        assert stack.enter_context(on_each_loop.tcp_stub()).ask(BLOCKED)
        assert stubs[2].is_ended()
        upstream.released.set()
        assert all(stub.receive() for stub in (*stubs[:2], *stubs[3:]))


RATE = RateLimit(queries_a_second=1, burst=2)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_client_over_the_rate_is_read_more_slowly_and_gets_every_answer(
    index: Index, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_listener, "REST_S", 0.01)
    rests = _count(monkeypatch, "_rested")
    with Serving(a_site(index), loop=loop, rate=RATE) as serving, serving.tcp_stub() as stub:
        stub.send(*(a_query("porn.example", message_id=n) for n in range(12)))
        answers = [stub.receive() for _ in range(12)]
    assert [answer[:2] for answer in answers] == [n.to_bytes(2) for n in range(12)]
    assert {answer[3] & 0xF for answer in answers} == {dns.rcode.NXDOMAIN}
    assert len(rests) == 10


def test_within_the_rate_no_client_is_paused(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    rests = _count(monkeypatch, "_rested")
    with Serving(a_site(index)) as serving, serving.tcp_stub() as stub:
        stub.send(*(a_query("porn.example", message_id=n) for n in range(12)))
        assert all(stub.receive() for _ in range(12))
    assert rests == []


def test_a_client_over_the_rate_is_not_read(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_listener, "REST_S", 3_600.0)
    with Serving(a_site(index), rate=RATE) as serving, serving.tcp_stub() as stub:
        assert all(stub.ask(BLOCKED) for _ in range(2))
        stub.send(BLOCKED)
        serving.eventually(lambda: _the_only(serving)._resting is not None)
        assert not serving.run(lambda: _transport(serving).is_reading())
        with serving.tcp_stub("127.0.2.9") as other:
            assert other.ask(BLOCKED)


def test_what_is_sent_by_udp_in_its_name_does_not_keep_a_client_from_asking_by_tcp(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_listener, "REST_S", 0.01)
    monkeypatch.setattr(Limiter, "admits", lambda *_: False)
    with Serving(a_site(index)) as serving, serving.tcp_stub() as stub:
        assert [stub.ask(BLOCKED)[3] & 0xF for _ in range(3)] == [dns.rcode.NXDOMAIN] * 3


def test_a_client_answered_by_tcp_is_known_to_be_there(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    proven: list[tuple[str, int]] = []
    monkeypatch.setattr(Limiter, "prove", lambda _, *where: proven.append(where))
    with serving.tcp_stub() as silent, serving.tcp_stub(STAFF) as stub:
        assert stub.ask(BLOCKED)
        assert stub.ask(BLOCKED)
        serving.eventually(lambda: len(serving.connections) == 2)
        silent.socket.close()
    ((address, interface),) = proven
    assert (address, bool(interface)) == (STAFF, True)


def _count(monkeypatch: pytest.MonkeyPatch, method: str) -> list[None]:
    calls: list[None] = []
    original = getattr(tcp_listener.TcpConnection, method)

    def counted(connection: tcp_listener.TcpConnection) -> None:
        calls.append(None)
        original(connection)

    monkeypatch.setattr(tcp_listener.TcpConnection, method, counted)
    return calls


def _the_only(serving: Serving) -> tcp_listener.TcpConnection:
    (connection,) = (one for listener in serving._tcp for one in listener.connections)
    return connection


def _transport(serving: Serving) -> asyncio.Transport:
    transport = _the_only(serving)._transport
    assert transport is not None
    return transport


def test_one_that_is_over_the_rate_and_closes_its_half_gets_all_answers_and_the_end(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_listener, "REST_S", 0.01)
    with Serving(a_site(index), rate=RATE) as serving, serving.tcp_stub() as stub:
        stub.send(*[BLOCKED] * 5)
        stub.socket.shutdown(socket.SHUT_WR)
        assert all(stub.receive() for _ in range(5))
        assert stub.is_ended()


def test_no_more_is_kept_than_may_be_asked(serving: Serving, upstream: FakeUpstream) -> None:
    upstream.released.clear()
    with serving.tcp_stub() as stub:
        stub.socket.sendall(frame(a_query("a.vn")) * 20 + frame(BLOCKED) * 2_000)
        serving.eventually(lambda: len(_the_only(serving)._messages) > 0)
        assert serving.run(lambda: len(_the_only(serving)._messages)) <= 80
        upstream.released.set()
        assert all(stub.receive() for _ in range(100))
        assert stub.is_ended()


def test_a_stranger_gets_no_connection(index: Index) -> None:
    with Serving(a_site(index, networks=(), allow_from=())) as serving:
        with serving.tcp_stub() as stub:
            assert stub.is_ended()
        assert not serving.connections


@pytest.mark.parametrize(("limit", "ended"), [(1_024, True), (64 * 1024 * 1024, False)])
def test_a_client_that_asks_and_never_reads_is_ended(
    serving: Serving,
    upstream: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
    limit: int,
    ended: bool,
) -> None:
    monkeypatch.setattr(tcp_listener, "MOST_UNREAD_OCTETS", limit)
    upstream.respond = _sixty_thousand_octets
    with serving.tcp_stub() as stub:
        with suppress(ConnectionError):  # it may be ended before the last question
            for _ in range(tcp_listener.MOST_QUERIES_A_CONNECTION - 1):
                stub.send(a_query("big.example.com", "TXT"))
        if ended:
            serving.eventually(lambda: not serving.connections)
        else:
            answered = serving.resolver.counters
            serving.eventually(lambda: answered["cached"] + answered["forwarded"] == 99)
            assert serving.connections.of(GRADE_1) == 1


def _sixty_thousand_octets(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    texts = [f'"{n:04}{"x" * 240}"' for n in range(230)]
    name = query.question[0].name
    response.answer.append(dns.rrset.from_text_list(name, 300, "IN", "TXT", texts))
    return response


def test_a_client_that_is_gone_when_its_answer_comes_does_no_harm(
    on_each_loop: Serving, upstream: FakeUpstream
) -> None:
    upstream.released.clear()
    with on_each_loop.tcp_stub() as stub:
        stub.send(a_query("www.example.com"))
        upstream.wait_until_asked()
        stub.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    on_each_loop.eventually(lambda: not on_each_loop.connections)
    upstream.released.set()
    on_each_loop.eventually(lambda: not len(on_each_loop.stepper))
    assert on_each_loop.ask("www.example.com", by="tcp").answer


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_stopping_does_not_wait_for_idle_clients(
    index: Index, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp_listener, "IDLE_S", 3_600.0)
    serving = Serving(a_site(index), loop=loop)
    with ExitStack() as stack:
        with serving:
            stub = stack.enter_context(serving.tcp_stub())
            assert stub.ask(BLOCKED)
        assert stub.is_ended()


@pytest.mark.parametrize("when", ["admit", "fit"])
def test_the_error_of_one_message_costs_no_other_s_answer(
    on_each_loop: Serving, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    of, name = {"admit": (on_each_loop.resolver, "admit"), "fit": (tcp_listener, "fit")}[when]
    work = getattr(of, name)

    def broken(message: bytes, *others: Any) -> Any:
        if message[:2] == b"\0\1":
            raise RuntimeError("a mistake of ours")
        return work(message, *others)

    monkeypatch.setattr(of, name, broken)
    with on_each_loop.tcp_stub() as stub:
        stub.send(*(a_query("porn.example", message_id=number) for number in range(3)))
        assert [stub.receive()[:2] for _ in range(2)] == [b"\0\0", b"\0\2"]
        (connection,) = on_each_loop._tcp[0].connections
        assert not connection.is_busy
    assert "a mistake of ours" in on_each_loop.errors.take()[0]


@dataclass(eq=False)
class Held:
    client: str
    progressed_at: float = 0.0
    is_busy: bool = False
    ended: bool = False

    def abort(self) -> None:
        self.ended = True


@pytest.fixture(autouse=True)
def _six_places_and_three_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_listener, "MOST_CONNECTIONS", 6)
    monkeypatch.setattr(tcp_listener, "MOST_CONNECTIONS_A_CLIENT", 3)


def filled(*holders: Held) -> TcpSlots:
    taken = TcpSlots()
    assert all(taken.take(holder) for holder in holders)
    return taken


def many(clients: str, each: int = 1, *, is_busy: bool = False) -> list[Held]:
    return [
        Held(client, float(n), is_busy=is_busy)
        for n, client in enumerate(client for client in clients for _ in range(each))
    ]


def numbers_ended(held: list[Held]) -> list[int]:
    return [number for number, one in enumerate(held) if one.ended]


def test_a_client_gets_no_more_than_its_share_though_there_is_room() -> None:
    taken = filled(*many("a", 3))
    assert not taken.take(Held("a"))
    assert (taken.of("a"), taken.of("b"), len(taken)) == (3, 0, 3)


def test_a_newcomer_takes_the_longest_idle_place_of_the_client_with_the_most() -> None:
    held = [Held("b", 0.0), *many("a", 3), Held("c", 0.0)]
    taken = filled(*held, Held("d"))
    assert taken.take(Held("e"))
    assert numbers_ended(held) == [1]
    assert (taken.of("a"), len(taken)) == (2, 6)


def test_idle_are_ended_before_busy_ones_even_of_a_client_with_fewer() -> None:
    held = [*many("a", 3, is_busy=True), *many("b", 2), Held("c")]
    assert filled(*held).take(Held("d"))
    assert numbers_ended(held) == [3]


def test_busy_ones_are_ended_where_none_is_idle_and_one_holds_far_more() -> None:
    held = many("ab", 3, is_busy=True)
    assert filled(*held).take(Held("c"))
    assert numbers_ended(held) == [0]


def test_equals_do_not_end_each_others_busy_connections() -> None:
    held = many("abcdef", is_busy=True)
    assert not filled(*held).take(Held("g"))
    assert numbers_ended(held) == []


def test_six_clients_with_an_idle_connection_each_do_not_lock_out_a_seventh() -> None:
    held = many("abcdef")
    taken = filled(*held)
    assert taken.take(Held("g"))
    assert numbers_ended(held) == [0]


def test_a_client_with_as_many_places_as_others_takes_none_of_theirs() -> None:
    held = many("ab", 3)[:6]
    taken = filled(*held)
    assert not taken.take(Held("a"))
    assert numbers_ended(held) == []


def test_a_place_is_given_back_once() -> None:
    first, second = held = many("a", 2)
    taken = filled(*held)
    taken.release(first)
    taken.release(first)
    assert (taken.of("a"), len(taken)) == (1, 1)
    taken.release(second)
    taken.release(Held("b"))
    assert (taken.of("a"), len(taken)) == (0, 0)
