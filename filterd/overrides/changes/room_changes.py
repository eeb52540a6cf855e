# SPDX-License-Identifier: Apache-2.0
"""Changes of rooms, classes and devices: grades, exams, loans, names. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Annotated, Any

from filterd.base.errors import ChangeError
from filterd.base.value_class import frozen
from filterd.overrides.changes import change_fields
from filterd.overrides.changes.change_fields import MAX_DEVICES, MAX_NAMES, MAX_TABLE, ChangeFields
from filterd.overrides.changes.effects import (
    ChangeEffect,
    CheckedChange,
    check_there,
    interval,
    is_over,
)
from filterd.policy import field_checks
from filterd.policy.temporary_rules import (
    ClassLoan,
    DeviceName,
    Exam,
    Overrides,
    RoomDevices,
    RoomSetting,
)
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.overrides.changes.effects import ChangeContext

NAME_DEVICE = "device-name"
"""A kind of change."""
LONGEST_EXAM_S = 12 * 3600.0
"""A longer one is taken for minutes that were written as days."""
_macs = field_checks.many(field_checks.mac, MAX_DEVICES)


@frozen
class SetRoom(CheckedChange):
    """Give a room a grade or class for a time; settings within that time are removed."""

    room: change_fields.Identifier
    grade: Annotated[str, field_checks.grade_or_class]
    starts_at: change_fields.Time | None = None
    ends_at: change_fields.Time | None = None
    for_s: change_fields.Length | None = None

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        starts_at, ends_at = interval(self.starts_at, self.ends_at, context)
        thing = RoomSetting(
            context.number,
            self.room,
            self.grade,
            context.reason,
            context.author,
            starts_at,
            ends_at,
            self.for_s,
        )
        covered = tuple(
            room
            for room in context.overrides.rooms
            if room.room == self.room and _covers(thing, room, context.at)
        )
        return ChangeEffect(Overrides(rooms=covered), Overrides(rooms=(thing,)))


@frozen
class SetRoomDevices(CheckedChange):
    """Set the devices of a room; none: those that the site's files name."""

    room: change_fields.Identifier
    macs: Annotated[tuple[str, ...], _macs]

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        return _devices_effect((RoomDevices(self.room, self.macs),), context)


@frozen
class SetDevices(CheckedChange):
    """Set the devices of several rooms at once, from a table."""

    rooms: Annotated[tuple[RoomDevices, ...], _table]

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        return _devices_effect(self.rooms, context)


@frozen
class NameDevice(CheckedChange):
    """Name a device; an empty name removes the one that it has."""

    mac: Annotated[str, field_checks.mac]
    name: Annotated[str, change_fields.short_text]

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        before = tuple(name for name in context.overrides.device_names if name.mac == self.mac)
        after = (DeviceName(self.mac, self.name),) if self.name else ()
        return ChangeEffect(Overrides(device_names=before), Overrides(device_names=after))


@frozen
class SetExam(CheckedChange):
    """Restrict a room to these targets for the time of an exam."""

    room: change_fields.Identifier
    names: Annotated[tuple[str, ...], field_checks.many(field_checks.name, MAX_NAMES)] = ()
    services: Annotated[tuple[str, ...], field_checks.many(field_checks.identifier, MAX_NAMES)] = ()
    ends_at: change_fields.Time = field(kw_only=True)
    starts_at: change_fields.Time | None = None
    for_s: change_fields.Length | None = None

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        starts_at, _ = interval(self.starts_at, self.ends_at, context)
        if self.ends_at - max(starts_at, context.at) > LONGEST_EXAM_S:
            hint = say("for 90 minutes write --for 90m")
            hours = round(LONGEST_EXAM_S / 3600)
            reason = say("an exam lasts at most {hours} hours", hours=hours)
            raise ChangeError(reason, hint=hint)
        thing = Exam(
            context.number,
            self.room,
            self.names,
            self.services,
            context.reason,
            context.author,
            starts_at,
            self.ends_at,
            self.for_s,
        )
        exams = context.overrides.exams
        check_exams([exam for exam in exams if not is_over(exam, context.begin)], thing)
        return ChangeEffect(after=Overrides(exams=(thing,)))


