# SPDX-License-Identifier: Apache-2.0
"""Bound the memory of this process, and of a child before it starts.

As glibc comes, it keeps a heap for each thread, and the more of what is freed the larger
the largest block was that was ever freed: right for programs that compute, not for
processes that wait for months on a small board. ``limit_free_memory`` sets one heap (only one
thread runs Python at a time), and maps every block of a table's size by itself, so that it
goes back as soon as it is freed. That is 3 MB of 75 at a school with a full cache, and 5 MB
of 85 after reloads. Another C library is left as it is.

A unit has a limit (``MemoryMax=``), which the kernel keeps by ending a process: without a
word, and perhaps another one. So each child is bounded beforehand by what the machine and the
control groups of its parent allow (cgroups(7); version 1 and version 2 are read).
"""

from __future__ import annotations

import contextlib
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # malloc.h of glibc
_LARGE_OCTETS = 128 * 1024
"""What glibc begins with; once it is set it does not grow."""

TOO_LITTLE = say(
    "there is too little memory to begin; end other programs, or raise what limits this one"
    " (`MemoryMax=` of its unit, `ulimit -v`)"
)


@cache
def _library() -> Any:
    """Return the C library; a hardened unit may forbid what the import of ctypes does."""
    import ctypes  # noqa: PLC0415 -- see above

    return ctypes.CDLL(None)


def limit_free_memory() -> None:
    """Return freed memory to the system soon, in this process and its later forks."""
    tune = getattr(_library(), "mallopt", None)
    if tune is not None:
        tune(_M_ARENA_MAX, 1)
        tune(_M_MMAP_THRESHOLD, _LARGE_OCTETS)
        tune(_M_TRIM_THRESHOLD, _LARGE_OCTETS)


def give_back() -> None:
    """Return all free memory to the system: 0.1 ms for some megabytes."""
    trim = getattr(_library(), "malloc_trim", None)
    if trim is not None:
        trim(0)


SHARE = 0.5
"""Of the machine's memory; the rest is the resolver's, which goes on, and the system's."""

_ROOT = Path("/")


def machine_octets() -> int:
    """Return the size of the machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def group_octets(root: Path = _ROOT) -> int | None:
    """Return what the control groups of this process leave it; None without a limit.

    That is their limit less what cannot be given back: the pages of files can.
    """
    return min(_rooms(root), default=None)


def child_octets(most: int) -> int:
    """Return the memory that a child may take here, at most ``most``."""
    room, group = min(most, int(SHARE * machine_octets())), group_octets()
    return room if group is None else max(0, min(room, group))


def _rooms(root: Path) -> Iterator[int]:
    """Yield what each group with a limit leaves, from that of this process upwards."""
    with contextlib.suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text("ascii", "replace").splitlines():
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if not controllers:
                names = "memory.max", "anon"
            elif "memory" in controllers.split(","):
                names = "memory.limit_in_bytes", "total_rss"
            else:
                continue
            top = root / "sys/fs/cgroup" / ("memory" if controllers else "")
            group = top / path.strip("/")
            for folder in (group, *group.parents):
                with contextlib.suppress(OSError, ValueError, KeyError):  # "max"; none at the top
                    yield int((folder / names[0]).read_text("ascii")) - _held(folder, names[1])
                if folder == top:
                    break


def _held(folder: Path, name: str) -> int:
    """Return the memory of a group that is not of files."""
    lines = (folder / "memory.stat").read_text("ascii").splitlines()
    return int(dict(line.split(" ", 1) for line in lines)[name])
