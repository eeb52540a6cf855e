# SPDX-License-Identifier: Apache-2.0
"""Windows open and close by the wall clock, and edges are exact."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filterd.policy.calendar import (
    ALWAYS,
    LOOK_AHEAD_DAYS,
    Bell,
    Calendar,
    Closures,
    Interval,
    Openings,
    Timetable,
    WallTime,
    bell,
    day_ends_at,
    shown_at,
)
from filterd.policy.model import DAY_S, Holiday, Lesson, Period, Schedule, Window
from filterd.policy.temporary_rules import Overrides
from tests.support.naive_week import NaiveWeek
from tests.support.policies import a_policy
from tests.support.week import MONDAY, SEVEN, a_school, timetabled

if TYPE_CHECKING:
    from collections.abc import Iterable

SAIGON, BERLIN = "Asia/Ho_Chi_Minh", "Europe/Berlin"
WEEKDAYS, ALL_DAYS = frozenset(range(5)), frozenset(range(7))
TET = Holiday("2026-02-14", "2026-02-22", "Tết Nguyên đán", "Lunar New Year")
HOUR_S = 3600


def unix(text: str, offset_h: int = 7) -> float:
    """Return the Unix time of a local time so many hours ahead of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() - offset_h * HOUR_S


def openings(*windows: Window, holidays: Iterable[Holiday] = ()) -> Openings:
    """Return a schedule of these windows."""
    return Openings(Schedule("a", windows), holidays)


def span(pattern: Openings | Timetable, at: float, zone: str = SAIGON) -> tuple[object, Interval]:
    """Return the state at a moment, and how long it goes on."""
    calendar = Calendar(zone)
    return pattern.state(calendar.reading(at)), calendar.span(pattern, at)


def test_a_window_is_open_from_its_first_second_to_just_before_its_last() -> None:
    lunch = openings(Window(WEEKDAYS, 11 * HOUR_S, 13 * HOUR_S))
    edges = Interval(unix("2026-03-02 11:00"), unix("2026-03-02 13:00"))
    assert span(lunch, edges.since) == (True, edges)
    assert span(lunch, edges.until - 0.000001) == (True, edges)
    assert span(lunch, edges.until) == (False, Interval(edges.until, unix("2026-03-03 11:00")))
    assert span(lunch, edges.since - 0.000001)[0] is False


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    friday_night = openings(Window(frozenset({4}), 22 * HOUR_S, 30 * HOUR_S))
    edges = Interval(unix("2026-03-06 22:00"), unix("2026-03-07 06:00"))
    assert span(friday_night, unix("2026-03-07 03:00")) == (True, edges)
    assert span(friday_night, unix("2026-03-06 03:00"))[0] is False


def test_windows_that_touch_are_one() -> None:
    whole = openings(Window(WEEKDAYS, 0, DAY_S))
    edges = Interval(unix("2026-03-02 00:00"), unix("2026-03-07 00:00"))
    assert span(whole, unix("2026-03-04 12:00")) == (True, edges)


@pytest.mark.parametrize(
    ("holidays", "is_open"), [(True, (True, False)), (False, (False, True)), (None, (True, True))]
)
def test_a_window_may_be_for_holidays_only_or_for_none(
    holidays: bool | None, is_open: tuple[bool, bool]
) -> None:
    window = Window(ALL_DAYS, 0, DAY_S, holidays=holidays)
    pattern = openings(window, holidays=[TET])
    shown = [span(pattern, unix(f"2026-02-{day} 12:00"))[0] for day in (22, 23)]
    assert tuple(shown) == is_open


def test_both_dates_of_a_range_are_within() -> None:
    summer = openings(Window(ALL_DAYS, 0, DAY_S, first="2026-06-01", last="2026-06-05"))
    edges = Interval(unix("2026-06-01 00:00"), unix("2026-06-06 00:00"))
    assert span(summer, unix("2026-06-03 00:00")) == (True, edges)
    assert span(summer, edges.until + DAY_S) == (False, Interval(edges.until, inf))


def test_what_is_over_for_long_never_changes() -> None:
    summer = openings(Window(ALL_DAYS, 0, DAY_S, last="2025-08-31"))
    assert span(summer, unix("2026-03-01 00:00")) == (False, ALWAYS)


@pytest.mark.parametrize("windows", [(), (Window(ALL_DAYS, 0, DAY_S),), (Window(ALL_DAYS, 9, 9),)])
def test_what_is_never_another_ends_somewhere(windows: tuple[Window, ...]) -> None:
    now = unix("2026-03-01 00:00")
    until = span(openings(*windows), now)[1].until
    assert until >= now + (LOOK_AHEAD_DAYS - 1) * DAY_S


