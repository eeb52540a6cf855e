# SPDX-License-Identifier: Apache-2.0
"""Keep how many distinct names were blocked on each day that is over.

Day files are removed after some weeks, and a report is about a year. A file is counted once
its day is over, and again where lookups have come late; one in a minute, the latest first.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from filterd.daemon.minute_rounds import MinuteRounds, logged
from filterd.errors import StoreError
from filterd.field_checks import is_date
from filterd.i18n import UNSAID

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from filterd.daemon.log_collector import LogKeeper

_WITHIN_S = 10.0
"""The largest day takes 1.5 s; after an update there are as many as are kept."""

_log = logging.getLogger("filterd.log")


class DistinctKeeper(MinuteRounds):
    """Counts the day files of days that are over.

    Args:
        folder: of the day files.
        log: has the file of totals.
        today: returns the school's day (ISO 8601); None while it is not known.
        confidential: returns the categories of which nothing is counted.
    """

    def __init__(
        self,
        folder: Path,
        log: LogKeeper,
        today: Callable[[], str | None],
        confidential: Callable[[], Collection[str]],
    ) -> None:
        super().__init__()
        self._folder, self._log = folder, log
        self._today, self._confidential = today, confidential
        self._done: dict[str, int] | None = None
        """By day, the time at which its counted file was last written; None before the first."""
        self._problem, self._is_behind = UNSAID, False

    async def catch_up(self) -> None:
        """Count the days that are due, within some seconds. Never raises."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_WITHIN_S):
                await self.collect()
                while self._is_behind:
                    await self.collect()

    async def _collect(self) -> None:
        today, self._is_behind = self._today(), False
        if today is None:
            return
        files = await asyncio.to_thread(_closed, self._folder, today)
        try:
            if self._done is None:
                known = await self._log.distinct_days() if files else frozenset()
                self._done = {day: files[day] for day in known & files.keys()}
            due = [day for day in files if self._done.get(day) != files[day]]
            if due:
                await self._count(max(due))
                self._done[max(due)] = files[max(due)]
            self._is_behind = len(due) > 1
        except StoreError as error:
            self._problem = logged(error, self._problem)
        else:
            self._problem = UNSAID

    async def _count(self, day: str) -> None:
        # SQLite is for this process only; the others are forked with what is imported before.
        from filterd.querylog.day_distinct import count_distinct  # noqa: PLC0415
        from filterd.querylog.day_reader import UnreadableError  # noqa: PLC0415
        from filterd.querylog.sqlite_file import FAILURES  # noqa: PLC0415

        path, hidden = self._folder / f"{day}.sqlite3", frozenset(self._confidential())
        try:
            rows = await asyncio.to_thread(count_distinct, path, day, hidden)
        except (UnreadableError, *FAILURES) as error:
            _log.error("%s: %s; its distinct names are not counted", path, error)
            return
        await self._log.keep_distinct(day, rows)

    async def _close(self) -> None:
        pass


def _closed(folder: Path, today: str) -> dict[str, int]:
    """Return when the files of days before today were last written."""
    found = dict[str, int]()
    with suppress(OSError):
        for path in folder.glob("*.sqlite3"):
            if is_date(path.stem) and path.stem < today:
                found[path.stem] = path.stat().st_mtime_ns
    return found
