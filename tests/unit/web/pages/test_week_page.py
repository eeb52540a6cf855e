# SPDX-License-Identifier: Apache-2.0
"""The pages of the week and of a teacher's own lesson."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.overrides.rights.roles import Role
from filterd.policy.model import DAY_S, Audience, Scheduled
from filterd.policy.temporary_rules import TargetKind
from filterd.web.pages.week_page import LESSON_PAGE, WEEK_PAGE
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import HOSTILE, NOW, school_answers
from tests.support.week import MONDAY, SEVEN, an_exam, an_exception, scheduled

if TYPE_CHECKING:
    from filterd.policy.model import Policy


def _shown(policy: Policy | None = None, day: str = "", **overrides: Any) -> str:
    answers = school_answers(policy, **overrides)
    return rendered(WEEK_PAGE, a_visitor(answers, now=NOW), **({"day": day} if day else {}))


def test_a_schedule_is_drawn_on_each_day() -> None:
    shown = _shown(scheduled(Scheduled("a", False, "category", "games")))
    assert shown.count('<rect x="28.0" y="1" width="4.0" height="10"/>') == 7
    assert shown.count("07:00-08:00") == 7
    assert "close category:games to everybody" in shown


def test_a_whole_day_and_one_until_midnight_are_reported() -> None:
    thing = an_exception("a.example", starts_at=SEVEN, ends_at=MONDAY + 2 * DAY_S)
    shown = _shown(exceptions=(thing,))
    assert "07:00-24:00" in shown
    assert "all day" in shown


def test_today_is_marked_and_other_weeks_are_linked() -> None:
    shown = _shown(exams=(an_exam(),))
    assert shown.count('aria-current="date"') == 1
    assert 'href="/week?day=2026-02-23"' in shown
    assert 'href="/week?day=2026-03-09"' in shown


def test_an_empty_week_has_a_line_for_it() -> None:
    assert "Nothing is scheduled or set in this week." in _shown(day="2026-05-05")


def test_reasons_are_escaped_and_there_is_no_inline_style() -> None:
    shown = _shown(exceptions=(an_exception("a.example", reason=HOSTILE),))
    assert HOSTILE not in shown
    assert "style=" not in shown


OF_6A: dict[str, Any] = {"audience": Audience.CLASS, "whom": "6A"}


def _shown_lesson(
    *, teacher: str = "lan", now: float = NOW, place: str = "", **overrides: Any
) -> str:
    answers = school_answers(now=now, teacher=teacher, **overrides)
    visitor = a_visitor(answers, Role.TEACHER, now=now)
    return rendered(LESSON_PAGE, visitor, **({"place": place} if place else {}))


def test_only_teachers_have_the_page() -> None:
    assert LESSON_PAGE.roles == {Role.TEACHER, Role.ADMIN}


def test_the_own_class_has_a_form_until_the_bell() -> None:
    shown = _shown_lesson()
    assert 'name="for_whom" value="class:6A"' in shown
    assert 'value="lesson" checked> until the bell at 07:45' in shown
    assert 'name="targets" value="service:chat"' in shown


def test_between_lessons_a_length_is_chosen() -> None:
    shown = _shown_lesson(now=SEVEN + 46 * 60)
    assert 'value="lesson"' not in shown
    assert 'value="2700" checked' in shown


def test_what_is_open_is_closed_again_by_its_author_only() -> None:
    own = an_exception("a.example", id=4, author="web:lan", **OF_6A)
    other = an_exception("b.example", id=5, author="minh", reason=HOSTILE, **OF_6A)
    shown = _shown_lesson(exceptions=(own, other))
    assert 'aria-label="Close again: a.example"' in shown
    assert 'aria-label="Close again: b.example"' not in shown
    assert HOSTILE not in shown


def test_a_service_that_is_open_is_not_opened_twice() -> None:
    own = an_exception("chat", kind=TargetKind.SERVICE, **OF_6A)
    assert 'value="service:chat" disabled>' in _shown_lesson(exceptions=(own,))


def test_during_an_exam_nothing_is_opened_and_the_exam_is_ended() -> None:
    shown = _shown_lesson(exams=(an_exam(),))
    assert 'action="/do/allow"' not in shown
    assert 'action="/do/stopExam"' in shown
    assert 'action="/do/startExam"' in _shown_lesson()


def test_a_teacher_without_a_class_reads_what_to_do() -> None:
    shown = _shown_lesson(teacher="khoa")
    assert "You have no class and no room now." in shown
    assert 'action="/do/' not in shown


def test_another_place_is_chosen_by_its_link() -> None:
    shown = _shown_lesson(place="class:9B")
    assert 'value="class:9B"' not in shown  # it is of another teacher
