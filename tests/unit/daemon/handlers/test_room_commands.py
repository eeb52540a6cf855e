# SPDX-License-Identifier: Apache-2.0
"""The devices of a room are watched and kept by administrators."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ControlError
from filterd.daemon.handlers.room_commands import commands
from filterd.policy.temporary_rules import Overrides, RoomDevices
from tests.support.recorded_manager import ADMIN, READER, TEACHER, run_handler

CARD, OTHER, PHONE = "00:00:5e:00:53:01", "00:00:5e:00:53:02", "02:00:5e:00:00:09"
NAMES = ("room-watch", "room-seen", "room learn")


def _learn(*macs: str, **request: Any) -> tuple[Any, list[tuple[Any, ...]]]:
    """Learn the room while these MACs have appeared; it has another one already."""
    answers = {"seen": {"devices": [{"mac": mac} for mac in macs]}, "change": {"number": 7}}
    has = Overrides(devices=(RoomDevices("lab", (OTHER,)),))
    return run_handler(commands, "room learn", ADMIN, answers, has, room="lab", **request)


def test_a_room_is_watched_for_an_administrator() -> None:
    assert run_handler(commands, "room-watch", ADMIN, room="lab")[1][0][:2] == ("begin", "lab")
    assert run_handler(commands, "room-seen", ADMIN, room="lab")[1][0][:2] == ("seen", "lab")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("caller", [READER, TEACHER])
def test_the_refusal_names_the_groups_that_may(name: str, caller: Any) -> None:
    with pytest.raises(ControlError, match=f"{caller.user} may not .*filterd-admin"):
        run_handler(commands, name, caller, room="lab")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("request_", [{}, {"room": "labb"}, {"room": ["lab"]}])
def test_a_room_that_is_none_is_refused(name: str, request_: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        run_handler(commands, name, **request_)


def test_devices_with_a_randomised_mac_are_learned_on_request_only() -> None:
    answer, (_, (_, change, author)) = _learn(PHONE, CARD, reason="máy mới")
    assert answer == {"number": 7, "macs": [CARD], "left_out": [PHONE]}
    assert change == {"kind": "room-devices", "room": "lab", "macs": [CARD], "reason": "máy mới"}
    assert author.name == "minh"
    answer, (_, (_, change, _)) = _learn(PHONE, CARD, random=True)
    assert (change["macs"], answer["left_out"]) == ([CARD, PHONE], [])


def test_those_that_the_room_has_are_kept_on_request() -> None:
    assert _learn(CARD, add=True)[1][1][1]["macs"] == [CARD, OTHER]


@pytest.mark.parametrize("macs", [(), (PHONE,)])
def test_where_none_is_left_nothing_is_changed(macs: tuple[str, ...]) -> None:
    answer, called = _learn(*macs, add=True)
    assert (answer["number"], answer["macs"], answer["left_out"]) == (None, [], [*macs])
    assert [one[0] for one in called] == ["seen"]
