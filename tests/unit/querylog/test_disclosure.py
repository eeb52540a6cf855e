# SPDX-License-Identifier: Apache-2.0
"""What anybody may read of totals is one definition."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.policy.model import Lesson
from filterd.querylog.day_reach import MANY_DEVICES, ReachRow
from filterd.querylog.disclosure import (
    ended_hours,
    for_teachers,
    lesson_begin,
    month_answers,
)
from filterd.querylog.totals_request import Total

DAY, K = "2026-11-28", 5


@given(st.floats(0, 1e10), st.floats(0, 1e10) | st.just(math.inf))
def test_no_hour_is_shown_that_is_not_over(now: float, before: float) -> None:
    ends = ended_hours(now, before)
    assert ends % 3_600 == 0
    assert ends <= min(now, before) < ends + 3_600


LESSONS = Lesson("1", 7 * 3_600, 7 * 3_600 + 2_700), Lesson("2", 8 * 3_600, 8 * 3_600 + 2_700)


@pytest.mark.parametrize(
    ("second", "begin"),
    [(7 * 3_600, 1_000.0), (7 * 3_600 + 60, 940.0), (7 * 3_600 + 2_700, math.inf)],
)
def test_a_lesson_begins_so_many_seconds_ago(second: int, begin: float) -> None:
    assert lesson_begin(LESSONS, second, 1_000.0) == begin


def row(n: int, category: str, class_id: str = "6A", action: str = "blocked") -> dict[str, Any]:
    return {"date": DAY, "class": class_id, "category": category, "action": action, "n": n}


def of_class(category: str, devices: int, class_id: str = "6A") -> ReachRow:
    return ReachRow(DAY, "class", class_id, category, "blocked", devices)


def test_a_teacher_sees_a_category_of_k_devices_and_the_number_of_all_blocks() -> None:
    rows = [row(9, "games"), row(1, "dating"), row(2, ""), row(4, "games", "6B")]
    reach = [of_class("games", 5), of_class("dating", 4), of_class("games", 4, "6B")]
    assert for_teachers(rows, reach, K) == [row(9, "games"), row(3, ""), row(4, "", "6B")]


@given(st.dictionaries(st.sampled_from(("games", "dating", "drugs")), st.integers(0, 9)))
def test_a_teacher_never_sees_a_category_of_fewer_than_k_devices(devices: dict[str, int]) -> None:
    rows = [row(n + 1, category) for n, category in enumerate(devices)]
    shown = for_teachers(rows, [of_class(*one) for one in devices.items()], K)
    assert {one["category"] for one in shown if one["category"]} == {
        category for category, n in devices.items() if n >= K
    }
    assert sum(one["n"] for one in shown) == sum(one["n"] for one in rows)


def test_control_without_a_threshold_each_category_is_seen() -> None:
    assert for_teachers([row(1, "dating")], [of_class("dating", 1)], 1) == [row(1, "dating")]


TOTALS = [Total(DAY, "", "self-harm", "blocked", 1), Total(DAY, "6", "games", "blocked", 7)]
HIDDEN = {"self-harm", "child-abuse"}


def school_of(devices: int) -> list[ReachRow]:
    return [ReachRow(DAY, "school", "", "", "", devices), of_class("games", 500)]


def test_a_large_school_is_told_yes_or_no_and_nothing_else() -> None:
    assert month_answers(TOTALS, school_of(MANY_DEVICES), HIDDEN) == [
        ("child-abuse", False),
        ("self-harm", True),
    ]
    more = [Total(DAY, "", "self-harm", "blocked", 900)]
    assert month_answers(more, school_of(MANY_DEVICES), {"self-harm"}) == [("self-harm", True)]


@pytest.mark.parametrize("devices", [0, 1, MANY_DEVICES - 1])
def test_a_small_school_is_told_nothing(devices: int) -> None:
    assert month_answers(TOTALS, school_of(devices), HIDDEN) is None
