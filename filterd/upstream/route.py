# SPDX-License-Identifier: Apache-2.0
"""Who is asked about a name, and how much of what they say is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.policy.model import Tls

if TYPE_CHECKING:
    from filterd.policy.model import UpstreamServer

PLAIN_PORT, TLS_PORT = 53, 853


class Route:
    """Servers that may be asked the same things. Immutable; equal ones share a cache.

    Args:
        servers: in the operator's order.
        whole: they speak for a zone of the school, and every record that they
            send is passed on; of what others send only the answer is.
    """

    __slots__ = ("_hash", "_key", "servers", "whole")

    def __init__(self, servers: tuple[UpstreamServer, ...], *, whole: bool = False) -> None:
        self.servers, self.whole = servers, whole
        self._key = servers, whole
        self._hash = hash(self._key)  # it is part of the key of every cached answer

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Route) and self._key == other._key)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Route({self.servers!r}, whole={self.whole})"


def in_clear(server: UpstreamServer) -> UpstreamServer:
    """Return the same server as it is asked where TLS cannot be had.

    Its usual port is another one then, and what it validated is not believed:
    anybody on the way could have set the AD bit. One that is never asked by TLS
    is as it was.
    """
    if server.tls == Tls.NO:
        return server
    return replace(server, port=PLAIN_PORT, tls=Tls.NO, tls_name="", trusted=False)
