# SPDX-License-Identifier: Apache-2.0
"""Tables of the log file, and the meaning of its errors. Pure."""

from __future__ import annotations

import sqlite3

VERSION = 1
"""Kept in the file as ``user_version``; 0 is a file that has just been made."""

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # A power cut may lose the last minutes, and damages nothing.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA journal_size_limit = 4194304",
    # In kibibytes. Looking through a file of some months would fill the 2 MB that SQLite takes
    # unasked, for a process that writes some rows a minute.
    "PRAGMA cache_size = -256",
)

TABLES = f"""
CREATE TABLE totals (
    hour INTEGER NOT NULL,
    grade TEXT NOT NULL,
    category TEXT NOT NULL,
    action TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (hour, grade, category, action)
) STRICT, WITHOUT ROWID;
CREATE TABLE handovers (
    worker TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""
"""``totals``: ``hour`` is the Unix time of its start. ``handovers``: the last batch
of each worker that is in ``totals``, and the Unix time at which it came."""

ADD = """
INSERT INTO totals VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET n = n + excluded.n
"""

LAST_OF = "SELECT number FROM handovers WHERE worker = ?"

NOTE = "INSERT OR REPLACE INTO handovers VALUES (?, ?, ?)"

FORGET_DAYS = """
DELETE FROM totals WHERE hour < 86400 * (
    SELECT DISTINCT hour / 86400 AS day FROM totals ORDER BY day DESC LIMIT 1 OFFSET ?
)
"""

FORGET_WORKERS = """
DELETE FROM handovers WHERE worker NOT IN (SELECT worker FROM handovers ORDER BY at DESC LIMIT 64)
"""
"""Removes old workers: there are never so many at a time."""

LAST_AT = "SELECT MAX(at) FROM handovers"

SELECT = """
SELECT grade, category, action, SUM(n) FROM totals
WHERE hour >= ? AND hour < ? AND (? = '' OR grade = ?)
GROUP BY grade, category, action
"""

_DAMAGE = {
    sqlite3.SQLITE_ERROR,  # a table that is missing or differs
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
}


def means_damage(error: sqlite3.Error) -> bool:
    """Return whether a file is damaged; else its disk or another process is the cause."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGE
