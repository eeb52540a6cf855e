# SPDX-License-Identifier: Apache-2.0
"""The school's week: settings and schedules as spans, timetables as rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base.state_file import to_plain
from filterd.policy.calendar import Calendar, Closures, Openings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from filterd.policy.calendar import Interval
    from filterd.policy.model import Network, Policy, Schedule
    from filterd.policy.temporary_rules import Overrides


WEEK_DAYS = 7
MOST_ROWS = 200
_MOST_SPANS = 200
"""Of one schedule in a week: more than the edges of its windows."""


def school_week(policy: Policy, overrides: Overrides, day: date) -> dict[str, Any]:
    """Return the days of a week and the rows of its timeline.

    A row has ``of`` (``schedules``, ``exams``, ``rooms``, ``exceptions``), the thing as plain
    data and ``spans``, pairs of Unix times within the week. What begins or ends in the week
    comes before what holds all of it; ``left_out`` is the number of rows beyond the bound.

    Args:
        policy: of the site's files.
        overrides: what is set by command.
        day: any day of the week, which begins on Monday.
    """
    monday = day - timedelta(days=day.weekday())
    zone = ZoneInfo(policy.time_zone)
    edges = [
        datetime(one.year, one.month, one.day, tzinfo=zone).timestamp()
        for one in (monday + timedelta(days=ahead) for ahead in range(WEEK_DAYS + 1))
    ]
    rows = [*_scheduled(policy, edges[0], edges[-1]), *_set(overrides, edges[0], edges[-1])]
    return {
        "days": [
            {
                "date": (monday + timedelta(days=ahead)).isoformat(),
                "weekday": ahead,
                "holiday": _holiday(policy, monday + timedelta(days=ahead)),
                "starts_at": edges[ahead],
                "ends_at": edges[ahead + 1],
            }
            for ahead in range(WEEK_DAYS)
        ],
        "rows": rows[:MOST_ROWS],
        "left_out": max(0, len(rows) - MOST_ROWS),
    }


def _scheduled(policy: Policy, first: float, last: float) -> Iterator[dict[str, Any]]:
    calendar = Calendar(policy.time_zone)
    for schedule in policy.schedules:
        used = [to_plain(one) for one in policy.scheduled if one.schedule == schedule.id]
        if used:
            spans = list(_openings(policy, calendar, schedule, first, last))
            yield {"of": "schedules", "schedule": schedule.id, "closes": used, "spans": spans}


def _openings(
    policy: Policy, calendar: Calendar, schedule: Schedule, first: float, last: float
) -> Iterator[tuple[float, float]]:
    openings, at = Openings(schedule, policy.holidays), first
    for _ in range(_MOST_SPANS):
        span: Interval = calendar.span(openings, at)
        if openings.state(calendar.reading(at)):
            yield at, min(span.until, last)
        at = span.until
        if at >= last:
            return


def _set(overrides: Overrides, first: float, last: float) -> list[dict[str, Any]]:
    found = [
        {"of": kind, **to_plain(one), "spans": [(max(first, one.starts_at), min(last, ends_at))]}
        for kind, things in _dated(overrides)
        for one in things
        for ends_at in [inf if one.ends_at is None else one.ends_at]
        if one.starts_at < last and ends_at > first and one.starts_at < ends_at
    ]
    return sorted(found, key=lambda row: row["spans"] == [(first, last)])


def _dated(overrides: Overrides) -> Iterable[tuple[str, Iterable[Any]]]:
    yield "exams", overrides.exams
    yield "rooms", overrides.rooms
    yield "exceptions", overrides.exceptions


def _holiday(policy: Policy, day: date) -> dict[str, str] | None:
    for holiday in policy.holidays:
        if day in Closures([holiday]):
            return {"vi": holiday.name_vi, "en": holiday.name_en}
    return None


LESSON_HEADING = ["day", "lesson", "room", "class", "teacher"]
DAYS = ("t2", "t3", "t4", "t5", "t6", "t7", "cn")
WEEKDAYS = {
    **{day: number for number, day in enumerate(DAYS)},
    **{day: number for number, day in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))},
}
"""Weekdays by the words that files may have for them; 0 is Monday."""


def lesson_rows(networks: Iterable[Network], policy: Policy) -> list[list[str]]:
    """Return the rows of timetables, in the order of days and lessons."""
    order = {lesson.id: place for place, lesson in enumerate(policy.lessons)}
    periods = [(one, network.id) for network in networks for one in network.timetable]
    periods.sort(key=lambda pair: (pair[0].weekday, order.get(pair[0].lesson, 0), pair[1]))
    return [[DAYS[one.weekday], one.lesson, room, one.grade, one.teacher] for one, room in periods]
