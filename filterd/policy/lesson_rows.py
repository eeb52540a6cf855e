# SPDX-License-Identifier: Apache-2.0
"""Rows of timetables: day, lesson, room, class, teacher; words of days. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.policy.model import Network, Policy

HEADING = ["day", "lesson", "room", "class", "teacher"]
DAYS = ("t2", "t3", "t4", "t5", "t6", "t7", "cn")
WEEKDAYS = {
    **{day: number for number, day in enumerate(DAYS)},
    **{day: number for number, day in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))},
}
"""Weekdays by the words that files may have for them; 0 is Monday."""


def rows(networks: Iterable[Network], policy: Policy) -> list[list[str]]:
    """Return the rows of timetables, in the order of days and lessons."""
    order = {one.id: place for place, one in enumerate(policy.lessons)}
    periods = [(one, network.id) for network in networks for one in network.timetable]
    periods.sort(key=lambda pair: (pair[0].weekday, order.get(pair[0].lesson, 0), pair[1]))
    return [[DAYS[one.weekday], one.lesson, room, one.grade, one.teacher] for one, room in periods]
