# SPDX-License-Identifier: Apache-2.0
"""Measure searches of the log: time and memory, each in a process of its own.

Run ``python -m tests.bench.log_search [--rows 1000000] [--folder .]``. The day that is searched
has a row for each lookup. The 30 days before it have distinct names of three tiers, of which a
fifth are new each day; the last seven of them have the same rows too, as the level ``full``
lasts seven days at most.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.clock import SystemClock
from filterd.querylog.day_reader import LogFilter
from filterd.querylog.day_schema import TABLES
from filterd.querylog.day_search import DaySearch, stored_days
from filterd.wire import name as names
from tests.bench.log_storage import DAY, make_day

if TYPE_CHECKING:
    from collections.abc import Sequence

BEFORE, FULL_DAYS, NAMES = 30, 7, 30_000
TIERS = ("primary", "lower-secondary", "upper-secondary")

SUBTREE = LogFilter(names.from_text("site-4000.io"), is_subtree=True)
SEARCHES = {
    "subtree, all its rows": SUBTREE,
    "part of a name, all its rows": LogFilter(part="site-77"),
    "part of every name, no row of that class": LogFilter(part="site-", class_id="9Z"),
}


class Cost(NamedTuple):
    """Seconds, CPU seconds, rows found, and megabytes that the process grew by."""

    seconds: float
    cpu_s: float
    found: int
    megabytes: float


def search(folder: Path, kind: str) -> Cost:
    """Do one request in this process."""
    days = stored_days(folder)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins here
    before, begin, began = _memory("VmRSS"), perf_counter(), process_time()
    if kind == "new":
        _, found = DaySearch(folder, days, clock=SystemClock()).new(50)
    elif kind == "top":
        found = len(DaySearch(folder, days[:1], clock=SystemClock()).top(LogFilter(), 50))
    else:
        page = DaySearch(folder, days[:1], clock=SystemClock()).search(SEARCHES[kind], 500)
        found = len(page.rows)
    seconds, cpu_s = perf_counter() - begin, process_time() - began
    return Cost(seconds, cpu_s, found, _memory("VmHWM") - before)


def make_days(folder: Path, rows: int) -> None:
    """Write the day and those before it."""
    asyncio.run(make_day(folder, rows))
    full = folder / f"{DAY.isoformat()}.sqlite3"
    for ago in range(BEFORE, -1, -1):
        path = folder / f"{(DAY - timedelta(days=ago)).isoformat()}.sqlite3"
        if 0 < ago <= FULL_DAYS:
            shutil.copy(full, path)
        with closing(sqlite3.connect(path)) as file:
            if ago > FULL_DAYS:
                file.executescript(TABLES)
                file.execute("INSERT INTO about VALUES (?, 0, -1)", (path.stem,))
            _add_seen(file, DAY - timedelta(days=ago))


def _add_seen(file: sqlite3.Connection, day: date) -> None:
    """Add distinct names: four fifths are those of every day."""
    usual = NAMES * 4 // 5
    texts = [f"com.usual-{n // 5}.h{n % 5}" for n in range(usual)]
    texts += [f"net.of-{day.toordinal()}-{n}" for n in range(NAMES - usual)]
    (first,) = file.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM names").fetchone()
    ids = range(first, first + NAMES)
    file.executemany("INSERT INTO names VALUES (?, ?)", zip(ids, texts, strict=True))
    rows = ((tier, name, "", "pass", 5) for tier in TIERS for name in ids)
    file.executemany("INSERT INTO seen VALUES (?, ?, ?, ?, ?)", rows)
    file.commit()


def _memory(kind: str) -> float:
    """Return ``VmRSS``, or its peak ``VmHWM``, in megabytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1024


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the cost of each kind of request, the best and the worst of five."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path.cwd())
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(dir=given.folder)) / "log"
    try:
        make_days(folder, given.rows)
        for kind in (*SEARCHES, "top", "new"):
            context = get_context("spawn")
            with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
                costs = [pool.submit(search, folder, kind).result() for _ in range(5)]
            seconds, cpu_s, _, megabytes = map(sorted, zip(*costs, strict=True))
            sys.stdout.write(
                f"{kind}: {seconds[0]:.2f} to {seconds[-1]:.2f} s,"
                f" CPU {cpu_s[0]:.2f} to {cpu_s[-1]:.2f} s,"
                f" {megabytes[-1]:.0f} MB, {costs[0].found} found\n"
            )
    finally:
        shutil.rmtree(folder.parent)


if __name__ == "__main__":
    main()
