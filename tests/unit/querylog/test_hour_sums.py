# SPDX-License-Identifier: Apache-2.0
"""The answers of two hours are read, all grades and categories together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from filterd.querylog import Batch, CountRow
from filterd.querylog.database import Database
from filterd.querylog.hour_sums import answers_in
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3600


def test_the_answers_of_an_hour_are_added_up(tmp_path: Path) -> None:
    path, database = tmp_path / "log.sqlite3", Database(tmp_path / "log.sqlite3", FakeClock())
    assert answers_in(path, (0, HOUR)) is None
    rows = (CountRow(0, "6", "", "pass", 5), CountRow(0, "7", "games", "blocked", 2))

    async def write() -> None:
        await database.write([Batch("w", 1, (*rows, CountRow(2 * HOUR, "6", "", "pass", 9)))])
        await database.close()

    asyncio.run(write())
    assert answers_in(path, (0, HOUR)) == (7, 0)
    path.write_bytes(b"no database")
    assert answers_in(path, (0, HOUR)) is None
