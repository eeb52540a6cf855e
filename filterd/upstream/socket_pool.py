# SPDX-License-Identifier: Apache-2.0
"""Ask by UDP without native code: one socket for each question.

Each question goes out from a socket of its own, on a random port and connected to the
server, so that the kernel drops what another address or port sends. The socket closes with
the question: no port stays open long enough to be found by its answers to probes
(SAD DNS, CVE-2020-25705). ``_pool`` shares its sockets between a few questions, within the
bounds that stand here.

All timeouts of both share one timer of the loop, in coarse ticks (``TimerWheel``): a timer for
each question costs more than composing the question, and is nearly always removed before its
time.
"""

from __future__ import annotations

import asyncio
import resource
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Protocol

from filterd.base.errors import UpstreamUnreachableError
from filterd.upstream.randomness import RandomPorts, reserved_ports
from filterd.upstream.upstream_question import OutgoingQuery

if TYPE_CHECKING:
    import socket
    from collections import Counter
    from collections.abc import Callable

    from filterd.upstream.randomness import RandomNumbers
    from filterd.upstream.server_group import ServerHealth
    from filterd.upstream.upstream_question import UpstreamQuestion
    from filterd.wire import ParsedResponse


TICK_S = 0.02


class TimerTarget(Protocol):
    """A target of a timeout."""

    def due(self) -> None:
        """Act on the timeout, also if it was removed within the same tick."""


Bucket = dict[TimerTarget, None]
"""The targets of one tick."""


class TimerWheel:
    """The wheel; calls ``due`` of its targets, at most one tick late and never early."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.now = loop.time
        """Returns the event loop's time in seconds, which ``put`` uses."""
        self._buckets: dict[int, Bucket] = {}
        self._ticks: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0

    def __len__(self) -> int:
        return sum(map(len, self._buckets.values()))

    def put(self, waiting: TimerTarget, at: float) -> Bucket:
        """Add a timeout at ``at``; return the bucket to ``pop`` it from."""
        tick = int(at / TICK_S) + 1
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._buckets[tick] = {}
            heappush(self._ticks, tick)
            self._arm()
        bucket[waiting] = None
        return bucket

    def close(self) -> None:
        """Remove all timeouts."""
        self._buckets.clear()
        self._ticks.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        """Set the loop's timer for the earliest tick."""
        earliest = self._ticks[0]
        if self._timer is not None:
            if self._armed_for <= earliest:
                return
            self._timer.cancel()
        self._armed_for = earliest
        self._timer = self._loop.call_at(earliest * TICK_S, self._turn)

    def _turn(self) -> None:
        self._timer = None
        tick = int(self._loop.time() / TICK_S)
        while self._ticks and self._ticks[0] <= tick:
            for waiting in self._buckets.pop(heappop(self._ticks)):
                self._loop.call_soon(waiting.due)  # one that raises does not stop the others
        if self._ticks:
            self._arm()


QUESTIONS_A_SOCKET = 3
LIFE_S = 2.0
PLACES = 256
SPARES = 3
"""Of ``_pool``. A browser asks for A, AAAA and HTTPS of a name at once."""

MOST_SOCKETS = 4_096
_LARGEST = 4_096


