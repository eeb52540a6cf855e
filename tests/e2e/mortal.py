# SPDX-License-Identifier: Apache-2.0
"""A daemon of which one process is killed at a chosen step of a change.

``python -m tests.e2e.mortal CONFIG STATE ORDER`` serves. The first process at the
step in the file ORDER removes the file and sends SIGKILL to itself, or to the process
that asked. With the word ``careless`` after these, a new manager does not complete the
unfinished change of its predecessor.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.daemon import main as serving
from filterd.daemon.handlers import control_server
from filterd.daemon.manager.change_service import Changes
from filterd.daemon.manager.worker_team import WorkerTeam
from filterd.daemon.serving.worker import Worker
from filterd.daemon.shared_page import SharedPage
from filterd.overrides.history import store_writer
from filterd.overrides.history.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MANAGER_STEPS = (
    "received",
    "epoch taken",
    "to be recorded",
    "between row and copy",
    "recorded",
    "to send prepare",
    "sent prepare",
    "to send confirm",
    "sent confirm",
    "in force",
)
WORKER_STEPS = ("to prepare", "prepared", "to confirm", "confirmed")
ASKER = "asker@"
"""Before a step: the process that asked is killed, not the one at the step."""

STEPS = (*MANAGER_STEPS, *WORKER_STEPS, *(ASKER + step for step in MANAGER_STEPS))


class _Order:
    """The test's order, and the last process that asked."""

    def __init__(self, path: Path) -> None:
        self._path, self.asker = path, 0

    def at(self, step: str) -> None:
        """Kill, if that is the step."""
        try:
            wanted = self._path.read_text(encoding="ascii")
            if wanted.removeprefix(ASKER) != step:
                return
            self._path.unlink()  # of two workers one is killed
        except OSError:
            return
        os.kill(self.asker if wanted.startswith(ASKER) else os.getpid(), signal.SIGKILL)


def main() -> None:
    """Serve."""
    config, state, order, *how = sys.argv[1:]
    _make_mortal(_Order(Path(order)))
    if "careless" in how:
        setattr(SharedPage, "is_undecided", False)  # noqa: B010 -- mypy: it is only read
        setattr(Changes, "start", lambda _: False)  # noqa: B010 -- as below
    serving.main(config, state, "en", "no")


def _make_mortal(order: _Order) -> None:
    _around_awaited(Changes, "_change", order, "received", "in force")
    _around(SharedPage, "next_epoch", order, "", "epoch taken")
    _around(Store, "change", order, "to be recorded", "recorded")
    _around_awaited(Worker, "prepare", order, "to prepare", "prepared")
    _around_awaited(Worker, "confirm", order, "to confirm", "confirmed")
    _around_orders(order)
    _around_copying(order)
    _note_caller(order)


def _around(owner: type, name: str, order: _Order, before: str, after: str) -> None:
    true: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(true)
    def mortal(*given: Any, **named: Any) -> Any:
        order.at(before)
        result = true(*given, **named)
        order.at(after)
        return result

    setattr(owner, name, mortal)


def _around_awaited(owner: type, name: str, order: _Order, before: str, after: str) -> None:
    true: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(true)
    async def mortal(*given: Any, **named: Any) -> Any:
        order.at(before)
        result = await true(*given, **named)
        order.at(after)
        return result

    setattr(owner, name, mortal)


def _around_orders(order: _Order) -> None:
    true: Callable[..., Any] = WorkerTeam.tell_all

    async def mortal(self: WorkerTeam, what: str, **named: Any) -> None:
        order.at(f"to send {what}")
        await true(self, what, **named)
        order.at(f"sent {what}")

    setattr(WorkerTeam, "tell_all", mortal)  # noqa: B010 -- mypy: a method is not assigned to


def _around_copying(order: _Order) -> None:
    true: Callable[..., Any] = getattr(store_writer, "replacing")  # noqa: B009 -- not exported

    @contextlib.contextmanager
    def mortal(*given: Any, **named: Any) -> Iterator[Callable[[], None]]:
        with true(*given, **named) as put:

            def put_there() -> None:
                order.at("between row and copy")
                put()

            yield put_there

    setattr(store_writer, "replacing", mortal)  # noqa: B010 -- as above


def _note_caller(order: _Order) -> None:
    true: Callable[..., Any] = getattr(control_server, "caller_of")  # noqa: B009 -- as above

    def noting(connection: socket.socket) -> Any:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        order.asker = struct.unpack("@iII", credentials)[0]
        return true(connection)

    setattr(control_server, "caller_of", noting)  # noqa: B010 -- as above


if __name__ == "__main__":
    main()
