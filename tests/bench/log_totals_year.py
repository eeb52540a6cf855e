# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints figures
"""Measure the file of totals after a school year of 40 classes.

Run ``python -m tests.bench.log_totals_year [DAYS]``. Each hour of a school day each class is
counted in two networks, with passes of a third of the categories and blocks of as many, by
the only writer and in batches, as a gateway does it; 250 such days are a year.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from filterd.policy.model import TIER_OF_GRADE
from filterd.querylog import Batch, CountRow
from filterd.querylog.counts import ROWS_A_BATCH
from filterd.querylog.day_reach import ReachRow
from filterd.querylog.day_schema import DaySpan
from filterd.querylog.period_totals import PeriodScope, read_period
from filterd.querylog.totals_file import TotalsFile, read_reach, read_totals
from filterd.querylog.totals_request import TotalsRequest
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASSES = [f"{grade}{letter}" for grade in range(6, 10) for letter in "ABCDEFGHIK"]
CATEGORIES = ["", *(f"category-{number}" for number in range(25))]
HOURS, DAY_S = 10, 86_400
BEGIN = 1_788_000_000 // DAY_S * DAY_S


def rows_of(hour: int, dice: random.Random) -> Iterator[CountRow]:
    """Yield what is counted in an hour."""
    for class_id in CLASSES:
        for network in (f"home-{class_id}", dice.choice(("lab-1", "lab-2"))):
            for action in ("pass", "blocked"):
                for category in dice.sample(CATEGORIES, len(CATEGORIES) // 3):
                    n, devices = dice.randrange(1, 2_000), dice.randrange(1, 15)
                    grade = class_id[:-1]
                    yield CountRow(hour, grade, category, action, n, network, "", devices, class_id)


def reach_of(day: str) -> Iterator[ReachRow]:
    """Yield the devices of a day."""
    for grade in ("6", "7", "8", "9"):
        for action in ("pass", "blocked"):
            for category in CATEGORIES:
                yield ReachRow(day, "grade", grade, category, action, 5)
                yield ReachRow(day, "tier", TIER_OF_GRADE[grade], category, action, 5)


async def fill(path: Path, days: int, begin: int = BEGIN) -> int:
    """Write so many days from a Unix time on; return the number of rows."""
    dice, clock = random.Random(1), FakeClock(begin)
    store, number, written = TotalsFile(path, clock), 0, 0
    for day in range(days):
        date = datetime.fromtimestamp(begin + day * DAY_S, UTC).date().isoformat()
        for hour in range(HOURS):
            rows = list(rows_of(begin + day * DAY_S + hour * 3600, dice))
            written += len(rows)
            for first in range(0, len(rows), ROWS_A_BATCH):
                number += 1
                reach = () if hour or first else tuple(reach_of(date))
                part = tuple(rows[first : first + ROWS_A_BATCH])
                await store.write([Batch("w", number, part, reach=reach)])
        clock.advance(DAY_S)
    await store.close()
    return written


def main() -> None:
    """Fill a file, and print its size and the time of reads."""
    days = int(sys.argv[1]) if sys.argv[1:] else 250
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "totals")
        begun = time.process_time()
        written = asyncio.run(fill(path, days))
        took, size = time.process_time() - begun, path.stat().st_size
        print(
            f"{days} days, {written:,} rows: {size / 1e6:.1f} MB, {size / written:.1f} octets a row"
        )
        print(f"{took / written * 1e6:.1f} us CPU a row")
        now = BEGIN + days * DAY_S - 1
        for label, request in (
            ("today", TotalsRequest()),
            ("today by class and hour", TotalsRequest(by_class=True, by_hour=True)),
            ("30 days", TotalsRequest(30)),
            ("all days of a class", TotalsRequest(days, class_id="6A")),
        ):
            begun = time.perf_counter()
            found = asyncio.run(read_totals(path, request, time_zone="UTC", now=now))
            print(f"{label}: {len(found):,} totals in {time.perf_counter() - begun:.2f} s")
        print(f"{_most_mb():.0f} MB at most until here")
        first = datetime.fromtimestamp(BEGIN, UTC).date()
        year = [DaySpan.of(first + timedelta(n), ZoneInfo("UTC")) for n in range(min(days, 400))]
        for label, scope in (
            ("a year for a report, by grade and month", PeriodScope(by_day=False)),
            ("by class and month", PeriodScope(by_day=False, by_class=True)),
            ("by grade and day, as published", PeriodScope()),
        ):
            begun = time.perf_counter()
            sums = read_period(path, year, scope)
            took = time.perf_counter() - begun
            print(f"{label}: {len(sums.totals):,} totals in {took:.2f} s, {_most_mb():.0f} MB")
            del sums
        begun = time.perf_counter()
        reach = asyncio.run(read_reach(path, "2026", "2028"))
        print(f"devices: {len(reach):,} rows in {time.perf_counter() - begun:.2f} s")
    print(f"{_most_mb():.0f} MB at most")


def _most_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
