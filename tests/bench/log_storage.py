# SPDX-License-Identifier: Apache-2.0
"""Measure what a school day at the level ``full`` writes to the disk and keeps.

Run ``python -m tests.bench.log_storage [--rows 1000000] [--folder .]``. The folder must be on
a disk, not in memory: octets written are those of ``/proc/self/io``. They have neither the
journal of the file system nor what the card itself adds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import resource
import shutil
import sys
import tempfile
from datetime import date
from itertools import accumulate, islice
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, NamedTuple

from filterd.querylog.day_file import DayFiles
from filterd.querylog.day_schema import subtree
from filterd.querylog.lookups import (
    LOOKUPS_A_BATCH,
    WRITE_FROM,
    Lookup,
    LookupBatch,
    LookupContext,
)
from filterd.wire import name as names
from tests.support.day_lookups import ZONE, begin_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DAY = date(2026, 11, 27)
NAMES, DEVICES, CLASSES = 30_000, 400, 40
_FIRST_S, _LAST_S = 7 * 3600, 17 * 3600
_CATEGORIES = ("games", "social-media", "streaming", "ads-trackers", "proxy-vpn")
_TOPS = ("com", "net", "vn", "com.vn", "io", "edu.vn")


class Cost(NamedTuple):
    """Of a row: octets written and kept, CPU in microseconds."""

    written: float
    kept: float
    cpu_us: float


def lookups(rows: int, day: date = DAY, seed: int = 1) -> Iterator[Lookup]:
    """Yield lookups of a school day in the order of time: names by Zipf, a class a device."""
    dice = random.Random(seed)
    begins = begin_of(day)
    asked = [
        names.from_text(f"h{n % 7}.site-{n // 3}.{_TOPS[n // 3 % len(_TOPS)]}")
        for n in range(NAMES)
    ]
    weights = list(accumulate(1 / rank for rank in range(1, NAMES + 1)))
    devices = [dice.randrange(1, 2**31) for _ in range(DEVICES)]
    contexts = [[_context(number, name) for name in range(50)] for number in range(CLASSES)]
    for number in range(rows):
        (name,) = dice.choices(range(NAMES), cum_weights=weights)
        device = dice.randrange(DEVICES)
        context = contexts[device % CLASSES][name % 50]
        at = begins + _FIRST_S + number * (_LAST_S - _FIRST_S) // rows
        yield Lookup(at, asked[name], context, devices[device])


def _context(number: int, name: int) -> LookupContext:
    """Every fifth name is blocked."""
    grade, class_id, room = str(6 + number // 10), f"{6 + number // 10}A{number % 10}", f"r{number}"
    if name % 5:
        return LookupContext(grade, class_id, room, "", "pass")
    category = _CATEGORIES[name // 5 % len(_CATEGORIES)]
    return LookupContext(grade, class_id, room, category, "blocked", f"starter-{category}")


def writes(asked: Iterator[Lookup]) -> Iterator[list[LookupBatch]]:
    """Yield the batches of two workers that are written at once."""
    number = 0
    while part := list(islice(asked, WRITE_FROM)):
        batches = []
        for worker in range(2):
            own = part[worker::2]
            for first in range(0, len(own), LOOKUPS_A_BATCH):
                number += 1
                few = tuple(own[first : first + LOOKUPS_A_BATCH])
                batches.append(LookupBatch(f"w{worker}", number, few))
        yield batches


async def make_day(folder: Path, rows: int, day: date = DAY, seed: int = 1) -> float:
    """Write the file of a day, for any benchmark; return the CPU seconds of writing it."""
    files, seconds = DayFiles(folder, ZONE), 0.0
    for batches in writes(lookups(rows, day, seed)):
        start = process_time()
        await files.write(batches)
        seconds += process_time() - start
    start = process_time()
    await files.close()
    return seconds + process_time() - start


def measure(folder: Path, rows: int) -> Cost:
    """Write a day into an empty folder, and return what a row has cost."""
    before = _written()
    seconds = asyncio.run(make_day(folder, rows))
    os.sync()
    kept = sum(one.stat().st_size for one in folder.iterdir())
    return Cost((_written() - before) / rows, kept / rows, seconds * 1e6 / rows)


async def forget(folder: Path) -> tuple[int, float]:
    """Forget one name of the day; return rows and CPU seconds."""
    files, start = DayFiles(folder, ZONE), process_time()
    found = await files.forget_names(subtree(names.from_text("site-0.com")))
    await files.close()
    return found.rows, process_time() - start


def _written() -> int:
    """Return the octets that this process has sent to disks."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print octets and CPU of a row, megabytes of a day, and the cost of forgetting a name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path.cwd())
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(dir=given.folder)) / "log"
    out = sys.stdout.write
    try:
        cost = measure(folder, given.rows)
        out(f"rows {given.rows:,}, {NAMES:,} names, {DEVICES} devices, {WRITE_FROM} a write\n")
        out(f"a row: written {cost.written:.0f} octets, kept {cost.kept:.1f} octets, ")
        out(f"CPU {cost.cpu_us:.1f} us\n")
        megabytes = (each * given.rows / 1e6 for each in (cost.written, cost.kept))
        out("the day: written {:.0f} MB, kept {:.0f} MB\n".format(*megabytes))
        out("forgetting {:,} rows: {:.1f} s of CPU\n".format(*asyncio.run(forget(folder))))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        out(f"largest memory {memory:.0f} MB, with the made-up names\n")
    finally:
        shutil.rmtree(folder.parent)


if __name__ == "__main__":
    main()
