# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from filterd.overrides.class_rows import class_rows
from filterd.policy.effective_policy import EffectiveState, at
from filterd.policy.model import Network
from filterd.policy.temporary_rules import ClassLoan, Overrides
from filterd.rows import SchoolClock
from tests.support.week import SEVEN, timetabled, with_classes

LOANS = tuple(
    ClassLoan(number, "6A", to, "", "root", SEVEN - 60, ends_at)
    for number, to, ends_at in ((1, "minh", SEVEN + 60), (2, "hoa", SEVEN - 1))
)


def _rows(now: float) -> dict[str, dict[str, object]]:
    policy = with_classes(timetabled("6A", "9B"))
    home = Network("p-101", "6A", ("203.0.113.0/24",))
    policy = replace(policy, networks=(*policy.networks, home))
    overrides = Overrides(loans=LOANS)
    clock = SchoolClock(ZoneInfo(policy.time_zone), now)
    state = EffectiveState(policy, overrides, at(policy, overrides, now), clock)
    return {str(row["class"]): row for row in class_rows(state)}


def test_a_class_has_its_teachers_home_lessons_and_loans_that_last() -> None:
    row = _rows(SEVEN + 1)["6A"]
    assert (row["grade"], row["teachers"], row["networks"]) == ("6", ["lan"], ["p-101"])
    assert row["sits_in"] == ["lab"]
    assert row["lessons"] == [{"weekday": 0, "lesson": "tiet-1", "room": "lab", "teacher": ""}]
    assert isinstance(row["loans"], list)
    assert [one["to"] for one in row["loans"]] == ["minh"]


def test_between_lessons_no_class_is_said_to_sit_in_a_room() -> None:
    rows = _rows(SEVEN + 2_800)
    assert [row["sits_in"] for row in rows.values()] == [[], [], []]
