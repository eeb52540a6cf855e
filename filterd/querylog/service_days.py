# SPDX-License-Identifier: Apache-2.0
"""Record the minutes of a school day in which lookups were answered. Pure.

The manager notes them each minute (``daemon.manager.log_collector``); ``totals_file`` keeps them,
with the lists in force and the results of self-tests.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from filterd.querylog.day_schema import DaySpan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

OCTETS = 188
"""Of the minutes on disk: a day has 1,500 at most, when clocks go back."""

_NEXT_NOTE_WITHIN_S = 150.0
"""A longer time between two notes was a suspension, or a round that was stuck."""

WAIT_S = 600.0
"""How long records wait for counts to be written with: an SD card wears by writes."""

_MOST_WAITING = 40
"""Days that wait for the disk."""


class ServiceDay(NamedTuple):
    """The service of a school day.

    Attributes:
        day: ISO 8601.
        minutes: bit n is the minute n from the begin of the day; None where it is damaged.
        lists: the last version of the lists in force, empty for not known.
        lists_age_s: the greatest age of the lists; None for not known.
        passed, failed: of the last self-test; None where there was none.
        lost: answers that could not be counted.
    """

    day: str
    minutes: int | None = 0
    lists: str = ""
    lists_age_s: int | None = None
    passed: int | None = None
    failed: int | None = None
    lost: int = 0

    def is_full(self, span: DaySpan) -> bool:
        """Return whether each minute of the day was in service; ``span`` is of the day."""
        return _digits(self.minutes or 0, span).find("0") < 0

    def merged(self, later: ServiceDay) -> ServiceDay:
        """Return this record with a later one of the same day."""
        ages = [one for one in (self.lists_age_s, later.lists_age_s) if one is not None]
        tested = self if later.passed is None else later
        return ServiceDay(
            self.day,
            (self.minutes or 0) | (later.minutes or 0),
            later.lists or self.lists,
            max(ages, default=None),
            tested.passed,
            tested.failed,
            self.lost + later.lost,
        )

    def row(self) -> tuple[str, bytes, str, int | None, int | None, int | None, int]:
        """Return the row on disk."""
        return self.day, (self.minutes or 0).to_bytes(OCTETS, "little"), *self[2:]

    @classmethod
    def of_row(
        cls,
        day: str,
        minutes: bytes,
        lists: str,
        age_s: int | None,
        passed: int | None,
        failed: int | None,
        lost: int,
    ) -> ServiceDay:
        """Return the record of a row on disk."""
        bits = int.from_bytes(minutes, "little") if len(minutes) == OCTETS else None
        return cls(day, bits, lists, age_s, passed, failed, lost)


class ServiceMoment(NamedTuple):
    """A moment in service: policy time, the zone, the rest as in ``ServiceDay``."""

    now: float
    zone: ZoneInfo
    lists: str = ""
    lists_age_s: int | None = None


class ServiceNotes:
    """Records of days, in memory, until they are on disk."""

    def __init__(self) -> None:
        self._waiting: dict[str, ServiceDay] = {}
        self._last: tuple[float, float] | None = None
        self._lost, self._waits_since = 0, 0.0

    def note(self, moment: ServiceMoment | None, monotonic: float, lost: int = 0) -> None:
        """Note the minute of a moment, and those since the last note.

        Args:
            moment: None for a time without service, or that is not known.
            monotonic: time of the note, by the monotonic clock.
            lost: answers that could not be counted, since the last note.
        """
        self._lost += lost
        if moment is None:
            self._last = None
            return
        last_minute = int(moment.now // 60)
        first_minute = last_minute
        if self._last is not None:
            passed_s = moment.now - self._last[0], monotonic - self._last[1]
            if all(0 <= one <= _NEXT_NOTE_WITHIN_S for one in passed_s):
                first_minute = int(self._last[0] // 60) + 1  # that minute was noted then
        self._last = moment.now, monotonic
        if not self._waiting:
            self._waits_since = monotonic
        for minute in range(first_minute, last_minute + 1):
            span = DaySpan.at(minute * 60, moment.zone)
            bit = 1 << (minute * 60 - span.begins) // 60
            self._add(ServiceDay(span.day, bit, moment.lists, moment.lists_age_s, lost=self._lost))
            self._lost = 0

    def note_tests(self, day: str, passed: int, failed: int) -> None:
        """Note the results of the self-test of a day (ISO 8601)."""
        self._add(ServiceDay(day, passed=passed, failed=failed))

    def is_due(self, monotonic: float) -> bool:
        """Return whether something waits long enough to be written alone."""
        return bool(self._waiting) and monotonic - self._waits_since >= WAIT_S

    def take(self) -> tuple[ServiceDay, ...]:
        """Take out what waits."""
        taken, self._waiting = tuple(self._waiting.values()), {}
        return taken

    def give_back(self, days: Sequence[ServiceDay]) -> None:
        """Keep what could not be written, for the next time."""
        later, self._waiting = self._waiting, {}
        for one in (*days, *later.values()):
            self._add(one)

    def _add(self, day: ServiceDay) -> None:
        known = self._waiting.get(day.day)
        self._waiting[day.day] = day if known is None else known.merged(day)
        if len(self._waiting) > _MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]


class ServiceSum(NamedTuple):
    """The service of several days.

    Attributes:
        days: that are counted: not before the first record.
        in_service: with a minute of service at least.
        minutes, expected: of these days; the first record's day counts from its first minute.
        gaps: Unix times [begin, end) without service, in order.
        unreadable: days without a record, or with a damaged one.
    """

    days: int
    in_service: int
    minutes: int
    expected: int
    gaps: tuple[tuple[int, int], ...]
    unreadable: tuple[str, ...]


def sum_up(spans: Sequence[DaySpan], records: Sequence[ServiceDay], first: str) -> ServiceSum:
    """Return the sum of days.

    Args:
        spans: of days that follow each other, all over.
        records: of these days, in any order.
        first: the day of the first record of all, ISO 8601; empty where there is none.
    """
    known = {record.day: record.minutes for record in records}
    spans = [span for span in spans if first and span.day >= first]
    if not spans:
        return ServiceSum(0, 0, 0, 0, (), ())
    served = "".join(_digits(known.get(span.day) or 0, span) for span in spans)
    before = served.find("1") if spans[0].day == first and "1" in served else 0
    begins = spans[0].begins
    gaps = tuple(
        (begins + 60 * found.start(), begins + 60 * found.end())
        for found in re.compile("0+").finditer(served, before)
    )
    return ServiceSum(
        len(spans),
        sum(bool(known.get(span.day)) for span in spans),
        served.count("1"),
        len(served) - before,
        gaps,
        tuple(span.day for span in spans if known.get(span.day) is None),
    )


def _digits(minutes: int, span: DaySpan) -> str:
    """Return a digit for each minute of a day, the first one first."""
    most = (span.ends - span.begins) // 60
    return f"{minutes & ((1 << most) - 1):0{most}b}"[::-1]
