# SPDX-License-Identifier: Apache-2.0
"""A fast upstream that echoes questions, and a counter of answers.

``FakeUpstream`` parses every question and composes the answer of a test. Tens of
thousands of questions need an upstream that only turns them into responses.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from filterd.policy.model import UpstreamServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.support.serving import UdpStub

PATIENCE_S = 5.0
"""How long an answer may take on a busy machine before it counts as lost."""

_SILENCE_S = 0.2
"""How long to listen for answers that should not come."""

_WINDOW = 32
"""Questions that wait at a time: few enough that no socket overflows."""

_QR_AND_RA = 0x8080
_QR = 0x80


def _once(_: int) -> int:
    return 1


@dataclass
class Echo:
    """Answers every datagram with itself as an answer without data.

    ``times`` is the number of answers to a question of each type: a server that
    is not careful, for controls. ``asked`` are the qtypes.
    """

    times: Callable[[int], int] = _once
    asked: set[int] = field(default_factory=set)

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"", self.address)
        self._thread.join()
        self._socket.close()

    @property
    def address(self) -> tuple[str, int]:
        """Where it is asked."""
        host, port = self._socket.getsockname()
        return host, port

    @property
    def server(self) -> UpstreamServer:
        """The same, as a site names it."""
        return UpstreamServer(*self.address)

    def _run(self) -> None:
        while True:
            query, source = self._socket.recvfrom(4096)
            if not query:
                return
            if query[2] & _QR:  # else two that echo would go on for ever
                continue
            end = query.index(b"\0", 12) + 1
            qtype = int.from_bytes(query[end : end + 2])
            self.asked.add(qtype)
            flags = int.from_bytes(query[2:4]) | _QR_AND_RA
            answer = query[:2] + flags.to_bytes(2) + query[4:]
            for _ in range(self.times(qtype)):
                self._socket.sendto(answer, source)


@dataclass
class Tally:
    """What came back: how often each number was answered, and every answer's flags and counts."""

    answered: Counter[int] = field(default_factory=Counter)
    headers: list[tuple[int, int, int]] = field(default_factory=list)
    """Number, flags, ANCOUNT."""

    def missing(self, numbers: Iterable[int]) -> list[int]:
        """Return the numbers that were never answered."""
        return sorted(set(numbers) - self.answered.keys())

    @property
    def doubled(self) -> list[int]:
        """The numbers that were answered more than once."""
        return sorted(number for number, times in self.answered.items() if times > 1)

    def rcodes(self) -> Counter[int]:
        """Return how many answers have each code."""
        return Counter(flags & 0xF for _, flags, _ in self.headers)


def tally(stub: UdpStub, questions: Iterable[tuple[int, bytes]]) -> Tally:
    """Ask numbered questions, a few at a time, and count the answers by number.

    Args:
        stub: asks; its next answers are those to the questions.
        questions: number, and a query whose ID is replaced by the number.
    """
    counted = Tally()
    stub.socket.settimeout(PATIENCE_S)
    for window in _windows(questions):
        for number, query in window:
            stub.send(number.to_bytes(2) + query[2:])
        _collect(stub, counted, {number for number, _ in window})
    stub.socket.settimeout(_SILENCE_S)
    _collect(stub, counted, {-1})  # nothing more may come
    return counted


def _windows(questions: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    window = []
    for question in questions:
        window.append(question)
        if len(window) == _WINDOW:
            yield window
            window = []
    yield window


def _collect(stub: UdpStub, counted: Tally, wanted: set[int]) -> None:
    """Count answers until each of these numbers has one, or none comes any more."""
    while not wanted <= counted.answered.keys():
        try:
            answer = stub.receive()
        except TimeoutError:
            return
        number, flags = int.from_bytes(answer[:2]), int.from_bytes(answer[2:4])
        counted.answered[number] += 1
        counted.headers.append((number, flags, int.from_bytes(answer[6:8])))
