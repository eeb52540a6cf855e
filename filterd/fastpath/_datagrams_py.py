# SPDX-License-Identifier: Apache-2.0
"""Datagrams in, answers out, in readable Python (the reference of ``_datagrams``).

What came is judged at once, because the kernel's queue is short and knows no
fairness: what needs no answer is dropped, who is over the limit gets a hint
(TC=1: come by TCP), and the rest waits here in three lines, the known first.
It knows no names and no policy.
"""

from __future__ import annotations

import logging
import socket
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.errors import WireError
from filterd.fastpath._rate_limit_py import Verdict
from filterd.fastpath.pktinfo import ANCILLARY_OCTETS, arrival_of
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
from filterd.wire.parsed_query import parse_query
from filterd.wire.question import best_effort_question
from filterd.wire.reply import formerr, notimp

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from filterd.fastpath._core_py import Core
    from filterd.fastpath._rate_limit_py import Permits, SourceTable
    from filterd.fastpath.pktinfo import ControlMessage

    class Fast(Protocol):
        """Answers from tables; see ``filterd.fastpath.core_filler.FastPath``."""

        core: Core

        def refresh(self, now: float) -> None:
            """Look at what is in force, and forget what is not; must not raise."""

        def keep_house(self, now: float) -> None:
            """Do what is better done when those who asked have their answers."""

        def refused(self, malformed: int, notimp: int) -> None:
            """Count who was answered FORMERR and NOTIMP; must not raise."""


LARGEST_QUERY = 4_096
MOST_A_TURN, MOST_HINTS_A_TURN = 4_096, 2_048
"""How many datagrams are looked at, and how many get a hint, before anybody is answered: what some
milliseconds are enough for. Where more come than hints can be sent, who is over his rate gets
silence."""

ANSWERED_A_TURN = 1_024
"""After so many answers at once of the fast path the loop goes round for the others."""

MOST_WAITING, MOST_WAITING_OCTETS = 32_768, 4 * 1024 * 1024
"""How long one of the lines may get: a lesson bell's, and what it costs."""

WAITS_AT_MOST_S = 1.9
"""After so long nobody waits for an answer any more: a stub has asked again."""

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
"""What is counted; ``malformed`` is all that nobody answers, whoever sent it; ``error``, what
nobody answers because of a fault of ours."""

_log = logging.getLogger("filterd.daemon")


@dataclass(frozen=True, slots=True)
class Datagram:
    """A message and where it came from: ``interface`` is an index, 0 if not known.

    The rest is what the fast path found out of it, -1 for nothing: the class of who sent
    it, and, where nobody says a thing against the question, its opening; ``epoch``: as of when.
    """

    message: bytes
    address: str
    interface: int
    source: tuple[str, int]
    reply_from: Sequence[ControlMessage]
    received_at: float
    client_class: int = -1
    opening: int = -1
    epoch: int = 0