def most_sockets() -> int:
    """Return the most sockets: half of the descriptors that this process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_SOCKETS if soft < 0 else min(MOST_SOCKETS, soft // 2)


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

    __slots__ = ("_asked", "_id", "_pool", "member", "opened", "sent_at", "waiter")

    def __init__(
        self,
        pool: SocketPool,
        waiter: Waiter,
        member: ServerHealth,
        sent_at: float,
        asked: OutgoingQuery,
        message_id: int,
        opened: socket.socket,
    ) -> None:
        self._pool, self.waiter, self.member, self.sent_at = pool, waiter, member, sent_at
        self._asked, self._id, self.opened = asked, message_id, opened

    @property
    def edns(self) -> bool:
        """Whether it was sent with an OPT record."""
        return self._asked.edns

    @property
    def exact(self) -> bool:
        """Whether only an answer in the same letter case is accepted."""
        return self._asked.exact

    def close(self) -> None:
        """Stop waiting. May be called twice."""
        self._pool.forget(self)

    fail = close

    def receive(self) -> None:
        """Read one message: the response, or one that answers nothing."""
        counters, waiter = self._pool.counters, self.waiter
        try:
            message = self.opened.recv(_LARGEST)
        except BlockingIOError:
            return
        except OSError:
            counters["icmp"] += 1
            self._pool.watch_again(self)
            waiter.refused()
            return
        is_of_it = int.from_bytes(message[:2], "big") == self._id
        response = self._asked.answered_by(message) if is_of_it else None
        if response is not None:
            self.close()  # an upstream's second answer is ignored
            waiter.answered(self, response)
            return
        counters["mismatched"] += 1
        if is_of_it and self._asked.differs_in_case(message):
            waiter.mismatched_in_case(self)
        waiter.mismatched()


class SocketPool:
    """The sockets that wait for an answer, no more of them than ``most_sockets``."""

    def __init__(self, wheel: TimerWheel, numbers: RandomNumbers, counters: Counter[str]) -> None:  # noqa: ARG002 -- as of ``_pool``
        self._numbers, self.counters = numbers, counters
        self._ports = RandomPorts(numbers, reserved_ports())
        self._most, self._closed = most_sockets(), False
        self._waiting: dict[UdpAttempt, int] = {}
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        """Return how many sockets are open."""
        return len(self._waiting)

    def ask(
        self,
        waiter: Waiter,
        member: ServerHealth,
        question: UpstreamQuestion,
        sent_at: float,
        *,
        edns: bool,
        exact: bool,
    ) -> UdpAttempt:
        """Send a question to a server, and let ``waiter`` wait for the response.

        Args:
            waiter: called with every event, from the event loop.
            member: the server, asked at its ``plain`` address.
            question: what is asked.
            sent_at: the clock's monotonic time, kept with the attempt.
            edns: whether to add an OPT record.
            exact: whether to make letter case random (0x20), and to take only an
                answer in the same case.

        Raises:
            UpstreamUnreachableError: there is no route to the server, or no socket for it.
        """
        if self._closed:
            raise UpstreamUnreachableError("the sockets are closed")
        if len(self) >= self._most:
            raise UpstreamUnreachableError(f"all {self._most} sockets are waiting for answers")
        asked = OutgoingQuery(question, edns=edns, numbers=self._numbers if exact else None)
        server, message_id = member.plain, self._numbers.uint16()
        try:
            opened = self._ports.connect(server.address, server.port)
        except OSError as error:
            raise _unreachable(server.address, error) from error
        attempt = UdpAttempt(self, waiter, member, sent_at, asked, message_id, opened)
        try:
            opened.send(asked.message(message_id))
            self._loop.add_reader(opened.fileno(), attempt.receive)
        except OSError as error:
            opened.close()
            raise _unreachable(server.address, error) from error
        self._waiting[attempt] = opened.fileno()
        return attempt

    def forget(self, attempt: UdpAttempt) -> None:
        """Close the socket of an attempt, unless that has been done."""
        descriptor = self._waiting.pop(attempt, None)
        if descriptor is not None:
            self._loop.remove_reader(descriptor)
            attempt.opened.close()

    def watch_again(self, attempt: UdpAttempt) -> None:
        """Watch the socket of an attempt after an error.

        uvloop stops watching a socket that has one, and the answer would be heard no more.
        """
        descriptor = self._waiting[attempt]
        self._loop.remove_reader(descriptor)
        self._loop.add_reader(descriptor, attempt.receive)

    def soon(self, callback: Callable[[], None]) -> None:
        """Call a function in the next turn of the loop."""
        self._loop.call_soon(callback)

    def close(self) -> None:
        """Close every socket, also those that are waited on."""
        self._closed = True
        for attempt in list(self._waiting):
            attempt.close()


def _unreachable(address: str, error: OSError) -> UpstreamUnreachableError:
    return UpstreamUnreachableError(f"{address}: {error.strerror or error}")
