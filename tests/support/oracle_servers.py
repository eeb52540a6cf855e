# SPDX-License-Identifier: Apache-2.0
"""The servers that send the answers of ``oracle_upstream``, over UDP and TCP."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections import deque
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tests.support import oracle_messages as wire
from tests.support.oracle import is_beneath
from tests.support.oracle_upstream import LARGEST_BY_UDP, Heard, Key

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.oracle_messages import Record
    from tests.support.oracle_upstream import Upstream, UpstreamAnswer

DEAD_AFTER_S = 3.7
"""The client has given up by then, or is about to."""
_ASKED_FOR_S = 3.8
"""So long after the first the last question of one exchange may come."""


class Mood(StrEnum):
    """How questions are met.

    ``TRUNCATING``: whole only by TCP. ``LOST``: that is said, and by TCP nothing.
    ``GARBLED``: before each answer comes one to another question. ``TWICE``:
    each answer comes again.
    """

    PROMPT = "prompt"
    HELD = "held"
    SILENT = "silent"
    FAILING = "failing"
    REFUSING = "refusing"
    TRUNCATING = "truncating"
    LOST = "lost"
    GARBLED = "garbled"
    TWICE = "twice"


_ANSWERING = (Mood.PROMPT, Mood.TRUNCATING, Mood.GARBLED, Mood.TWICE)
_SO_MEMINFO, _MEMORY, _DROPS = 55, struct.Struct("=9I"), 8  # linux/sock_diag.h
_OCTETS_OF_ANYBODY = 106_496
"""Of a receive buffer; the kernel doubles it, to what it gives anybody who asks for none."""
_RCODES = {Mood.FAILING: wire.SERVFAIL, Mood.REFUSING: wire.REFUSED}


class Watch(NamedTuple):
    """Begins, and ends, to call something when a socket can be read."""

    begin: Callable[[socket.socket, Callable[[], None]], object]
    end: Callable[[socket.socket], object]


class Server:
    """One server, whose sockets are driven from outside.

    Args:
        upstream: its answers.
        number: of this server.
        watch: calls when a socket can be read.
        heard: called with each question before its answer.
        address: its own.
        zones: it is authoritative for them.
        dead_after_s: no worker may know an answer after this time.

    Attributes:
        mood: its reaction to the next question.
        authentic: whether it sets AD.
    """

    def __init__(
        self,
        upstream: Upstream,
        number: int,
        watch: Watch,
        heard: Callable[[Heard], None],
        address: str = "127.0.0.1",
        zones: tuple[str, ...] = (),
        dead_after_s: float = DEAD_AFTER_S,
    ) -> None:
        self.mood, self.authentic, self._zones = Mood.PROMPT, True, zones
        self._upstream, self._number, self._watch, self._on_heard = upstream, number, watch, heard
        self._arrived: deque[tuple[bytes, tuple[str, int]]] = deque()
        self._held: list[Heard] = []
        self._dead_after_s = dead_after_s
        self._udp, self._tcp = _bind_both(address)
        self._connections: set[socket.socket] = set()
        self.address: tuple[str, int] = self._udp.getsockname()
        watch.begin(self._udp, self.read)
        watch.begin(self._tcp, self._accept)

    def close(self) -> None:
        """Close everything."""
        for opened in (self._udp, self._tcp, *self._connections):
            self._watch.end(opened)
            opened.close()

    @property
    def dropped(self) -> int:
        """The number of questions that the kernel has had no room for."""
        return dropped_from(self._udp)

    def turn(self, mood: Mood) -> None:
        """Change the mood; what is held is answered where the next would be."""
        self.mood = mood
        if mood in _ANSWERING:
            self.release()

    def release(self, most: int = 1 << 30) -> None:
        """Answer what is held, the oldest first."""
        for _ in range(min(most, len(self._held))):
            self._answer(self._held.pop(0))
            self._collect()

    def read(self) -> None:
        """Meet all questions that have come by UDP."""
        self._collect()
        while self._arrived:
            query, source = self._arrived.popleft()
            self._take(query, partial(self._send_to, source), by_tcp=False)
            self._collect()

    def _collect(self) -> None:
        """Empty the kernel's queue, which is short; what was in it is met in its turn."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._arrived.append(self._udp.recvfrom(4096))

    def _send_to(self, source: tuple[str, int], message: bytes) -> bool:
        self._udp.sendto(message, source)
        return True

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            connection, _ = self._tcp.accept()
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.add(connection)
            self._watch.begin(connection, partial(self._read_tcp, connection, bytearray()))

    def _read_tcp(self, connection: socket.socket, received: bytearray) -> None:
        octets = b""
        with contextlib.suppress(ConnectionError):
            octets = connection.recv(4096)
        if not octets:
            self._connections.discard(connection)
            self._watch.end(connection)
            connection.close()
            return
        received += octets
        while len(received) >= 2 and len(received) >= 2 + int.from_bytes(received[:2]):
            end = 2 + int.from_bytes(received[:2])
            query = bytes(received[2:end])
            del received[:end]
            self._take(query, partial(self._send_by, connection), by_tcp=True)

    def _send_by(self, connection: socket.socket, message: bytes) -> bool:
        if connection not in self._connections:
            return False
        with contextlib.suppress(ConnectionError):
            connection.sendall(len(message).to_bytes(2) + message)
        return True

    def _take(self, query: bytes, send: Callable[[bytes], bool], *, by_tcp: bool) -> None:
        """Take in what has come, and meet it as the mood is."""
        upstream = self._upstream
        name, qtype, _ = wire.read_question(query)
        whom = next((zone for zone in self._zones if name == zone or is_beneath(name, zone)), "")
        key = Key(name, qtype, wire.has_do(query), bool(query[3] & wire.CD), whom)
        heard = Heard(
            key, upstream.order(), upstream.now(), query, self._number, send, by_tcp=by_tcp
        )
        upstream.heard.setdefault(key, []).append(heard)
        self._on_heard(heard)
        if self.mood is Mood.HELD:
            self._held.append(heard)
        elif self.mood in _RCODES:
            heard.send(_message(heard, _RCODES[self.mood]))
        elif self.mood in (Mood.TRUNCATING, Mood.LOST) and not by_tcp:
            self._refer_to_tcp(heard)
        elif self.mood in _ANSWERING:
            self._answer(heard)

    def _answer(self, heard: Heard) -> None:
        """Answer a question by what is true at this moment."""
        given = self._upstream.compose(heard, authentic=self.authentic)
        answer = _message(heard, given.rcode, given)
        if len(answer) > LARGEST_BY_UDP and not heard.by_tcp:
            self._refer_to_tcp(heard)
            return
        if self.mood is Mood.GARBLED and not heard.by_tcp:
            heard.send(answer[:12] + b"\1" + bytes([answer[13] ^ 1]) + answer[14:])
        if not heard.send(answer):
            return
        self._upstream.note(given)
        heard.is_answered = self._is_in_time(heard)
        if self.mood is Mood.TWICE and not heard.by_tcp:
            heard.send(answer)

    def _refer_to_tcp(self, heard: Heard) -> None:
        heard.referred = self._is_in_time(heard)
        heard.send(_message(heard, wire.TC))

    def _is_in_time(self, heard: Heard) -> bool:
        """Return whether an answer comes in time for the first client that asked."""
        now = self._upstream.now()
        began = min(
            one.at
            for one in self._upstream.heard[heard.key]
            if heard.at - _ASKED_FOR_S < one.at <= heard.at
        )
        return now - began < self._dead_after_s


