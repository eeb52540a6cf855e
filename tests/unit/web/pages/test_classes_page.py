# SPDX-License-Identifier: Apache-2.0
"""The page of classes has each class; a teacher lends own ones."""

from __future__ import annotations

from filterd.overrides.roles import Role
from filterd.policy.temporary_rules import ClassLoan
from filterd.web.pages.classes_page import PAGE
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import NOW, school_answers
from tests.support.week import SEVEN, timetabled

LOAN = ClassLoan(3, "6A", "minh", "ốm", "lan", SEVEN, SEVEN + 3600)


def _shown(*roles: Role, **query: str) -> str:
    return rendered(PAGE, a_visitor(school_answers(loans=(LOAN,)), *roles, now=NOW), **query)


def test_each_class_leads_to_its_page() -> None:
    shown = _shown(Role.READER)
    assert '<a href="/classes/6A">class 6A</a>' in shown
    assert "minh until 08:00" in shown
    assert 'action="/do/' not in shown


def test_a_teacher_lends_own_classes_an_administrator_all() -> None:
    shown = _shown(Role.TEACHER)
    assert '<option value="6A">' in shown
    assert '<option value="9B">' not in shown
    assert '<option value="9B">' in _shown(Role.ADMIN)


def test_a_class_is_searched_by_its_teacher() -> None:
    shown = _shown(q="hoa")
    assert "/classes/9B" in shown
    assert "/classes/6A" not in shown


def test_a_school_without_classes_says_so() -> None:
    shown = rendered(PAGE, a_visitor(school_answers(timetabled()), Role.TEACHER))
    assert "The site has no classes" in shown
    assert 'action="/do/' not in shown
