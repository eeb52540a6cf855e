# SPDX-License-Identifier: Apache-2.0
"""Grades of rooms at a moment, and the devices in them. Pure.

A room has the grade that a command gave it, else that of the current lesson,
else, between lessons, the strictest of those that it can have: pupils who are early or
late see what all of these grades may see. On holidays it is between lessons all day,
unless the site sets that its timetable holds then, too.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from filterd.policy.calendar import ALWAYS, Interval, Timetable
from filterd.policy.grade_changes import term
from filterd.policy.model import strictest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.policy.calendar import Calendar
    from filterd.policy.model import GradePolicy, Network, Policy
    from filterd.policy.temporary_rules import Overrides, RoomSetting


class Why(StrEnum):
    """The source of a network's grade."""

    SET = "set"
    LESSON = "lesson"
    BETWEEN = "between"
    OWN = "own"


class Seat(NamedTuple):
    """The grade of a network, and how long it lasts.

    ``setting`` is that of the command, where ``why`` is ``SET``.
    """

    grade: str
    why: Why
    span: Interval
    setting: RoomSetting | None = None


class Rooms:
    """The networks of a policy at one moment."""

    def __init__(
        self, policy: Policy, overrides: Overrides, calendar: Calendar, now: float
    ) -> None:
        self._policy, self._calendar, self._now = policy, calendar, now
        self._settings: dict[str, list[RoomSetting]] = {}
        for setting in overrides.rooms:
            if setting.grade in policy.grades:
                self._settings.setdefault(setting.room, []).append(setting)

    def seat(self, network: Network, grades: Mapping[str, GradePolicy]) -> Seat:
        """Return the grade of a network.

        Args:
            network: whether or not it is a room.
            grades: the policies of the grades at the moment, to find the strictest.
        """
        span, setting = self._set(network.id)
        if setting is not None:
            return Seat(setting.grade, Why.SET, span, setting)
        known = [one for one in network.timetable if one.grade in self._policy.grades]
        holidays = () if network.on_holidays else self._policy.holidays
        timetable = Timetable(known, self._policy.lessons, holidays)
        grade = None
        if known:
            span = span.joined(self._calendar.span(timetable, self._now))
            grade = timetable.state(self._calendar.reading(self._now))
        if grade is not None:
            return Seat(grade, Why.LESSON, span)
        if known:
            among = [grades[one] for one in dict.fromkeys(period.grade for period in known)]
            return Seat(strictest(among).grade, Why.BETWEEN, span)
        return Seat(network.grade, Why.OWN, span)

    def _set(self, room: str) -> tuple[Interval, RoomSetting | None]:
        """Return the newest active setting, and how long that stays so."""
        span, newest = ALWAYS, None
        for setting in self._settings.get(room, ()):
            holds, goes_on = term(setting.starts_at, setting.ends_at, self._now)
            span = span.joined(goes_on)
            if holds and (newest is None or setting.id > newest.id):
                newest = setting
        return span, newest


def with_devices(policy: Policy, overrides: Overrides) -> tuple[Network, ...]:
    """Return the networks, with learned devices in the place of those in the files.

    A device is in one room: where two have it, it is in the one that was learned
    last; one that was learned is in no other network of the files.
    """
    learned = {one.room: one.macs for one in overrides.devices}
    room_of = {mac: one.room for one in overrides.devices for mac in one.macs}
    known = {network.id for network in policy.networks}
    room_of = {mac: room for mac, room in room_of.items() if room in known}
    if not learned:
        return policy.networks
    return tuple(
        replace(
            network,
            macs=tuple(
                mac
                for mac in learned.get(network.id, network.macs)
                if room_of.get(mac, network.id) == network.id
            ),
        )
        for network in policy.networks
    )
