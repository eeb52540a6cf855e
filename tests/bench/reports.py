# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Measure reports of a year of a school of 2,000 devices and 40 classes.

Run ``python -m tests.bench.reports``. For each format the child that makes it: seconds, and
the most memory that it had at once.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from filterd import bounded_child
from filterd.policy.report_settings import PeriodKind
from filterd.reports.report_facts import CategoryFacts, CountCell, ReportAudience, ReportFacts
from filterd.reports.report_formats import FORMATS
from filterd.reports.report_run import ReportRequest
from tests.support.report_sample import FACTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.i18n import Language

GRADES = ("6", "7", "8", "9")
CLASSES = [f"{grade}{letter}" for grade in GRADES for letter in "ABCDEFGHIK"]
CATEGORIES = [f"category-{n}" for n in range(25)]
ACTIONS = ("pass", "local", "rewritten", "failed")
MONTHS = [f"2026-{n:02}" for n in range(1, 13)]
GOAL_S, GOAL_MB = 5, 120
_MEASURED = """
import atexit, pathlib, runpy, sys
def told():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            sys.stderr.write(line.split()[1])
atexit.register(told)
runpy.run_module("filterd.reports", run_name="__main__")
"""


class ReportCost(NamedTuple):
    """Of one report; ``megabytes`` at most, of 10^6 octets."""

    seconds: float
    megabytes: float
    octets: int


def facts_of(audience: ReportAudience) -> ReportFacts:
    """Return the facts of a year."""
    school = replace(FACTS.school, grades=GRADES, classes=tuple(CLASSES), devices=2_000)
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


def cost_of(facts: ReportFacts, format_: str, language: Language = "vi") -> ReportCost:
    """Make a report in its child; return what it took."""
    asked = ReportRequest(facts.to_plain(), format_, language)
    begun = perf_counter()
    done = subprocess.run(
        [sys.executable, "-P", "-s", "-c", _MEASURED],
        env=bounded_child.environment(),
        input=json.dumps(asked.to_plain()).encode(),
        capture_output=True,
        check=True,
    )
    seconds = perf_counter() - begun
    assert done.stdout.startswith(b'{"ok": true'), done.stdout[:500]
    return ReportCost(seconds, int(done.stderr) * 1.024 / 1_000, len(done.stdout))


def main() -> None:
    """Measure all formats and print the table."""
    print(f"{'a year of 40 classes':24} {'seconds':>8} {'MB':>6} {'octets':>10}")
    for audience in (ReportAudience.OUTSIDE, ReportAudience.INSIDE):
        facts = facts_of(audience)
        for format_ in FORMATS:
            cost = cost_of(facts, format_)
            name = f"{audience} {format_}"
            print(f"{name:24} {cost.seconds:8.2f} {cost.megabytes:6.0f} {cost.octets:10,}")
    print(f"goal: {GOAL_S} s, {GOAL_MB} MB")


if __name__ == "__main__":
    main()
