# SPDX-License-Identifier: Apache-2.0
"""A failing disk: calls on files below one folder fail from a chosen one on.

An audit hook meets opening, renaming, linking, making and removing, so that no code
avoids it. Files with a raw layer of their own meet writing, and a replacement of
``os.fsync`` meets syncing. Other processes are not affected.
"""

from __future__ import annotations

import _io
import builtins
import contextlib
import errno
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPEN = Path("/proc/self/fd")
_open = io.open
_fsync, _sendfile = os.fsync, os.sendfile
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = {
    "os.rename": "rename",
    "os.link": "make",
    "os.symlink": "make",
    "os.mkdir": "make",
    "os.remove": "remove",
    "os.rmdir": "remove",
    "os.truncate": "write",
    "os.chown": "change",
}


@dataclass(frozen=True)
class Fault:
    """How a disk refuses.

    Attributes:
        number: the error of the system.
        calls: which calls it may come from.
        for_good: all calls from the first one on, or that one alone.
    """

    number: int
    calls: frozenset[str]
    for_good: bool

    @property
    def name(self) -> str:
        """What it is called in a report."""
        return f"{errno.errorcode[self.number]} {'for good' if self.for_good else 'once'}"


_TAKES_ROOM = frozenset(("create", "make", "write", "sync"))
_CHANGING = _TAKES_ROOM | {"rename", "remove", "change"}
_ALL = _CHANGING | {"read"}
FAULTS = (
    Fault(errno.ENOSPC, _TAKES_ROOM, for_good=False),
    Fault(errno.ENOSPC, _TAKES_ROOM, for_good=True),
    Fault(errno.EIO, _ALL, for_good=False),
    Fault(errno.EIO, _CHANGING, for_good=True),
    Fault(errno.EROFS, _CHANGING, for_good=True),
)


class FailingDisk:
    """What is below a folder may fail, within ``failing`` or ``counting``.

    Attributes:
        calls: that the present fault may come from, counted.
    """

    def __init__(self, folder: Path) -> None:
        self._below = f"{folder}/"
        self._fault: Fault | None = None
        self._at = self.calls = 0
        sys.addaudithook(self._hear)

    @contextlib.contextmanager
    def counting(self, fault: Fault) -> Iterator[None]:
        """Count the calls from which a fault may come, and let none fail."""
        with self.failing(fault, sys.maxsize):
            yield

    @contextlib.contextmanager
    def failing(self, fault: Fault, at: int) -> Iterator[None]:
        """Let a call fail, or all from there on."""
        places = ((builtins, "open"), (io, "open"), (_io, "open"))
        with contextlib.ExitStack() as patched:
            for module, name in places:
                patched.enter_context(mock.patch.object(module, name, self._open))
            patched.enter_context(mock.patch.object(os, "fsync", self._sync))
            patched.enter_context(mock.patch.object(os, "sendfile", self._send))
            self._fault, self._at, self.calls = fault, at, 0
            try:
                yield
            finally:
                self._fault = None

    def step(self, call: str, path: str) -> None:
        """Come to a call; fail if it is its turn.

        Raises:
            OSError: it is.
        """
        fault = self._fault
        if fault is None or call not in fault.calls or not path.startswith(self._below):
            return
        self.calls += 1
        if self.calls - 1 == self._at or (fault.for_good and self.calls > self._at):
            raise OSError(fault.number, os.strerror(fault.number), path)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._fault is None:
            return
        if event == "open":
            path, _, flags = arguments
            self.step("create" if flags & _WRITES else "read", _named(path))
        elif event in _CHANGES:
            folder = arguments[-1] if event in ("os.remove", "os.rmdir", "os.mkdir") else -1
            self.step(_CHANGES[event], _named(arguments[0], folder))

    def _open(self, file: Any, mode: str = "r", *given: Any, **named: Any) -> IO[Any]:
        writes = set(mode) & set("wxa") and not isinstance(file, int)
        if self._fault is None or not writes or "+" in mode:
            return _open(file, mode, *given, **named)
        raw = _Asking(self, file, mode.replace("b", "").replace("t", ""), named.get("opener"))
        buffered = io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, named.get("encoding"))

    def _sync(self, descriptor: int) -> None:
        self.step("sync", _named(descriptor))

    def _send(self, to: int, *given: Any) -> int:
        self.step("write", _named(to))
        return _sendfile(to, *given)


class _Asking(io.FileIO):
    """A file that asks before each write that reaches the disk."""

    def __init__(self, disk: FailingDisk, file: Any, mode: str, opener: Any) -> None:
        super().__init__(file, mode, opener=opener)
        self._disk, self._path = disk, os.fspath(file)

    def write(self, octets: Any, /) -> int:
        self._disk.step("write", self._path)
        return super().write(octets)


def _named(path: Any, folder: int = -1) -> str:
    """Return the whole name of what a call is about; empty for what has none."""
    if isinstance(path, int):
        return str(_OPEN.joinpath(str(path)).readlink())
    name = os.fsdecode(path) if path is not None else ""
    return name if folder < 0 else str(_OPEN.joinpath(str(folder)).readlink() / name)
