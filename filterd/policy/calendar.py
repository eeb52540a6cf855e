# SPDX-License-Identifier: Apache-2.0
"""Calendar: wall clock states of schedules, timetables, lessons, with intervals.

A window from 07:00 to 07:45 is open while the clock *shows* a time in it. Where a
zone sets its clocks, such a window may come twice in a night, or not at all.
Edges are whole seconds. Pure: the moment is an argument, and only zoneinfo knows
of zones.

``Pattern`` is a state that depends on the clock: its ``state`` at a wall time, and
the wall times at which that may change, its ``edges``. Between the edges of one day
and the next nothing can change, except where the zone's clocks are set; so
``Calendar.span`` examines few moments only.

Lessons are times of every day but holidays; only a room's timetable has weekdays. The
current lesson is the same for all. The next lesson of a room with a timetable is the
next one there, which may be on Monday.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import floor, inf
from typing import TYPE_CHECKING, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from filterd.policy.model import DAY_S
from filterd.texts.rows import SchoolClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.policy.model import Holiday, Lesson, Network, Period, Policy, Schedule, Window

LOOK_AHEAD_DAYS = 40
"""The search goes no further; a state that lasts longer is searched again then."""

_DAY = timedelta(days=1)


class WallTime(NamedTuple):
    """A wall clock time: the date, and seconds after midnight."""

    day: date
    second: int

    @property
    def weekday(self) -> int:
        """0 is Monday."""
        return self.day.weekday()


class Pattern(Protocol):
    """A state that depends on the wall clock and on nothing else."""

    def state(self, shown: WallTime) -> object:
        """Return the state at this wall time."""

    def edges(self, day: date) -> Iterable[int]:
        """Return the seconds of a day, or of the next one, at which the state may change."""

    def has_ended(self, day: date, /) -> bool:
        """Return whether nothing changes on this day nor ever after."""


class Interval(NamedTuple):
    """The interval in which a state lasts, to the second; ``until`` is not part of it."""

    since: float
    until: float

    def joined(self, other: Interval) -> Interval:
        """Return the interval in which both last."""
        return Interval(max(self.since, other.since), min(self.until, other.until))


ALWAYS = Interval(-inf, inf)


class Calendar:
    """The wall clock of one zone."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)

    def reading(self, at: float) -> WallTime:
        """Return the wall time at a Unix time."""
        shown = datetime.fromtimestamp(floor(at), self._zone)
        return WallTime(shown.date(), shown.hour * 3600 + shown.minute * 60 + shown.second)

    def span(self, pattern: Pattern, at: float) -> Interval:
        """Return the interval in which a pattern's state at a Unix time lasts.

        The search ends after ``LOOK_AHEAD_DAYS``: a state that lasts till then may change.
        """
        now = self.reading(at)
        state = pattern.state(now)
        furthest = LOOK_AHEAD_DAYS * _DAY
        if pattern.has_ended(now.day - furthest):
            return ALWAYS
        until = inf if pattern.has_ended(now.day) else self._instants(now.day + furthest, 0)[-1]
        for edge in self._edges(pattern, now.day, 1):
            if edge > at and pattern.state(self.reading(edge)) != state:
                until = edge
                break
        since = self._instants(now.day - furthest, 0)[0]
        for edge in self._edges(pattern, now.day, -1):
            if edge <= at and pattern.state(self.reading(edge - 1)) != state:
                since = edge
                break
        return Interval(since, until)

    def _edges(self, pattern: Pattern, today: date, step: int) -> Iterator[float]:
        """Yield the moments of a change around today, in order, forwards or back.

        A clock that is set back at midnight shows two days by turns, but no day
        reaches to the noon of another one. So those up to noon are sorted out. The noon
        of a day that the zone skips is the first or the last moment of its neighbours.
        """
        waiting: set[float] = set()
        for ahead in range(-1, LOOK_AHEAD_DAYS + 1):
            day = today + ahead * step * _DAY
            waiting |= self._of_day(pattern, day)
            noon = self._instants(day, DAY_S // 2)[0 if step > 0 else -1]
            ready = {edge for edge in waiting if (noon - edge) * step >= 0}
            yield from sorted(ready, reverse=step < 0)
            waiting -= ready

    def _of_day(self, pattern: Pattern, day: date) -> set[float]:
        """Return the moments of one calendar day at which a state may change."""
        seconds = {second for second in pattern.edges(day) if second <= DAY_S}
        seconds |= {second - DAY_S for second in pattern.edges(day - _DAY) if second >= DAY_S}
        if not seconds:
            return set()
        found = {edge for second in seconds for edge in self._instants(day, second)}
        return found | set(self._clock_changes(day))

    def _instants(self, day: date, second: int) -> list[float]:
        """Return when the clock first shows a time, and when for the last time.

        For a time that it skips these are moments nearby; their states show that they
        are no edges.
        """
        shown = datetime(day.year, day.month, day.day) + timedelta(seconds=second)  # noqa: DTZ001
        folds = (shown.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        return sorted(one.timestamp() for one in folds)

    def _clock_changes(self, day: date) -> Iterator[float]:
        """Yield when on this day the zone sets its clocks, to the second."""
        first, last = self._instants(day, 0)[0], self._instants(day + _DAY, 0)[-1]
        if self._offset(first - 1) == self._offset(last):
            return
        early, late = int(first) - 1, int(last)
        while late - early > 1:
            middle = (early + late) // 2
            if self._offset(middle) == self._offset(first - 1):
                early = middle
            else:
                late = middle
        yield float(late)

    def _offset(self, at: float) -> timedelta | None:
        return datetime.fromtimestamp(at, UTC).astimezone(self._zone).utcoffset()


class Closures:
    """Days without school."""

    def __init__(self, holidays: Iterable[Holiday] = ()) -> None:
        self._days = [(holiday.first, holiday.last) for holiday in holidays]

    def __contains__(self, day: date) -> bool:
        """Return whether a day is without school."""
        written = day.isoformat()
        return any(first <= written <= last for first, last in self._days)


class Openings:
    """A schedule: open or not."""

    def __init__(self, schedule: Schedule, holidays: Iterable[Holiday] = ()) -> None:
        self._windows = schedule.windows
        self._holidays = Closures(holidays)

    def state(self, shown: WallTime) -> bool:
        """Return whether any window is open."""
        return any(self._is_open(window, shown) for window in self._windows)

    def edges(self, day: date) -> Iterator[int]:
        """Yield the begins and ends of windows that belong to this day."""
        for window in self._windows:
            if self._is_on(window, day):
                yield window.starts_s
                yield window.ends_s

    def has_ended(self, day: date) -> bool:
        """Return whether no window has this day nor a later one."""
        before = (day - _DAY).isoformat()  # an overnight window may still be open
        return all(window.last is not None and window.last < before for window in self._windows)

    def _is_open(self, window: Window, shown: WallTime) -> bool:
        """Return whether a window is open: one of the day, or of the night before."""
        if window.starts_s <= shown.second < window.ends_s and self._is_on(window, shown.day):
            return True
        late = shown.second + DAY_S
        return window.starts_s <= late < window.ends_s and self._is_on(window, shown.day - _DAY)

    def _is_on(self, window: Window, day: date) -> bool:
        """Return whether a window begins on a day."""
        if day.weekday() not in window.weekdays:
            return False
        written = day.isoformat()
        if window.first is not None and written < window.first:
            return False
        if window.last is not None and written > window.last:
            return False
        return window.holidays is None or window.holidays is (day in self._holidays)


class Timetable:
    """A room's timetable: the grade of the current lesson, None between lessons.

    On ``holidays`` there are no lessons.
    """

    def __init__(
        self, periods: Iterable[Period], lessons: Iterable[Lesson], holidays: Iterable[Holiday] = ()
    ) -> None:
        self._holidays = Closures(holidays)
        times = {lesson.id: (lesson.starts_s, lesson.ends_s) for lesson in lessons}
        self._of_weekday: list[list[tuple[int, int, str]]] = [[] for _ in range(7)]
        for period in periods:
            if period.lesson in times:
                self._of_weekday[period.weekday].append((*times[period.lesson], period.grade))

    def state(self, shown: WallTime) -> str | None:
        """Return the grade of the lesson."""
        for starts_s, ends_s, grade in self._of_weekday[shown.weekday]:
            if starts_s <= shown.second < ends_s:
                return None if shown.day in self._holidays else grade
        return None

    def edges(self, day: date) -> Iterator[int]:
        """Yield when the day's lessons begin and end, or would."""
        for starts_s, ends_s, _ in self._of_weekday[day.weekday()]:
            yield starts_s
            yield ends_s

    def has_ended(self, _day: date) -> bool:
        """Return whether there are no lessons at all."""
        return not any(self._of_weekday)


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
    return SchoolClock(ZoneInfo(policy.time_zone), now).text(at)


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
        return (
            lesson for lesson in self._lessons if cells is None or (weekday, lesson.id) in cells
        )


def _of_room(policy: Policy, room: str) -> _Day | None:
    for network in policy.networks:
        if network.id == room and network.timetable:
            return _Day(policy, network)
    return None
