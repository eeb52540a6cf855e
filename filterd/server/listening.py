# SPDX-License-Identifier: Apache-2.0
"""The listening sockets of a daemon, which outlive whoever answers on them."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from filterd.server.arrival import bind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.policy.model import ListenAddress


class Listening(NamedTuple):
    """The two sockets of one address and port."""

    udp: socket.socket
    tcp: socket.socket

    @property
    def port(self) -> int:
        """The port of both."""
        port: int = self.udp.getsockname()[1]
        return port


def listen_on(addresses: Iterable[ListenAddress]) -> list[Listening]:
    """Bind every address, or none.

    Connections are taken from the moment at which a worker listens; datagrams
    wait for it from now on.

    Raises:
        ConfigError: one cannot be bound.
    """
    with contextlib.ExitStack() as opened:
        bound = []
        for address in addresses:
            udp = opened.enter_context(bind(address, socket.SOCK_DGRAM))
            port = udp.getsockname()[1]
            tcp = opened.enter_context(bind(replace(address, port=port), socket.SOCK_STREAM))
            bound.append(Listening(udp, tcp))
        opened.pop_all()
        return bound
