# SPDX-License-Identifier: Apache-2.0
"""The school's moment is summed up: blocks by class, what holds, rooms, exams."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.daemon.school_day import school_day
from filterd.policy.temporary_rules import Overrides, TargetKind
from filterd.resolve.site import Site
from tests.support.policies import an_index
from tests.support.week import SEVEN, a_school, an_exam, an_exception, with_classes

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3600.0
BLOCKED = {"action": "blocked", "category": "games", "grade": "6"}
TOTALS = [
    {**BLOCKED, "class": "6A", "n": 3},
    {**BLOCKED, "class": "", "n": 2},
    {**BLOCKED, "class": "6B", "n": 4, "category": ""},
    {**BLOCKED, "class": "6A", "n": 5},
    {**BLOCKED, "action": "pass", "class": "6A", "n": 100},
    {**BLOCKED, "action": "pass", "grade": "7", "class": "", "n": 7},
]


def test_a_schools_moment_is_summed_up(tmp_path: Path) -> None:
    later = an_exam(id=10, starts_at=SEVEN + 5 * HOUR, ends_at=SEVEN + 6 * HOUR)
    overrides = Overrides(
        exceptions=(
            an_exception("a.example", id=1),
            an_exception("", id=2, kind=TargetKind.PAUSE),
            an_exception("coming.example", id=3, starts_at=SEVEN + HOUR, ends_at=SEVEN + 2 * HOUR),
            an_exception("past.example", id=4, starts_at=SEVEN - HOUR, ends_at=SEVEN - 1),
        ),
        exams=(replace(later, id=8, starts_at=SEVEN - HOUR, ends_at=SEVEN), later),
    )
    policy = with_classes(a_school())
    site = Site.of(policy, an_index(tmp_path, {}), (), overrides=overrides, now=SEVEN)
    day = school_day(site, SEVEN, TOTALS)
    assert list(day["blocked_today"].items()) == [("6A", 8), ("6B", 4), ("6", 2)]
    assert list(day["blocked_categories"].items()) == [("games", 10), ("", 4)]
    assert [one["target"] for one in day["exceptions"]] == ["a.example"]
    assert [one["id"] for one in day["exams"]] == [10]
    assert [(one["room"], one["grade"]) for one in day["rooms"]] == [("lab", "6")]
    assert day["loans"] == []


def test_classes_that_a_caller_may_not_read_are_counted_in_their_grade(tmp_path: Path) -> None:
    site = Site.of(with_classes(a_school()), an_index(tmp_path, {}), (), now=SEVEN)
    shown = {
        classes: school_day(site, SEVEN, TOTALS, set(classes))["blocked_today"]
        for classes in (("6A",), ())
    }
    assert shown == {("6A",): {"6A": 8, "6": 6}, (): {"6": 14}}
