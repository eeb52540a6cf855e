# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from filterd.overrides import store_schema
from filterd.overrides.history_chain import HistoryRow


def an_error(code: int | None) -> sqlite3.Error:
    error = sqlite3.OperationalError("x")
    if code is not None:
        error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "damage"),
    [
        (sqlite3.SQLITE_CORRUPT, True),
        (sqlite3.SQLITE_CORRUPT_INDEX, True),
        (sqlite3.SQLITE_NOTADB, True),
        (None, True),
        (sqlite3.SQLITE_FULL, False),
        (sqlite3.SQLITE_BUSY, False),
        (sqlite3.SQLITE_READONLY, False),
        (sqlite3.SQLITE_IOERR_READ, False),
    ],
)
def test_damage_is_told_from_what_the_disk_refuses(code: int | None, damage: bool) -> None:
    assert store_schema.means_damage(an_error(code)) is damage


def test_a_disk_that_cannot_be_written_is_told() -> None:
    assert store_schema.means_only_to_read(an_error(sqlite3.SQLITE_READONLY_DIRECTORY))
    assert not store_schema.means_only_to_read(an_error(sqlite3.SQLITE_CORRUPT))
    assert not store_schema.means_only_to_read(an_error(None))


def test_a_row_has_the_columns_of_the_table_and_stays() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for migration in store_schema.MIGRATIONS:
            for statement in migration:
                connection.execute(statement)
        columns = [row[1] for row in connection.execute("PRAGMA table_info(changes)")]
        assert tuple(columns) == HistoryRow._fields
        connection.execute(store_schema.ADD_ROW, (1, 1.0, "a", "k", "{}", "", "{}", "{}", "0", "1"))
        for statement in ("UPDATE changes SET author = 'b'", "DELETE FROM changes"):
            with pytest.raises(sqlite3.IntegrityError, match="the history is only added to"):
                connection.execute(statement)
