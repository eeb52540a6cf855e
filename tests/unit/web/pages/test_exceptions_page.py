# SPDX-License-Identifier: Apache-2.0
"""Exceptions are read by all; those who may set them, and take back their own."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.overrides.roles import Role
from filterd.policy.model import Audience
from filterd.web.list_part import ROWS
from filterd.web.pages.exceptions_page import PAGE
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import HOSTILE, NOW, school_answers
from tests.support.week import SEVEN, an_exception

LONG = ".".join(("a" * 63, "b" * 63, "c" * 63, "d" * 61))
OWN = an_exception(LONG, id=4, author="web:lan", audience=Audience.CLASS, whom="6A")
OTHER = an_exception("b.example", id=5, author="minh", reason=HOSTILE)
ENDED = an_exception("c.example", id=6, starts_at=SEVEN - 60, ends_at=SEVEN)


def _shown(*roles: Role, things: Any = (OWN, OTHER, ENDED), **query: str) -> str:
    visitor = a_visitor(school_answers(exceptions=things), *roles, now=NOW)
    return rendered(PAGE, visitor, **query)


@pytest.mark.parametrize("role", [Role.READER, Role.PRINCIPAL, Role.INSPECTOR])
def test_who_may_not_change_them_reads_them(role: Role) -> None:
    shown = _shown(role)
    assert LONG in shown
    assert 'action="/do/' not in shown


def test_a_teacher_ends_the_own_one_and_chooses_no_wide_audience() -> None:
    shown = _shown(Role.TEACHER)
    assert 'aria-label="End exception 4"' in shown
    assert 'aria-label="End exception 5"' not in shown
    assert 'value="class:6A"' in shown
    assert 'value="everybody"' not in shown


def test_an_administrator_ends_any_and_chooses_any_audience() -> None:
    shown = _shown(Role.ADMIN)
    assert 'aria-label="End exception 5"' in shown
    assert 'value="everybody"' in shown
    assert 'formaction="/do/block"' in shown


def test_ended_ones_are_shown_where_they_are_asked_for() -> None:
    assert "c.example" not in _shown()
    shown = _shown(all="on")
    assert "c.example" in shown
    assert 'aria-label="End exception 6"' not in shown


def test_reported_mistakes_are_there_with_what_the_centre_answers() -> None:
    answer = {"outcome": "refused", "version": 7, "reason": HOSTILE}
    row = {"number": 3, "at": NOW, "name": "uni.example", "reason": "x", "mended": False}
    row |= {"listed": [{"list": "feed-scam", "line": 4}], "answer": answer}
    answers = school_answers() | {"mistakes": [row]}
    shown = rendered(PAGE, a_visitor(answers, Role.READER, now=NOW))
    assert "feed-scam, line 4" in shown
    assert "refused by the centre: &lt;script&gt;" in shown
    assert "Reported mistakes of lists" not in _shown()


def test_they_are_searched_and_escaped() -> None:
    shown = _shown(q="B.EXAMPLE")
    assert "b.example" in shown
    assert LONG not in shown
    assert HOSTILE not in shown
    assert HOSTILE not in _shown(q=HOSTILE)


def test_two_thousand_have_parts() -> None:
    many = [an_exception(f"n{number}.example", id=number) for number in range(2_000)]
    shown = _shown(things=tuple(many))
    assert shown.count("End exception") == ROWS
    assert f"1 to {ROWS} of 2000" in shown


def test_a_school_without_any_says_so() -> None:
    assert "There are no exceptions." in _shown(things=())
