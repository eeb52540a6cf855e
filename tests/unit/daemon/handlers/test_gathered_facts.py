# SPDX-License-Identifier: Apache-2.0
"""The figures of a year equal a naive count of its events, for inside and for outside."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filterd.overrides.review_requests import PupilRequest
from filterd.overrides.rights.roles import Role
from filterd.policy.model import TIER_OF_GRADE
from filterd.policy.reporting_settings import PeriodKind, ReportSchedule, ReportSettings
from filterd.querylog.service_days import ServiceDay
from filterd.reports.report_facts import CountCell, HandlingFacts, ServiceFacts
from tests.support.changes import an_exception
from tests.support.counted_year import BEGUN, DAMAGED, OFF, Event, K, counted, events
from tests.support.report_school import (
    ADMIN,
    CLASSES,
    SECRET,
    TODAY,
    ReportSchool,
    a_school,
    hour_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.reports.report_facts import ReportFacts

EVENTS = list(events())
ALL_DAY = (1 << 1_440) - 1
DAYS = [(BEGUN + timedelta(n)).isoformat() for n in range((TODAY - BEGUN).days)]
GAP = ((1 << 30) - 1) << 600
"""Half an hour from ten o'clock on."""


def served(day: str) -> ServiceDay:
    minutes = ALL_DAY & ~GAP if day.endswith("-15") else ALL_DAY
    if day == BEGUN.isoformat():
        minutes &= ~((1 << 480) - 1)  # it was set up at eight o'clock
    return ServiceDay(day, minutes, f"list {day}", int(day[-2:]) * 3_600, 6, int(day[-1] == "7"), 2)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> ReportSchool:
    school = ReportSchool(tmp_path_factory.mktemp("school"))
    records = [served(day) for day in DAYS if day not in OFF]
    school.write(counted(EVENTS), records, damaged=DAMAGED)
    return school


def within(first: str, last: str) -> list[Event]:
    return [one for one in EVENTS if first <= one.day <= last]


def naively_inside(
    first: str, last: str, *, by_day: bool, by_class: bool, part: str = ""
) -> Counter[Any]:
    """Count naively; below K devices a day of this part of the school there is no category."""
    found, devices = Counter[Any](), defaultdict[Any, set[int]](set)
    seen = [one for one in within(first, last) if one.category != SECRET]
    for one in seen:
        devices[_cell(one, part)].add(one.device)
    for one in seen:
        period = one.day if by_day else one.day[:7]
        where = (TIER_OF_GRADE[one.grade], one.grade, one.class_id if by_class else "")
        is_shown = not part or len(devices[_cell(one, part)]) >= K
        found[period, *where, one.category if is_shown else "", one.action] += one.n
    # Of a confidential category only what may leave the school.
    cells = Cells(first, last)
    for (day, tier, category, action), n in cells.days.items():
        if not tier:
            period = day if by_day else day[:7]
            found[period, "", "", "", category, action] += n
    return found


def _cell(event: Event, part: str) -> tuple[str, ...]:
    return event.day, getattr(event, part or "grade"), event.category, event.action


def as_counter(cells: Iterable[CountCell]) -> Counter[Any]:
    found = Counter[Any]()
    for cell in cells:
        key = cell.period, cell.tier, cell.grade, cell.class_id, cell.category, cell.action
        assert key not in found
        found[key] = cell.n
    return found


@pytest.mark.parametrize(
    ("role", "part"),
    [
        (Role.READER, "class_id"),
        (Role.TEACHER, "class_id"),
        (Role.PRINCIPAL, "grade"),
        (Role.ADMIN, ""),
    ],
)
@pytest.mark.parametrize("period", ["year", "2026-11", "2026-03-05..2026-05-02"])
def test_inside_every_figure_is_that_of_a_naive_count(
    year: ReportSchool, role: Role, part: str, period: str
) -> None:
    facts, by_class = year.report(period, role, audience="inside"), role is Role.ADMIN
    is_by_day = period != "year" and not (by_class and ".." in period)
    how: dict[str, Any] = {"by_day": is_by_day, "by_class": by_class}
    found, all_ = as_counter(facts.cells), naively_inside(facts.first, facts.last, **how)
    assert found == naively_inside(facts.first, facts.last, **how, part=part)
    assert (found != all_) is facts.left_out is bool(part)
    assert found.total() == all_.total()


