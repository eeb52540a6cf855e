# SPDX-License-Identifier: Apache-2.0
"""Datagrams in, answers out, where nothing native was built: plainly, one at a time.

It keeps every limit of ``_datagrams``, which takes them from here, and has no fast path: what
may ask is the chain's. What came is judged at once, because the kernel's queue is short and has
no fairness: what needs no answer is dropped, a client over its limit gets a hint (TC=1: come by
TCP), and the rest waits here in three lines, known clients first. It reads no names.
"""

from __future__ import annotations

import logging
import socket
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from filterd.fastpath._rate_limit_py import Treatment
from filterd.fastpath.pktinfo import ANCILLARY_OCTETS, arrival_of
from filterd.fastpath.rate_limit import packed
from filterd.wire.header import (
    CD,
    HEADER_OCTETS,
    OPCODE_MASK,
    QR,
    RA,
    RD,
    TC,
    Header,
    compose_header,
    peek_header,
)
from filterd.wire.question import best_effort_question

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Sequence

    from filterd.fastpath._rate_limit_py import Permits, SourceTable
    from filterd.fastpath.pktinfo import ControlMessage

LARGEST_QUERY = 4_096
MOST_A_TURN, MOST_HINTS_A_TURN = 4_096, 2_048
"""How many datagrams are looked at, and how many get a hint, before any is answered: what some
milliseconds are enough for. Where more come than hints can be sent, a client over its rate gets
silence."""

MOST_WAITING, MOST_WAITING_OCTETS = 32_768, 4 * 1024 * 1024
"""How long one of the lines may get: a lesson bell's, and what it costs."""

WAITS_AT_MOST_S = 1.9
"""After so long no client waits for an answer any more: a stub has asked again."""

REFLECTING_PORTS = (0, 7, 13, 19, 37)
"""Source ports of services that answer anything: a reply would start a loop (dns.md §2)."""

RESERVED_PARTS = 8
"""One of so many parts is for each later line: the known ask enough to starve it."""

LINES = 3
COUNTERS = (
    "received",
    "malformed",
    "denied",
    "truncated_rate",
    "truncated_overload",
    "dropped_rate",
    "dropped_overload",
    "unsent",
    "error",
)
"""What is counted; ``malformed`` is all that gets no answer, from any client; ``error``, what
gets none because of a fault of ours."""

_log = logging.getLogger("filterd.daemon")


class Datagram(NamedTuple):
    """A message and where it came from: ``interface`` is an index, 0 if not known."""

    message: bytes
    address: str
    interface: int
    source: tuple[str, int]
    reply_from: Sequence[ControlMessage]
    received_at: float


