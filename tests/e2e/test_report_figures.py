# SPDX-License-Identifier: Apache-2.0
"""A year of known answers: every figure of every format is that of a naive count."""

from __future__ import annotations

import calendar
from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

import pytest

from filterd.overrides.rights.roles import Role
from filterd.policy.log_levels import LogLevel, QueryLog
from filterd.policy.model import Category, SchoolClass
from filterd.querylog import Batch, CountRow
from filterd.querylog.day_reach import GRADE, TIER, ReachRow
from filterd.reports.report_document import LEFT_OUT
from filterd.reports.report_run import ReportRequest, make
from tests.e2e.year_handling import (
    DAMAGED,
    YearHandling,
    YearNames,
    YearService,
    days_worded,
    worded,
)
from tests.support.report_readers import READERS
from tests.support.report_sample import SETTINGS
from tests.support.report_school import ZONE, ReportSchool, a_school, hour_of
from tests.support.report_year import (
    BLOCKED,
    CLASSES,
    CONFIDENTIAL,
    NO_SERVICE,
    TIERS,
    NaiveYear,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from filterd.reports.report_facts import ReportFacts
    from filterd.texts.i18n import Language
    from tests.support.report_readers import ReadReport, ReadTable

pytestmark = pytest.mark.usefixtures("warm_children")

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
SERVICE, DISTINCT, HANDLED = YearService(5), YearNames(4), YearHandling(3)
PROGRAMMES = (
    "Chương trình 2021-2025 (from 01/01/2026 to 30/09/2026); "
    "Chương trình 2026-2030 (from 01/10/2026 to 31/12/2026)"
)
Expected: TypeAlias = "dict[str, str | ReadTable]"
AGES = {"games": 12, "social-media": 18}
"""From which categories suit; the others are closed to everybody."""
LOG = QueryLog(
    tiers={"lower-secondary": LogLevel.BLOCKED, "upper-secondary": LogLevel.NAMES},
    keep_totals_days=300,
)
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


def _crossed(
    counts: Iterable[tuple[str, str, int]],
    rows: Sequence[str],
    columns: Sequence[str],
    absent: str = "0",
) -> ReadTable:
    """Return a table with its sums; ``absent`` stands where there is no answer."""
    cells = Counter[tuple[str, str]]()
    sides = ["Total"] if len(columns) > 1 else []
    for row, column, n in counts:
        for place in product((row, "Total"), (column, *sides)):
            cells[place] += n
    places = product((*rows, "Total"), (*columns, *sides))
    return {one: str(cells[one]) if one in cells else absent for one in places}


def _of_all(n: int, n_blocked: int) -> Expected:
    share = str(round(100 * n_blocked / n, 2))
    return {"answers": str(n), "answers-blocked": str(n_blocked), "blocked-share": share}


def _shown_names(counts: Iterable[tuple[str, ...]]) -> list[str]:
    """Return the names of the categories that have a row."""
    return [NAMES[one] for one in NAMES if one in {key[-2] for key in counts}]


def _outside(year: NaiveYear) -> Expected:
    """Return what a report for authorities must have."""
    shown, _ = year.outside()
    hidden = year.confidential()
    blocked = {key: n for key, n in shown.items() if key[3] == BLOCKED}
    n_hidden = sum(hidden.values())
    return {
        **_of_all(sum(shown.values()) + n_hidden, sum(blocked.values()) + n_hidden),
        "blocked-tiers": _crossed(
            ((NAMES[key[2]], TIER_NAMES[TIERS[key[1]]], n) for key, n in blocked.items()),
            _shown_names(blocked),
            [*TIER_NAMES.values()],
            LEFT_OUT,
        ),
        "blocked-confidential": {("Self-harm", "Blocked"): str(n_hidden)},
        "blocked-grades": _crossed(
            ((MONTHS[key[0]], GRADES[key[1]], n) for key, n in blocked.items()),
            [MONTHS[one] for one in sorted({key[0] for key in shown})],
            [*GRADES.values()],
            LEFT_OUT,
        ),
        "course": _crossed(
            [
                *((MONTHS[key[0]], COURSE[key[3]], n) for key, n in shown.items()),
                *((MONTHS[month], "Blocked", n) for month, n in hidden.items()),
            ],
            [*MONTHS.values()],
            [*dict.fromkeys(COURSE.values())],
            LEFT_OUT,
        ),
        **_of_school(year),
    }


def _inside(year: NaiveYear, of: Collection[str] = (*CLASSES, "")) -> Expected:
    """Return what a report for the school, or some classes of it, must have."""
    is_whole = "" in of
    cells = {key: n for key, n in year.inside().items() if key[2] in of}
    shown = {key: n for key, n in cells.items() if key[4] == BLOCKED and key[3] != CONFIDENTIAL}
    hidden = sum(n for key, n in cells.items() if key[3] == CONFIDENTIAL)
    tiers = [*TIER_NAMES] if is_whole else dict.fromkeys(TIERS[key[1]] for key in shown)
    categories = _crossed(
        ((NAMES[key[3]], TIER_NAMES[TIERS[key[1]]], n) for key, n in shown.items()),
        _shown_names(shown),
        [TIER_NAMES[tier] for tier in tiers],
    )
    classes = {
        (row, column): str(sum(n for key, n in found.items() if key[2] and key[2] in whose))
        for row, whose in {**{one: (one,) for one in of if one}, "Total": of}.items()
        for column, found in {"Answers": cells, "Blocked": shown}.items()
    }
    names = [one for one in DISTINCT.counted() if one[0] in of]
    for table, place in ((categories, lambda one: NAMES[one[1]]), (classes, lambda one: one[0])):
        known = Counter[str]()
        for name in names:
            known[place(name)] += name[2]
        rows = {row for row, _ in table} - {"Total"}
        table |= {(one, "Distinct names"): str(known.get(one, "not known")) for one in rows}
        table["Total", "Distinct names"] = str(sum(known[one] for one in rows))
    expected: Expected = {
        **_of_all(sum(cells.values()), sum(shown.values()) + hidden),
        "distinct-names": str(sum(n for *_, n in names)),
        "blocked-tiers": categories,
        "course": _crossed(
            ((MONTHS[key[0]], COURSE[key[4]], n) for key, n in cells.items()),
            [*MONTHS.values()],
            [*dict.fromkeys(COURSE.values())],
        ),
    }
    if len(of) > 1:
        expected["classes"] = classes
    if not is_whole:
        return expected
    expected["blocked-confidential"] = {("Self-harm", "Blocked"): str(hidden)}
    expected["blocked-grades"] = _crossed(
        ((MONTHS[key[0]], GRADES[key[1]], n) for key, n in shown.items()),
        [MONTHS[one] for one in sorted({key[0] for key in cells})],
        [*GRADES.values()],
    )
    return {**expected, **_of_school(year)}


def _of_school(year: NaiveYear) -> Expected:
    """Return what each report on the whole school must have."""
    service = SERVICE.figures(set(year.days))
    return {
        **service,
        **HANDLED.figures(),
        "gaps": SERVICE.gap_table(),
        "programme": PROGRAMMES,
    }


@pytest.fixture(scope="module")
def school(year: NaiveYear, tmp_path_factory: pytest.TempPathFactory) -> ReportSchool:
    """Return a school that has counted the year."""
    classes = tuple(SchoolClass(*item) for item in CLASSES.items())
    known = {
        one: Category(
            one, name, name, AGES.get(one), one not in AGES, confidential=one == CONFIDENTIAL
        )
        for one, name in NAMES.items()
    }
    policy = replace(a_school(classes, categories=known), report=SETTINGS, log=LOG)
    school = ReportSchool(tmp_path_factory.mktemp("school"), policy)
    school.write(_batch(year), SERVICE.planted, damaged=DAMAGED.isoformat())
    DISTINCT.plant(school)
    HANDLED.plant(school)
    return school


def _batch(year: NaiveYear) -> Batch:
    """Return the answers as a worker hands them over, and some by wrong clocks."""
    rows, devices = list[CountRow](), Counter[tuple[str, str, str, str, str]]()
    for event in year.events:
        day, kind = event.day.isoformat(), (event.category, event.action)
        is_hidden = event.category == CONFIDENTIAL
        grade, class_id = ("", "") if is_hidden else (event.grade, event.class_id)
        rows.append(
            CountRow(hour_of(event.day, 9), grade, *kind, event.n, "lab", class_id=class_id)
        )
        devices[day, TIER, "" if is_hidden else event.tier, *kind] += event.devices
        if grade:
            devices[day, GRADE, grade, *kind] += event.devices
    for hour in (3_600, hour_of(date(2099, 1, 1), 9)):
        rows.append(CountRow(hour, "6", "games", BLOCKED, 9**9, "lab", class_id="6A"))
    return Batch("w", 1, tuple(rows), reach=tuple(ReachRow(*key, n) for key, n in devices.items()))


def _read(facts: ReportFacts, format_: str, language: Language) -> ReadReport:
    made = make(ReportRequest(facts.to_plain(), format_, language))
    return READERS[format_](made.octets)


def _numbers(read: ReadReport) -> list[str]:
    """Return all numbers, and marks of those that are left out."""
    cells = (cell for table in read.tables.values() for cell in table.values())
    return [one for one in (*read.figures.values(), *cells) if one == LEFT_OUT or one.isdecimal()]


WHOM: dict[str, tuple[dict[str, str], Callable[[NaiveYear], Expected]]] = {
    "outside": ({"audience": "outside"}, _outside),
    "inside": ({"audience": "inside"}, _inside),
    "a grade": ({"audience": "inside", "grade": "9"}, lambda year: _inside(year, ("9A", "9B"))),
    "a class": ({"audience": "inside", "class": "9A"}, lambda year: _inside(year, ("9A",))),
}


EACH = [pytest.param(one, marks=[pytest.mark.long] * (one != "json")) for one in READERS]
"""All formats; one of them without ``long``."""


@pytest.mark.parametrize("format_", EACH)
@pytest.mark.parametrize("whom", WHOM)
def test_every_figure_of_every_format_is_that_of_a_naive_count(
    year: NaiveYear, school: ReportSchool, whom: str, format_: str
) -> None:
    asked, naive = WHOM[whom]
    facts, expected = school.report("year", Role.ADMIN, **asked), naive(year)
    english, vietnamese = (_read(facts, format_, one) for one in LANGUAGES)
    found = english.by_id(_read(facts, "json", "en"))
    assert {id_: found[id_] for id_ in expected} == expected
    tables = {id_ for id_, one in found.items() if isinstance(one, dict)}
    assert tables - {"categories", "course-blocked"} == {
        id_ for id_, one in expected.items() if isinstance(one, dict)
    }
    assert _numbers(vietnamese) == _numbers(english)


@pytest.mark.parametrize("format_", EACH)
@pytest.mark.parametrize("audience", ["outside", "inside"])
def test_every_format_states_what_limits_the_figures(
    year: NaiveYear, school: ReportSchool, audience: str, format_: str
) -> None:
    facts, days = school.report("year", Role.ADMIN, audience=audience), set(year.days)
    lost = sum(record.lost for record in SERVICE.records)
    gaps = len(SERVICE.gaps())
    dark = worded(60 * len(SERVICE.dark))
    expected = {
        f"Times out of service: {gaps}, for {dark} in all, which includes those when the gateway"
        " was switched off. Nothing is counted then.",
        "The record of these days is damaged or was never written:"
        f" {days_worded([*NO_SERVICE, DAMAGED])}.",
        f"Days not wholly in service, without any count: {days_worded(SERVICE.missing(days))}.",
        f"Answers that could not be counted: {lost:,}.".replace(",", "\u202f"),
        f"From {_moment(HANDLED.full[0])} until {_moment(HANDLED.full[1])} every lookup was"
        " recorded for: lower secondary (log level full).",
    }
    if audience == "outside":
        assert year.outside()[1]
        expected.add(
            "Figures of fewer than 5 devices are not published. They are in no figure or total of"
            " this report."
        )
    assert expected - _read(facts, format_, "en").texts == set()


@pytest.mark.parametrize("format_", EACH)
def test_the_letter_to_parents_has_what_is_closed_and_kept_and_no_figure(
    school: ReportSchool, format_: str
) -> None:
    facts = school.report("year", Role.TEACHER, audience="parents")
    read = _read(facts, format_, "en")
    found = read.by_id(_read(facts, "json", "en"))
    assert found == {
        "closed-1": "Self-harm, =Social media, Gambling",
        "closed-2": "Games",
    }
    assert {
        "Of these open to grade 7, grade 8, grade 9: Games.",
        f"From {_moment(HANDLED.full[0])} until {_moment(HANDLED.full[1])} every lookup was"
        " recorded for: lower secondary (log level full).",
        "Totals are kept for 300 days.",
    } <= read.texts
    assert not any("Answers" in one or "blocked" in one for one in (*read.texts, *read.figures))


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at, ZONE):%H:%M %d/%m/%Y}"


def test_days_of_no_whole_month_are_added_by_tier(year: NaiveYear, school: ReportSchool) -> None:
    """The end of September, all of October, the begin of November."""
    days = [
        year.days_outside(date(2026, 9, 21), date(2026, 9, 30)),
        year.days_outside(date(2026, 11, 1), date(2026, 11, 7)),
    ]
    found = Counter[tuple[str, str, str]]()
    for key, n in (item for day in days for item in day.items()):
        found[key] += n
    for (month, grade, category, action), n in year.outside()[0].items():
        found[TIERS[grade], category, action] += n if month == "2026-10" else 0
    found["", CONFIDENTIAL, BLOCKED] += year.confidential()["2026-10"]
    read = _read(school.report("2026-09-21..2026-11-07", Role.ADMIN), "json", "en")
    assert read.figures["Answers in all"] == str(found.total())
    expected = _crossed(
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
    assert school.report("year", Role.ADMIN).left_out is left_out is True
    assert ("2026-04", "9", "gambling", BLOCKED) not in shown
    assert ("2026-10", "10", "games", BLOCKED) in shown  # without the day of few devices
