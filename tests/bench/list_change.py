# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints what it measured
"""Measure memory and answers while large lists change on a board with 1 GB.

Run ``python -m tests.bench.list_change`` as root; it takes ten minutes with five million names. The
resolver is in a control group with what a board of 1 GB has, less what its system and the
other services take. Lists of as many names take the place of those in force, once and again, while
a listed name and another are asked 500 times a second; a worker is killed in between.

Memory is what the kernel counts for the group: what processes have for themselves, and
the memory files, mapped or not. The pages of files on the disk can be given back, and are not
counted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import tempfile
import threading
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Self

from tests.bench import reloads
from tests.bench.index_figures import made_names
from tests.bench.measuring import memory
from tests.bench.peers import At
from tests.bench.restarts import OWN_LIST, RATE
from tests.support.commands import call
from tests.support.daemon import build_lists, free_port, serving, write_site
from tests.support.feed_school import answer
from tests.support.memory_board import MemoryBoard, memory_board
from tests.support.processes import children
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

OF_OTHERS = 300_000_000
"""Octets of a board that are not the resolver's: its system, and the other services of filterd."""
CHANGES = 3
LISTED, OTHER, ADDED = "www.tiktok.com", "open.example", "added-{}.example"
LOOK_EVERY_S, SETTLED_S = 0.02, 3.0
MB = 1e6


class Watch(threading.Thread):
    """Notes the largest memory of a group, and the most lists that its processes hold at once."""

    def __init__(self, board: MemoryBoard, served: Served) -> None:
        super().__init__(daemon=True)
        self.peak_octets = self.most_lists = 0
        self._board, self._pid, self._over = board, served.process.pid, threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look until it is over."""
        while not self._over.wait(LOOK_EVERY_S):
            self.peak_octets = max(self.peak_octets, self._board.held_octets())
            self.most_lists = max(self.most_lists, len(lists_held(self._pid)))


def lists_held(pid: int) -> set[int]:
    """Return the memory files of lists that a process or its children have, by their numbers."""
    found = set[int]()
    for one in (pid, *children(pid)):
        with contextlib.suppress(OSError):  # ended meanwhile
            for descriptor in Path(f"/proc/{one}/fd").iterdir():
                with contextlib.suppress(OSError):
                    if "memfd:filterd-index" in str(descriptor.readlink()):
                        found.add(descriptor.stat().st_ino)
    return found


def measure(folder: Path, names: int) -> None:
    """Change lists of so many names, and print."""
    port, listed = free_port(), list(made_names(names))
    with FakeUpstream(respond=answer) as upstream:
        config = write_site(
            folder / "site", port=port, upstream=upstream.port, more=RATE + OWN_LIST
        )
        versions = [_built(config, folder, listed, number) for number in range(2)]
        del listed
        print(f"{names:,} names: {versions[0].stat().st_size / MB:.0f} MB of lists", flush=True)
        state = build_lists(_elsewhere(folder, port), folder / "state")
        _put(state, versions[0])
        with (
            memory_board(0.5) as board,
            serving(config, state.folder, before=board.enter_words()) as served,
        ):
            board.leave_to_others(OF_OTHERS)
            _change_again_and_again(board, served, At(port=port), versions)


def _change_again_and_again(
    board: MemoryBoard, served: Served, at: At, versions: list[Path]
) -> None:
    sleep(SETTLED_S)
    _print_held("at the start", board, served)
    for number in range(1, CHANGES + 1):
        change = _change_to(served, versions[number % 2])
        began = perf_counter()
        with Watch(board, served) as watch:
            told = reloads.run(reloads.Probes(at, LISTED, OTHER), change)
        took_s = perf_counter() - began
        print(
            f"change {number}: {took_s:.1f} s, peak {watch.peak_octets / MB:.0f} MB,"
            f" at most {watch.most_lists} sets of lists; {told.lost} answers lost,"
            f" {told.wrong} wrong, the slowest {told.worst_ms:.0f} ms"
        )
        sleep(SETTLED_S)
        _print_held("afterwards", board, served)
        _, *workers = children(served.process.pid)
        os.kill(workers[-1], signal.SIGKILL)
        sleep(SETTLED_S)
        _print_held("with another worker", board, served)


def _change_to(served: Served, version: Path) -> Callable[[], None]:
    def change() -> None:
        _put(served.state, version)
        done = call("reload", *served.options)
        assert done.code == 0, done.err

    return change


def _print_held(when: str, board: MemoryBoard, served: Served) -> None:
    held = memory(served.process.pid)
    print(
        f"  {when}: {board.held_octets() / MB:.0f} MB in the group"
        f" ({held.private_mb + held.mapped_mb:.0f} MiB by PSS),"
        f" {len(lists_held(served.process.pid))} set of lists,"
        f" {board.killed()} processes ended by the kernel",
        flush=True,
    )


def _built(config: Path, folder: Path, listed: list[str], number: int) -> Path:
    """Compile lists of these names and one more; return their file."""
    text = "\n".join([*listed, ADDED.format(number)])
    (config / "bench.txt").write_text(text, encoding="ascii")
    return build_lists(config, folder / f"built-{number}").index


def _elsewhere(folder: Path, port: int) -> Path:
    return write_site(folder / "small", port=port)


def _put(state: StateFolder, version: Path) -> None:
    """Put a version in place, as an update does: a new file over the one before."""
    state.fresh_index.unlink(missing_ok=True)
    with version.open("rb") as source, state.fresh_index.open("wb") as target:
        os.sendfile(target.fileno(), source.fileno(), 0, version.stat().st_size)
    state.fresh_index.replace(state.index)


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--names", type=int, default=5_000_000)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), parser.parse_args().names)


if __name__ == "__main__":
    main()
