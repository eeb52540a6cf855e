# SPDX-License-Identifier: Apache-2.0
"""Real processes that kill themselves at a chosen step."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filterd
from filterd.base import paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_PACKAGE = Path(filterd.__file__).parent
_WATCHED = {str(_PACKAGE / "base/paths.py"), *map(str, (_PACKAGE / "overrides").rglob("*.py"))}

_CHANGES_NAMES = frozenset(
    ("os.rename", "os.link", "os.symlink", "os.mkdir", "os.remove", "os.rmdir", "os.truncate")
)


def dies_at_line(work: Callable[[], object], number: int) -> bool:
    """Run ``work`` in a child that dies before so many lines of the store; return if it did."""

    def watch() -> None:
        die = _counted(number)

        def lines(frame: FrameType, event: str, _: object) -> Any:
            if frame.f_code.co_filename not in _WATCHED:
                return None
            if event == "line":
                die()
            return lines

        sys.settrace(lines)

    return _dies(work, watch)


def dies_at_statement(work: Callable[[], object], number: int) -> bool:
    """Run ``work`` in a child that dies at a statement of SQL; return whether it did."""

    def watch() -> None:
        die, connect = _counted(number), sqlite3.connect

        def traced(*where: Any, **how: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*where, **how)
            connection.set_trace_callback(die)
            return connection

        setattr(sqlite3, "connect", traced)  # noqa: B010 -- only in the child

    return _dies(work, watch)


def dies_at_disk(work: Callable[[], object], number: int) -> bool:
    """Run ``work`` in a child that dies before so many changes of the disk; return whether it did.

    The changes are those of names: opening to write, renaming,
    linking, making and removing.
    """

    def watch() -> None:
        die = _counted(number)

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if _changes_disk(event, arguments):
                die()

        sys.addaudithook(hook)

    return _dies(work, watch)


def steps_of(work: Callable[[], object]) -> int:
    """Count how often ``work`` changes the disk, and do it in a child."""
    number = 0
    reads, writes = os.pipe()

    def watch() -> None:
        sys.addaudithook(count)

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal number
        number += _changes_disk(event, arguments)

    def counted() -> None:
        work()
        os.write(writes, b"%d" % number)

    try:
        assert not _dies(counted, watch)
        return int(os.read(reads, 20))
    finally:
        os.close(reads)
        os.close(writes)


@contextlib.contextmanager
def dying_after(work: Callable[[], object], seconds: float) -> Iterator[bool]:
    """Run ``work`` in a child that is killed after so many seconds; yield whether it was.

    What the child has started goes on, as it would on a real machine; it is ended in the end.
    """

    def watch() -> None:
        os.setpgid(0, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # which ends it at once, like SIGKILL
        signal.setitimer(signal.ITIMER_REAL, seconds)

    child, died = _forked(work, watch)
    try:
        yield died
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)


def _changes_disk(event: str, arguments: tuple[Any, ...]) -> bool:
    opens_to_write = event == "open" and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
    return opens_to_write or event in _CHANGES_NAMES


def _counted(number: int) -> Callable[..., None]:
    left = number

    def step(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def _dies(work: Callable[[], object], watch: Callable[[], None]) -> bool:
    return _forked(work, watch)[1]


def _forked(work: Callable[[], object], watch: Callable[[], None]) -> tuple[int, bool]:
    """Run ``work`` in a child; return its id, and whether it was killed."""
    child = os.fork()
    if child == 0:
        try:
            watch()
            work()
        except BaseException:  # noqa: BLE001 -- the parent must learn of everything
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGKILL, -signal.SIGALRM), "the child has failed instead"
    return child, code != 0


def killed_after(files: int, work: Callable[[], object]) -> bool:
    """Do some work in a child that is killed after it has put so many files in place."""
    child = os.fork()
    if child == 0:
        install, left = paths.install, files

        def counted(temporary: Path, path: Path) -> None:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            install(temporary, path)

        paths.install = counted
        try:
            work()
        except BaseException:  # noqa: BLE001 -- the parent must learn of everything
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGKILL), "the child has failed instead"
    return code != 0
