# SPDX-License-Identifier: Apache-2.0
"""A room's row has its grade, the source of it and its end; they are worded for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from filterd.i18n import Texts
from filterd.overrides.room_rows import ROOM, ROOMS, is_changed, room_row, room_rows, week
from filterd.policy.effective_policy import EffectiveState, at
from filterd.policy.temporary_rules import Overrides, RoomSetting
from filterd.rows import SchoolClock, Wording
from tests.support.week import SEVEN, an_exam, timetabled

if TYPE_CHECKING:
    from filterd.policy.model import Policy
    from filterd.rows import Row

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SET = RoomSetting(4, "lab", "8", "vì thế", "lan", SEVEN, SEVEN + 600)


def _now(now: float = SEVEN + 60, policy: Policy | None = None, **overrides: Any) -> EffectiveState:
    policy, set_ = policy or timetabled(), Overrides(**overrides)
    return EffectiveState(policy, set_, at(policy, set_, now), SchoolClock(ZONE, now))


def _told(row: Row, now: float = SEVEN + 60) -> list[str]:
    wording = Wording(Texts("en"), SchoolClock(ZONE, now))
    return [one.cell(row, wording)[0] for one in ROOMS.columns]


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({}, ["lab", "6", "tiet-1", "07:45", "1"]),
        ({"rooms": (SET,)}, ["lab", "8", "set by lan", "07:10", "1"]),
        ({"exams": (an_exam(),)}, ["lab", "6", "exam 9", "08:00", "1"]),
    ],
)
def test_a_room_is_told_with_its_grade_the_source_and_the_end(
    overrides: dict[str, Any], told: list[str]
) -> None:
    lab, office = room_rows(_now(**overrides))
    assert _told(lab) == told
    assert (is_changed(lab), is_changed(office)) == (True, False)
    assert _told(office) == ["office", "staff", "", "", ""]


def test_between_lessons_it_says_so() -> None:
    lab, _ = room_rows(_now(SEVEN + 46 * 60))
    assert _told(lab)[2:4] == ["between lessons", "07:50"]


def test_details_have_a_line_for_each_thing_that_is_set() -> None:
    now = _now(rooms=(SET,), exams=(an_exam(),))
    row = room_row(now, now.policy.networks[0])
    wording = Wording(Texts("en"), now.clock)
    lines = [text for one in ROOM.columns for text, _ in one.cells(row, wording)]
    assert lines[0] == "grade 8"
    assert lines[-2] == "room lab has grade 8 until 07:10"
    assert lines[-1].startswith("exam in room lab")
    assert len(row["timetable"]) == 2


def test_a_week_has_the_weekdays_and_lessons_that_are_used() -> None:
    now = _now()
    listing, rows = week(now, now.policy.networks[0])
    assert [one.heading for one in listing.columns] == ["", "Mon"]
    assert rows == [{"lesson": "tiet-1", "0": "6"}, {"lesson": "tiet-2", "0": "9"}]
