# SPDX-License-Identifier: Apache-2.0
"""Find out whether any server of a night can be reached, before each is asked.

Without DNS or without a way out each request waits for its own end, and a night of a hundred
addresses takes many minutes to say what one look says: no server can be reached. So all
servers are looked for at once, by name and connection, before the first request and after each
one that did not come about. One that takes a connection is enough to go on.

A server that was not reached twice in a row is not asked for its other files in this run.
"""

from __future__ import annotations

import queue
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import FetchError, RedirectError
from filterd.http.http_download import public_addresses, split
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.base.clock import Clock
    from filterd.http.http_download import RequestPolicy

LOOKED_FOR_S = 10.0
"""All servers together; a resolver that has no answer takes the longest."""
MOST_TIMES = 2
"""A server is not reached, in a row, before its other files are left for the next run."""
AGAIN_S = 900.0
"""Then the run is tried again."""
_CONNECTED_S = 3.0
_PORTS = {"http": 80, "https": 443}


class _Host(NamedTuple):
    host: str
    port: int


class HostReach:
    """The servers of one run, and whether they are reached.

    Args:
        addresses: URLs of all that may be asked.
        policy: where requests may go.
        clock: for the time limit.
        within_s: how long all are looked for.
    """

    def __init__(
        self,
        addresses: Iterable[str],
        policy: RequestPolicy,
        clock: Clock,
        within_s: float = LOOKED_FOR_S,
    ) -> None:
        found = {
            _server(address) for address in addresses if split(address).scheme in policy.schemes
        }
        self._servers = [one for one in sorted(found) if one.host]
        self._policy, self._clock, self._within_s = policy, clock, within_s
        self._is_any_reached: bool | None = None
        self._failures = dict[_Host, int]()

    @contextmanager
    def noting(self, address: str) -> Iterator[None]:
        """Note whether the server of an address is reached by the request made meanwhile.

        Raises:
            FetchError: no server at all can be reached, or this one could not be before.
        """
        server = _server(address)
        self._check(server)
        try:
            yield
        except FetchError as error:
            if error.is_unreached:
                self._failures[server] = self._failures.get(server, 0) + 1
                self._is_any_reached = None
            else:
                self._failures.pop(server, None)
            raise
        self._failures.pop(server, None)

    def _check(self, server: _Host) -> None:
        if self._servers and self._is_any_reached is None:
            self._is_any_reached = self._look()
        if self._is_any_reached is False:
            raise FetchError(
                say(
                    "none of the servers can be reached; does this machine have DNS and a"
                    " connection to the Internet?"
                )
            )
        if self._failures.get(server, 0) >= MOST_TIMES:
            error = FetchError(
                say("{host}: it could not be reached before; a later run asks it", host=server.host)
            )
            error.retry_after_s = AGAIN_S
            raise error

    def _look(self) -> bool:
        """Return whether one of the servers takes a connection in time."""
        answers, deadline = queue.SimpleQueue[bool](), self._clock.monotonic() + self._within_s
        for server in self._servers:
            threading.Thread(target=self._find, args=(server, answers), daemon=True).start()
        for _ in self._servers:
            left_s = max(deadline - self._clock.monotonic(), 0.0)
            try:
                if answers.get(timeout=left_s):
                    return True
            except queue.Empty:
                break
        return False

    def _find(self, server: _Host, answers: queue.SimpleQueue[bool]) -> None:
        answers.put(self._is_reached(server))

    def _is_reached(self, server: _Host) -> bool:
        """Return whether a server takes a connection, or is left for its request to judge."""
        try:
            return any(_connects(address, server.port) for address in self._addresses(server))
        except RedirectError:  # it has an address; the request reports that it is not public
            return True
        except OSError:  # its name cannot be resolved
            return False

    def _addresses(self, server: _Host) -> list[str]:
        if self._policy.is_public_only:
            return public_addresses(*server)
        return [server.host]


def _server(address: str) -> _Host:
    parts = split(address)
    return _Host(parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0))


def _connects(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), _CONNECTED_S).close()
    except (OSError, ValueError):  # the latter for a name that is none
        return False
    return True
