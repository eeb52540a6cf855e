# SPDX-License-Identifier: Apache-2.0
"""Files of SQLite: made, migrated, set aside, written by one writer, read.

SQLite works in a thread of its own (aiosqlite), and so do the other calls on the file;
whatever the disk does, the event loop goes on. After any error the file is closed and
opened again the next time: it may have been removed, or the disk mounted again. Time is
bounded only as far as the kernel returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import aiosqlite

from filterd.base.errors import StoreError
from filterd.base.paths import has_bad_sector, is_plain, make_folder, move_away, with_sides
from filterd.texts.i18n import quoted, refused, say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    Work = Callable[[aiosqlite.Connection], Awaitable["T"]]

T = TypeVar("T")

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # A power cut may lose the last minutes, and damages nothing.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 4194304",
)

BUSY_S = 1.0
"""How long another process may hold the file before the write is tried later."""

_DAMAGE = {
    sqlite3.SQLITE_ERROR,  # a table that is missing or differs
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
}

FAILURES = (sqlite3.Error, UnicodeDecodeError, OverflowError)
"""Errors of the module ``sqlite3``: a damaged table name is no text, a damaged id the largest."""

_logger = logging.getLogger("filterd.querylog")


@dataclass(frozen=True)
class FileSchema:
    """The tables of a kind of file.

    Attributes:
        version: the present one; 0 is a file that has just been made.
        make: SQL that makes the tables and sets ``user_version``.
        upgrades: SQL that brings a file of an earlier version to the present one.
        pragmas: of this kind, after ``PRAGMAS``.
        folder_mode: if the folder must be made.
    """

    version: int
    make: str
    upgrades: Mapping[int, str] = field(default_factory=dict)
    pragmas: tuple[str, ...] = ()
    folder_mode: int = 0o750


class SqliteFile:
    """One file, for its only writer; it is made when there is something to write.

    ``set_aside`` counts the files that were replaced by new ones.
    """

    def __init__(self, path: Path, schema: FileSchema) -> None:
        self.path, self.set_aside = path, 0
        self._schema = schema
        self._connection: aiosqlite.Connection | None = None
        self._opened: os.stat_result | None = None
        self._at_work = asyncio.Lock()

    async def transact(self, work: Work[T]) -> T:
        """Do ``work`` in one transaction: all of it is on disk, or none.

        A damaged file is set aside, and the work done once more in a new one.

        Raises:
            StoreError: the disk refused, or another process holds the file.
        """
        async with self._at_work:
            try:
                return await self._do_or_begin_anew(work)
            except (*FAILURES, OSError) as error:
                await self._close()
                raise cannot_be_written(self.path, error) from error
            except BaseException:  # cancelled: no transaction may stay open
                await self._close()
                raise

    async def close(self) -> None:
        """Close the file; what was written ahead is in it then, unless another reads it."""
        async with self._at_work:
            await self._close()

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                await connection.close()

    async def _do_or_begin_anew(self, work: Work[T]) -> T:
        try:
            return await self._do(work)
        except FAILURES as error:
            await self._close()
            if not await self._is_useless(error):
                raise
            ending = "newer" if isinstance(error, _NewerError) else "damaged"
            await asyncio.to_thread(self._set_aside, ending, str(error))
            return await self._do(work)

    async def _is_useless(self, error: Exception) -> bool:
        """Return whether the file must give way to a new one; its disk takes that perhaps."""
        if isinstance(error, _NewerError) or means_damage(error):
            return True
        is_of_disk = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR
        return is_of_disk and await asyncio.to_thread(self._has_bad_sector)

    def _has_bad_sector(self) -> bool:
        return any(map(has_bad_sector, with_sides(self.path)[:2]))

    async def _do(self, work: Work[T]) -> T:
        connection = await self._open()
        await connection.execute("BEGIN IMMEDIATE")
        result = await work(connection)
        await connection.execute("COMMIT")
        return result

    async def _open(self) -> aiosqlite.Connection:
        if self._connection is not None and not await asyncio.to_thread(self._is_in_place):
            await self._close()
        if self._connection is None:
            self._opened = await asyncio.to_thread(self._make)
            self._connection = await aiosqlite.connect(
                self.path, timeout=BUSY_S, isolation_level=None
            )
            # A damaged text is another text; SQLite does not look at it.
            self._connection.text_factory = partial(str, encoding="utf-8", errors="replace")
            await self._prepare(self._connection)
        return self._connection

    async def _prepare(self, connection: aiosqlite.Connection) -> None:
        """Check that the file is sound; give a new one its tables.

        Raises:
            sqlite3.Error: it cannot be used.
        """
        schema = self._schema
        version = await value_of(connection, "PRAGMA user_version")
        if isinstance(version, int) and version > schema.version:
            raise _NewerError(f"version {version}")
        if version not in (0, schema.version, *schema.upgrades):
            raise _unusable(f"its version is {version}")
        for pragma in (*PRAGMAS, *schema.pragmas):
            await connection.execute(pragma)
        await _check(connection, upgradable=version in schema.upgrades)
        if version != schema.version:
            script = schema.upgrades.get(version, schema.make)
            await connection.executescript(f"BEGIN IMMEDIATE; {script}")
            await _check(connection)
            await connection.execute("COMMIT")

    def _make(self) -> os.stat_result:
        """Create the file before SQLite does, so that its mode holds for its side files."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        make_folder(self.path.parent, mode=self._schema.folder_mode)
        for path in with_sides(self.path):
            # SQLite would wait at a pipe for ever, and follow a link. One in the place of the
            # file itself is refused below.
            if not is_plain(path) and not (path == self.path and path.is_symlink()):
                move_away(path)
        descriptor = os.open(self.path, flags, 0o600)
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def _is_in_place(self) -> bool:
        with contextlib.suppress(OSError):
            return self._opened is not None and os.path.samestat(self._opened, self.path.stat())
        return False

    def _set_aside(self, ending: str, reason: str) -> None:
        """Keep one such file: something in it may still be of use."""
        kept = self.path.with_name(f"{self.path.name}.{ending}")
        self.path.replace(kept)
        for side in with_sides(self.path)[1:]:
            side.unlink(missing_ok=True)
        self.set_aside += 1
        _logger.error(
            "%s: %s (%s); kept as %s, a new one begins",
            self.path,
            ending,
            " ".join(reason.split()),  # a check of SQLite has several lines
            kept.name,
        )


