# SPDX-License-Identifier: Apache-2.0
"""The folder of a virtual environment: built beside, and renamed when it is whole.

``.venv.new`` takes the name ``.venv`` in one step of the kernel, so that a kill at any moment
leaves the old environment or the new one. Before that its scripts are given the final path.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.checkout.set_up_record import RECORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST_SHEBANG = 127
"""The octets of a first line that all kernels read."""
_PLAIN_HEAD = re.compile(rb"\A#!([^\n]*/bin/python[\w.]*)\n")
_SHELL_HEAD = re.compile(rb"\A#!/bin/sh\n'''exec' \"?([^\n]*?/bin/python[\w.]*)\"? [^\n]*\n' '''\n")
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


class EnvironmentFolder:
    """A virtual environment, and its name while it is made."""

    def __init__(self, final: Path) -> None:
        self.final = Path(os.path.realpath(final))
        self.new = self.final.with_name(f"{self.final.name}.new")
        self.old = self.final.with_name(f"{self.final.name}.old")

    @property
    def python(self) -> Path:
        """The Python of the environment that is being made."""
        return self.new / "bin" / "python"

    def recover(self) -> None:
        """Remove what a killed set-up has left; finish a renaming that it had begun."""
        if not self.final.exists():
            if (self.new / RECORD).exists():
                self.new.rename(self.final)
            elif self.old.exists():
                self.old.rename(self.final)
        for left in (self.new, self.old):
            remove(left)

    def begin_from_old(self) -> None:
        """Begin with what the environment has now: the same files under new names."""
        shutil.copytree(
            self.final,
            self.new,
            symlinks=True,
            copy_function=_link,
            ignore=lambda folder, _: {RECORD} if Path(folder) == self.final else set(),
        )
        retarget(self.new, self.final, self.new)

    def install(self, content: str) -> None:
        """Give the new environment its name.

        Args:
            content: its record, which says that it is whole.
        """
        retarget(self.new, self.new, self.final)
        replace_file(self.new / RECORD, content.encode())
        exchange(self.new, self.final, self.old)
        for left in (self.new, self.old):
            remove(left)


def remove(folder: Path) -> None:
    """Remove a folder or a link, if it is there."""
    if folder.is_symlink():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def exchange(new: Path, final: Path, old: Path) -> None:
    """Put a folder in the place of another; the other then has the name of the first, or ``old``.

    Where the kernel or the file system cannot exchange two names, there are two renamings, and
    ``recover`` does the second one if it was not done.
    """
    if not final.exists():
        new.rename(final)
        return
    with contextlib.suppress(OSError, AttributeError):
        _exchange_names(new, final)
        return
    final.rename(old)
    new.rename(final)


def _exchange_names(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    names = (os.fsencode(one), os.fsencode(other))
    if libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def _link(source: str, target: str) -> None:
    """Give a file another name, or copy it where that is not possible."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def retarget(folder: Path, before: Path | str, after: Path) -> None:
    """Replace the path of an environment in its scripts.

    Args:
        folder: the environment.
        before: the path that they name.
        after: the path that it will have.
    """
    scripts = [path for path in sorted((folder / "bin").glob("*")) if not path.is_symlink()]
    path_before = re.compile(re.escape(os.fsencode(before)) + rb"(?![\w.-])")
    path_after = os.fsencode(after).replace(b"\\", b"\\\\")
    for path in (*scripts, folder / "pyvenv.cfg"):
        if not path.is_file() or path.stat().st_size > 1 << 20:
            continue
        text = path.read_bytes()
        changed = path_before.sub(path_after, text)
        if changed != text and not text.startswith(b"\x7fELF"):
            replace_file(path, with_head(changed), path.stat().st_mode & 0o777)


def with_head(script: bytes) -> bytes:
    """Return a script whose head starts its Python, whatever the path of that."""
    found = _PLAIN_HEAD.match(script) or _SHELL_HEAD.match(script)
    return head(found[1]) + script[found.end() :] if found else script


def head(python: bytes) -> bytes:
    """Return the head of a script: a shell starts Python where the kernel cannot read the path."""
    plain = b"#!" + python + b"\n"
    if len(plain) <= _MOST_SHEBANG and b" " not in python:
        return plain
    return b"#!/bin/sh\n'''exec' \"" + python + b'" "$0" "$@"\n\' \'\'\'\n'


def replace_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file; a reader sees the old one or the new one."""
    fresh = path.with_name(f"{path.name}.part")
    fresh.write_bytes(content)
    fresh.chmod(mode)
    fresh.replace(path)


@contextlib.contextmanager
def locked(path: Path, waits: Callable[[str], None]) -> Iterator[int]:
    """Hold the lock of a checkout, against two set-ups at once; yield its descriptor.

    Args:
        path: the file of the lock.
        waits: is called with the process that holds it, before waiting for it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waits(os.pread(descriptor, 20, 0).decode(errors="replace").strip())
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        yield descriptor
    finally:
        os.close(descriptor)
