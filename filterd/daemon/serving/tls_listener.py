# SPDX-License-Identifier: Apache-2.0
"""Answer over TLS (RFC 7858): the TCP listener, with records around its octets.

A ``ssl.SSLObject`` with two buffers in memory takes 33 kB; asyncio's transport takes 300. It
stands between the connection of ``tcp_listener``, which takes it for its transport, and the socket,
so that every rule of TCP holds here, and answers are equal octet by octet.

::

    socket --records--> TlsRecordLayer --octets--> tcp_listener.TcpConnection --> resolver
                          | handshake
                          v
                   a thread of its own

A handshake takes as long as fifty answers. OpenSSL lets go of the interpreter meanwhile, so the
thread delays no datagram; it gets whole records only, so that a client that sends single octets
costs no more than by TCP.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

from filterd.daemon.serving.tcp_listener import TcpConnection, TcpListener

if TYPE_CHECKING:
    from filterd.daemon.serving.tcp_listener import TcpSlots
    from filterd.daemon.serving.tls_certificate import TlsCertificate
    from filterd.fastpath.coroutine_runner import Stepper
    from filterd.fastpath.rate_limit import Limiter
    from filterd.resolve.query import Peer
    from filterd.resolve.resolver import Resolver

HANDSHAKE_WITHIN_S, IDLE_S = 10.0, 30.0
COUNTERS = ("handshakes", "resumed", "failed", "refused_rate", "refused_full")
"""Of handshakes: made, made by a ticket, not completed; refused for the rate, for want of room."""
QUESTIONS_A_HANDSHAKE = 20
"""What one costs of a client's rate: so many answers take as long."""
MOST_HANDSHAKE_OCTETS = 16 * 1024
MOST_STEPS = 16
"""Turns of the thread for one handshake; honest ones need two."""
_RECORD_HEAD = 5
_HANDSHAKE, _KINDS = 22, range(20, 24)
"""Kinds of records (RFC 8446 §5.1)."""
_YIELDING, _REST_S = 5, 500e-6
"""Steps of niceness of the thread, and its rest after each turn: on one core, lookups go first."""


class HandshakeThread:
    """The thread of a worker that makes handshakes, one after the other."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "handshakes", _yield_to_lookups)
        self._loop = asyncio.get_running_loop()

    def step(self, tls: ssl.SSLObject) -> asyncio.Future[bool]:
        """Go on with a handshake; the result is whether it is complete."""
        return self._loop.run_in_executor(self._executor, _step, tls)

    def close(self) -> None:
        """Begin no more steps."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _yield_to_lookups() -> None:
    with contextlib.suppress(OSError):
        niceness = os.getpriority(os.PRIO_PROCESS, 0) + _YIELDING
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


def _step(tls: ssl.SSLObject) -> bool:
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return False
    finally:
        time.sleep(_REST_S)
    return True


class TlsListener(TcpListener):
    """One listening socket; its certificate may change while it listens."""

    def __init__(
        self,
        resolver: Resolver,
        stepper: Stepper,
        limiter: Limiter,
        places: TcpSlots,
        certificate: TlsCertificate,
        handshakes: HandshakeThread,
    ) -> None:
        super().__init__(resolver, stepper, limiter, places)
        self.certificate, self.handshakes = certificate, handshakes
        self.counters = Counter[str]()

    @property
    def patience_s(self) -> tuple[float, float]:
        """How long a client has until its handshake is done, and between questions."""
        return HANDSHAKE_WITHIN_S, IDLE_S

    def device_of(self, peer: Peer) -> str:
        """Return whose places its connection takes: a device has many addresses of IPv6."""
        return self.resolver.device_of(peer)

    def made(self, peer: Peer) -> asyncio.BaseProtocol:
        """Return the protocol of a new connection."""
        return TlsRecordLayer(self, peer)

    def admits_handshake(self, peer: Peer) -> bool:
        """Charge a handshake; return whether the rate of its client allows it."""
        admits, asker = self.limiter.admits, (peer.address, peer.interface)
        return all(admits(*asker) for _ in range(QUESTIONS_A_HANDSHAKE))


