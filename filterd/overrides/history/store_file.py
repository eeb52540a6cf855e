# SPDX-License-Identifier: Apache-2.0
"""The file of the store: its tables and migrations; opened to read or to write.

SQLite keeps a WAL beside the file while a process has it open. The last process to
close it moves its content into the file, so that a copy of the one file is the whole
store whenever no process is at work.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.base.errors import StoreError
from filterd.base.paths import has_bad_sector, is_plain, move_away, with_sides, write_atomically
from filterd.overrides.history import quarantine
from filterd.overrides.history.history_chain import HistoryRow
from filterd.texts.i18n import UNSAID, Sentence, quoted, refused, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

APPLICATION_ID = 0x66696C74
"""Marks the files of filterd: "filt"."""

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # An acknowledged change must survive a power cut.
    "PRAGMA synchronous = FULL",
)

MIGRATIONS = (
    (
        """
        CREATE TABLE changes (
            number INTEGER PRIMARY KEY,
            at REAL NOT NULL,
            author TEXT NOT NULL,
            kind TEXT NOT NULL,
            payload TEXT NOT NULL,
            reason TEXT NOT NULL,
            before TEXT NOT NULL,
            after TEXT NOT NULL,
            previous TEXT NOT NULL,
            hash TEXT NOT NULL
        ) STRICT
        """,
        """
        CREATE TRIGGER changes_are_not_altered BEFORE UPDATE ON changes
        BEGIN SELECT RAISE(ABORT, 'the history is only added to'); END
        """,
        """
        CREATE TRIGGER changes_are_not_removed BEFORE DELETE ON changes
        BEGIN SELECT RAISE(ABORT, 'the history is only added to'); END
        """,
        f"PRAGMA application_id = {APPLICATION_ID}",
    ),
    (
        """
        CREATE TABLE policies (
            number INTEGER PRIMARY KEY,
            activated_at REAL NOT NULL,
            digest TEXT NOT NULL
        ) STRICT
        """,
    ),
    (
        """
        CREATE TABLE mended (
            number INTEGER PRIMARY KEY,
            at REAL NOT NULL,
            version TEXT NOT NULL
        ) STRICT
        """,
    ),
)
"""Migrations from version n to n + 1; an empty file has version 0."""

VERSION = len(MIGRATIONS)
"""Kept in the file as ``user_version``."""

ROWS = "SELECT * FROM changes WHERE number > ? ORDER BY number"
ROWS_BACK = "SELECT * FROM changes ORDER BY number DESC LIMIT ?"
ROW = "SELECT * FROM changes WHERE number = ?"
ADD_ROW = "INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
LAST_BY = "SELECT MAX(number) FROM changes WHERE at <= ?"
FIRST = "SELECT * FROM changes ORDER BY number LIMIT 1"

POLICIES = "SELECT digest, activated_at FROM policies ORDER BY number DESC"
POLICY_AT = """
SELECT digest, activated_at FROM policies
WHERE number = (SELECT MAX(number) FROM policies WHERE activated_at <= ?)
"""
ADD_POLICY = "INSERT INTO policies (activated_at, digest) VALUES (?, ?)"
FORGET_POLICIES = """
DELETE FROM policies
WHERE number NOT IN (SELECT number FROM policies ORDER BY number DESC LIMIT ?)
"""

MENDED = "SELECT number, at, version FROM mended"
ADD_MENDED = "INSERT INTO mended VALUES (?, ?, ?)"
FORGET_MENDED = "DELETE FROM mended WHERE number = ?"

_DAMAGE = {
    sqlite3.SQLITE_ERROR,  # a table that is missing or differs
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_FORMAT,
}
_ONLY_TO_READ = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_NO_ROOM = {*_ONLY_TO_READ, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}

BUSY_S = 5.0
"""How long another process may hold the file, such as a person with ``sqlite3``."""


def means_damage(error: sqlite3.Error) -> bool:
    """Return whether a file is damaged; else its disk or another process is the cause.

    An error without a code is one of text that is not UTF-8.
    """
    code = getattr(error, "sqlite_errorcode", None)
    return code is None or code & 0xFF in _DAMAGE


def means_no_room(error: sqlite3.Error) -> bool:
    """Return whether the disk may be full or read-only; it is then read another way."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _NO_ROOM


