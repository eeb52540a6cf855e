# SPDX-License-Identifier: Apache-2.0
"""The log's file: added up, never twice, and begun anew when it is of no use."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import sqlite3
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import StoreError
from filterd.querylog import Batch, CountRow, sqlite_file, totals_file
from filterd.querylog.day_reach import ReachRow
from filterd.querylog.service_days import ServiceDay
from filterd.querylog.totals_file import TotalsFile, read_reach, read_service, read_totals
from filterd.querylog.totals_request import Total, TotalsRequest
from tests.support.clock import FakeClock
from tests.support.writer_faults import killed, on_a_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import aiosqlite

DAY = 86_400


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(":memory:")) as opened:
        opened.executescript(totals_file.TABLES)
        yield opened


def _totals(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    return connection.execute("SELECT hour, n FROM totals ORDER BY hour").fetchall()


def _add(connection: sqlite3.Connection, *rows: tuple[int, int, int]) -> None:
    context = "6", "", "pass", "lab", "6A"
    connection.execute(totals_file.ADD_CONTEXT, context)
    connection.executemany(totals_file.ADD, [(*row, *context) for row in rows])


def test_answers_of_one_key_add_up_and_devices_do_not(connection: sqlite3.Connection) -> None:
    _add(connection, (0, 2, 3), (0, 3, 1))
    assert connection.execute("SELECT n, devices FROM totals").fetchall() == [(5, 3)]
    connection.executemany(
        totals_file.ADD_REACH, [("2026-11-28", "grade", "6", "", "pass", n) for n in (2, 4, 3)]
    )
    assert connection.execute("SELECT devices FROM reach").fetchall() == [(4,)]


def test_only_the_last_days_with_counts_are_kept(connection: sqlite3.Connection) -> None:
    days = (1, 2, 3, 400_000)  # the last by a clock that was wrong for an hour
    _add(connection, *((day * DAY + 3600, day, 1) for day in days))
    connection.execute(totals_file.FORGET_DAYS, (2,))
    assert [n for _, n in _totals(connection)] == [2, 3, 400_000]
    connection.execute(totals_file.FORGET_DAYS, (3,))
    assert len(_totals(connection)) == 3


def test_workers_of_old_are_forgotten(connection: sqlite3.Connection) -> None:
    connection.executemany(totals_file.NOTE, [(f"worker {n}", 1, n) for n in range(100)])
    connection.execute(totals_file.FORGET_WORKERS)
    assert connection.execute(totals_file.LAST_OF, ("worker 0",)).fetchone() is None
    assert connection.execute(totals_file.LAST_OF, ("worker 99",)).fetchone() == (1,)


HOUR = 3600 * (int(FakeClock().wall()) // 3600)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "query-log.sqlite3"


def a_batch(number: int = 1, n: int = 1, worker: str = "w", rows: int = 1) -> Batch:
    return Batch(
        worker, number, tuple(CountRow(HOUR, "6", f"c{i}", "blocked", n) for i in range(rows))
    )


def write(
    path: Path,
    *batches: Batch,
    clock: FakeClock | None = None,
    service: Sequence[ServiceDay] = (),
) -> int:
    """Write each batch by itself with one writer; return how many files it has set aside."""

    async def whole() -> int:
        store = TotalsFile(path, clock or FakeClock())
        try:
            for batch in batches:
                await store.write([batch], service)
        finally:
            await store.close()
        return store._file.set_aside

    return asyncio.run(whole())


def total(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        value: int = connection.execute("SELECT IFNULL(SUM(n), 0) FROM totals").fetchone()[0]
        return value


def test_batches_of_workers_add_up_over_restarts(path: Path) -> None:
    for number in (1, 2, 3):
        write(path, a_batch(number, n=10), a_batch(number, worker="another"))
    assert total(path) == 33


def test_a_batch_that_comes_again_is_not_added_again(path: Path) -> None:
    write(path, a_batch(1, 5))
    write(path, a_batch(1, 5), a_batch(2, 1))
    assert total(path) == 6


def test_control_without_the_note_it_would_be(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals_file, "NOTE", "SELECT ?, ?, ?")
    write(path, a_batch(1, 5))
    write(path, a_batch(1, 5), a_batch(2, 1))
    assert total(path) == 11


def test_contexts_come_in_the_order_of_the_batch(path: Path) -> None:
    """Damage of an octet does the same each time only where the same batches make the same file."""
    write(path, a_batch(rows=50))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT category FROM contexts ORDER BY id").fetchall()
    assert [category for (category,) in found] == [f"c{number}" for number in range(50)]


def test_it_is_written_ahead_and_synced_at_checkpoints_only(path: Path) -> None:
    async def whole() -> None:
        store = TotalsFile(path, FakeClock())
        connection = await store._file._open()
        assert await sqlite_file.value_of(connection, "PRAGMA journal_mode") == "wal"
        assert await sqlite_file.value_of(connection, "PRAGMA synchronous") == 1
        assert (
            await sqlite_file.value_of(connection, "PRAGMA cache_size") == -256
        )  # and keeps little
        await store.close()

    asyncio.run(whole())


def test_a_link_in_its_place_is_not_followed(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path.with_name("elsewhere"))
    with pytest.raises(StoreError, match="symbolic links"):
        write(path, a_batch())


def _flip(path: Path, at: int, mask: int) -> None:
    content = bytearray(path.read_bytes())
    content[at % len(content)] ^= mask
    path.write_bytes(content)


@pytest.mark.parametrize(
    "content", [b"\0" * 8192, b"no database at all", b"SQLite format 3\0" + b"\xff" * 4096]
)
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert write(path, a_batch(1, 5)) == 1
    assert total(path) == 5
    assert path.with_name(f"{path.name}.damaged").read_bytes() == content
    assert "a new one begins" in caplog.text


def test_whichever_octet_is_damaged_counting_goes_on(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(path, a_batch(rows=300))
    sound, dice, rounds = path.read_bytes(), random.Random(1), 0
    for _ in range(int(os.environ.get("FILTERD_LOG_DAMAGES", "60"))):
        path.write_bytes(sound)
        _flip(path, dice.randrange(len(sound)), 1 << dice.randrange(8))
        rounds += write(path, a_batch(2, 1_000_000))
        assert total(path) >= 1_000_000
    assert rounds > 3
    assert caplog.text.count("damaged") >= rounds


def test_a_truncated_file_is_set_aside(path: Path) -> None:
    write(path, a_batch(rows=300))
    os.truncate(path, path.stat().st_size // 2)
    write(path, a_batch(2, 1_000_000))
    assert total(path) >= 1_000_000


def test_damage_that_shows_while_it_is_open_is_survived(path: Path) -> None:
    async def whole() -> None:
        store = TotalsFile(path, FakeClock())
        await store.write([a_batch()])
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TABLE totals")
            connection.commit()
        await store.write([a_batch(2, 5)])
        await store.close()

    asyncio.run(whole())
    assert total(path) == 5


def test_a_file_that_was_removed_is_made_again(path: Path) -> None:
    async def whole() -> None:
        store = TotalsFile(path, FakeClock())
        await store.write([a_batch()])
        path.unlink()
        await store.write([a_batch(2, 5)])
        await store.close()

    asyncio.run(whole())
    assert total(path) == 5


@contextlib.contextmanager
def _full_disk(octets: int) -> Iterator[None]:
    """Let no file grow beyond so many octets; the kernel returns EFBIG, a full disk ENOSPC."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_a_full_disk_refuses_is_written_when_there_is_room(path: Path) -> None:
    async def whole() -> None:
        store = TotalsFile(path, FakeClock())
        await store.write([a_batch()])
        batch = a_batch(2, 5, rows=3000)
        with _full_disk(40_000), pytest.raises(StoreError, match="cannot be written"):
            await store.write([batch])
        await store.write([batch])
        await store.close()
        assert store._file.set_aside == 0

    asyncio.run(whole())
    assert total(path) == 1 + 5 * 3000


