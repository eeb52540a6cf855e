# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.errors import ChangeError
from filterd.i18n import say
from filterd.overrides.change_context import Making, check_there, interval
from filterd.overrides.effects import NOTHING, only
from filterd.policy.temporary_rules import RoomSetting
from tests.support.changes import Book

MAKING = Making(1, 100.0, "lan", "", NOTHING, Book())


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "held"),
    [
        (None, None, (100.0, None)),
        (50.0, 150.0, (100.0, 150.0)),
        (120.0, 150.0, (120.0, 150.0)),
    ],
)
def test_what_would_have_begun_earlier_begins_now(
    starts_at: float | None, ends_at: float | None, held: tuple[float, float | None]
) -> None:
    assert interval(starts_at, ends_at, MAKING) == held


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "told"),
    [(None, 100.0, "its end is past"), (None, 5.0, "past"), (200.0, 150.0, "before it begins")],
)
def test_what_would_never_hold_is_refused(
    starts_at: float | None, ends_at: float, told: str
) -> None:
    with pytest.raises(ChangeError, match=told):
        interval(starts_at, ends_at, MAKING)


def test_what_is_ended_must_be_there_and_not_be_over() -> None:
    setting = RoomSetting(1, "lab-a", "8", "", "lan", 10.0, 20.0)
    with pytest.raises(ChangeError, match="there is no setting 1"):
        check_there(1, NOTHING, MAKING, say("setting"))
    with pytest.raises(ChangeError, match="1 has ended already"):
        check_there(1, only(rooms=(setting,)), MAKING, say("setting"))
