# SPDX-License-Identifier: Apache-2.0
"""Find a switch that asks for a login at its port (IEEE 802.1X).

Such a switch answers EAPOL-Start.

Before the login such a port passes nothing else, so DHCP and DNS only seem to be dead.
"""

from __future__ import annotations

import socket

from filterd.appliance.solicitation import solicit

WITHIN_S = 3.0

_EAPOL = 0x888E
_PORT_ACCESS_GROUP = bytes.fromhex("0180c2000003")
"""A bridge does not pass it on (IEEE 802.1X §11.1.1)."""
_START = bytes((2, 1, 0, 0))
_EAP, _REQUEST = 0, 1
_PACKET_AT, _SMALLEST, _LARGEST = 4, 8, 1_500


async def authenticators(
    interface: str, *, within_s: float = WITHIN_S, enough: int = 1
) -> tuple[str, ...]:
    """Return the MACs of the switch ports that ask for a login.

    Args:
        interface: of the link.
        within_s: how long they are collected.
        enough: as many end it sooner.

    Raises:
        PermissionError: not root.
        OSError: the interface is gone.
    """
    where = (interface, _EAPOL, 0, 0, _PORT_ACCESS_GROUP)
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_EAPOL)) as opened:
        opened.setblocking(False)
        opened.bind((interface, _EAPOL))
        return await solicit(
            opened,
            lambda one: one.sendto(_START, where),
            _received,
            within_s=within_s,
            enough=enough,
        )


def is_request(message: bytes) -> bool:
    """Return whether an EAPOL message asks for an identity or another proof.

    See RFC 3748 §4.1.
    """
    return (
        _SMALLEST <= len(message) <= _LARGEST
        and message[1] == _EAP
        and message[_PACKET_AT] == _REQUEST
    )


def _received(opened: socket.socket) -> str | None:
    message, (_, _, kind, _, sender) = opened.recvfrom(_LARGEST + 1)
    is_own = kind == socket.PACKET_OUTGOING
    return None if is_own or not is_request(message) else bytes(sender).hex(":")
