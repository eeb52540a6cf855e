# SPDX-License-Identifier: Apache-2.0
"""Add up totals of many days; read single figures, count distinct names.

It is for a thread. SQLite adds up: a year has millions of rows. The file is attached to a
connection in memory, which has the sums; rows are read in the order in which they stand.

The distinct names of a day are counted once, from its day file; numbers only leave it. They are
by class where its rows have every name that the tier's list of distinct names has; else, as at
the level ``names``, by tier.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.errors import StoreError
from filterd.base.paths import is_plain, with_sides
from filterd.policy.model import TIER_OF_GRADE
from filterd.querylog import totals_file
from filterd.querylog.counts import BLOCKED
from filterd.querylog.day_reach import CLASS, GRADE, TIER, ReachRow
from filterd.querylog.day_reader import attach
from filterd.querylog.disclosure import SHOWS_ALL
from filterd.querylog.sqlite_file import BUSY_S, FAILURES, cannot_be_read, uri_of
from filterd.querylog.totals_request import Total
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from filterd.querylog.day_schema import DaySpan
    from filterd.querylog.disclosure import Threshold


_BUSY_S = 0.5
# Without a grade are confidential categories: their answers are in no sum of an hour.
_ANSWERS = """
SELECT hour, SUM(n) FROM totals JOIN contexts ON id = context
WHERE hour IN (?, ?) AND grade <> '' GROUP BY hour
"""
_LAST = "SELECT CAST(MAX(at) AS REAL) FROM handovers"


def answers_in(path: Path, hours: tuple[int, int]) -> tuple[int, int] | None:
    """Return the answers of two hours; None where the file cannot be read.

    Args:
        path: the file.
        hours: the Unix times at which they begin.
    """
    rows = _read_figure(path, _ANSWERS, hours)
    if rows is None:
        return None
    found = dict(rows)
    return found.get(hours[0], 0), found.get(hours[1], 0)


def last_written(path: Path) -> float:
    """Return the Unix time of the last write; 0 where it cannot be read."""
    rows = _read_figure(path, _LAST, ())
    return float(rows[0][0] or 0) if rows else 0.0


def _read_figure(path: Path, select: str, values: tuple[Any, ...]) -> list[Any] | None:
    try:
        if not os.path.lexists(path) or not all(map(is_plain, with_sides(path))):
            return None
        with closing(sqlite3.connect(uri_of(path), uri=True, timeout=_BUSY_S)) as file:
            file.execute("PRAGMA query_only = ON")
            return file.execute(select, values).fetchall()
    except (sqlite3.Error, OSError):
        return None


_LONGEST_BEFORE_S = 400 * 86_400
"""A count of so long before the period is by a wrong clock: totals are kept for less."""

_HIDDEN = "CREATE TABLE hidden (category TEXT PRIMARY KEY)"
_SUMS = """
CREATE TABLE kinds (
    id INTEGER PRIMARY KEY, grade TEXT, category TEXT, action TEXT, class TEXT,
    UNIQUE (grade, category, action, class)
);
CREATE TABLE kind_of (context INTEGER PRIMARY KEY, kind INTEGER);
CREATE TABLE sums (key INTEGER PRIMARY KEY, n INTEGER);
"""
# Of a confidential category there is neither a grade nor a class, whatever the file has.
_SHOWN = """
SELECT id, category, action,
    CASE WHEN category IN hidden THEN '' ELSE grade END AS grade,
    CASE WHEN category IN hidden OR grade = '' OR NOT :by_class THEN '' ELSE class END AS class
FROM totals.contexts
WHERE (:grade = '' OR grade = :grade) AND (:class_id = '' OR class = :class_id)
    AND (:grade || :class_id = '' OR category NOT IN hidden)
