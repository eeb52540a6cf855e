# SPDX-License-Identifier: Apache-2.0
"""Wait for an event in another process, and ask a daemon that may still start."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

from filterd import control
from filterd.base.clock import SystemClock
from tests.support.daemon import WITHIN_S
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STAFF = "127.0.100.1"
_NXDOMAIN = 3
_CLOCK = SystemClock()


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    end = _CLOCK.monotonic() + WITHIN_S
    while not is_so():
        assert _CLOCK.monotonic() < end, f"never came: {what}"
        time.sleep(0.02)


def ask(control_socket: Path, command: str, **arguments: Any) -> Any:
    """Ask as soon as there is a manager."""
    outcomes: list[Any] = []

    def is_answered() -> bool:
        try:
            outcomes.append(control.ask(control_socket, command, **arguments))
        except control.UnansweredError:
            return False  # a manager that is there answers, be it by a refusal
        return True

    until(is_answered, "a manager")
    return outcomes.pop()


def is_blocked(port: int, name: str, source: str = STAFF) -> bool:
    """Ask once, by UDP."""
    with socket.socket(type=socket.SOCK_DGRAM) as stub:
        stub.bind((source, 0))
        stub.settimeout(WITHIN_S)
        stub.sendto(a_query(name), ("127.0.0.1", port))
        return stub.recv(4096)[3] & 15 == _NXDOMAIN