WRITE_UNTIL_KILLED = """
import asyncio, itertools, pathlib, sys
from filterd.base.clock import SystemClock
from filterd.querylog import Batch, CountRow
from filterd.querylog.totals_file import TotalsFile

async def main():
    store = TotalsFile(pathlib.Path(sys.argv[1]), SystemClock())
    for number in itertools.count(int(sys.argv[2])):
        rows = tuple(CountRow(3600 * (number % 50), str(n), "", "pass", 1) for n in range(20))
        await store.write([Batch("w", number, rows)])
        print(number, flush=True)

asyncio.run(main())
"""


def test_whenever_the_writer_is_killed_each_batch_is_there_once(path: Path) -> None:
    for last in killed(WRITE_UNTIL_KILLED, path, int(os.environ.get("FILTERD_LOG_KILLS", "5"))):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            ((sound,),) = connection.execute("PRAGMA integrity_check")
            ((number,),) = connection.execute("SELECT number FROM handovers")
        assert sound == "ok"
        assert number in (last, last + 1)  # it may have been killed before it could say so
        assert total(path) == 20 * number


FILL_A_DISK = """
import asyncio, pathlib, sqlite3, sys
from filterd.base.clock import SystemClock
from filterd.base.errors import StoreError
from filterd.querylog import Batch, CountRow
from filterd.querylog.totals_file import TotalsFile

async def main():
    path = pathlib.Path(sys.argv[1], "log")
    store, written, refused = TotalsFile(path, SystemClock()), 0, 0
    ballast = pathlib.Path(sys.argv[1], "ballast")
    ballast.write_bytes(bytes(2_800_000))
    for number in range(1, 60):
        rows = tuple(CountRow(number, "6", f"category {n}", "blocked", 1) for n in range(50))
        try:
            await store.write([Batch("w", number, rows)])
            written += 1
        except StoreError:
            refused += 1
            ballast.unlink(missing_ok=True)  # somebody makes room; this batch comes again
            await store.write([Batch("w", number, rows)])
            written += 1
    await store.close()
    connection = sqlite3.connect(path)
    (total,), = connection.execute("SELECT SUM(n) FROM totals")
    (sound,), = connection.execute("PRAGMA integrity_check")
    connection.close()
    print(written, refused, total, sound, store._file.set_aside)

asyncio.run(main())
"""


