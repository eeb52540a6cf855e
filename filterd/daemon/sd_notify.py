# SPDX-License-Identifier: Apache-2.0
"""Telling systemd how the service fares: one datagram (sd_notify(3))."""

from __future__ import annotations

import logging
import os
import socket

READY, STOPPING, WATCHDOG = "READY=1", "STOPPING=1", "WATCHDOG=1"

_log = logging.getLogger("filterd.notify")


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
        _log.warning("the service manager cannot be told: %s", error.strerror)


def watchdog_interval_s() -> float | None:
    """Return how often systemd wants to hear from the service; None if it does not."""
    try:
        return int(os.environ["WATCHDOG_USEC"]) / 1_000_000 or None
    except (KeyError, ValueError):
        return None
