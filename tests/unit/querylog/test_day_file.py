# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import os
import random
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import StoreError
from filterd.querylog import day_writer, sqlite_file
from filterd.querylog.day_schema import subtree
from filterd.querylog.seen_names import SeenName
from filterd.wire import name as names
from tests.support.day_lookups import a_batch, a_lookup, begin_of, select, with_files
from tests.support.writer_faults import on_a_disk

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.querylog.day_file import DayFiles, Forgotten

TODAY = date(2026, 11, 28)
MIDNIGHT = begin_of(TODAY)
GAME = subtree(names.from_text("game.example"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "log"


def fill(folder: Path, *days: str) -> None:
    """Write a row to each of some days, ``2026-11-28``."""

    async def write(files: DayFiles) -> None:
        for day in days:
            at = begin_of(date.fromisoformat(day)) + 9 * 3600
            await files.write([a_batch(1, a_lookup(at))])

    with_files(folder, write)


def there(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def keep(folder: Path, days: int, *todays: str) -> list[str]:
    """Keep so many days, on some days; return the days that are left."""

    async def run(files: DayFiles) -> list[str]:
        for today in todays:
            await files.keep(days, today)
        return [name.removesuffix(".sqlite3") for name in there(folder)]

    return with_files(folder, run)


def school_days(first: str, count: int) -> list[str]:
    begin = date.fromisoformat(first)
    return [(begin + timedelta(n)).isoformat() for n in range(count)]


def test_a_lookup_goes_to_the_day_of_the_school_also_within_one_batch(folder: Path) -> None:
    batch = a_batch(1, a_lookup(MIDNIGHT - 1), a_lookup(MIDNIGHT), a_lookup(MIDNIGHT + 60))
    with_files(folder, lambda files: files.write([batch]))
    for name, seconds in (("2026-11-27", [86_399]), ("2026-11-28", [0, 60])):
        path = folder / f"{name}.sqlite3"
        assert select(path, "SELECT at >> 20 FROM lookups") == [(second,) for second in seconds]


def test_a_batch_of_which_one_day_is_written_is_added_to_the_other_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = a_batch(1, a_lookup(MIDNIGHT - 1), a_lookup(MIDNIGHT))
    monkeypatch.setattr(sqlite_file, "BUSY_S", 0.02)
    folder.mkdir(parents=True)
    (folder / "2026-11-28.sqlite3").symlink_to("elsewhere")

    async def write_twice(files: DayFiles) -> None:
        with pytest.raises(StoreError, match="symbolic links"):
            await files.write([batch])
        (folder / "2026-11-28.sqlite3").unlink()
        await files.write([batch])

    with_files(folder, write_twice)
    for day in ("2026-11-27", "2026-11-28"):
        assert select(folder / f"{day}.sqlite3", "SELECT COUNT(*) FROM lookups") == [(1,)]


def test_what_is_no_row_is_not_written(folder: Path) -> None:
    batch = a_batch(1, a_lookup(MIDNIGHT, is_row=False))
    with_files(folder, lambda files: files.write([batch]))
    assert not folder.exists()


def test_files_and_folder_are_for_their_owner_alone(folder: Path) -> None:
    async def look(files: DayFiles) -> None:
        await files.write([a_batch(1, a_lookup(MIDNIGHT))])
        assert {one.stat().st_mode & 0o777 for one in folder.iterdir()} == {0o600}
        assert len(there(folder)) == 3

    with_files(folder, look)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_day_that_is_over_is_closed_into_its_file(folder: Path) -> None:
    async def run(files: DayFiles) -> None:
        await files.write([a_batch(1, a_lookup(MIDNIGHT - 1))])
        assert len(there(folder)) == 3
        await files.write([a_batch(2, a_lookup(MIDNIGHT - 1), a_lookup(MIDNIGHT))])
        assert [name for name in there(folder) if "11-27" in name] == ["2026-11-27.sqlite3"]
        await files.keep(30, "2026-11-29")
        assert there(folder) == ["2026-11-27.sqlite3", "2026-11-28.sqlite3"]

    with_files(folder, run)


def test_distinct_names_need_no_rows(folder: Path) -> None:
    row = SeenName("primary", names.from_text("a.example"), "", "pass", 5)
    with_files(folder, lambda files: files.add_seen("2026-11-28", [row]))
    path = folder / "2026-11-28.sqlite3"
    assert select(path, "SELECT tier, devices FROM seen") == [("primary", 5)]
    assert select(path, "SELECT day, begins FROM about") == [("2026-11-28", MIDNIGHT)]


def test_a_day_knows_that_it_merges_rows_and_how_much_had_no_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_writer, "DISTINCT_FROM", 2)
    monkeypatch.setattr(day_writer, "MOST_ROWS", 4)

    async def run(files: DayFiles) -> None:
        for number in range(6):
            await files.write([a_batch(number + 1, a_lookup(MIDNIGHT, f"{number}.example"))])
            assert files.is_distinct("2026-11-28") == (number >= 2)
        assert files.lost == 2
        await files.forget_days()
        assert files.lost == 2

    with_files(folder, run)


@pytest.mark.parametrize("removed", ["file", "folder"])
def test_a_file_that_is_removed_while_open_is_made_again(folder: Path, removed: str) -> None:
    async def run(files: DayFiles) -> None:
        await files.write([a_batch(1, a_lookup(MIDNIGHT))])
        for path in folder.iterdir():
            path.unlink()
        if removed == "folder":
            folder.rmdir()
        await files.write([a_batch(2, a_lookup(MIDNIGHT))])

    with_files(folder, run)
    found = select(folder / "2026-11-28.sqlite3", "SELECT COUNT(*) FROM lookups")
    assert found == [(1,)]


def test_the_newest_days_with_a_file_are_kept(folder: Path) -> None:
    days = school_days("2026-11-01", 12)
    fill(folder, *days)
    assert keep(folder, 10, "2026-11-13") == days[2:]
    assert all(name[:10] in days[2:] for name in there(folder))


def test_what_was_set_aside_or_left_by_a_killed_process_goes_with_its_day(folder: Path) -> None:
    fill(folder, "2026-11-26", "2026-11-27")
    for name in (
        "2026-11-26.sqlite3.damaged",
        "2026-11-26.sqlite3-wal",
        ".2026-11-26.sqlite3.77.tmp",
        "notes.txt",
    ):
        (folder / name).touch()
    (folder / "2026-11-26.sqlite3.moved-1").mkdir()
    keep(folder, 1, "2026-11-28")
    assert there(folder) == ["2026-11-26.sqlite3.moved-1", "2026-11-27.sqlite3", "notes.txt"]


def test_a_clock_that_jumps_for_an_hour_removes_one_day_at_most(folder: Path) -> None:
    days = school_days("2026-11-01", 10)
    fill(folder, *days)
    assert len(keep(folder, 10, "2099-01-01", "2099-01-01", "2026-11-11")) == 9
    assert len(keep(folder, 10, "1970-01-01", "2026-11-11")) == 9


def test_days_of_a_clock_that_was_ahead_are_the_first_to_go(folder: Path) -> None:
    days = school_days("2026-11-01", 10)
    fill(folder, *days, "2099-01-01")
    assert keep(folder, 10, "2026-11-11") == days
    fill(folder, "2026-11-12")  # of tomorrow: another process is a moment ahead
    assert keep(folder, 11, "2026-11-11") == [*days, "2026-11-12"]


def test_where_no_days_are_added_the_old_ones_go_one_a_day(folder: Path) -> None:
    """As when the level was set back to totals: no days come that push them out."""
    fill(folder, "2026-09-01", "2026-09-02", "2026-11-27")
    assert keep(folder, 30, "2026-10-31") == ["2026-09-01", "2026-09-02", "2026-11-27"]
    assert keep(folder, 30, "2026-11-28", "2026-11-29", "2026-11-30") == ["2026-11-27"]


def octets(folder: Path) -> bytes:
    return b"\0".join(one.read_bytes() for one in folder.rglob("*") if one.is_file())


def test_a_name_is_forgotten_on_all_days_and_in_what_was_set_aside(folder: Path) -> None:
    fill(folder, "2026-11-26", "2026-11-27")
    (folder / "2026-11-20.sqlite3.damaged").write_bytes(b"example.game")

    async def run(files: DayFiles) -> Forgotten:
        other = a_lookup(MIDNIGHT, "other.example")
        await files.write([a_batch(1, a_lookup(MIDNIGHT), other)])
        found = await files.forget_names(GAME)
        assert b"game" not in octets(folder).replace(b"games", b"").replace(b"starter-", b"")
        await files.write([a_batch(2, a_lookup(MIDNIGHT))])
        return found

    assert with_files(folder, run) == (3, ())
    joined = "SELECT names.name FROM lookups JOIN names ON id = lookups.name ORDER BY 1"
    found = select(folder / "2026-11-28.sqlite3", joined)
    assert found == [("example.game.www",), ("example.other",)]


def test_a_device_is_forgotten_on_its_day(folder: Path) -> None:
    fill(folder, "2026-11-27", "2026-11-28")
    assert with_files(folder, lambda files: files.forget_device(7, "2026-11-28")).rows == 1
    found = [select(folder / name, "SELECT COUNT(*) FROM lookups") for name in there(folder)]
    assert found == [[(1,)], [(0,)]]


def test_a_day_that_cannot_be_searched_is_removed(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(folder, "2026-11-27", "2026-11-28")
    (folder / "2026-11-27.sqlite3").write_bytes(b"example.game" * 1000)
    found = with_files(folder, lambda files: files.forget_names(GAME))
    assert found == (1, ("2026-11-27",))
    assert b"example.game" not in octets(folder)
    assert "cannot be searched" in caplog.text


def test_all_days_are_forgotten_or_some(folder: Path) -> None:
    fill(folder, "2026-11-26", "2026-11-27", "2026-11-28")
    with_files(folder, lambda files: files.forget_days("2026-11-27"))
    assert there(folder) == ["2026-11-26.sqlite3", "2026-11-28.sqlite3"]

    async def run(files: DayFiles) -> None:
        await files.write([a_batch(9, a_lookup(MIDNIGHT))])
        await files.forget_days()
        assert there(folder) == []
        await files.write([a_batch(10, a_lookup(MIDNIGHT))])

    with_files(folder, run)
    assert there(folder) == ["2026-11-28.sqlite3"]


def test_a_forgetting_that_is_cancelled_is_done_before_another_write(folder: Path) -> None:
    fill(folder, "2026-11-28")

    async def run(files: DayFiles) -> None:
        task = asyncio.ensure_future(files.forget_names(GAME))
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        await files.write([a_batch(2, a_lookup(MIDNIGHT, "b.example"))])
        assert task.done()

    with_files(folder, run)
    assert ("example.b",) in select(folder / "2026-11-28.sqlite3", "SELECT name FROM names")


def test_a_folder_that_cannot_be_is_reported(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_bytes(b"a file")
    with pytest.raises(StoreError, match="the log cannot be written"):
        with_files(folder, lambda files: files.write([a_batch(1, a_lookup(MIDNIGHT))]))
    with pytest.raises(StoreError, match="cannot be written"):
        keep(folder, 30, "2026-11-28")


FILL_A_DISK = """
import asyncio, pathlib, random, sys
from filterd.base.errors import StoreError
from filterd.querylog.day_file import DayFiles
from tests.support.day_lookups import ZONE, a_batch, a_lookup, select
from tests.unit.querylog.test_day_file import MIDNIGHT

async def main():
    folder = pathlib.Path(sys.argv[1])
    ballast, files, refused = folder / "ballast", DayFiles(folder / "log", ZONE), 0
    ballast.write_bytes(bytes(9_000_000))
    for number in range(1, 40):
        batch = a_batch(number, *(a_lookup(MIDNIGHT, f"{number}.{n}.example") for n in range(200)))
        try:
            await files.write([batch])
        except StoreError:
            refused += 1
            ballast.unlink(missing_ok=True)  # somebody makes room; this batch comes again
            await files.write([batch])
    await files.close()
    path = folder / "log" / "2026-11-28.sqlite3"
    damaged = [*path.parent.glob("*.damaged")]
    print(refused, len(damaged), *select(path, "SELECT COUNT(*) FROM lookups"))

asyncio.run(main())
"""


@pytest.mark.usefixtures("needs_namespaces")
def test_a_real_disk_that_fills_up_costs_nothing_that_comes_again(tmp_path: Path) -> None:
    assert on_a_disk("12m", FILL_A_DISK, tmp_path) == "1 0 (7800,)\n"


def test_whichever_octet_is_damaged_rows_are_written(folder: Path) -> None:
    batch = a_batch(1, *(a_lookup(MIDNIGHT + n, f"{n}.example") for n in range(300)))
    with_files(folder, lambda files: files.write([batch]))
    path, dice = folder / "2026-11-28.sqlite3", random.Random(1)
    sound = path.read_bytes()
    for _ in range(int(os.environ.get("FILTERD_LOG_DAMAGES", "30"))):
        content = bytearray(sound)
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        path.write_bytes(content)
        late = a_batch(2, a_lookup(MIDNIGHT + 4000, "late.example", device=99))
        with_files(folder, lambda files: files.write([late]))  # noqa: B023 -- called at once
        assert select(path, "SELECT COUNT(*) FROM lookups WHERE device = 99") == [(1,)]
