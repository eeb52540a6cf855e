# SPDX-License-Identifier: Apache-2.0
"""A teacher opens a site or a service for the own class until the bell, and closes it again."""

from __future__ import annotations

from typing import Any

from filterd.overrides.roles import Role
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import TargetKind
from filterd.web.pages.lesson_page import PAGE
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import HOSTILE, NOW, school_answers
from tests.support.week import SEVEN, an_exam, an_exception

OF_6A: dict[str, Any] = {"audience": Audience.CLASS, "whom": "6A"}


def _shown(*, teacher: str = "lan", now: float = NOW, place: str = "", **overrides: Any) -> str:
    answers = school_answers(now=now, teacher=teacher, **overrides)
    visitor = a_visitor(answers, Role.TEACHER, now=now)
    return rendered(PAGE, visitor, **({"place": place} if place else {}))


def test_only_who_teaches_has_the_page() -> None:
    assert PAGE.roles == {Role.TEACHER, Role.ADMIN}


def test_the_own_class_has_a_form_until_the_bell() -> None:
    shown = _shown()
    assert 'name="for_whom" value="class:6A"' in shown
    assert 'value="lesson" checked> until the bell at 07:45' in shown
    assert 'name="targets" value="service:chat"' in shown


def test_between_lessons_a_length_is_chosen() -> None:
    shown = _shown(now=SEVEN + 46 * 60)
    assert 'value="lesson"' not in shown
    assert 'value="2700" checked' in shown


def test_what_is_open_is_closed_again_by_its_author_only() -> None:
    own = an_exception("a.example", id=4, author="web:lan", **OF_6A)
    other = an_exception("b.example", id=5, author="minh", reason=HOSTILE, **OF_6A)
    shown = _shown(exceptions=(own, other))
    assert 'aria-label="Close again: a.example"' in shown
    assert 'aria-label="Close again: b.example"' not in shown
    assert HOSTILE not in shown


def test_a_service_that_is_open_is_not_opened_twice() -> None:
    own = an_exception("chat", kind=TargetKind.SERVICE, **OF_6A)
    assert 'value="service:chat" disabled>' in _shown(exceptions=(own,))


def test_during_an_exam_nothing_is_opened_and_the_exam_is_ended() -> None:
    shown = _shown(exams=(an_exam(),))
    assert 'action="/do/allow"' not in shown
    assert 'action="/do/stopExam"' in shown
    assert 'action="/do/startExam"' in _shown()


def test_a_teacher_without_a_class_reads_what_to_do() -> None:
    shown = _shown(teacher="khoa")
    assert "You have no class and no room now." in shown
    assert 'action="/do/' not in shown


def test_another_place_is_chosen_by_its_link() -> None:
    shown = _shown(place="class:9B")
    assert 'value="class:9B"' not in shown  # it is of another teacher
