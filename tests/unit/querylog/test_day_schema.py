# SPDX-License-Identifier: Apache-2.0
import sqlite3

from filterd.querylog.day_schema import PURPOSES, TABLES, VERSION


def test_each_column_of_a_day_file_has_a_purpose_and_no_other() -> None:
    file = sqlite3.connect(":memory:")
    file.executescript(TABLES)
    tables = [
        name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    ]
    columns = {
        (table, column)
        for table in tables
        for (column,) in file.execute("SELECT name FROM pragma_table_info(?)", (table,))
    }
    assert columns == set(PURPOSES)
    assert file.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_no_column_has_an_address() -> None:
    assert not {column for _, column in PURPOSES} & {"address", "ip", "mac", "client"}