"""
_KINDS = f"INSERT OR IGNORE INTO kinds SELECT NULL, grade, category, action, class FROM ({_SHOWN})"
_KIND_OF = f"""
INSERT INTO kind_of SELECT shown.id, kinds.id FROM ({_SHOWN}) AS shown
JOIN kinds USING (grade, category, action, class)
"""
# Not GROUP BY: it would sort all rows.
_ADD = """
INSERT INTO sums SELECT (:label << 32) | kind, n
FROM totals.totals CROSS JOIN kind_of USING (context) WHERE hour >= :begins AND hour < :ends
ON CONFLICT DO UPDATE SET n = n + excluded.n
"""
_TOTALS = """
SELECT key >> 32, grade, category, action, sums.n, class
FROM sums JOIN kinds ON kinds.id = key & 0xFFFFFFFF ORDER BY key
"""
# A day with confidential answers only is one without any, as in all other outputs.
_SEEN = "context IN (SELECT id FROM totals.contexts WHERE grade <> '' AND category NOT IN hidden)"
_HAS = f"SELECT EXISTS (SELECT 1 FROM totals.totals WHERE hour >= ? AND hour < ? AND {_SEEN})"
_FIRST = f"SELECT MIN(hour) FROM totals.totals WHERE hour >= ? AND {_SEEN}"
_KNOWN = "SELECT day FROM totals.distinct_names WHERE day >= ? AND day <= ? AND tier = ''"
_DISTINCT = """
SELECT day, tier, grade, class, category, n FROM totals.distinct_names
WHERE day >= ? AND day <= ? AND tier <> '' AND category NOT IN hidden
"""


class PeriodScope(NamedTuple):
    """What is added up.

    Attributes:
        by_day: each day for itself; else each month.
        by_class: each class for itself.
        grade: of this grade only, empty for all; so with ``class_id``.
        class_id: of this class only. A confidential category is in neither.
        has_totals: whether totals are wanted, and not only which days have any.
        confidential: categories that are shown for the whole school only.
        threshold: from how many devices on a category is shown.
    """

    by_day: bool = True
    by_class: bool = False
    grade: str = ""
    class_id: str = ""
    has_totals: bool = True
    confidential: Collection[str] = frozenset()
    threshold: Threshold = SHOWS_ALL

    def label(self, day: str) -> str:
        """Return the day, or its month."""
        return day if self.by_day else day[:7]


class DistinctCount(NamedTuple):
    """The number of distinct names that were blocked on a day.

    ``grade`` and ``class_id`` are empty where the log knew the tier only.
    """

    day: str
    tier: str
    grade: str
    class_id: str
    category: str
    n: int


class PeriodFigures(NamedTuple):
    """The totals of some days.

    Attributes:
        totals: ``Total.date`` is a day, or a month.
        counted: days that have any, of another category than a confidential one.
        first_hour: the first hour that has, also before the days; None for none.
        distinct: of all tiers, grades and classes.
        distinct_days: days of which distinct names were counted.
        left_out: whether a category of few devices is counted as none.
    """

    totals: list[Total]
    counted: frozenset[str] = frozenset()
    first_hour: int | None = None
    distinct: tuple[DistinctCount, ...] = ()
    distinct_days: frozenset[str] = frozenset()
    left_out: bool = False


def read_period(path: Path, days: Sequence[DaySpan], scope: PeriodScope) -> PeriodFigures:
    """Return the figures of days.

    Args:
        path: the file of totals; a missing one holds nothing.
        days: that follow each other.
        scope: what is added up.

    Raises:
        StoreError: the file cannot be read, or is of a release with other tables.
    """
    if not os.path.lexists(path) or not days:
        return PeriodFigures([])
    if not all(map(is_plain, with_sides(path))):
        raise cannot_be_read(path, "Not a plain file")
    try:
        with closing(sqlite3.connect(":memory:", uri=True, timeout=BUSY_S)) as connection:
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("ATTACH ? AS totals", (uri_of(path),))
            return _read(connection, path, days, scope)
    except FAILURES as error:
        raise cannot_be_read(path, str(error)) from error


def _read(
    connection: sqlite3.Connection, path: Path, days: Sequence[DaySpan], scope: PeriodScope
) -> PeriodFigures:
    version: int
    ((version,),) = connection.execute("PRAGMA totals.user_version")
    if version == 0:  # just made: the disk had no room for more yet
        return PeriodFigures([])
    if version not in totals_file.BY_CONTEXT:
        why = say("it is of another release of filterd")
        raise StoreError(say("{path}: the log cannot be read: {error}", path=path, error=why))
    first, last = days[0], days[-1]
    connection.execute(_HIDDEN)
    hidden = ((one,) for one in scope.confidential)
    connection.executemany("INSERT INTO hidden VALUES (?)", hidden)
    first_hour: int | None
    ((first_hour,),) = connection.execute(_FIRST, (first.begins - _LONGEST_BEFORE_S,))
    counted = (one.day for one in days if connection.execute(_HAS, one[1:]).fetchone()[0])
    found = PeriodFigures([], frozenset(counted), first_hour)
    if not scope.has_totals:
        return found
    of_many = None
    if scope.threshold.devices:
        of_many = _of_many(connection, days, scope)
        found = found._replace(totals=of_many.totals, left_out=bool(of_many.few))
    else:
        found = found._replace(totals=list(_totals(connection, days, scope)))
    if version != totals_file.VERSION:
        return found
    limits = first.day, last.day
    rows = map(DistinctCount._make, connection.execute(_DISTINCT, limits))
    kept_days: Iterable[tuple[str]] = connection.execute(_KNOWN, limits)
    known = frozenset(day for (day,) in kept_days)
    distinct = tuple(row for row in rows if of_many is None or of_many.shows(row))
    return found._replace(distinct=distinct, distinct_days=known)


def _totals(
    connection: sqlite3.Connection, days: Sequence[DaySpan], scope: PeriodScope
) -> Iterator[Total]:
    connection.executescript(_SUMS)
    wanted = {key: getattr(scope, key) for key in ("by_class", "grade", "class_id")}
    connection.execute(_KINDS, wanted)
    connection.execute(_KIND_OF, wanted)
    labels = list(dict.fromkeys(scope.label(day.day) for day in days))
    for number, label in enumerate(labels):
        of = [day for day in days if scope.label(day.day) == label]
        limits = {"label": number, "begins": of[0].begins, "ends": of[-1].ends}
        connection.execute(_ADD, limits)
    rows: Iterable[tuple[int, str, str, str, int, str]] = connection.execute(_TOTALS)
    for number, grade, category, action, n, class_id in rows:
        yield Total(labels[number], grade, category, action, n, class_id)


_OF_DAY = """
SELECT 0, grade, category, action, '', class, SUM(n) FROM totals.totals
JOIN totals.contexts ON id = context
WHERE hour >= :begins AND hour < :ends AND grade <> '' AND category NOT IN hidden
    AND (:grade = '' OR grade = :grade) AND (:class_id = '' OR class = :class_id)
