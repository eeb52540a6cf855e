# SPDX-License-Identifier: Apache-2.0
"""The file of the totals: its one writer, and reads of some days."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from filterd.base.errors import StoreError
from filterd.policy.log_levels import QueryLog
from filterd.querylog import sqlite_file
from filterd.querylog.day_reach import ReachRow
from filterd.querylog.day_schema import DaySpan
from filterd.querylog.service_days import ServiceDay
from filterd.querylog.sqlite_file import FileSchema, SqliteFile
from filterd.texts.counted import number
from filterd.texts.i18n import say

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    import aiosqlite

    from filterd.base.clock import Clock
    from filterd.querylog.counts import Batch
    from filterd.querylog.period_totals import DistinctCount
    from filterd.querylog.totals_request import Total, TotalsRequest

VERSION = 4
"""Kept in the file as ``user_version``; 0 is a file that has just been made."""

KEPT_DEVICES = 5
"""The largest number of devices of a row of ``totals``."""

_TABLES = """
CREATE TABLE contexts (
    id INTEGER PRIMARY KEY,
    grade TEXT NOT NULL,
    category TEXT NOT NULL,
    action TEXT NOT NULL,
    network TEXT NOT NULL,
    class TEXT NOT NULL,
    UNIQUE (grade, category, action, network, class)
) STRICT;
CREATE TABLE totals (
    hour INTEGER NOT NULL,
    context INTEGER NOT NULL,
    n INTEGER NOT NULL,
    devices INTEGER NOT NULL,
    PRIMARY KEY (hour, context)
) STRICT, WITHOUT ROWID;
CREATE TABLE reach (
    day TEXT NOT NULL,
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    category TEXT NOT NULL,
    action TEXT NOT NULL,
    devices INTEGER NOT NULL,
    PRIMARY KEY (day, scope, id, category, action)
) STRICT, WITHOUT ROWID;
"""
_NEW_IN_4 = """
CREATE TABLE days (
    day TEXT PRIMARY KEY,
    minutes BLOB NOT NULL,
    lists TEXT NOT NULL,
    lists_age_s INTEGER,
    passed INTEGER,
    failed INTEGER,
    lost INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE distinct_names (
    day TEXT NOT NULL,
    tier TEXT NOT NULL,
    grade TEXT NOT NULL,
    class TEXT NOT NULL,
    category TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (day, tier, grade, class, category)
) STRICT, WITHOUT ROWID;
"""
_HANDOVERS = """
CREATE TABLE handovers (
    worker TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""
_NOW = f"PRAGMA user_version = {VERSION};"
TABLES = f"{_TABLES} {_NEW_IN_4} {_HANDOVERS} {_NOW}"
"""``contexts``: what answers are counted under; ``grade`` is empty for a confidential category,
``network`` and ``class`` where none is known. ``totals``: ``hour`` is the Unix time of its begin,
``context`` an id; its rows are of integers, because a year has millions. ``reach``: see
``day_reach.ReachRow``. ``handovers``: the last batch of each worker that is in the file, and
the Unix time at which it came. ``days``: see ``service_days.ServiceDay``. ``distinct_names``:
how many distinct names were blocked on a day; ``grade`` and ``class`` are empty where the level
of the log knew the tier only; a row without a tier marks the day as counted."""


def _upgrade(context: str) -> str:
    """Return the SQL that brings a file with rows of text up to date; no devices.

    Each row is copied as it is, and one without a context too, so that the new tables refuse
    what is no number or no text.

    Args:
        context: the columns of ``contexts`` but ``id``, as SQL on the old table.
    """
    return f"""
    ALTER TABLE totals RENAME TO old;
    {_TABLES}
    {_NEW_IN_4}
    INSERT INTO contexts SELECT DISTINCT NULL, {context} FROM old;
    INSERT INTO totals SELECT hour, id, n, 0 FROM
        (SELECT hour, n, {context} FROM old) NATURAL LEFT JOIN contexts ORDER BY hour, id;
    DROP TABLE old;
    {_NOW}
    """


_OF_1 = "grade, category, action, '' AS network, '' AS class"
_OF_2 = "grade, category, action, network, class"

FILE = FileSchema(
    VERSION,
    TABLES,
    {1: _upgrade(_OF_1), 2: _upgrade(_OF_2), 3: f"{_NEW_IN_4} {_NOW}"},
    (
        # In kibibytes. Looking through a file of some months would fill the 2 MB that SQLite
        # takes unasked, for a process that writes some rows a minute.
        "PRAGMA cache_size = -256",
        # What is over its time leaves no octets behind.
        "PRAGMA secure_delete = ON",
    ),
)

ADD_CONTEXT = "INSERT OR IGNORE INTO contexts VALUES (NULL, ?, ?, ?, ?, ?)"

ADD = """
INSERT INTO totals SELECT ?, id, ?, ? FROM contexts
WHERE grade = ? AND category = ? AND action = ? AND network = ? AND class = ?
ON CONFLICT DO UPDATE SET n = n + excluded.n, devices = MAX(devices, excluded.devices)
"""

ADD_REACH = """
INSERT INTO reach VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET devices = MAX(devices, excluded.devices)
"""

LAST_OF = "SELECT number FROM handovers WHERE worker = ?"

NOTE = "INSERT OR REPLACE INTO handovers VALUES (?, ?, ?)"

FORGET_DAYS = """
DELETE FROM totals WHERE hour < 86400 * (
    SELECT DISTINCT hour / 86400 AS day FROM totals ORDER BY day DESC LIMIT 1 OFFSET ?
)
"""

FORGET_OF_DAYS = tuple(
    f"""
    DELETE FROM {table}
    WHERE day < (SELECT DISTINCT day FROM {table} ORDER BY day DESC LIMIT 1 OFFSET ?)
    """
    for table in ("reach", "days", "distinct_names")
)

FORGET_CUT_REACH = """
DELETE FROM reach WHERE day <= (SELECT date(MIN(hour), 'unixepoch') FROM totals)
"""
"""Of a school day whose first hours are gone: its devices are more than those of the others."""

FORGET_CONTEXTS = "DELETE FROM contexts WHERE id NOT IN (SELECT context FROM totals)"

FORGET_WORKERS = """
DELETE FROM handovers WHERE worker NOT IN (SELECT worker FROM handovers ORDER BY at DESC LIMIT 64)
"""
"""Removes old workers: there are never so many at a time."""

_WITHIN = "hour >= :begins AND hour < :ends"
_OF = """
(:grade = '' OR grade = :grade) AND (:network = '' OR network = :network)
AND (:class_id = '' OR class = :class_id)
"""
_SELECT = f"SELECT hour, {{columns}}, n FROM {{rows}} WHERE {_WITHIN} AND {_OF}"

SELECT = {
    1: _SELECT.format(columns=_OF_1, rows="totals"),
    2: _SELECT.format(columns=_OF_2, rows="totals"),
    3: _SELECT.format(columns=_OF_2, rows="totals JOIN contexts ON id = context"),
}
SELECT[VERSION] = SELECT[3]
"""By version: nothing may have been written yet since filterd was updated. ``TotalsRequest``
decides what fits; the conditions here save reading rows."""

SELECT_DAY = f"""
SELECT hour, {_OF_2}, n FROM (
    SELECT MIN(hour) AS hour, context, SUM(n) AS n FROM totals WHERE {_WITHIN} GROUP BY context
) JOIN contexts ON id = context WHERE {_OF}
"""
"""The same of whole days."""

SELECT_REACH = "SELECT * FROM reach WHERE day >= ? AND day <= ?"

SELECT_COUNTED = "SELECT day FROM distinct_names WHERE tier = ''"

SELECT_SERVICE = "SELECT * FROM days WHERE day >= ? AND day <= ? ORDER BY day"

FIRST_SERVICE = "SELECT IFNULL(MIN(day), '') FROM days WHERE day >= date(?, '-400 days')"
"""An earlier one is by a wrong clock: records are kept for less."""

PUT_SERVICE = "INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?, ?, ?)"

PUT_DISTINCT = "INSERT INTO distinct_names VALUES (?, ?, ?, ?, ?, ?)"

BY_CONTEXT = (3, VERSION)
"""Versions with ``contexts`` and ``reach``."""

MOST_TOTALS = 80_000
"""Of one answer, which has a bound on its octets."""

_DAY_S = 86_400


class TotalsFile:
    """The file of totals; it is made when there is first something to write.

    Args:
        path: of it.
        clock: for the time of a write.
        keep_days: returns how many days with totals are kept. Days of the calendar are not
            meant: a clock that is wrong for an hour must not make all that was counted old.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        keep_days: Callable[[], int] = lambda: QueryLog().keep_totals_days,
    ) -> None:
        self._file, self._clock = SqliteFile(path, FILE), clock
        self._keep_days, self._forgot_on = keep_days, -1

    async def write(self, batches: Iterable[Batch], service: Sequence[ServiceDay] = ()) -> None:
        """Add batches and records of service, all or none.

        A batch that is there already is skipped.

        Raises:
            StoreError: the disk refused, or another process holds the file.
        """
        taken, now = tuple(batches), int(self._clock.wall())

        async def add(connection: aiosqlite.Connection) -> None:
            await _add(connection, taken, now)
            for one in service:
                found = await connection.execute_fetchall(SELECT_SERVICE, (one.day, one.day))
                known = [ServiceDay.of_row(*row) for row in found] or [ServiceDay(one.day)]
                await connection.execute(PUT_SERVICE, known[0].merged(one).row())
            if self._forgot_on != now // _DAY_S:
                await _forget(connection, self._keep_days())

        await self._file.transact(add)
        self._forgot_on = now // _DAY_S

    async def put_distinct(self, day: str, rows: Iterable[DistinctCount]) -> None:
        """Replace the numbers of distinct names of a day (ISO 8601).

        Raises:
            StoreError: as ``write``.
        """
        # The first row marks the day as counted, also if there was nothing.
        put = [(day, "", "", "", "", 0), *rows]

        async def replace(connection: aiosqlite.Connection) -> None:
            await connection.execute("DELETE FROM distinct_names WHERE day = ?", (day,))
            await connection.executemany(PUT_DISTINCT, put)

        await self._file.transact(replace)

    async def close(self) -> None:
        """Close the file."""
        await self._file.close()


async def _add(connection: aiosqlite.Connection, batches: Iterable[Batch], now: int) -> None:
    for batch in batches:
        known = await connection.execute_fetchall(LAST_OF, (batch.worker,))
        if batch and batch.number > max((row[0] for row in known), default=0):
            cells = [
                (
                    row.hour,
                    row.n,
                    min(row.devices, KEPT_DEVICES),
                    *row[1:4],
                    row.network,
                    row.class_id,
                )
                for row in batch.rows
            ]
            # Each once, in the order of the batch: the same batches make the same file.
            contexts = dict.fromkeys(cell[3:] for cell in cells)
            await connection.executemany(ADD_CONTEXT, contexts)
            await connection.executemany(ADD, cells)
            await connection.executemany(ADD_REACH, batch.reach)
            await connection.execute(NOTE, (batch.worker, batch.number, now))


async def _forget(connection: aiosqlite.Connection, keep_days: int) -> None:
    """Remove the days beyond those that are kept."""
    removed = await connection.execute(FORGET_DAYS, (keep_days - 1,))
    if removed.rowcount > 0:
        await connection.execute(FORGET_CONTEXTS)
        await connection.execute(FORGET_CUT_REACH)
    for forget in FORGET_OF_DAYS:
        await connection.execute(forget, (keep_days - 1,))
    await connection.execute(FORGET_WORKERS)


async def read_totals(
    path: Path, request: TotalsRequest, *, time_zone: str, now: float
) -> list[Total]:
    """Return the counts of the last days, today included, the latest first.

    An hour belongs to the day in which it begins, and counts when it is over.

    Args:
        path: the file; a missing one holds nothing.
        request: which ones.
        time_zone: in which days begin.
        now: Unix time.

    Raises:
        StoreError: the file cannot be read, or there are too many.
    """
    if not os.path.lexists(path):
        return []
    found: list[Total] = []
    async with sqlite_file.reading(path) as connection:
        version = await sqlite_file.value_of(connection, "PRAGMA user_version")
        if version == 0:  # just made: the disk had no room for more yet
            return []
        select = SELECT.get(version if isinstance(version, int) else 0, SELECT[VERSION])
        if version in BY_CONTEXT and not request.by_hour:
            select = SELECT_DAY
        for span in DaySpan.last(request.days, now, ZoneInfo(time_zone)):
            ends = min(span.ends, request.ends_at(now))
            limits = {"begins": span.begins, "ends": ends, **request.exact}
            rows = map(tuple, await connection.execute_fetchall(select, limits))
            reach: Iterable[ReachRow] = request.held
            if request.threshold.devices and version in BY_CONTEXT and span.ends <= now:
                days = span.day, span.day
                of_day = await connection.execute_fetchall(SELECT_REACH, days)
                reach = (ReachRow(*row) for row in of_day)
            found.extend(request.totals(span.day, request.threshold.applied(rows, reach)))
            if len(found) > MOST_TOTALS:
                raise StoreError(
                    say("more than {most} totals; ask for fewer days", most=number(MOST_TOTALS))
                )
    return found


async def read_reach(path: Path, first: str, last: str) -> list[ReachRow]:
    """Return the devices of school days, both included; none of a file of before.

    Raises:
        StoreError: the file cannot be read.
    """
    (rows,) = await _rows(path, BY_CONTEXT, (SELECT_REACH, (first, last)))
    return [ReachRow(*row) for row in rows]


async def read_distinct_days(path: Path) -> frozenset[str]:
    """Return the days of which distinct names were counted.

    Raises:
        StoreError: the file cannot be read.
    """
    (rows,) = await _rows(path, (VERSION,), (SELECT_COUNTED, ()))
    return frozenset(day for (day,) in rows)


async def read_service(path: Path, first: str, last: str) -> tuple[str, list[ServiceDay]]:
    """Return the first record's day, empty for none, and the records of days.

    Args:
        path: the file; a missing one, and one of before, has none.
        first: day, ISO 8601.
        last: the same, included.

    Raises:
        StoreError: the file cannot be read.
    """
    selects = (FIRST_SERVICE, (first,)), (SELECT_SERVICE, (first, last))
    begun, rows = await _rows(path, (VERSION,), *selects)
    return begun[0][0] if begun else "", [ServiceDay.of_row(*row) for row in rows]


async def _rows(
    path: Path, versions: Collection[int], *selects: tuple[str, tuple[str, ...]]
) -> list[list[sqlite3.Row]]:
    """Return the rows of each select; none of a missing file, or of another version."""
    if os.path.lexists(path):
        async with sqlite_file.reading(path) as connection:
            if await sqlite_file.value_of(connection, "PRAGMA user_version") in versions:
                return [list(await connection.execute_fetchall(*select)) for select in selects]
    return [[] for _ in selects]
