# SPDX-License-Identifier: Apache-2.0
"""Notify the service manager of the state of a service; store and take sockets.

sd_notify(3), sd_listen_fds(3), sd_pid_notify_with_fds(3).
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from typing import TYPE_CHECKING

from filterd.base.socket_path import short_path
from filterd.texts.i18n import refused

if TYPE_CHECKING:
    from collections.abc import Sequence

READY, STOPPING, WATCHDOG = "READY=1", "STOPPING=1", "WATCHDOG=1"

MOST_STORED = 128
"""As in `FileDescriptorStoreMax=` of the unit; one message passes 253 (unix(7), SCM_RIGHTS)."""

_FIRST_SOCKET = 3
_MOST_DIGITS = 4

_logger = logging.getLogger("filterd.base.service_manager")


def notify(*words: str, sockets: Sequence[socket.socket] = ()) -> None:
    """Notify the service manager, if there is one, and pass it sockets; never raises."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # an abstract socket is named after a zero octet
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as opened:
            with short_path(address) as reached:
                opened.connect(reached)
            message, passed = "\n".join(words).encode(), [one.fileno() for one in sockets]
            socket.send_fds(opened, [message], passed)
    except OSError as error:
        _logger.warning("the service manager cannot be notified: %s", refused(error))


def watchdog_interval_s() -> float | None:
    """Return the interval of systemd's watchdog; None without one."""
    try:
        return int(os.environ["WATCHDOG_USEC"]) / 1_000_000 or None
    except (KeyError, ValueError):
        return None


def passed_sockets() -> list[socket.socket]:
    """Return the listening sockets that the service manager passes, once."""
    return [one for _, one in named_sockets()]


def named_sockets() -> list[tuple[str, socket.socket]]:
    """Return the sockets that the service manager passes, with their names, once.

    What is no socket is left out.
    """
    number, names = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_FDNAMES", "")
    is_ours = os.environ.pop("LISTEN_PID", "") == str(os.getpid())
    if not is_ours or not number.isdecimal() or len(number) > _MOST_DIGITS:
        return []
    found = []
    of_each = [*names.split(":"), *[""] * int(number)]
    for n in range(int(number)):
        with contextlib.suppress(OSError):
            one = socket.socket(fileno=_FIRST_SOCKET + n)
            one.set_inheritable(False)
            found.append((of_each[n], one))
    return found


def store_sockets(name: str, sockets: Sequence[socket.socket]) -> None:
    """Have the service manager keep sockets for the next start of this service.

    At most ``MOST_STORED``; it stores none twice. It must not watch them (``FDPOLL=0``): a
    TCP socket that does not listen yet would count as hung up, and be closed.
    """
    if sockets:
        notify("FDSTORE=1", f"FDNAME={name}", "FDPOLL=0", sockets=sockets[:MOST_STORED])


def forget_sockets(name: str) -> None:
    """Have the service manager close the sockets that it keeps by this name."""
    notify("FDSTOREREMOVE=1", f"FDNAME={name}")