def test_a_time_that_comes_twice_is_open_twice() -> None:
    window = openings(Window(ALL_DAYS, 2 * HOUR_S, 2 * HOUR_S + 1800))
    first = unix("2026-10-25 02:00", 2)
    edges = [first, first + 1800, first + 3600, first + 5400]
    states = [span(window, edge, BERLIN) for edge in edges]
    assert [state for state, _ in states] == [True, False, True, False]
    assert [spans.since for _, spans in states] == edges


def test_a_window_in_a_time_that_is_skipped_does_not_open() -> None:
    window = openings(Window(frozenset({6}), 2 * HOUR_S, 3 * HOUR_S))
    before = unix("2026-03-29 00:00", 1)
    state, edges = span(window, before, BERLIN)
    assert not state
    assert edges.until == unix("2026-04-05 02:00", 2)


def test_a_window_that_begins_in_a_time_that_is_skipped_opens_when_the_clock_jumps() -> None:
    window = openings(Window(frozenset({6}), 2 * HOUR_S + 1800, 5 * HOUR_S))
    jump = unix("2026-03-29 03:00", 2)
    edges = Interval(jump, unix("2026-03-29 05:00", 2))
    assert span(window, jump, BERLIN) == (True, edges)
    assert span(window, jump - 1, BERLIN)[1].until == jump


def test_today_may_begin_before_yesterday_has_ended() -> None:
    set_back = unix("2010-11-07 00:01", 0) + 9_000  # to 23:01 of the day before
    late, early = Window(ALL_DAYS, 82_890, 86_340), Window(ALL_DAYS, 0, 30)  # 23:01:30, 00:00
    edges = [set_back - 60, set_back - 30, set_back + 30]
    found = [span(openings(late, early), at, "America/St_Johns") for at in (edges[0] - 30, *edges)]
    assert [state for state, _ in found] == [False, True, False, True]
    assert [spans.until for _, spans in found[:3]] == edges
    assert [spans.since for _, spans in found[1:]] == edges


def test_around_a_day_that_is_skipped_every_edge_is_found() -> None:
    """Samoa had no 2011-12-30, a Friday: Thursday 24:00 was Saturday 00:00."""
    thursday, friday = frozenset({3}), frozenset({4})
    windows = (
        Window(thursday, 10 * HOUR_S, 14 * HOUR_S),
        Window(thursday, 15 * HOUR_S, 16 * HOUR_S),
        Window(friday, 13 * HOUR_S, 14 * HOUR_S),
        Window(friday, 22 * HOUR_S, 26 * HOUR_S),
    )
    jump = unix("2011-12-30 00:00", -10)
    edges = [jump - hours * HOUR_S for hours in (14, 10, 9, 8)] + [jump, jump + 2 * HOUR_S]
    for first, last in itertools.pairwise(edges):
        for at in (first, (first + last) / 2, last - 1):
            assert span(openings(*windows), at, "Pacific/Apia")[1] == Interval(first, last)
    after = span(openings(*windows[:3]), jump + HOUR_S, "Pacific/Apia")
    assert after[1].since == jump - 8 * HOUR_S


LESSONS = (Lesson("tiet-1", 7 * HOUR_S, 7 * HOUR_S + 2700), Lesson("tiet-2", 28_200, 30_900))


def test_a_timetable_gives_the_class_of_a_lesson_and_nothing_between_lessons() -> None:
    periods = [Period(0, "tiet-1", "6"), Period(0, "tiet-2", "9"), Period(1, "no-such", "1")]
    table = Timetable(periods, LESSONS)
    times = ("06:59:59", "07:00", "07:45", "07:50", "08:35")
    found = [span(table, unix(f"2026-03-02 {time}")) for time in times]
    assert [state for state, _ in found] == [None, "6", None, "9", None]
    assert found[2][1] == Interval(unix("2026-03-02 07:45"), unix("2026-03-02 07:50"))
    assert found[4][1].until == unix("2026-03-09 07:00")


def test_a_timetable_without_lessons_never_changes() -> None:
    assert span(Timetable([Period(0, "tiet-9", "6")], LESSONS), 0.0) == (None, ALWAYS)


def test_a_timetable_has_no_lessons_on_holidays() -> None:
    periods = [Period(day, "tiet-1", "6") for day in range(7)]
    table = Timetable(periods, LESSONS, [TET])
    first, last = (date.fromisoformat(one) for one in (TET.first, TET.last))
    days = [first - timedelta(days=1), first, last, last + timedelta(days=1)]
    noon = [table.state(WallTime(day, LESSONS[0].starts_s)) for day in days]
    assert noon == ["6", None, None, "6"]


