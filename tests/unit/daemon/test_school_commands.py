# SPDX-License-Identifier: Apache-2.0
"""Everybody reads the matrix and the week; the own lesson is a teacher's."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from filterd.daemon.control_caller import Caller
from filterd.daemon.school_commands import commands
from filterd.errors import ControlError
from filterd.overrides.permissions import Classroom
from filterd.overrides.roles import Role
from filterd.policy.effective_policy import at
from filterd.policy.temporary_rules import Overrides
from tests.support.week import SEVEN, timetabled


def _ask(command: str, *roles: Role, at_: float | None = SEVEN, **request: Any) -> Any:
    policy, nothing = timetabled(), Overrides()
    timed = SimpleNamespace(policy=policy, overrides=nothing)
    school = Classroom(policy, nothing, at_, SEVEN + 3600, lambda _: None)
    manager = SimpleNamespace(
        site=SimpleNamespace(timed=timed, policy=policy, moment=at(policy, nothing, SEVEN)),
        changes=SimpleNamespace(classroom=lambda _: school),
        clock=lambda: {"policy_time": at_, "floor": SEVEN},
    )
    caller = Caller(1002, "lan", frozenset(role.group for role in roles))
    run = commands(cast("Any", manager))[command]

    async def whole() -> Any:
        return await run(request, caller)

    return asyncio.run(whole())


@pytest.mark.parametrize("role", Role)
def test_every_reader_reads_the_matrix_and_the_week(role: Role) -> None:
    assert _ask("policy-matrix", role)["tiers"]
    assert _ask("school-week", role, at_=None)["days"][0]["date"] == "2026-03-02"


def test_another_week_is_asked_for_by_a_day_of_it() -> None:
    assert _ask("school-week", day="2026-03-15")["days"][0]["date"] == "2026-03-09"


@pytest.mark.parametrize("day", ["", "yesterday", 5, "20/12/2026", "0001-01-01", "9999-12-31"])
def test_what_is_no_day_is_refused(day: Any) -> None:
    with pytest.raises(ControlError, match="wants day"):
        _ask("school-week", day=day)


def test_the_own_lesson_is_for_teachers() -> None:
    assert _ask("own-lesson", Role.TEACHER)["chosen"]["place"] == "network:lab"
    for role in (Role.READER, Role.PRINCIPAL, Role.INSPECTOR):
        with pytest.raises(ControlError, match="filterd-teacher"):
            _ask("own-lesson", role)
