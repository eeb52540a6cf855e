# SPDX-License-Identifier: Apache-2.0
"""Find how much memory a child process may take on this machine and in its unit.

A unit has a limit (``MemoryMax=``), which the kernel keeps by ending a process: without a
word, and perhaps another one. So each child is bounded beforehand by what the machine and the
control groups of its parent allow (cgroups(7); version 1 and version 2 are read).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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