@pytest.mark.usefixtures("needs_namespaces")
def test_a_real_disk_that_fills_up_costs_nothing_that_comes_again(tmp_path: Path) -> None:
    assert on_a_disk("3000k", FILL_A_DISK, tmp_path) == "59 1 2950 ok 0\n"


def test_a_database_that_may_not_grow_is_full_and_not_damaged(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PRAGMAS", (*sqlite_file.PRAGMAS, "PRAGMA max_page_count = 8"))
    write(path, a_batch())
    with pytest.raises(StoreError, match="full"):
        write(path, a_batch(2, rows=3000))
    assert total(path) == 1


def test_a_folder_that_cannot_be_is_reported(path: Path) -> None:
    path.parent.write_bytes(b"a file")
    with pytest.raises(StoreError, match="the log cannot be written"):
        write(path, a_batch())


def test_a_database_that_cannot_be_written_is_reported_and_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, a_batch())
    with monkeypatch.context() as only_to_read:
        only_to_read.setattr(sqlite_file, "PRAGMAS", ("PRAGMA query_only = ON",))
        with pytest.raises(StoreError, match="readonly"):
            write(path, a_batch(2, 5))
    write(path, a_batch(2, 5))
    assert total(path) == 6


def test_a_file_that_another_process_holds_is_tried_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_S", 0.05)
    write(path, a_batch())
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked"):
            write(path, a_batch(2, 5))
        other.execute("ROLLBACK")
    write(path, a_batch(2, 5))
    assert total(path) == 6


