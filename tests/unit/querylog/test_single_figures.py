# SPDX-License-Identifier: Apache-2.0
"""Single figures are read, and a file that has none or is damaged is no error."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from filterd.querylog import Batch, CountRow
from filterd.querylog.single_figures import answers_in, devices_blocked
from filterd.querylog.totals_file import TotalsFile
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3600


def test_the_answers_of_an_hour_are_added_up(tmp_path: Path) -> None:
    path, database = tmp_path / "log.sqlite3", TotalsFile(tmp_path / "log.sqlite3", FakeClock())
    assert answers_in(path, (0, HOUR)) is None
    rows = (CountRow(0, "6", "", "pass", 5), CountRow(0, "7", "games", "blocked", 2))

    async def write() -> None:
        await database.write([Batch("w", 1, (*rows, CountRow(2 * HOUR, "6", "", "pass", 9)))])
        await database.close()

    asyncio.run(write())
    assert answers_in(path, (0, HOUR)) == (7, 0)
    path.write_bytes(b"no database")
    assert answers_in(path, (0, HOUR)) is None


def test_the_devices_behind_blocks_are_those_of_the_widest_row(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite3"
    assert devices_blocked(path, "2026-03-02", "proxy-vpn") == 0
    with closing(sqlite3.connect(path)) as file, file:
        assert devices_blocked(path, "2026-03-02", "proxy-vpn") == 0, "a file of before"
        file.execute("CREATE TABLE reach (day, scope, id, category, action, devices)")
        file.executemany(
            "INSERT INTO reach VALUES (?, ?, ?, ?, ?, ?)",
            [
                ("2026-03-02", "tier", "primary", "proxy-vpn", "blocked", 4),
                ("2026-03-02", "grade", "3", "proxy-vpn", "blocked", 3),
                ("2026-03-02", "tier", "primary", "proxy-vpn", "pass", 5),
                ("2026-03-02", "tier", "primary", "games", "blocked", 5),
                ("2026-03-01", "tier", "primary", "proxy-vpn", "blocked", 5),
            ],
        )
    assert devices_blocked(path, "2026-03-02", "proxy-vpn") == 4
