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
* A teacher sees categories of own classes from k devices on, of hours before the present lesson;
  what is below counts as of no category, so the number of blocks is whole. The devices are those
  of when these hours were shown first: no category appears with the lookup that makes it k.
* The principal of a school of ``MANY_DEVICES`` or more is told yes or no for a confidential
  category and a month that is over.
"""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.querylog.counts import HOUR_S
from filterd.querylog.day_reach import CLASS, MANY_DEVICES, SCHOOL

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from filterd.policy.model import Lesson
    from filterd.querylog.day_reach import ReachRow
    from filterd.querylog.totals_request import Total


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
    running = (one.starts_s for one in lessons if one.starts_s <= second < one.ends_s)
    return min((now - (second - starts_s) for starts_s in running), default=inf)


def for_teachers(
    rows: Iterable[Mapping[str, Any]], reach: Iterable[ReachRow], k: int
) -> list[dict[str, Any]]:
    """Return rows of classes without categories that fewer than k devices asked for.

    Args:
        rows: totals of a day, with classes.
        reach: the devices of that day.
        k: the least number of devices.
    """
    devices = {row[2:5]: row.devices for row in reach if row.scope == CLASS}
    sums = Counter[tuple[tuple[str, Any], ...]]()
    for row in rows:
        key = row["class"], row["category"], row["action"]
        category = row["category"] if devices.get(key, 0) >= k else ""
        shown = {**row, "category": category}
        n = shown.pop("n")
        sums[tuple(shown.items())] += n
    return [{**dict(key), "n": n} for key, n in sums.items()]


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
    asked = {one.category for one in totals if one.category in confidential and one.n}
    return [MonthAnswer(one, one in asked) for one in sorted(confidential)]