def test_the_loop_goes_on_while_the_disk_does_not(path: Path) -> None:
    async def whole() -> None:
        store = TotalsFile(path, FakeClock())
        await store.write([a_batch()])
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            waiting = asyncio.ensure_future(store.write([a_batch(2, 5)]))
            for _ in range(100):
                await asyncio.sleep(0)
            assert not waiting.done()
            other.execute("ROLLBACK")
            await waiting
        await store.close()

    asyncio.run(whole())
    assert total(path) == 6


def test_old_days_are_removed_once_a_day_with_all_that_is_of_them(path: Path) -> None:
    clock = FakeClock()

    async def whole() -> None:
        store = TotalsFile(path, clock, lambda: 2)
        for day in range(5):
            row = CountRow(HOUR + day * 86_400, "6", "", "pass", 1, f"room {day}")
            reach = ReachRow(f"2026-11-{day:02}", "grade", "6", "", "pass", 5)
            service = [ServiceDay(f"2026-11-{day:02}", 1)]
            await store.write([Batch("w", day + 1, (row,), reach=(reach,))], service)
            clock.advance(86_400)
        await store.close()

    asyncio.run(whole())
    assert total(path) == 2
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rooms = connection.execute("SELECT network FROM contexts ORDER BY 1").fetchall()
        assert rooms == [("room 3",), ("room 4",)]
    found = asyncio.run(read_reach(path, "2026-11-01", "2026-11-30"))
    assert [one.day for one in found] == ["2026-11-03", "2026-11-04"]
    assert [one.day for one in served(path)[1]] == ["2026-11-03", "2026-11-04"]
    content = b"".join(one.read_bytes() for one in path.parent.iterdir())
    assert b"room 3" in content
    assert b"room 1" not in content


@pytest.mark.parametrize("is_safe", [True, False])
def test_control_a_day_that_is_kept_in_part_has_no_devices(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, is_safe: bool
) -> None:
    """In Vietnam a day of UTC begins at seven; five devices asked before, and one later."""
    if not is_safe:
        monkeypatch.setattr(totals_file, "FORGET_CUT_REACH", "SELECT 1")
    clock = FakeClock()

    async def whole() -> None:
        store = TotalsFile(path, clock, lambda: 2)
        for number, day in enumerate(("2026-11-02", "2026-11-03", "2026-11-04"), 1):
            rows = (
                CountRow(_at(f"{day}T06:00+07:00"), "6", "games", "blocked", 5),
                CountRow(_at(f"{day}T09:00+07:00"), "6", "games", "blocked", 1),
            )
            reach = (ReachRow(day, "tier", "lower-secondary", "games", "blocked", 5),)
            await store.write([Batch("w", number, rows, reach=reach)])
            clock.advance(86_400)
        await store.close()

    asyncio.run(whole())
    found = asyncio.run(read_reach(path, "2026-11-01", "2026-11-30"))
    days = ["2026-11-03", "2026-11-04"]
    assert [one.day for one in found] == (days[1:] if is_safe else days)
    assert total(path) == 1 + 6  # of the first of both days only what is after seven


ZONE = "Asia/Ho_Chi_Minh"


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _write(path: Path, *rows: CountRow) -> None:
    async def whole() -> None:
        store = TotalsFile(path, FakeClock())
        await store.write([Batch("w", 1, rows)])
        await store.close()

    asyncio.run(whole())


def _read(path: Path, now: str, days: int = 1, grade: str = "", zone: str = ZONE) -> list[Total]:
    request = TotalsRequest(days, grade=grade, is_live=True)
    reading = read_totals(path, request, time_zone=zone, now=_at(now))
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


