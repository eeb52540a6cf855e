# SPDX-License-Identifier: Apache-2.0
"""A week has spans of schedules, exams, rooms and exceptions, each cut at its edges."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from filterd.policy.model import DAY_S, Holiday, Scheduled
from filterd.policy.school_week import MOST_ROWS, school_week
from filterd.policy.temporary_rules import Overrides
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
