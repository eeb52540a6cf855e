# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from filterd.base.errors import ControlError
from filterd.querylog import day_reader
from filterd.querylog.day_reader import DAY_ENDS, Day, LogFilter, RowId, attach
from filterd.querylog.day_schema import TABLES


@pytest.mark.parametrize("at", [0, 1, 27_312 << 20 | 3, (25 * 3600) << 20 | 1_048_575])
def test_the_id_of_a_row_can_be_written_and_read(at: int) -> None:
    row = RowId("2026-11-28", at)
    assert RowId.read(str(row)) == row


def test_the_id_of_a_row_shows_its_time() -> None:
    assert str(RowId("2026-11-28", 27_312 << 20 | 3)) == "2026-11-28T07:35:12.3"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "2026-13-28T07:35:12.3",
        "../../x",
        "2026-11-28T07:35:12",
        "2026-11-28T07:35:12.3\n",
        "2026-11-28T07:61:12.3",
        "2026-11-28T07:35:12.99999999",
        "2026-11-28T26:00:00.0",
        "2026-11-28T99:59:59.1",
    ],
)
def test_other_texts_are_no_ids(text: str) -> None:
    with pytest.raises(ControlError, match="is not the ID of a row"):
        RowId.read(text)


def test_an_id_beyond_the_day_stays_a_number_that_sqlite_can_hold() -> None:
    assert RowId.read("2026-11-28T25:59:59.9999999").at < DAY_ENDS


def _temporary_files_of_sorting(path: Path) -> set[str]:
    """Return the unnamed files that reading 60,000 distinct names of a day leaves open."""
    number = range(60_000)
    with closing(sqlite3.connect(path)) as made:
        made.executescript(TABLES)
        made.execute("INSERT INTO about VALUES ('2026-11-28', 0, -1)")
        rows = ((n, f"example.{n:06}-with-a-name-of-usual-length.www") for n in number)
        made.executemany("INSERT INTO names VALUES (?, ?)", rows)
        seen = "INSERT INTO seen VALUES ('primary', ?, 'games', 'blocked', 1)"
        made.executemany(seen, ((n,) for n in number))
        made.commit()
    with closing(sqlite3.connect(":memory:", uri=True)) as connection:
        attach(connection, path)
        day = Day(connection, "2026-11-28", ())
        day.want(LogFilter())
        found = day.seen(LogFilter())
        next(found)
        links = list(Path("/proc/self/fd").iterdir())
        opened = {str(link.readlink()) for link in links if os.path.lexists(link)}
    return {one for one in opened if "etilqs" in one}


def test_no_name_is_sorted_in_a_file_outside_the_log(tmp_path: Path) -> None:
    assert not _temporary_files_of_sorting(tmp_path / "2026-11-28.sqlite3")


def test_control_by_default_sqlite_writes_names_to_a_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_reader, "_SORTS", "PRAGMA temp_store = DEFAULT")
    assert _temporary_files_of_sorting(tmp_path / "2026-11-28.sqlite3")
