# SPDX-License-Identifier: Apache-2.0
"""While the time is not known, all is closed that is closed at any later time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.policy.effective_policy import at
from filterd.policy.temporary_rules import Overrides, RoomSetting
from filterd.policy.unknown_time import (
    UNCONFIRMED_S,
    UNKNOWN_BEFORE,
    UNKNOWN_LEAD_S,
    Certainty,
)
from tests.support.naive_week import NaiveWeek
from tests.support.policies import allow as allowed
from tests.support.policies import block as blocked
from tests.support.week import SEVEN, an_exam, an_exception, grade_in, timetabled
from tests.twins.test_naive_week import START, STRETCH_S, all_overrides, schools, seen

if TYPE_CHECKING:
    from filterd.policy.model import Policy

UNKNOWN = UNKNOWN_LEAD_S + 1e6
HOUR_S = 3_600.0


@settings(max_examples=60, deadline=None)
@given(schools(), all_overrides(), st.integers(0, STRETCH_S), st.integers(0, STRETCH_S))
def test_what_closes_at_any_later_time_is_closed(
    policy: Policy, overrides: Overrides, floor_s: int, later_s: int
) -> None:
    overrides = replace(overrides, rooms=())
    floor = START + floor_s
    unknown = at(policy, overrides, UNKNOWN, Certainty(floor))
    assert unknown.since < UNKNOWN < unknown.until <= UNKNOWN_BEFORE
    naive = NaiveWeek(policy, overrides)
    for (network, address), sight in naive.sights(floor + later_s).items():
        now = seen(unknown, network, address)
        if sight.grade == now.grade:  # of the others the room has the strictest
            assert sight.closed <= now.closed or now.allow_only
        assert now.allow_only or not sight.allow_only


@settings(max_examples=60, deadline=None)
@given(
    schools(),
    all_overrides(),
    st.integers(0, STRETCH_S),
    st.integers(0, STRETCH_S),
    st.floats(0, 1),
    st.sampled_from((0, 60, 5_000, STRETCH_S)),
)
def test_what_closes_at_any_time_up_to_what_the_clock_shows_is_closed(
    policy: Policy, overrides: Overrides, floor_s: int, wide_s: int, true: float, later_s: int
) -> None:
    """Also later on, until the policy ends by itself."""
    overrides = replace(overrides, rooms=())
    floor, shown = START + floor_s, START + floor_s + wide_s
    now = at(policy, overrides, shown + UNCONFIRMED_S, Certainty(floor))
    assert now.since < shown + UNCONFIRMED_S < now.until <= UNCONFIRMED_S / 2
    later = min(float(later_s), now.until - (shown + UNCONFIRMED_S) - 1e-3)
    naive = NaiveWeek(policy, overrides)
    for (network, address), sight in naive.sights(floor + true * wide_s + later).items():
        found = seen(now, network, address)
        if sight.grade == found.grade:  # of the others the room has the strictest
            assert sight.closed <= found.closed or found.allow_only
        assert found.allow_only or not sight.allow_only


def test_it_is_one_policy_whatever_the_uptime_is() -> None:
    policy, overrides = timetabled(), Overrides(exams=(an_exam(),))
    moments = [at(policy, overrides, UNKNOWN + s, Certainty(SEVEN)) for s in (0.0, 1e8)]
    assert moments[0].policy == moments[1].policy


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "holds"),
    [
        (SEVEN - HOUR_S, SEVEN + 1, True),
        (SEVEN - HOUR_S, SEVEN, False),
        (SEVEN + HOUR_S, SEVEN + 2 * HOUR_S, True),
    ],
)
def test_an_exam_holds_that_has_not_ended(starts_at: float, ends_at: float, holds: bool) -> None:
    exam = an_exam(starts_at=starts_at, ends_at=ends_at)
    moment = at(timetabled(), Overrides(exams=(exam,)), UNKNOWN, Certainty(SEVEN))
    assert grade_in(moment, "lab").allow_only is holds


def test_the_exam_that_was_on_goes_before_one_that_is_planned() -> None:
    was_on = an_exam(id=7, starts_at=SEVEN - HOUR_S, ends_at=SEVEN + HOUR_S)
    planned = an_exam(id=8, starts_at=SEVEN + 2 * HOUR_S, ends_at=SEVEN + 3 * HOUR_S)
    moment = at(timetabled(), Overrides(exams=(planned, was_on)), UNKNOWN, Certainty(SEVEN))
    assert moment.exams["lab"].id == 7


@pytest.mark.parametrize(
    ("setting", "grade"),
    [
        (RoomSetting(1, "lab", "9", "", "", SEVEN - 1, None), "9"),
        (RoomSetting(1, "lab", "9", "", "", SEVEN - 1, SEVEN + HOUR_S), "6"),
        (RoomSetting(1, "lab", "1", "", "", SEVEN + 1, SEVEN + HOUR_S), "1"),
        (RoomSetting(1, "lab", "1", "", "", SEVEN - 2, SEVEN - 1), "6"),
    ],
)
def test_a_room_has_the_strictest_grade_that_it_may_have(setting: RoomSetting, grade: str) -> None:
    moment = at(timetabled(), Overrides(rooms=(setting,)), UNKNOWN, Certainty(SEVEN))
    assert moment.seats["lab"].grade == grade


@pytest.mark.parametrize(
    ("allow", "starts_at", "ends_at", "holds"),
    [
        (True, SEVEN - 1, None, True),
        (True, SEVEN + 1, None, False),
        (True, SEVEN - 1, SEVEN + HOUR_S, False),
        (False, SEVEN - 1, SEVEN + 1, True),
        (False, SEVEN - 1, SEVEN, False),
        (False, SEVEN + 1, None, True),
    ],
)
def test_rules_of_the_files_and_of_commands_hold_without_dates(
    allow: bool, starts_at: float, ends_at: float | None, holds: bool
) -> None:
    rule = (allowed if allow else blocked)("a.example")
    rule = replace(rule, starts_at=starts_at, ends_at=ends_at)
    policy = replace(timetabled(), rules=(rule,))
    exception = an_exception("b.example", allow=allow, starts_at=starts_at, ends_at=ends_at)
    said = Overrides(exceptions=(exception,))
    rules = at(policy, said, UNKNOWN, Certainty(SEVEN)).policy.rules
    assert len(rules) == (2 if holds else 0)
    assert all(one.ends_at is None for one in rules)


def test_what_has_no_date_yet_closes_and_does_not_open() -> None:
    said = Overrides(
        exceptions=(
            an_exception("b.example", allow=False, ends_at=SEVEN + 1, for_s=HOUR_S),
            an_exception("c.example", allow=True, ends_at=SEVEN + 1, for_s=HOUR_S, id=2),
        ),
        exams=(an_exam(ends_at=SEVEN + 1, for_s=HOUR_S),),
    )
    moment = at(timetabled(), said, SEVEN + 10 * HOUR_S)
    assert grade_in(moment, "lab").allow_only
    assert [rule.id for rule in moment.policy.rules if not rule.exam] == ["exception:1"]
