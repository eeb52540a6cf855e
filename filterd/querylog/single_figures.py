# SPDX-License-Identifier: Apache-2.0
"""Read single figures of the file of totals: answers, devices, the last write."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from filterd.paths import is_plain, with_sides

if TYPE_CHECKING:
    from pathlib import Path

_BUSY_S = 0.5
_ANSWERS = "SELECT hour, SUM(n) FROM totals WHERE hour IN (?, ?) GROUP BY hour"
_DEVICES = "SELECT MAX(devices) FROM reach WHERE day = ? AND category = ? AND action = 'blocked'"
_LAST = "SELECT CAST(MAX(at) AS REAL) FROM handovers"


def answers_in(path: Path, hours: tuple[int, int]) -> tuple[int, int] | None:
    """Return the answers of two hours; None where the file cannot be read.

    Args:
        path: the file.
        hours: the Unix times at which they begin.
    """
    rows = _read(path, _ANSWERS, hours)
    if rows is None:
        return None
    found = dict(rows)
    return found.get(hours[0], 0), found.get(hours[1], 0)


def devices_blocked(path: Path, day: str, category: str) -> int:
    """Return the most devices of a tier or grade that a category was blocked for.

    It is as capped as the file has it, and 0 where the file has none or cannot be read.

    Args:
        path: the file.
        day: of the school, ISO 8601.
        category: its id.
    """
    rows = _read(path, _DEVICES, (day, category))
    return (rows[0][0] or 0) if rows else 0


def last_written(path: Path) -> float:
    """Return the Unix time of the last write; 0 where it cannot be read."""
    rows = _read(path, _LAST, ())
    return float(rows[0][0] or 0) if rows else 0.0


def _read(path: Path, select: str, values: tuple[Any, ...]) -> list[Any] | None:
    uri = f"{path.absolute().as_uri()}?mode=rw"  # to read what is still in the write-ahead log
    try:
        if not os.path.lexists(path) or not all(map(is_plain, with_sides(path))):
            return None
        with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S)) as file:
            file.execute("PRAGMA query_only = ON")
            return file.execute(select, values).fetchall()
    except (sqlite3.Error, OSError):
        return None
