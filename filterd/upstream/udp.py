# SPDX-License-Identifier: Apache-2.0
"""One attempt at one server by UDP, on a socket of its own."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from filterd.errors import UpstreamUnreachableError
from filterd.upstream.question import UpstreamQuestion, compose, new_id, parse_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.policy.model import UpstreamServer
    from filterd.wire import ParsedResponse

_LARGEST = 4096
_DATAGRAMS_A_WAKEUP = 16
"""A flood of forgeries must not keep the loop in one socket."""


class UdpAttempt:
    """A question sent once; calls back with the first message that answers it.

    The socket is connected, so the kernel drops what another address or port
    sends, and unbound before, so the kernel picks a random port.
    """

    def __init__(
        self,
        server: UpstreamServer,
        question: UpstreamQuestion,
        *,
        edns: bool,
        answered: Callable[[ParsedResponse], None],
        mismatched: Callable[[], None],
        refused: Callable[[], None],
    ) -> None:
        """Send.

        Args:
            server: whom to ask.
            question: what to ask.
            edns: whether to add an OPT record.
            answered: called with the response that answers; not called after ``close``.
            mismatched: called for each message that does not.
            refused: called for each ICMP error; that ends nothing, it may be forged.

        Raises:
            UpstreamUnreachableError: there is no way to the server.
        """
        self._loop = asyncio.get_running_loop()
        self._question, self._id = question, new_id()
        self._answered, self._mismatched, self._refused = answered, mismatched, refused
        try:
            self._socket = _send(server, compose(question, self._id, edns=edns))
        except OSError as error:
            reason = error.strerror or error
            raise UpstreamUnreachableError(f"{server.address}: {reason}") from error
        self._loop.add_reader(self._socket, self._readable)

    def close(self) -> None:
        """Stop listening. May be called twice."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _readable(self) -> None:
        for _ in range(_DATAGRAMS_A_WAKEUP):
            try:
                message = self._socket.recv(_LARGEST)
            except BlockingIOError:
                return
            except OSError:
                self._refused()
                return
            response = parse_answer(message, self._question, self._id)
            if response is not None:
                self.close()  # an upstream that answers twice is not heard twice
                self._answered(response)
                return
            self._mismatched()
            if self._socket.fileno() < 0:
                return


def _send(server: UpstreamServer, message: bytes) -> socket.socket:
    """Return the socket that the message left by; on an error none is left open."""
    family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        opened.connect((server.address, server.port))
        opened.send(message)
    except OSError:
        opened.close()
        raise
    return opened
