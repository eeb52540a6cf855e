# SPDX-License-Identifier: Apache-2.0
"""Read the address on which the web process listens, and bind a socket to it."""

from __future__ import annotations

import contextlib
import socket
from ipaddress import ip_address

from filterd.errors import ConfigError
from filterd.i18n import refused, say

LISTEN = "127.0.0.1:8443"
_HIGHEST_PORT = 65535


def parse_listen(text: str) -> tuple[str, int]:
    """Return address and port of ``ADDRESS:PORT``, IPv6 in brackets.

    Raises:
        ConfigError: it is none.
    """
    host, _, port = text.rpartition(":")
    with contextlib.suppress(ValueError):
        address = ip_address(host.removeprefix("[").removesuffix("]"))
        if 0 <= int(port) <= _HIGHEST_PORT:
            return str(address), int(port)
    raise ConfigError(
        say("--listen '{given}' is no address with a port", given=text[:80]),
        hint=say("127.0.0.1:8443, for example"),
    )


def bound(listen: tuple[str, int], ports: int = 1) -> socket.socket:
    """Return a bound socket, at the first of so many ports that is free.

    Raises:
        ConfigError: none is.
    """
    address, port = listen
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for number in range(port, min(port + ports, _HIGHEST_PORT + 1)):
        opened = socket.socket(family)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((address, number))
        except OSError as error:
            opened.close()
            why = error
        else:
            return opened
    raise ConfigError(
        say(
            "cannot listen on {address} port {port}: {why}",
            address=address,
            port=port,
            why=refused(why),
        )
    )