def _means_bad_sector(error: sqlite3.Error, path: Path) -> bool:
    """Return whether a part of the file is lost for good, on a disk that may be sound."""
    code = getattr(error, "sqlite_errorcode", None)
    is_of_disk = code is not None and code & 0xFF == sqlite3.SQLITE_IOERR
    return is_of_disk and any(map(has_bad_sector, with_sides(path)[:2]))


def means_only_to_read(error: sqlite3.Error) -> bool:
    """Return whether the disk cannot be written, which reading a WAL needs."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _ONLY_TO_READ


class DamagedError(StoreError):
    """The file cannot be used any more; ``problem`` is the reason, without the place.

    ``altered``: SQLite finds nothing wrong with it, but its rows are not those that
    were written.
    """

    def __init__(self, path: Path, problem: Sentence, *, altered: bool = False) -> None:
        self.problem, self.altered = problem, altered
        super().__init__(
            say(
                "{path}: damaged ({problem}); restart filterd, which sets it aside",
                path=path,
                problem=problem,
            )
        )


@contextlib.contextmanager
def to_write(path: Path, *, check: bool) -> Iterator[sqlite3.Connection]:
    """Open the file with a transaction begun; create it if it is missing.

    Without a commit everything is undone. Only the holder of the lock may call this: no
    other process may use a file that is being created or set aside.

    Args:
        path: the file.
        check: whether to check all of its pages.

    Raises:
        DamagedError: it must be set aside.
        StoreError: the disk refused, another process holds it, or it is newer.
    """
    _clear_the_sides(path)
    _refuse_what_is_no_file(path)
    if not os.path.lexists(path):
        quarantine.remove(*with_sides(path)[1:])
        write_atomically(path, b"")  # with the owner that the folder has
    with _errors_of(path, say("written")), _connected(path, "mode=rw") as connection:
        _check_version(connection, path)
        for pragma in PRAGMAS:
            connection.execute(pragma)
        if check:
            _check_pages(connection, path)
        connection.execute("BEGIN IMMEDIATE")
        try:
            _migrate(connection)
            yield connection
        finally:
            if connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")


@contextlib.contextmanager
def to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file as it is at the moment, even on a full or read-only disk.

    Raises:
        DamagedError: it must be set aside.
        StoreError: it cannot be read, or is newer.
    """
    _refuse_what_is_no_file(path)
    with _errors_of(path, say("read")), contextlib.ExitStack() as opened:
        connection = opened.enter_context(_readable(path))
        if _check_version(connection, path) < VERSION:
            connection = opened.enter_context(_brought_up(connection))
        connection.execute("BEGIN")
        yield connection


def rows(connection: sqlite3.Connection, after: int = 0) -> Iterator[HistoryRow]:
    """Yield the changes after that of this number."""
    return map(HistoryRow._make, connection.execute(ROWS, (after,)))


def replace_rows(connection: sqlite3.Connection, rows: Iterable[HistoryRow]) -> None:
    """Put other rows in the place of all, within the transaction that has begun.

    The table is made anew, because its triggers refuse to remove a row.
    """
    for statement in ("DROP TABLE changes", *MIGRATIONS[0][:-1], "DELETE FROM mended"):
        connection.execute(statement)
    connection.executemany(ADD_ROW, rows)


def last_row(path: Path) -> HistoryRow | None:
    """Return the last change, without reading those before it.

    Raises:
        StoreError: it cannot be read.
    """
    with to_read(path) as connection:
        found = connection.execute(ROWS_BACK, (1,)).fetchone()
    return None if found is None else HistoryRow._make(found)


def problems(path: Path) -> Iterator[Sentence]:
    """Yield why a file cannot be written, if so, and the files set aside of it."""
    try:
        if os.path.lexists(path):
            with to_read(path):
                pass
    except DamagedError as error:
        yield error.sentence
    except StoreError as error:
        yield say("nothing can be changed: {error}", error=error.sentence)
    yield from map(quarantine.remedy_for, quarantine.files(path))


