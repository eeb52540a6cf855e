# SPDX-License-Identifier: Apache-2.0
"""A week is asked for by a day of it; the own lesson is for teachers."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.school import OWN_LESSON, ReadOwnLesson, ReadWeek
from filterd.overrides.rights.roles import Role


def test_a_week_is_asked_for_by_a_day_and_a_lesson_by_a_place() -> None:
    assert ReadWeek.read({"day": "2026-03-04"}).arguments == {"day": "2026-03-04"}
    assert ReadWeek.read({"day": ""}).arguments == {}
    assert ReadOwnLesson.read({"place": "class:6A"}).arguments == {"place": "class:6A"}


def test_the_own_lesson_is_for_teachers() -> None:
    assert OWN_LESSON.roles == {Role.TEACHER, Role.ADMIN}


@pytest.mark.parametrize(
    "day",
    ["yesterday", "20/12/2026", "2026-12-20T00:00", "2026-13-01", 5, "0001-01-01", "9999-12-31"],
)
def test_what_is_no_day_is_refused(day: Any) -> None:
    with pytest.raises(ConfigError):
        ReadWeek.read({"day": day})
