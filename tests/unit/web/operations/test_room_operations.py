# SPDX-License-Identifier: Apache-2.0
"""Rooms, classes and devices are shown and set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.changes import NOTHING_CHANGED
from filterd.web.operations.room_operations import (
    ASSIGN,
    CLASS_READ,
    CLASSES,
    LEARN_ROOM,
    NAME_DEVICE,
    ROOM_READ,
    ROOMS,
    TIMETABLE,
    UNASSIGN,
    WATCH_ROOM,
    WATCH_SHARED,
)
from tests.support.operations import RecordedVisitor
from tests.support.week import timetabled, with_classes

if TYPE_CHECKING:
    from filterd.web.endpoint import WebEndpoint

SCHOOL = with_classes(timetabled("6A", "9B"))


def test_rooms_classes_and_timetables_are_those_in_force() -> None:
    visitor = RecordedVisitor(SCHOOL)
    assert "lab" in [one["room"] for one in visitor.do(ROOMS)]
    assert visitor.do(ROOM_READ, room="lab")["timetable"]
    assert {"6A", "9B"} <= {one["class"] for one in visitor.do(CLASSES)}
    assert visitor.do(CLASS_READ, **{"class": "6A"})["exceptions"] == []
    assert {one["class"] for one in visitor.do(TIMETABLE)["rows"]} == {"6A", "9B"}
    with pytest.raises(ConfigError, match="is not a room"):
        visitor.do(ROOM_READ, room="attic")


@pytest.mark.parametrize(
    "operation", [LEARN_ROOM, NAME_DEVICE, ASSIGN, UNASSIGN], ids=lambda one: one.name
)
def test_where_nothing_moves_a_page_says_so(operation: WebEndpoint) -> None:
    visitor = RecordedVisitor()
    assert operation.done is not None
    assert "nothing is changed" in visitor.texts(operation.done(NOTHING_CHANGED, visitor))


def test_a_page_says_what_to_do_while_devices_are_watched() -> None:
    visitor = RecordedVisitor(
        answers={"nat-watch": {"for_s": 600}, "room-watch": {"room": "lab", "already": []}}
    )
    for operation, given, said in (
        (WATCH_SHARED, {"for_s": 600}, "join the network now"),
        (WATCH_ROOM, {"room": "lab"}, "switch its devices on"),
    ):
        assert operation.done is not None
        assert said in visitor.texts(operation.done(visitor.do(operation, **given), visitor))
