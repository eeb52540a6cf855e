# SPDX-License-Identifier: Apache-2.0
"""The week has a line for each thing and a cell for each day, drawn and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.policy.model import DAY_S, Scheduled
from filterd.web.pages.week_page import PAGE
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import HOSTILE, NOW, school_answers
from tests.support.week import MONDAY, SEVEN, an_exam, an_exception, scheduled

if TYPE_CHECKING:
    from filterd.policy.model import Policy


def _shown(policy: Policy | None = None, day: str = "", **overrides: Any) -> str:
    answers = school_answers(policy, **overrides)
    return rendered(PAGE, a_visitor(answers, now=NOW), **({"day": day} if day else {}))


def test_a_schedule_is_drawn_on_each_day() -> None:
    shown = _shown(scheduled(Scheduled("a", False, "category", "games")))
    assert shown.count('<rect x="28.0" y="1" width="4.0" height="10"/>') == 7
    assert shown.count("07:00-08:00") == 7
    assert "close category:games to everybody" in shown


def test_a_whole_day_and_one_until_midnight_are_told() -> None:
    thing = an_exception("a.example", starts_at=SEVEN, ends_at=MONDAY + 2 * DAY_S)
    shown = _shown(exceptions=(thing,))
    assert "07:00-24:00" in shown
    assert "all day" in shown


def test_today_is_marked_and_other_weeks_are_linked() -> None:
    shown = _shown(exams=(an_exam(),))
    assert shown.count('aria-current="date"') == 1
    assert 'href="/week?day=2026-02-23"' in shown
    assert 'href="/week?day=2026-03-09"' in shown


def test_an_empty_week_says_so() -> None:
    assert "Nothing is scheduled or set in this week." in _shown(day="2026-05-05")


def test_reasons_are_escaped_and_there_is_no_inline_style() -> None:
    shown = _shown(exceptions=(an_exception("a.example", reason=HOSTILE),))
    assert HOSTILE not in shown
    assert "style=" not in shown
