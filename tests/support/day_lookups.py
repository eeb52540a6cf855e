# SPDX-License-Identifier: Apache-2.0
"""Lookups as workers hand them over, written to day files."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from filterd.querylog.day_file import DayFiles
from filterd.querylog.day_schema import DaySpan
from filterd.querylog.lookups import Lookup, LookupBatch, LookupContext
from filterd.querylog.seen_names import SeenName
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

T = TypeVar("T")

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
GAMES = LookupContext("6", "6A", "lab-a", "games", "blocked", "starter-games")
NEWS = LookupContext("6", "6A", "lab-a", "", "pass")
PASSED = LookupContext("10", "10B", "lab-a", "", "pass")


def begin_of(day: date) -> int:
    """Return the Unix time at which a day of the school begins."""
    return DaySpan.of(day, ZONE).begins


def a_lookup(
    at: int,
    name: str = "www.game.example",
    context: LookupContext = GAMES,
    device: int = 7,
    *,
    is_row: bool = True,
) -> Lookup:
    """Return a lookup at a Unix time."""
    return Lookup(at, names.from_text(name), context, device, is_row)


def a_batch(number: int, *lookups: Lookup, worker: str = "w") -> LookupBatch:
    """Return a batch of a worker."""
    return LookupBatch(worker, number, lookups)


def with_files(folder: Path, work: Callable[[DayFiles], Awaitable[T]]) -> T:
    """Do something with the day files of a folder, and close them."""

    async def whole() -> T:
        files = DayFiles(folder, ZONE)
        try:
            return await work(files)
        finally:
            await files.close()

    return asyncio.run(whole())


class Looked(NamedTuple):
    """A row of a day: the second of the day, the name as text, and the rest."""

    second: int
    name: str
    context: LookupContext = GAMES
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
) -> None:
    """Write the file of a day."""
    begins = begin_of(date.fromisoformat(day))
    lookups = [
        Lookup(begins + row.second, names.from_text(row.name), row.context, 77, n=row.n)
        for row in rows
    ]
    known = [
        SeenName(one.tier, names.from_text(one.name), one.category, one.action, one.devices)
        for one in seen
    ]

    async def write(files: DayFiles) -> None:
        await files.write([a_batch(1, *lookups)])
        await files.add_seen(day, known)

    with_files(folder, write)


def select(path: Path, question: str) -> list[tuple[object, ...]]:
    """Return what a file of SQLite answers."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()
