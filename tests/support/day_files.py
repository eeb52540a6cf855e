# SPDX-License-Identifier: Apache-2.0
"""Day files of the query log, written as plain rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from filterd.querylog.day_schema import SEQUENCE_BITS, TABLES
from filterd.querylog.lookups import LookupContext
from filterd.querylog.reversed_names import reversed_text
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BEGINS = 1_795_712_400
"""Unix time at which the day of all these files begins."""

BLOCKED = LookupContext("6", "6A", "lab", "games", "blocked", "hagezi")
PASSED = LookupContext("10", "10B", "lab", "", "pass")


class Looked(NamedTuple):
    """A row of a day file: the second of the day, the name as text, and the rest."""

    second: int
    name: str
    context: LookupContext = BLOCKED
    n: int = 1


class Known(NamedTuple):
    """A distinct name of a tier and day."""

    tier: str
    name: str
    action: str = "pass"
    category: str = ""
    devices: int = 5


def write_day(
    folder: Path, day: str, rows: Iterable[Looked] = (), seen: Iterable[Known] = ()
) -> Path:
    """Write the file of a day; rows of one second are numbered from 0."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{day}.sqlite3"
    with closing(sqlite3.connect(path)) as file:
        file.executescript(TABLES)
        file.execute("INSERT INTO about VALUES (?, ?, -1)", (day, BEGINS))
        contexts: dict[LookupContext, int] = {}
        after = -1
        for row in rows:
            if row.context not in contexts:
                contexts[row.context] = len(contexts) + 1
                file.execute(
                    "INSERT INTO contexts VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (contexts[row.context], *row.context),
                )
            after = max(row.second << SEQUENCE_BITS, after + 1)
            key = contexts[row.context]
            file.execute(
                "INSERT INTO lookups VALUES (?, ?, ?, 77, ?)",
                (after, _name(file, row.name), key, row.n),
            )
        for one in seen:
            file.execute(
                "INSERT INTO seen VALUES (?, ?, ?, ?, ?)",
                (one.tier, _name(file, one.name), one.category, one.action, one.devices),
            )
        file.commit()
    return path


def _name(file: sqlite3.Connection, text: str) -> int:
    stored = reversed_text(names.from_text(text))
    file.execute("INSERT OR IGNORE INTO names (name) VALUES (?)", (stored,))
    ((key,),) = file.execute("SELECT id FROM names WHERE name = ?", (stored,))
    return int(key)
