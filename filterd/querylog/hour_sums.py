# SPDX-License-Identifier: Apache-2.0
"""Read the number of answers in single hours from the file of totals."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from filterd.paths import is_plain, with_sides

if TYPE_CHECKING:
    from pathlib import Path

_BUSY_S = 0.5


def answers_in(path: Path, hours: tuple[int, int]) -> tuple[int, int] | None:
    """Return the answers of two hours; None where the file cannot be read.

    Args:
        path: the file.
        hours: the Unix times at which they begin.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"  # to read what is still in the write-ahead log
    question = "SELECT hour, SUM(n) FROM totals WHERE hour IN (?, ?) GROUP BY hour"
    try:
        if not os.path.lexists(path) or not all(map(is_plain, with_sides(path))):
            return None
        with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S)) as file:
            file.execute("PRAGMA query_only = ON")
            found = dict(file.execute(question, hours).fetchall())
    except (sqlite3.Error, OSError):
        return None
    return found.get(hours[0], 0), found.get(hours[1], 0)
