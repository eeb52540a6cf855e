# SPDX-License-Identifier: Apache-2.0
"""The listening sockets of a daemon, which outlive the processes that answer on them."""

from __future__ import annotations

import contextlib
import logging
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from filterd.fastpath.pktinfo import bind, is_here

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.policy.model import ListenAddress

_log = logging.getLogger("filterd.listening")


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
    wait for it from now on. An address that the machine does not have is logged:
    it may come later, or be a slip of the pen.

    Raises:
        ConfigError: one cannot be bound.
    """
    with contextlib.ExitStack() as opened:
        bound = []
        for address in addresses:
            if not is_here(address.address):
                _log.warning(
                    "this machine has no address %s now: answering there once it has",
                    address.address,
                )
            udp = opened.enter_context(bind(address, socket.SOCK_DGRAM))
            port = udp.getsockname()[1]
            tcp = opened.enter_context(bind(replace(address, port=port), socket.SOCK_STREAM))
            bound.append(Listening(udp, tcp))
        opened.pop_all()
        return bound
