# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Measure what commands cost that follow lookups, and how soon these see one.

Run ``python -m tests.bench.live_followers``. A daemon with two workers answers 500 blocked
questions a second, in turns without a follower, with one and with twenty: CPU of the workers
and of the manager a question, of both levels. Then a lookup of another grade, until a follower
has it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from filterd import control
from tests.support.commands import ROOT, environment
from tests.support.daemon import SOURCES, build_lists, free_port, serving, write_site
from tests.support.processes import children
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.state_folder import StateFolder

FOLLOWERS, A_SECOND, PROBES = (0, 1, 20), 500, 30
_BLOCKED = a_query("www.tiktok.com")
_FOLLOW = "import sys; from pathlib import Path; from filterd import control\n"
_FOLLOW += "for _ in control.stream(Path(sys.argv[1]), 'log-follow'): pass"


def _cpu_us(pids: list[int]) -> float:
    """Return microseconds on the CPU of processes (sched_info, proc(5))."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e3 for pid in pids)


def _ask(port: int, seconds: float, grade: str = "6") -> int:
    """Ask at an even pace; return how many answers came."""
    with socket.socket(type=socket.SOCK_DGRAM) as stub:
        stub.bind((SOURCES[grade], 0))
        stub.connect(("127.0.0.1", port))
        stub.settimeout(1.0)
        begin, answered = time.perf_counter(), 0
        for number in range(int(seconds * A_SECOND)):
            time.sleep(max(0.0, begin + number / A_SECOND - time.perf_counter()))
            with contextlib.suppress(OSError):
                stub.send(_BLOCKED)
                answered += bool(stub.recv(4096))
        return answered


@contextlib.contextmanager
def _followers(path: Path, n: int) -> Iterator[None]:
    command = [sys.executable, "-c", _FOLLOW, str(path)]
    running = [subprocess.Popen(command, cwd=ROOT, env=environment()) for _ in range(n)]
    time.sleep(0.5 + n / 10)
    try:
        yield
    finally:
        for one in running:
            one.kill()
            one.wait()


def costs(
    state: StateFolder, port: int, daemon: int, rounds: int, seconds: float
) -> dict[int, tuple[float, float]]:
    """Return microseconds a question of the workers and of the manager, by followers."""
    manager, *workers = children(daemon)
    found: dict[int, list[tuple[float, float]]] = {n: [] for n in FOLLOWERS}
    for _ in range(rounds):
        for n in FOLLOWERS:
            with _followers(state.control_socket, n):
                before = _cpu_us(workers), _cpu_us([manager])
                answered = _ask(port, seconds)
                after = _cpu_us(workers), _cpu_us([manager])
            spent = [(b - a) / max(1, answered) for a, b in zip(before, after, strict=True)]
            found[n].append((spent[0], spent[1]))
    return {
        n: (statistics.median(one[0] for one in some), statistics.median(one[1] for one in some))
        for n, some in found.items()
    }


def delays(state: StateFolder, port: int) -> list[float]:
    """Return milliseconds from a question to the follower, under load."""
    seen: dict[str, float] = {}
    arrived = threading.Event()

    def follow() -> None:
        with contextlib.suppress(control.UnansweredError):  # the daemon is ended first
            for events in control.stream(state.control_socket, "log-follow"):
                if any(event.get("grade") == "3" for event in events):
                    seen["at"] = time.perf_counter()
                    arrived.set()

    threading.Thread(target=follow, daemon=True).start()
    threading.Thread(target=_ask, args=(port, 60.0), daemon=True).start()
    time.sleep(1.0)
    found = []
    for _ in range(PROBES):
        arrived.clear()
        asked_at = time.perf_counter()
        with socket.socket(type=socket.SOCK_DGRAM) as stub:
            stub.bind((SOURCES["3"], 0))
            stub.sendto(_BLOCKED, ("127.0.0.1", port))
        if arrived.wait(5.0):
            found.append(1000 * (seen["at"] - asked_at))
    return found


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    given = parser.parse_args()
    print("| level | followers | workers, µs a question | of none | manager, µs a question |")
    print("| --- | --- | --- | --- | --- |")
    for level in ("counts", "blocked"):
        with tempfile.TemporaryDirectory() as made:
            port, folder = free_port(), Path(made)
            more = f"workers: 2\nlog: {{level: {level}}}\n"
            config = write_site(folder / "site", port=port, more=more)
            state = build_lists(config, folder / "state")
            with serving(config, state.folder) as served:
                while not control.is_running(state.control_socket):
                    time.sleep(0.1)
                pid = served.process.pid
                of = costs(state, port, pid, given.rounds, given.seconds)
                waits = delays(state, port)
            for n, (workers, manager) in of.items():
                ratio = workers / of[0][0]
                print(f"| {level} | {n} | {workers:.1f} | {ratio:.2f} | {manager:.1f} |")
            print(
                f"{level}: question to follower, of {len(waits)}: median"
                f" {statistics.median(waits):.0f} ms, worst {max(waits):.0f} ms",
                file=sys.stderr,
            )


if __name__ == "__main__":
    os.environ.update(environment())
    main()
