# SPDX-License-Identifier: Apache-2.0
"""Notify the service manager of the state of a service, and take its sockets.

sd_notify(3), sd_listen_fds(3).
"""

from __future__ import annotations

import logging
import os
import socket

from filterd.i18n import refused

READY, STOPPING, WATCHDOG = "READY=1", "STOPPING=1", "WATCHDOG=1"

_FIRST_SOCKET = 3

_log = logging.getLogger("filterd.service_manager")


def notify(*words: str) -> None:
    """Notify the service manager, if there is one; never raises."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket is named after a zero octet
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as opened:
            opened.sendto("\n".join(words).encode(), address)
    except OSError as error:
        _log.warning("the service manager cannot be told: %s", refused(error))


def watchdog_interval_s() -> float | None:
    """Return the interval of systemd's watchdog; None without one."""
    try:
        return int(os.environ["WATCHDOG_USEC"]) / 1_000_000 or None
    except (KeyError, ValueError):
        return None


def passed_sockets() -> list[socket.socket]:
    """Return the listening sockets that the service manager passes, once."""
    number = os.environ.pop("LISTEN_FDS", "")
    is_ours = os.environ.pop("LISTEN_PID", "") == str(os.getpid())
    if not is_ours or not number.isdecimal():
        return []
    found = [socket.socket(fileno=_FIRST_SOCKET + n) for n in range(int(number))]
    for one in found:
        one.set_inheritable(False)
    return found
