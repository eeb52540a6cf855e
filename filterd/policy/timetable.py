# SPDX-License-Identifier: Apache-2.0
"""The school's week: lessons, timetables, schedules, holidays. Frozen data.

Times of day are seconds after midnight *as the clock on the wall shows them* in
the school's zone, dates are ISO text. ``filterd.policy.calendar`` evaluates
them at a moment.
"""

from __future__ import annotations

from dataclasses import dataclass

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Lesson:
    """A named time of the school's day (tiết): ``starts_s`` to just before ``ends_s``."""

    id: str
    starts_s: int
    ends_s: int


@dataclass(frozen=True, slots=True)
class Window:
    """A time of day on some days.

    ``weekdays``: 0 is Monday. ``ends_s`` above a day: it ends on the day after,
    and belongs to the day on which it began. ``first`` and ``last`` are ISO
    dates, both within; None for no bound. ``holidays``: True for holidays only,
    False for none of them, None whatever the day.
    """

    weekdays: frozenset[int]
    starts_s: int
    ends_s: int
    first: str | None = None
    last: str | None = None
    holidays: bool | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Named windows; it is open while any of them is."""

    id: str
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days without school, from ``first`` to ``last``, ISO dates, both within."""

    first: str
    last: str
    name_vi: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Period:
    """One cell of a room's timetable: the grade in a lesson of a weekday."""

    weekday: int
    lesson: str
    grade: str
