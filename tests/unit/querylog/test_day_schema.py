# SPDX-License-Identifier: Apache-2.0
import sqlite3
from contextlib import closing

from filterd.querylog.day_schema import TABLES, VERSION


def test_the_tables_have_a_version_and_no_column_for_an_address() -> None:
    with closing(sqlite3.connect(":memory:")) as file:
        file.executescript(TABLES)
        assert file.execute("PRAGMA user_version").fetchone() == (VERSION,)
        tables = file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        columns = {
            column
            for table in tables
            for (column,) in file.execute("SELECT name FROM pragma_table_info(?)", table)
        }
    assert "device" in columns
    assert not columns & {"address", "ip", "mac", "client"}
