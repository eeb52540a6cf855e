# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from filterd.policy.model import Audience
from filterd.policy.temporary_rules import Exam, LocalException, Overrides, TargetKind
from filterd.policy.unknown_time import (
    UNKNOWN_LEAD_S,
    is_known,
    undated,
    without_dates,
)
from tests.support.policies import NOW, a_policy

BLOCK = LocalException(
    1, TargetKind.NAME, "a.example", False, Audience.EVERYBODY, "", "", "lan", NOW, NOW + 60
)
ALLOW = replace(BLOCK, id=2, allow=True)
EXAM = Exam(3, "lab", ("b.example",), (), "", "lan", NOW, NOW + 60)


def held(overrides: Overrides, floor: float) -> Overrides:
    return undated(a_policy(), overrides, floor)[1]


def test_no_uptime_makes_an_unknown_time_known() -> None:
    assert is_known(0.0)
    assert is_known(NOW)
    assert not is_known(UNKNOWN_LEAD_S + 1e9)


@pytest.mark.parametrize(("floor", "holds"), [(0.0, True), (NOW, True), (NOW + 60, False)])
def test_what_closes_holds_unless_it_had_ended(floor: float, holds: bool) -> None:
    effective = held(Overrides(exceptions=(BLOCK,), exams=(EXAM,)), floor)
    assert len(effective.exceptions) == len(effective.exams) == holds
    assert all(one.starts_at == -inf for one in effective.exceptions)
    assert all(one.starts_at == -inf for one in effective.exams)


@pytest.mark.parametrize(
    ("allow", "floor", "holds"),
    [
        (ALLOW, NOW, False),
        (replace(ALLOW, ends_at=None), NOW, True),
        (replace(ALLOW, ends_at=None), NOW - 1, False),
    ],
)
def test_what_opens_holds_only_if_it_began_and_never_ends(
    allow: LocalException, floor: float, holds: bool
) -> None:
    assert bool(held(Overrides(exceptions=(allow,)), floor).exceptions) is holds


def test_of_two_exams_in_a_room_the_first_holds() -> None:
    later = replace(EXAM, id=4, starts_at=NOW + 30, ends_at=NOW + 90)
    assert [one.id for one in held(Overrides(exams=(later, EXAM)), NOW).exams] == [3]
    assert [one.id for one in held(Overrides(exams=(later, EXAM)), NOW + 60).exams] == [4]


def test_until_it_is_dated_what_closes_holds_and_what_opens_does_not() -> None:
    waits = Overrides(exceptions=(replace(BLOCK, for_s=60.0), replace(ALLOW, for_s=60.0)))
    (one,) = without_dates(waits).exceptions
    assert (one.id, one.starts_at, one.ends_at) == (1, -inf, None)
    dated = Overrides(exceptions=(BLOCK, ALLOW))
    assert without_dates(dated) is dated
