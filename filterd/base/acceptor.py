# SPDX-License-Identifier: Apache-2.0
"""Accept connections on a listening socket; pause after an error of the system.

Without free file descriptors accept(2) fails and the socket stays readable: to try again at once
takes a whole core. Connections wait in the kernel's queue during the pause.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import TYPE_CHECKING, Any

from filterd.texts.i18n import refused

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

PAUSE_S = 1.0
"""What passes after an error before the next attempt."""

_OF_ONE_CONNECTION = {
    errno.ECONNABORTED,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ENOPROTOOPT,
    errno.EPROTO,
}
"""Errors of the connection that was next, and not of the socket (accept(2))."""

_logger = logging.getLogger("filterd.base.acceptor")


class Acceptor:
    """Accepts from one socket, which it owns.

    Args:
        listening: the socket, bound when it listens.
        name: of the socket, for the log.
        accepted: takes each connection, and the address of its client.
    """

    def __init__(
        self, listening: socket.socket, name: str, accepted: Callable[[socket.socket, Any], None]
    ) -> None:
        self.listening = listening
        self._name, self._accepted = name, accepted
        self._loop = asyncio.get_running_loop()
        self._paused: asyncio.TimerHandle | None = None

    def listen(self, backlog: int) -> None:
        """Begin to accept.

        Raises:
            OSError: the socket cannot listen.
        """
        self.listening.setblocking(False)
        self.listening.listen(backlog)
        self._resume()

    def close(self) -> None:
        """Accept no more; once closed, do nothing."""
        if self._paused is not None:
            self._paused.cancel()
        if self.listening.fileno() >= 0:
            self._loop.remove_reader(self.listening)
            self.listening.close()

    def _resume(self) -> None:
        self._loop.add_reader(self.listening, self._accept)

    def _accept(self) -> None:
        """Accept one connection.

        The loop comes back while more wait, and others get their turn between.
        """
        try:
            connection, address = self.listening.accept()
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno not in _OF_ONE_CONNECTION:
                self._pause(error)
            return
        self._accepted(connection, address)

    def _pause(self, error: OSError) -> None:
        _logger.error("%s: no connection can be accepted: %s", self._name, refused(error))
        self._loop.remove_reader(self.listening)
        self._paused = self._loop.call_later(PAUSE_S, self._resume)
