# SPDX-License-Identifier: Apache-2.0
"""Show rooms and timetables, set a room, and learn its devices.

Reading has no command of its own: a face works it out of what is in force.
"""

from __future__ import annotations

from typing import Annotated, Any

from filterd.accounts.grant import TokenScope
from filterd.base.value_class import frozen
from filterd.operations.answers import (
    FLAG,
    TEXT,
    TEXTS,
    WHOLE,
    each,
    maybe,
    record,
    rows,
    table,
)
from filterd.operations.changes import CHANGE
from filterd.operations.operation import ADMINS, TEACHERS, Operation
from filterd.operations.parameters.room import ROOM
from filterd.operations.parameters.scalar import Flag, Text
from filterd.operations.parameters.term import Term, TermFields
from filterd.operations.request import OperationRequest, Reason, RequestedChange
from filterd.policy.grade_changes import Why
from filterd.policy.model import Lesson, Period
from filterd.policy.school_week import LESSON_HEADING
from filterd.policy.temporary_rules import Exam, RoomSetting

_IN_ROOM = {
    "room": TEXT,
    "is_room": FLAG,
    "grade": TEXT,
    "class": maybe(TEXT),
    "why": Why,
    "lesson": maybe(TEXT),
    "author": maybe(TEXT),
    "until": maybe({"type": "number"}),
    "exam": maybe(WHOLE),
    "holiday": maybe(table(TEXT)),
    "has_timetable": FLAG,
    **each(TEXTS, "cidrs", "interfaces", "macs"),
}
SEEN = record({"mac": TEXT, "address": TEXT, "name": TEXT})


@frozen
class ReadRooms(OperationRequest[Any]):
    """The networks with what is there now."""


@frozen
class ReadRoom(OperationRequest[Any]):
    """One network."""

    room: Annotated[str, ROOM]


@frozen
class ReadTimetable(OperationRequest[Any]):
    """The timetables of rooms."""


@frozen(kw_only=True)
class SetRoom(RequestedChange, kind="room"):
    """Give a room a grade or class for a time."""

    room: Annotated[str, ROOM]
    grade: Annotated[str, Text(32, least=1, about="A grade or class")]
    term: Annotated[Term, TermFields()]


@frozen
class WatchedRoom:
    """A room that is watched, with the MACs that answer already."""

    room: str
    already: tuple[str, ...]


@frozen
class WatchRoom(OperationRequest[WatchedRoom], command="room-watch"):
    """Watch which devices appear."""

    room: Annotated[str, ROOM]


@frozen
class ReadAppeared(
    OperationRequest[dict[str, Any]], command="room-seen", scopes=(TokenScope.ALL_READ,)
):
    """The devices that have appeared in a watched room."""

    room: Annotated[str, ROOM]


@frozen(kw_only=True)
class LearnRoom(OperationRequest[dict[str, Any]], command="room learn"):
    """Keep the devices that have appeared."""

    room: Annotated[str, ROOM]
    add: Annotated[bool, Flag("Keep the devices that the room has")] = False
    random: Annotated[bool, Flag("Include devices with a randomised MAC")] = False
    reason: Reason = ""


ROOMS = Operation(
    name="readRooms",
    method="GET",
    path="/rooms",
    about="Each network: the grade or class there now, why and until when, its devices.",
    request=ReadRooms,
    answer=rows(record(_IN_ROOM)),
    commands=("room list", "room export"),
    tag="rooms",
)
ROOM_READ = Operation(
    name="readRoom",
    method="GET",
    path="/rooms/{room}",
    about="One room: its grade now, its timetable, its devices, what is set.",
    request=ReadRoom,
    answer=record(
        {
            **_IN_ROOM,
            "rooms": rows(RoomSetting),
            "exams": rows(Exam),
            "timetable": rows(Period),
        }
    ),
    commands=("room show",),
    tag="rooms",
)
SET_ROOM = Operation(
    name="setRoom",
    method="POST",
    path="/rooms/{room}/seat",
    about="Set the grade or class of a room for a time, whatever its timetable has.",
    request=SetRoom,
    roles=TEACHERS,
    answer=CHANGE,
    commands=("room set",),
    tag="rooms",
)
TIMETABLE = Operation(
    name="readTimetable",
    method="GET",
    path="/timetable",
    about="The lessons of the day, and the timetables of rooms, a row for each lesson.",
    request=ReadTimetable,
    answer=record(
        {"lessons": rows(Lesson), "rows": rows(record(dict.fromkeys(LESSON_HEADING, TEXT)))}
    ),
    commands=("timetable export",),
    tag="rooms",
)
WATCH_ROOM = Operation(
    name="watchRoom",
    method="POST",
    path="/rooms/{room}/watch",
    about="Begin to watch which devices appear in a room while it is switched on.",
    request=WatchRoom,
    roles=ADMINS,
    answer=WatchedRoom,
    commands=("room learn",),
    tag="rooms",
)
APPEARED = Operation(
    name="readAppeared",
    method="GET",
    path="/rooms/{room}/watch",
    about="The devices that have appeared since the watch began.",
    request=ReadAppeared,
    roles=ADMINS,
    answer=record({"devices": rows(SEEN)}),
    commands=("room learn",),
    tag="rooms",
)
LEARN_ROOM = Operation(
    name="learnRoom",
    method="POST",
    path="/rooms/{room}/devices",
    about="Keep the devices that have appeared as those of the room.",
    request=LearnRoom,
    roles=ADMINS,
    answer=CHANGE,
    commands=("room learn",),
    tag="rooms",
)
