# SPDX-License-Identifier: Apache-2.0
"""Timetables as rows, in the order of days and lessons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from filterd.policy.lesson_rows import HEADING, WEEKDAYS, rows
from filterd.policy.model import Lesson, Network, Period
from tests.support.policies import a_policy


def test_rows_come_in_the_order_of_days_lessons_and_rooms() -> None:
    lessons = (Lesson("tiet-1", 0, 1), Lesson("tiet-2", 1, 2))
    late, early = Period(1, "tiet-1", "6", "lan"), Period(0, "tiet-2", "9B")
    lab = Network("lab", "6", room=True, timetable=(late, early))
    found = rows([lab], replace(a_policy(), lessons=lessons))
    assert found == [["t2", "tiet-2", "lab", "9B", ""], ["t3", "tiet-1", "lab", "6", "lan"]]
    assert len(HEADING) == len(found[0])


def test_days_have_the_same_numbers_in_both_languages() -> None:
    monday, sunday = date(2026, 9, 7), date(2026, 9, 13)
    assert WEEKDAYS["t2"] == WEEKDAYS["mon"] == monday.weekday()
    assert WEEKDAYS["cn"] == WEEKDAYS["sun"] == sunday.weekday()
    assert sorted(WEEKDAYS.values()) == sorted([*range(7), *range(7)])
