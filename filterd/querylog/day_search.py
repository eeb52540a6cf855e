# SPDX-License-Identifier: Apache-2.0
"""Search the day files: names and rows, the most frequent names, new names.

Each request opens the files of its days one after the other, read-only, in a thread of the
caller's. Its time is limited: a search stops between two hours of a day and returns the
cursor from which to go on. A day whose file cannot be read is skipped, and reported.

Names come first, since a day has few; then rows are scanned as integers.

``RecordedWeek`` reads all that some days have, to be judged again.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

from filterd.base.errors import NameTextError, StoreError
from filterd.lists.public_suffix import registrable
from filterd.querylog.day_reader import (
    DAY_ENDS,
    HOUR,
    Day,
    LogFilter,
    RowId,
    UnreadableError,
    attach,
    is_day,
)
from filterd.querylog.day_schema import name_of, plain_text, reversed_text
from filterd.texts.i18n import Sentence, quoted, refused, say

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from filterd.base.clock import Clock


WITHIN_S = 5.0
"""How long a request may read; one statement at most twice as long."""

_MOST_COUNTED = 50_000
"""Names counted over several days; of more, those with the fewest lookups so far are left out."""

_STEPS = 10_000
"""Of SQLite's machine, after which it asks whether its time is over."""

DAY_SUFFIX = ".sqlite3"

T = TypeVar("T")