class Datagrams:
    """One UDP socket's traffic.

    Args:
        opened: bound by ``pktinfo.bind``; closing it is its owner's, and ends all this.
        table: judges sources.
        permits: tells whether an address may ask by an interface; must not raise.
        most_waiting: how long each of the lines may get.
        fast: answers what needs no thinking, None for nobody.
    """

    def __init__(
        self,
        opened: socket.socket,
        table: SourceTable,
        permits: Permits,
        most_waiting: int = MOST_WAITING,
        fast: Fast | None = None,
    ) -> None:
        self._socket, self._fast = opened, fast
        self._table, self._permits, self._most_waiting = table, permits, most_waiting
        self._lines: list[deque[Datagram]] = [deque() for _ in range(LINES)]
        self._octets = [0] * LINES
        self._answers: list[tuple[Datagram, bytes]] = []
        self._hints_left = self._answered = 0
        self._counters: Counter[str] = Counter(dict.fromkeys(COUNTERS, 0))

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
        """Receive from now on whenever something has come, and let who waits be served.

        Args:
            loop: its reader of the socket is removed by the socket's owner.
            monotonic: tells the time.
            serve: called after something has come while somebody waits.
        """

        def readable() -> None:
            try:
                self.receive(monotonic())
            except Exception:  # noqa: BLE001 -- logged whole; who stands in line must not wait for it
                _log.exception("what came could not all be taken in")
            if len(self):
                serve()

        loop.add_reader(self._socket, readable)

    def receive(self, now: float) -> bool:
        """Take in what has come, a turn's worth at most; False where that was reached."""
        is_all = self._receive(now)
        if self._fast is not None:
            self._fast.keep_house(now)
        return is_all

    def _receive(self, now: float) -> bool:
        self._hints_left = MOST_HINTS_A_TURN
        self._answered = 0
        for _ in range(MOST_A_TURN):
            if self._socket.fileno() < 0:
                return True
            if self._answered >= ANSWERED_A_TURN:
                return False
            try:
                message, ancillary, flags, source = self._socket.recvmsg(
                    LARGEST_QUERY, ANCILLARY_OCTETS
                )
            except BlockingIOError:
                return True
            except OSError:  # an ICMP error for an earlier answer: nobody's question
                continue
            self._counters["received"] += 1
            if self._fast is not None:
                self._fast.refresh(now)
            try:
                self._take_in(message, ancillary, bool(flags & socket.MSG_TRUNC), source, now)
            except Exception:  # noqa: BLE001 -- logged whole; the others' answers must not suffer
                self._counters["error"] += 1
                _log.exception("a datagram could not be taken in")
        return False

    def take(self, most: int, now: float) -> list[Datagram]:
        """Return those who are to be served next, at most so many."""
        taken: list[Datagram] = []
        for number, line in enumerate(self._lines):
            reserved = sum(
                min(len(later), most // RESERVED_PARTS) for later in self._lines[number + 1 :]
            )
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
            self._send(reply, datagram.reply_from, datagram.source)

    def _take_in(
        self,
        message: bytes,
        ancillary: Sequence[ControlMessage],
        truncated: bool,
        source: tuple[str, int],
        now: float,
    ) -> None:
        arrival = arrival_of(ancillary)
        if truncated or arrival.to_many or not _is_query(message) or source[1] in REFLECTING_PORTS:
            self._counters["malformed"] += 1
            return
        address = _packed(source[0])
        verdict = self._table.judge(address, arrival.interface, now, self._permits)
        looked = (-1, -1, 0)
        if verdict < LINES and self._fast is not None:
            core = self._fast.core
            answer = core.answer(message, address, arrival.interface)
            if answer is None and core.class_of(address, arrival.interface) >= 0:
                answer = self._refuse(message, self._fast)
            if answer is not None:
                self._answered += 1
                self._send(answer, arrival.reply_from, source)
                return
            looked = (core.client_class, core.opening, core.epoch)
        datagram = Datagram(
            message, source[0], arrival.interface, source, arrival.reply_from, now, *looked
        )
        if verdict < LINES and not self._stand_in_line(datagram, verdict):
            verdict = (
                self._table.crowd(address, arrival.interface, now, self._permits)
                if verdict == Verdict.SERVE_LAST
                else Verdict.HINT_RATE
            )
        if verdict >= LINES:
            self._turn_away(datagram, verdict)

    @staticmethod
    def _refuse(message: bytes, fast: Fast) -> bytes | None:
        answer = refusal(message)
        if answer is not None:
            notimp_sent = int(peek_header(message).opcode != 0)
            fast.refused(1 - notimp_sent, notimp_sent)
        return answer

    def _stand_in_line(self, datagram: Datagram, number: int) -> bool:
        octets = self._octets[number] + len(datagram.message)
        if len(self._lines[number]) >= self._most_waiting or octets > MOST_WAITING_OCTETS:
            return False
        self._lines[number].append(datagram)
        self._octets[number] = octets
        return True

    def _turn_away(self, datagram: Datagram, verdict: int) -> None:
        if verdict == Verdict.DENY:
            self._counters["denied"] += 1
        elif verdict == Verdict.DROP_OVERLOAD:
            self._counters["dropped_overload"] += 1
        elif verdict == Verdict.HINT_RATE and self._hints_left <= 0:
            self._counters["dropped_rate"] += 1
        else:
            self._hints_left -= 1
            rate = verdict == Verdict.HINT_RATE
            self._counters["truncated_rate" if rate else "truncated_overload"] += 1
            self._send(hint(datagram.message), datagram.reply_from, datagram.source)

    def _send(
        self, reply: bytes, reply_from: Sequence[ControlMessage], destination: tuple[str, int]
    ) -> None:
        try:
            self._socket.sendmsg([reply], reply_from, 0, destination)
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


def refusal(message: bytes) -> bytes | None:
    """Return what is answered to what is no query, None for a query that the chain can read.

    Args:
        message: at least the 12 octets of a header.
    """
    if peek_header(message).opcode:
        return notimp(message)
    try:
        parse_query(message)
    except WireError:
        return formerr(message)
    return None


def _is_query(message: bytes) -> bool:
    return len(message) >= HEADER_OCTETS and not message[2] & QR >> 8


def _packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
