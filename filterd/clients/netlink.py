# SPDX-License-Identifier: Apache-2.0
"""Hears from the kernel that something of the network changed, and not what: ``ip`` tells that.

A netlink socket (rtnetlink(7)) that has joined the groups of links, addresses,
routes and neighbours. What it receives is thrown away unread.
"""

from __future__ import annotations

import contextlib
import logging
import socket

_log = logging.getLogger("filterd.clients")

NEIGHBOURS = 0x4
"""The group of devices that come and go (linux/rtnetlink.h, ``RTMGRP_NEIGH``)."""

THIS_MACHINE = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
"""The groups of links, and of addresses and routes of both families."""

_MOST_MESSAGES = 1_000
_MESSAGE_OCTETS = 65_536


def open_changes(groups: int) -> socket.socket | None:
    """Return a socket that is readable after a change of these groups, None if there is none."""
    try:
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    except OSError as error:
        _log.warning("changes of the network are seen late: no netlink socket (%s)", error.strerror)
        return None
    try:
        opened.bind((0, groups))
    except OSError as error:
        opened.close()
        _log.warning("changes of the network are seen late: netlink says %s", error.strerror)
        return None
    return opened


def drain(changes: socket.socket) -> None:
    """Throw away what was heard. An overrun only says that much changed."""
    for _ in range(_MOST_MESSAGES):
        try:
            changes.recv(_MESSAGE_OCTETS)
        except BlockingIOError:
            return
        except OSError:  # ENOBUFS: the kernel had more to say than the socket holds
            with contextlib.suppress(OSError):
                changes.recv(_MESSAGE_OCTETS)
            return