GROUP BY grade, category, action, class
"""
_PARTS = TIER, GRADE, CLASS
_REACH = "SELECT * FROM totals.reach WHERE day = ?"


class _OfMany(NamedTuple):
    """Totals without categories of few devices a day.

    ``many`` and ``few``: days, parts of the school and the categories that were blocked for them,
    with them and without.
    """

    totals: list[Total]
    many: set[tuple[str, str, str, str]]
    few: set[tuple[str, str, str, str]]

    def shows(self, count: DistinctCount) -> bool:
        """Return whether a category is shown for all of what names were counted of."""
        part = (CLASS, count.class_id) if count.class_id else (GRADE, count.grade)
        key = count.day, *(part if count.grade else (TIER, count.tier)), count.category
        return key in self.many and key not in self.few


def _of_many(
    connection: sqlite3.Connection, days: Sequence[DaySpan], scope: PeriodScope
) -> _OfMany:
    sums = Counter[tuple[str, str, str, str, str]]()
    many, few = set[tuple[str, str, str, str]](), set[tuple[str, str, str, str]]()
    for day in days:
        limits: dict[str, Any] = {"begins": day.begins, "ends": day.ends}
        limits |= {"grade": scope.grade, "class_id": scope.class_id}
        rows = connection.execute(_OF_DAY, limits).fetchall()
        reach = (ReachRow(*row) for row in connection.execute(_REACH, (day.day,)))
        for row, shown in zip(rows, scope.threshold.applied(rows, reach), strict=True):
            _, grade, category, action, _, class_id, n = shown
            of_class = class_id if scope.by_class else ""
            sums[scope.label(day.day), grade, category, action, of_class] += n
            if action == BLOCKED and row[2]:
                ids = zip(_PARTS, (TIER_OF_GRADE.get(grade, ""), grade, class_id), strict=True)
                (many if category else few).update((day.day, *part, row[2]) for part in ids)
    return _OfMany([Total(*key[:4], n, key[4]) for key, n in sorted(sums.items())], many, few)


_DISTINCT_TABLES = """
CREATE TABLE hidden (category TEXT PRIMARY KEY);
CREATE TABLE tiers (grade TEXT PRIMARY KEY, tier TEXT);
CREATE TABLE blocked (id INTEGER PRIMARY KEY, tier TEXT, grade TEXT, class TEXT, category TEXT);
CREATE TABLE pairs (context INTEGER, name INTEGER, PRIMARY KEY (context, name)) WITHOUT ROWID;
"""
_BLOCKED = """
INSERT INTO blocked SELECT id, tier, grade, class, category
FROM day.contexts JOIN tiers USING (grade) WHERE action = 'blocked' AND category NOT IN hidden
"""
_PAIRS = """
INSERT OR IGNORE INTO pairs
SELECT context, name FROM day.lookups WHERE context IN (SELECT id FROM blocked)
"""
_OF_CLASSES = """
SELECT tier, grade, class, category, COUNT(DISTINCT name)
FROM pairs JOIN blocked ON id = context GROUP BY tier, grade, class, category
"""
_OF_ROWS = """
SELECT tier, category, COUNT(DISTINCT name)
FROM pairs JOIN blocked ON id = context GROUP BY tier, category
"""
_OF_TIERS = """
SELECT tier, category, COUNT(*) FROM day.seen
WHERE action = 'blocked' AND category NOT IN hidden GROUP BY tier, category
"""


def count_distinct(path: Path, day: str, confidential: Collection[str]) -> list[DistinctCount]:
    """Return the numbers of a day file, none of a confidential category.

    Args:
        path: the file.
        day: of it, ISO 8601.
        confidential: categories.

    Raises:
        UnreadableError: it is no file, or of a newer release.
        sqlite3.Error: it is damaged.
    """
    with closing(sqlite3.connect("file::memory:", uri=True)) as connection:
        if not attach(connection, path):
            return []
        connection.executescript(_DISTINCT_TABLES)
        connection.executemany("INSERT INTO hidden VALUES (?)", ((one,) for one in confidential))
        connection.executemany("INSERT INTO tiers VALUES (?, ?)", TIER_OF_GRADE.items())
        connection.execute(_BLOCKED)
        connection.execute(_PAIRS)
        return list(_distinct_counts(connection, day))


def _by_tier(connection: sqlite3.Connection, select: str) -> dict[tuple[str, str], int]:
    """Return numbers by tier and category."""
    rows: Iterable[tuple[str, str, int]] = connection.execute(select)
    return {(tier, category): n for tier, category, n in rows}


def _distinct_counts(connection: sqlite3.Connection, day: str) -> Iterator[DistinctCount]:
    of_tiers, of_rows = _by_tier(connection, _OF_TIERS), _by_tier(connection, _OF_ROWS)
    by_tier = {key for key, n in of_tiers.items() if n > of_rows.get(key, 0)}
    for tier, category in sorted(by_tier):
        yield DistinctCount(day, tier, "", "", category, of_tiers[tier, category])
    for one in map(DistinctCount._make, ((day, *row) for row in connection.execute(_OF_CLASSES))):
        if (one.tier, one.category) not in by_tier:
            yield one
