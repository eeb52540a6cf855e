# SPDX-License-Identifier: Apache-2.0
"""TCP connections that are held, slow and never read: other clients are served.

``python -m tests.bench.tcp_abuse`` measures the same with a real daemon. Limits are
short here, so that tests do not wait.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import pytest

from filterd.daemon.serving import tcp_listener
from filterd.daemon.serving.tcp_listener import TcpSlots
from tests.support.abuse import Abuse, Abuser, Slow, WriteOnly
from tests.support.serving import GRADE_1, open_sockets
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.serving import Serving
    from tests.support.upstream import FakeUpstream

BLOCKED = a_query("porn.example")
LARGE = a_query("large.example.com", "TXT")
LIMITS = ("FIRST_OCTET_WITHIN_S", "MESSAGE_WITHIN_S", "IDLE_S", "LINGER_S")
SHORT_S = 0.4
ADDRESSES = [f"127.0.{grade}.9" for grade in range(2, 12)] + [f"127.0.12.{n}" for n in range(5)]


class Dripping(Slow):
    every_s = 0.05


class HalfALength(Abuser):
    octets = b"\0"


class HalfAQuestion(Abuser):
    octets = len(BLOCKED).to_bytes(2) + BLOCKED[:20]


class OneQuestion(Abuser):
    octets = len(BLOCKED).to_bytes(2) + BLOCKED


KINDS = (Abuser, Dripping, HalfALength, HalfAQuestion, OneQuestion, WriteOnly)


def a_hundred_and_fifty(
    serving: Serving, kinds: tuple[type[Abuser], ...]
) -> list[Callable[[], Abuser]]:
    """Return what makes ten connections at each of fifteen addresses: as many as there may be."""
    server = ("127.0.0.1", serving.ports["127.0.0.1"])
    sources = [
        source for source in ADDRESSES for _ in range(tcp_listener.MOST_CONNECTIONS_A_CLIENT)
    ]
    assert len(sources) == tcp_listener.MOST_CONNECTIONS
    makers: list[Callable[[], Abuser]] = []
    for number, source in enumerate(sources):
        kind = kinds[number % len(kinds)]
        more = (LARGE,) if kind is WriteOnly else ()
        makers.append(partial(kind, source, server, *more))
    return makers


def add_large(upstream: FakeUpstream) -> None:
    texts = " ".join(f'"{"x" * 250}"' for _ in range(230))
    upstream.add(f"large.example.com. 300 IN TXT {texts}")


def be_short_with(
    monkeypatch: pytest.MonkeyPatch, *clients: str
) -> set[tcp_listener.TcpConnection]:
    """Shorten the limits of these clients, at once; return those of them that held a place.

    Others have what they always have: the machine may be slow for them.
    """
    end_after, held = tcp_listener.TcpConnection._end_after, set[tcp_listener.TcpConnection]()

    def end_sooner(connection: tcp_listener.TcpConnection, seconds: float) -> None:
        if connection.client in clients:
            held.add(connection)
            seconds = min(seconds, SHORT_S)
        end_after(connection, seconds)

    monkeypatch.setattr(tcp_listener.TcpConnection, "_end_after", end_sooner)
    return held


def be_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in LIMITS:
        monkeypatch.setattr(tcp_listener, limit, 3_600.0)


def test_others_are_served_through_it_and_nothing_of_it_stays(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = be_short_with(monkeypatch, *ADDRESSES)
    add_large(upstream)
    with serving.tcp_stub() as stub:
        assert all(stub.ask(question) for question in (LARGE, a_query("www.example.com")))
    serving.eventually(lambda: not serving.connections)
    sockets = open_sockets()
    with Abuse(a_hundred_and_fifty(serving, KINDS)) as abuse:
        while abuse.open:
            for by in ("udp", "tcp"):
                assert serving.ask("porn.example", by=by).rcode() == dns.rcode.NXDOMAIN
                assert serving.ask("www.example.com", by=by).answer
    assert len(abuse.lifetimes_s) == tcp_listener.MOST_CONNECTIONS
    assert len(held) > tcp_listener.MOST_CONNECTIONS // 2
    serving.eventually(lambda: not serving.connections)
    assert open_sockets() <= sockets


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_them_lasts(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, kind: type[Abuser]
) -> None:
    be_short_with(monkeypatch, *ADDRESSES)
    add_large(upstream)
    with Abuse(a_hundred_and_fifty(serving, (kind,))[:20]) as abuse:
        serving.eventually(lambda: len(abuse.lifetimes_s) == 20)


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_control_without_limits_of_time_it_would(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, kind: type[Abuser]
) -> None:
    be_patient(monkeypatch)
    with Abuse(a_hundred_and_fifty(serving, (kind,))[:20]) as abuse:
        serving.eventually(lambda: len(serving.connections) == 20)
        be_short_with(monkeypatch, GRADE_1)
        with serving.tcp_stub() as stub:  # came last and is the only one with limits
            assert stub.is_ended()
        assert abuse.open == 20


@pytest.mark.parametrize("makes_room", [True, False])
def test_connections_in_all_places_lock_no_client_out(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, makes_room: bool
) -> None:
    be_patient(monkeypatch)
    if not makes_room:
        monkeypatch.setattr(TcpSlots, "_leaving_for", lambda *_: None)
    with Abuse(a_hundred_and_fifty(serving, (Abuser, Dripping, OneQuestion))):
        serving.eventually(lambda: len(serving.connections) == tcp_listener.MOST_CONNECTIONS)
        with ExitStack() as stack:
            stubs = [stack.enter_context(serving.tcp_stub()) for _ in range(5)]
            for stub in stubs:
                if makes_room:
                    assert stub.ask(BLOCKED)[3] & 0xF == dns.rcode.NXDOMAIN
                else:
                    assert stub.is_ended()
        assert serving.ask("porn.example").rcode() == dns.rcode.NXDOMAIN


def test_a_client_that_reads_nothing_is_ended_however_patient_we_are(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_patient(monkeypatch)
    add_large(upstream)
    with Abuse(a_hundred_and_fifty(serving, (WriteOnly,))[:3]) as abuse:
        serving.eventually(lambda: len(abuse.lifetimes_s) == 3)
    assert serving.run(lambda: _unread_octets(serving)) == 0


def test_control_without_that_megabytes_would_wait_for_it(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_patient(monkeypatch)
    monkeypatch.setattr(tcp_listener, "MOST_UNREAD_OCTETS", 1 << 30)
    add_large(upstream)
    with Abuse(a_hundred_and_fifty(serving, (WriteOnly,))[:3]) as abuse:
        serving.eventually(lambda: _unread_octets(serving) > 8 * 256 * 1024)
        assert abuse.open == 3


def _unread_octets(serving: Serving) -> int:
    transports = [one._transport for listener in serving._tcp for one in listener.connections]
    return sum(
        transport.get_write_buffer_size() for transport in transports if transport is not None
    )
