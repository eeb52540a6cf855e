# SPDX-License-Identifier: Apache-2.0
"""The writer of the log file; there is only one.

SQLite works in a thread of its own (aiosqlite), so whatever the disk does, the
event loop goes on. After any error the file is closed and opened again the next
time: it may have been removed, or the disk mounted again. Time is bounded only
as far as the kernel returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import aiosqlite

from filterd.errors import StoreError
from filterd.i18n import quoted, refused, say
from filterd.paths import is_plain, make_folder, move_away, with_sides
from filterd.querylog.counts import DAYS_KEPT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.clock import Clock
    from filterd.querylog.counts import Batch

VERSION = 2
"""Kept in the file as ``user_version``; 0 is a file that has just been made."""

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # A power cut may lose the last minutes, and damages nothing.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 4194304",
    # In kibibytes. Looking through a file of some months would fill the 2 MB that SQLite takes
    # unasked, for a process that writes some rows a minute.
    "PRAGMA cache_size = -256",
)

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

_DAMAGE = {
    sqlite3.SQLITE_ERROR,  # a table that is missing or differs
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
}

BUSY_S = 1.0
"""How long another process may hold the file before the batch is tried later."""

_DAY_S = 86_400
_log = logging.getLogger("filterd.querylog")


def means_damage(error: sqlite3.Error) -> bool:
    """Return whether a file is damaged; else its disk or another process is the cause."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE


class Database:
    """The log file ``path``; it is made when there is first something to write.

    ``set_aside`` counts the damaged files that were replaced by new ones.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.set_aside = 0
        self._path, self._clock = path, clock
        self._connection: aiosqlite.Connection | None = None
        self._opened: os.stat_result | None = None
        self._forgot_on = -1
        self._writing = asyncio.Lock()

    async def write(self, batches: Iterable[Batch]) -> None:
        """Add batches to the totals, all or none; one that is there already is skipped.

        Raises:
            StoreError: the disk refused, or another process holds the file.
        """
        async with self._writing:
            try:
                await self._write_or_begin_anew(tuple(batches))
            except (sqlite3.Error, OSError) as error:
                await self.close()
                why = refused(error) if isinstance(error, OSError) else quoted(str(error))
                raise StoreError(
                    say("{path}: the log cannot be written: {why}", path=self._path, why=why)
                ) from error

    async def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                await connection.close()

    async def _write_or_begin_anew(self, batches: tuple[Batch, ...]) -> None:
        try:
            await self._write(batches)
        except sqlite3.Error as error:
            await self.close()
            if not means_damage(error):
                raise
            self._set_aside(str(error))
            await self._write(batches)

    async def _write(self, batches: tuple[Batch, ...]) -> None:
        connection = await self._open()
        now = int(self._clock.wall())
        await connection.execute("BEGIN IMMEDIATE")
        for batch in batches:
            known = await connection.execute_fetchall(LAST_OF, (batch.worker,))
            if batch.rows and batch.number > max((row[0] for row in known), default=0):
                totals = Counter[tuple[object, ...]]()
                for row in batch.rows:
                    totals[*row[:4], row.network, row.class_id] += row.n
                await connection.executemany(
                    ADD, ((*key[:4], n, *key[4:]) for key, n in totals.items())
                )
                await connection.execute(NOTE, (batch.worker, batch.number, now))
        if self._forgot_on != now // _DAY_S:
            await connection.execute(FORGET_DAYS, (DAYS_KEPT - 1,))
            await connection.execute(FORGET_WORKERS)
        await connection.execute("COMMIT")
        self._forgot_on = now // _DAY_S

    async def _open(self) -> aiosqlite.Connection:
        if self._connection is not None and not self._is_in_place():
            await self.close()
        if self._connection is None:
            self._make()
            self._connection = await aiosqlite.connect(
                self._path, timeout=BUSY_S, isolation_level=None
            )
            self._opened = self._path.stat()
            await self._prepare(self._connection)
        return self._connection

    async def _prepare(self, connection: aiosqlite.Connection) -> None:
        """Check that the file is sound; give a new one its tables.

        Raises:
            sqlite3.Error: it cannot be used.
        """
        version = await self._value(connection, "PRAGMA user_version")
        if version not in (0, 1, VERSION):
            raise _unusable(f"its version is {version}")
        for pragma in PRAGMAS:
            await connection.execute(pragma)
        found = await self._value(connection, "PRAGMA quick_check(1)")
        if found != "ok":
            raise _unusable(str(found))
        if version == 0:
            await connection.executescript(f"BEGIN IMMEDIATE; {TABLES} COMMIT;")
        elif version == 1:
            await connection.executescript(f"BEGIN IMMEDIATE; {FROM_1} COMMIT;")

    async def _value(self, connection: aiosqlite.Connection, question: str) -> object:
        ((value, *_), *_) = await connection.execute_fetchall(question)
        return value

    def _make(self) -> None:
        """Create the file before SQLite does, so that its mode holds for its side files."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        make_folder(self._path.parent)
        for path in with_sides(self._path):
            if not (is_plain(path) or path.is_symlink()):
                move_away(path)  # SQLite would wait at a pipe for ever
        os.close(os.open(self._path, flags, 0o600))

    def _is_in_place(self) -> bool:
        with contextlib.suppress(OSError):
            return self._opened is not None and os.path.samestat(self._opened, self._path.stat())
        return False

    def _set_aside(self, reason: str) -> None:
        """Keep one damaged file, in case something in it can still be recovered."""
        kept = self._path.with_name(f"{self._path.name}.damaged")
        self._path.replace(kept)
        for side in with_sides(self._path)[1:]:
            side.unlink(missing_ok=True)
        self.set_aside += 1
        _log.error("%s: damaged (%s); kept as %s, a new one begins", self._path, reason, kept.name)


def _unusable(reason: str) -> sqlite3.Error:
    error = sqlite3.DatabaseError(reason)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


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
    if not all(map(is_plain, with_sides(path))):
        why = quoted("Not a plain file")
        raise StoreError(say("{path}: the log cannot be read: {error}", path=path, error=why))
    found: list[Total] = []
    uri = f"{path.absolute().as_uri()}?mode=rw"  # to read what is still in the write-ahead log
    try:
        async with aiosqlite.connect(uri, uri=True, timeout=BUSY_S) as connection:
            await connection.execute("PRAGMA query_only = ON")
            ((version,),) = await connection.execute_fetchall("PRAGMA user_version")
            if version == 0:  # just made: the disk had no room for more yet
                return []
            select = SELECT if version == VERSION else SELECT_FROM_1
            for date, begins, ends in _days(time_zone, now, days):
                limits = (by_class, begins, ends, grade, grade, class_id, class_id)
                rows = await connection.execute_fetchall(select, limits)
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
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S)) as connection:
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