def test_an_hour_is_read_when_it_is_over(tmp_path: Path) -> None:
    hours = [_at("2026-11-24T08:00+07:00") + 3_600 * n for n in range(3)]
    _write(tmp_path / "log", *(CountRow(hour, "6", "", "pass", 1) for hour in hours))

    def n(now: float) -> int:
        reading = read_totals(tmp_path / "log", TotalsRequest(1), time_zone="UTC", now=now)
        return sum(one.n for one in asyncio.run(reading))

    assert [n(hours[1] + s) for s in (-1, 0, 3_599, 3_600)] == [0, 1, 1, 2]


def test_one_grade_can_be_asked_for(tmp_path: Path) -> None:
    hour = _at("2026-11-24T08:00+07:00")
    _write(tmp_path / "log", *(CountRow(hour, grade, "", "pass", 2) for grade in ("6", "9")))
    (found,) = _read(tmp_path / "log", "2026-11-24T10:00+07:00", grade="9")
    assert found.grade == "9"


def test_an_answer_of_too_many_totals_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hour = _at("2026-11-24T08:00+07:00")
    _write(tmp_path / "log", *(CountRow(hour, grade, "", "pass", 2) for grade in ("6", "9")))
    monkeypatch.setattr(totals_file, "MOST_TOTALS", 1)
    with pytest.raises(StoreError, match="fewer days"):
        _read(tmp_path / "log", "2026-11-24T10:00+07:00")


def test_a_day_may_have_25_hours(tmp_path: Path) -> None:
    hours = [_at("2026-10-25T00:00+02:00") + 3600 * n for n in range(-1, 27)]
    _write(tmp_path / "log", *(CountRow(hour, "6", "", "pass", 1) for hour in hours))
    (found,) = _read(tmp_path / "log", "2026-10-25T12:00+01:00", zone="Europe/Berlin")
    assert found.n == 25


def test_what_is_no_log_is_reported(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match="the log cannot be read"):
        _read(tmp_path / "log", "2026-11-24T10:00+07:00")


OF_0_1 = """
CREATE TABLE totals (
    hour INTEGER NOT NULL, grade TEXT NOT NULL, category TEXT NOT NULL, action TEXT NOT NULL,
    n INTEGER NOT NULL, PRIMARY KEY (hour, grade, category, action)
) STRICT, WITHOUT ROWID;
CREATE TABLE handovers (
    worker TEXT PRIMARY KEY, number INTEGER NOT NULL, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
"""


OF_0_2 = (
    OF_0_1.replace(
        "n INTEGER NOT NULL,", "n INTEGER NOT NULL, network TEXT NOT NULL, class TEXT NOT NULL,"
    )
    .replace("action)", "action, network, class)")
    .replace("version = 1", "version = 2")
)


def _of_0_1(path: Path, tables: str = OF_0_1, context: str = "") -> None:
    path.parent.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(tables)
        connection.execute(
            f"INSERT INTO totals VALUES (?, '6', 'games', 'blocked', 7 {context})", (HOUR,)
        )
        connection.execute("INSERT INTO handovers VALUES ('w', 4, ?)", (HOUR,))
        connection.commit()


def _counted(path: Path, *, class_id: str = "", by_class: bool = False) -> list[tuple[str, int]]:
    found = asyncio.run(
        read_totals(
            path,
            TotalsRequest(2, class_id=class_id, by_class=by_class, is_live=True),
            time_zone="UTC",
            now=HOUR,
        )
    )
    return [(one.class_id, one.n) for one in found]


def test_a_file_of_release_0_1_keeps_its_counts(path: Path) -> None:
    _of_0_1(path)
    assert _counted(path) == [("", 7)]  # before anything is written to it
    late = Batch("w", 4, (CountRow(HOUR, "6", "games", "blocked", 100),))
    new = Batch("w", 5, (CountRow(HOUR, "6", "games", "blocked", 3, "lab", class_id="6A"),))
    assert write(path, late, new) == 0
    assert _counted(path) == [("", 10)]
    assert _counted(path, by_class=True) == [("", 7), ("6A", 3)]
    assert _counted(path, class_id="6A") == [("", 3)]
    assert not path.with_name(f"{path.name}.damaged").exists()


def test_a_file_without_devices_keeps_its_counts_with_networks_and_classes(path: Path) -> None:
    _of_0_1(path, OF_0_2, ", 'lab', '6A'")
    before = _counted(path, by_class=True)
    row = CountRow(HOUR, "6", "games", "blocked", 3, "lab", class_id="6A")
    assert write(path, Batch("w", 5, (row,))) == 0
    assert before == [("6A", 7)]
    assert _counted(path, by_class=True) == [("6A", 10)]


@pytest.fixture
def false_nulls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SQLite judge tables of before as 3.40.1 does, which Debian 12 has.

    It reports damaged pages first. Where there are none, it finds a NULL in each row.
    """
    value_of = sqlite_file.value_of

    async def value(connection: aiosqlite.Connection, question: str) -> object:
        found = await value_of(connection, question)
        of_before = "SELECT COUNT(*) FROM pragma_table_info('totals') WHERE name = 'grade'"
        pages = str(found).startswith("*** in database")
        if "quick_check" in question and not pages and await value_of(connection, of_before):
            return "NULL value in totals.n"
        return found

    monkeypatch.setattr(sqlite_file, "value_of", value)


@pytest.mark.usefixtures("false_nulls")
def test_a_null_that_sqlite_finds_and_is_not_there_costs_no_totals(path: Path) -> None:
    _of_0_1(path, OF_0_2, ", 'lab', '6A'")
    row = CountRow(HOUR, "6", "games", "blocked", 3, "lab", class_id="6A")
    assert write(path, Batch("w", 4, (row,)), Batch("w", 5, (row,))) == 0
    assert _counted(path, by_class=True) == [("6A", 10)]


def _of_many_rows(path: Path, declared: str = "", as_if: str = "", then: str = "") -> None:
    """Make a file of before whose tables were declared in another way, for values of damage."""
    _of_0_1(path, OF_0_2.replace(declared, as_if, 1), ", 'lab', '6A'")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        rows = [(HOUR, str(n)) for n in range(300)]
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO totals VALUES (?, ?, '', '', 7, 'lab', '6A')", rows)
        connection.execute("COMMIT")
        connection.executescript(f"""
            {then};
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = replace(sql, '{as_if}', '{declared}');
        """)


def _with_a_row_less_in_a_page(path: Path) -> None:
    _of_many_rows(path)
    content = bytearray(path.read_bytes())
    leaf = max(at for at in range(0, len(content), 4096) if content[at] == 0x0A)
    content[leaf + 4] -= 1  # of its cells
    path.write_bytes(content)


def _with_a_null(path: Path) -> None:
    _of_many_rows(path, "n INTEGER NOT NULL", "n INTEGER", "UPDATE totals SET n = NULL")


def _with_a_text_for_a_number(path: Path) -> None:
    _of_many_rows(path, "n INTEGER", "n ANY", "UPDATE totals SET n = 'x' WHERE grade = '6'")


def _with_a_number_for_a_text(path: Path) -> None:
    _of_many_rows(
        path, "grade TEXT", "grade ANY", "UPDATE totals SET grade = 1007 WHERE grade = '7'"
    )


def _with_damage_of_a_table_that_stays(path: Path) -> None:
    _of_many_rows(path, "number INTEGER", "number ANY", "UPDATE handovers SET number = 'x'")


OF_DAMAGE = [
    _with_a_row_less_in_a_page,
    _with_a_null,
    _with_a_text_for_a_number,
    _with_a_number_for_a_text,
    _with_damage_of_a_table_that_stays,
]


@pytest.mark.parametrize("make", OF_DAMAGE)
def test_a_damaged_file_of_before_is_set_aside(path: Path, make: Callable[[Path], None]) -> None:
    make(path)
    assert write(path, a_batch(5, 5)) == 1
    assert total(path) == 5


@pytest.mark.usefixtures("false_nulls")
@pytest.mark.parametrize("make", OF_DAMAGE)
def test_damage_is_found_also_where_sqlite_finds_false_nulls(
    path: Path, make: Callable[[Path], None]
) -> None:
    make(path)
    assert write(path, a_batch(5, 5)) == 1
    assert total(path) == 5
    assert path.with_name(f"{path.name}.damaged").exists()


@pytest.mark.parametrize("make", [_with_a_row_less_in_a_page, _with_damage_of_a_table_that_stays])
def test_control_without_the_check_damage_is_taken_over(
    path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None]
) -> None:
    async def nothing(connection: aiosqlite.Connection, *, upgradable: bool = False) -> None:
        pass

    monkeypatch.setattr(sqlite_file, "_check", nothing)
    make(path)
    assert write(path, a_batch(5, 0, worker="another")) == 0
    assert total(path) in (301 * 7, 300 * 7)


@pytest.mark.usefixtures("false_nulls")
def test_control_a_row_that_fits_no_context_would_be_lost(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lossy = {2: totals_file.FILE.upgrades[2].replace("LEFT JOIN", "JOIN")}
    monkeypatch.setattr(totals_file, "FILE", replace(totals_file.FILE, upgrades=lossy))
    _with_a_number_for_a_text(path)
    assert write(path, a_batch(5, 0)) == 0
    assert total(path) == 300 * 7


OF_0_3 = f"""
{totals_file._TABLES} {totals_file._HANDOVERS}
PRAGMA user_version = 3;
INSERT INTO contexts VALUES (1, '6', 'games', 'blocked', 'lab', '6A');
INSERT INTO totals VALUES ({HOUR}, 1, 7, 5);
INSERT INTO reach VALUES ('2026-11-01', 'grade', '6', 'games', 'blocked', 5);
"""


def test_a_file_without_service_keeps_its_counts_and_devices(path: Path) -> None:
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(OF_0_3)
    assert (_counted(path, by_class=True), served(path)) == ([("6A", 7)], ("", []))
    row = CountRow(HOUR, "6", "games", "blocked", 3, "lab", class_id="6A")
    assert write(path, Batch("w", 5, (row,)), service=[ServiceDay("2026-11-28", 1)]) == 0
    assert _counted(path, by_class=True) == [("6A", 10)]
    assert [one.devices for one in asyncio.run(read_reach(path, "2026", "2027"))] == [5]
    assert served(path) == ("2026-11-28", [ServiceDay("2026-11-28", 1)])


def served(
    path: Path, first: str = "2026-01-01", last: str = "2027"
) -> tuple[str, list[ServiceDay]]:
    return asyncio.run(read_service(path, first, last))


def test_service_of_a_day_adds_up_over_restarts(path: Path) -> None:
    write(path, a_batch(), service=[ServiceDay("2026-11-28", 0b01, "411", 90, 3, 1)])
    write(path, a_batch(2), service=[ServiceDay("2026-11-28", 0b10, "412", 30)])
    write(path, a_batch(3), service=[ServiceDay("2026-11-29", 0b1)])
    _, found = served(path)
    assert found == [ServiceDay("2026-11-28", 0b11, "412", 90, 3, 1), ServiceDay("2026-11-29", 1)]
    assert served(path, "2026-11-29") == ("2026-11-28", found[1:])


def test_service_has_no_record_where_there_is_no_file(path: Path) -> None:
    assert served(path) == ("", [])


def test_control_a_file_of_another_version_is_set_aside(path: Path) -> None:
    _of_0_1(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert write(path, a_batch(1, 5)) == 1
    assert _counted(path) == [("", 5)]
