# SPDX-License-Identifier: Apache-2.0
"""A week has spans of schedules, exams, rooms and exceptions, each cut at its edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from filterd.policy.model import (
    DAY_S,
    Holiday,
    Lesson,
    Network,
    Period,
    Schedule,
    Scheduled,
    Window,
)
from filterd.policy.school_week import LESSON_HEADING, MOST_ROWS, WEEKDAYS, lesson_rows, school_week
from filterd.policy.temporary_rules import Overrides, RoomSetting
from tests.support.policies import a_policy
from tests.support.week import MONDAY, SEVEN, a_school, an_exam, an_exception, scheduled

WEEK = date(2026, 3, 4)
"""The Wednesday of the week of ``MONDAY``."""


def _week(**overrides: Any) -> dict[str, Any]:
    return school_week(a_school(), Overrides(**overrides), WEEK)


def test_a_week_begins_on_monday() -> None:
    days = _week()["days"]
    assert (days[0]["date"], days[6]["date"]) == ("2026-03-02", "2026-03-08")
    assert (days[0]["starts_at"], days[6]["ends_at"]) == (MONDAY, MONDAY + 7 * DAY_S)


def test_a_schedule_has_its_windows_and_what_it_closes() -> None:
    policy = scheduled(Scheduled("a", False, "category", "games"))
    (row,) = school_week(policy, Overrides(), WEEK)["rows"]
    assert row["spans"][0] == (SEVEN, SEVEN + 3600)
    assert len(row["spans"]) == 7
    assert row["closes"][0]["target"] == "games"


def test_a_schedule_that_nothing_uses_is_left_out() -> None:
    assert school_week(scheduled(), Overrides(), WEEK)["rows"] == []


def test_things_are_cut_at_the_edges_of_the_week() -> None:
    found = _week(
        exceptions=(
            an_exception("a.example", starts_at=MONDAY - 5, ends_at=MONDAY + 5),
            an_exception("b.example", starts_at=MONDAY + 9, ends_at=None),
        )
    )
    assert [one["spans"] for one in found["rows"]] == [
        [(MONDAY, MONDAY + 5)],
        [(MONDAY + 9, MONDAY + 7 * DAY_S)],
    ]


def test_what_is_of_another_week_is_not_there() -> None:
    gone = an_exception("a.example", starts_at=MONDAY - 9, ends_at=MONDAY)
    coming = an_exception("a.example", starts_at=MONDAY + 7 * DAY_S, ends_at=None)
    assert _week(exceptions=(gone, coming))["rows"] == []


def test_what_holds_all_week_comes_last_and_the_rows_are_bounded() -> None:
    always = an_exception("a.example", starts_at=0.0, ends_at=None)
    found = _week(exceptions=(always,) * MOST_ROWS, exams=(an_exam(),))
    assert found["rows"][0]["of"] == "exams"
    assert (len(found["rows"]), found["left_out"]) == (MOST_ROWS, 1)
    assert [one["of"] for one in _week(exceptions=(always,), exams=(an_exam(),))["rows"]] == [
        "exams",
        "exceptions",
    ]


def test_a_holiday_is_named() -> None:
    holiday = Holiday("2026-03-03", "2026-03-03", "Lễ", "Day")
    days = school_week(replace(a_school(), holidays=(holiday,)), Overrides(), WEEK)["days"]
    assert [day["holiday"] for day in days[:2]] == [None, {"vi": "Lễ", "en": "Day"}]


def test_rows_come_in_the_order_of_days_lessons_and_rooms() -> None:
    lessons = (Lesson("tiet-1", 0, 1), Lesson("tiet-2", 1, 2))
    late, early = Period(1, "tiet-1", "6", "lan"), Period(0, "tiet-2", "9B")
    lab = Network("lab", "6", room=True, timetable=(late, early))
    found = lesson_rows([lab], replace(a_policy(), lessons=lessons))
    assert found == [["t2", "tiet-2", "lab", "9B", ""], ["t3", "tiet-1", "lab", "6", "lan"]]
    assert len(LESSON_HEADING) == len(found[0])


def test_days_have_the_same_numbers_in_both_languages() -> None:
    monday, sunday = date(2026, 9, 7), date(2026, 9, 13)
    assert WEEKDAYS["t2"] == WEEKDAYS["mon"] == monday.weekday()
    assert WEEKDAYS["cn"] == WEEKDAYS["sun"] == sunday.weekday()
    assert sorted(WEEKDAYS.values()) == sorted([*range(7), *range(7)])


def test_two_schedules_have_a_row_each_with_what_they_close_and_when_they_are_open() -> None:
    windows = (Window(frozenset({0, 1}), 25_200, 28_800), Window(frozenset({1}), 28_800, 30_000))
    policy = a_school(
        schedules=(Schedule("a", windows), Schedule("b", windows[:1]), Schedule("c", windows)),
        scheduled=(
            Scheduled("a", False, "category", "games"),
            Scheduled("b", True, "category", "social-media"),
            Scheduled("b", False, "service", "chat"),
        ),
    )
    rows = school_week(policy, Overrides(), WEEK)["rows"]
    assert [(row["of"], row["schedule"]) for row in rows] == [
        ("schedules", "a"),
        ("schedules", "b"),
    ]
    assert [[what["target"] for what in row["closes"]] for row in rows] == [
        ["games"],
        ["social-media", "chat"],
    ]
    tuesday = SEVEN + DAY_S
    assert rows[0]["spans"] == [(SEVEN, SEVEN + 3600), (tuesday, tuesday + 4800)]
    assert rows[1]["spans"] == [(SEVEN, SEVEN + 3600), (tuesday, tuesday + 3600)]


def test_a_window_over_the_edge_of_the_week_is_cut_and_one_that_ends_there_is_not_in_the_next() -> (
    None
):
    night = Window(frozenset({6}), 22 * 3600, 30 * 3600)
    policy = a_school(
        schedules=(Schedule("a", (night,)),), scheduled=(Scheduled("a", False, "tier", "primary"),)
    )
    (row,) = school_week(policy, Overrides(), WEEK)["rows"]
    ends = MONDAY + 7 * DAY_S
    assert row["spans"] == [(MONDAY, MONDAY + 6 * 3600), (ends - 2 * 3600, ends)]


def test_what_never_holds_has_no_row() -> None:
    never = an_exception("a.example", starts_at=MONDAY + 9, ends_at=MONDAY + 9)
    back = an_exception("b.example", starts_at=MONDAY + 9, ends_at=MONDAY + 5)
    assert _week(exceptions=(never, back))["rows"] == []


def test_what_a_week_has_is_in_order_and_what_holds_all_week_is_last() -> None:
    always = an_exception("always.example", starts_at=0.0, ends_at=None)
    some = an_exception("some.example")
    room = RoomSetting(1, "lab", "9", "", "lan", SEVEN, SEVEN + 60)
    rows = _week(exceptions=(always, some), rooms=(room,), exams=(an_exam(),))["rows"]
    assert [row["of"] for row in rows] == ["exams", "rooms", "exceptions", "exceptions"]
    assert [row["target"] for row in rows[2:]] == ["some.example", "always.example"]


def test_as_many_rows_as_the_bound_leave_none_out() -> None:
    some = an_exception("a.example")
    assert _week(exceptions=(some,) * MOST_ROWS)["left_out"] == 0
    assert _week(exceptions=(some,) * (MOST_ROWS + 3))["left_out"] == 3


def test_every_day_has_its_number_and_its_edges() -> None:
    days = _week()["days"]
    assert [one["weekday"] for one in days] == [*range(7)]
    assert [one["starts_at"] for one in days] == [MONDAY + n * DAY_S for n in range(7)]
    assert [one["ends_at"] for one in days] == [MONDAY + n * DAY_S for n in range(1, 8)]
    for day in (date(2026, 3, 2), date(2026, 3, 8)):
        assert school_week(a_school(), Overrides(), day)["days"] == days


def test_lessons_that_the_school_does_not_know_and_rooms_are_in_order_too() -> None:
    lessons = (Lesson("tiet-2", 1, 2), Lesson("tiet-1", 0, 1))  # the order of the school
    periods = (Period(0, "tiet-1", "6"), Period(0, "tiet-2", "7"), Period(0, "tiet-9", "8"))
    rooms = [Network(one, "6", room=True, timetable=periods) for one in ("lab-b", "lab-a")]
    found = lesson_rows(rooms, replace(a_policy(), lessons=lessons))
    assert [(row[1], row[2]) for row in found] == [
        ("tiet-2", "lab-a"),
        ("tiet-9", "lab-a"),
        ("tiet-2", "lab-b"),
        ("tiet-9", "lab-b"),
        ("tiet-1", "lab-a"),
        ("tiet-1", "lab-b"),
    ]
