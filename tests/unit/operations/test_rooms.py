# SPDX-License-Identifier: Apache-2.0
"""Rooms are set for a time, and their devices are learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.rooms import LEARN_ROOM, LearnRoom, ReadAppeared, SetRoom, WatchRoom
from filterd.overrides.rights.roles import Role

if TYPE_CHECKING:
    from filterd.operations.request import OperationRequest


def test_a_room_is_set_for_a_term() -> None:
    asked = SetRoom.read({"room": "lab", "grade": "9B", "term": "2700", "reason": "x"})
    assert asked.change == ("room", {"room": "lab", "grade": "9B", "for_s": 2_700})
    assert asked.arguments["reason"] == "x"


def test_devices_with_a_randomised_mac_are_learned_on_request_only() -> None:
    assert LearnRoom.read({"room": "lab"}).random is False
    assert LearnRoom.read({"room": "lab", "random": "on", "add": "on"}).arguments == {
        "room": "lab",
        "random": True,
        "add": True,
    }
    assert LEARN_ROOM.roles == {Role.ADMIN}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (SetRoom, {"room": "lab", "grade": "8"}),
        (SetRoom, {"room": "lab", "grade": "8", "for_s": 60, "lesson": True}),
        (SetRoom, {"room": "lab", "for_s": 60}),
        (SetRoom, {"grade": "8", "for_s": 60}),
        (WatchRoom, {}),
        (WatchRoom, {"room": ["lab"]}),
        (ReadAppeared, {"room": ""}),
        (LearnRoom, {"room": "lab", "random": "maybe"}),
    ],
)
def test_what_is_wrong_is_refused(kind: type[OperationRequest[Any]], given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        kind.read(given)
