# SPDX-License-Identifier: Apache-2.0
"""The page of classes has each class; that of one its lessons and what is set for it."""

from __future__ import annotations

import pytest
from starlette.routing import compile_path

from filterd.base.errors import ConfigError
from filterd.overrides.rights.roles import Role
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import ClassLoan
from filterd.web.pages.classes_page import CLASS_PAGE, CLASSES_PAGE
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import NOW, school_answers
from tests.support.week import SEVEN, an_exception, timetabled

LOAN = ClassLoan(3, "6A", "minh", "ốm", "lan", SEVEN, SEVEN + 3600)


def _shown(*roles: Role, **query: str) -> str:
    return rendered(
        CLASSES_PAGE, a_visitor(school_answers(loans=(LOAN,)), *roles, now=NOW), **query
    )


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


def test_a_school_without_classes_has_a_line_for_it() -> None:
    shown = rendered(CLASSES_PAGE, a_visitor(school_answers(timetabled()), Role.TEACHER))
    assert "The site has no classes" in shown
    assert 'action="/do/' not in shown


def _shown_class(class_id: str) -> str:
    thing = an_exception("a.example", audience=Audience.CLASS, whom="6A")
    answers = school_answers(exceptions=(thing,))
    return rendered(CLASS_PAGE, a_visitor(answers, Role.READER, now=NOW), class_id=class_id)


def test_it_has_lessons_and_exceptions() -> None:
    shown = _shown_class("6A")
    assert "Mon tiet-1: lab" in shown
    assert "allow a.example for class 6A" in shown


def test_there_is_no_other_class() -> None:
    with pytest.raises(ConfigError):
        _shown_class("10Z")


def test_a_class_with_a_slash_has_its_page() -> None:
    pattern, *_ = compile_path(CLASS_PAGE.path)
    found = pattern.match("/classes/9/3")
    assert found is not None
    assert found.groupdict() == {"class_id": "9/3"}
