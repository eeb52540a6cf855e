# SPDX-License-Identifier: Apache-2.0
"""Tables of the store, migrations, and the meaning of SQLite's errors. Pure."""

from __future__ import annotations

import sqlite3

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


def means_only_to_read(error: sqlite3.Error) -> bool:
    """Return whether the disk cannot be written, which reading a WAL needs."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _ONLY_TO_READ
