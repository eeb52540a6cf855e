# SPDX-License-Identifier: Apache-2.0
"""What a role may see of totals is one definition for all outputs."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from itertools import combinations

import pytest

from filterd.daemon.manager.disclosed_totals import HeldReach, as_seen, threshold_of
from filterd.overrides.rights.roles import Author, Role
from filterd.policy.log_levels import QueryLog
from filterd.policy.model import Lesson
from filterd.querylog.day_reach import CLASS, GRADE, ReachRow
from filterd.querylog.disclosure import SHOWS_ALL, Threshold
from filterd.querylog.totals_request import TotalsRequest
from tests.support.policies import a_policy
from tests.support.week import SEVEN

ROLES = [frozenset(some) for n in range(len(Role) + 1) for some in combinations(Role, n)]
K = 7


@pytest.mark.parametrize("roles", ROLES, ids=lambda roles: "+".join(sorted(roles)) or "none")
def test_only_administrators_see_a_category_of_few_devices(roles: frozenset[Role]) -> None:
    threshold = threshold_of(Author.with_roles("lan", roles), K)
    assert (threshold == SHOWS_ALL) is (Role.ADMIN in roles)
    if Role.ADMIN not in roles:
        sees_no_class = Role.PRINCIPAL in roles and Role.TEACHER not in roles
        assert threshold == Threshold(K, GRADE if sees_no_class else CLASS)


@pytest.mark.parametrize(
    ("role", "before"), [(Role.ADMIN, math.inf), (Role.READER, SEVEN), (Role.TEACHER, SEVEN)]
)
def test_a_lesson_is_shown_when_it_is_over(role: Role, before: float) -> None:
    policy = replace(
        a_policy(),
        lessons=(Lesson("1", 7 * 3_600, 8 * 3_600),),
        log=QueryLog(least_devices=K),
    )
    author = Author.with_roles("lan", frozenset((role,)))
    seen = as_seen(TotalsRequest(3, by_hour=True), author, policy, SEVEN + 600)
    assert (seen.days, seen.by_hour, seen.before) == (3, True, before)
    assert seen.threshold.devices == (0 if role is Role.ADMIN else K)


TODAY, LATER, TOMORROW = ("2025-12-01", 3_600), ("2025-12-01", 7_200), ("2025-12-02", 7_200)


def _held(*asked_for: tuple[str, int]) -> list[int]:
    """Return which devices are read for each day and hour, if one more comes each time."""
    read = list[int]()

    async def now(first: str, last: str) -> list[ReachRow]:
        assert first == last
        read.append(len(read))
        return [ReachRow(first, "class", "6A", "games", "blocked", read[-1])]

    held = HeldReach(now)

    async def whole() -> list[int]:
        return [(await held.until(*one))[0].devices for one in asked_for]

    return asyncio.run(whole())


def test_while_the_same_hours_are_shown_their_devices_stay() -> None:
    assert _held(TODAY, TODAY, LATER, LATER, TOMORROW) == [0, 0, 1, 1, 2]


def test_two_that_see_different_hours_do_not_have_them_read_again() -> None:
    assert _held(TODAY, LATER, TODAY, LATER, TODAY) == [0, 1, 0, 1, 0]


def test_few_ends_are_held() -> None:
    hours = [("2025-12-01", hour * 3_600) for hour in range(5)]
    assert _held(*hours, hours[1], hours[0]) == [0, 1, 2, 3, 4, 1, 5]