def test_a_report_of_a_class_or_grade_has_no_other_and_nothing_confidential(
    year: ReportSchool,
) -> None:
    facts = year.report("2026-11", Role.ADMIN, audience="inside", **{"class": "6A"})
    found = naively_inside(facts.first, facts.last, by_day=True, by_class=True)
    assert as_counter(facts.cells) == {key: n for key, n in found.items() if key[3] == "6A"}
    assert facts.scope == "6A"
    facts = year.report("2026-11", Role.READER, audience="inside", grade="9")
    found = naively_inside(facts.first, facts.last, by_day=True, by_class=False, part="class_id")
    assert as_counter(facts.cells) == {key: n for key, n in found.items() if key[2] == "9"}


class Cells:
    """The published cells of days and months, naively, as if all were published at once."""

    def __init__(self, first: str, last: str) -> None:
        devices = defaultdict[Any, set[int]](set)
        for one in within(first, last):
            devices[_part(one)].add(one.device)
        self.days, self.grades = Counter[Any](), Counter[Any]()
        self.days_left_out = set[str]()
        for one in within(first, last):
            grade, *of = _part(one)[1:]
            if len(devices[_part(one)]) < K:
                self.days_left_out |= {one.day} if grade else set()
                continue
            self.days[one.day, TIER_OF_GRADE[grade] if grade else "", *of] += one.n
            if grade:
                self.grades[one.day[:7], grade, *of] += one.n


def _part(event: Event) -> tuple[str, ...]:
    grade = "" if event.category == SECRET else event.grade
    return event.day, grade, event.category, event.action


def is_whole(month: str, facts: ReportFacts) -> bool:
    first = date.fromisoformat(f"{month}-01")
    last = (first + timedelta(31)).replace(day=1) - timedelta(1)
    return facts.first <= first.isoformat() and last.isoformat() <= facts.last


def naively_outside(facts: ReportFacts) -> tuple[Counter[Any], bool]:
    found, cells = Counter[Any](), Cells(facts.first, facts.last)
    for (month, grade, *of), n in cells.grades.items():
        if is_whole(month, facts):
            found[month, TIER_OF_GRADE[grade], grade, "", *of] += n
    for (day, tier, *of), n in cells.days.items():
        whole = is_whole(day[:7], facts)
        if not (whole and tier):  # it is in the grades of its month
            found[day[:7] if whole else day, tier, "", "", *of] += n
    return found, bool(cells.days_left_out)


PERIODS = ["year", "month", "2026-11", "2026-03-05..2026-06-20", "2026-04-30..2026-05-31"]


@pytest.mark.parametrize("period", PERIODS)
def test_outside_are_only_cells_that_are_published(year: ReportSchool, period: str) -> None:
    facts = year.report(period)
    expected, left_out = naively_outside(facts)
    assert as_counter(facts.cells) == expected
    assert facts.left_out == left_out
    assert {cell.class_id for cell in facts.cells} <= {""}
    assert {cell.distinct for cell in facts.cells} <= {None}
    assert expected
    assert left_out


dates = st.integers(0, (TODAY - BEGUN).days - 1).map(lambda n: BEGUN + timedelta(n))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(dates, dates).map(sorted), min_size=2, max_size=4))
def test_reports_that_overlap_show_together_what_was_published_once(
    year: ReportSchool, periods: list[list[date]]
) -> None:
    """So what a reader learns of all of them is what ``test_suppression`` looks at."""
    shutil.rmtree(year.folder / "published", ignore_errors=True)
    whole, known = Cells(DAYS[0], DAYS[-1]), dict[Any, int]()
    for first, last in periods:
        facts = year.report(f"{first}..{last}")
        for key, n in as_counter(facts.cells).items():
            period, tier, grade, _, *of = key
            if grade:
                assert whole.grades[period, grade, *of] == n
            elif len(period) > len("2026-11"):
                assert whole.days[period, tier, *of] == n
            assert known.setdefault(key, n) == n


