# SPDX-License-Identifier: Apache-2.0
"""Operations on rooms, timetables, classes and devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.addresses import is_random
from filterd.operations.answers import (
    FLAG,
    TEXT,
    TEXTS,
    WHOLE,
    each,
    maybe,
    of,
    record,
    rows,
    table,
)
from filterd.operations.changes import CHANGE, NOTHING_CHANGED
from filterd.operations.operation import ADMINS, TEACHERS
from filterd.operations.parameters.scalar import Fields, Flag, Several, Text, Whole
from filterd.operations.parameters.seat import CLASS
from filterd.operations.parameters.term import TERM, Term
from filterd.operations.request import REASON
from filterd.overrides.changes.assignments import macs_of, moved, place_of, taken_out
from filterd.overrides.changes.change_fields import MAX_DEVICES
from filterd.overrides.current_rows import class_row, class_rows, room_row, room_rows
from filterd.overrides.override_rows import set_for
from filterd.overrides.target_text import class_from
from filterd.policy.grade_changes import Why, with_devices
from filterd.policy.model import Lesson, Period
from filterd.policy.school_week import LESSON_HEADING, lesson_rows
from filterd.policy.temporary_rules import ClassLoan, Exam, LocalException, RoomSetting
from filterd.texts.i18n import say
from filterd.web.endpoint import WebOperation, asks
from filterd.web.school_state import check_known, in_force, policy_of
from filterd.web.wanted_change import change, done

if TYPE_CHECKING:
    from filterd.web.visitor import Visitor

_LONGEST_WATCH_S = 3_600

ROOM = Text(64, least=1)
_SEAT = Text(32, least=1, about="A grade or class")
_DEVICES = Several(Text(64, least=1), MAX_DEVICES, 1, "MACs, or addresses that devices have now")
_IN_ROOM = {
    "room": TEXT,
    "is_room": FLAG,
    "grade": TEXT,
    "class": maybe(TEXT),
    "why": of(Why),
    "lesson": maybe(TEXT),
    "author": maybe(TEXT),
    "until": maybe({"type": "number"}),
    "exam": maybe(WHOLE),
    "holiday": maybe(table(TEXT)),
    "has_timetable": FLAG,
    **each(TEXTS, "cidrs", "interfaces", "macs"),
}
_CLASS_FIELDS = {
    "class": TEXT,
    "grade": TEXT,
    **each(TEXTS, "teachers", "networks", "sits_in"),
    "loans": rows(of(ClassLoan)),
    "lessons": rows(record({"weekday": WHOLE, "lesson": TEXT, "room": TEXT, "teacher": TEXT})),
}
_SEEN = record({"mac": TEXT, "address": TEXT, "name": TEXT})


async def _rooms(visitor: Visitor, _: dict[str, Any]) -> Any:
    return room_rows(await in_force(visitor))


async def _room(visitor: Visitor, given: dict[str, Any]) -> Any:
    now = await in_force(visitor)
    check_known(given["room"], [one.id for one in now.policy.networks], say("room"))
    return room_row(now, next(one for one in now.policy.networks if one.id == given["room"]))


async def _set_room(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await change(visitor, "room", given, **Term.take(given).payload)


async def _timetable(visitor: Visitor, _: dict[str, Any]) -> Any:
    policy = await policy_of(visitor)
    return {
        "lessons": [
            {"id": one.id, "starts_s": one.starts_s, "ends_s": one.ends_s} for one in policy.lessons
        ],
        "rows": [
            dict(zip(LESSON_HEADING, one, strict=True))
            for one in lesson_rows(policy.networks, policy)
        ],
    }


async def _learn(visitor: Visitor, given: dict[str, Any]) -> Any:
    seen = (await visitor.ask("room-seen", room=given["room"]))["devices"]
    takes_random, adds = given.pop("random", False), given.pop("add", False)
    macs = {one["mac"] for one in seen if takes_random or not is_random(one["mac"])}
    if not macs:
        return NOTHING_CHANGED
    if adds:
        now = await in_force(visitor)
        there = {one.id: one.macs for one in with_devices(now.policy, now.overrides)}
        macs |= {*there.get(given["room"], ())}
    return await change(visitor, "room-devices", given, macs=sorted(macs))


async def _name(visitor: Visitor, given: dict[str, Any]) -> Any:
    (mac,) = await _macs(visitor, [given.pop("device")])
    return await change(visitor, "device-name", {"name": "", **given}, mac=mac)


async def _assign(visitor: Visitor, given: dict[str, Any]) -> Any:
    kind, _, place = given.pop("to").partition(":")
    now, macs = await in_force(visitor), await _macs(visitor, given.pop("devices"))
    is_class = kind == "class"
    network = place_of(now.policy, place if is_class else None, None if is_class else place)
    return await _move(visitor, given, moved(now.policy, now.overrides, network, macs))


async def _unassign(visitor: Visitor, given: dict[str, Any]) -> Any:
    now, macs = await in_force(visitor), await _macs(visitor, given.pop("devices"))
    return await _move(visitor, given, taken_out(now.policy, now.overrides, macs))


async def _macs(visitor: Visitor, words: list[str]) -> list[str]:
    return macs_of(words, await visitor.ask("devices"))


async def _move(visitor: Visitor, given: dict[str, Any], rooms: list[dict[str, Any]]) -> Any:
    if not rooms:
        return NOTHING_CHANGED
    if len(rooms) == 1:
        return await change(visitor, "room-devices", given, **rooms[0])
    return await change(visitor, "device-table", given, rooms=rooms)


async def _watch_nat(visitor: Visitor, given: dict[str, Any]) -> Any:
    await visitor.ask("nat-watch", for_s=given["for_s"])
    return {"for_s": given["for_s"]}


async def _classes(visitor: Visitor, _: dict[str, Any]) -> Any:
    return class_rows(await in_force(visitor))


async def _class(visitor: Visitor, given: dict[str, Any]) -> Any:
    now = await in_force(visitor)
    id_ = check_known(given["class"], [one.id for one in now.policy.classes], say("class"))
    grade = now.policy.grades[id_]
    things = set_for(grade, now.overrides, now.clock.now)
    row = class_row(now, next(one for one in now.policy.classes if one.id == id_))
    return {**row, "exceptions": [thing for kind, thing in things if kind == "exceptions"]}


async def _lend(visitor: Visitor, given: dict[str, Any]) -> Any:
    given["class_id"] = class_from(given.pop("class"))
    return await change(visitor, "class-lend", given, **Term.take(given).payload)


ROOMS = WebOperation(
    name="readRooms",
    method="GET",
    path="/rooms",
    about="Each network: the grade or class there now, why and until when, its devices.",
    run=_rooms,
    answer=rows(record(_IN_ROOM)),
    commands=("room list", "room export"),
    tag="rooms",
)
ROOM_READ = WebOperation(
    name="readRoom",
    method="GET",
    path="/rooms/{room}",
    about="One room: its grade now, its timetable, its devices, what is set.",
    run=_room,
    fields=Fields({"room": ROOM}, ("room",)),
    answer=record(
        {
            **_IN_ROOM,
            "rooms": rows(of(RoomSetting)),
            "exams": rows(of(Exam)),
            "timetable": rows(of(Period)),
        }
    ),
    commands=("room show",),
    tag="rooms",
)
SET_ROOM = WebOperation(
    name="setRoom",
    method="POST",
    path="/rooms/{room}/seat",
    about="Set the grade or class of a room for a time, whatever its timetable has.",
    run=_set_room,
    fields=Fields({"room": ROOM, "grade": _SEAT, **TERM, "reason": REASON}, ("room", "grade")),
    roles=TEACHERS,
    answer=CHANGE,
    commands=("room set",),
    tag="rooms",
    done=done,
)
TIMETABLE = WebOperation(
    name="readTimetable",
    method="GET",
    path="/timetable",
    about="The lessons of the day, and the timetables of rooms, a row for each lesson.",
    run=_timetable,
    answer=record(
        {"lessons": rows(of(Lesson)), "rows": rows(record(dict.fromkeys(LESSON_HEADING, TEXT)))}
    ),
    commands=("timetable export",),
    tag="rooms",
)
WATCH_ROOM = WebOperation(
    name="watchRoom",
    method="POST",
    path="/rooms/{room}/watch",
    about="Begin to watch which devices appear in a room while it is switched on.",
    run=asks("room-watch"),
    fields=Fields({"room": ROOM}, ("room",)),
    roles=ADMINS,
    answer=record({"room": TEXT, "already": TEXTS}),
    commands=("room learn",),
    tag="rooms",
    done=lambda answer, _: say(
        "Room {room} is watched: switch its devices on.", room=answer["room"]
    ),
)
APPEARED = WebOperation(
    name="readAppeared",
    method="GET",
    path="/rooms/{room}/watch",
    about="The devices that have appeared since the watch began.",
    run=asks("room-seen"),
    fields=Fields({"room": ROOM}, ("room",)),
    roles=ADMINS,
    answer=record({"devices": rows(_SEEN)}),
    commands=("room learn",),
    tag="rooms",
)
LEARN_ROOM = WebOperation(
    name="learnRoom",
    method="POST",
    path="/rooms/{room}/devices",
    about="Keep the devices that have appeared as those of the room.",
    run=_learn,
    fields=Fields(
        {
            "room": ROOM,
            "add": Flag("Keep the devices that the room has"),
            "random": Flag("Include devices with a randomised MAC"),
            "reason": REASON,
        },
        ("room",),
    ),
    roles=ADMINS,
    answer=CHANGE,
    commands=("room learn",),
    tag="rooms",
    done=done,
)
DEVICES = WebOperation(
    name="readDevices",
    method="GET",
    path="/devices",
    about="The devices on the links, unknown ones first; a teacher: of the rooms taught in now.",
    run=asks("devices"),
    roles=TEACHERS,
    answer=rows(
        record(
            {
                **each(TEXT, "mac", "name", "host", "maker"),
                "is_random": FLAG,
                "is_here": FLAG,
                "addresses": TEXTS,
                "network": maybe(TEXT),
                "grade": maybe(TEXT),
                "class": maybe(TEXT),
            }
        )
    ),
    commands=("devices list",),
    tag="devices",
)
STRANGERS = WebOperation(
    name="readUnknownDevices",
    method="GET",
    path="/devices/unknown",
    about="The devices that are in no network.",
    run=asks("room-seen"),
    roles=TEACHERS,
    answer=record({"devices": rows(_SEEN)}),
    commands=("room list",),
    tag="devices",
)
NAME_DEVICE = WebOperation(
    name="nameDevice",
    method="POST",
    path="/devices/name",
    about="Name a device; the history keeps the name for good, so no pupil's.",
    run=_name,
    fields=Fields({"device": Text(64, least=1), "name": Text(100), "reason": REASON}, ("device",)),
    roles=ADMINS,
    answer=CHANGE,
    commands=("devices name",),
    tag="devices",
    done=done,
)
ASSIGN = WebOperation(
    name="assignDevices",
    method="POST",
    path="/devices/assign",
    about="Put devices into a class, a room or another network, from wherever they are.",
    run=_assign,
    fields=Fields(
        {
            "devices": _DEVICES,
            "to": Text(72, r"(class|network):.{1,64}", about="class:6A or network:lab-a"),
            "reason": REASON,
        },
        ("devices", "to"),
    ),
    roles=ADMINS,
    answer=CHANGE,
    commands=("devices assign", "room import"),
    tag="devices",
    done=done,
)
UNASSIGN = WebOperation(
    name="unassignDevices",
    method="POST",
    path="/devices/unassign",
    about="Take devices out of where commands have put them.",
    run=_unassign,
    fields=Fields({"devices": _DEVICES, "reason": REASON}, ("devices",)),
    roles=ADMINS,
    answer=CHANGE,
    commands=("devices unassign",),
    tag="devices",
    done=done,
)
WATCH_NAT = WebOperation(
    name="watchShared",
    method="POST",
    path="/devices/shared",
    about="Begin, or with 0 end, the search for addresses that several devices share.",
    run=_watch_nat,
    fields=Fields({"for_s": Whole(0, _LONGEST_WATCH_S)}, ("for_s",)),
    roles=ADMINS,
    answer=record({"for_s": WHOLE}),
    commands=("devices nat",),
    tag="devices",
    done=lambda answer, _: (
        say("Let the devices join the network now.") if answer["for_s"] else say("Done.")
    ),
)
SHARED = WebOperation(
    name="readShared",
    method="GET",
    path="/devices/shared",
    about="Addresses that several devices share: access points with NAT.",
    run=asks("nat-seen"),
    roles=ADMINS,
    answer=rows(record({"address": TEXT, "makers": TEXTS})),
    commands=("devices nat",),
    tag="devices",
)
CLASSES = WebOperation(
    name="readClasses",
    method="GET",
    path="/classes",
    about="The classes: grade, teachers, home rooms, where they sit now, lessons, loans.",
    run=_classes,
    answer=rows(record(_CLASS_FIELDS)),
    commands=("class list",),
    tag="classes",
)
CLASS_READ = WebOperation(
    name="readClass",
    method="GET",
    path="/classes/{class}",
    about="One class, with what is set for it.",
    run=_class,
    fields=Fields({"class": CLASS}, ("class",)),
    answer=record({**_CLASS_FIELDS, "exceptions": rows(of(LocalException))}),
    commands=("class show",),
    tag="classes",
)
LEND = WebOperation(
    name="lendClass",
    method="POST",
    path="/classes/{class}/loans",
    about="Give a substitute teacher the rights on a class for a time.",
    run=_lend,
    fields=Fields(
        {"class": CLASS, "to": Text(64, least=1), **TERM, "reason": REASON}, ("class", "to")
    ),
    roles=TEACHERS,
    answer=CHANGE,
    commands=("class lend",),
    tag="classes",
    done=done,
)
