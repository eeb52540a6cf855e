# SPDX-License-Identifier: Apache-2.0
"""The matrix, the week and the own lesson are asked of the manager as they are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.overrides.rights.roles import Role
from filterd.web.operations.school_operations import MATRIX, OWN_LESSON, WEEK
from tests.support.rendered import a_visitor
from tests.support.school_answers import school_answers

if TYPE_CHECKING:
    from filterd.web.endpoint import WebOperation


def _asked(operation: WebOperation, **given: Any) -> tuple[str, dict[str, Any]]:
    visitor = a_visitor(school_answers(), Role.TEACHER)

    async def whole() -> None:
        assert await visitor.call(operation, **given)

    asyncio.run(whole())
    return visitor.asked[0]


def test_each_is_one_command() -> None:
    assert _asked(MATRIX) == ("policy-matrix", {})
    assert _asked(WEEK, day="2026-03-04") == ("school-week", {"day": "2026-03-04"})
    assert _asked(OWN_LESSON, place="class:6A") == ("own-lesson", {"place": "class:6A"})


def test_the_own_lesson_is_for_teachers() -> None:
    assert OWN_LESSON.roles == {Role.TEACHER, Role.ADMIN}


@pytest.mark.parametrize("day", ["yesterday", "20/12/2026", "2026-12-20T00:00"])
def test_what_is_no_day_is_refused(day: str) -> None:
    with pytest.raises(ConfigError):
        _asked(WEEK, day=day)
