# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import StoreError
from filterd.overrides.changes.effects import ChangeEffect
from filterd.overrides.history import store_file
from filterd.overrides.history.history_chain import GENESIS, HistoryRow
from filterd.overrides.history.store_file import DamagedError, to_read, to_write
from filterd.texts.i18n import say
from tests.support.bad_card import bad_pages

if TYPE_CHECKING:
    from collections.abc import Iterator


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


@pytest.mark.parametrize(
    ("code", "has_none"),
    [
        (sqlite3.SQLITE_FULL, True),
        (sqlite3.SQLITE_IOERR_WRITE, True),
        (sqlite3.SQLITE_READONLY_DIRECTORY, True),
        (sqlite3.SQLITE_CANTOPEN, True),
        (sqlite3.SQLITE_BUSY, False),
        (sqlite3.SQLITE_CORRUPT, False),
        (None, False),
    ],
)
def test_a_disk_without_room_is_read_another_way(code: int | None, has_none: bool) -> None:
    assert store_file.means_no_room(an_error(code)) is has_none


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
from filterd.overrides.history import store_file
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
        env=os.environ | {"PYTHONPATH": str(Path(store_file.__file__).parents[3])},
    )
    first, _, second = done.stdout.partition("\n")
    assert first == "1", done.stderr
    assert second.startswith(f"StoreError {disk}/overrides.sqlite: cannot be written: ")


def test_a_file_of_filterd_is_known_by_its_number() -> None:
    """``filt`` in ASCII; a file of an earlier release has it."""
    assert int.from_bytes(b"filt") == store_file.APPLICATION_ID


class Disk:
    """A disk on which so many openings of a file fail, each with a code."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.opened: list[tuple[Path, str]] = []
        self.connections: list[_Refusing] = []
        self._connected = store_file._connected

    @contextlib.contextmanager
    def connected(self, path: Path, mode: str) -> Iterator[_Refusing]:
        self.opened.append((path, mode))
        assert not any(one.is_open() for one in self.connections), "one way at a time"
        with self._connected(path, mode) as connection:
            code = self.codes.pop(0) if self.codes else None
            self.connections.append(_Refusing(connection, code))
            yield self.connections[-1]

    @property
    def modes(self) -> list[str]:
        return [mode for _, mode in self.opened]


class _Refusing:
    def __init__(self, connection: sqlite3.Connection, code: int | None) -> None:
        self._connection, self._code = connection, code
        self.statements: list[str] = []

    def is_open(self) -> bool:
        try:
            self._connection.execute("SELECT 1")
        except sqlite3.ProgrammingError:
            return False
        return True

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        self.statements.append(statement)
        if self._code is not None and statement.startswith("SELECT"):
            raise an_error(self._code)
        return self._connection.execute(statement, values)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr(store_file, "_connected", made.connected)
    return made


def numbers(path: Path) -> list[int]:
    with to_read(path) as connection:
        return [row.number for row in store_file.rows(connection)]


def test_a_file_is_read_in_the_first_way_that_the_disk_allows(path: Path, disk: Disk) -> None:
    written(path)
    disk.opened.clear()
    assert numbers(path) == [1]
    disk.codes = [sqlite3.SQLITE_FULL]
    assert numbers(path) == [1]
    assert disk.modes == ["mode=rw"] * 3
    assert disk.connections[-1].statements[0] == "PRAGMA locking_mode = EXCLUSIVE"
    disk.codes = [sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY]
    assert numbers(path) == [1]
    assert disk.opened[-1] == (path, "immutable=1")


def test_a_wal_is_read_from_a_copy_where_nothing_can_be_written(path: Path, disk: Disk) -> None:
    written(path)
    wal = path.with_name(f"{path.name}-wal")
    with to_write(path, check=False) as connection:
        connection.execute(store_file.ADD_ROW, ROW._replace(number=2))
        connection.execute("COMMIT")
        kept = path.read_bytes(), wal.read_bytes()
    path.write_bytes(kept[0])
    wal.write_bytes(kept[1])
    disk.codes = [sqlite3.SQLITE_READONLY] * 2
    before = {one: one.read_bytes() for one in (path, wal)}
    with to_read(path) as connection:
        assert [row.number for row in store_file.rows(connection)] == [1, 2]
        copied, mode = disk.opened[-1]
        assert (copied.name, mode) == (path.name, "mode=rw")
        assert copied.parent != path.parent
    assert not copied.exists()
    assert {one: one.read_bytes() for one in (path, wal)} == before


def test_an_empty_wal_needs_no_copy(path: Path, disk: Disk) -> None:
    written(path)
    path.with_name(f"{path.name}-wal").write_bytes(b"")
    disk.codes = [sqlite3.SQLITE_READONLY] * 2
    assert numbers(path) == [1]
    assert disk.opened[-1] == (path, "immutable=1")


def test_a_copy_for_which_there_is_no_room_either_is_reported(
    path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    written(path)
    path.with_name(f"{path.name}-wal").write_bytes(b"something")
    disk.codes = [sqlite3.SQLITE_READONLY] * 2
    monkeypatch.setattr(shutil, "copyfile", refuse)
    with pytest.raises(StoreError, match=r"sqlite-wal: cannot be read: .*[Nn]o space"):
        numbers(path)


@pytest.mark.parametrize(
    ("code", "ways", "is_damage", "hint"),
    [
        (sqlite3.SQLITE_READONLY, 3, False, " (is the disk writable?)"),
        (sqlite3.SQLITE_FULL, 3, False, ""),
        (sqlite3.SQLITE_BUSY, 1, False, ""),
        (sqlite3.SQLITE_CORRUPT, 1, True, ""),
    ],
)
def test_what_no_way_reads_is_an_error_with_its_cause(
    path: Path, disk: Disk, code: int, ways: int, is_damage: bool, hint: str
) -> None:
    written(path)
    disk.opened.clear()
    disk.codes = [code] * 3
    with pytest.raises(StoreError) as refused:
        numbers(path)
    assert len(disk.opened) == ways
    assert isinstance(refused.value, DamagedError) is is_damage
    if not is_damage:
        assert str(refused.value) == f"{path}: cannot be read: x{hint}"


def test_damage_is_an_error_with_place_reason_and_remedy(path: Path) -> None:
    error = DamagedError(path, say("it is missing"))
    assert str(error) == f"{path}: damaged (it is missing); restart filterd, which sets it aside"
    assert (str(error.problem), error.altered) == ("it is missing", False)


@pytest.mark.parametrize("side", ["-wal", "-shm", "-journal"])
def test_what_stands_in_the_place_of_a_file_beside_it_is_moved_away_to_write(
    path: Path, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = path.with_name(f"{path.name}{side}")
    beside.mkdir(parents=True)
    with pytest.raises(StoreError) as refused, to_read(path):
        pass
    assert str(refused.value).startswith(f"{beside}: cannot be read: ")
    assert not isinstance(refused.value, DamagedError)
    written(path)
    assert [one.name for one in path.parent.iterdir() if one.is_dir()] == [f"{beside.name}.moved-1"]

    def refuse(_: Path) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    beside.mkdir()
    monkeypatch.setattr(store_file, "move_away", refuse)
    with pytest.raises(StoreError) as refused, to_write(path, check=False):
        pass
    assert str(refused.value).startswith(f"{beside}: cannot be removed: ")


@pytest.mark.parametrize("side", ["-wal", "-shm", "-journal"])
def test_a_new_file_is_made_where_nothing_is_beside_it(
    path: Path, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite would play back a journal of the file that was lost."""
    path.parent.mkdir()
    path.with_name(f"{path.name}{side}").write_bytes(b"left over")
    beside = list[list[Path]]()

    def noting(made: Path, content: bytes) -> None:
        beside.append(list(made.parent.iterdir()))
        made.write_bytes(content)

    monkeypatch.setattr(store_file, "write_atomically", noting)
    written(path)
    assert beside == [[]]


