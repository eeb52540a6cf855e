# SPDX-License-Identifier: Apache-2.0
"""What the manager of a school answers to the pages: made of a policy and overrides."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base.state_file import to_plain
from filterd.overrides.current_rows import levels_now
from filterd.overrides.override_rows import with_states
from filterd.overrides.rights.own_lesson import own_lesson
from filterd.overrides.rights.permissions import Classroom
from filterd.overrides.rights.roles import Author, Rank
from filterd.policy import policy_file
from filterd.policy.effective_policy import EffectiveState, at
from filterd.policy.grade_rows import ids
from filterd.policy.policy_matrix import policy_matrix
from filterd.policy.school_week import school_week
from filterd.policy.temporary_rules import Overrides
from filterd.texts.rows import SchoolClock
from tests.support.week import SEVEN, timetabled, with_classes

if TYPE_CHECKING:
    from filterd.policy.model import Policy

NOW = SEVEN + 60
HOSTILE = '<script>alert("1")</script>\'&'


def school_answers(
    policy: Policy | None = None, now: float = NOW, teacher: str = "lan", **overrides: Any
) -> dict[str, Any]:
    """Return answers by command, for ``rendered.a_visitor``."""
    policy = policy or with_classes(timetabled("6A", "9B"))
    set_ = Overrides(**overrides)
    moment = at(policy, set_, now)
    school = Classroom(policy, set_, now, SEVEN + 17 * 3600, lambda _: None)
    author = Author(teacher, Rank.TEACHER)
    return {
        "policy": policy_file.dump(policy).decode(),
        "overrides": to_plain(set_),
        "clock": {"policy_time": now, "floor": now},
        "ids": ids(policy),
        "exceptions": lambda **asked: with_states(set_, "exceptions", now, [] if asked else None),
        "exams": lambda **asked: with_states(set_, "exams", now, [] if asked else None),
        "log levels": levels_now(
            EffectiveState(policy, set_, moment, SchoolClock(ZoneInfo(policy.time_zone), now))
        ),
        "history": [],
        "mistakes": [],
        "policy-matrix": policy_matrix(policy, set_, moment, now),
        "school-week": lambda day="2026-03-02": school_week(policy, set_, date.fromisoformat(day)),
        "own-lesson": lambda place="": own_lesson(author, school, moment, place),
    }