# Moments about which clocks are set: back at 03:00, forwards at 02:00, both at
# midnight (Cairo, Havana), by half an hour (Lord Howe), and a day left out (Apia).
MOMENTS = {
    SAIGON: (unix("2026-02-14 00:00"), unix("2026-02-23 00:00")),
    BERLIN: (unix("2026-03-29 03:00", 2), unix("2026-10-25 03:00", 2)),
    "Africa/Cairo": (unix("2026-04-24 00:00", 2), unix("2026-10-29 23:00", 2)),
    "America/Havana": (unix("2026-03-08 00:00", -5), unix("2026-11-01 00:00", -5)),
    "Australia/Lord_Howe": (unix("2026-04-05 02:00", 11), unix("2026-10-04 02:00", 10)),
    # back at a minute past midnight: yesterday comes again after today has begun
    "America/St_Johns": (unix("2010-11-07 00:01", 0) + 9_000,),
    "Pacific/Apia": (unix("2011-12-30 00:00", -10),),
}
seconds_of_day = st.one_of(st.integers(0, 11).map(lambda n: n * 900), st.integers(0, DAY_S - 1))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Draw a window, often about midnight, on some days, perhaps about a holiday."""
    starts_s = draw(seconds_of_day | st.integers(22 * HOUR_S, DAY_S - 1))
    ends_s = starts_s + draw(st.integers(1, 4 * HOUR_S) | st.integers(1, DAY_S))
    days = draw(st.just(ALL_DAYS) | st.frozensets(st.integers(0, 6), min_size=1))
    dates = st.sampled_from((None, None, None, "2026-02-14", "2026-03-29", "2026-10-25"))
    holidays = draw(st.sampled_from((None, None, True, False)))
    return Window(days, starts_s, ends_s, draw(dates), draw(dates), holidays)


@settings(max_examples=120, deadline=None)
@given(st.data(), st.lists(windows(), min_size=1, max_size=3), st.sampled_from(sorted(MOMENTS)))
def test_a_span_equals_its_seconds_one_by_one(
    data: st.DataObject, drawn: list[Window], zone: str
) -> None:
    about = data.draw(st.sampled_from(MOMENTS[zone]))
    now = about + data.draw(st.integers(-2 * HOUR_S, 2 * HOUR_S) | st.integers(-DAY_S, DAY_S))
    naive = NaiveWeek(replace(a_policy(), time_zone=zone, holidays=(TET,)), Overrides())
    state, edges = span(Openings(Schedule("a", tuple(drawn)), [TET]), now, zone)
    assert edges.since <= now < edges.until
    first, last = int(max(edges.since, now - HOUR_S)), int(min(edges.until, now + HOUR_S))
    rare = range(int(max(edges.since, now - 40 * DAY_S)), int(min(edges.until, now + 10**7)), 4999)
    for second in (*range(first, last, 7), *rare, last - 1):
        assert naive.is_open(tuple(drawn), second) is state
    if edges.until < now + (LOOK_AHEAD_DAYS - 2) * DAY_S:
        assert naive.is_open(tuple(drawn), int(edges.until)) is not state
        assert naive.is_open(tuple(drawn), int(edges.until) - 1) is state
    if edges.since > now - (LOOK_AHEAD_DAYS - 2) * DAY_S:
        assert naive.is_open(tuple(drawn), int(edges.since) - 1) is not state


@example(0.0)
@given(st.floats(-1e9, 4e9))
def test_a_reading_is_that_of_the_whole_second(at: float) -> None:
    calendar = Calendar(SAIGON)
    assert calendar.reading(at) == calendar.reading(at // 1)


FIRST_ENDS, SECOND, SECOND_ENDS = SEVEN + 2700, SEVEN + 3000, SEVEN + 5700
DAY = 86_400.0


@pytest.mark.parametrize(
    ("now", "room", "expected"),
    [
        (SEVEN - 1, "", Bell(None, SEVEN, "tiet-1")),
        (SEVEN, "", Bell("tiet-1", FIRST_ENDS, None)),
        (FIRST_ENDS - 0.5, "lab", Bell("tiet-1", FIRST_ENDS, None)),
        (FIRST_ENDS, "lab", Bell(None, SECOND, "tiet-2")),
        (SECOND_ENDS - 1, "office", Bell("tiet-2", SECOND_ENDS, None)),
        (SECOND_ENDS, "", Bell(None, SEVEN + DAY, "tiet-1")),
        (SECOND_ENDS, "office", Bell(None, SEVEN + DAY, "tiet-1")),
        (SECOND_ENDS, "lab", Bell(None, SEVEN + 7 * DAY, "tiet-1")),  # it has lessons on Mondays
        (SEVEN + DAY, "lab", Bell("tiet-1", FIRST_ENDS + DAY, None)),  # the school has one
        (SEVEN + DAY, "no such room", Bell("tiet-1", FIRST_ENDS + DAY, None)),
    ],
)
def test_the_lesson_of_a_moment(now: float, room: str, expected: Bell) -> None:
    assert bell(timetabled(), now, room) == expected


def test_no_lesson_runs_on_a_holiday() -> None:
    tuesday = Holiday("2026-03-03", "2026-03-03", "", "")
    school = timetabled(holidays=(tuesday,))
    for room in ("", "lab", "office"):
        assert bell(school, SEVEN + DAY, room).lesson is None
        assert bell(school, SEVEN, room).lesson == "tiet-1"
    assert bell(school, SEVEN + DAY) == Bell(None, SEVEN + 2 * DAY, "tiet-1")
    assert bell(timetabled(holidays=()), SEVEN + DAY).lesson == "tiet-1"


def test_a_room_may_have_lessons_of_its_own_on_a_holiday() -> None:
    school = timetabled(holidays=(Holiday("2026-03-01", "2026-08-31", "", "Summer"),))
    assert bell(school, SEVEN, "lab").lesson is None
    lab, office = school.networks
    school = replace(school, networks=(replace(lab, on_holidays=True), office))
    assert bell(school, SEVEN, "lab") == Bell("tiet-1", FIRST_ENDS, None)
    assert bell(school, FIRST_ENDS, "lab") == Bell(None, SECOND, "tiet-2")
    assert bell(school, SEVEN, "office").lesson is bell(school, SEVEN).lesson is None


def test_a_school_without_lessons_has_no_bell() -> None:
    assert bell(a_school(), SEVEN) == Bell(None, inf, None)


def test_the_day_ends_at_the_schools_midnight() -> None:
    school = a_school()
    assert day_ends_at(school, MONDAY) == MONDAY + DAY
    assert day_ends_at(school, MONDAY + DAY - 1) == MONDAY + DAY


def test_a_time_of_another_day_is_shown_with_its_date() -> None:
    school = a_school()
    assert shown_at(school, SEVEN, MONDAY) == "07:00"
    assert shown_at(school, SEVEN + DAY, MONDAY) == "07:00 03/03/2026"


@pytest.mark.parametrize(
    ("second", "is_open"), [(0, True), (59, True), (60, False), (DAY_S - 1, False)]
)
def test_a_window_that_begins_at_midnight_of_the_next_day_is_open_then(
    second: int, is_open: bool
) -> None:
    late = openings(Window(frozenset({0}), DAY_S, DAY_S + 60))
    monday, tuesday = date(2026, 3, 2), date(2026, 3, 3)
    assert late.state(WallTime(tuesday, second)) is is_open
    assert not late.state(WallTime(monday, second))


@pytest.mark.parametrize(
    ("last", "has_ended"),
    [("2026-03-01", False), ("2026-02-28", True), ("2026-03-02", False), (None, False)],
)
def test_a_schedule_has_ended_a_day_after_its_last_for_its_night_may_go_on(
    last: str | None, has_ended: bool
) -> None:
    of_today = Window(ALL_DAYS, 0, 60, last="2026-03-02")
    window = Window(ALL_DAYS, 0, 60, last=last)
    assert openings(window).has_ended(date(2026, 3, 2)) is has_ended
    assert not openings(window, of_today).has_ended(date(2026, 3, 2))
    assert openings().has_ended(date(2026, 3, 2))


@pytest.mark.parametrize(
    ("interval", "other", "both"),
    [
        (Interval(1.0, 5.0), Interval(2.0, 9.0), Interval(2.0, 5.0)),
        (Interval(2.0, 9.0), Interval(1.0, 5.0), Interval(2.0, 5.0)),
        (ALWAYS, Interval(1.0, 5.0), Interval(1.0, 5.0)),
    ],
)
def test_what_lasts_with_another_lasts_while_both_do(
    interval: Interval, other: Interval, both: Interval
) -> None:
    assert interval.joined(other) == both


@pytest.mark.parametrize(
    ("day", "on"),
    [("2026-02-13", False), ("2026-02-14", True), ("2026-02-22", True), ("2026-02-23", False)],
)
def test_a_holiday_has_both_its_days(day: str, on: bool) -> None:
    other = Holiday("2026-09-02", "2026-09-02", "x", "x")
    assert (date.fromisoformat(day) in Closures([other, TET])) is on
