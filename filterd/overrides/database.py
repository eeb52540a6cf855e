# SPDX-License-Identifier: Apache-2.0
"""The file of the store: opened, brought up to date, set aside when damaged.

SQLite keeps a WAL beside the file while somebody has it open. Whoever closes it
last moves what is in there into the file, so that a copy of the one file is the
whole store whenever nobody is at work.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from filterd.errors import StoreError
from filterd.overrides import schema
from filterd.overrides.history import Row
from filterd.paths import write_atomically
from filterd.sentences import UNSAID, Sentence, quoted, refused, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_S = 5.0
"""How long somebody else may hold the file, such as a person with ``sqlite3``."""
KEPT_ASIDE = 8
"""Damaged files that are kept, the newest."""

_SIDE_FILES = ("-wal", "-shm", "-journal")
_ALTERED = "-altered"
_log = logging.getLogger("filterd.overrides")


class DamagedError(StoreError):
    """The file is of no use any more; ``problem`` says why, without the place.

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
    """Open the file with a transaction begun; make it if there is none.

    What is not committed at the end is undone. Only the holder of the lock may
    be here: a file that is being made or set aside is nobody else's.

    Args:
        path: the file.
        check: whether to look through all of its pages.

    Raises:
        DamagedError: it must be set aside.
        StoreError: the disk refused, somebody else holds it, or it is newer.
    """
    if path.is_symlink():
        raise StoreError(
            say("{path}: is a link, which is not followed; put the file in its place", path=path)
        )
    if not path.exists():
        _remove(*_side_files(path))
        write_atomically(path, b"")  # with the owner that the folder has
    with _errors_of(path, say("written")), _connected(path, "mode=rw") as connection:
        _check_version(connection, path)
        for pragma in schema.PRAGMAS:
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
    """Open the file as it is at this moment, on a disk that cannot be written too.

    Raises:
        DamagedError: it must be set aside.
        StoreError: it cannot be read, or is newer.
    """
    with _errors_of(path, say("read")), contextlib.ExitStack() as opened:
        connection = opened.enter_context(_readable(path))
        if _check_version(connection, path) < schema.VERSION:
            connection = opened.enter_context(_brought_up(connection))
        connection.execute("BEGIN")
        yield connection


def rows(connection: sqlite3.Connection, after: int = 0) -> Iterator[Row]:
    """Yield the changes after that of this number."""
    return map(Row._make, connection.execute(schema.ROWS, (after,)))


def set_aside(path: Path, at: float, *, altered: bool = False) -> Path:
    """Rename a damaged file, with what SQLite left beside it; return what it is called now.

    The WAL goes first: one that stayed behind would be taken for that of the
    new file.

    Args:
        path: the file.
        at: Unix time.
        altered: see ``DamagedError``; its name says so from now on.

    Raises:
        StoreError: the disk refused.
    """
    kept = _free_name(path, at, _ALTERED if altered else "")
    try:
        for suffix in _SIDE_FILES:
            side = path.with_name(path.name + suffix)
            if side.exists():
                side.replace(kept.with_name(kept.name + suffix))
        path.replace(kept)
        for old in sorted(set_aside_files(path))[:-KEPT_ASIDE]:
            _remove(old, *_side_files(old))
    except OSError as error:
        raise StoreError(
            say("{path}: cannot be set aside: {why}", path=path, why=refused(error))
        ) from error
    return kept


def remove(path: Path) -> None:
    """Remove a file in which nothing is.

    Raises:
        StoreError: the disk refused.
    """
    _remove(path, *_side_files(path))


def set_aside_files(path: Path) -> list[Path]:
    """Return the damaged files that were kept, the oldest first."""
    found = path.parent.glob(f"{path.name}.damaged-*")
    return sorted(one for one in found if not one.name.endswith(_SIDE_FILES))


def is_altered(kept: Path) -> bool:
    """Tell whether a file was set aside because its rows are not those that were written."""
    return kept.name.endswith(_ALTERED)


def told_of(kept: Path) -> Sentence:
    """Say of a file that was set aside why, and what to do with it."""
    if is_altered(kept):
        return say(
            "{path}: this history was altered, and it was set aside; find out who did it, then"
            " move the file away",
            path=kept,
        )
    return say(
        "{path}: this history was damaged, and it was set aside; move the file away once"
        " nobody wants to look at it",
        path=kept,
    )


def problems(path: Path) -> Iterator[Sentence]:
    """Yield why nothing can be written to a file, if so, and what was set aside of it."""
    try:
        if path.exists():
            with to_read(path):
                pass
    except DamagedError as error:
        yield error.sentence
    except StoreError as error:
        yield say("nothing can be changed: {error}", error=error.sentence)
    yield from map(told_of, set_aside_files(path))


@contextlib.contextmanager
def _errors_of(path: Path, done: Sentence) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if schema.means_damage(error):
            raise DamagedError(path, quoted(str(error))) from error
        hint = (
            say(" (is there a disk that can be written?)")
            if schema.means_only_to_read(error)
            else UNSAID
        )
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
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
    )
    with contextlib.closing(connection):
        yield connection


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.ExitStack() as opened:
        connection = opened.enter_context(_connected(path, "mode=rw"))
        try:
            connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
        except sqlite3.Error as error:
            if not schema.means_only_to_read(error):
                raise
            # A WAL cannot be had on such a disk; what is in the file can.
            opened.close()
            connection = opened.enter_context(_connected(path, "immutable=1"))
        yield connection


@contextlib.contextmanager
def _brought_up(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Yield what an older file will be, without a change to it."""
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
    if application != schema.APPLICATION_ID or version < 1:
        raise DamagedError(path, say("this is no store of filterd"))
    if version > schema.VERSION:
        raise StoreError(
            say(
                "{path}: written by a newer filterd (version {version}, this one knows {known});"
                " install that one, or move the file away",
                path=path,
                version=version,
                known=schema.VERSION,
            )
        )
    return int(version)


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise DamagedError(path, quoted(str(found).replace("\n", " ")))


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for migration in schema.MIGRATIONS[version:]:
        for statement in migration:
            connection.execute(statement)
    if version < schema.VERSION:
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")


def _free_name(path: Path, at: float, ending: str) -> Path:
    time = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in range(1, 1000):
        kept = path.with_name(f"{path.name}.damaged-{time}-{number:03}{ending}")
        if not kept.exists():
            return kept
    raise StoreError(say("{path}: cannot be set aside: too many are there", path=path))


def _side_files(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in _SIDE_FILES]


def _remove(*paths: Path) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                say("{path}: cannot be removed: {why}", path=path, why=refused(error))
            ) from error
