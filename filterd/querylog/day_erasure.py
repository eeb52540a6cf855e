# SPDX-License-Identifier: Apache-2.0
"""Write a day file anew without what is to be forgotten.

The new file never had it: no page, no free list and no write-ahead log can still hold its
octets, as after a DELETE. It takes the place of the old one by renaming, so after a power
cut it is the old or the new. Readers of the old one keep that until they close it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.paths import create, install, temporary_of, with_sides
from filterd.querylog.day_schema import TABLES, VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.querylog.day_schema import NameRange

_NAMES = """
INSERT INTO doomed SELECT id FROM old.names WHERE name = ? OR (name >= ? AND name < ?)
"""
_NAMES_OF_DEVICE = """
INSERT INTO doomed SELECT name FROM old.lookups WHERE device = ?
EXCEPT SELECT name FROM old.lookups WHERE device != ?
EXCEPT SELECT name FROM old.seen WHERE devices > 1
"""
"""Names that one device alone looked up; ``seen`` has no device."""

_COPY = (
    "INSERT INTO about SELECT * FROM old.about",
    "INSERT INTO handovers SELECT * FROM old.handovers",
    "INSERT INTO contexts SELECT * FROM old.contexts",
    "INSERT INTO lookups SELECT * FROM old.lookups"
    " WHERE device != :device AND name NOT IN doomed ORDER BY at",
    "INSERT INTO seen SELECT * FROM old.seen WHERE name NOT IN doomed",
    "INSERT INTO names SELECT * FROM old.names"
    " WHERE id IN (SELECT name FROM lookups UNION SELECT name FROM seen)",
)
_HAS_IT = (
    "SELECT EXISTS (SELECT * FROM doomed) OR EXISTS (SELECT * FROM old.lookups WHERE device = ?)"
)
_OF_ROWS = "INSERT INTO lookups", "INSERT INTO seen"
_ROWS = "SELECT (SELECT COUNT(*) FROM old.lookups) + (SELECT COUNT(*) FROM old.seen)"

READ_FOR_S = 10.0
"""How long it waits for readers of the file."""


class Doomed(NamedTuple):
    """What is to be forgotten: names, or the rows of a device."""

    names: NameRange | None = None
    device: int = -1


def erase(path: Path, doomed: Doomed) -> int:
    """Write a day file anew without some rows; return how many they were.

    The file must not be open for writing. Where it has nothing of it, it stays.

    Raises:
        sqlite3.Error: it cannot be read, or is being read for too long.
        OSError: the disk refused.
    """
    if not path.exists():
        return 0
    temporary = temporary_of(path)
    temporary.unlink(missing_ok=True)
    create(temporary, mode=0o600).close()
    try:
        with closing(sqlite3.connect(temporary, timeout=READ_FOR_S, isolation_level=None)) as new:
            if not _has_it(new, path, doomed):
                return 0
            erased = _copy(new, doomed)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        # All is in the old file, see `_has_it`. The log of the old one would not fit the new.
        for side in with_sides(path)[1:]:
            side.unlink(missing_ok=True)
        install(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return erased


def _has_it(new: sqlite3.Connection, path: Path, doomed: Doomed) -> bool:
    """Attach the old file, with what was written ahead; look for what is doomed."""
    new.execute("PRAGMA temp_store = MEMORY")
    new.execute("CREATE TEMP TABLE doomed (id INTEGER PRIMARY KEY)")
    new.execute("ATTACH ? AS old", (str(path),))
    ((version,),) = new.execute("PRAGMA old.user_version")
    if version == 0:
        return False
    if version != VERSION:
        raise _unreadable(sqlite3.SQLITE_CORRUPT, f"its version is {version}")
    ((busy, *_),) = new.execute("PRAGMA old.wal_checkpoint(TRUNCATE)")
    if busy:
        raise _unreadable(sqlite3.SQLITE_BUSY, "it is being read; try again")
    if doomed.names is not None:
        new.execute(_NAMES, doomed.names)
    else:
        new.execute(_NAMES_OF_DEVICE, (doomed.device, doomed.device))
    ((has_it,),) = new.execute(_HAS_IT, (doomed.device,))
    return bool(has_it)


def _copy(new: sqlite3.Connection, doomed: Doomed) -> int:
    """Copy all but what is doomed; return the number of rows that are not copied."""
    new.execute("PRAGMA main.journal_mode = OFF")
    new.execute("PRAGMA main.synchronous = OFF")
    new.executescript(TABLES)
    new.execute("BEGIN")
    ((left,),) = new.execute(_ROWS)
    for statement in _COPY:
        done = new.execute(statement, {"device": doomed.device} if ":device" in statement else {})
        if statement.startswith(_OF_ROWS):
            left -= done.rowcount
    new.execute("COMMIT")
    return int(left)


def _unreadable(code: int, why: str) -> sqlite3.Error:
    error = sqlite3.OperationalError(why)
    error.sqlite_errorcode = code
    return error
