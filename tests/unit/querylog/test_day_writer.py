# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sqlite3
from datetime import date
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import StoreError
from filterd.querylog import day_writer, sqlite_file
from filterd.querylog.day_schema import DaySpan
from filterd.querylog.day_writer import DayWriter
from filterd.querylog.seen_names import SeenName
from filterd.wire import name as names
from tests.support.day_lookups import NEWS, ZONE, a_batch, a_lookup, select
from tests.support.writer_faults import killed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from filterd.querylog.lookups import LookupBatch

SPAN = DaySpan.of(date(2026, 11, 28), ZONE)
NINE = SPAN.begins + 9 * 3600
ROWS = "SELECT at >> 20, at & 0xFFFFF, device, n FROM lookups ORDER BY at"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log" / "2026-11-28.sqlite3"


def writing(path: Path, work: Callable[[DayWriter], Awaitable[None]]) -> DayWriter:
    async def whole() -> DayWriter:
        writer = DayWriter(path, SPAN)
        try:
            await work(writer)
        finally:
            await writer.close()
        return writer

    return asyncio.run(whole())


def write(path: Path, *batches: LookupBatch) -> DayWriter:
    """Write each batch by itself."""

    async def each(writer: DayWriter) -> None:
        for batch in batches:
            await writer.write([batch])

    return writing(path, each)


def count(path: Path) -> int:
    ((n,),) = select(path, "SELECT IFNULL(SUM(n), 0) FROM lookups")
    assert isinstance(n, int)
    return n


def test_a_row_has_second_name_context_and_pseudonym(path: Path) -> None:
    write(path, a_batch(1, a_lookup(NINE), a_lookup(NINE + 5, "news.example", NEWS, 8)))
    joined = (
        "SELECT lookups.at >> 20, names.name, class, action, blocker, device, n FROM lookups"
        " JOIN names ON names.id = lookups.name JOIN contexts ON contexts.id = context ORDER BY at"
    )
    assert select(path, joined) == [
        (9 * 3600, "example.game.www", "6A", "blocked", "starter-games", 7, 1),
        (9 * 3600 + 5, "example.news", "6A", "pass", "", 8, 1),
    ]
    assert select(path, "SELECT * FROM about") == [("2026-11-28", SPAN.begins, -1)]


def test_rows_of_one_second_are_numbered_also_over_batches_and_restarts(path: Path) -> None:
    write(path, a_batch(1, a_lookup(NINE), a_lookup(NINE + 9)), a_batch(2, a_lookup(NINE)))
    write(path, a_batch(1, a_lookup(NINE), a_lookup(NINE - 1), worker="v"))
    found = select(path, ROWS)
    assert [row[:2] for row in found] == [
        (9 * 3600 - 1, 0), (9 * 3600, 0), (9 * 3600, 1), (9 * 3600, 2), (9 * 3600 + 9, 0),
    ]  # fmt: skip


def test_a_name_and_a_context_are_there_once_also_beyond_the_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_writer, "MOST_MEMORISED", 3)
    dice = random.Random(1)
    batches = [
        a_batch(n, *(a_lookup(NINE + n, f"{dice.randrange(9)}.example") for _ in range(5)))
        for n in range(1, 30)
    ]
    write(path, *batches)
    assert select(path, "SELECT COUNT(*), COUNT(DISTINCT name) FROM names") == [(9, 9)]
    assert len(select(path, "SELECT * FROM contexts")) == 1
    asked = [one.name for batch in batches for one in batch.lookups]
    found = select(
        path, "SELECT names.name, COUNT(*) FROM lookups JOIN names ON id = lookups.name GROUP BY 1"
    )
    assert sorted(found) == [
        (f"example.{n}", asked.count(names.from_text(f"{n}.example"))) for n in range(9)
    ]


def test_a_batch_that_comes_again_is_not_added_again(path: Path) -> None:
    write(path, a_batch(1, a_lookup(NINE)))
    write(path, a_batch(1, a_lookup(NINE)), a_batch(2, a_lookup(NINE)))
    assert count(path) == 2


def test_control_without_the_note_it_would_be(path: Path) -> None:
    write(path, a_batch(1, a_lookup(NINE)))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM handovers")
        connection.commit()
    write(path, a_batch(1, a_lookup(NINE)))
    assert count(path) == 2


def test_of_distinct_names_the_larger_number_of_devices_stays(path: Path) -> None:
    async def add(writer: DayWriter) -> None:
        for devices in (2, 5, 3):
            row = SeenName("primary", names.from_text("a.example"), "games", "blocked", devices)
            await writer.add_seen([row, row._replace(name=names.from_text("b.example"))])

    writing(path, add)
    joined = "SELECT tier, names.name, devices FROM seen JOIN names ON id = seen.name ORDER BY 2"
    assert select(path, joined) == [("primary", "example.a", 5), ("primary", "example.b", 5)]


