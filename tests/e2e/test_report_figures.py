# SPDX-License-Identifier: Apache-2.0
"""A year of known answers: every figure of every format is that of a naive count."""

from __future__ import annotations

import calendar
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from filterd.overrides.roles import Role
from filterd.policy.model import Category, SchoolClass
from filterd.querylog import Batch, CountRow
from filterd.querylog.device_reach import GRADE, TIER, ReachRow
from filterd.querylog.service_days import ServiceDay
from filterd.reports.report_document import LEFT_OUT
from filterd.reports.report_facts import ReportAudience
from filterd.reports.report_run import ReportRequest, make
from tests.support.report_readers import READERS
from tests.support.report_sample import SETTINGS
from tests.support.report_school import ReportSchool, a_school, hour_of
from tests.support.report_year import (
    BLOCKED,
    CLASSES,
    CONFIDENTIAL,
    FIRST,
    NO_SERVICE,
    TIERS,
    NaiveYear,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from filterd.i18n import Language
    from filterd.reports.report_facts import ReportFacts
    from tests.support.report_readers import ReadReport, ReadTable

NAMES = {
    CONFIDENTIAL: "Self-harm",
    "games": "Games",
    "social-media": "=Social media",
    "gambling": "Gambling",
}
TIER_NAMES = {
    "lower-secondary": "Lower secondary",
    "upper-secondary": "Upper secondary",
    "staff": "Staff",
}
GRADES = {**{one: f"Grade {one}" for one in ("6", "7", "8", "9", "10")}, "staff": "Staff"}
MONTHS = {f"2026-{n:02}": f"{calendar.month_name[n]} 2026" for n in range(1, 13)}
DAMAGED = "2026-09-14"
OTHERS = {
    "Days of the period since the first record": "365",
    "Days in service": "360",
    "Time in service (%)": str(round(100 * 360 / 365, 2)),
    "Times out of service": "2",
    "Daily self-tests passed": str(6 * 361),
    "Daily self-tests failed": "361",
    "Programme": "Chương trình 2021-2025 (from 01/01/2026 to 30/09/2026); "
    "Chương trình 2026-2030 (from 01/10/2026 to 31/12/2026)",
}
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
            [name for id_, name in NAMES.items() if id_ != CONFIDENTIAL],
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
            [name for id_, name in NAMES.items() if id_ != CONFIDENTIAL],
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


@pytest.fixture(scope="module")
def school(year: NaiveYear, tmp_path_factory: pytest.TempPathFactory) -> ReportSchool:
    """Return a school that has counted the year."""
    classes = tuple(SchoolClass(*one) for one in CLASSES.items())
    known = {
        one: Category(one, name, name, confidential=one == CONFIDENTIAL)
        for one, name in NAMES.items()
    }
    policy = replace(a_school(classes, categories=known), report=SETTINGS)
    school = ReportSchool(tmp_path_factory.mktemp("school"), policy)
    school.write(_batch(year), _service(), damaged=DAMAGED)
    return school


def _batch(year: NaiveYear) -> Batch:
    """Return the answers as a worker hands them over."""
    rows, devices = list[CountRow](), Counter[tuple[str, str, str, str, str]]()
    for one in year.events:
        day, kind = one.day.isoformat(), (one.category, one.action)
        is_hidden = one.category == CONFIDENTIAL
        grade, class_id = ("", "") if is_hidden else (one.grade, one.class_id)
        rows.append(CountRow(hour_of(one.day, 9), grade, *kind, one.n, "lab", class_id=class_id))
        devices[day, TIER, "" if is_hidden else one.tier, *kind] += one.devices
        if grade:
            devices[day, GRADE, grade, *kind] += one.devices
    return Batch("w", 1, tuple(rows), reach=tuple(ReachRow(*key, n) for key, n in devices.items()))


def _service() -> list[ServiceDay]:
    """Return the service of the year: four days without, one whose record will be damaged."""
    days = (FIRST + timedelta(n) for n in range(365))
    served = (one for one in days if one not in NO_SERVICE)
    return [ServiceDay(one.isoformat(), (1 << 1_440) - 1, "412", 60, 6, 1) for one in served]


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
    school: ReportSchool,
    audience: ReportAudience,
    expected: Callable[[NaiveYear], tuple[dict[str, str], dict[str, ReadTable]]],
    format_: str,
) -> None:
    facts = school.report("year", Role.ADMIN, audience=audience.value)
    figures, tables = expected(year)
    english, vietnamese = (_read(facts, format_, one) for one in LANGUAGES)
    figures |= OTHERS
    assert {label: english.figures[label] for label in figures} == figures
    assert {title: english.tables[title] for title in tables} == tables
    assert _numbers(vietnamese) == _numbers(english)


def test_days_of_no_whole_month_are_added_by_tier(year: NaiveYear, school: ReportSchool) -> None:
    """The end of September, all of October, the begin of November."""
    days = [
        year.days_outside(date(2026, 9, 21), date(2026, 9, 30)),
        year.days_outside(date(2026, 11, 1), date(2026, 11, 7)),
    ]
    found = Counter[tuple[str, str, str]]()
    for key, n in (item for one in days for item in one.items()):
        found[key] += n
    for (month, grade, category, action), n in year.outside()[0].items():
        found[TIERS[grade], category, action] += n if month == "2026-10" else 0
    found["", CONFIDENTIAL, BLOCKED] += year.confidential()["2026-10"]
    read = _read(school.report("2026-09-21..2026-11-07", Role.ADMIN), "json", "en")
    assert read.figures["Answers in all"] == str(found.total())
    expected = _expected(
        (
            (NAMES[category], TIER_NAMES[tier], n)
            for (tier, category, action), n in found.items()
            if tier and action == BLOCKED
        ),
        [name for id_, name in NAMES.items() if id_ != CONFIDENTIAL],
        [*TIER_NAMES.values()],
        LEFT_OUT,
    )
    assert read.tables["Blocked lookups by category and tier"] == expected


def test_what_the_report_leaves_out_is_what_the_rules_leave_out(
    year: NaiveYear, school: ReportSchool
) -> None:
    shown, left_out = year.outside()
    assert school.report("year", Role.ADMIN).left_out == left_out > 0
    assert ("2026-04", "9", "gambling", BLOCKED) not in shown
    assert ("2026-10", "10", "games", BLOCKED) not in shown
