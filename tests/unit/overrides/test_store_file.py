# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from filterd.errors import StoreError
from filterd.overrides import store_file
from filterd.overrides.effects import ChangeEffect
from filterd.overrides.history_chain import GENESIS, HistoryRow
from filterd.overrides.store_file import DamagedError, to_read, to_write


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
def test_damage_is_distinguished_from_what_the_disk_refuses(code: int | None, damage: bool) -> None:
    assert store_file.means_damage(an_error(code)) is damage


def test_a_disk_that_cannot_be_written_is_reported() -> None:
    assert store_file.means_only_to_read(an_error(sqlite3.SQLITE_READONLY_DIRECTORY))
    assert not store_file.means_only_to_read(an_error(sqlite3.SQLITE_CORRUPT))
    assert not store_file.means_only_to_read(an_error(None))


def test_a_row_has_the_columns_of_the_table_and_stays() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for migration in store_file.MIGRATIONS:
            for statement in migration:
                connection.execute(statement)
        columns = [row[1] for row in connection.execute("PRAGMA table_info(changes)")]
        assert tuple(columns) == HistoryRow._fields
        connection.execute(store_file.ADD_ROW, (1, 1.0, "a", "k", "{}", "", "{}", "{}", "0", "1"))
        for statement in ("UPDATE changes SET author = 'b'", "DELETE FROM changes"):
            with pytest.raises(sqlite3.IntegrityError, match="the history is only added to"):
                connection.execute(statement)


ROW = HistoryRow.of(1, 5.0, "lan", "exam-stop", {}, "", ChangeEffect(), GENESIS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "overrides.sqlite"


def written(path: Path) -> None:
    """Make a store of one row."""
    with to_write(path, check=True) as connection:
        connection.execute(store_file.ADD_ROW, ROW)
        connection.execute("COMMIT")


def of_version(path: Path, version: int) -> None:
    """Make a store as an older filterd did, of one row."""
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in [one for part in store_file.MIGRATIONS[:version] for one in part]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute(store_file.ADD_ROW, ROW)


def value(path: Path, question: str) -> object:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchone()[0]


def test_a_new_file_has_its_tables_and_belongs_to_few(path: Path) -> None:
    written(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert value(path, "PRAGMA user_version") == store_file.VERSION
    assert value(path, "PRAGMA journal_mode") == "wal"
    with to_read(path) as connection:
        assert list(store_file.rows(connection)) == [ROW]


def test_a_commit_is_on_the_disk_when_it_returns(path: Path) -> None:
    with to_write(path, check=True) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_nothing_is_left_beside_the_file(path: Path) -> None:
    written(path)
    assert list(path.parent.iterdir()) == [path]


def test_what_is_not_committed_is_undone(path: Path) -> None:
    written(path)
    with to_write(path, check=True) as connection:
        connection.execute(store_file.ADD_ROW, ROW._replace(number=2))
    assert value(path, "SELECT COUNT(*) FROM changes") == 1


def test_the_tables_of_a_new_file_come_with_its_first_row_or_not_at_all(path: Path) -> None:
    with pytest.raises(KeyError), to_write(path, check=True):
        raise KeyError
    assert value(path, "SELECT COUNT(*) FROM sqlite_schema") == 0
    written(path)
    assert value(path, "SELECT COUNT(*) FROM changes") == 1


def test_an_older_file_is_brought_up_when_written_and_only_then(path: Path) -> None:
    of_version(path, 1)
    before = path.read_bytes()
    with to_read(path) as connection:
        assert list(store_file.rows(connection)) == [ROW]
        assert connection.execute(store_file.POLICIES).fetchall() == []
    assert path.read_bytes() == before
    with to_write(path, check=True) as connection:
        connection.execute("COMMIT")
    assert value(path, "PRAGMA user_version") == store_file.VERSION
    assert value(path, "SELECT COUNT(*) FROM changes") == 1


def test_bringing_up_is_all_or_nothing(path: Path) -> None:
    of_version(path, 1)
    with pytest.raises(KeyError), to_write(path, check=True):
        raise KeyError
    assert value(path, "PRAGMA user_version") == 1
    assert value(path, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'policies'") == 0


def test_a_newer_file_is_refused_with_place_reason_and_remedy(path: Path) -> None:
    written(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    for opened in (to_write(path, check=True), to_read(path)):
        with pytest.raises(StoreError) as refused, opened:
            pass
        assert not isinstance(refused.value, DamagedError)
        assert str(refused.value) == (
            f"{path}: written by a newer filterd"
            f" (version 99, this one knows {store_file.VERSION});"
            " install that one, or move the file away"
        )
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"no database", b"\0" * 8192, b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_a_file_that_is_none_is_damaged(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    for opened in (to_write(path, check=True), to_read(path)):
        with pytest.raises(DamagedError, match="restart filterd, which sets it aside"), opened:
            pass


def test_a_database_of_others_is_damaged_and_not_written_into(path: Path) -> None:
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE changes (x)")
    with pytest.raises(DamagedError, match="not a database of filterd"), to_write(path, check=True):
        pass


def test_a_link_in_its_place_is_not_followed(path: Path) -> None:
    written(path)
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")
    with pytest.raises(StoreError, match="is a symbolic link"), to_write(path, check=True):
        pass


def test_what_is_left_of_a_lost_file_is_not_taken_for_that_of_the_new_one(path: Path) -> None:
    path.parent.mkdir()
    path.with_name(f"{path.name}-wal").write_bytes(b"left over")
    written(path)
    assert list(path.parent.iterdir()) == [path]


def test_a_locked_file_is_reported_and_not_damaged(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_file, "BUSY_S", 0.01)
    written(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked") as error, to_write(path, check=True):
            pass
        assert not isinstance(error.value, DamagedError)


READ_ON_A_DISK_THAT_CANNOT_BE_WRITTEN = """
mount -t tmpfs tmpfs "$1" && cp "$2" "$1/overrides.sqlite" && mount -o remount,bind,ro "$1" \
&& exec "$3" -c 'import sys, pathlib
from filterd.overrides import store_file
with store_file.to_read(pathlib.Path(sys.argv[1], "overrides.sqlite")) as connection:
    print(len(list(store_file.rows(connection))))
try:
    with store_file.to_write(pathlib.Path(sys.argv[1], "overrides.sqlite"), check=True): pass
except store_file.StoreError as error:
    print(type(error).__name__, error)' "$1"
"""


@pytest.mark.usefixtures("needs_namespaces")
def test_a_disk_that_cannot_be_written_can_be_read(path: Path, tmp_path: Path) -> None:
    written(path)
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["unshare", "-rm", "sh", "-c", READ_ON_A_DISK_THAT_CANNOT_BE_WRITTEN, "sh"]
    done = subprocess.run(
        [*command, str(disk), str(path), sys.executable],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(store_file.__file__).parents[2])},
    )
    first, _, second = done.stdout.partition("\n")
    assert first == "1", done.stderr
    assert second.startswith(f"StoreError {disk}/overrides.sqlite: cannot be written: ")


def test_a_file_of_filterd_is_known_by_its_number() -> None:
    """``filt`` in ASCII; a file of an earlier release has it."""
    assert int.from_bytes(b"filt") == store_file.APPLICATION_ID
