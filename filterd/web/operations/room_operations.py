# SPDX-License-Identifier: Apache-2.0
"""Work out rooms, timetables and classes, and word what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.state_file import to_plain
from filterd.operations import classes, devices, rooms
from filterd.overrides.current_rows import class_row, class_rows, room_row, room_rows
from filterd.overrides.override_rows import set_for
from filterd.policy.school_week import LESSON_HEADING, lesson_rows
from filterd.texts.i18n import say
from filterd.web.endpoint import endpoint
from filterd.web.school_state import check_known, in_force, policy_of
from filterd.web.wanted_change import done

if TYPE_CHECKING:
    from filterd.operations.classes import ReadClass, ReadClasses
    from filterd.operations.rooms import ReadRoom, ReadRooms, ReadTimetable
    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor


async def _rooms(visitor: Visitor, _: ReadRooms) -> Any:
    return room_rows(await in_force(visitor))


async def _room(visitor: Visitor, asked: ReadRoom) -> Any:
    now = await in_force(visitor)
    check_known(asked.room, [network.id for network in now.policy.networks], say("room"))
    return room_row(
        now, next(network for network in now.policy.networks if network.id == asked.room)
    )


async def _timetable(visitor: Visitor, _: ReadTimetable) -> Any:
    policy = await policy_of(visitor)
    table = lesson_rows(policy.networks, policy)
    return {
        "lessons": to_plain(policy.lessons),
        "rows": [dict(zip(LESSON_HEADING, one, strict=True)) for one in table],
    }


async def _classes(visitor: Visitor, _: ReadClasses) -> Any:
    return class_rows(await in_force(visitor))


async def _class(visitor: Visitor, asked: ReadClass) -> Any:
    now = await in_force(visitor)
    id_ = check_known(asked.class_, [one.id for one in now.policy.classes], say("class"))
    things = set_for(now.policy.grades[id_], now.overrides, now.clock.now)
    row = class_row(now, next(one for one in now.policy.classes if one.id == id_))
    return {**row, "exceptions": [thing for kind, thing in things if kind == "exceptions"]}


def _watched(answer: Any, _: Visitor) -> Sentence:
    return say("Room {room} is watched: switch its devices on.", room=answer["room"])


def _searched(answer: Any, _: Visitor) -> Sentence:
    return say("Let the devices join the network now.") if answer["for_s"] else say("Done.")


ROOMS = endpoint(rooms.ROOMS, _rooms)
ROOM_READ = endpoint(rooms.ROOM_READ, _room)
TIMETABLE = endpoint(rooms.TIMETABLE, _timetable)
WATCH_ROOM = endpoint(rooms.WATCH_ROOM, done=_watched)
LEARN_ROOM = endpoint(rooms.LEARN_ROOM, done=done)
NAME_DEVICE = endpoint(devices.NAME_DEVICE, done=done)
ASSIGN = endpoint(devices.ASSIGN, done=done)
UNASSIGN = endpoint(devices.UNASSIGN, done=done)
WATCH_SHARED = endpoint(devices.WATCH_SHARED, done=_searched)
CLASSES = endpoint(classes.CLASSES, _classes)
CLASS_READ = endpoint(classes.CLASS_READ, _class)
