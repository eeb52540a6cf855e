# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sqlite3

import pytest

from filterd.querylog import schema

DAY = 86_400


@pytest.fixture
def connection() -> sqlite3.Connection:
    opened = sqlite3.connect(":memory:")
    opened.executescript(schema.TABLES)
    return opened


def _totals(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    return connection.execute("SELECT hour, n FROM totals ORDER BY hour").fetchall()


def test_the_version_is_in_the_file(connection: sqlite3.Connection) -> None:
    assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    connection.close()


def test_rows_of_one_key_add_up(connection: sqlite3.Connection) -> None:
    connection.executemany(schema.ADD, [(0, "6", "", "pass", 2), (0, "6", "", "pass", 3)])
    assert _totals(connection) == [(0, 5)]
    connection.close()


def test_only_the_last_days_with_counts_are_kept(connection: sqlite3.Connection) -> None:
    days = (1, 2, 3, 400_000)  # the last by a clock that was wrong for an hour
    connection.executemany(schema.ADD, [(day * DAY + 3600, "6", "", "pass", day) for day in days])
    connection.execute(schema.FORGET_DAYS, (2,))
    assert [n for _, n in _totals(connection)] == [2, 3, 400_000]
    connection.execute(schema.FORGET_DAYS, (3,))
    assert len(_totals(connection)) == 3
    connection.close()


def test_workers_of_old_are_forgotten(connection: sqlite3.Connection) -> None:
    connection.executemany(schema.NOTE, [(f"worker {n}", 1, n) for n in range(100)])
    connection.execute(schema.FORGET_WORKERS)
    assert connection.execute(schema.LAST_OF, ("worker 0",)).fetchone() is None
    assert connection.execute(schema.LAST_OF, ("worker 99",)).fetchone() == (1,)
    connection.close()


@pytest.mark.parametrize(
    ("code", "damage"),
    [
        (sqlite3.SQLITE_CORRUPT, True),
        (sqlite3.SQLITE_NOTADB, True),
        (sqlite3.SQLITE_CORRUPT_INDEX, True),
        (sqlite3.SQLITE_FULL, False),
        (sqlite3.SQLITE_BUSY, False),
        (sqlite3.SQLITE_READONLY, False),
        (sqlite3.SQLITE_IOERR, False),
        (sqlite3.SQLITE_CANTOPEN, False),
        (None, False),
    ],
)
def test_a_full_or_locked_disk_is_no_damage(code: int | None, damage: bool) -> None:
    error = sqlite3.Error("why")
    if code is not None:
        error.sqlite_errorcode = code
    assert schema.means_damage(error) is damage
