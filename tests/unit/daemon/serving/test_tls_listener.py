# SPDX-License-Identifier: Apache-2.0
"""DNS over TLS (RFC 7858), by Python's own client."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import pytest

from filterd.daemon.serving import tcp_listener, tls_listener
from filterd.daemon.serving.tls_listener import HandshakeThread
from filterd.policy.model import RateLimit
from filterd.resolve.query import Peer
from filterd.wire import frame
from tests.support.serving import (
    GRADE_1,
    GRADE_11,
    STAFF,
    TLS_PLACES,
    WITHIN_S,
    Serving,
    a_site,
    any_certificate,
    make_certificate,
)
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.lists.index import Index
    from tests.support.upstream import FakeUpstream

BLOCKED = a_query("porn.example")
PLACES_OF_ONE = tcp_listener.MOST_CONNECTIONS_A_CLIENT


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def serving(index: Index, upstream: FakeUpstream, certificate: Path) -> Iterator[Serving]:
    with Serving(a_site(index, [upstream]), certificate=certificate) as serving:
        yield serving


@pytest.fixture(params=["uvloop", "asyncio"])
def on_each_loop(
    index: Index, upstream: FakeUpstream, certificate: Path, request: pytest.FixtureRequest
) -> Iterator[Serving]:
    site = a_site(index, [upstream])
    with Serving(site, loop=request.param, certificate=certificate) as serving:
        yield serving


def counted(serving: Serving, key: str) -> int:
    return serving.run(lambda: serving.tls.counters[key])


def raw_stub(serving: Serving, source: str = GRADE_1) -> socket.socket:
    """Return a connection whose client has sent nothing."""
    return socket.create_connection(("127.0.0.1", serving.tls.port), WITHIN_S, (source, 0))


class Records:
    """A client of TLS whose records a test carries."""

    def __init__(self) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = any_certificate().wrap_bio(self.incoming, self.outgoing)

    def hello(self) -> bytes:
        """Return the first record."""
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self.outgoing.read()


@pytest.mark.parametrize("source", [GRADE_1, GRADE_11, STAFF])
@pytest.mark.parametrize("name", ["porn.example", "social.example", "www.example.com", "a.test"])
def test_the_answer_is_that_of_tcp_octet_by_octet(
    on_each_loop: Serving, source: str, name: str
) -> None:
    question = a_query(name)
    with on_each_loop.tcp_stub(source) as plain, on_each_loop.tls_stub(source) as secured:
        plain.ask(question)  # its upstream is asked once, so that both have what is cached
        assert secured.ask(question) == plain.ask(question)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_each_version_of_today_is_served(on_each_loop: Serving, version: ssl.TLSVersion) -> None:
    context = any_certificate()
    context.minimum_version = context.maximum_version = version
    with on_each_loop.tls_stub(context=context) as stub:
        assert dns.message.from_wire(stub.ask(BLOCKED)).rcode() == dns.rcode.NXDOMAIN


def test_an_old_version_is_refused_by_an_alert(serving: Serving) -> None:
    context = any_certificate()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        serving.tls_stub(context=context)
    serving.eventually(lambda: serving.tls.counters["failed"] == 1)


@pytest.mark.parametrize(("offered", "chosen"), [(["dot"], "dot"), (["h2"], None), ([], None)])
def test_the_protocol_is_dot_and_a_client_without_it_is_served(
    serving: Serving, offered: list[str], chosen: str | None
) -> None:
    with serving.tls_stub(context=any_certificate(*offered)) as stub:
        assert stub.tls.selected_alpn_protocol() == chosen
        assert stub.ask(BLOCKED)


def test_a_ticket_saves_the_second_handshake(serving: Serving) -> None:
    context = any_certificate()
    with serving.tls_stub(context=context) as stub:
        stub.ask(BLOCKED)
        session = stub.tls.session
    with serving.tls_stub(context=context, session=session) as stub:
        assert stub.ask(BLOCKED)
        assert stub.tls.session_reused
    assert (counted(serving, "handshakes"), counted(serving, "resumed")) == (2, 1)


def test_a_handshake_and_records_that_come_octet_by_octet(on_each_loop: Serving) -> None:
    client = Records()
    with raw_stub(on_each_loop) as opened:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        left = client.hello()
        while True:
            for octet in left:
                opened.sendall(bytes((octet,)))
            client.incoming.write(opened.recv(1 << 16))
            try:
                client.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                left = client.outgoing.read()
        client.tls.write(frame(BLOCKED))
        for octet in client.outgoing.read():
            opened.sendall(bytes((octet,)))
        assert _read(client, opened)[2:4] == BLOCKED[:2]
    assert counted(on_each_loop, "handshakes") == 1


def _read(client: Records, opened: socket.socket) -> bytes:
    while True:
        try:
            return client.tls.read(1 << 16)
        except ssl.SSLWantReadError:
            client.incoming.write(opened.recv(1 << 16))


def test_a_quick_answer_overtakes_a_slow_one(on_each_loop: Serving, upstream: FakeUpstream) -> None:
    upstream.released.clear()
    with on_each_loop.tls_stub() as stub:
        stub.send(a_query("www.example.com", message_id=1), a_query("porn.example", message_id=2))
        assert stub.receive()[:2] == b"\0\2"
        upstream.released.set()
        assert stub.receive()[:2] == b"\0\1"


def test_a_hundred_questions_in_one_piece_are_answered_and_then_it_ends(
    on_each_loop: Serving,
) -> None:
    with on_each_loop.tls_stub() as stub:
        stub.send(*[BLOCKED] * 150)
        answers = [stub.receive() for _ in range(tcp_listener.MOST_QUERIES_A_CONNECTION)]
        assert all(answers)
        assert stub.is_ended()


def test_a_client_that_says_goodbye_gets_its_last_answer(
    on_each_loop: Serving, upstream: FakeUpstream
) -> None:
    upstream.released.clear()
    client = Records()
    with raw_stub(on_each_loop) as opened:
        left = client.hello()
        while True:
            opened.sendall(left)
            client.incoming.write(opened.recv(1 << 16))
            try:
                client.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                left = client.outgoing.read()
        client.tls.write(frame(a_query("slow.example.com")))
        with pytest.raises(ssl.SSLWantReadError):
            client.tls.unwrap()
        opened.sendall(client.outgoing.read())
        upstream.wait_until_asked()
        upstream.released.set()
        answer = b""
        while part := opened.recv(1 << 16):
            answer += part
        assert len(answer) > len(BLOCKED)  # records, and the end that filterd says


@pytest.mark.parametrize(
    "octets",
    [
        frame(BLOCKED),
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x17\x03\x03\x00\x01x",
        b"\x16\x03\x01\x00\x04\xff\0\0\0",
    ],
    ids=["plain DNS", "HTTP", "data before a handshake", "no hello"],
)
def test_what_is_no_handshake_ends_the_connection(on_each_loop: Serving, octets: bytes) -> None:
    with raw_stub(on_each_loop) as opened:
        opened.sendall(octets)
        _drain(opened)
    on_each_loop.eventually(lambda: on_each_loop.tls.counters["failed"] == 1)
    on_each_loop.eventually(lambda: not len(on_each_loop.tls.places))


def _drain(opened: socket.socket) -> bytes:
    """Return all that comes until the end."""
    received = b""
    try:
        while part := opened.recv(1 << 16):
            received += part
    except ConnectionError:
        pass
    return received


def test_a_changed_record_ends_the_connection(serving: Serving) -> None:
    with serving.tls_stub() as stub:
        stub.ask(BLOCKED)
        with socket.socket(fileno=stub.tls.detach()) as opened:
            opened.settimeout(WITHIN_S)
            opened.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
            _drain(opened)
    serving.eventually(lambda: not len(serving.tls.places))


def test_half_a_handshake_is_ended_in_time_and_gives_its_place_back(
    on_each_loop: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_listener, "HANDSHAKE_WITHIN_S", 0.2)
    with raw_stub(on_each_loop) as opened:
        opened.sendall(Records().hello()[:100])
        assert _drain(opened) == b""
    on_each_loop.eventually(lambda: not len(on_each_loop.tls.places))


def test_a_handshake_that_never_ends_is_cut_at_its_size(serving: Serving) -> None:
    with raw_stub(serving) as opened:
        opened.sendall(b"\x16\x03\x01\x40\xff" + bytes(tls_listener.MOST_HANDSHAKE_OCTETS))
        _drain(opened)
    serving.eventually(lambda: serving.tls.counters["failed"] == 1)


def test_control_without_that_size_it_would_wait(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_listener, "MOST_HANDSHAKE_OCTETS", 1 << 30)
    with raw_stub(serving) as opened:
        opened.sendall(b"\x16\x03\x01\x40\xff" + bytes(16 * 1024))
        opened.settimeout(0.3)
        with pytest.raises(TimeoutError):
            opened.recv(1)


def test_an_idle_connection_ends_after_thirty_seconds(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tls_listener.IDLE_S == 30.0
    monkeypatch.setattr(tls_listener, "IDLE_S", 0.2)
    monkeypatch.setattr(tcp_listener, "IDLE_S", 3_600.0)
    with serving.tls_stub() as stub:
        stub.ask(BLOCKED)
        assert stub.is_ended()


def test_a_device_has_so_many_places_and_others_have_theirs(on_each_loop: Serving) -> None:
    with ExitStack() as stack:
        for _ in range(PLACES_OF_ONE):
            stack.enter_context(on_each_loop.tls_stub()).ask(BLOCKED)
        assert _drain(stack.enter_context(raw_stub(on_each_loop))) == b""
        assert stack.enter_context(on_each_loop.tls_stub(STAFF)).ask(BLOCKED)
    assert counted(on_each_loop, "refused_full") == 1


def test_addresses_of_one_device_share_its_places(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving.resolver, "device_of", lambda _: "02:00:00:00:00:01")
    with ExitStack() as stack:
        for n in range(PLACES_OF_ONE):
            stack.enter_context(serving.tls_stub(f"127.0.1.{n + 1}")).ask(BLOCKED)
        assert _drain(stack.enter_context(raw_stub(serving, "127.0.1.200"))) == b""


def test_control_by_addresses_a_device_would_take_them_all(serving: Serving) -> None:
    assert serving.resolver.device_of(Peer(GRADE_1)) == GRADE_1
    with ExitStack() as stack:
        for n in range(PLACES_OF_ONE + 1):
            assert stack.enter_context(serving.tls_stub(f"127.0.1.{n + 1}")).ask(BLOCKED)


def test_all_places_together_are_bounded(serving: Serving) -> None:
    with ExitStack() as stack:
        for n in range(TLS_PLACES + 5):
            stack.enter_context(serving.tls_stub(f"127.0.2.{n + 1}")).ask(BLOCKED)
            assert serving.run(lambda: len(serving.tls.places)) <= TLS_PLACES
        others = stack.enter_context(serving.tcp_stub())
        assert others.ask(BLOCKED), "connections by TLS took the places of TCP"


def test_a_stranger_gets_no_handshake(serving: Serving) -> None:
    with raw_stub(serving, "127.9.9.9") as opened:
        assert _drain(opened) == b""
    assert counted(serving, "handshakes") == 0


def test_a_handshake_is_charged_to_the_rate(index: Index, certificate: Path) -> None:
    rate = RateLimit(1, 3 * tls_listener.QUESTIONS_A_HANDSHAKE - 1)
    with Serving(a_site(index), rate=rate, certificate=certificate) as serving:
        for _ in range(2):
            serving.tls_stub().socket.close()
        with raw_stub(serving) as opened:
            opened.sendall(Records().hello())
            assert _drain(opened) == b""
        with serving.tls_stub(STAFF) as other:
            assert other.ask(BLOCKED), "another client has a rate of its own"
        assert counted(serving, "refused_rate") == 1


def test_control_without_the_charge_handshakes_have_no_end(
    index: Index, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_listener.TlsListener, "admits_handshake", lambda *_: True)
    with Serving(a_site(index), rate=RateLimit(1, 1), certificate=certificate) as serving:
        for _ in range(10):
            serving.tls_stub().socket.close()
        serving.eventually(lambda: serving.tls.counters["handshakes"] == 10)


def test_a_datagram_does_not_wait_for_a_handshake(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, step = threading.Event(), threading.Event(), tls_listener._step

    def slow(tls: ssl.SSLObject) -> bool:
        begun.set()
        assert go_on.wait(WITHIN_S)
        return step(tls)

    monkeypatch.setattr(tls_listener, "_step", slow)
    with raw_stub(serving) as opened:
        opened.sendall(Records().hello())
        assert begun.wait(WITHIN_S)
        assert serving.ask("porn.example").rcode() == dns.rcode.NXDOMAIN
        go_on.set()


def test_control_in_the_thread_of_lookups_it_would(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, step = threading.Event(), threading.Event(), tls_listener._step

    def slow(tls: ssl.SSLObject) -> bool:
        begun.set()
        assert go_on.wait(WITHIN_S)
        return step(tls)

    def at_once(_: HandshakeThread, tls: ssl.SSLObject) -> asyncio.Future[bool]:
        done = asyncio.get_running_loop().create_future()
        done.set_result(slow(tls))
        return done

    monkeypatch.setattr(HandshakeThread, "step", at_once)
    with raw_stub(serving) as opened, socket.socket(type=socket.SOCK_DGRAM) as other:
        opened.sendall(Records().hello())
        assert begun.wait(WITHIN_S)
        other.settimeout(0.3)
        other.bind((STAFF, 0))
        other.sendto(BLOCKED, ("127.0.0.1", serving.ports["127.0.0.1"]))
        with pytest.raises(TimeoutError):
            other.recv(4_096)
        go_on.set()


def test_a_connection_that_ends_during_its_handshake(
    on_each_loop: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, step = threading.Event(), threading.Event(), tls_listener._step

    def slow(tls: ssl.SSLObject) -> bool:
        begun.set()
        assert go_on.wait(WITHIN_S)
        return step(tls)

    monkeypatch.setattr(tls_listener, "_step", slow)
    monkeypatch.setattr(tls_listener, "HANDSHAKE_WITHIN_S", 0.2)
    with raw_stub(on_each_loop) as opened:
        opened.sendall(Records().hello())
        assert begun.wait(WITHIN_S)
        assert _drain(opened) == b""
        go_on.set()
    on_each_loop.eventually(lambda: not len(on_each_loop.tls.places))


def test_a_connection_ends_when_its_address_is_another_device_s(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = iter(("pupils", "pupils", "laptops"))
    monkeypatch.setattr(serving.resolver, "network_of", lambda _: next(networks))
    with serving.tls_stub() as stub:
        assert stub.ask(BLOCKED)
        stub.send(BLOCKED)
        assert stub.is_ended()


def test_a_renewed_certificate_is_for_new_connections_and_ends_none(
    index: Index, tmp_path: Path
) -> None:
    folder = make_certificate(tmp_path)
    with Serving(a_site(index), certificate=folder) as serving, serving.tls_stub() as old:
        before = old.tls.getpeercert(binary_form=True)
        make_certificate(folder)
        assert serving.certificate is not None
        serving.run(serving.certificate.look)
        with serving.tls_stub() as new:
            assert new.tls.getpeercert(binary_form=True) != before
        assert old.ask(BLOCKED)


def test_an_answer_of_many_records_arrives_whole(serving: Serving, upstream: FakeUpstream) -> None:
    def large(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        name = query.question[0].name
        texts = [f'"{n:0200d}"' for n in range(150)]
        response.answer = [dns.rrset.from_text(name, 300, "IN", "TXT", *texts)]
        return response

    upstream.respond = large
    question = a_query("big.example.com", "TXT")
    with serving.tls_stub() as secured, serving.tcp_stub() as plain:
        first = secured.ask(question)
        assert len(first) > 30_000
        assert secured.ask(question) == plain.ask(question)
