# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest

from filterd.errors import StoreError
from filterd.overrides.effects import (
    NOTHING,
    ChangeEffect,
    Fold,
    from_plain,
    has_ended,
    only,
    things_of,
    to_plain,
)
from filterd.policy.temporary_rules import Overrides, RoomDevices, RoomSetting

DEVICES = RoomDevices("lab-a", ("02:00:5e:10:00:01",))
OTHER = RoomDevices("lab-a", ("02:00:5e:10:00:02",))
SETTING = RoomSetting(2, "lab-a", "8", "", "lan", 10.0, 20.0)


def apply(overrides: Overrides, effect: ChangeEffect, number: int) -> Overrides:
    fold = Fold(overrides)
    fold.apply(effect)
    return fold.overrides(number)


def test_things_are_put_and_taken_away() -> None:
    put = apply(NOTHING, ChangeEffect(after=only(devices=(DEVICES,), rooms=(SETTING,))), 2)
    assert put == Overrides(devices=(DEVICES,), rooms=(SETTING,), number=2)
    assert apply(put, ChangeEffect(only(rooms=(SETTING,))), 3) == Overrides(
        devices=(DEVICES,), number=3
    )


def test_an_effect_turned_round_takes_itself_back() -> None:
    effect = ChangeEffect(only(devices=(DEVICES,)), only(devices=(OTHER,)))
    before = Overrides(devices=(DEVICES,), number=1)
    after = apply(before, effect, 2)
    assert after.devices == (OTHER,)
    assert apply(after, effect.inverse(), 1) == before


def test_things_stand_in_the_order_of_their_making() -> None:
    later = RoomSetting(9, "lab-b", "6", "", "lan", 5.0)
    put = apply(Overrides(rooms=(later,)), ChangeEffect(after=only(rooms=(SETTING,))), 10)
    assert [one.id for one in put.rooms] == [2, 9]


@pytest.mark.parametrize(
    ("effect", "told"),
    [
        (ChangeEffect(only(devices=(OTHER,))), "was not there"),
        (ChangeEffect(only(rooms=(SETTING,))), "was not there"),
        (ChangeEffect(after=only(devices=(OTHER,))), "was there already"),
    ],
)
def test_an_effect_that_does_not_follow_is_refused(effect: ChangeEffect, told: str) -> None:
    with pytest.raises(StoreError, match=told):
        apply(Overrides(devices=(DEVICES,)), effect, 2)


def test_a_record_names_only_what_is_there_and_comes_back() -> None:
    things = only(devices=(DEVICES,), rooms=(SETTING,))
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
    assert list(things_of(only(devices=(DEVICES,), rooms=(SETTING,)))) == [SETTING, DEVICES]
