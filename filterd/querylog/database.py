# SPDX-License-Identifier: Apache-2.0
"""The file of the totals: its one writer, and reads of some days."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from filterd.querylog import sqlite_file
from filterd.querylog.counts import DAYS_KEPT
from filterd.querylog.sqlite_file import FileSchema, SqliteFile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import aiosqlite

    from filterd.clock import Clock
    from filterd.querylog.counts import Batch

VERSION = 2
"""Kept in the file as ``user_version``; 0 is a file that has just been made."""

_TOTALS = """
CREATE TABLE totals (
    hour INTEGER NOT NULL,
    grade TEXT NOT NULL,
    category TEXT NOT NULL,
    action TEXT NOT NULL,
    n INTEGER NOT NULL,
    network TEXT NOT NULL,
    class TEXT NOT NULL,
    PRIMARY KEY (hour, grade, category, action, network, class)
) STRICT, WITHOUT ROWID;
"""
_HANDOVERS = """
CREATE TABLE handovers (
    worker TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""
TABLES = f"{_TOTALS} {_HANDOVERS} PRAGMA user_version = {VERSION};"
"""``totals``: ``hour`` is the Unix time of its start; ``network`` and ``class`` are empty where
none is known. ``handovers``: the last batch of each worker that is in ``totals``, and the Unix
time at which it came."""

FROM_1 = " ".join(
    (
        "ALTER TABLE totals RENAME TO totals_1;",
        _TOTALS,
        "INSERT INTO totals SELECT hour, grade, category, action, n, '', '' FROM totals_1;",
        "DROP TABLE totals_1;",
        f"PRAGMA user_version = {VERSION};",
    )
)
"""Brings a file of release 0.1 up to date: it has neither network nor class."""

FILE = FileSchema(
    VERSION,
    TABLES,
    {1: FROM_1},
    # In kibibytes. Looking through a file of some months would fill the 2 MB that SQLite takes
    # unasked, for a process that writes some rows a minute.
    ("PRAGMA cache_size = -256",),
)

ADD = """
INSERT INTO totals VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET n = n + excluded.n
"""

LAST_OF = "SELECT number FROM handovers WHERE worker = ?"

NOTE = "INSERT OR REPLACE INTO handovers VALUES (?, ?, ?)"

FORGET_DAYS = """
DELETE FROM totals WHERE hour < 86400 * (
    SELECT DISTINCT hour / 86400 AS day FROM totals ORDER BY day DESC LIMIT 1 OFFSET ?
)
"""

FORGET_WORKERS = """
DELETE FROM handovers WHERE worker NOT IN (SELECT worker FROM handovers ORDER BY at DESC LIMIT 64)
"""
"""Removes old workers: there are never so many at a time."""

LAST_AT = "SELECT MAX(at) FROM handovers"

SELECT = """
SELECT grade, category, action, SUM(n), CASE WHEN ? THEN class ELSE '' END AS of FROM totals
WHERE hour >= ? AND hour < ? AND (? = '' OR grade = ?) AND (? = '' OR class = ?)
GROUP BY grade, category, action, of
"""

SELECT_FROM_1 = SELECT.replace("FROM totals", "FROM (SELECT *, '' AS class FROM totals)")
"""The same of a file of release 0.1 that nothing has been written to since."""

_DAY_S = 86_400


class Database:
    """The log file ``path``; it is made when there is first something to write."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._file, self._clock = SqliteFile(path, FILE), clock
        self._forgot_on = -1

    @property
    def set_aside(self) -> int:
        """The number of files that were replaced by new ones."""
        return self._file.set_aside

    async def write(self, batches: Iterable[Batch]) -> None:
        """Add batches to the totals, all or none; one that is there already is skipped.

        Raises:
            StoreError: the disk refused, or another process holds the file.
        """
        taken, now = tuple(batches), int(self._clock.wall())

        async def add(connection: aiosqlite.Connection) -> None:
            await _add(connection, taken, now)
            if self._forgot_on != now // _DAY_S:
                await connection.execute(FORGET_DAYS, (DAYS_KEPT - 1,))
                await connection.execute(FORGET_WORKERS)

        await self._file.transact(add)
        self._forgot_on = now // _DAY_S

    async def close(self) -> None:
        """Close the file."""
        await self._file.close()


async def _add(connection: aiosqlite.Connection, batches: Iterable[Batch], now: int) -> None:
    for batch in batches:
        known = await connection.execute_fetchall(LAST_OF, (batch.worker,))
        if batch.rows and batch.number > max((row[0] for row in known), default=0):
            totals = Counter[tuple[object, ...]]()
            for row in batch.rows:
                totals[*row[:4], row.network, row.class_id] += row.n
            added = ((*key[:4], n, *key[4:]) for key, n in totals.items())
            await connection.executemany(ADD, added)
            await connection.execute(NOTE, (batch.worker, batch.number, now))


class Total(NamedTuple):
    """The number of answers of one kind on a day; ``date``: ISO 8601, school's zone.

    ``class_id`` is empty where none is known, or none is asked for.
    """

    date: str
    grade: str
    category: str
    action: str
    n: int
    class_id: str = ""


async def read_totals(
    path: Path,
    *,
    time_zone: str,
    now: float,
    days: int,
    grade: str = "",
    class_id: str = "",
    by_class: bool = False,
) -> list[Total]:
    """Return the counts of the last days, today included, the latest first.

    An hour belongs to the day in which it begins.

    Args:
        path: the file; a missing one holds nothing.
        time_zone: in which days begin.
        now: Unix time.
        days: how many, at least 1.
        grade: of the clients, empty for all.
        class_id: of the clients, empty for all.
        by_class: whether each class is counted for itself.

    Raises:
        StoreError: the file cannot be read.
    """
    if not os.path.lexists(path):
        return []
    found: list[Total] = []
    async with sqlite_file.reading(path) as connection:
        version = await sqlite_file.value_of(connection, "PRAGMA user_version")
        if version == 0:  # just made: the disk had no room for more yet
            return []
        select = SELECT if version == VERSION else SELECT_FROM_1
        for date, begins, ends in _days(time_zone, now, days):
            limits = (by_class, begins, ends, grade, grade, class_id, class_id)
            rows = await connection.execute_fetchall(select, limits)
            found.extend(Total(date, *row) for row in rows)
    return found


def last_written(path: Path) -> float:
    """Return the Unix time of the last write; 0 where it cannot be read."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=sqlite_file.BUSY_S)) as connection:
            (at,) = connection.execute(LAST_AT).fetchone()
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
