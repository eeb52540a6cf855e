# SPDX-License-Identifier: Apache-2.0
"""The UDP listener: takes datagrams, sends answers from where they were asked.

A readiness callback and ``recvmsg`` instead of a ``DatagramProtocol``: only the
control messages tell the address and the interface that a datagram came in by,
and an answer has to leave from there (a gateway has several addresses, and a
stub drops what comes from another).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING

from filterd.resolve.query import Peer
from filterd.server.arrival import ANCILLARY_OCTETS, arrival_of
from filterd.wire import fit, size_limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filterd.resolve.resolver import Resolver
    from filterd.server.arrival import ControlMessage
    from filterd.server.limiter import Limiter
    from filterd.server.stepping import Stepper

_LARGEST_QUERY = 4_096
_DATAGRAMS_A_WAKEUP = 64
_RECEIVE_BUFFER = 4 * 1024 * 1024
_REFLECTING_PORTS = frozenset((0, 7, 13, 19, 37))
"""Source ports of services that answer anything: a reply would start a loop (dns.md §2)."""


class UdpListener:
    """One UDP socket on one address, which ``arrival.bind`` has opened; closing is its owner's."""

    def __init__(
        self, opened: socket.socket, resolver: Resolver, stepper: Stepper, limiter: Limiter
    ) -> None:
        self._resolver, self._stepper, self._limiter = resolver, stepper, limiter
        self._loop = asyncio.get_running_loop()
        self._socket = opened
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._loop.add_reader(self._socket, self._readable)

    @property
    def port(self) -> int:
        """The port that it is bound to."""
        port: int = self._socket.getsockname()[1]
        return port

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self._socket)

    def _readable(self) -> None:
        for _ in range(_DATAGRAMS_A_WAKEUP):
            try:
                message, ancillary, flags, source = self._socket.recvmsg(
                    _LARGEST_QUERY, ANCILLARY_OCTETS
                )
            except BlockingIOError:
                return
            except OSError:  # an ICMP error for an earlier answer: nobody's question
                continue
            if not flags & socket.MSG_TRUNC:
                self._received(message, ancillary, source)

    def _received(
        self, message: bytes, ancillary: Sequence[ControlMessage], source: tuple[str, int]
    ) -> None:
        if source[1] in _REFLECTING_PORTS:
            return
        arrival = arrival_of(ancillary)
        if arrival.to_many:
            return
        reply_from = arrival.reply_from
        admitted = self._resolver.admit(message, Peer(source[0], arrival.interface))
        if admitted is None:
            return
        if isinstance(admitted, bytes):
            self._send(admitted, reply_from, source)
            return
        limit = size_limit(admitted.message, "udp")
        self._stepper.run(
            self._resolver.respond(admitted),
            lambda reply: self._send(fit(reply, limit), reply_from, source),
        )

    def _send(
        self, reply: bytes, reply_from: Sequence[ControlMessage], destination: tuple[str, int]
    ) -> None:
        """Send once; an answer that the kernel cannot take now is asked for again."""
        with contextlib.suppress(OSError):
            self._socket.sendmsg([reply], reply_from, 0, destination)
