# SPDX-License-Identifier: Apache-2.0
"""A week has spans of schedules, exams, rooms and exceptions, each cut at its edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from filterd.policy.model import DAY_S, Holiday, Lesson, Network, Period, Scheduled
from filterd.policy.school_week import LESSON_HEADING, MOST_ROWS, WEEKDAYS, lesson_rows, school_week
from filterd.policy.temporary_rules import Overrides
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
    assert [one["holiday"] for one in days[:2]] == [None, {"vi": "Lễ", "en": "Day"}]


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