def test_beyond_a_number_of_rows_equal_lookups_of_a_slot_are_one_row(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(day_writer, "DISTINCT_FROM", 3)
    lookups = [a_lookup(NINE + second, device=second + 1) for second in range(10)]
    write(path, a_batch(1, *lookups[:3]), a_batch(2, *lookups[3:]))
    write(path, a_batch(3, *lookups, a_lookup(NINE + 300), a_lookup(NINE, "b.example")))
    second = 9 * 3600
    assert select(path, ROWS) == [
        (second, 0, 1, 1), (second, 1, 0, 17), (second, 2, 0, 1),
        (second + 1, 0, 2, 1), (second + 2, 0, 3, 1), (second + 300, 0, 0, 1),
    ]  # fmt: skip
    assert select(path, "SELECT distinct_since FROM about") == [(second,)]
    assert caplog.text.count("from now on equal lookups of 5 minutes are one row") == 1


def test_what_has_no_room_in_a_day_is_counted_and_adds_no_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_writer, "MOST_ROWS", 2)
    batches = [a_batch(n, a_lookup(NINE, f"{n}.example")) for n in range(1, 6)]
    assert write(path, *batches).lost == 3
    assert len(select(path, "SELECT * FROM names")) == 2


def test_beyond_a_number_of_names_lookups_of_known_ones_alone_are_added(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(day_writer, "MOST_NAMES", 3)
    made_up = [a_lookup(NINE + n, f"{n}.example") for n in range(5)]

    async def add(writer: DayWriter) -> None:
        await writer.write([a_batch(1, *made_up)])
        await writer.write([a_batch(2, *made_up)])
        seen = SeenName("primary", made_up[0].name, "games", "blocked", 1)
        await writer.add_seen([seen, seen._replace(name=made_up[4].name)])

    assert writing(path, add).lost == 4
    assert count(path) == 6
    assert select(path, "SELECT name FROM seen") == [(1,)]
    assert len(select(path, "SELECT * FROM names")) == 3
    assert caplog.text.count("the log of 2026-11-28 is full") == 1


def test_a_second_has_room_for_a_million_rows(path: Path) -> None:
    write(path, a_batch(1, a_lookup(NINE)))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE lookups SET at = at | 0xFFFFE")
        connection.commit()
    batch = a_batch(2, *(a_lookup(NINE) for _ in range(5)), a_lookup(NINE + 1))
    assert write(path, batch).lost == 4
    assert count(path) == 3


def test_a_day_whose_zone_was_changed_stays_one_day(path: Path) -> None:
    write(path, a_batch(1, a_lookup(SPAN.begins - 3600), a_lookup(SPAN.begins + 30 * 3600)))
    assert [row[0] for row in select(path, ROWS)] == [0, 26 * 3600 - 1]


def test_a_write_that_fails_is_made_whole_the_next_time(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_S", 0.02)

    async def fail_and_write(writer: DayWriter) -> None:
        await writer.write([a_batch(1, a_lookup(NINE))])
        batch = a_batch(2, a_lookup(NINE, "new.example", NEWS))
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked"):
                await writer.write([batch])
            other.execute("ROLLBACK")
        await writer.write([batch])

    assert writing(path, fail_and_write)._file.set_aside == 0
    assert count(path) == 2


def test_an_insert_that_fails_within_leaves_no_id_behind(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail_and_write(writer: DayWriter) -> None:
        await writer.write([a_batch(1, a_lookup(NINE))])
        batch = a_batch(2, a_lookup(NINE, "new.example", NEWS))
        with monkeypatch.context() as failing:
            failing.setattr(day_writer, "_insert", _refuse)
            with pytest.raises(StoreError):
                await writer.write([batch])
        await writer.write([batch])

    writing(path, fail_and_write)
    assert count(path) == 2
    assert len(select(path, "SELECT * FROM names")) == 2


async def _refuse(*_: object) -> int:
    raise OSError(5, "Input/output error")


def test_a_damaged_day_is_set_aside_once_and_begun_anew(path: Path) -> None:
    write(path, a_batch(1, *(a_lookup(NINE + n, f"{n}.example") for n in range(500))))
    content = bytearray(path.read_bytes())
    content[4096:8192] = bytes(4096)
    path.write_bytes(content)
    assert write(path, a_batch(2, a_lookup(NINE)), a_batch(3, a_lookup(NINE)))._file.set_aside == 1
    assert count(path) == 2


WRITE_UNTIL_KILLED = """
import asyncio, itertools, pathlib, sys
from datetime import date
from filterd.querylog.day_writer import DayWriter
from tests.support.day_lookups import a_batch, a_lookup
from tests.unit.querylog.test_day_writer import NINE, SPAN

async def main():
    writer = DayWriter(pathlib.Path(sys.argv[1]), SPAN)
    for number in itertools.count(int(sys.argv[2])):
        rows = (a_lookup(NINE + number + n, f"{number}.{n}.example") for n in range(20))
        await writer.write([a_batch(number, *rows)])
        print(number, flush=True)

asyncio.run(main())
"""


def test_whenever_the_writer_is_killed_each_batch_is_there_once(path: Path) -> None:
    for last in killed(WRITE_UNTIL_KILLED, path, int(os.environ.get("FILTERD_LOG_KILLS", "3"))):
        assert select(path, "PRAGMA integrity_check") == [("ok",)]
        ((number,),) = select(path, "SELECT number FROM handovers")
        assert number in (last, last + 1)  # killed before it could say so
        assert count(path) == 20 * last + 20 * (number == last + 1)