class Datagrams:
    """One UDP socket's traffic.

    Args:
        opened: bound by ``pktinfo.bind``; closing it is its owner's, and ends all this.
        table: judges sources.
        permits: tells whether an address may ask by an interface; must not raise.
        most_waiting: how long each of the lines may get.
        fast: for the native one; here there is none.
    """

    def __init__(
        self,
        opened: socket.socket,
        table: SourceTable,
        permits: Permits,
        most_waiting: int = MOST_WAITING,
        fast: object = None,  # noqa: ARG002 -- see above
    ) -> None:
        self._socket, self._table, self._permits = opened, table, permits
        self._most_waiting = most_waiting
        self._lines: list[deque[Datagram]] = [deque() for _ in range(LINES)]
        self._octets = [0] * LINES
        self._answers: list[tuple[Datagram, bytes]] = []
        self._hints_left = 0
        self._counters = dict.fromkeys(COUNTERS, 0)

    def __len__(self) -> int:
        return sum(map(len, self._lines))

    @property
    def counters(self) -> dict[str, int]:
        """What has become of the datagrams so far."""
        return dict(self._counters)

    def attend(
        self,
        loop: AbstractEventLoop,
        monotonic: Callable[[], float],
        serve: Callable[[], None],
    ) -> None:
        """Receive from now on whenever something has come, and have the waiting served.

        Args:
            loop: its reader of the socket is removed by the socket's owner.
            monotonic: tells the time.
            serve: called after something has come while any datagram waits.
        """

        def readable() -> None:
            try:
                self.receive(monotonic())
            except Exception:  # noqa: BLE001 -- logged whole; what stands in line must not wait
                _log.exception("what came could not all be taken in")
            if len(self):
                serve()

        loop.add_reader(self._socket, readable)

    def receive(self, now: float) -> bool:
        """Take in what has come, a turn's worth at most; False where that was reached."""
        self._hints_left = MOST_HINTS_A_TURN
        for _ in range(MOST_A_TURN):
            if self._socket.fileno() < 0:
                return True
            try:
                came = self._socket.recvmsg(LARGEST_QUERY, ANCILLARY_OCTETS)
            except BlockingIOError:
                return True
            except OSError:  # an ICMP error for an earlier answer: no question
                continue
            self._counters["received"] += 1
            try:
                self._take_in(*came, now)
            except Exception:  # noqa: BLE001 -- logged whole; the others' answers must not suffer
                self._counters["error"] += 1
                _log.exception("a datagram could not be taken in")
        return False

    def take(self, most: int, now: float) -> list[Datagram]:
        """Return those that are to be served next, at most so many."""
        taken: list[Datagram] = []
        for number, line in enumerate(self._lines):
            later = self._lines[number + 1 :]
            reserved = sum(min(len(one), most // RESERVED_PARTS) for one in later)
            while line and len(taken) < most - reserved:
                datagram = line.popleft()
                self._octets[number] -= len(datagram.message)
                if now - datagram.received_at < WAITS_AT_MOST_S:
                    taken.append(datagram)
                else:
                    self._counters["dropped_overload"] += 1
        return taken

    def answer(self, datagram: Datagram, reply: bytes) -> None:
        """Keep an answer for ``flush``."""
        self._answers.append((datagram, reply))

    def flush(self) -> None:
        """Send the answers; what the kernel cannot take now will be asked for again."""
        answers, self._answers = self._answers, []
        for datagram, reply in answers:
            self._send(datagram, reply)

    def _take_in(
        self,
        message: bytes,
        ancillary: Sequence[ControlMessage],
        flags: int,
        source: tuple[str, int],
        now: float,
    ) -> None:
        interface, to_many, reply_from = arrival_of(ancillary)
        is_query = len(message) >= HEADER_OCTETS and not peek_header(message).flags & QR
        if flags & socket.MSG_TRUNC or to_many or source[1] in REFLECTING_PORTS or not is_query:
            self._counters["malformed"] += 1
            return
        datagram = Datagram(message, source[0], interface, source, reply_from, now)
        who = packed(source[0]), interface, now, self._permits
        verdict = self._table.judge(*who)
        if verdict < LINES and not self._stand_in_line(datagram, verdict):
            is_last = verdict == Treatment.SERVE_LAST
            verdict = self._table.crowd(*who) if is_last else Treatment.HINT_RATE
        if verdict < LINES:
            return
        counter = self._turned_away(verdict)
        self._counters[counter] += 1
        if counter.startswith("truncated"):
            self._hints_left -= 1
            self._send(datagram, hint(message))

    def _stand_in_line(self, datagram: Datagram, number: int) -> bool:
        octets = self._octets[number] + len(datagram.message)
        if len(self._lines[number]) >= self._most_waiting or octets > MOST_WAITING_OCTETS:
            return False
        self._lines[number].append(datagram)
        self._octets[number] = octets
        return True

    def _turned_away(self, verdict: int) -> str:
        """Return as what a datagram is counted that does not stand in line."""
        if verdict == Treatment.DENY:
            return "denied"
        if verdict == Treatment.DROP_OVERLOAD:
            return "dropped_overload"
        if verdict == Treatment.HINT_RATE:
            return "truncated_rate" if self._hints_left > 0 else "dropped_rate"
        return "truncated_overload"

    def _send(self, datagram: Datagram, reply: bytes) -> None:
        try:
            self._socket.sendmsg([reply], datagram.reply_from, 0, datagram.source)
        except OSError:
            self._counters["unsent"] += 1


def hint(message: bytes) -> bytes:
    """Return what tells the sender of a query to come by TCP: never more than was sent.

    Args:
        message: at least the 12 octets of a header.
    """
    asked = peek_header(message)
    question = best_effort_question(message)
    flags = QR | TC | RA | asked.flags & (OPCODE_MASK | RD | CD)
    return compose_header(Header(asked.id, flags, 1 if question else 0, 0, 0, 0)) + question
