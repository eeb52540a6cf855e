# SPDX-License-Identifier: Apache-2.0
"""Honest clients: ask now and then, retry, and use TCP after TC."""

from __future__ import annotations

import contextlib
import heapq
import random
import selectors
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_TC = 0x02
_TCP_WITHIN_S = 2.0


@dataclass
class Outcome:
    """The results of clients. ``tries`` has the attempts of each answered question."""

    asked: int = 0
    latencies_s: list[float] = field(default_factory=list)
    tries: list[int] = field(default_factory=list)
    by_tcp: int = 0
    unfiltered: int = 0

    @property
    def share(self) -> float:
        """Which share of the questions was answered."""
        return len(self.tries) / self.asked if self.asked else 0.0

    def within(self, tries: int) -> float:
        """Return which share was answered within so many tries."""
        return sum(one <= tries for one in self.tries) / self.asked if self.asked else 0.0

    def percentile_ms(self, share: float) -> float:
        """Return below which latency that share of the answers came."""
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


@dataclass
class _Asked:
    message: bytes
    at: float
    tries: int = 1


@dataclass
class HonestClients:
    """Each source asks ``a_second`` questions a second, those of ``messages`` by turns.

    An answer that contains ``forbidden`` to one of ``must_block`` is unfiltered.
    """

    server: tuple[str, int]
    sources: Sequence[str]
    messages: Sequence[bytes]
    a_second: float = 5.0
    most_tries: int = 3
    try_again_after_s: float = 1.0
    must_block: frozenset[bytes] = frozenset()
    forbidden: bytes = b"\xc6\x12\0\x42"

    def run(self, seconds: float) -> Outcome:
        """Ask for so long, and wait for the last answers."""
        with contextlib.ExitStack() as stack:
            self._outcome = Outcome()
            self._pool = stack.enter_context(ThreadPoolExecutor(8))
            self._ready = stack.enter_context(selectors.DefaultSelector())
            self._pending: dict[tuple[int, int], _Asked] = {}
            self._agenda: list[tuple[float, int, int]] = []  # when, which socket, which ID or -1
            self._sockets: dict[int, socket.socket] = {}
            for source in self.sources:
                self._open(source, stack)
            self._converse(perf_counter() + seconds)
        return self._outcome

    def _open(self, source: str, stack: contextlib.ExitStack) -> None:
        opened = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        opened.bind((source, 0))
        opened.connect(self.server)
        opened.setblocking(False)
        self._sockets[opened.fileno()] = opened
        self._ready.register(opened, selectors.EVENT_READ)
        start = perf_counter() + random.random() / self.a_second
        heapq.heappush(self._agenda, (start, opened.fileno(), -1))

    def _converse(self, until: float) -> None:
        while self._agenda and (self._pending or perf_counter() < until):
            pause = max(0.0, self._agenda[0][0] - perf_counter())
            for key, _ in self._ready.select(pause):
                self._hear(key.fd)
            while self._agenda and self._agenda[0][0] <= perf_counter():
                due, number, message_id = heapq.heappop(self._agenda)
                if message_id >= 0:
                    self._try_again(number, message_id)
                elif due < until:
                    self._ask(number)
                    heapq.heappush(self._agenda, (due + 1 / self.a_second, number, -1))

    def _ask(self, number: int) -> None:
        message_id = random.randrange(65536)
        message = (
            message_id.to_bytes(2) + self.messages[self._outcome.asked % len(self.messages)][2:]
        )
        self._outcome.asked += 1
        self._pending[number, message_id] = _Asked(message, perf_counter())
        self._send(number, message_id)

    def _try_again(self, number: int, message_id: int) -> None:
        asked = self._pending.get((number, message_id))
        if asked is None:
            return
        if asked.tries == self.most_tries:
            del self._pending[number, message_id]
            return
        asked.tries += 1
        self._send(number, message_id)

    def _send(self, number: int, message_id: int) -> None:
        with contextlib.suppress(OSError):
            self._sockets[number].send(self._pending[number, message_id].message)
        again = perf_counter() + self.try_again_after_s
        heapq.heappush(self._agenda, (again, number, message_id))

    def _hear(self, number: int) -> None:
        while True:
            try:
                answer = self._sockets[number].recv(65535)
            except OSError:  # nothing more, or an ICMP error
                return
            asked = self._pending.pop((number, int.from_bytes(answer[:2])), None)
            if asked is None:
                continue
            if answer[2] & _TC:
                self._pool.submit(self._by_tcp, self._sockets[number].getsockname()[0], asked)
            else:
                self._heard(asked, answer)

    def _by_tcp(self, source: str, asked: _Asked) -> None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(
                self.server, _TCP_WITHIN_S, source_address=(source, 0)
            ) as connection,
        ):
            connection.sendall(len(asked.message).to_bytes(2) + asked.message)
            length = int.from_bytes(connection.recv(2, socket.MSG_WAITALL))
            answer = connection.recv(length, socket.MSG_WAITALL)
            if len(answer) == length > 0:
                self._outcome.by_tcp += 1
                self._heard(asked, answer)

    def _heard(self, asked: _Asked, answer: bytes) -> None:
        self._outcome.latencies_s.append(perf_counter() - asked.at)
        self._outcome.tries.append(asked.tries)
        if asked.message[2:] in self.must_block and self.forbidden in answer:
            self._outcome.unfiltered += 1
