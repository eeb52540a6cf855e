# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from filterd.policy.temporary_rules import LogSetting, Overrides, TargetKind, written


def test_without_a_change_nothing_is_set() -> None:
    assert Overrides() == Overrides((), (), (), (), (), 0)


def test_they_cannot_be_changed_in_place() -> None:
    with pytest.raises(FrozenInstanceError):
        Overrides().number = 1  # type: ignore[misc]


def test_a_target_is_called_as_commands_call_it() -> None:
    kinds = ["name", "service", "category", "entry", "pause"]
    assert [str(kind) for kind in TargetKind] == kinds
    assert [written(kind, "x") for kind in kinds] == [
        "x",
        "service:x",
        "category:x",
        "entry:x",
        "pause",
    ]


@pytest.mark.parametrize(
    ("level", "confirmed_by", "waits"),
    [("full", "", True), ("full", "minh", False), ("names", "", False), ("off", "minh", False)],
)
def test_only_full_waits_and_only_for_its_second_person(
    level: str, confirmed_by: str, waits: bool
) -> None:
    setting = LogSetting(1, "primary", level, "", "lan", 0.0, 60.0, confirmed_by)
    assert setting.is_waiting is waits
