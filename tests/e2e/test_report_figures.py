# SPDX-License-Identifier: Apache-2.0
"""A year of known answers: every figure of every format is that of a naive count."""

from __future__ import annotations

import calendar
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.policy.model import TIER_OF_GRADE
from filterd.policy.report_settings import PeriodKind
from filterd.querylog.device_reach import GRADE, TIER, ReachRow
from filterd.querylog.published_totals import PublishedTotals
from filterd.querylog.totals_request import Total
from filterd.reports.report_document import LEFT_OUT
from filterd.reports.report_facts import CountCell, ReportAudience, ReportFacts
from filterd.reports.report_run import ReportRequest, make
from tests.support.report_readers import READERS
from tests.support.report_sample import FACTS
from tests.support.report_year import (
    BLOCKED,
    CLASSES,
    CONFIDENTIAL,
    FIRST,
    LAST,
    TIERS,
    K,
    NaiveYear,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from filterd.i18n import Language
    from tests.support.report_readers import ReadReport, ReadTable

NAMES = {"games": "Games", "social-media": "=Social media", "gambling": "Gambling"}
TIER_NAMES = {"lower-secondary": "Lower secondary", "upper-secondary": "Upper secondary"}
GRADES = {one: f"Grade {one}" for one in ("6", "7", "8", "9", "10")}
MONTHS = {f"2026-{n:02}": f"{calendar.month_name[n]} 2026" for n in range(1, 13)}
LANGUAGES: tuple[Language, Language] = ("en", "vi")
COURSE = {
    "pass": "Passed",
    "local": "Passed",
    "rewritten": "Safe mode",
    BLOCKED: "Blocked",
    "failed": "Failed",
}


@pytest.fixture(scope="module")
def year() -> NaiveYear:
    return NaiveYear(events_of(23))


def _expected(
    counts: Iterable[tuple[str, str, int]],
    rows: Sequence[str],
    columns: Sequence[str],
    absent: str = "0",
) -> ReadTable:
    """Return a table with its sums; ``absent`` stands where there is no answer."""
    cells, of_rows, of_columns = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    for row, column, n in counts:
        cells[row, column] += n
        of_rows[row] += n
        of_columns[column] += n
    table = {
        (row, column): str(cells[row, column]) if (row, column) in cells else absent
        for row in rows
        for column in columns
    }
    table |= {(row, "Total"): str(of_rows[row]) if row in of_rows else absent for row in rows}
    table |= {
        ("Total", one): str(of_columns[one]) if one in of_columns else absent for one in columns
    }
    return {**table, ("Total", "Total"): str(of_rows.total())}


def _outside(year: NaiveYear) -> tuple[dict[str, str], dict[str, ReadTable]]:
    """Return the figures and tables of a report for authorities."""
    shown, _ = year.outside()
    hidden = year.confidential()
    blocked = {key: n for key, n in shown.items() if key[3] == BLOCKED}
    n = sum(shown.values()) + sum(hidden.values())
    n_blocked = sum(blocked.values()) + sum(hidden.values())
    figures = {
        "Answers in all": str(n),
        "Blocked answers": str(n_blocked),
        "Share of blocked answers (%)": str(round(100 * n_blocked / n, 2)),
    }
    tables = {
        "Blocked lookups by category and tier": _expected(
            ((NAMES[key[2]], TIER_NAMES[TIERS[key[1]]], n) for key, n in blocked.items()),
            [*NAMES.values()],
            [*TIER_NAMES.values()],
            "(*)",
        ),
        "Blocked lookups by grade and month": _expected(
            ((MONTHS[key[0]], GRADES[key[1]], n) for key, n in blocked.items()),
            [MONTHS[one] for one in sorted({key[0] for key in blocked})],
            [*GRADES.values()],
            "(*)",
        ),
        "Answers by month": _expected(
            [
                *((MONTHS[key[0]], COURSE[key[3]], n) for key, n in shown.items()),
                *((MONTHS[month], "Blocked", n) for month, n in hidden.items()),
            ],
            [*MONTHS.values()],
            [*dict.fromkeys(COURSE.values())],
            "(*)",
        ),
    }
    return figures, tables


def _inside(year: NaiveYear) -> tuple[dict[str, str], dict[str, ReadTable]]:
    """Return the figures and tables of a report for the school."""
    cells = year.inside()
    blocked = {key: n for key, n in cells.items() if key[4] == BLOCKED}
    shown = {key: n for key, n in blocked.items() if key[3] != CONFIDENTIAL}
    n, n_blocked = sum(cells.values()), sum(blocked.values())
    figures = {
        "Answers in all": str(n),
        "Blocked answers": str(n_blocked),
        "Share of blocked answers (%)": str(round(100 * n_blocked / n, 2)),
    }
    classes = Counter[tuple[str, str]]()
    for key, n in cells.items():
        for column in ("Answers", *(["Blocked"] if key in shown else [])):
            for row in (key[2], "Total"):
                classes[row, column] += n if key[2] else 0
    hidden = sum(n for key, n in blocked.items() if key not in shown)
    tables = {
        "Blocked lookups by category and tier": _expected(
            ((NAMES[key[3]], TIER_NAMES[TIERS[key[1]]], n) for key, n in shown.items()),
            [*NAMES.values()],
            [*TIER_NAMES.values()],
        ),
        "Blocked lookups of confidential categories, in the whole school only": {
            ("Self-harm", "Blocked"): str(hidden)
        },
        "Blocked lookups by grade and month": _expected(
            ((MONTHS[key[0]], GRADES[key[1]], n) for key, n in shown.items()),
            [MONTHS[one] for one in sorted({key[0] for key in shown})],
            [*GRADES.values()],
        ),
        "Answers by class": {
            place: str(n) for place, n in classes.items() if place[0] in {*CLASSES, "Total"}
        },
        "Answers by month": _expected(
            ((MONTHS[key[0]], COURSE[key[4]], n) for key, n in cells.items()),
            [*MONTHS.values()],
            [*dict.fromkeys(COURSE.values())],
        ),
    }
    return figures, tables


def _facts(year: NaiveYear, audience: ReportAudience) -> ReportFacts:
    """Return the facts of the year, by the code that publishes or adds up."""
    is_outside = audience is ReportAudience.OUTSIDE
    cells, left_out = _published(year) if is_outside else (_counted(year), 0)
    games = replace(FACTS.categories[1], id="games", names={"en": "Games", "vi": "Trò chơi"})
    grades, classes = tuple(GRADES), tuple(CLASSES)
    return replace(
        FACTS,
        kind=PeriodKind.YEAR,
        first=FIRST.isoformat(),
        last=LAST.isoformat(),
        audience=audience,
        categories=(*FACTS.categories, games),
        school=replace(FACTS.school, tiers=tuple(TIER_NAMES), grades=grades, classes=classes),
        cells=tuple(cells),
        left_out=left_out,
    )


def _counted(year: NaiveYear) -> list[CountCell]:
    return [
        CountCell(month, TIERS.get(grade, ""), grade, class_id, category, action, n)
        for (month, grade, class_id, category, action), n in year.inside().items()
    ]


def _published(year: NaiveYear) -> tuple[list[CountCell], int]:
    cells, left_out = list[CountCell](), 0
    for month in MONTHS:
        events = [one for one in year.events if one.month == month]
        days = sorted({one.day.isoformat() for one in events})
        devices = Counter[tuple[str, str, str, str, str]]()
        for one in events:
            day, kind = one.day.isoformat(), (one.category, one.action)
            if one.category == CONFIDENTIAL:
                devices[day, TIER, "", *kind] += one.devices
            else:
                devices[day, GRADE, one.grade, *kind] += one.devices
                devices[day, TIER, one.tier, *kind] += one.devices
        totals = (
            Total(
                one.day.isoformat(),
                "" if one.category == CONFIDENTIAL else one.grade,
                one.category,
                one.action,
                one.n,
            )
            for one in events
        )
        reach = (ReachRow(*key, n) for key, n in devices.items())
        published = PublishedTotals().with_periods(days, month, totals, reach, K)
        left_out += published.periods[month].left_out
        rows = [*published.rows([month], {CONFIDENTIAL})]
        rows += [one for one in published.rows(days, {CONFIDENTIAL}) if not one["tier"]]
        cells += (
            CountCell(
                one["period"],
                one["tier"],
                one["grade"],
                "",
                one["category"],
                one["action"],
                one["n"],
            )
            for one in rows
        )
    return cells, left_out


def _read(facts: ReportFacts, format_: str, language: Language) -> ReadReport:
    made = make(ReportRequest(facts.to_plain(), format_, language))
    return READERS[format_](made.octets)


def _numbers(read: ReadReport) -> list[str]:
    """Return all numbers, and marks of those that are left out."""
    cells = (cell for table in read.tables.values() for cell in table.values())
    return [one for one in (*read.figures.values(), *cells) if one == LEFT_OUT or one.isdecimal()]


@pytest.mark.parametrize("format_", READERS)
@pytest.mark.parametrize(
    ("audience", "expected"),
    [(ReportAudience.OUTSIDE, _outside), (ReportAudience.INSIDE, _inside)],
)
def test_every_figure_of_every_format_is_that_of_a_naive_count(
    year: NaiveYear,
    audience: ReportAudience,
    expected: Callable[[NaiveYear], tuple[dict[str, str], dict[str, ReadTable]]],
    format_: str,
) -> None:
    facts = _facts(year, audience)
    figures, tables = expected(year)
    english, vietnamese = (_read(facts, format_, one) for one in LANGUAGES)
    assert {label: english.figures[label] for label in figures} == figures
    assert {title: english.tables[title] for title in tables} == tables
    assert _numbers(vietnamese) == _numbers(english)


def test_what_the_report_leaves_out_is_what_the_rules_leave_out(year: NaiveYear) -> None:
    shown, left_out = year.outside()
    facts = _facts(year, ReportAudience.OUTSIDE)
    assert facts.left_out == left_out > 0
    assert ("2026-04", "9", "gambling", BLOCKED) not in shown
    assert ("2026-10", "10", "games", BLOCKED) not in shown
    assert not any(TIER_OF_GRADE[grade] != TIERS[grade] for grade in GRADES)
