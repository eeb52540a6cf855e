# SPDX-License-Identifier: Apache-2.0
"""The page of a class has its teachers, its lessons and what is set for it."""

from __future__ import annotations

import pytest
from starlette.routing import compile_path

from filterd.errors import ConfigError
from filterd.overrides.roles import Role
from filterd.policy.model import Audience
from filterd.web.pages.class_page import PAGE
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import NOW, school_answers
from tests.support.week import an_exception


def _shown(class_id: str) -> str:
    thing = an_exception("a.example", audience=Audience.CLASS, whom="6A")
    answers = school_answers(exceptions=(thing,))
    return rendered(PAGE, a_visitor(answers, Role.READER, now=NOW), class_id=class_id)


def test_it_has_lessons_and_exceptions() -> None:
    shown = _shown("6A")
    assert "Mon tiet-1: lab" in shown
    assert "allow a.example for class 6A" in shown


def test_there_is_no_other_class() -> None:
    with pytest.raises(ConfigError):
        _shown("10Z")


def test_a_class_with_a_slash_has_its_page() -> None:
    pattern, *_ = compile_path(PAGE.path)
    found = pattern.match("/classes/9/3")
    assert found is not None
    assert found.groupdict() == {"class_id": "9/3"}
