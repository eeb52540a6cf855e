# SPDX-License-Identifier: Apache-2.0
"""Files of SQLite; how the totals fare in them is in ``test_totals_file``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import StoreError
from filterd.querylog import sqlite_file
from filterd.querylog.sqlite_file import FileSchema, SqliteFile, means_damage, reading, value_of
from tests.support.data_map import SCHEMAS

if TYPE_CHECKING:
    from pathlib import Path

    import aiosqlite

SCHEMA = FileSchema(2, "CREATE TABLE t (n); PRAGMA user_version = 2;", folder_mode=0o700)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log" / "a.sqlite3"


async def add(connection: aiosqlite.Connection) -> None:
    await connection.execute("INSERT INTO t VALUES (1)")


def write(path: Path, times: int = 1) -> int:
    async def whole() -> int:
        file = SqliteFile(path, SCHEMA)
        for _ in range(times):
            await file.transact(add)
        await file.close()
        return file.set_aside

    return asyncio.run(whole())


def rows(path: Path) -> int:
    async def whole() -> object:
        async with reading(path) as connection:
            return await value_of(connection, "SELECT COUNT(*) FROM t")

    found = asyncio.run(whole())
    assert isinstance(found, int)
    return found


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
    assert means_damage(error) is damage


def stored_elsewhere(tables: str) -> list[str]:
    """Return the tables whose last column is not the last of a stored row."""
    listed = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND wr"
    last = """
        SELECT stored.cid FROM pragma_index_list(?) AS keys, pragma_index_xinfo(keys.name) AS stored
        WHERE origin = 'pk' ORDER BY stored.seqno DESC LIMIT 1
    """
    columns = "SELECT MAX(cid) FROM pragma_table_info(?)"
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(tables)
        return [
            table
            for (table,) in connection.execute(listed).fetchall()
            if connection.execute(last, (table,)).fetchone()
            != connection.execute(columns, (table,)).fetchone()
        ]


@pytest.mark.parametrize("tables", SCHEMAS.values(), ids=SCHEMAS)
def test_no_present_table_is_one_that_sqlite_3_40_misjudges(tables: str) -> None:
    assert stored_elsewhere(tables) == []


def test_control_a_table_whose_key_has_its_last_column_is_one() -> None:
    columns = "CREATE TABLE {} (a TEXT NOT NULL, n INTEGER NOT NULL, b TEXT NOT NULL"
    keys = {"x": "PRIMARY KEY (a, b)", "y": "PRIMARY KEY (a)", "z": "PRIMARY KEY (a, n, b)"}
    tables = (f"{columns.format(name)}, {key}) WITHOUT ROWID;" for name, key in keys.items())
    assert stored_elsewhere("".join(tables)) == ["x"]


def test_a_file_in_a_folder_of_its_own_is_for_its_owner_alone(path: Path) -> None:
    write(path)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_of_a_later_release_is_kept_as_it_is_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 3")
    later = path.read_bytes()
    assert write(path, times=2) == 1
    assert rows(path) == 2
    assert path.with_name("a.sqlite3.newer").read_bytes() == later
    assert caplog.text.count("a.sqlite3.newer") == 1


def test_a_damaged_table_name_that_is_no_text_is_damage(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(path)
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE t (n)", b"CREATE TABLE \xe5 n)"))
    with pytest.raises(StoreError, match="cannot be read"):
        rows(path)
    assert write(path) == 1
    assert rows(path) == 1
    assert all("\n" not in record.getMessage() for record in caplog.records)


def test_a_write_that_is_cancelled_leaves_no_transaction_open(path: Path) -> None:
    async def whole() -> None:
        file, begun = SqliteFile(path, SCHEMA), asyncio.Event()

        async def stay(connection: aiosqlite.Connection) -> None:
            await add(connection)
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.ensure_future(file.transact(stay))
        await begun.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await file.transact(add)
        await file.close()
        assert file.set_aside == 0

    asyncio.run(whole())
    assert rows(path) == 1


def test_a_pipe_or_a_link_beside_it_is_moved_away(path: Path) -> None:
    path.parent.mkdir()
    elsewhere = path.with_name("elsewhere")
    elsewhere.touch()
    path.with_name("a.sqlite3-wal").symlink_to(elsewhere)
    os.mkfifo(path.with_name("a.sqlite3-shm"))
    write(path)
    assert rows(path) == 1
    assert elsewhere.read_bytes() == b""


def test_a_reader_takes_plain_files_only_and_cannot_write(path: Path) -> None:
    write(path)

    async def change() -> None:
        async with reading(path) as connection:
            await add(connection)

    with pytest.raises(StoreError, match="readonly"):
        asyncio.run(change())
    path.rename(path.with_name("b"))
    path.symlink_to("b")
    with pytest.raises(StoreError, match="Not a plain file"):
        rows(path)


def test_a_reader_sees_what_is_not_yet_in_the_file(path: Path) -> None:
    async def whole() -> None:
        file = SqliteFile(path, SCHEMA)
        await file.transact(add)
        async with reading(path) as connection:
            assert await value_of(connection, "SELECT COUNT(*) FROM t") == 1
        await file.close()

    asyncio.run(whole())


def test_the_file_alone_has_all_once_it_is_closed(path: Path) -> None:
    write(path)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("is_bad", [True, False])
def test_a_file_is_set_aside_for_a_bad_sector_and_not_for_a_disk_that_refuses(
    path: Path, is_bad: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path)
    first, check = path.stat().st_ino, sqlite_file._check

    async def checked(connection: aiosqlite.Connection, *, upgradable: bool = False) -> None:
        if path.stat().st_ino == first:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
            raise error
        await check(connection, upgradable=upgradable)

    monkeypatch.setattr(sqlite_file, "_check", checked)
    monkeypatch.setattr(sqlite_file, "has_bad_sector", lambda _: is_bad)
    if is_bad:
        assert write(path) == 1
        assert rows(path) == 1
    else:
        with pytest.raises(StoreError, match="disk I/O error"):
            write(path)