def test_counts_that_come_late_change_no_report_for_outside(tmp_path: Path) -> None:
    school = ReportSchool(tmp_path)
    school.write(counted(EVENTS), [])
    before = school.report("2026-11")
    late = [one._replace(n=one.n + 1) for one in within("2026-11-01", "2026-11-30")]
    school.write(replace(counted(late), number=2), [])
    assert school.report("2026-11").cells == before.cells
    overlapping = school.report("2026-11-20..2026-12-31")
    assert {cell for cell in overlapping.cells if cell.period.startswith("2026-11-")} == {
        CountCell(day, tier, "", "", category, action, n)
        for (day, tier, category, action), n in Cells("2026-11-20", "2026-11-30").days.items()
    }


def test_a_report_names_the_least_k_of_its_figures(tmp_path: Path) -> None:
    school = ReportSchool(tmp_path)
    school.write(counted(EVENTS), [])
    before = school.report("2026-11")
    raised = replace(school.policy, log=replace(school.policy.log, least_devices=9))
    school.site = SimpleNamespace(**vars(school.site) | {"policy": raised})
    after = school.report("2026-11")
    assert (after.cells, after.log.least_devices) == (before.cells, K)
    assert school.report("2026-12").log.least_devices == 9


def test_control_without_what_was_published_they_would(tmp_path: Path) -> None:
    school = ReportSchool(tmp_path)
    school.write(counted(EVENTS), [])
    before = school.report("2026-11")
    late = [one._replace(n=one.n + 1) for one in within("2026-11-01", "2026-11-30")]
    school.write(replace(counted(late), number=2), [])
    shutil.rmtree(school.folder / "published")
    assert school.report("2026-11").cells != before.cells


def test_service_of_the_year_has_its_gaps_and_begins_with_the_first_record(
    year: ReportSchool,
) -> None:
    found = year.report("year").service
    days = [day for day in DAYS if day < "2027"]
    off = [*OFF, DAMAGED]
    halves = [day for day in days if day.endswith("-15")]
    assert found.days == len(days)
    assert found.days_in_service == len(days) - len(off)
    assert found.minutes_expected == 1_440 * len(days) - 480
    assert found.minutes == found.minutes_expected - 1_440 * len(off) - 30 * len(halves)
    assert found.days_unreadable == tuple(sorted(off))
    assert found.gap_count == len(halves) + 2
    assert len(found.gaps) == found.gap_count
    lengths = [gap.ends - gap.begins for gap in found.gaps]
    assert sorted(lengths, reverse=True)[:2] == [7 * 86_400, 86_400]
    assert found.gaps == tuple(sorted(found.gaps, key=lambda gap: gap.begins))
    assert (found.lists_version, found.oldest_lists_s) == ("list 2026-12-31", 31 * 3_600)
    known = [day for day in days if day not in OFF]
    assert found.tests_passed == 6 * len(known)
    assert found.tests_failed == sum(day[-1] == "7" for day in known)
    assert year.report("year").log.lost == 2 * len(known)


def test_days_without_a_count_are_named_if_they_were_not_wholly_in_service(
    year: ReportSchool,
) -> None:
    facts = year.report("year", Role.READER, audience="inside")
    with_counts = {one.day for one in EVENTS}
    empty = [day for day in DAYS if day < "2027" and day not in with_counts]
    faulty = {*OFF, DAMAGED, *(day for day in empty if day.endswith("-15"))}
    assert facts.days_missing == tuple(sorted(faulty))
    assert facts.days_unused == len(empty) - len(faulty) > 30
    assert year.report("2026-01").days_missing == ()