@frozen
class LendClass(CheckedChange):
    """Give a substitute teacher the rights on a class for a time."""

    class_id: Annotated[str, field_checks.class_id]
    to: Annotated[str, field_checks.user]
    ends_at: change_fields.Time
    starts_at: change_fields.Time | None = None
    for_s: change_fields.Length | None = None

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        starts_at, _ = interval(self.starts_at, self.ends_at, context)
        thing = ClassLoan(
            context.number,
            self.class_id,
            self.to,
            context.reason,
            context.author,
            starts_at,
            self.ends_at,
            self.for_s,
        )
        return ChangeEffect(after=Overrides(loans=(thing,)))


@frozen
class StopExam(CheckedChange):
    """End an exam, or cancel one that has not begun."""

    id: change_fields.Number

    def effect(self, context: ChangeContext) -> ChangeEffect:
        """Return the effect of the change."""
        before = Overrides(
            exams=tuple(exam for exam in context.overrides.exams if exam.id == self.id)
        )
        check_there(self.id, before, context, say("exam"))
        return ChangeEffect(before)


def check_exams(exams: Iterable[Exam], exam: Exam) -> None:
    """Refuse an exam in a room that has another exam at the time.

    Raises:
        ChangeError: it names the other.
    """
    for other in exams:
        overlap = other.starts_at < exam.ends_at and exam.starts_at < other.ends_at
        if other.room == exam.room and other.id != exam.id and overlap:
            hint = say("end that one first, or choose another time")
            raise ChangeError(
                say("room {room} has exam {id} at that time", room=exam.room, id=other.id),
                hint=hint,
            )


def _covers(thing: RoomSetting, other: RoomSetting, at: float) -> bool:
    """Return whether ``other`` never applies again once ``thing`` is set."""
    if max(other.starts_at, at) < thing.starts_at:
        return False
    return thing.ends_at is None or (other.ends_at is not None and other.ends_at <= thing.ends_at)


def _table(value: Any) -> tuple[RoomDevices, ...]:
    """Return the rooms of a table and their devices, each device in one room."""
    if not isinstance(value, (list, tuple)):
        raise ChangeError(say("a list expected, not {value}", value=field_checks.shown(value)))
    rooms = [_devices_of(one) for one in value]
    devices = sum(len(room.macs) for room in rooms)
    if devices > MAX_TABLE:
        hint = say("at most {most}", most=MAX_TABLE)
        raise ChangeError(say("{count} are too many", count=devices), hint=hint)
    places, known = dict[str, str](), set[str]()
    for room in rooms:
        if room.room in known:
            raise ChangeError(say("the room {room} occurs twice in it", room=room.room))
        known.add(room.room)
        for mac in room.macs:
            _check_place(mac, room.room, places.setdefault(mac, room.room))
    return tuple(sorted(rooms, key=lambda room: room.room))


def _devices_of(value: Any) -> RoomDevices:
    if not isinstance(value, dict):
        raise ChangeError(
            say("a room and its devices expected, not {value}", value=field_checks.shown(value))
        )
    fields = ChangeFields(value)
    room = fields.take("room", field_checks.identifier)
    found = RoomDevices(room, fields.take("macs", _macs))
    fields.end()
    return found


def _devices_effect(rooms: Iterable[RoomDevices], context: ChangeContext) -> ChangeEffect:
    """Return the effect of assigning these devices to these rooms.

    Raises:
        ChangeError: one of them stands in another room, which stays as it is.
    """
    wanted = {room.room: room for room in rooms}
    places = {
        mac: other.room
        for other in context.overrides.devices
        if other.room not in wanted
        for mac in other.macs
    }
    for one in wanted.values():
        for mac in one.macs:
            _check_place(mac, one.room, places.get(mac, one.room))
    before = tuple(device for device in context.overrides.devices if device.room in wanted)
    after = tuple(one for one in wanted.values() if one.macs)
    return ChangeEffect(Overrides(devices=before), Overrides(devices=after))


def _check_place(mac: str, room: str, other: str) -> None:
    if other != room:
        hint = say("remove it there first")
        raise ChangeError(say("{mac} is in room {room}", mac=mac, room=other), hint=hint)
