# SPDX-License-Identifier: Apache-2.0
"""The UDP listener: takes datagrams, sends answers from where they were asked.

In turns: what the kernel holds is taken in and judged (``datagrams``), the most
deserving of it is answered, and the loop goes round, so that a flood keeps
neither upstreams nor TCP clients waiting, and the kernel's queue stays short.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from struct import Struct
from typing import TYPE_CHECKING

from filterd.fastpath.datagrams import Datagrams
from filterd.resolve.query import Peer
from filterd.wire import fit, size_limit

if TYPE_CHECKING:
    from filterd.fastpath.core_filler import FastPath
    from filterd.fastpath.coroutine_runner import Stepper
    from filterd.fastpath.datagrams import Datagram
    from filterd.fastpath.direct_forward import Relay
    from filterd.fastpath.rate_limit import Limiter
    from filterd.resolve.query import Fetched
    from filterd.resolve.resolver import Resolver

ANSWERED_A_TURN = 64
"""So many take some milliseconds, in which the kernel's queue cannot overflow."""

ANSWERED_AT_THE_END = 1_024

BUFFER_OCTETS = 4 * 1024 * 1024

_SO_SNDBUFFORCE, _SO_RCVBUFFORCE, _SO_MEMINFO = 32, 33, 55  # asm-generic/socket.h
_MEMORY = Struct("@9I")
_DROPS = 8  # linux/sock_diag.h, SK_MEMINFO_DROPS

_log = logging.getLogger("filterd.daemon")


class UdpListener:
    """One UDP socket on one address, which ``pktinfo.bind`` has opened; closing is its owner's."""

    def __init__(
        self,
        opened: socket.socket,
        resolver: Resolver,
        stepper: Stepper,
        limiter: Limiter,
        fast: FastPath | None = None,
        relay: Relay | None = None,
    ) -> None:
        self._resolver, self._stepper, self._clock = resolver, stepper, limiter.clock
        self._loop = asyncio.get_running_loop()
        self._socket = opened
        _enlarge(opened, _SO_RCVBUFFORCE, socket.SO_RCVBUF)
        _enlarge(opened, _SO_SNDBUFFORCE, socket.SO_SNDBUF)
        self._fast, self._relay = fast, relay
        self.datagrams = Datagrams(opened, limiter.table, self._may_ask, fast=fast)
        self._going_on: asyncio.Handle | None = None
        self._flushing: asyncio.Handle | None = None
        self.datagrams.attend(self._loop, self._clock.monotonic, self._serve)

    @property
    def port(self) -> int:
        """The port that it is bound to."""
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def counters(self) -> dict[str, int]:
        """What has become of the datagrams: see ``_datagrams_py.COUNTERS``."""
        return self.datagrams.counters

    @property
    def waiting(self) -> int:
        """How many datagrams have been taken in and not been answered."""
        return len(self.datagrams)

    @property
    def receive_drops(self) -> int:
        """How many datagrams the kernel had no room for, as far as it tells."""
        try:
            memory = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMORY.size)
        except OSError:
            return 0
        return int(_MEMORY.unpack(memory)[_DROPS]) if len(memory) == _MEMORY.size else 0

    def close(self) -> None:
        """Stop listening; who has been taken in is answered, at once or while the loop runs."""
        self._loop.remove_reader(self._socket)
        if self._going_on is not None:
            self._going_on.cancel()
        self._answer_next(ANSWERED_AT_THE_END)

    def _serve(self) -> None:
        if self._going_on is None:  # else their turn comes in this round of the loop anyway
            self._answer_next(ANSWERED_A_TURN)
            if self.datagrams:
                self._going_on = self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._going_on = None
        self._serve()

    def _answer_next(self, most: int) -> None:
        now, relay = self._clock.monotonic(), self._relay
        taken = self.datagrams.take(most, now)
        if taken and self._fast is not None:
            self._fast.refresh(now)
        for datagram in taken:
            try:
                is_relayed = relay is not None and relay.take(datagram, self)
            except Exception:  # noqa: BLE001 -- logged whole; the chain answers as if none were here
                _log.exception("a datagram could not be relayed")
                is_relayed = False
            if not is_relayed:
                self.ask_the_chain(datagram)
        self.datagrams.flush()

    def ask_the_chain(self, datagram: Datagram, fetched: Fetched | None = None) -> None:
        """Answer by the chain, by what upstreams have said already if they have. Never raises."""
        try:
            self._ask_the_chain(datagram, fetched)
        except Exception:  # noqa: BLE001 -- logged whole; one must not cost the others' answers
            _log.exception("a datagram could not be answered")

    def _ask_the_chain(self, datagram: Datagram, fetched: Fetched | None) -> None:
        peer = Peer(datagram.address, datagram.interface)
        admitted = self._resolver.admit(datagram.message, peer, fetched)
        if admitted is None:
            return
        if isinstance(admitted, bytes):
            self._answer(datagram, admitted)
            return
        if self._fast is not None and datagram.client_class < 0:
            self._fast.learn(admitted)
        limit = size_limit(admitted.message, "udp")
        self._stepper.run(
            self._resolver.respond(admitted),
            lambda reply: self._answer(datagram, fit(reply, limit)),
        )

    def _answer(self, datagram: Datagram, reply: bytes) -> None:
        """Answer soon: with the others of this turn, or of this round of the loop."""
        self.datagrams.answer(datagram, reply)
        if self._flushing is None:
            self._flushing = self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = None
        self.datagrams.flush()

    def _may_ask(self, address: str, interface: int) -> bool:
        return self._resolver.may_ask(Peer(address, interface))


def _enlarge(opened: socket.socket, forced: int, asked: int) -> None:
    """Let the kernel hold more, beyond the system's limit where that is allowed."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, forced, BUFFER_OCTETS)
    except OSError:  # needs CAP_NET_ADMIN
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, asked, BUFFER_OCTETS)
