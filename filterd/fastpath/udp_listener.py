# SPDX-License-Identifier: Apache-2.0
"""Receive datagrams, and send answers from the addresses that were asked.

This is the UDP listener.

In turns: the kernel's queue is emptied and judged (``datagrams``), the clients with
precedence are answered, and the event loop goes round, so that a flood keeps neither
upstreams nor TCP clients waiting, and the kernel's queue stays short.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from struct import Struct
from typing import TYPE_CHECKING, Any

from filterd.base.native import native_or
from filterd.fastpath import datagrams
from filterd.resolve.query import Peer
from filterd.wire import fit, size_limit

if TYPE_CHECKING:
    from filterd.fastpath._datagrams import Datagram, Datagrams, Relay
    from filterd.fastpath.core_filler import FastPath
    from filterd.fastpath.coroutine_runner import Stepper
    from filterd.fastpath.rate_limit import Limiter
    from filterd.resolve.query import Fetched
    from filterd.resolve.resolver import Resolver
else:
    Datagrams = native_or(datagrams.Datagrams, "filterd.fastpath._datagrams")


ANSWERED_A_TURN = 64
"""Some milliseconds of work, in which the kernel's queue cannot overflow."""

ANSWERED_AT_THE_END = 1_024

BUFFER_OCTETS = 8 * 1024 * 1024
"""As `net.core.rmem_max` in deploy/package/sysctl.conf, with the arithmetic."""

_SO_SNDBUFFORCE, _SO_RCVBUFFORCE, _SO_MEMINFO = 32, 33, 55  # asm-generic/socket.h
_MEMORY = Struct("@9I")
_DROPS = 8  # linux/sock_diag.h, SK_MEMINFO_DROPS

_logger = logging.getLogger("filterd.fastpath")


class UdpListener:
    """One UDP socket on one address, opened by ``pktinfo.bind``; its owner closes it."""

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
        """The number of datagrams by outcome: see ``datagrams.COUNTERS``."""
        return self.datagrams.counters

    @property
    def traffic(self) -> dict[str, Any]:
        """Queries, replies and their times so far: see ``Traffic``."""
        return self.datagrams.traffic

    @property
    def waiting(self) -> int:
        """The number of datagrams that wait for an answer."""
        return len(self.datagrams)

    @property
    def receive_drops(self) -> int:
        """The number of datagrams that the kernel has dropped, 0 if it does not report it."""
        try:
            memory = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMORY.size)
        except OSError:
            return 0
        return int(_MEMORY.unpack(memory)[_DROPS]) if len(memory) == _MEMORY.size else 0

    def close(self) -> None:
        """Stop listening; waiting datagrams are answered, at once or while the loop runs."""
        self._loop.remove_reader(self._socket)
        if self._going_on is not None:
            self._going_on.cancel()
        self._answer_next(ANSWERED_AT_THE_END)

    def _serve(self) -> None:
        if self._going_on is None:  # else it is called in this round of the loop anyway
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
            except Exception:
                _logger.exception("a datagram could not be forwarded directly")
                is_relayed = False
            if not is_relayed:
                self.ask_the_chain(datagram)
        self.datagrams.flush()

    def ask_the_chain(self, datagram: Datagram, fetched: Fetched | None = None) -> None:
        """Answer by the chain.

        ``fetched`` is what upstreams have already answered. Never raises.
        """
        try:
            self._ask_the_chain(datagram, fetched)
        except Exception:
            _logger.exception("a datagram could not be answered")

    def _ask_the_chain(self, datagram: Datagram, fetched: Fetched | None) -> None:
        peer = Peer(datagram.address, datagram.interface)
        admitted = self._resolver.admit(datagram.message, peer, fetched)
        if admitted is None:
            return
        if isinstance(admitted, bytes):
            self._answer(datagram, admitted)
            return
        if self._fast is not None and datagram.client_group < 0:
            self._fast.learn(admitted)
        limit = size_limit(admitted.message, "udp")
        self._stepper.run(
            self._resolver.respond(admitted),
            lambda reply: self._answer(datagram, fit(reply, limit)),
        )

    def _answer(self, datagram: Datagram, reply: bytes) -> None:
        """Send an answer with the others of this turn, or of this round of the loop."""
        self.datagrams.answer(datagram, reply)
        if self._flushing is None:
            self._flushing = self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = None
        self.datagrams.flush()

    def _may_ask(self, address: str, interface: int) -> bool:
        return self._resolver.may_ask(Peer(address, interface))


def _enlarge(opened: socket.socket, forced: int, asked: int) -> None:
    """Enlarge a socket buffer, beyond the system's limit if that is allowed."""
    try:
        opened.setsockopt(socket.SOL_SOCKET, forced, BUFFER_OCTETS)
    except OSError:  # needs CAP_NET_ADMIN
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, asked, BUFFER_OCTETS)
