# SPDX-License-Identifier: Apache-2.0
"""Queries by UDP on one socket: several at a time, matched by their IDs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import socket
    from collections import Counter
    from collections.abc import Callable

    from filterd.upstream.randomness import RandomNumbers
    from filterd.upstream.server_group import ServerHealth
    from filterd.upstream.upstream_question import OutgoingQuery
    from filterd.wire import ParsedResponse

_LARGEST = 4096


class Waiter(Protocol):
    """A waiter for the events of an attempt."""

    def answered(self, attempt: UdpAttempt, response: ParsedResponse) -> None:
        """Take the response; the attempt is over."""

    def mismatched(self) -> None:
        """Note a message that answers nothing; the attempt goes on."""

    def mismatched_in_case(self, attempt: UdpAttempt) -> None:
        """Note a message that answers except for letter case; the attempt goes on."""

    def refused(self) -> None:
        """Note an ICMP error; it ends nothing, because it may be forged."""


class UdpAttempt:
    """A query sent once to one server; ``sent_at`` is the clock's monotonic time."""

    __slots__ = ("_message_id", "_socket", "asked", "member", "sent_at", "waiter")

    def __init__(
        self, waiter: Waiter, member: ServerHealth, asked: OutgoingQuery, sent_at: float
    ) -> None:
        self.waiter, self.member, self.asked, self.sent_at = waiter, member, asked, sent_at
        self._socket: UdpSocket | None = None
        self._message_id = 0

    @property
    def edns(self) -> bool:
        """Whether it was sent with an OPT record."""
        return self.asked.edns

    @property
    def exact(self) -> bool:
        """Whether only an answer in the same letter case is accepted."""
        return self.asked.exact

    def sent(self, opened: UdpSocket, message_id: int) -> None:
        """Note the socket on which it waits."""
        self._socket, self._message_id = opened, message_id

    def close(self) -> None:
        """Stop waiting. May be called twice."""
        opened, self._socket = self._socket, None
        if opened is not None:
            opened.forget(self._message_id)

    def fail(self) -> None:
        """Stop waiting after the timeout: the path from that socket may be gone."""
        opened = self._socket
        if opened is not None:
            opened.retire()
        self.close()


class UdpSocket:
    """A connected socket and the questions that wait on it.

    The socket is connected, so the kernel drops what another address or port
    sends. ``questions`` counts those that it has carried.
    """

    __slots__ = (
        "_closed",
        "_counters",
        "_numbers",
        "_over",
        "_retired",
        "_socket",
        "_waiting",
        "fileno",
        "questions",
    )

    def __init__(
        self,
        opened: socket.socket,
        numbers: RandomNumbers,
        counters: Counter[str],
        over: Callable[[UdpSocket], None],
        closed: Callable[[UdpSocket], None],
    ) -> None:
        """Take over an open socket.

        Args:
            opened: not blocking.
            numbers: source of the IDs.
            counters: ``mismatched``, ``unexpected`` and ``icmp`` are counted here.
            over: called when nothing waits and the socket is retired; to close it.
            closed: called once, before the socket is closed.
        """
        self._socket, self._numbers, self._counters = opened, numbers, counters
        self._over, self._closed = over, closed
        self._waiting: dict[int, UdpAttempt] = {}
        self._retired = False
        self.fileno = opened.fileno()
        self.questions = 0

    def __len__(self) -> int:
        """Return how many questions wait."""
        return len(self._waiting)

    def ask(self, attempt: UdpAttempt) -> None:
        """Send a question under an ID that no other question on this socket has.

        Raises:
            OSError: it cannot be sent from here.
        """
        message_id = self._numbers.uint16()
        while message_id in self._waiting:
            message_id = self._numbers.uint16()
        self._send(attempt.asked.message(message_id))
        self.questions += 1
        self._waiting[message_id] = attempt
        attempt.sent(self, message_id)

    def _send(self, message: bytes) -> None:
        try:
            self._socket.send(message)
        except OSError:
            # It may be the ICMP error of an earlier question, reported only now.
            self._socket.send(message)

    def receive(self) -> None:
        """Read one message, and pass it to the attempt that it answers."""
        try:
            message = self._socket.recv(_LARGEST)
        except BlockingIOError:
            return
        except OSError:
            self._refused()
            return
        attempt = self._waiting.get(int.from_bytes(message[:2], "big"))
        response = attempt.asked.answered_by(message) if attempt is not None else None
        if response is None or attempt is None:
            self._mismatched(message, attempt)
        else:
            attempt.close()  # an upstream's second answer is ignored
            attempt.waiter.answered(attempt, response)

    def forget(self, message_id: int) -> None:
        """Remove a question that no longer waits."""
        self._waiting.pop(message_id, None)
        if self._retired and not self._waiting:
            self._over(self)

    def retire(self) -> None:
        """Take no more questions; it is over when the last waiting one is gone."""
        self._retired = True
        if not self._waiting:
            self._over(self)

    @property
    def is_retired(self) -> bool:
        """Whether it takes no more questions."""
        return self._retired

    def close(self) -> None:
        """Close at once, also while questions wait. May be called twice."""
        self._waiting.clear()
        self._retired = True
        if self._socket.fileno() >= 0:
            self._closed(self)
            self._socket.close()

    def _mismatched(self, message: bytes, attempt: UdpAttempt | None) -> None:
        """Count a message that answers nothing for all attempts: each is a target."""
        waiting = list(self._waiting.values())
        self._counters["mismatched" if waiting else "unexpected"] += 1
        if attempt is not None and attempt.asked.differs_in_case(message):
            attempt.waiter.mismatched_in_case(attempt)
        for one in waiting:
            one.waiter.mismatched()

    def _refused(self) -> None:
        self._counters["icmp"] += 1
        for one in list(self._waiting.values()):
            one.waiter.refused()
