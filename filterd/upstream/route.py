# SPDX-License-Identifier: Apache-2.0
"""Who is asked about a name, and how much of what they say is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self
from weakref import WeakValueDictionary

from filterd.policy.model import Tls

if TYPE_CHECKING:
    from filterd.policy.model import UpstreamServer

PLAIN_PORT, TLS_PORT = 53, 853


class Route:
    """Servers that may be asked the same things. Immutable; equal ones share a cache.

    Equal ones are one object: a route is part of the key of every cached answer,
    and that two objects are the same is told without looking into them.

    Args:
        servers: in the operator's order.
        whole: they speak for a zone of the school, and every record that they
            send is passed on; of what others send only the answer is.
    """

    __slots__ = ("__weakref__", "servers", "whole")

    servers: tuple[UpstreamServer, ...]
    whole: bool

    def __new__(cls, servers: tuple[UpstreamServer, ...], *, whole: bool = False) -> Self:
        """Return the route that there is, or make it."""
        route = _made.get((servers, whole))
        if not isinstance(route, cls):
            route = _made[servers, whole] = super().__new__(cls)
            route.servers, route.whole = servers, whole
        return route

    def __repr__(self) -> str:
        return f"Route({self.servers!r}, whole={self.whole})"


_made: WeakValueDictionary[tuple[tuple[UpstreamServer, ...], bool], Route] = WeakValueDictionary()


def in_clear(server: UpstreamServer) -> UpstreamServer:
    """Return the same server as it is asked where TLS cannot be had.

    Its usual port is another one then, and what it validated is not believed:
    anybody on the way could have set the AD bit. One that is never asked by TLS
    is as it was.
    """
    if server.tls == Tls.NO:
        return server
    return replace(server, port=PLAIN_PORT, tls=Tls.NO, tls_name="", trusted=False)
