# SPDX-License-Identifier: Apache-2.0
"""Count the distinct devices of a school day behind each cell, capped. Pure.

By tier, grade, class and school, so that no cell of few devices leaves the school
(``querylog.disclosure``). A device is a short keyed hash of ``Counts.device_of``, which is
forgotten with its day; only numbers are handed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.base.packet_room import json_octets
from filterd.policy.model import TIER_OF_GRADE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from filterd.base.packet_room import PacketRoom

    _Key = tuple[str, str, str, str, str]  # day, scope, id, category, action

TIER, GRADE, CLASS, SCHOOL = "tier", "grade", "class", "school"
"""Scopes. ``SCHOOL`` has a row for all answers together: how many devices the school has."""

MANY_DEVICES = 100
"""Up to so many devices of a school are counted."""

MOST_KEPT = 8_192
"""Rows of a day, and rows that wait; beyond them devices are not counted."""


class ReachRow(NamedTuple):
    """The distinct devices behind a cell of a school day.

    Attributes:
        day: of the school, ISO 8601.
        scope: ``TIER``, ``GRADE``, ``CLASS`` or ``SCHOOL``.
        id: the tier, grade or class; "" for the whole school.
        category: empty for none.
        action: as in ``counts.CountRow``.
        devices: how many, capped; rows of one cell are merged by the largest.
    """

    day: str
    scope: str
    id: str
    category: str
    action: str
    devices: int


def distinct(devices: Collection[int]) -> int:
    """Return how many devices these numbers stand for at least."""
    by_mac = sum(number & 1 for number in devices)
    return max(by_mac, len(devices) - by_mac)


class DayReach:
    """The device sets of one day, in memory, and the rows that are to be handed over."""

    def __init__(self) -> None:
        self._day = ""
        self._sets: dict[tuple[str, str, str, str], set[int] | None] = {}
        """By scope, id, category and action; None where there are enough."""
        self._waiting: dict[_Key, int] = {}

    def __len__(self) -> int:
        """Return how many rows wait."""
        return len(self._waiting)

    def add(
        self,
        day: str,
        cells: Iterable[tuple[str, str, str, str, Collection[int]]],
        most: int,
        school: Collection[int] = (),
    ) -> None:
        """Add device numbers; a new day forgets those of the day before.

        Args:
            day: of the school, ISO 8601.
            cells: grade, category, action, class and device numbers.
            most: beyond so many devices of a cell none is kept.
            school: all device numbers.
        """
        if day != self._day:
            self._day, self._sets = day, {}
        for grade, category, action, class_id, devices in cells:
            if devices:
                # Of a confidential category, for which there is no grade: the whole school.
                self._add((TIER, TIER_OF_GRADE.get(grade, ""), category, action), devices, most)
                if grade:
                    self._add((GRADE, grade, category, action), devices, most)
                if class_id:
                    self._add((CLASS, class_id, category, action), devices, most)
        if school:
            self._add((SCHOOL, "", "", ""), school, MANY_DEVICES)

    def _add(self, key: tuple[str, str, str, str], devices: Collection[int], most: int) -> None:
        if key not in self._sets and len(self._sets) >= MOST_KEPT:
            return
        seen = self._sets.setdefault(key, set())
        if seen is None:
            return
        known = distinct(seen)
        seen = seen.union(devices)
        now = min(distinct(seen), most)
        self._sets[key] = seen if now < most else None
        if now > known and len(self._waiting) < MOST_KEPT:
            self._waiting[self._day, *key] = now

    def take(self, most: int, room: PacketRoom) -> Iterator[ReachRow]:
        """Take out the rows that have grown since: up to so many, and what has room."""

        def octets_of(key: _Key, devices: int) -> int:
            return json_octets(ReachRow(*key, devices))

        for key, devices in room.take_out(self._waiting, most, octets_of, _lose):
            yield ReachRow(*key, devices)


def _lose(_: int) -> None:
    """Ignore a number: too small a number of devices is safe, as its cell is left out."""
