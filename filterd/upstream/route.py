# SPDX-License-Identifier: Apache-2.0
"""Routes: the servers to ask about a name, and how much of their answers is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self
from weakref import WeakValueDictionary

from filterd.policy.model import Tls

if TYPE_CHECKING:
    from filterd.policy.model import UpstreamServer

PLAIN_PORT, TLS_PORT = 53, 853


class Route:
    """Servers for the same names. Immutable; equal routes share cache entries.

    Equal routes are one object: a route is part of the key of every cached answer, and
    identity is compared without reading its fields.

    Args:
        servers: in the operator's order.
        whole: they are authorities of a zone of the school, and every record that they
        send is passed on; of other servers' responses only the answer is.
    """

    __slots__ = ("__weakref__", "servers", "whole")

    servers: tuple[UpstreamServer, ...]
    whole: bool

    def __new__(cls, servers: tuple[UpstreamServer, ...], *, whole: bool = False) -> Self:
        """Return the existing route, or make it."""
        route = _made.get((servers, whole))
        if not isinstance(route, cls):
            route = _made[servers, whole] = super().__new__(cls)
            route.servers, route.whole = servers, whole
        return route

    def __repr__(self) -> str:
        return f"Route({self.servers!r}, whole={self.whole})"


_made: WeakValueDictionary[tuple[tuple[UpstreamServer, ...], bool], Route] = WeakValueDictionary()


def in_clear(server: UpstreamServer) -> UpstreamServer:
    """Return the server as it is asked in clear, where TLS cannot be had.

    Its usual port then differs, and its AD bit is not believed: any host on the path could
    have set it. A server that is never asked by TLS is returned unchanged.
    """
    if server.tls == Tls.NO:
        return server
    return replace(server, port=PLAIN_PORT, tls=Tls.NO, tls_name="", trusted=False)
