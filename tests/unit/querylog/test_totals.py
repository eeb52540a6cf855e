# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from filterd.errors import StoreError
from filterd.querylog import Batch, CountRow
from filterd.querylog.database import Database
from filterd.querylog.totals import Total, read_totals
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

ZONE = "Asia/Ho_Chi_Minh"


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _write(path: Path, *rows: CountRow) -> None:
    async def whole() -> None:
        store = Database(path, FakeClock())
        await store.write([Batch("w", 1, rows)])
        await store.close()

    asyncio.run(whole())


def _read(path: Path, now: str, days: int = 1, grade: str = "", zone: str = ZONE) -> list[Total]:
    reading = read_totals(path, time_zone=zone, now=_at(now), days=days, grade=grade)
    return asyncio.run(reading)


def test_a_log_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert _read(tmp_path / "log", "2026-11-24T10:00+07:00") == []
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_has_just_been_made_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    assert _read(tmp_path / "log", "2026-11-24T10:00+07:00") == []


@pytest.mark.parametrize(
    ("hour", "date"),
    [
        ("2026-11-23T16:00+00:00", "2026-11-23"),
        ("2026-11-23T17:00+00:00", "2026-11-24"),
        ("2026-11-24T16:00+00:00", "2026-11-24"),
        ("2026-11-24T17:00+00:00", None),
    ],
)
def test_a_day_begins_at_midnight_of_the_school(
    tmp_path: Path, hour: str, date: str | None
) -> None:
    _write(tmp_path / "log", CountRow(_at(hour), "6", "games", "blocked", 3))
    found = _read(tmp_path / "log", "2026-11-24T10:00+07:00", days=2)
    assert found == ([Total(date, "6", "games", "blocked", 3)] if date else [])


def test_hours_of_a_day_add_up_and_the_latest_day_comes_first(tmp_path: Path) -> None:
    hours = ("2026-11-23T08:00+07:00", "2026-11-24T08:00+07:00", "2026-11-24T09:00+07:00")
    _write(tmp_path / "log", *(CountRow(_at(hour), "6", "", "pass", 2) for hour in hours))
    found = _read(tmp_path / "log", "2026-11-24T10:00+07:00", days=2)
    assert [(one.date, one.n) for one in found] == [("2026-11-24", 4), ("2026-11-23", 2)]


def test_one_grade_can_be_asked_for(tmp_path: Path) -> None:
    hour = _at("2026-11-24T08:00+07:00")
    _write(tmp_path / "log", *(CountRow(hour, grade, "", "pass", 2) for grade in ("6", "9")))
    (found,) = _read(tmp_path / "log", "2026-11-24T10:00+07:00", grade="9")
    assert found.grade == "9"


def test_a_day_may_have_25_hours(tmp_path: Path) -> None:
    hours = [_at("2026-10-25T00:00+02:00") + 3600 * n for n in range(-1, 27)]
    _write(tmp_path / "log", *(CountRow(hour, "6", "", "pass", 1) for hour in hours))
    (found,) = _read(tmp_path / "log", "2026-10-25T12:00+01:00", zone="Europe/Berlin")
    assert found.n == 25


def test_what_is_no_log_is_told(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="the log cannot be read"):
        _read(tmp_path / "log", "2026-11-24T10:00+07:00")
