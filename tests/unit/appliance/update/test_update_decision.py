# SPDX-License-Identifier: Apache-2.0
"""When an offered release is installed, and the reason when it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from filterd.appliance.update.update_decision import (
    LONGEST_DELAY_S,
    REASONS,
    UpdateFacts,
    UpdateReason,
    decide,
)
from filterd.config.week_schema import TimeSpan

ZONE = "Asia/Ho_Chi_Minh"
HOUR_S = 3_600


def _at(day: int, hour: int, minute: int = 0) -> float:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo(ZONE)).timestamp()


NIGHT = UpdateFacts(
    now=_at(30, 3, 30),
    time_zone=ZONE,
    is_newer=True,
    ring_at=0.0,
    window=TimeSpan(3 * HOUR_S, 5 * HOUR_S),
    lessons=(TimeSpan(7 * HOUR_S, 11 * HOUR_S), TimeSpan(13 * HOUR_S, 17 * HOUR_S)),
)
_NOT: dict[UpdateReason, dict[str, Any]] = {
    UpdateReason.NOT_NEWER: {"is_newer": False},
    UpdateReason.TAKEN_BACK: {"is_refused": True},
    UpdateReason.EXAM: {"has_exam": True},
    UpdateReason.HELD: {"is_held": True},
    UpdateReason.OFF: {"is_automatic": False},
    UpdateReason.CLOCK: {"clock_known": False},
    UpdateReason.RING: {"ring_at": NIGHT.now + 1},
    UpdateReason.LESSON: {"now": _at(30, 9)},
    UpdateReason.WINDOW: {"now": _at(30, 20)},
}


def test_a_newer_release_is_taken_in_the_night() -> None:
    assert decide(NIGHT).reason is None


@pytest.mark.parametrize("reason", UpdateReason)
def test_each_reason_keeps_it_from_being_taken(reason: UpdateReason) -> None:
    decision = decide(replace(NIGHT, **_NOT[reason]))
    assert decision.reason is reason
    assert decision.why


def test_every_reason_has_a_line() -> None:
    assert [line.reason for line in REASONS] == list(UpdateReason)


@pytest.mark.parametrize("reason", UpdateReason)
def test_a_word_of_an_administrator_hurries_only_what_is_safe(reason: UpdateReason) -> None:
    decision = decide(replace(NIGHT, at_once=True, **_NOT[reason]))
    kept = {UpdateReason.NOT_NEWER, UpdateReason.TAKEN_BACK, UpdateReason.EXAM}
    assert decision.reason is (reason if reason in kept else None)


def test_a_daemon_delays_for_fourteen_days_and_no_longer() -> None:
    exam = replace(NIGHT, has_exam=True, postponed_since=NIGHT.now - LONGEST_DELAY_S + 1)
    assert decide(exam).reason is UpdateReason.EXAM
    assert decide(replace(exam, now=exam.now + 1)).reason is None


def test_no_window_reaches_into_a_lesson() -> None:
    by_day = replace(NIGHT, window=TimeSpan(6 * HOUR_S, 12 * HOUR_S))
    found = {
        (hour, minute): decide(replace(by_day, now=_at(30, hour, minute))).reason
        for hour, minute in ((6, 30), (6, 45), (7, 0), (10, 59), (11, 0))
    }
    lesson = UpdateReason.LESSON
    assert list(found.values()) == [None, lesson, lesson, lesson, None]


@pytest.mark.parametrize(
    ("now", "ring_at", "takes_at"),
    [
        (_at(29, 20), 0.0, _at(30, 3)),
        (_at(30, 1), 0.0, _at(30, 3)),
        (_at(29, 4), _at(30, 4), _at(30, 4)),
        (_at(29, 4), _at(30, 6), datetime(2026, 12, 1, 3, tzinfo=ZoneInfo(ZONE)).timestamp()),
    ],
)
def test_it_states_when_it_will_be_taken(now: float, ring_at: float, takes_at: float) -> None:
    assert decide(replace(NIGHT, now=now, ring_at=ring_at)).takes_at == takes_at
