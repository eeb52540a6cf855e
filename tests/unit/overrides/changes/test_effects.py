# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from filterd.base.errors import ChangeError, StoreError
from filterd.overrides.changes.effects import (
    NOTHING,
    ChangeContext,
    ChangeEffect,
    Fold,
    check_there,
    end_of,
    from_plain,
    has_ended,
    interval,
    is_over,
    things_of,
    to_plain,
)
from filterd.policy.temporary_rules import Overrides, RoomDevices, RoomSetting
from filterd.texts.i18n import say
from tests.support.changes import Book

DEVICES = RoomDevices("lab-a", ("02:00:5e:10:00:01",))
OTHER = RoomDevices("lab-a", ("02:00:5e:10:00:02",))
SETTING = RoomSetting(2, "lab-a", "8", "", "lan", 10.0, 20.0)


def apply(overrides: Overrides, effect: ChangeEffect, number: int) -> Overrides:
    fold = Fold(overrides)
    fold.apply(effect)
    return fold.overrides(number)


def test_things_are_put_and_taken_away() -> None:
    put = apply(NOTHING, ChangeEffect(after=Overrides(devices=(DEVICES,), rooms=(SETTING,))), 2)
    assert put == Overrides(devices=(DEVICES,), rooms=(SETTING,), number=2)
    assert apply(put, ChangeEffect(Overrides(rooms=(SETTING,))), 3) == Overrides(
        devices=(DEVICES,), number=3
    )


def test_an_effect_turned_round_takes_itself_back() -> None:
    effect = ChangeEffect(Overrides(devices=(DEVICES,)), Overrides(devices=(OTHER,)))
    before = Overrides(devices=(DEVICES,), number=1)
    after = apply(before, effect, 2)
    assert after.devices == (OTHER,)
    assert apply(after, effect.inverse(), 1) == before


def test_things_stand_in_the_order_of_their_making() -> None:
    later = RoomSetting(9, "lab-b", "6", "", "lan", 5.0)
    put = apply(Overrides(rooms=(later,)), ChangeEffect(after=Overrides(rooms=(SETTING,))), 10)
    assert [room.id for room in put.rooms] == [2, 9]


@pytest.mark.parametrize(
    ("effect", "message"),
    [
        (ChangeEffect(Overrides(devices=(OTHER,))), "was not there"),
        (ChangeEffect(Overrides(rooms=(SETTING,))), "was not there"),
        (ChangeEffect(after=Overrides(devices=(OTHER,))), "was there already"),
    ],
)
def test_an_effect_that_does_not_follow_is_refused(effect: ChangeEffect, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        apply(Overrides(devices=(DEVICES,)), effect, 2)


def test_a_record_names_only_what_is_there_and_comes_back() -> None:
    things = Overrides(devices=(DEVICES,), rooms=(SETTING,))
    record = to_plain(things)
    assert record.keys() == {"rooms", "devices"}
    assert from_plain(json.loads(json.dumps(record))) == things
    assert to_plain(NOTHING) == {}
    assert from_plain({}) == NOTHING


@pytest.mark.parametrize("record", [{"rooms": [{}]}, {"rooms": 1}, {"more": []}])
def test_a_record_of_something_else_is_refused(record: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_plain(record)


def test_what_has_an_end_has_ended_at_it() -> None:
    assert [has_ended(SETTING, at) for at in (19.9, 20.0)] == [False, True]
    assert not has_ended(DEVICES, 1e9)
    assert list(things_of(Overrides(devices=(DEVICES,), rooms=(SETTING,)))) == [SETTING, DEVICES]


def test_what_has_a_length_is_over_when_that_is_whatever_its_end_says() -> None:
    """Its end is by a clock that may be wrong."""
    waiting = replace(SETTING, for_s=30.0)
    assert [is_over(waiting, at) for at in (20.0, 39.9, 40.0)] == [False, False, True]
    assert [is_over(SETTING, at) for at in (19.9, 20.0)] == [False, True]


MAKING = ChangeContext(1, 100.0, "lan", "", NOTHING, Book())


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
    ("starts_at", "ends_at", "message"),
    [(None, 100.0, "its end is past"), (None, 5.0, "past"), (200.0, 150.0, "before it begins")],
)
def test_what_would_never_hold_is_refused(
    starts_at: float | None, ends_at: float, message: str
) -> None:
    with pytest.raises(ChangeError, match=message):
        interval(starts_at, ends_at, MAKING)


def test_what_is_ended_must_be_there_and_not_be_over() -> None:
    setting = RoomSetting(1, "lab-a", "8", "", "lan", 10.0, 20.0)
    with pytest.raises(ChangeError, match="there is no setting 1"):
        check_there(1, NOTHING, MAKING, say("setting"))
    with pytest.raises(ChangeError, match="1 has already ended"):
        check_there(1, Overrides(rooms=(setting,)), MAKING, say("setting"))


def test_the_end_of_a_change_is_that_of_its_things() -> None:
    assert end_of(Overrides(rooms=(SETTING,))) == 20.0
    assert end_of(Overrides(devices=(DEVICES,))) is None
    assert end_of(NOTHING) is None
