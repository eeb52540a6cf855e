# SPDX-License-Identifier: Apache-2.0
"""Receive datagrams and send answers one at a time, without native code.

It keeps every limit of ``_datagrams``, which takes them from here, and has no fast path: the
chain answers every permitted client. A datagram is judged when it comes, because the kernel's
queue is short and not fair: what needs no answer is dropped, a client over its limit gets a hint
(TC=1: ask by TCP), and the rest waits here in three lines, known clients first. No name is read.

``Traffic`` counts queries, replies and their times of one listener, for metrics, as native
listeners do in C. Times are from reading a query to handing its reply to the kernel.
``fast`` are those of the fast path, whose replies leave with the batch that their queries came
in; ``chain`` all others, also those that are forwarded directly.
"""

from __future__ import annotations

import logging
import socket
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.time_buckets import TimeBuckets
from filterd.fastpath.pktinfo import ANCILLARY_OCTETS, arrival_of
from filterd.fastpath.rate_limit import Treatment, packed
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
from filterd.wire.section import best_effort_question

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Sequence

    from filterd.fastpath._rate_limit import Permits, SourceTable
    from filterd.fastpath.pktinfo import ControlMessage


LARGEST_QUERY = 4_096
MOST_A_TURN, MOST_HINTS_A_TURN = 4_096, 2_048
"""The datagrams that are judged, and those that get a hint, before any is answered: some
milliseconds of work. Beyond that a client over its rate gets no reply."""

MOST_WAITING, MOST_WAITING_OCTETS = 32_768, 4 * 1024 * 1024
"""The longest line, in datagrams (a lesson bell's) and in octets."""

WAITS_AT_MOST_S = 1.9
"""The time after which a stub has asked again, and waits for this answer no more."""

REFLECTING_PORTS = (0, 7, 13, 19, 37)
"""Source ports of services that answer anything: a reply would start a loop."""

RESERVED_PARTS = 8
"""One part in eight is for each later line: known clients could starve it."""

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
"""``malformed`` counts all messages that get no answer, from any client; ``error``, those that
get none because of an internal error."""

_logger = logging.getLogger("filterd.fastpath")


class Datagram(NamedTuple):
    """A message and its source; ``interface`` is an index, 0 if not known."""

    message: bytes
    address: str
    interface: int
    source: tuple[str, int]
    reply_from: Sequence[ControlMessage]
    received_at: float


class Datagrams:
    """One UDP socket's traffic.

    Args:
        opened: bound by ``pktinfo.bind``; its owner closes it, which ends all this.
        table: judges sources.
        permits: returns whether an address may ask by an interface; must not raise.
        most_waiting: the longest line.
        fast: for the native class; not used here.
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
        self._traffic = Traffic()
        self._monotonic: Callable[[], float] | None = None

    def __len__(self) -> int:
        return sum(map(len, self._lines))

    @property
    def counters(self) -> dict[str, int]:
        """The number of datagrams by outcome so far."""
        return dict(self._counters)

    @property
    def traffic(self) -> dict[str, Any]:
        """Queries, replies and their times so far: see ``Traffic``."""
        return self._traffic.to_plain()

    def attend(
        self,
        loop: AbstractEventLoop,
        monotonic: Callable[[], float],
        serve: Callable[[], None],
    ) -> None:
        """Receive whenever the socket is readable, and let waiting datagrams be served.

        Args:
            loop: its reader of the socket is removed by the socket's owner.
            monotonic: the clock.
            serve: called after each reception while any datagram waits.
        """
        self._monotonic = monotonic

        def readable() -> None:
            try:
                self.receive(monotonic())
            except Exception:
                _logger.exception("datagrams could not all be received")
            if len(self):
                serve()

        loop.add_reader(self._socket, readable)

    def receive(self, now: float) -> bool:
        """Receive what has come, at most a turn's worth.

        Return False if there may be more.
        """
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
            except Exception:
                self._counters["error"] += 1
                _logger.exception("a datagram could not be taken in")
        return False

    def take(self, most: int, now: float) -> list[Datagram]:
        """Remove and return the datagrams to serve next, at most ``most``."""
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
        """Send the answers.

        One that the kernel does not take now is lost: the stub asks again.
        """
        answers, self._answers = self._answers, []
        now = self._monotonic() if self._monotonic is not None and answers else 0.0
        for datagram, reply in answers:
            self._traffic.replied(reply, max(0.0, now - datagram.received_at))
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
        self._traffic.asked(source[0])
        asker = packed(source[0]), interface, now, self._permits
        verdict = self._table.judge(*asker)
        if verdict < LINES and not self._stand_in_line(datagram, verdict):
            is_last = verdict == Treatment.SERVE_LAST
            verdict = self._table.crowd(*asker) if is_last else Treatment.HINT_RATE
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
        """Return the counter of a datagram that does not wait in line."""
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
    """Return an empty reply with TC=1, never longer than the query.

    Args:
        message: at least the 12 octets of a header.
    """
    asked = peek_header(message)
    question = best_effort_question(message)
    flags = QR | TC | RA | asked.flags & (OPCODE_MASK | RD | CD)
    return compose_header(Header(asked.id, flags, 1 if question else 0, 0, 0, 0)) + question


RCODES = 16
_RCODE_BITS = 15
"""Of the fourth octet of a message (RFC 1035 §4.1.1)."""


class Traffic:
    """The counters of one listener whose replies are all of the chain."""

    def __init__(self) -> None:
        self._requests, self._rcodes = [0, 0], [0] * RCODES
        self._times = TimeBuckets()

    def asked(self, address: str) -> None:
        """Count a query."""
        self._requests[":" not in address] += 1

    def replied(self, reply: bytes, took_s: float) -> None:
        """Count a reply, and the time that it took."""
        if len(reply) >= HEADER_OCTETS:
            self._rcodes[reply[3] & _RCODE_BITS] += 1
        self._times.add(took_s)

    def to_plain(self) -> dict[str, Any]:
        """Return the counters as plain data."""
        return traffic_to_plain(self._requests, self._rcodes, chain=self._times)


def traffic_to_plain(
    requests: Sequence[int], rcodes: Sequence[int], **times: TimeBuckets
) -> dict[str, Any]:
    """Return counters as plain data, which can be summed up key by key.

    Args:
        requests: over IPv6 and over IPv4.
        rcodes: replies by response code.
        times: of replies, by path.
    """
    return {
        "requests": {"4": requests[1], "6": requests[0]},
        "rcodes": {str(rcode): n for rcode, n in enumerate(rcodes) if n},
        "latency": {path: buckets.to_plain() for path, buckets in times.items()},
    }
