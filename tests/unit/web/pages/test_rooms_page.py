# SPDX-License-Identifier: Apache-2.0
"""The page of rooms has the class in each now, why and until when, and the exams."""

from __future__ import annotations

from typing import Any

from filterd.overrides.roles import Role
from filterd.web.pages.rooms_page import PAGE
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import HOSTILE, NOW, school_answers
from tests.support.week import a_school, an_exam


def _shown(*roles: Role, answers: dict[str, Any] | None = None, **query: str) -> str:
    made = answers or school_answers(exams=(an_exam(reason=HOSTILE),))
    return rendered(PAGE, a_visitor(made, *roles, now=NOW), **query)


def test_a_room_has_its_class_and_leads_to_its_page() -> None:
    shown = _shown(Role.READER)
    assert '<a href="/rooms/lab">' in shown
    assert "exam 9" in shown
    assert HOSTILE not in shown
    assert 'action="/do/' not in shown


def test_a_network_that_is_no_room_is_shown_on_demand() -> None:
    assert "/rooms/office" not in _shown()
    assert "/rooms/office" in _shown(all="on")


def test_a_teacher_may_end_an_exam() -> None:
    assert 'aria-label="End exam 9"' in _shown(Role.TEACHER)


def test_a_school_without_exams_says_so() -> None:
    assert "There are no exams." in _shown(answers=school_answers(a_school()))
