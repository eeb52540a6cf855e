# SPDX-License-Identifier: Apache-2.0
"""Count the distinct names that were blocked on a day, by class or tier.

It is for a thread. Numbers only leave the day file: by class where its rows have every name
that the tier's list of distinct names has; else, as at the level ``names``, by tier.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from filterd.policy.model import TIER_OF_GRADE
from filterd.querylog.day_reader import attach
from filterd.querylog.period_totals import DistinctCount

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_TABLES = """
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
        connection.executescript(_TABLES)
        connection.executemany("INSERT INTO hidden VALUES (?)", ((one,) for one in confidential))
        connection.executemany("INSERT INTO tiers VALUES (?, ?)", TIER_OF_GRADE.items())
        connection.execute(_BLOCKED)
        connection.execute(_PAIRS)
        return list(_counts(connection, day))


def _counts(connection: sqlite3.Connection, day: str) -> Iterator[DistinctCount]:
    of_tiers = {one[:2]: one[2] for one in connection.execute(_OF_TIERS)}
    of_rows = {one[:2]: one[2] for one in connection.execute(_OF_ROWS)}
    by_tier = {key for key, n in of_tiers.items() if n > of_rows.get(key, 0)}
    for tier, category in sorted(by_tier):
        yield DistinctCount(day, tier, "", "", category, of_tiers[tier, category])
    for one in map(DistinctCount._make, ((day, *row) for row in connection.execute(_OF_CLASSES))):
        if (one.tier, one.category) not in by_tier:
            yield one
