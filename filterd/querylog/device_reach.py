# SPDX-License-Identifier: Apache-2.0
"""Count the distinct devices of a day, capped, for what may leave the school.

A device number comes from ``Counts.device_of``: odd for a MAC, even for an IPv4 address
whose MAC is not known. A device that was first seen by its address and later by its MAC has
two numbers, so the two kinds are never added: the larger one counts. All errors are
therefore to the small side, and a cell is rather left out than published.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from filterd.policy.model import TIER_OF_GRADE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

TIER, GRADE = "tier", "grade"
"""Scopes."""

MOST_KEPT = 8_192
"""Rows of a day, and rows that wait; beyond them devices are not counted."""


class ReachRow(NamedTuple):
    """The distinct devices behind a cell of a school day.

    Attributes:
        day: of the school, ISO 8601.
        scope: ``TIER`` or ``GRADE``.
        id: the tier or grade; "" for the whole school.
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
        self._waiting: dict[tuple[str, str, str, str, str], int] = {}

    def __len__(self) -> int:
        """Return how many rows wait."""
        return len(self._waiting)

    def add(
        self, day: str, cells: Iterable[tuple[str, str, str, Collection[int]]], most: int
    ) -> None:
        """Add device numbers; a new day forgets those of the day before.

        Args:
            day: of the school, ISO 8601.
            cells: grade, category, action and device numbers.
            most: beyond so many devices of a cell none is kept.
        """
        if day != self._day:
            self._day, self._sets = day, {}
        for grade, category, action, devices in cells:
            if devices:
                # Of a confidential category, for which there is no grade: the whole school.
                self._add((TIER, TIER_OF_GRADE.get(grade, ""), category, action), devices, most)
                if grade:
                    self._add((GRADE, grade, category, action), devices, most)

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

    def take(self, most: int) -> Iterator[ReachRow]:
        """Take out up to so many of the rows that have grown since."""
        for key in list(islice(self._waiting, most)):
            yield ReachRow(*key, self._waiting.pop(key))