def limit_buffer(opened: socket.socket) -> None:
    """Give a socket the receive buffer that it has on any machine, whoever runs the test."""
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _OCTETS_OF_ANYBODY)


def dropped_from(opened: socket.socket) -> int:
    """Return how many datagrams the kernel has had no room for at a socket."""
    memory = opened.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMORY.size)
    return int(_MEMORY.unpack(memory)[_DROPS])


def _bind_both(address: str) -> tuple[socket.socket, socket.socket]:
    """Return sockets with the same free port."""
    while True:
        udp, tcp = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
        limit_buffer(udp)
        udp.bind((address, 0))
        try:
            tcp.bind(udp.getsockname())
        except OSError:  # some other has that port by TCP
            udp.close()
            tcp.close()
            continue
        tcp.listen(256)
        for opened in (udp, tcp):
            opened.setblocking(False)
        return udp, tcp


def _message(heard: Heard, more_flags: int, answer: UpstreamAnswer | None = None) -> bytes:
    nothing: tuple[Record, ...] = ()
    sections = (answer.answer, answer.authority, answer.additional) if answer else (nothing,) * 3
    _, _, end = wire.read_question(heard.wire)
    flags = wire.QR | wire.RD | wire.RA | more_flags
    flags |= wire.AD if answer is None or answer.authentic else 0
    opt = wire.opt_octets(LARGEST_BY_UDP, wire.DO if heard.key.do else 0)
    ident = int.from_bytes(heard.wire[:2])
    return wire.message(ident, flags, heard.wire[12:end], *sections[:2], opt, sections[2])
