# SPDX-License-Identifier: Apache-2.0
"""Counts of workers reach the disk once, and no answer waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from filterd.base.errors import StoreError
from filterd.daemon.manager import log_collector as module
from filterd.daemon.manager.log_collector import DistinctKeeper, LogKeeper, MinuteRounds
from filterd.daemon.worker_channel import Channel
from filterd.querylog import Counts, sqlite_file
from filterd.querylog import counts as counting
from filterd.querylog.day_schema import DaySpan
from filterd.querylog.service_days import ServiceMoment
from filterd.querylog.totals_request import TotalsRequest
from filterd.wire import name as names
from tests.support import crew
from tests.support.clock import FakeClock
from tests.support.crew import WITHIN_S
from tests.support.day_lookups import a_batch, a_lookup, begin_of, with_files

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path
    from typing import Any

    from filterd.daemon.worker_channel import Handlers
    from filterd.querylog.period_totals import DistinctCount

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


class Counting:
    """A worker that does nothing but count, behind its channel."""

    def __init__(self, end: socket.socket, clock: FakeClock) -> None:
        self.counts = Counts(clock)
        self.channel = Channel(end, {"counts": self.take})

    async def take(self, *, worker: str, acknowledged: int) -> dict[str, Any]:
        return self.counts.take(worker, acknowledged).to_plain()

    async def end(self) -> None:
        left = (batch.to_plain() for batch in self.counts.take_all())
        await self.channel.hand_over("last_counts", left)
        self.channel.tell("last_counts", batch=None)


class Crew(crew.Crew[Counting, LogKeeper]):
    def __init__(self, path: Path) -> None:
        self.path, self.clock, self.is_serving = path, FakeClock(), False
        super().__init__()

    def _worker(self, end: socket.socket) -> Counting:
        return Counting(end, self.clock)

    def _collector(self, channels: list[Channel]) -> tuple[LogKeeper, Handlers]:
        keeper = LogKeeper(self.path, self.clock, channels, lambda: 400, self._service)
        return keeper, {"last_counts": keeper.take_last}

    async def _service(self) -> ServiceMoment | None:
        return ServiceMoment(self.clock.wall(), ZONE, "412", 90) if self.is_serving else None

    @property
    def on_disk(self) -> int:
        """How many minutes in service are on disk."""
        if not self.path.exists():
            return 0
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            rows = connection.execute("SELECT minutes FROM days").fetchall()
        return sum(int.from_bytes(one).bit_count() for (one,) in rows)

    async def minutes(self) -> int:
        """Return how many minutes in service are known."""
        _, days = await self.collector.service("2001-01-01", "2100")
        return sum((day.minutes or 0).bit_count() for day in days)

    @property
    def total(self) -> int:
        if not self.path.exists():
            return 0
        with contextlib.closing(sqlite3.connect(self.path)) as connection:
            value: int = connection.execute("SELECT IFNULL(SUM(n), 0) FROM totals").fetchone()[0]
            return value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "query-log.sqlite3"


def run(path: Path, work: Callable[[Crew], Awaitable[None]]) -> None:
    crew.run(lambda: Crew(path), work)


def test_what_all_workers_count_is_added_up(path: Path) -> None:
    async def work(crew: Crew) -> None:
        for expected in (7, 14):
            for worker, n in zip(crew.workers, (3, 4), strict=True):
                worker.counts.add("6", "games", "blocked", n)
            await crew.collector.collect()
            assert crew.total == expected
        (found,) = await crew.collector.totals(TotalsRequest(1, is_live=True), time_zone="UTC")
        assert (found.grade, found.category, found.action, found.n) == ("6", "games", "blocked", 14)

    run(path, work)


def test_devices_of_a_day_are_the_most_that_one_worker_has_seen(path: Path) -> None:
    async def work(crew: Crew) -> None:
        for worker, devices in zip(crew.workers, ((3, 5, 7), (3, 9)), strict=True):
            worker.counts.add("6", "games", "blocked", devices=devices)
        today = DaySpan.at(crew.clock.wall(), ZoneInfo("UTC"))
        totals, reach = await crew.collector.cells([today], frozenset())
        assert [total.n for total in totals] == [2]
        assert {(one.scope, one.id): one.devices for one in reach} == {
            ("tier", "lower-secondary"): 3,
            ("grade", "6"): 3,
            ("school", ""): 3,
        }

    run(path, work)


def test_totals_that_may_be_old_are_read_and_nothing_is_written_for_them(path: Path) -> None:
    async def work(crew: Crew) -> None:
        async def n(old_s: float) -> int:
            (found,) = await crew.collector.totals(
                TotalsRequest(1, is_live=True, old_s=old_s), time_zone="UTC"
            )
            return found.n

        crew.workers[0].counts.add("6", "games", "blocked", 3)
        assert await n(30.0) == 3  # there was no round yet
        crew.workers[0].counts.add("6", "games", "blocked", 4)
        crew.clock.advance(29.0)
        assert (await n(30.0), crew.total) == (3, 3)
        crew.clock.advance(1.0)
        assert (await n(30.0), crew.total) == (7, 7)
        crew.workers[0].counts.add("6", "games", "blocked", 1)
        assert await n(0.0) == 8

    run(path, work)


def test_no_file_is_made_where_nothing_is_counted(path: Path) -> None:
    async def work(crew: Crew) -> None:
        await crew.collector.collect()
        assert await crew.collector.totals(TotalsRequest(1, is_live=True), time_zone="UTC") == []

    run(path, work)
    assert not path.exists()


def test_minutes_in_service_are_written_also_where_nothing_is_counted(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.is_serving = True
        for expected in (1, 2, 3):
            await crew.collector.collect()
            assert await crew.minutes() == expected
            crew.clock.advance(60.0)
        crew.is_serving = False
        await crew.collector.collect()
        assert (await crew.minutes(), crew.collector.written_at) == (3, None)
        crew.collector.note_tests("2026-11-28", 6, 1)
        await crew.collector.collect()
        _, days = await crew.collector.service("2001-01-01", "2100")
        assert ("412", 90) in [day[2:4] for day in days]
        assert (6, 1) in [day[4:6] for day in days]

    run(path, work)


def test_without_counts_minutes_wait_so_that_a_card_is_written_less(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.is_serving = True
        written = []
        for _ in range(22):
            await crew.collector.collect()
            written.append(crew.on_disk)
            crew.clock.advance(60.0)
        assert written == [0] * 10 + [11] * 11 + [22]
        crew.workers[0].counts.add("6", "", "pass")
        await crew.collector.collect()
        assert crew.on_disk == 23

    run(path, work)


def test_a_minute_without_a_worker_that_answers_is_not_in_service(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WORKER_WITHIN_S", 0.05)

    async def work(crew: Crew) -> None:
        crew.is_serving = True
        await crew.workers[0].channel.close()
        await crew.collector.collect()
        assert await crew.minutes() == 1
        await crew.workers[1].channel.close()
        crew.clock.advance(60.0)
        await crew.collector.collect()
        assert await crew.minutes() == 1

    run(path, work)


def test_minutes_that_the_disk_refused_are_written_later(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.is_serving = True
        path.symlink_to(path)
        crew.workers[0].counts.add("6", "", "pass")
        await crew.collector.collect()
        assert "cannot be written" in crew.collector.problem
        path.unlink()
        crew.clock.advance(60.0)
        await crew.collector.collect()
        await crew.collector.collect()
        assert (await crew.minutes(), crew.collector.problem) == (2, "")

    run(path, work)


def test_answers_that_a_worker_lost_are_noted_once_with_their_day(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.is_serving = True
        for lost in (2, 2, 5):  # what was lost before this manager began is not its own
            crew.workers[0].counts.lost = lost
            await crew.collector.collect()
            crew.clock.advance(60.0)
        _, days = await crew.collector.service("2001-01-01", "2100")
        assert sum(day.lost for day in days) == 3

    run(path, work)


def test_a_restart_in_order_leaves_no_gap(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.is_serving = True
        await crew.collector.collect()
        crew.clock.advance(60.0)
        for worker in crew.workers:
            await worker.end()
        await crew.collector.write_last(within_s=WITHIN_S)
        await crew.manager_dies()
        crew.clock.advance(60.0)
        await crew.collector.collect()
        assert await crew.minutes() == 3

    run(path, work)


def test_many_rows_are_written_in_one_round(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "ROWS_A_BATCH", 7)

    async def work(crew: Crew) -> None:
        for number in range(50):
            crew.workers[0].counts.add(str(number), "", "pass")
        await crew.collector.collect()
        assert crew.total == 50

    run(path, work)


def test_a_manager_that_dies_loses_nothing_and_counts_nothing_twice(path: Path) -> None:
    async def work(crew: Crew) -> None:
        for n in range(1, 6):
            crew.workers[0].counts.add("6", "", "pass", 10)
            await crew.collector.collect()
            await crew.manager_dies()  # it has written, and has not acknowledged
            crew.workers[0].counts.add("6", "", "pass", 1)
            await crew.collector.collect()
            await crew.collector.collect()
            assert crew.total == 11 * n

    run(path, work)


def test_what_was_written_by_the_file_alone_is_known_to_the_next(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].counts.add("6", "", "pass", 10)
        await crew.collector._write([crew.workers[0].counts.take()])  # and died before it said so
        await crew.manager_dies()
        await crew.collector.collect()
        assert crew.total == 10

    run(path, work)


def test_a_worker_that_dies_takes_only_what_was_not_handed_over(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].counts.add("6", "", "pass", 10)
        await crew.collector.collect()
        crew.workers[0].counts.add("6", "", "pass", 1)
        await crew.worker_dies()
        crew.workers[0].counts.add("6", "", "pass", 100)
        await crew.collector.collect()
        assert crew.total == 110

    run(path, work)


def test_one_silent_worker_delays_no_other_counts(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WORKER_WITHIN_S", 0.05)

    async def work(crew: Crew) -> None:
        await crew.workers[0].channel.close()
        crew.workers[1].counts.add("6", "", "pass", 10)
        await crew.collector.collect()
        assert crew.total == 10

    run(path, work)


def test_at_the_end_everything_is_written(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].counts.add("6", "", "pass", 10)
        await crew.collector.collect()  # written, and never acknowledged
        for worker in crew.workers:
            worker.counts.add("6", "", "pass", 1)
            await worker.end()
        await crew.collector.write_last(within_s=WITHIN_S)
        assert crew.total == 12

    run(path, work)


def test_the_last_words_of_a_worker_wait_for_a_manager_that_is_late(path: Path) -> None:
    async def work(crew: Crew) -> None:
        await crew.leave()
        for worker in crew.workers:
            worker.counts.add("6", "", "pass", 5)
            await worker.end()
            await worker.channel.close()
        crew.collector = crew._begin()
        await crew.collector.write_last(within_s=WITHIN_S)
        assert crew.total == 10

    run(path, work)


def test_a_worker_without_a_last_message_is_waited_for_briefly(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].counts.add("6", "", "pass", 5)
        await crew.workers[0].end()
        await crew.collector.write_last(within_s=0.1)
        assert crew.total == 5

    run(path, work)


def test_a_worker_that_is_replaced_in_order_is_written_with_the_next_round(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].counts.add("6", "", "pass", 5)
        await crew.workers[0].end()
        while not crew.collector._ended:
            await asyncio.sleep(0)
        await crew.worker_dies()
        await crew.collector.collect()
        assert crew.total == 5
        assert crew.collector._ended == 0

    run(path, work)


def test_while_the_disk_refuses_workers_keep_what_they_count(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(crew: Crew) -> None:
        path.symlink_to(path)  # where a file should be
        for _ in range(3):
            crew.workers[0].counts.add("6", "", "pass", 5)
            await crew.collector.collect()
        assert "cannot be written" in crew.collector.problem
        assert crew.collector.written_at is None
        with pytest.raises(StoreError, match="cannot be read"):
            await crew.collector.totals(TotalsRequest(1, is_live=True), time_zone="UTC")
        path.unlink()
        await crew.collector.collect()
        await crew.collector.collect()
        assert crew.total == 15
        assert (crew.collector.problem, crew.collector.written_at is None) == ("", False)

    run(path, work)
    assert caplog.text.count("trying again every minute") == 1
    assert "written again" in caplog.text


def test_another_process_that_holds_the_file_for_long_stops_no_worker(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_S", 0.02)

    async def work(crew: Crew) -> None:
        crew.workers[0].counts.add("6", "", "pass", 5)
        await crew.collector.collect()
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            for _ in range(5):
                crew.workers[0].counts.add("6", "", "pass", 5)
                await crew.collector.collect()
            assert "locked" in crew.collector.problem
            (found,) = await crew.collector.totals(TotalsRequest(1, is_live=True), time_zone="UTC")
            assert found.n == 5  # who reads does not wait either
            other.execute("ROLLBACK")
        await crew.collector.collect()
        await crew.collector.collect()
        assert crew.total == 30

    run(path, work)


class Rounds(MinuteRounds):
    begun, finished, is_closed = 0, 0, False

    async def keep_house(self) -> None:
        await super().keep_house()
        raise ValueError("a bug")

    async def _collect(self) -> None:
        self.begun += 1
        await asyncio.sleep(0)
        self.finished += 1

    async def _close(self) -> None:
        self.is_closed = self.finished == self.begun


def test_every_minute_is_a_round_also_after_an_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "ROUND_S", 0.0)

    async def work() -> None:
        rounds = Rounds()
        rounds.start()
        while rounds.finished < 3:
            await asyncio.sleep(0)
        await rounds.stop()
        assert rounds.is_closed

    asyncio.run(asyncio.wait_for(work(), 20.0))
    assert "the log could not be written" in caplog.text


@pytest.mark.parametrize("is_at_once", [False, True])
def test_a_round_at_the_start_is_only_for_those_that_want_it(*, is_at_once: bool) -> None:
    """Else what is asked for then would share a round that the workers have not answered."""

    async def work() -> None:
        rounds = Rounds(is_at_once=is_at_once)
        rounds.start()
        for _ in range(5):
            await asyncio.sleep(0)
        assert bool(rounds.begun) is is_at_once
        await rounds.stop()

    asyncio.run(work())


def test_rounds_that_are_asked_for_at_once_are_one() -> None:
    async def work() -> None:
        rounds = Rounds()
        await asyncio.gather(*(rounds.collect() for _ in range(20)))
        assert rounds.begun == 1
        await rounds.collect()
        assert rounds.begun == 2

    asyncio.run(work())


TODAY = date(2026, 11, 28)


def day(ago: int) -> str:
    return (TODAY - timedelta(ago)).isoformat()


class Gateway:
    def __init__(self, folder: Path) -> None:
        self.days, self.totals = folder / "log", folder / "totals"
        self.today: str | None = TODAY.isoformat()
        self._number = 0

    def lookups(self, ago: int, *asked: str) -> None:
        """Write blocked lookups of a day; the file is closed then."""
        self._number += 1
        begin = begin_of(TODAY - timedelta(ago))
        batch = a_batch(self._number, *(a_lookup(begin + n, one) for n, one in enumerate(asked)))
        with_files(self.days, lambda files: files.write([batch]))

    def rounds(self, n: int = 1, *, catches_up: bool = False) -> None:
        """Do so many rounds of a manager that has just begun, or as many as are due."""

        async def whole() -> None:
            log = LogKeeper(self.totals, FakeClock(), [], lambda: 400)
            keeper = DistinctKeeper(self.days, log, lambda: self.today, frozenset)
            for _ in range(n):
                await (keeper.catch_up() if catches_up else keeper.collect())
            await keeper.stop()
            await log.stop()

        asyncio.run(whole())

    @property
    def counted(self) -> dict[str, int]:
        """The sum by day; of a day that was counted."""
        if not self.totals.exists():
            return {}
        with contextlib.closing(sqlite3.connect(self.totals)) as connection:
            return dict(
                connection.execute("SELECT day, SUM(n) FROM distinct_names GROUP BY day").fetchall()
            )


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path)


def test_days_that_are_over_are_counted_one_in_a_round_the_latest_first(gateway: Gateway) -> None:
    for ago in (0, 1, 2):
        gateway.lookups(ago, "a.vn", "b.vn")
    gateway.rounds()
    assert gateway.counted == {day(1): 2}
    gateway.rounds(3)
    assert gateway.counted == {day(1): 2, day(2): 2}


def test_before_a_report_all_days_that_are_due_are_counted(gateway: Gateway) -> None:
    for ago in range(5):
        gateway.lookups(ago, "a.vn")
    gateway.rounds(catches_up=True)
    assert gateway.counted == {day(ago): 1 for ago in range(1, 5)}


def test_a_day_is_counted_again_where_lookups_come_late(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.lookups(1, "a.vn")
    done: list[int] = []

    async def keep(_: LogKeeper, __: str, rows: Sequence[DistinctCount]) -> None:
        done.append(sum(row.n for row in rows))
        if len(done) == 1:
            await asyncio.to_thread(gateway.lookups, 1, "b.vn", "c.vn")

    monkeypatch.setattr(LogKeeper, "keep_distinct", keep)
    gateway.rounds(4)
    assert done == [1, 3]


def test_what_a_manager_before_has_counted_is_not_counted_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.lookups(1, "a.vn")
    gateway.rounds()
    monkeypatch.setattr(LogKeeper, "keep_distinct", None)
    gateway.rounds(2)
    assert gateway.counted == {day(1): 1}


def test_numbers_stay_when_names_and_days_are_forgotten(gateway: Gateway) -> None:
    gateway.lookups(1, "a.vn")
    gateway.rounds()
    with_files(gateway.days, lambda files: files.forget_days())
    gateway.rounds(2)
    assert gateway.counted == {day(1): 1}
    content = b"".join(one.read_bytes() for one in gateway.totals.parent.glob("totals*"))
    assert names.from_text("a.vn") not in content
    assert b"a.vn" not in content
    assert b"vn.a" not in content


def test_while_the_time_is_not_known_no_day_is_over(gateway: Gateway) -> None:
    gateway.lookups(1, "a.vn")
    gateway.today = None
    gateway.rounds(2)
    assert gateway.counted == {}


def test_a_damaged_day_costs_only_its_own_number(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.lookups(2, "a.vn")
    (gateway.days / f"{day(1)}.sqlite3").write_bytes(b"no database" * 100)
    gateway.rounds(4)
    assert gateway.counted == {day(2): 1}
    assert caplog.text.count("are not counted") == 1


def test_while_the_totals_cannot_be_written_it_is_tried_again(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.lookups(1, "a.vn")
    gateway.totals.symlink_to(gateway.totals)
    gateway.rounds(3)
    assert caplog.text.count("trying again") == 1
    gateway.totals.unlink()
    gateway.rounds()
    assert gateway.counted == {day(1): 1}
