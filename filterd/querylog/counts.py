# SPDX-License-Identifier: Apache-2.0
"""Counts of one worker for the log, kept until they are on disk.

Rows are few: an hour has at most grades x categories x actions of them. Hours that
are not collected pile up while the disk is full, so their number is bounded.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.clock import Clock

HOUR_S = 3600
MOST_ROWS = 20_000
"""Rows held at most beside the hour that is being counted: some weeks of a school."""

ROWS_A_BATCH = 4_000
"""Rows of one batch, so that it fits one packet of the channel between processes."""


DAYS_KEPT = 400
"""A school year and what is left of the one before.

Days with counts are meant, not days of the calendar: a clock that is wrong for
an hour must not make all that was counted look old.
"""


class CountRow(NamedTuple):
    """The number of answers of one kind in an hour; ``hour``: Unix time, its start."""

    hour: int
    grade: str
    category: str
    action: str
    n: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows on their way to the disk.

    ``worker`` names the process that counted, for as long as it lives; ``number``
    grows with each batch of it. ``more``: there is another one behind it.
    """

    worker: str
    number: int
    rows: tuple[CountRow, ...] = ()
    more: bool = False

    def to_plain(self) -> dict[str, Any]:
        """Return the batch as plain data, for another process."""
        return {
            "worker": self.worker,
            "number": self.number,
            "rows": [list(row) for row in self.rows],
            "more": self.more,
        }

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> Batch:
        """Return the batch that another process sent as plain data."""
        rows = tuple(CountRow(*row) for row in data["rows"])
        return cls(data["worker"], data["number"], rows, data["more"])


class Counts:
    """Totals by hour, grade, category and action.

    ``enabled``: whether anything is counted. ``lost``: how many answers were counted and
    then dropped, because they were not collected while there was room.

    While the clock shows a time that is certainly past (``know_from``), answers are
    counted apart. They go to the hour in which the time becomes known: on a board
    without a battery that is minutes after they were given, and no report would ever
    show the days of 1970. Where the time never becomes known they end with the process.
    """

    def __init__(self, clock: Clock) -> None:
        self.enabled = True
        self.lost = 0
        self._clock = clock
        self._name = secrets.token_hex(8)
        self._hours: dict[int, dict[tuple[str, str, str], int]] = {}
        self._open: dict[tuple[str, str, str], int] = {}
        self._opened, self._ends = 0.0, 0.0
        self._known_from = -inf
        self._undated: dict[tuple[str, str, str], int] = {}
        self._handed = Batch(self._name, 0)

    def __len__(self) -> int:
        """Return how many rows wait to be written."""
        held = sum(map(len, self._hours.values()))
        return len(self._handed.rows) + held + len(self._undated)

    @property
    def undated(self) -> int:
        """The number of answers that wait for the time to become known."""
        return sum(self._undated.values())

    def know_from(self, floor: float) -> None:
        """Treat a clock that shows less than this Unix time as not set."""
        self._known_from = floor
        self._ends = 0  # the next answer finds the hour

    def add(self, grade: str, category: str, action: str, n: int = 1) -> None:
        """Count answers that are given now.

        Args:
            grade: of the client.
            category: of the rule that decided, empty for none.
            action: what the client got.
            n: how many.
        """
        if not self.enabled:
            return
        now = self._clock.wall()
        if not self._opened <= now < self._ends:
            self._open_hour(now)
        key = grade, category, action
        self._open[key] = self._open.get(key, 0) + n

    def take(self, worker: str = "", acknowledged: int = 0) -> Batch:
        """Return the next batch, or the last one again if it is not acknowledged.

        Args:
            worker: whose batch is acknowledged; one of a predecessor is ignored.
            acknowledged: the number of a batch that is on disk and is forgotten here.
        """
        if self._undated and (now := self._clock.wall()) >= self._known_from:
            self._open_hour(now)
        if worker == self._name and acknowledged == self._handed.number:
            self._handed = Batch(self._name, acknowledged)
        if not self._handed.rows and self._hours:
            rows = tuple(self._taken(ROWS_A_BATCH))
            self._handed = Batch(self._name, self._handed.number + 1, rows)
        return replace(self._handed, more=bool(self._hours))

    def take_all(self) -> Iterator[Batch]:
        """Yield every batch that is left, when there will be no further call."""
        while (batch := self.take()).rows:
            yield batch
            self.take(batch.worker, batch.number)

    def _open_hour(self, now: float) -> None:
        """Count into the hour of ``now``; the clock may have been set either way."""
        if now < self._known_from:
            self._opened, self._ends, self._open = -inf, self._known_from, self._undated
            return
        hour = int(now // HOUR_S) * HOUR_S
        self._opened, self._ends = hour, hour + HOUR_S
        while self._hours and len(self) > MOST_ROWS:
            oldest = self._hours.pop(next(iter(self._hours)))
            self.lost += sum(oldest.values())
        self._open = self._hours.setdefault(hour, {})
        undated, self._undated = self._undated, {}
        for key, n in undated.items():
            self._open[key] = self._open.get(key, 0) + n

    def _taken(self, most: int) -> Iterator[CountRow]:
        """Take rows out, the hour that was begun first before the others."""
        while most and self._hours:
            hour, counted = next(iter(self._hours.items()))
            keys = list(islice(counted, most))
            for key in keys:
                yield CountRow(hour, *key, counted.pop(key))
            most -= len(keys)
            if not counted:
                del self._hours[hour]
                if hour == self._opened:
                    self._ends = 0  # the next answer opens it again
