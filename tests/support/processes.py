# SPDX-License-Identifier: Apache-2.0
"""Resources of a process and its children, as the kernel counts them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAGE_OCTETS = 4096

LASTING = set[int]()
"""Processes that serve more than the test that began them; no limit of a test ends them."""


def family(pid: int) -> Iterator[int]:
    """Yield a process and everything that it started, as far as it runs."""
    yield pid
    with contextlib.suppress(OSError):
        for child in children(pid):
            yield from family(child)


def children(pid: int) -> list[int]:
    """Return the children of a process, in the order in which it started them.

    Raises:
        OSError: it has ended.
    """
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


def state_of(pid: int) -> str:
    """Return the letter of the state of a process: R, S, D, T, Z (proc_pid_stat(5))."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    return stat.rpartition(")")[2].split()[0]


def waited_for_a_core_s() -> float:
    """Return how long this process and all that it has started were ready to run and did not.

    It is the sum over all threads (proc_pid_schedstat(5)): what a bound on a time must not count,
    because it is the load of the machine.
    """
    tasks = (task for one in family(os.getpid()) for task in Path(f"/proc/{one}/task").glob("*"))
    return sum(map(_waited_ns, tasks)) / 1e9


def _waited_ns(task: Path) -> int:
    try:
        return int((task / "schedstat").read_text(encoding="ascii").split()[1])
    except OSError:  # ended meanwhile
        return 0


def descriptors(pid: int) -> int:
    """Return how many descriptors a family has open."""
    return sum(_descriptors(one) for one in family(pid))


def _descriptors(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:  # ended meanwhile
        return 0


def resident_octets(pid: int) -> int:
    """Return the memory that a family really uses; what they share counts for each."""
    return sum(_resident(one) for one in family(pid))


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:  # as above
        return 0
    return pages * _PAGE_OCTETS