@contextlib.asynccontextmanager
async def reading(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    """Open a file to read it beside its writer.

    Raises:
        StoreError: the file cannot be read, at the begin or within the block.
    """
    if not all(map(is_plain, with_sides(path))):
        raise cannot_be_read(path, "Not a plain file")
    try:
        async with aiosqlite.connect(uri_of(path), uri=True, timeout=BUSY_S) as connection:
            await connection.execute("PRAGMA query_only = ON")
            yield connection
    except FAILURES as error:
        raise cannot_be_read(path, str(error)) from error


def uri_of(path: Path) -> str:
    """Return the name by which also what is still in the write-ahead log can be read."""
    return f"{path.absolute().as_uri()}?mode=rw"


async def _check(connection: aiosqlite.Connection, *, upgradable: bool = False) -> None:
    """Check the pages of a file and, where SQLite can be believed, its rows.

    SQLite 3.40.0 to 3.41.0 (Debian 12 has 3.40.1) finds a NULL in every row of a table
    ``WITHOUT ROWID`` whose key ends with its last column: it reads a row's header only as far as
    that column, and the others are stored behind the key. Earlier versions of a file have such
    tables. As SQLite looks at all pages before the first row, the pages are sound if this is
    what it finds first; the upgrade judges the rows, because it copies them into tables that
    refuse a NULL and a wrong type.

    Args:
        connection: to the file.
        upgradable: an upgrade follows, and another check before it is committed.

    Raises:
        sqlite3.Error: it cannot be used.
    """
    found = await value_of(connection, "PRAGMA quick_check(1)")
    if found != "ok" and not (upgradable and str(found).startswith("NULL value in ")):
        raise _unusable(str(found))


async def value_of(connection: aiosqlite.Connection, question: str) -> object:
    """Return the first value of the first row."""
    ((value, *_), *_) = await connection.execute_fetchall(question)
    return value


def means_damage(error: Exception) -> bool:
    """Return whether a file is damaged; else its disk or another process is the cause."""
    if not isinstance(error, sqlite3.Error):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE


class _NewerError(sqlite3.DatabaseError):
    """A later release has written the file."""


def _unusable(reason: str) -> sqlite3.Error:
    error = sqlite3.DatabaseError(reason)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def cannot_be_written(path: Path, error: Exception) -> StoreError:
    """Return the error for people of an error of SQLite or of the operating system."""
    why = refused(error) if isinstance(error, OSError) else quoted(str(error))
    return StoreError(say("{path}: the log cannot be written: {why}", path=path, why=why))


def cannot_be_read(path: Path, why: str) -> StoreError:
    """Return the error for people of a file that is no log, or is damaged."""
    return StoreError(say("{path}: the log cannot be read: {error}", path=path, error=quoted(why)))
