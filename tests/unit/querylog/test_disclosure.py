# SPDX-License-Identifier: Apache-2.0
"""What anybody may read of totals is one definition."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.policy.model import Lesson
from filterd.querylog.day_reach import GRADE, MANY_DEVICES, ReachRow
from filterd.querylog.disclosure import (
    SHOWS_ALL,
    Threshold,
    ended_hours,
    lesson_begin,
    month_answers,
)
from filterd.querylog.totals_request import Total

if TYPE_CHECKING:
    from filterd.querylog.totals_request import Counted

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


def row(n: int, category: str, class_id: str = "6A", grade: str = "6") -> Counted:
    return 0, grade, category, "blocked", "", class_id, n


def of_class(category: str, devices: int, class_id: str = "6A") -> ReachRow:
    return ReachRow(DAY, "class", class_id, category, "blocked", devices)


def of_grade(category: str, devices: int, grade: str = "6") -> ReachRow:
    return ReachRow(DAY, "grade", grade, category, "blocked", devices)


ROWS = [row(9, "games"), row(1, "dating"), row(2, ""), row(4, "games", "6B"), row(3, "games", "")]
REACH = [of_class("games", 5), of_class("dating", 4), of_class("games", 4, "6B")]


def test_a_class_shows_a_category_of_k_devices_and_the_number_of_all_blocks() -> None:
    shown = [*Threshold(K).applied(ROWS, [*REACH, of_grade("games", 4)])]
    assert [(one[2], one[6]) for one in shown] == [
        ("games", 9),
        ("", 1),
        ("", 2),
        ("", 4),
        ("", 3),
    ]


def test_without_a_class_the_devices_of_the_grade_count() -> None:
    (shown,) = Threshold(K).applied(ROWS[-1:], [of_grade("games", K)])
    assert shown == ROWS[-1]


def test_to_who_sees_no_classes_the_devices_of_the_grade_count() -> None:
    reach = [*REACH, of_grade("games", K), of_grade("dating", K - 1)]
    shown = [*Threshold(K, GRADE).applied(ROWS, reach)]
    assert [one[2] for one in shown] == ["games", "", "", "games", "games"]


def test_control_without_a_threshold_each_category_is_seen() -> None:
    assert [*SHOWS_ALL.applied(ROWS, [])] == ROWS


PARTS = st.tuples(st.sampled_from(("games", "dating")), st.sampled_from(("6A", "6B", "6C")))


@given(st.dictionaries(PARTS, st.integers(0, 9)))
def test_no_difference_of_a_grade_and_its_classes_is_of_few_devices(
    devices: dict[tuple[str, str], int],
) -> None:
    rows = [row(n + 1, *part) for n, part in enumerate(devices)]
    reach = [of_class(category, n, class_id) for (category, class_id), n in devices.items()]
    shown = [*Threshold(K).applied(rows, reach)]
    assert sum(one[6] for one in shown) == sum(one[6] for one in rows)
    for category in ("games", "dating"):
        grade = sum(one[6] for one in shown if one[2] == category)
        classes = [(one[6], devices[category, one[5]]) for one in rows if one[2] == category]
        assert grade == sum(n for n, of in classes if of >= K)


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
