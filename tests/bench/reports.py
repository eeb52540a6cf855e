# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Measure reports of a year of a school of 2,000 devices and 40 classes.

Run ``python -m tests.bench.reports [--days 250]``. For each format the child that makes it:
seconds, and the most memory that it had at once. Then the whole command, with the CPU of the
daemon that it asks, whose totals have so many days, 12,800 rows each; of the manager, how much
its memory grew.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from filterd.base import bounded_child
from filterd.base.clock import SystemClock
from filterd.base.state_folder import StateFolder
from filterd.policy.reporting_settings import PeriodKind, ReportAudience
from filterd.reports.report_facts import CategoryFacts, CountCell, ReportFacts
from filterd.reports.report_formats import FORMATS
from filterd.reports.report_run import ReportRequest
from tests.bench.log_totals_year import CLASSES, DAY_S, fill
from tests.support.daemon import build_lists, free_port, serving, write_site
from tests.support.processes import family
from tests.support.report_sample import FACTS

if TYPE_CHECKING:
    from collections.abc import Iterator


GRADES = ("6", "7", "8", "9")
CATEGORIES = [f"category-{n}" for n in range(25)]
ACTIONS = ("pass", "local", "rewritten", "failed")
MONTHS = [f"2026-{n:02}" for n in range(1, 13)]
GOAL_S, GOAL_MB = 5, 120
_MEASURED = """
import atexit, os, pathlib, runpy, sys
def report():
    status = pathlib.Path("/proc/self/status").read_text()
    peak = status.partition("VmHWM:")[2].split()[0]
    sys.stderr.write(f"\\n{peak} {sum(os.times()[:4])}")
atexit.register(report)
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""


class ReportCost(NamedTuple):
    """Of one report; ``megabytes`` at most, of 10^6 octets. CPU with that of children."""

    seconds: float
    cpu_s: float
    megabytes: float
    octets: int


def facts_of(audience: ReportAudience) -> ReportFacts:
    """Return the facts of a year."""
    school = replace(FACTS.school, grades=GRADES, classes=tuple(CLASSES))
    categories = (
        CategoryFacts(
            one,
            {"vi": f"Nhóm {one}", "en": f"Category {one}"},
            "Luật An ninh mạng",
            is_locked=True,
            is_confidential=False,
            closed_tiers=("lower-secondary",),
        )
        for one in CATEGORIES
    )
    return replace(
        FACTS,
        kind=PeriodKind.YEAR,
        first="2026-01-01",
        last="2026-12-31",
        audience=audience,
        school=school,
        categories=tuple(categories),
        cells=tuple(_cells(by_class=audience is ReportAudience.INSIDE)),
    )


def _cells(*, by_class: bool) -> Iterator[CountCell]:
    dice = random.Random(1)
    for month in MONTHS:
        for class_id in CLASSES if by_class else GRADES:
            place = class_id[0], class_id if by_class else ""
            kinds = [(one, "blocked") for one in CATEGORIES] + [("", one) for one in ACTIONS]
            for kind in kinds:
                n, distinct = dice.randrange(1, 90_000), dice.randrange(400) if by_class else None
                yield CountCell(month, "lower-secondary", *place, *kind, n, distinct)


def cost_of(module: str, *words: str, request: bytes = b"", **changes: str) -> ReportCost:
    """Run a module; return what it took."""
    begun = perf_counter()
    done = subprocess.run(
        [sys.executable, "-P", "-s", "-c", _MEASURED, module, *words],
        env={**bounded_child.environment(), **changes},
        input=request,
        capture_output=True,
        check=True,
    )
    seconds = perf_counter() - begun
    peak, cpu_s = done.stderr.rpartition(b"\n")[2].split()
    return ReportCost(seconds, float(cpu_s), int(peak) * 1.024 / 1_000, len(done.stdout))


def children() -> None:
    """Measure the child for each format."""
    for audience in (ReportAudience.OUTSIDE, ReportAudience.INSIDE):
        facts = facts_of(audience).to_plain()
        for format_ in FORMATS:
            request = ReportRequest(facts, format_, "vi").to_plain()
            cost = cost_of("filterd.reports", request=json.dumps(request).encode())
            _print(f"child, {audience} {format_}", cost)


def commands(days: int) -> None:
    """Measure the whole command for each format, with a daemon that has counted a year."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        classes = ", ".join(f"{one}: {{grade: {one[0]}}}" for one in CLASSES)
        more = f"time_zone: UTC\nclasses: {{{classes}}}\n"
        config = write_site(folder / "site", port=free_port(), more=more)
        build_lists(config, folder / "state")
        midnight = int(SystemClock().wall()) // DAY_S * DAY_S
        totals = StateFolder(folder / "state").query_log
        rows = asyncio.run(fill(totals, days, midnight - days * DAY_S))
        print(f"totals: {rows:,} rows, {totals.stat().st_size / 1e6:.0f} MB")
        first, last = (
            datetime.fromtimestamp(midnight - ago * DAY_S, UTC).date() for ago in (days, 1)
        )
        with serving(config, folder / "state") as daemon:
            grown = {one: _memory(one) for one in family(daemon.process.pid)}
            for audience in ("", "--inside"):
                for format_ in FORMATS:
                    words = f"report --period {first}..{last} --format {format_} {audience}"
                    before = _cpu_s(daemon.process.pid)
                    cost = cost_of("filterd", *words.split(), *daemon.options)
                    of_daemon = _cpu_s(daemon.process.pid) - before
                    cost = cost._replace(cpu_s=cost.cpu_s + of_daemon)
                    _print(f"whole, {audience or 'outside'} {format_}", cost)
            most = max(_memory(one) - before for one, before in grown.items())
            print(f"the manager grew by {most:.0f} MB at most")


def _memory(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(text.partition("VmHWM:")[2].split()[0]) * 1.024 / 1_000


def _cpu_s(pid: int) -> float:
    """Return the seconds of a processor that the processes of a daemon have had."""
    ticks = 0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _print(name: str, cost: ReportCost) -> None:
    print(
        f"{name:28} {cost.seconds:8.2f} {cost.cpu_s:6.2f} {cost.megabytes:6.0f} {cost.octets:10,}",
        flush=True,
    )


def main() -> None:
    """Measure all formats and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--days", type=int, default=250)
    print(f"{'a year of 40 classes':28} {'seconds':>8} {'CPU s':>6} {'MB':>6} {'octets':>10}")
    children()
    commands(parser.parse_args().days)
    print(f"goal: {GOAL_S} s, {GOAL_MB} MB")


if __name__ == "__main__":
    main()
