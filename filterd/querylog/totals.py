# SPDX-License-Identifier: Apache-2.0
"""Reader of the log file, a day of the school at a time.

Each call opens the file anew and only to read: readers do not wait for the
writer in WAL mode, nor it for them.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import aiosqlite

from filterd.errors import StoreError
from filterd.i18n import quoted, say
from filterd.paths import is_plain, with_sides
from filterd.querylog import database

if TYPE_CHECKING:
    from pathlib import Path

_BUSY_S = 1.0


class Total(NamedTuple):
    """The number of answers of one kind on a day; ``date``: ISO 8601, school's zone."""

    date: str
    grade: str
    category: str
    action: str
    n: int


async def read_totals(
    path: Path, *, time_zone: str, now: float, days: int, grade: str = ""
) -> list[Total]:
    """Return the counts of the last days, today included, the latest first.

    An hour belongs to the day in which it begins.

    Args:
        path: the file; a missing one holds nothing.
        time_zone: in which days begin.
        now: Unix time.
        days: how many, at least 1.
        grade: of the clients, empty for all.

    Raises:
        StoreError: the file cannot be read.
    """
    if not os.path.lexists(path):
        return []
    if not all(map(is_plain, with_sides(path))):
        why = quoted("Not a plain file")
        raise StoreError(say("{path}: the log cannot be read: {error}", path=path, error=why))
    found: list[Total] = []
    uri = f"{path.absolute().as_uri()}?mode=rw"  # to read what is still in the write-ahead log
    try:
        async with aiosqlite.connect(uri, uri=True, timeout=_BUSY_S) as connection:
            await connection.execute("PRAGMA query_only = ON")
            ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
            if version == 0:  # just made: the disk had no room for more yet
                return []
            for date, begins, ends in _days(time_zone, now, days):
                limits = (begins, ends, grade, grade)
                rows = await connection.execute_fetchall(database.SELECT, limits)
                found.extend(Total(date, *row) for row in rows)
    except sqlite3.Error as error:
        raise StoreError(
            say("{path}: the log cannot be read: {error}", path=path, error=quoted(str(error)))
        ) from error
    return found


def last_written(path: Path) -> float:
    """Return the Unix time of the last write; 0 where it cannot be read."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S)) as connection:
            (at,) = connection.execute(database.LAST_AT).fetchone()
    except (sqlite3.Error, TypeError, ValueError):
        return 0.0
    return float(at or 0)


def _days(time_zone: str, now: float, days: int) -> list[tuple[str, int, int]]:
    """Return date, begin and end of the last days, as Unix times, the latest first."""
    zone = ZoneInfo(time_zone)
    today = datetime.fromtimestamp(now, zone).date()
    dates = [today - timedelta(days=ago) for ago in range(-1, days)]
    begins = [int(datetime.combine(one, time(), zone).timestamp()) for one in dates]
    return [
        (date.isoformat(), begin, end)
        for date, begin, end in zip(dates[1:], begins[1:], begins, strict=False)
    ]
