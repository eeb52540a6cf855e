# SPDX-License-Identifier: Apache-2.0
"""Decide what may be read of what is counted: hours, categories, devices. Pure.

One definition, which every output asks:

* An hour is shown when it is over. Whoever reads the totals again and again sees no lookup come.
  Only sums of the whole school without a category are of the present, and to teachers the
  number of blocks of own classes.
* A confidential category (data of the feed; ``lists.rules.ALWAYS_CONFIDENTIAL`` in any case) is
  shown for the whole school, for days that are over, from k devices on: as it was published
  (``querylog.published_totals``). It is in no stream, no metric, no alert, and in no sum of
  parts that have not got it: ``counts.Counts`` keeps it apart from the first.
* Of what is left out an output says whether there is any, never how much
  (``published_totals.PublishedPeriod.leaves_out``), and of confidential categories not even that.
* A category is shown from k devices of a day on; what is below counts as of no category, so the
  number of blocks is whole. The devices are those of the smallest part that there is: of a class,
  of a grade without classes. A sum has what its parts show, so no difference of two figures has
  fewer devices. To the principal, who sees no classes, the smallest part is a grade, and what
  leaves the school is made of the same parts. Administrators see all.
* To all of these a lesson shows when it is over. The devices are those of when its hours were
  shown first: no category appears with the lookup that makes it k.
* The principal of a school of ``MANY_DEVICES`` or more is told yes or no for a confidential
  category and a month that is over.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple

from filterd.querylog.counts import HOUR_S
from filterd.querylog.day_reach import CLASS, GRADE, MANY_DEVICES, SCHOOL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from filterd.policy.model import Lesson
    from filterd.querylog.day_reach import ReachRow
    from filterd.querylog.totals_request import Counted, Total


def ended_hours(now: float, before: float = inf) -> int:
    """Return the Unix time until which hours are shown.

    Args:
        now: Unix time.
        before: a time from which on nothing is shown.
    """
    return int(min(now, before) // HOUR_S) * HOUR_S


def lesson_begin(lessons: Iterable[Lesson], second: int, now: float) -> float:
    """Return the Unix time at which the present lesson began; infinity without one.

    Args:
        lessons: of the school's day.
        second: of the day, in local time.
        now: Unix time, of the same moment.
    """
    running = (lesson.starts_s for lesson in lessons if lesson.starts_s <= second < lesson.ends_s)
    return min((now - (second - starts_s) for starts_s in running), default=inf)


class Threshold(NamedTuple):
    """From how many devices on a category is shown.

    Attributes:
        devices: k; 0 shows all.
        scope: of the smallest part of a sum, ``CLASS`` or ``GRADE``.
    """

    devices: int = 0
    scope: str = CLASS

    def applied(self, rows: Iterable[Counted], reach: Iterable[ReachRow]) -> Iterable[Counted]:
        """Return totals of a day, without the categories that too few devices asked for.

        Args:
            rows: of whole classes and grades.
            reach: the devices of that day.
        """
        if not self.devices:
            return rows
        enough = {row[1:5] for row in reach if row.devices >= self.devices}
        return (row if self._part_of(row) in enough else (*row[:2], "", *row[3:]) for row in rows)

    def _part_of(self, row: Counted) -> tuple[str, str, str, str]:
        _, grade, category, action, _, class_id, _ = row
        is_class = class_id and self.scope == CLASS
        return (CLASS, class_id, category, action) if is_class else (GRADE, grade, category, action)


SHOWS_ALL = Threshold()


class MonthAnswer(NamedTuple):
    """Whether devices of the school asked for a confidential category in a month."""

    category: str
    has_blocks: bool


def month_answers(
    totals: Iterable[Total], reach: Sequence[ReachRow], confidential: Collection[str]
) -> list[MonthAnswer] | None:
    """Return yes or no for each confidential category; None with too few devices.

    A number, a day or a grade would be that of a child; one of many devices is not found.

    Args:
        totals: of a month that is over.
        reach: the devices of its days.
        confidential: categories.
    """
    many = max((row.devices for row in reach if row.scope == SCHOOL), default=0)
    if many < MANY_DEVICES:
        return None
    asked = {total.category for total in totals if total.category in confidential and total.n}
    return [MonthAnswer(one, one in asked) for one in sorted(confidential)]