def test_a_folder_in_its_place_is_damage(path: Path) -> None:
    path.mkdir(parents=True)
    for opened in (to_read(path), to_write(path, check=False)):
        with pytest.raises(DamagedError, match="Not a plain file"), opened:
            pass


def test_a_place_that_cannot_be_examined_is_no_damage(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bool:
        raise OSError(errno.EIO, "Input/output error")

    written(path)
    monkeypatch.setattr(store_file, "is_plain", refuse)
    with pytest.raises(StoreError) as refused, to_read(path):
        pass
    assert str(refused.value).startswith(f"{path}: cannot be read: ")
    assert not isinstance(refused.value, DamagedError)


@pytest.mark.parametrize("check", [True, False])
def test_all_pages_are_checked_where_that_is_asked_for(
    path: Path, monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    checked = list[Path]()
    monkeypatch.setattr(store_file, "_check_pages", lambda _, path: checked.append(path))
    with to_write(path, check=check):
        pass
    assert checked == [path] * check


def test_pages_that_are_wrong_are_damage_in_one_line(path: Path) -> None:
    class Found:
        def __init__(self, text: str) -> None:
            self._text = text

        def execute(self, _: str) -> Found:
            return self

        def fetchone(self) -> tuple[str]:
            return (self._text,)

    with pytest.raises(DamagedError) as refused:
        store_file._check_pages(Found("Page 3:\nbtree"), path)  # type: ignore[arg-type]
    assert str(refused.value.problem) == "Page 3: btree"
    store_file._check_pages(Found("ok"), path)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statements", "is_one"),
    [
        ([], True),
        (["PRAGMA user_version = 1"], False),
        ([f"PRAGMA application_id = {store_file.APPLICATION_ID}"], False),
        ([f"PRAGMA application_id = {store_file.APPLICATION_ID}", "CREATE TABLE x (y)"], False),
        (["PRAGMA application_id = 7", "PRAGMA user_version = 1"], False),
        (["PRAGMA user_version = 1", "CREATE TABLE x (y)"], False),
    ],
)
def test_a_database_is_one_of_filterd_by_its_number_and_its_version(
    path: Path, statements: list[str], is_one: bool
) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    path.touch()
    if is_one:
        assert numbers(path) == []
    else:
        with pytest.raises(DamagedError, match="not a database of filterd"):
            numbers(path)


def test_what_is_read_is_of_one_moment(path: Path) -> None:
    written(path)
    with to_read(path) as connection:
        assert len(list(store_file.rows(connection))) == 1
        with to_write(path, check=False) as other:
            other.execute(store_file.ADD_ROW, ROW._replace(number=2))
            other.execute("COMMIT")
        assert len(list(store_file.rows(connection))) == 1
    assert numbers(path) == [1, 2]


def test_a_file_of_this_release_is_read_where_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(path)
    monkeypatch.delattr(store_file, "_brought_up")
    assert numbers(path) == [1]


def test_an_older_file_is_brought_up_in_memory(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_version(path, 1)
    monkeypatch.chdir(tmp_path)
    assert numbers(path) == [1]
    assert [one.name for one in tmp_path.iterdir()] == [path.parent.name]


def test_rows_that_take_the_place_of_others_are_guarded_like_them(path: Path) -> None:
    written(path)
    others = [ROW._replace(number=number, author="minh") for number in (4, 5)]
    with to_write(path, check=False) as connection:
        connection.execute(store_file.ADD_POLICY, (1.0, "ab"))
        connection.execute(store_file.ADD_MENDED, (1, 1.0, "v"))
        store_file.replace_rows(connection, others)
        connection.execute("COMMIT")
    with to_read(path) as connection:
        assert list(store_file.rows(connection)) == others
        assert connection.execute(store_file.MENDED).fetchall() == []
        assert len(connection.execute(store_file.POLICIES).fetchall()) == 1
    with closing(sqlite3.connect(path)) as connection:
        for statement in ("UPDATE changes SET author = 'b'", "DELETE FROM changes"):
            with pytest.raises(sqlite3.IntegrityError, match="the history is only added to"):
                connection.execute(statement)


def test_a_store_without_a_row_has_no_last_one(path: Path) -> None:
    with to_write(path, check=False) as connection:
        connection.execute("COMMIT")
    assert store_file.last_row(path) is None


def test_a_connection_waits_for_others_and_begins_no_transaction_by_itself(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[dict[str, Any]]()
    connect = sqlite3.connect

    def noting(database: str, **how: Any) -> sqlite3.Connection:
        asked.append(how)
        made: sqlite3.Connection = connect(database, **how)
        return made

    monkeypatch.setattr(sqlite3, "connect", noting)
    written(path)
    assert asked == [{"uri": True, "timeout": store_file.BUSY_S, "isolation_level": None}]


def test_another_process_may_hold_the_file_for_five_seconds() -> None:
    assert store_file.BUSY_S == 5.0


@pytest.mark.parametrize(
    ("ending", "is_damage"), [("", True), ("-wal", True), ("-shm", False), ("-journal", False)]
)
def test_only_a_bad_sector_under_what_was_decided_is_damage(
    path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, *, is_damage: bool
) -> None:
    """SQLite makes its index of the WAL anew: no history is set aside for that."""
    written(path)
    bad = path.with_name(path.name + ending)
    monkeypatch.setattr(store_file, "has_bad_sector", bad.__eq__)
    with pytest.raises(StoreError) as refused, to_write(path, check=True):
        raise an_error(sqlite3.SQLITE_IOERR_READ)
    assert isinstance(refused.value, DamagedError) is is_damage


@pytest.mark.usefixtures("needs_fuse")
@pytest.mark.parametrize("page", [0, 1])
def test_a_sector_that_cannot_be_read_is_damage(path: Path, page: int) -> None:
    written(path)
    with bad_pages(path, [page]):
        for use in (to_read(path), to_write(path, check=True)):
            with (
                pytest.raises(DamagedError),
                use as connection,
            ):
                list(store_file.rows(connection))


@pytest.mark.control
@pytest.mark.usefixtures("needs_fuse")
def test_control_without_a_look_at_the_file_it_would_be_refused_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(path)
    monkeypatch.setattr(store_file, "has_bad_sector", lambda _: False)
    with (
        bad_pages(path, [0]),
        pytest.raises(StoreError) as refused,
        to_write(path, check=True),
    ):
        pass
    assert not isinstance(refused.value, DamagedError)
