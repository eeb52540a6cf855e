# SPDX-License-Identifier: Apache-2.0
"""Open the day files of the last days, one after the other, to judge them all.

A day whose file cannot be read, or has what no day has, is left out and named. Reading may end
before the oldest day where the time of the caller is over; the newest days come first.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

from filterd.errors import NameTextError
from filterd.i18n import Sentence, say
from filterd.querylog.day_reader import Day, UnreadableError, attach
from filterd.querylog.day_search import DAY_SUFFIX, STEPS, why_unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from filterd.clock import Clock

WITHIN_S = 60.0
"""How long the days of a week may be judged; a day that has begun has as much once more."""


_NO_TIME = say("there was no time left for it")


class RecordedWeek:
    """The day files of some days.

    Args:
        folder: of the day files.
        days: to read (ISO 8601), the newest first.
        clock: for the time that it takes.
        within_s: after which no other day is begun; after twice as much a day is left out.

    ``read`` has the days that were read; ``skipped`` the others that have a file, and why.
    """

    def __init__(
        self, folder: Path, days: Sequence[str], *, clock: Clock, within_s: float = WITHIN_S
    ) -> None:
        self.read: list[str] = []
        self.skipped: dict[str, Sentence] = {}
        self._folder, self._days, self._clock = folder, days, clock
        self._ends, self._within_s = clock.monotonic() + within_s, within_s

    def each(self, use: Callable[[Day], None]) -> None:
        """Open one day after the other."""
        for day in self._days:
            path = self._folder / f"{day}{DAY_SUFFIX}"
            if not os.path.lexists(path):
                continue
            if self._clock.monotonic() > self._ends:
                self.skipped[day] = _NO_TIME
                continue
            try:
                with contextlib.closing(sqlite3.connect(":memory:", uri=True)) as connection:
                    connection.set_progress_handler(self._is_over, STEPS)
                    if attach(connection, path):
                        use(Day(connection, day, ()))
            except (sqlite3.Error, OSError, NameTextError, UnreadableError) as error:
                self.skipped[day] = _NO_TIME if self._is_over() else why_unreadable(error)
            except (LookupError, TypeError, ValueError, OverflowError):
                # SQLite checks no types as it reads: a flipped bit makes a text of a number.
                self.skipped[day] = say("the file is damaged")
            else:
                self.read.append(day)

    def _is_over(self) -> bool:
        return self._clock.monotonic() > self._ends + self._within_s
