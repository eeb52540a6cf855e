# SPDX-License-Identifier: Apache-2.0
"""Lesson times: the current lesson, its end, and the next one. Pure.

Lessons are times of every day but holidays; only a room's timetable has weekdays. The
current lesson is the same for all. The next lesson of a room with a timetable is the
next one there, which may be on Monday; where its timetable holds on holidays, the room
has lessons then, and the others have none.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from filterd.policy.calendar import Calendar, Closures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from filterd.policy.calendar import WallTime
    from filterd.policy.model import Network, Policy
    from filterd.policy.timetable import Lesson


class Bell(NamedTuple):
    """The current lesson, None between lessons.

    ``until``: when that ends; infinite where there are no lessons at all.
    ``next``: the id of the lesson that begins then, if one does.
    """

    lesson: str | None
    until: float
    next: str | None


def bell(policy: Policy, now: float, room: str = "") -> Bell:
    """Return the current and the next lesson.

    Args:
        policy: with its lessons, and the timetable of the room.
        now: Unix time.
        room: id of a network; empty for the whole school.
    """
    calendar = Calendar(policy.time_zone)
    shown = calendar.reading(now)
    day, own = _Day(policy), _of_room(policy, room)
    lesson = day.state(shown)
    if lesson is None and own is not None:
        day, lesson = own, own.state(shown)
    until = calendar.span(day, now).until
    following = day.state(calendar.reading(until)) if until < inf else None
    return Bell(lesson, until, following)


def day_ends_at(policy: Policy, now: float) -> float:
    """Return the Unix time of the midnight after a moment, in the school's zone."""
    zone = ZoneInfo(policy.time_zone)
    tomorrow = datetime.fromtimestamp(now, zone).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).timestamp()


def shown_at(policy: Policy, at: float, now: float) -> str:
    """Return the school's clock time at a Unix time; with the date if it differs."""
    zone = ZoneInfo(policy.time_zone)
    shown, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone).date()
    return f"{shown:%H:%M}" if shown.date() == today else f"{shown:%Y-%m-%dT%H:%M}"


class _Day:
    """A day's lessons, or those of a room's timetable, as a pattern of the calendar."""

    def __init__(self, policy: Policy, room: Network | None = None) -> None:
        self._lessons = policy.lessons
        self._cells: frozenset[tuple[int, str]] | None = None
        self._holidays = Closures(policy.holidays)
        if room is not None:
            self._cells = frozenset((one.weekday, one.lesson) for one in room.timetable)
            self._holidays = Closures(() if room.on_holidays else policy.holidays)

    def state(self, shown: WallTime) -> str | None:
        """Return the id of the current lesson."""
        if shown.day in self._holidays:
            return None
        for one in self._on(shown.weekday):
            if one.starts_s <= shown.second < one.ends_s:
                return one.id
        return None

    def edges(self, day: date) -> Iterator[int]:
        """Yield when the lessons of a day begin and end, or would."""
        for one in self._on(day.weekday()):
            yield one.starts_s
            yield one.ends_s

    def has_ended(self, _day: date) -> bool:
        """Return whether there are no lessons at all."""
        return not any(True for weekday in range(7) for _ in self._on(weekday))

    def _on(self, weekday: int) -> Iterator[Lesson]:
        cells = self._cells
        return (one for one in self._lessons if cells is None or (weekday, one.id) in cells)


def _of_room(policy: Policy, room: str) -> _Day | None:
    for network in policy.networks:
        if network.id == room and network.timetable:
            return _Day(policy, network)
    return None
