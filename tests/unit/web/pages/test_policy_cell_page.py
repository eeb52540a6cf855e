# SPDX-License-Identifier: Apache-2.0
"""A cell says why it is open or closed; an administrator sets it there."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.errors import ControlError
from filterd.i18n import say
from filterd.overrides.roles import Role
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import GradeSetting, TargetKind
from filterd.web.pages.policy_cell_page import PAGE
from filterd.web.problem import WebError
from tests.support.rendered import a_visitor, rendered
from tests.support.school_answers import HOSTILE, school_answers
from tests.support.week import SEVEN, an_exception

CELL = {"category": "games", "tier": "lower-secondary"}
SETTING = GradeSetting(3, "7", TargetKind.CATEGORY, "games", False, HOSTILE, "web:lan", SEVEN)


def _shown(*roles: Role, cell: dict[str, str] | None = None, **overrides: Any) -> str:
    return rendered(PAGE, a_visitor(school_answers(**overrides), *roles), **(cell or CELL))


def test_it_tells_the_age_and_that_the_file_decides() -> None:
    shown = _shown(Role.READER)
    assert "It suits from age 12; the youngest of this tier are 11." in shown
    assert "The file of the tier says so" in shown
    assert 'action="/do/' not in shown


def test_an_administrator_is_shown_first_what_a_setting_would_change() -> None:
    shown = _shown(Role.ADMIN)
    assert shown.count('<input type="hidden" name="opens"') >= 4
    assert "Close it ..." in shown
    assert "Open it ..." in shown
    assert 'action="/do/setGrade"' not in shown


ASKED = {"grade": "7", "target": "category:games", "opens": "false", "reason": HOSTILE}
DIFFERENCE = {"grade": "7", "kind": "category", "target": "games", "before": "open"}


def test_the_setting_is_made_from_its_preview() -> None:
    told = {"differences": [{**DIFFERENCE, "after": "closed"}], "warnings": []}
    visitor = a_visitor({**school_answers(), "grade-preview": told}, Role.ADMIN)
    shown = rendered(PAGE, visitor, **CELL, **ASKED)
    assert "grade 7: games: open → closed" in shown
    assert shown.count('action="/do/setGrade"') == 1
    assert HOSTILE not in shown


def test_a_setting_that_is_refused_has_no_form() -> None:
    def refuse(**_: Any) -> Any:
        raise ControlError(say("it is locked"))

    visitor = a_visitor({**school_answers(), "grade-preview": refuse}, Role.ADMIN)
    shown = rendered(PAGE, visitor, **CELL, **ASKED)
    assert "it is locked" in shown
    assert 'action="/do/setGrade"' not in shown


def test_a_teacher_sets_no_grade() -> None:
    shown = rendered(PAGE, a_visitor(school_answers(), Role.TEACHER), **CELL, **ASKED)
    assert "setGrade" not in shown
    assert 'name="opens"' not in shown


def test_what_is_locked_has_no_form() -> None:
    shown = _shown(Role.ADMIN, cell={"category": "porn", "tier": "staff"})
    assert "It is locked for everybody." in shown
    assert 'name="opens"' not in shown


def test_what_is_set_is_told_with_its_reason_which_is_escaped() -> None:
    shown = _shown(Role.READER, grades=(SETTING,))
    assert "setting 3" in shown
    assert HOSTILE not in shown
    assert "says so" not in shown


def test_a_teacher_takes_back_the_own_exception_only() -> None:
    whom: dict[str, Any] = {"audience": Audience.CLASS, "whom": "6A", "kind": TargetKind.CATEGORY}
    own = an_exception("games", id=4, author="web:lan", **whom)
    other = an_exception("games", id=5, author="minh", **whom)
    shown = _shown(Role.TEACHER, exceptions=(own, other))
    assert 'aria-label="Take back 4"' in shown
    assert 'aria-label="Take back 5"' not in shown


@pytest.mark.parametrize("cell", [{"category": "x", "tier": "staff"}, {**CELL, "tier": "x"}])
def test_there_is_no_other_cell(cell: dict[str, str]) -> None:
    with pytest.raises(WebError, match="no such page"):
        _shown(Role.ADMIN, cell=cell)
