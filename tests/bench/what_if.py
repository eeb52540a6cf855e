# SPDX-License-Identifier: Apache-2.0
"""Measure what-if of a week at ``full``: time, memory of the child, lookups beside.

Run ``python -m tests.bench.what_if [--rows 715000] [--folder .]``. Each of seven days has so many
rows, in which a fifth of the names is on a list of games; the list that is tried has a fourth of
them, so that both ways many change. The site has 40 rooms with a timetable.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from filterd.base import bounded_child
from filterd.base.clock import SystemClock
from filterd.daemon.handlers.what_if_commands import CHILD
from tests.bench.log_storage import make_day
from tests.bench.lookups_beside import compare, thread_cpu_s
from tests.support.daemon import build_lists, free_port, serving, write_site
from tests.support.day_lookups import ZONE, begin_of
from tests.support.processes import children

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from filterd.base.state_folder import StateFolder

DAYS, ROOMS = 7, 40
_TOPS = ("com", "net", "vn", "com.vn", "io", "edu.vn")


def make_week(folder: Path, rows: int) -> None:
    """Write the days before today, each with the same lookups."""
    today = datetime.fromtimestamp(SystemClock().wall(), ZONE).date()
    first = today - timedelta(days=1)
    asyncio.run(make_day(folder, rows, first))
    made = folder / f"{first.isoformat()}.sqlite3"
    for ago in range(2, DAYS + 1):
        day = today - timedelta(days=ago)
        path = folder / f"{day.isoformat()}.sqlite3"
        shutil.copy(made, path)
        with closing(sqlite3.connect(path)) as file:
            file.execute("UPDATE about SET day = ?, begins = ?", (path.stem, begin_of(day)))
            file.commit()


def make_list(path: Path, every: int) -> None:
    """Write a list of every so many of the sites that are asked for."""
    path.write_text("".join(f"site-{n}.{_TOPS[n % 6]}\n" for n in range(0, 10_000, every)))


def make_school(folder: Path) -> tuple[Path, StateFolder, int]:
    """Write a site with rooms and a list, and compile it."""
    port = free_port()
    lessons = ", ".join(f"tiet-{n + 1}: {7 + n:02}:00-{7 + n:02}:45" for n in range(10))
    rooms = "".join(
        f"  r{n}: {{cidrs: [10.9.{n}.0/24], grade: 6, timetable: {{"
        + ", ".join(
            f"{day}: {{{', '.join(f'tiet-{k + 1}: {6 + (n + k) % 4}' for k in range(10))}}}"
            for day in ("t2", "t3", "t4", "t5", "t6")
        )
        + "}}\n"
        for n in range(ROOMS)
    )
    more = (
        f"{rooms}lessons: {{{lessons}}}\ntime_zone: {ZONE.key}\n"
        "lists: [{file: games.txt, category: games, format: domains, id: mine, subtrees: true}]\n"
    )
    config = write_site(folder / "site", port=port, more=more)
    make_list(config / "games.txt", 5)
    return config, build_lists(config, folder / "state"), port


@contextlib.contextmanager
def trying(words: Sequence[str]) -> Iterator[None]:
    """Have trials at work, one after the other."""
    with subprocess.Popen(["sh", "-c", 'while true; do "$@" >&2; done', "sh", *words],
                          stderr=subprocess.DEVNULL, start_new_session=True) as shell:  # fmt: skip
        time.sleep(2.0)
        try:
            yield
        finally:
            subprocess.run(["kill", "--", f"-{shell.pid}"], check=True)


class Cost(NamedTuple):
    """Of a process: seconds of the processor, and the peak of its memory in megabytes."""

    cpu_s: float = 0.0
    megabytes: float = 0.0


def of_child() -> Cost:
    """Return what the trial that is at work has cost so far."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, StopIteration):
            if CHILD.encode() in (folder / "cmdline").read_bytes():
                lines = (folder / "status").read_text(encoding="ascii").splitlines()
                peak = next(int(line.split()[1]) for line in lines if "VmHWM" in line)
                return Cost(thread_cpu_s(int(folder.name)), peak / 1e3)
    return Cost()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print seconds, the peak of memory, and how lookups fare beside."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=715_000)
    parser.add_argument("--folder", type=Path, default=Path.cwd())
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        config, state, port = make_school(folder)
        make_week(state.log_days, given.rows)
        make_list(folder / "other.txt", 4)
        out = sys.stdout.write
        with serving(config, state.folder) as served:
            places = ("--config", str(config), "--state", str(state.folder))
            words = bounded_child.command(
                "filterd", *places, "policy", "whatif", "--json", "--days", "8", "--list",
                str(folder / "other.txt"), "--category", "games",
            )  # fmt: skip
            begin, cost = time.perf_counter(), Cost()
            with subprocess.Popen(words, stdout=subprocess.DEVNULL) as trial:
                while trial.poll() is None:
                    time.sleep(0.2)
                    cost = max(cost, of_child())
            out(
                f"{DAYS * given.rows} rows: {time.perf_counter() - begin:.1f} s,"
                f" {cost.cpu_s:.1f} s of CPU, {cost.megabytes:.0f} MB\n"
            )
            _, worker = children(served.process.pid)
            out(compare(port, worker, lambda: trying(words), 3.0) + "\n")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
