# SPDX-License-Identifier: Apache-2.0
"""Read the address on which a process listens, and bind a socket to it."""

from __future__ import annotations

import contextlib
import socket
from ipaddress import ip_address

from filterd.errors import ConfigError
from filterd.i18n import refused, say

DASHBOARD = "127.0.0.1:8443"
"""Where `filterd web` listens unless another place is named."""
_HIGHEST_PORT = 65535


def parse_listen(text: str, example: str, *, is_loopback: bool = False) -> tuple[str, int]:
    """Return address and port of ``ADDRESS:PORT``, IPv6 in brackets.

    Args:
        text: as the operator wrote it.
        example: of such an address, for the error.
        is_loopback: whether it must be one of loopback.

    Raises:
        ConfigError: it is no address with a port, or, where it must be, none of loopback.
    """
    host, _, port = text.rpartition(":")
    with contextlib.suppress(ValueError):
        address = ip_address(host.removeprefix("[").removesuffix("]"))
        if 0 <= int(port) <= _HIGHEST_PORT and (address.is_loopback or not is_loopback):
            return str(address), int(port)
    given = text[:80]
    if is_loopback:
        raise ConfigError(
            say("--listen '{given}' is no loopback address with a port", given=given),
            hint=say("{example}, for example; ssh or a web server can pass it on", example=example),
        )
    raise ConfigError(
        say("--listen '{given}' is no address with a port", given=given),
        hint=say("{example}, for example", example=example),
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