@dataclass(slots=True)
class FoundRows:
    """A part of the rows that fit, the newest first.

    Attributes:
        rows: plain data.
        seen: distinct names that fit, of the days that begin on this page.
        seen_more: whether there are more of these than a page has.
        cursor: the row after which to go on; empty at the end.
        is_late: whether the time was over before a page was full.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    seen_more: bool = False
    cursor: str = ""
    is_late: bool = False


def stored_days(folder: Path) -> list[str]:
    """Return the days that have a file (ISO 8601), the newest first."""
    with contextlib.suppress(OSError):
        found = (one.name.removesuffix(DAY_SUFFIX) for one in folder.glob(f"*{DAY_SUFFIX}"))
        return sorted(filter(is_day, found), reverse=True)
    return []


class DaySearch:
    """One request: it reads the files of some days.

    Args:
        folder: of the day files.
        days: to read (ISO 8601), the newest first.
        is_confidential: returns whether no view may have a name.
        confidential: categories that no view may have.
        clock: for the time that it takes.
        within_s: after which the request is over.

    ``skipped`` has the days that could not be read, and why; ``read`` those that were.
    """

    def __init__(
        self,
        folder: Path,
        days: Sequence[str],
        is_confidential: Callable[[bytes], bool] = lambda _: False,
        confidential: Collection[str] = (),
        *,
        clock: Clock,
        within_s: float = WITHIN_S,
    ) -> None:
        self.skipped: dict[str, Sentence] = {}
        self.read: list[str] = []
        self._folder, self._days = folder, days
        self._is_confidential, self._confidential = is_confidential, confidential
        self._clock, self._within_s = clock, within_s
        self._ends = clock.monotonic() + within_s

    def search(self, wanted: LogFilter, limit: int, after: RowId | None = None) -> FoundRows:
        """Return the rows that fit, the newest first, and distinct names.

        Args:
            wanted: what is looked for.
            limit: rows of the page, and names.
            after: the cursor of the page before.

        Raises:
            StoreError: not even the rows of an hour could be read in time.
        """
        page = FoundRows()

        def use(day: Day) -> bool:
            if not day.want(wanted):
                return False
            if after is not None and day.day == after.day:
                return self._add_rows(page, day, limit, after.at)
            self._add_seen(page, day, wanted, limit)
            return self._add_rows(page, day, limit, DAY_ENDS)

        latest = "9" if after is None else after.day
        self._each([day for day in self._days if day <= latest], use)
        return page

    def top(self, wanted: LogFilter, limit: int) -> list[dict[str, Any]]:
        """Return the names with the most lookups, and how often each was blocked.

        Raises:
            StoreError: the time was over.
        """
        counts = Counter[tuple[str, tuple[str, str]]]()

        def add(day: Day) -> None:
            nonlocal counts
            if day.want(wanted):
                for text, kind, n in day.sums():
                    counts[text, kind] += n
            if len(counts) > _MOST_COUNTED:
                counts = Counter(dict(counts.most_common(_MOST_COUNTED)))

        self._each(self._days, add)
        totals, kinds = Counter[str](), defaultdict[str, list[tuple[int, str, str]]](list)
        for (text, kind), n in counts.items():
            totals[text] += n
            kinds[text].append((n, *kind))
        shown = (text for text, _ in totals.most_common() if not self._hides(text))
        return [
            {
                "name": plain_text(text),
                "n": totals[text],
                "blocked": sum(n for n, action, _ in kinds[text] if action == "blocked"),
                "category": max((n, category) for n, _, category in kinds[text])[1],
            }
            for text in islice(shown, limit)
        ]

    def new(self, limit: int, *, domains: bool = False) -> tuple[list[dict[str, Any]], int]:
        """Return allowed names of the first day that a tier had not on the others.

        Args:
            limit: of names.
            domains: registered domains instead, of which no name was looked up on the others.

        Returns: at most ``limit`` names, and how many there are.

        Raises:
            StoreError: the time was over.
        """
        new: dict[tuple[str, str], tuple[str, int]] = {}

        def use(day: Day) -> bool:
            if day.day == self._days[0]:
                new.update(self._domains(day.allowed()) if domains else day.allowed())
            elif domains:
                known = day.known_beneath({text for _, text in new})
                for key in [one for one in new if one[1] in known]:
                    del new[key]
            else:
                for key in day.known(new):
                    del new[key]
            return not new

        self._each(self._days, use)
        kept = [key for key in sorted(new) if not self._hides(key[1])]
        rows = [
            {"tier": key[0], "name": plain_text(key[1]), "category": of[0], "devices": of[1]}
            for key in kept[:limit]
            for of in (new[key],)
        ]
        return rows, len(kept)

    def _domains(
        self, allowed: Mapping[tuple[str, str], tuple[str, int]]
    ) -> dict[tuple[str, str], tuple[str, int]]:
        """Return the registered domains of names, with the most devices of one of them."""
        found = dict[tuple[str, str], tuple[str, int]]()
        for (tier, text), (category, devices) in allowed.items():
            if self._hides(text):
                continue
            key = tier, reversed_text(registrable(name_of(text)))
            found[key] = category, max(devices, found.get(key, ("", 0))[1])
        return found

    def names(self, first: int, limit: int) -> list[dict[str, Any]]:
        """Return distinct names of the days, ``limit`` of them from number ``first`` on.

        Raises:
            StoreError: the time was over.
        """
        found: list[dict[str, Any]] = []

        def use(day: Day) -> None:
            day.want(LogFilter())
            shown = (one for one in day.seen(LogFilter()) if not self._hides(one.text))
            found.extend(one.to_plain(day) for one in islice(shown, first, first + limit))

        self._each(self._days, use)
        return found

    def row(self, row: RowId) -> dict[str, Any] | None:
        """Return a row; None if there is none, or no view may have it."""
        found: list[dict[str, Any]] = []

        def use(day: Day) -> None:
            day.want(LogFilter())
            rows = (one for one in day.rows(row.at, row.at + 1) if not self._hides(one.text))
            found.extend(one.to_plain(day) for one in rows)

        self._each([row.day], use)
        return found[0] if found else None

    def end(self) -> None:
        """End a request of another thread; a statement stops within milliseconds."""
        self._ends = -inf

    def _add_seen(self, page: FoundRows, day: Day, wanted: LogFilter, limit: int) -> None:
        for one in day.seen(wanted):
            if self._hides(one.text):
                continue
            if len(page.seen) == limit:
                page.seen_more = True
                return
            page.seen.append(one.to_plain(day))

    def _add_rows(self, page: FoundRows, day: Day, limit: int, below: int) -> bool:
        """Add rows of a day, hour by hour; return whether the page ends there."""
        while below > 0:
            floor = (below - 1) // HOUR * HOUR
            for row in day.rows(floor, below):
                if self._hides(row.text):
                    continue
                if len(page.rows) == limit:
                    page.cursor = page.rows[-1]["id"]
                    return True
                page.rows.append(row.to_plain(day))
            below = floor
            if self._clock.monotonic() > self._ends:
                page.cursor, page.is_late = str(RowId(day.day, below)), True
                return True
        return False

    def _hides(self, text: str) -> bool:
        return self._is_confidential(name_of(text))

    def _each(self, days: Sequence[str], use: Callable[[Day], bool | None]) -> None:
        """Open one day after the other, until ``use`` returns true.

        Raises:
            StoreError: a statement took too long.
        """
        for day in days:
            path = self._folder / f"{day}{DAY_SUFFIX}"
            if not os.path.lexists(path):
                continue
            try:
                is_end = _with_day(path, self._confidential, self._is_over, use)
            except (sqlite3.Error, OSError, NameTextError, UnreadableError) as error:
                if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                    raise StoreError(
                        say(
                            "{day}: reading the log takes too long; search fewer days, or another"
                            " name",
                            day=day,
                        )
                    ) from error
                self.skipped[day] = _why_unreadable(error)
            else:
                self.read += [day] if day not in self.read else []
                if is_end:
                    return

    def _is_over(self) -> bool:
        return self._clock.monotonic() > self._ends + self._within_s


def _with_day(
    path: Path, confidential: Collection[str], is_over: Callable[[], bool], use: Callable[[Day], T]
) -> T | None:
    """Open a day file for ``use`` until ``is_over``; None for one without tables."""
    with contextlib.closing(sqlite3.connect(":memory:", uri=True)) as connection:
        connection.set_progress_handler(is_over, _STEPS)
        if not attach(connection, path):
            return None
        return use(Day(connection, path.name.removesuffix(DAY_SUFFIX), confidential))


def _why_unreadable(error: Exception) -> Sentence:
    """Return why a day file cannot be read."""
    if isinstance(error, UnreadableError):
        return error.why
    return refused(error) if isinstance(error, OSError) else quoted(str(error))


_WEEK_WITHIN_S = 60.0
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
        self, folder: Path, days: Sequence[str], *, clock: Clock, within_s: float = _WEEK_WITHIN_S
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
                _with_day(path, (), self._is_over, use)
            except (sqlite3.Error, OSError, NameTextError, UnreadableError) as error:
                self.skipped[day] = _NO_TIME if self._is_over() else _why_unreadable(error)
            except (LookupError, TypeError, ValueError, OverflowError):
                # SQLite checks no types as it reads: a flipped bit makes a text of a number.
                self.skipped[day] = say("the file is damaged")
            else:
                self.read.append(day)

    def _is_over(self) -> bool:
        return self._clock.monotonic() > self._ends + self._within_s
