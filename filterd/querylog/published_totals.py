# SPDX-License-Identifier: Apache-2.0
"""Publish totals of closed days and months, frozen when first published.

What was published of a period once is kept in the file of its month and never changes: two
exports that differ would show what came between them. Only whole days and months that are over are
published, so counts that come late are not in them.

A tier has the answers of those grades that had k devices on that day, as a principal sees them by
grade (``disclosure``): else the difference would be what few devices of one grade did. A month
has the answers that are in its days. What few devices did on a day is in neither table, so
lookups on one Sunday take no month of a grade out of a report. Counts that came after a day was
published, as from a worker that did not answer or a disk that was full, are in the month and are
hidden (``suppression``). Where counts are gone instead, by retention, no grade of the month is
published.

Of what was left out an output says only whether there is any (``leaves_out``), and never of a
confidential category: a number of such cells would be the number of days on which a few devices
asked for it.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import field
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeAlias

from filterd.base.errors import StoreError
from filterd.base.paths import make_folder
from filterd.base.state_file import ADDED, FileFormat
from filterd.base.value_class import frozen
from filterd.policy.log_levels import LEAST_K
from filterd.policy.model import TIER_OF_GRADE
from filterd.querylog.day_reach import GRADE, TIER, ReachRow
from filterd.querylog.suppression import TableCell, of_day, of_month
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from filterd.querylog.totals_request import Total

MOST_MONTHS = 28
"""Months that are kept: totals are kept for less. The oldest are forgotten first."""

Key: TypeAlias = tuple[str, str, str]
"""Tier or grade, category, action."""

ReachKey: TypeAlias = tuple[str, str, str, str, str]
"""Day, kind of place, and a ``Key``."""


@frozen
class PublishedCell:
    """A published cell: tier or grade, category, action, answers."""

    id: str
    category: str
    action: str
    n: int


@frozen
class PublishedPeriod:
    """What was published of a period.

    ``left_out``: how many cells with answers were not, and how many ``of_school`` of them, of
    confidential categories (0 where an earlier release has published). Both stay in the file.
    ``least_devices``: k then; an earlier release has not noted it.
    """

    cells: tuple[PublishedCell, ...]
    left_out: int
    of_school: int = field(default=0, metadata={ADDED: True})
    least_devices: int = field(default=LEAST_K, metadata={ADDED: True})

    @property
    def leaves_out(self) -> bool:
        """Whether any cell was left out: all that may be said of them, in every output."""
        return self.left_out > self.of_school


class _Counts(NamedTuple):
    """What was counted, from which periods are made.

    Attributes:
        totals: of the days.
        devices: how many had an answer of a kind on a day.
        small: those totals of grades that fewer than ``k`` devices had.
        k: the least number of devices.
    """

    totals: Sequence[Total]
    devices: Mapping[ReachKey, int]
    small: Collection[Total]
    k: int

    @classmethod
    def of(cls, totals: Iterable[Total], reach: Iterable[ReachRow], k: int) -> Self:
        """Return the counts, with those that are small."""
        counted, devices = list(totals), _devices(reach)
        small = {one for one in counted if one.grade and _part(one, devices) < k}
        return cls(counted, devices, small, k)

    def by_day(self, days: Iterable[str]) -> dict[str, Counter[Key]]:
        """Return the answers of tiers on these days, without those of small totals."""
        by_day: dict[str, Counter[Key]] = {day: Counter() for day in days}
        for total in self.totals:
            by_day[total.date][_tier_key(total)] += 0 if total in self.small else total.n
        return by_day

    def day(self, day: str, cells: Mapping[Key, int]) -> PublishedPeriod:
        """Return what is published of a day, from its cells of ``by_day``."""
        found = [
            TableCell(*key, n, self.devices.get((day, TIER, *key), 0) if n else 0)
            for key, n in cells.items()
        ]
        aside = {one for one in self.small if one.date == day and cells[_tier_key(one)]}
        return _period(found, of_day(found, self.k), self.k, len(aside))

    def month(
        self,
        shown: Mapping[str, Collection[Key]],
        hidden: Iterable[TableCell],
        shrunk: Collection[Key],
    ) -> PublishedPeriod:
        """Return what is published of the month.

        Args:
            shown: the cells of each day that are published.
            hidden: what came to those cells later.
            shrunk: the cells of a day of which something is gone.
        """
        by_grade, most, left = Counter[Key](), Counter[Key](), set[Key]()
        for total in self.totals:
            if total.grade:
                key = total.grade, total.category, total.action
                if total in self.small or _tier_key(total) not in shown[total.date]:
                    left.add(key)
                    continue
                by_grade[key] += total.n
                most[key] = max(most[key], _part(total, self.devices))
        found = [TableCell(*key, n, most[key]) for key, n in by_grade.items()]
        whole = (one for one in found if (TIER_OF_GRADE[one.id], *one[1:3]) not in shrunk)
        return _period(found, of_month(whole, hidden, self.k), self.k, len(left))


@frozen
class PublishedTotals:
    """What was published of a month, by period.

    A day (``2026-11-28``) has tiers, a month (``2026-11``) has grades.
    """

    periods: dict[str, PublishedPeriod] = field(default_factory=dict)

    def with_periods(
        self,
        days: Sequence[str],
        month: str,
        totals: Iterable[Total],
        reach: Iterable[ReachRow],
        k: int,
    ) -> PublishedTotals:
        """Return the same with periods that were not published yet.

        Args:
            days: closed days of the month, ISO 8601.
            month: ``2026-11``, if it is closed and these are all of its days; else "".
            totals: of these days.
            reach: of these days.
            k: the least number of devices.
        """
        counts = _Counts.of(totals, reach, k)
        periods, hidden, shrunk = dict(self.periods), list[TableCell](), set[Key]()
        shown = dict[str, dict[Key, int]]()
        for day, cells in counts.by_day(days).items():
            if day not in periods:
                periods[day] = counts.day(day, cells)
            of = shown[day] = {
                (cell.id, cell.category, cell.action): cell.n for cell in periods[day].cells
            }
            late = {key: cells[key] - n for key, n in of.items()}
            hidden += [TableCell(*key, n, 0) for key, n in late.items() if n > 0]
            shrunk |= {key for key, n in late.items() if n < 0}
        if month and month not in periods:
            periods[month] = counts.month(shown, hidden, shrunk)
        return PublishedTotals(dict(sorted(periods.items())))

    def lacks(self, periods: Iterable[str]) -> bool:
        """Return whether one of these periods was not published yet."""
        return any(period and period not in self.periods for period in periods)

    def rows(
        self, periods: Iterable[str], confidential: Collection[str]
    ) -> Iterator[dict[str, Any]]:
        """Yield the published cells of periods.

        A category that became confidential since is left out where it has a tier or grade.
        """
        for period in periods:
            is_day = period.count("-") == 2
            for cell in self.periods[period].cells:
                if cell.category in confidential and cell.id:
                    continue
                yield {
                    "period": period,
                    "tier": cell.id if is_day else TIER_OF_GRADE[cell.id],
                    "grade": "" if is_day else cell.id,
                    "category": cell.category,
                    "action": cell.action,
                    "n": cell.n,
                }


_SUFFIX = ".filterd"

FILE = FileFormat(
    PublishedTotals,
    magic=b"filterd published totals ",
    title=say("file of the totals that were published"),
    remedy=say("without it an export may differ from an earlier one; remove it to begin anew"),
)


def load(folder: Path, month: str) -> PublishedTotals:
    """Return what was published of a month; nothing where there is no file yet.

    Raises:
        StoreError: the file cannot be read, so nothing must be published.
    """
    path = folder / f"{month}{_SUFFIX}"
    return FILE.load(path) if os.path.lexists(path) else PublishedTotals()


def save(folder: Path, month: str, published: PublishedTotals) -> None:
    """Keep what was published of a month, and forget the oldest months.

    Raises:
        StoreError: the disk refused, so it must not be published.
    """
    try:
        make_folder(folder)
    except OSError as error:
        why = refused(error)
        raise StoreError(say("{path}: cannot be written: {why}", path=folder, why=why)) from error
    FILE.save(folder / f"{month}{_SUFFIX}", published)
    for old in sorted(folder.glob(f"*{_SUFFIX}"))[:-MOST_MONTHS]:
        old.unlink(missing_ok=True)


def _devices(reach: Iterable[ReachRow]) -> Mapping[ReachKey, int]:
    return {row[:5]: row.devices for row in reach}


def _part(total: Total, devices: Mapping[ReachKey, int]) -> int:
    """Return the devices of the smallest part that a principal sees: a grade on a day."""
    return devices.get((total.date, GRADE, total.grade, total.category, total.action), 0)


def _tier_key(total: Total) -> Key:
    return TIER_OF_GRADE.get(total.grade, ""), total.category, total.action


def _period(
    found: Sequence[TableCell], shown: Sequence[TableCell], k: int, aside: int = 0
) -> PublishedPeriod:
    """Return a period; ``aside``: grades of which answers of some days are not in it."""
    cells = (PublishedCell(*cell[:4]) for cell in sorted(shown))
    of_school = sum(not one.id for one in found) - sum(not one.id for one in shown)
    return PublishedPeriod(tuple(cells), len(found) - len(shown) + aside, of_school, k)
