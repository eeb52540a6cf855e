# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Measure the gain of a second worker, each limited to a quarter of a core.

Run ``python -m tests.bench.workers`` as root; it needs gcc, taskset, dnsperf and the
kernel's cpu controller. Questions and upstream have one core; one worker gets a quarter
of the other, two get a half. The answers then show the loss by shared sockets and
separate caches.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import index_figures, measuring
from tests.bench.peers import At, Filterd
from tests.bench.questions import Questions
from tests.bench.table import build
from tests.support.processes import family

if TYPE_CHECKING:
    from collections.abc import Iterator

PERIOD_US, SHARE_US = 20_000, 5_000
MIXES = ("blocked", "cached", "miss", "school")
_ROOTS = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))
_KEYS = """workers: {workers}
networks:
  everybody: {{cidrs: [127.0.0.0/8], grade: 6}}
lists:
  - {{id: measured, file: list.txt, format: domains, category: porn}}
"""


class Figures(NamedTuple):
    """What so many workers do: answers a second, and microseconds of CPU for each."""

    qps: float
    cpu_us: float


class Hold:
    """A group of processes that together get a share of a core (cgroups, version 1 or 2)."""

    def __init__(self, pid: int) -> None:
        root = next((one for one in _ROOTS if _has_cpu(one)), None)
        if root is None:
            raise SystemExit("this kernel's cpu controller cannot be used here; run it as root")
        self._root, self._group = root, root / f"filterd-bench-{pid}"
        self._group.mkdir()
        if (self._group / "cpu.max").exists():
            (self._group / "cpu.max").write_text(f"{SHARE_US} {PERIOD_US}")
        else:
            (self._group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (self._group / "cpu.cfs_quota_us").write_text(str(SHARE_US))
        (self._group / "cgroup.procs").write_text(str(pid))

    def let_go(self) -> None:
        """Remove the group; its processes go back to the root group."""
        with contextlib.suppress(OSError):
            for pid in (self._group / "cgroup.procs").read_text().split():
                (self._root / "cgroup.procs").write_text(pid)
        self._group.rmdir()


def _has_cpu(root: Path) -> bool:
    controllers = root / "cgroup.subtree_control"
    if controllers.exists():
        return "cpu" in controllers.read_text().split()
    return (root / "cpu.shares").exists() or (root / "cpu.cfs_quota_us").exists()


@contextlib.contextmanager
def held(pids: list[int]) -> Iterator[None]:
    """Hold each of these processes to its share while the body runs."""
    with contextlib.ExitStack() as holds:
        for pid in pids:
            holds.callback(Hold(pid).let_go)
        yield


def measure(
    workers: int, names: Path, listed: list[str], at: At, where: Path, seconds: int, rounds: int
) -> dict[str, Figures]:
    """Serve a list with so many workers; return what each mix gets."""
    folder = Path(tempfile.mkdtemp(dir=where))
    keys = folder / "keys.yaml"
    keys.write_text(_KEYS.format(workers=workers))
    os.environ["FILTERD_BENCH_KEYS"] = str(keys)
    command = Filterd().prepare(names, at, folder)
    asked = Questions(listed, where)
    found = {}
    with measuring.running([*measuring.SERVING, *command], folder / "log") as pid:
        measuring.seconds_to_block(at, listed[-1], time.perf_counter(), folder / "log")
        measuring.dnsperf(at, asked.warming(), 60, "-n", "2")
        with held([one for one in family(pid) if one != pid]):
            for mix in MIXES:
                file = asked.of(mix, 50_000 * seconds)
                found[mix] = _measured(pid, at, file, seconds, rounds)
    return found


def _measured(pid: int, at: At, file: Path, seconds: int, rounds: int) -> Figures:
    many, costs = [], []
    for _ in range(rounds):
        before = measuring.cpu_s(pid)
        answered = measuring.dnsperf(at, file, seconds)
        many.append(answered / seconds)
        costs.append(1e6 * (measuring.cpu_s(pid) - before) / max(1, answered))
    return Figures(statistics.median(many), statistics.median(costs))


def main() -> None:
    """Print both, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--names", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        where, at = Path(made), At()
        names, listed = where / "names.txt", list(index_figures.made_names(given.names))
        names.write_text("\n".join(listed) + "\n", encoding="ascii")
        stub = [str(build("upstream.c", where)), at.upstream, str(at.upstream_port)]
        with measuring.running([*measuring.ASKING, *stub], where / "stub.log"):
            one, two = (
                measure(workers, names, listed, at, where, given.seconds, given.rounds)
                for workers in (1, 2)
            )
    print("| mix | 1 worker, a second | 2 workers, a second | : 1 | CPU a question, µs | : 1 |")
    print("| --- | --- | --- | --- | --- | --- |")
    for mix in MIXES:
        gain, cost = two[mix].qps / one[mix].qps, two[mix].cpu_us / one[mix].cpu_us
        print(
            f"| {mix} | {one[mix].qps:,.0f} | {two[mix].qps:,.0f} | {gain:.2f} |"
            f" {one[mix].cpu_us:.1f} -> {two[mix].cpu_us:.1f} | {cost:.2f} |"
        )


if __name__ == "__main__":
    main()
