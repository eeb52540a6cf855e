# SPDX-License-Identifier: Apache-2.0
"""Rooms, classes and devices are shown and set."""

from __future__ import annotations

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.changes import NOTHING_CHANGED
from filterd.web.operations.room_operations import (
    ASSIGN,
    CLASS_READ,
    CLASSES,
    LEARN_ROOM,
    LEND,
    NAME_DEVICE,
    ROOM_READ,
    ROOMS,
    SET_ROOM,
    TIMETABLE,
    UNASSIGN,
)
from tests.support.operations import RecordedVisitor
from tests.support.week import timetabled, with_classes

SCHOOL = with_classes(timetabled("6A", "9B"))
CARD, PHONE = "00:00:5e:00:53:01", "02:00:5e:00:00:09"


def test_rooms_classes_and_timetables_are_those_in_force() -> None:
    visitor = RecordedVisitor(SCHOOL)
    assert "lab" in [one["room"] for one in visitor.do(ROOMS)]
    assert visitor.do(ROOM_READ, room="lab")["timetable"]
    assert {"6A", "9B"} <= {one["class"] for one in visitor.do(CLASSES)}
    assert visitor.do(CLASS_READ, **{"class": "6A"})["exceptions"] == []
    assert {one["class"] for one in visitor.do(TIMETABLE)["rows"]} == {"6A", "9B"}
    with pytest.raises(ConfigError, match="is not a room"):
        visitor.do(ROOM_READ, room="attic")


def test_a_room_is_set_and_a_class_is_lent_for_a_time() -> None:
    visitor = RecordedVisitor(SCHOOL)
    asked = visitor.last(SET_ROOM, room="lab", grade="9B", term="2700")
    assert (asked["kind"], asked["grade"], asked["for_s"]) == ("room", "9B", 2_700)
    asked = visitor.last(LEND, **{"class": "6A"}, to="mai", term="86400")
    assert (asked["kind"], asked["class_id"], asked["to"]) == ("class-lend", "6A", "mai")


def test_a_device_is_named_and_moved_by_the_address_that_it_has_now() -> None:
    visitor = RecordedVisitor(
        SCHOOL, answers={"devices": [{"mac": CARD, "addresses": ["10.0.6.21"]}]}
    )
    assert visitor.last(NAME_DEVICE, device="10.0.6.21", name="máy in")["mac"] == CARD
    asked = visitor.last(ASSIGN, devices="10.0.6.21", to="network:lab")
    assert (asked["kind"], asked["room"], CARD in asked["macs"]) == ("room-devices", "lab", True)


def test_where_nothing_moves_nothing_is_asked() -> None:
    visitor = RecordedVisitor(SCHOOL, answers={"devices": []})
    assert visitor.do(UNASSIGN, devices=[CARD]) == NOTHING_CHANGED
    assert UNASSIGN.done is not None
    assert "nothing is changed" in visitor.texts(UNASSIGN.done(NOTHING_CHANGED, visitor))


def test_devices_with_a_randomised_mac_are_learned_on_request_only() -> None:
    visitor = RecordedVisitor(
        SCHOOL, answers={"room-seen": {"devices": [{"mac": PHONE}, {"mac": CARD}]}}
    )
    assert visitor.last(LEARN_ROOM, room="lab")["macs"] == [CARD]
    assert visitor.last(LEARN_ROOM, room="lab", random="on")["macs"] == [CARD, PHONE]
    visitor.answers["room-seen"] = {"devices": [{"mac": PHONE}]}
    assert visitor.do(LEARN_ROOM, room="lab") == NOTHING_CHANGED
