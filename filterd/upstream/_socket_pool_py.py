# SPDX-License-Identifier: Apache-2.0
"""The UDP socket pool: few questions on each socket, on ports that change.

A question goes out by one of 256 places for its server, chosen at random. Where
the place is empty a socket is opened on a random port; after three questions or
two seconds it retires, and closes when nothing waits on it any more. So only a third
of the questions pay for opening a socket under load, ports do not show the order of
questions, and no port stays open long enough to be found by its answers to probes
(SAD DNS, CVE-2020-25705).

While a server works on its answer, a few spare sockets are opened for the next
questions to it, which then need not wait for that; they live no longer than the
others.

All sockets are in one epoll set of their own, which the event loop watches as
one descriptor: a reader of the loop for each costs more than its question. For
the same reason they share one timer, which waits for the oldest.

This is the reference of ``_pool``; its parts, ``randomness`` and ``udp_query``,
belong to the reference.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import select
from typing import TYPE_CHECKING

from filterd.errors import UpstreamUnreachableError
from filterd.upstream.randomness import RandomPorts, reserved_ports
from filterd.upstream.udp_query import UdpAttempt, UdpSocket
from filterd.upstream.upstream_question import OutgoingQuery

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from filterd.upstream.randomness import RandomNumbers
    from filterd.upstream.server_group import ServerHealth
    from filterd.upstream.timer_wheel import TimerWheel
    from filterd.upstream.udp_query import Waiter
    from filterd.upstream.upstream_question import UpstreamQuestion

QUESTIONS_A_SOCKET = 3
LIFE_S = 2.0
MOST_SOCKETS = 4_096

PLACES = 256
NOWHERE = -1
"""The place of a spare socket."""

SPARES = 3
"""A browser asks for A, AAAA and HTTPS of a name at once."""

_SOCKETS_A_WAKEUP = 64
"""A flood of forgeries must not keep the loop here."""

_Place = tuple["ServerHealth", int]


def most_sockets() -> int:
    """Return the most sockets: half of the descriptors that this process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_SOCKETS if soft < 0 else min(MOST_SOCKETS, soft // 2)


class SocketPool:
    """The pool: sends attempts; opens, shares and closes the sockets for them."""

    def __init__(self, wheel: TimerWheel, numbers: RandomNumbers, counters: Counter[str]) -> None:
        self._wheel, self._numbers, self._counters = wheel, numbers, counters
        self._ports = RandomPorts(numbers, reserved_ports())
        self._most = most_sockets()
        self._in_place: dict[_Place, UdpSocket] = {}
        self._spares: dict[ServerHealth, list[UdpSocket]] = {}
        self._asked: dict[ServerHealth, None] = {}
        self._is_receiving = False
        self._soon: list[Callable[[], None]] = []
        self._over: list[UdpSocket] = []
        self._open: dict[int, tuple[UdpSocket, _Place, float]] = {}
        self._timed = False
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._loop.add_reader(self._epoll.fileno(), self._ready)

    def __len__(self) -> int:
        """Return how many sockets are open."""
        return len(self._open)

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
        asked = OutgoingQuery(question, edns=edns, numbers=self._numbers if exact else None)
        attempt = UdpAttempt(waiter, member, asked, sent_at)
        place = member, self._numbers.uint16() % PLACES
        opened = self._in_place.get(place)
        try:
            if opened is None or opened.is_retired:
                opened = self._fill(place)
            opened.ask(attempt)
        except OSError as error:
            if opened is not None:
                self._take_away(opened, place)
            address = member.plain.address
            raise UpstreamUnreachableError(f"{address}: {error.strerror or error}") from error
        if opened.questions >= QUESTIONS_A_SOCKET:
            self._take_away(opened, place)
        return attempt

    def soon(self, callback: Callable[[], None]) -> None:
        """Call a function after this turn has received all messages, or in the next turn.

        A waiter of many answers then acts on all of them at once. Retired sockets are
        closed after that: closing takes longer than the rest, and nothing waits for it.
        """
        if self._is_receiving:
            self._soon.append(callback)
        else:
            self._loop.call_soon(callback)

    def close(self) -> None:
        """Close every socket, also those that are waited on."""
        for opened, _, _ in list(self._open.values()):
            opened.close()
        if not self._epoll.closed:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def due(self) -> None:
        """Retire the sockets that have reached their age limit."""
        now, self._timed = self._wheel.now(), False
        for opened, _, retires_at in list(self._open.values()):  # the oldest is the first
            if retires_at > now:
                self._wait_until(retires_at)
                return
            opened.retire()

    def _wait_until(self, at: float) -> None:
        self._timed = True
        self._wheel.put(self, at)

    def _fill(self, place: _Place) -> UdpSocket:
        """Put a socket in a place: a spare one, if there is one."""
        member, _ = place
        spares = self._spares.get(member)
        opened = spares[0] if spares else self._opened(member)
        self._no_spare(opened, member)
        self._in_place[place] = opened
        _, _, retires_at = self._open[opened.fileno]
        self._open[opened.fileno] = opened, place, retires_at
        if not self._asked:
            self._loop.call_soon(self._open_spares)
        self._asked[member] = None
        return opened

    def _open_spares(self) -> None:
        """Open sockets for the next questions, while upstreams work on an answer."""
        asked, self._asked = self._asked, {}
        with contextlib.suppress(OSError):  # the next question meets the same error, and reports it
            for member in asked:
                while self._has_room_for_a_spare(member):
                    opened = self._opened(member)  # first: an empty list would be in the way
                    self._spares.setdefault(member, []).append(opened)

    def _has_room_for_a_spare(self, member: ServerHealth) -> bool:
        return (
            len(self._spares.get(member, ())) < SPARES
            and len(self._open) < self._most // 2
            and not self._epoll.closed
        )

    def _no_spare(self, opened: UdpSocket, member: ServerHealth) -> None:
        """Remove a socket from the spare ones."""
        spares = self._spares.get(member, [])
        if opened in spares:
            spares.remove(opened)
            if not spares:
                del self._spares[member]

    def _opened(self, member: ServerHealth) -> UdpSocket:
        """Return a new socket that is in no place yet."""
        if self._epoll.closed:
            raise UpstreamUnreachableError("the sockets are closed")
        if len(self._open) >= self._most and not self._is_receiving:
            self._close_what_is_over()
        if len(self._open) >= self._most and not self._give_one_up():
            raise UpstreamUnreachableError(f"all {self._most} sockets are waiting for answers")
        server = member.plain
        connected = self._ports.connect(server.address, server.port)
        opened = UdpSocket(connected, self._numbers, self._counters, self._is_over, self._closed)
        try:
            self._epoll.register(opened.fileno, select.EPOLLIN)
        except OSError:
            connected.close()
            raise
        retires_at = self._wheel.now() + LIFE_S
        self._open[opened.fileno] = opened, (member, NOWHERE), retires_at
        if not self._timed:
            self._wait_until(retires_at)
        return opened

    def _give_one_up(self) -> bool:
        """Close a socket on which nothing waits; return whether there was one."""
        for member, (opened, *_) in self._spares.items():
            self._no_spare(opened, member)  # now, and not when it is closed
            opened.retire()
            return True
        for place, opened in self._in_place.items():
            if not len(opened):
                self._take_away(opened, place)
                return True
        return False

    def _take_away(self, opened: UdpSocket, place: _Place) -> None:
        """Remove a socket from its place, so that it gets no more questions."""
        if self._in_place.get(place) is opened:
            del self._in_place[place]
        opened.retire()

    def _is_over(self, opened: UdpSocket) -> None:
        """Close a socket on which nothing waits, now or after the waiters have run."""
        if self._is_receiving:
            self._over.append(opened)
        else:
            opened.close()

    def _closed(self, opened: UdpSocket) -> None:
        _, place, _ = self._open.pop(opened.fileno)
        self._no_spare(opened, place[0])
        if self._in_place.get(place) is opened:
            del self._in_place[place]

    def _ready(self) -> None:
        self._is_receiving = True
        try:
            for descriptor, _ in self._epoll.poll(0, _SOCKETS_A_WAKEUP):
                found = self._open.get(descriptor)
                if found is not None:  # else it does not belong to this pool any more
                    found[0].receive()
        finally:
            self._is_receiving = False
            self._go_on()

    def _go_on(self) -> None:
        """Run what was put off with ``soon``, then close the sockets that are over."""
        soon, self._soon = self._soon, []
        for callback in soon:
            try:
                callback()
            except Exception as error:  # noqa: BLE001 -- as of what the loop calls
                self._loop.call_exception_handler(
                    {"message": "who was answered has failed", "exception": error}
                )
        self._close_what_is_over()

    def _close_what_is_over(self) -> None:
        over, self._over = self._over, []
        for opened in over:
            opened.close()