def test_only_the_longest_gaps_are_reported_and_the_others_counted(tmp_path: Path) -> None:
    school = ReportSchool(tmp_path)
    every_other = sum(1 << (20 * n) for n in range(72)) * ((1 << 10) - 1)
    school.write(counted([]), [ServiceDay("2026-12-31", every_other), ServiceDay("2026-12-30", 1)])
    found = school.report("2026-12").service
    assert (found.gap_count, len(found.gaps)) == (73, 20)
    assert max(gap.ends - gap.begins for gap in found.gaps) == 1_439 * 60


def test_distinct_names_are_added_up_where_the_log_knew_them(tmp_path: Path) -> None:
    year = ReportSchool(tmp_path)
    year.write(counted([one for one in EVENTS if one.day.startswith("2026-11")]), [])
    one = next(one for one in EVENTS if one.day.startswith("2026-11") and one.category == "games")
    rows = [
        (one.day, "lower-secondary", one.grade, one.class_id, "games", 3),
        (one.day, "lower-secondary", one.grade, "6X", "games", 2),
        ("2026-11-29", "upper-secondary", "", "", "games", 7),
    ]
    with contextlib.closing(sqlite3.connect(year.path)) as connection:
        connection.execute("DELETE FROM distinct_names")
        connection.executemany("INSERT INTO distinct_names VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.commit()
    by_class = year.report("2026-11", Role.ADMIN, audience="inside").cells
    found = {(cell.grade, cell.class_id): cell for cell in by_class if cell.distinct}
    assert found[one.grade, one.class_id].distinct == 3
    assert (found[one.grade, "6X"].n, found["", ""].distinct, found["", ""].n) == (0, 7, 0)
    by_grade = year.report("2026-11", Role.READER, audience="inside").cells
    assert not any(cell.distinct for cell in by_grade if cell.grade), "it is of few devices"
    with contextlib.closing(sqlite3.connect(year.path)) as connection:
        connection.execute("UPDATE reach SET devices = ?", (K,))
        connection.commit()
    by_grade = year.report("2026-11", Role.READER, audience="inside").cells
    assert [cell.distinct for cell in by_grade if cell.grade and cell.distinct] == [3]
    of_class = year.report("2026-11", Role.ADMIN, audience="inside", **{"class": one.class_id})
    assert [cell.distinct for cell in of_class.cells if cell.distinct] == [3]


def test_what_was_handled_is_of_the_period(tmp_path: Path) -> None:
    school = ReportSchool(tmp_path)
    school.at(hour_of(date(2026, 10, 3), 9))
    school.make("report-mistake", name="early.example")
    school.at(hour_of(date(2026, 11, 3), 9))
    school.make("exception", **an_exception())
    school.make("exception", **an_exception(target="bad.example", allow=False))
    school.make("pause", audience="network", whom="lab", ends_at=school.clock.wall() + 300.0)
    school.make("report-mistake", name="uni.example")
    asked = PupilRequest(0, "a.example", "6A", "lower-secondary", "lesson", "")

    async def decide() -> None:
        for name in ("a.example", "b.example", "c.example"):
            await school.reviews.note(replace(asked, name=name))
        school.clock.advance(2 * 86_400)
        known = school.reviews.commands()
        await known["requests refuse"]({"id": 1, "reason": "không cần"}, ADMIN)
        await known["requests approve"]({"id": 2, "reason": "bài học", "for_s": 3600}, ADMIN)

    asyncio.run(decide())
    school.at(hour_of(TODAY, 3))
    found = school.report("2026-11").handling
    assert (found.mistakes_reported, found.mistakes_mended, found.mend_median_s) == (1, 0, None)
    assert (found.requests, found.requests_approved, found.requests_refused) == (3, 1, 1)
    assert found.request_median_s == 2 * 86_400
    assert (found.exceptions_allowed, found.exceptions_blocked) == (2, 1)
    assert (found.pauses, found.pause_minutes) == (1, 5)


def test_full_logging_that_has_ended_is_reported_with_the_levels_of_then(tmp_path: Path) -> None:
    school, begin = ReportSchool(tmp_path), float(hour_of(date(2026, 11, 3), 9))
    school.at(begin)
    school.make("log-level", level="full", tier="primary", ends_at=begin + 86_400)
    school.make("log-confirm", id=1, author="minh")
    school.at(hour_of(TODAY, 3))
    (span,) = school.report("2026-11").log.full
    assert (span.tier, span.begins, span.ends) == ("primary", begin, begin + 86_400)
    assert school.report("2026-12").log.full == ()
    assert school.report("2026-11-03..2026-11-03").log.levels["primary"] == "full"
    assert school.report("2026-11").log.levels["primary"] == "counts"


def test_parents_get_the_levels_of_now_as_the_sentences_have_them(tmp_path: Path) -> None:
    school, begin = ReportSchool(tmp_path), float(hour_of(TODAY, 3))
    school.at(begin)
    school.make("log-level", level="full", tier="primary", ends_at=begin + 86_400)
    school.make("log-confirm", id=1, author="minh")
    assert school.report("2026-11", audience="parents").log.levels["primary"] == "full"
    assert school.report("2026-11").log.levels["primary"] == "counts"


def test_the_school_has_the_grades_of_its_networks_classes_and_timetables(
    year: ReportSchool,
) -> None:
    school = year.report("month").school
    assert (school.tiers, school.grades) == (("lower-secondary", "staff"), ("6", "9", "staff"))
    assert (school.classes, school.class_count) == ((), 4)
    assert (school.networks, school.rooms) == (2, 1)
    assert school.contact == "Phòng tư vấn"


def test_only_a_report_with_figures_of_classes_names_them(year: ReportSchool) -> None:
    inside = {"audience": "inside"}
    assert year.report("month", Role.READER, **inside).school.classes == ()
    assert year.report("month", Role.READER, audience="parents").school.classes == ()
    assert year.report("month", Role.ADMIN, **inside).school.classes == ("6A", "6B", "9A", "9B")


def test_facts_for_parents_have_no_figure(year: ReportSchool) -> None:
    facts = year.report("year", Role.TEACHER, audience="parents")
    assert (facts.cells, facts.left_out, facts.days_missing, facts.days_unused) == ((), 0, (), 0)
    assert facts.log.lost == 0
    assert (facts.service, facts.handling) == (ServiceFacts(), HandlingFacts())
    assert facts.log.levels


def test_no_folder_of_the_gateway_is_in_the_facts(tmp_path: Path) -> None:
    settings = ReportSettings(
        "79000701",
        template="/etc/filterd/report.docx",
        schedules=(ReportSchedule(PeriodKind.DAY, ("json",), "/mnt/usb"),),
    )
    school = ReportSchool(tmp_path, replace(a_school(CLASSES), report=settings))
    school.write(counted([]), [])
    assert school.report("month").settings == ReportSettings("79000701")


def test_categories_are_closed_to_tiers_and_open_to_grades_of_them(year: ReportSchool) -> None:
    found = {category.id: category for category in year.report("month").categories}
    assert (found["porn"].is_locked, found["porn"].open_grades) == (True, ())
    social = found["social-media"]  # from 13 on: open to grade 9, which is 14
    assert (social.closed_tiers, social.open_grades) == (("lower-secondary",), ("9",))
    assert found["ads-trackers"].closed_tiers == ()


def test_a_gateway_without_any_record_reports_nothing(tmp_path: Path) -> None:
    facts = ReportSchool(tmp_path).report("year")
    assert (facts.cells, facts.days_missing, facts.service.days) == ((), (), 0)


def test_the_record_of_a_wrong_clock_is_not_the_first(tmp_path: Path) -> None:
    school = ReportSchool(tmp_path)
    records = [ServiceDay(day, ALL_DAY) for day in ("1970-01-01", "2026-12-30", "2099-01-01")]
    school.write(counted([]), records)
    found = school.report("2026-12").service
    assert (found.days, found.days_in_service, found.days_unreadable) == (2, 1, ("2026-12-31",))