class TlsRecordLayer(asyncio.BufferedProtocol):
    """The records of one connection; to the connection inside, its transport."""

    __slots__ = (
        *("_gathered", "_incoming", "_inside", "_is_ending", "_is_secure", "_listener"),
        *("_octets", "_outgoing", "_peer", "_socket", "_steps", "_tls"),
    )

    def __init__(self, listener: TlsListener, peer: Peer) -> None:
        self._listener, self._peer = listener, peer
        self._inside = TcpConnection(listener, peer)
        self._socket: asyncio.Transport | None = None
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._gathered = bytearray()
        self._octets = self._steps = 0
        self._is_secure = self._is_ending = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give it a place, or turn it away."""
        self._socket = cast("asyncio.Transport", transport)
        self._inside.connection_made(cast("asyncio.Transport", self))
        if self.is_closing():
            self._listener.counters["refused_full"] += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Give its place back."""
        self._socket = None
        self._inside.connection_lost(exc)

    def pause_writing(self) -> None:
        """End a client that asks and does not read."""
        self.abort()

    def eof_received(self) -> bool:
        """Keep the way back open, as TCP does."""
        return self._is_secure and self._inside.eof_received()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the buffer to read into."""
        return self._inside.get_buffer(sizehint)

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what has come."""
        received = self._listener.read_into[:nbytes]
        if self._is_ending:
            return
        if self._is_secure:
            self._incoming.write(received)
            self._decrypt()
        else:
            self._gathered += received
            self._octets += nbytes
            self._go_on()

    # The handshake.

    def _go_on(self) -> None:
        """Let the thread go on once whole records have come."""
        whole = _whole_records(self._gathered)
        is_other = whole < 0 or (self._tls is None and self._gathered[0] != _HANDSHAKE)
        is_long = self._octets > MOST_HANDSHAKE_OCTETS or self._steps == MOST_STEPS
        if is_other or is_long:
            self._refuse("failed")
        elif whole:
            self._begin_step(whole)

    def _begin_step(self, octets: int) -> None:
        assert self._socket is not None
        if self._tls is None:
            context = self._listener.certificate.context
            if context is None or not self._listener.admits_handshake(self._peer):
                self._refuse("refused_rate")
                return
            self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._incoming.write(self._gathered[:octets])
        del self._gathered[:octets]
        self._steps += 1
        self._socket.pause_reading()  # the thread has the buffers until it is done
        self._listener.handshakes.step(self._tls).add_done_callback(self._stepped)

    def _stepped(self, step: asyncio.Future[bool]) -> None:
        if step.cancelled():
            self.abort()
            return
        error = step.exception()
        if self._socket is None or self._is_ending:
            return
        self._send()  # an alert, too
        if error is not None:
            self._refuse("failed")
            return
        if step.result():
            self._secured()
        elif self._gathered:
            self._go_on()
        if self._socket is not None and not self.is_closing() and not self.is_reading():
            self._socket.resume_reading()

    def _secured(self) -> None:
        assert self._tls is not None
        counters = self._listener.counters
        counters["handshakes"] += 1
        counters["resumed"] += bool(self._tls.session_reused)
        self._is_secure = True
        self._incoming.write(self._gathered)
        self._gathered = bytearray()
        self._decrypt()

    def _refuse(self, why: str) -> None:
        self._listener.counters[why] += 1
        self.close()

    # Records.

    def _decrypt(self) -> None:
        """Hand over what records hold."""
        assert self._tls is not None
        into = self._listener.read_into
        try:
            while not self.is_closing():
                octets = self._tls.read(len(into), into)
                if not octets:
                    self._half_closed()
                    break
                self._inside.buffer_updated(cast("int", octets))
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._listener.counters["failed"] += 1
            self.abort()
            return
        self._send()  # of TLS itself, as a new key

    def _half_closed(self) -> None:
        if not self._inside.eof_received():
            self.close()

    def _send(self) -> None:
        if self._outgoing.pending and self._socket is not None:
            self._socket.write(self._outgoing.read())

    # What the connection inside calls, as of an asyncio.Transport.

    def write(self, octets: bytes) -> None:
        """Send octets as records."""
        if self._tls is None or self._is_ending:
            return
        left = memoryview(octets)
        while left:
            left = left[self._tls.write(left) :]
        self._send()

    def write_eof(self) -> None:
        """Say that nothing follows."""
        self._say_goodbye()
        if self._socket is not None:
            self._socket.write_eof()

    def close(self) -> None:
        """End it once all is sent."""
        self._say_goodbye()
        if self._socket is not None:
            self._socket.close()

    def abort(self) -> None:
        """End it at once."""
        self._is_ending = True
        if self._socket is not None:
            self._socket.abort()

    def _say_goodbye(self) -> None:
        if self._is_secure and not self._is_ending and self._tls is not None:
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            self._send()
        self._is_ending = True

    def is_closing(self) -> bool:
        """Return whether it ends."""
        return self._socket is None or self._socket.is_closing()

    def is_reading(self) -> bool:
        """Return whether it reads."""
        return self._socket is not None and self._socket.is_reading()

    def pause_reading(self) -> None:
        """Read no further."""
        if self._socket is not None:
            self._socket.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if self._socket is not None:
            self._socket.resume_reading()

    def set_write_buffer_limits(self, high: int) -> None:
        """Bound what waits to be sent."""
        if self._socket is not None:
            self._socket.set_write_buffer_limits(high=high)


def _whole_records(octets: bytearray) -> int:
    """Return how many octets are whole records; -1 where one is of another kind."""
    at = 0
    while len(octets) - at >= _RECORD_HEAD:
        if octets[at] not in _KINDS:
            return -1
        end = at + _RECORD_HEAD + int.from_bytes(octets[at + 3 : at + 5])
        if end > len(octets):
            break
        at = end
    return at