@contextlib.contextmanager
def _errors_of(path: Path, done: Sentence) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if means_damage(error) or _means_bad_sector(error, path):
            raise DamagedError(path, quoted(str(error))) from error
        hint = say(" (is the disk writable?)") if means_only_to_read(error) else UNSAID
        raise StoreError(
            say(
                "{path}: cannot be {done}: {error}{hint}",
                path=path,
                done=done,
                error=quoted(str(error)),
                hint=hint,
            )
        ) from error


@contextlib.contextmanager
def _connected(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=BUSY_S, isolation_level=None
    )
    with contextlib.closing(connection):
        yield connection


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.ExitStack() as opened:
        for way in (partial(_connected, mode="mode=rw"), _alone, _copied):
            connection = opened.enter_context(way(path))
            try:
                connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
                break
            except sqlite3.Error as error:
                opened.close()
                if way is _copied or not means_no_room(error):
                    raise
        yield connection


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[sqlite3.Connection]:
    """Connect without a shared-memory file, for which a full disk has no room."""
    with _connected(path, "mode=rw") as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        yield connection


@contextlib.contextmanager
def _copied(path: Path) -> Iterator[sqlite3.Connection]:
    """Connect to a copy elsewhere where there is a WAL, which a read-only disk needs."""
    wal = path.with_name(f"{path.name}-wal")
    with contextlib.ExitStack() as opened:
        mode = "immutable=1"
        try:
            if wal.exists() and wal.stat().st_size:
                folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
                for one in (path, wal):
                    shutil.copyfile(one, folder / one.name)
                path, mode = folder / path.name, "mode=rw"
        except OSError as error:
            why = refused(error)
            if error.errno == errno.EIO:
                raise DamagedError(path, why) from error
            raise StoreError(say("{path}: cannot be read: {why}", path=wal, why=why)) from error
        yield opened.enter_context(_connected(path, mode))


@contextlib.contextmanager
def _brought_up(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Yield a migrated copy of an older file, which stays unchanged."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        connection.backup(copy)
        _migrate(copy)
        yield copy


def _check_version(connection: sqlite3.Connection, path: Path) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
    if not version and not application and not tables:
        return 0  # it has just been made
    if application != APPLICATION_ID or version < 1:
        raise DamagedError(path, say("this is not a database of filterd"))
    if version > VERSION:
        raise StoreError(
            say(
                "{path}: written by a newer filterd (version {version}, this one knows {known});"
                " install that one, or move the file away",
                path=path,
                version=version,
                known=VERSION,
            )
        )
    return int(version)


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise DamagedError(path, quoted(str(found).replace("\n", " ")))


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for migration in MIGRATIONS[version:]:
        for statement in migration:
            connection.execute(statement)
    if version < VERSION:
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _refuse_what_is_no_file(path: Path) -> None:
    """Refuse files at which SQLite would hang, or that link to another place.

    Raises:
        DamagedError: something else is in its place, which can be set aside.
        StoreError: that cannot be checked, or something else is beside it.
    """
    try:
        if path.is_symlink():
            raise StoreError(
                say(
                    "{path}: is a symbolic link, which is not followed; put the file in its place",
                    path=path,
                )
            )
        if not is_plain(path):
            raise DamagedError(path, quoted("Not a plain file"))
        beside = next((side for side in with_sides(path)[1:] if not is_plain(side)), None)
    except OSError as error:
        why = refused(error)
        raise StoreError(say("{path}: cannot be read: {why}", path=path, why=why)) from error
    if beside is not None:
        why = quoted("Not a plain file")
        raise StoreError(say("{path}: cannot be read: {why}", path=beside, why=why))


def _clear_the_sides(path: Path) -> None:
    for side in with_sides(path)[1:]:
        try:
            if not is_plain(side):
                move_away(side)
        except OSError as error:
            raise StoreError(
                say("{path}: cannot be removed: {why}", path=side, why=refused(error))
            ) from error
