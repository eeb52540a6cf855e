# SPDX-License-Identifier: Apache-2.0
"""The present lesson and its end, and the next one."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from filterd.policy.lesson_times import Bell, bell, day_ends_at, shown_at
from filterd.policy.timetable import Holiday
from tests.support.week import MONDAY, SEVEN, a_school, timetabled

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
    assert shown_at(school, SEVEN + DAY, MONDAY) == "2026-03-03T07:00"
