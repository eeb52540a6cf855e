# SPDX-License-Identifier: Apache-2.0
"""The memory of a board with 1 GB: control groups of the kernel, with the limits of the units."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BOARD_OCTETS = 905_000_000
"""What Linux has of a board with 1 GB, after the firmware's part."""
_TOP = Path("/sys/fs/cgroup/memory")
_LOOK_EVERY_S = 0.05


@dataclass
class MemoryBoard:
    """A group with the memory of a board, and in it one with that of ``filterd-feed``."""

    board: Path
    feed: Path
    peak_octets: int = 0

    def enter_words(self) -> tuple[str, ...]:
        """Return what has a program start in the board's group."""
        return "sh", "-c", f'echo $$ > {self.board}/cgroup.procs; exec "$@"', "sh"

    def at_night(self, work: Callable[[], None]) -> int:
        """Do ``work`` in a fork that is in the group of the feed; return its exit code."""
        pid = os.fork()
        if pid == 0:
            code = 1
            with contextlib.suppress(BaseException):
                (self.feed / "cgroup.procs").write_text("0")
                work()
                code = 0
            os._exit(code)
        with _Watch(self):
            _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)

    def killed(self) -> int:
        """Return how many processes the kernel has ended for want of memory."""
        return sum(
            int(value)
            for group in (self.board, self.feed)
            for line in (group / "memory.oom_control").read_text().splitlines()
            for key, value in [line.split()]
            if key == "oom_kill"
        )

    def leave_to_others(self, octets: int) -> None:
        """Have so much less, as if the system and other services had it."""
        (self.board / "memory.limit_in_bytes").write_text(str(BOARD_OCTETS - octets))

    def held_octets(self) -> int:
        """Return what cannot be given back: memory of processes, and memory files."""
        found = self._counted()
        return found["total_rss"] + found["total_shmem"]

    def used_octets(self) -> int:
        """Return what all processes hold, with the files that they have mapped."""
        found = self._counted()
        return found["total_rss"] + found["total_mapped_file"]

    def _counted(self) -> dict[str, int]:
        lines = (self.board / "memory.stat").read_text().splitlines()
        return {key: int(value) for key, _, value in (line.partition(" ") for line in lines)}


class _Watch(threading.Thread):
    """Notes the peak while it runs."""

    def __init__(self, board: MemoryBoard) -> None:
        super().__init__(daemon=True)
        self._board, self._over = board, threading.Event()

    def __enter__(self) -> Self:
        self._board.peak_octets = 0
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            self._board.peak_octets = max(self._board.peak_octets, self._board.used_octets())


@contextlib.contextmanager
def memory_board(feed_part: float) -> Iterator[MemoryBoard]:
    """Make the groups; the test needs ``needs_memory_groups``."""
    board = _TOP / f"filterd-board-{os.getpid()}"
    feed = board / "filterd-feed"
    feed.mkdir(parents=True)
    with contextlib.suppress(OSError):  # it is so already, and then cannot be set
        (board / "memory.use_hierarchy").write_text("1")
    try:
        (board / "memory.limit_in_bytes").write_text(str(BOARD_OCTETS))
        (feed / "memory.limit_in_bytes").write_text(str(int(feed_part * BOARD_OCTETS)))
        yield MemoryBoard(board, feed)
    finally:
        for group in (feed, board):
            for pid in (group / "cgroup.procs").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
            _remove(group)


def _remove(group: Path) -> None:
    for _ in range(1_000):
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        os.sched_yield()
