# SPDX-License-Identifier: Apache-2.0
"""Counts of workers reach the disk once, and no answer waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from filterd.daemon import log_collector as module
from filterd.daemon.log_collector import LogKeeper
from filterd.daemon.worker_channel import Channel, channel_pair
from filterd.errors import StoreError
from filterd.querylog import Counts, sqlite_file
from filterd.querylog import counts as counting
from filterd.querylog.totals_request import TotalsRequest
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import Any

WITHIN_S = 20.0


class Counting:
    """A worker that does nothing but count, behind its channel."""

    def __init__(self, end: socket.socket, clock: FakeClock) -> None:
        self.counts = Counts(clock)
        self.channel = Channel(end, {"counts": self.take})

    async def take(self, *, worker: str, acknowledged: int) -> dict[str, Any]:
        return self.counts.take(worker, acknowledged).to_plain()

    def end(self) -> None:
        for batch in self.counts.take_all():
            self.channel.tell("last_counts", batch=batch.to_plain())
        self.channel.tell("last_counts", batch=None)


class Crew:
    """A keeper and two workers, each of which can be replaced."""

    def __init__(self, path: Path) -> None:
        self.path, self.clock = path, FakeClock()
        self._pairs = [channel_pair(), channel_pair()]
        self.workers = [Counting(far, self.clock) for _, far in self._pairs]
        self.keeper = self._keeper()

    def _keeper(self) -> LogKeeper:
        channels: list[Channel] = []
        keeper = LogKeeper(self.path, self.clock, channels, lambda: 400)
        handlers = {"last_counts": keeper.take_last}
        channels.extend(Channel(near, handlers) for near, _ in self._pairs)
        return keeper

    async def manager_dies(self) -> None:
        """Begin a new one that knows nothing of what its predecessor was told."""
        await self._leave()
        self.keeper = self._keeper()

    async def worker_dies(self) -> None:
        await self.workers[0].channel.close()
        self.workers[0] = Counting(self._pairs[0][1], self.clock)

    async def _leave(self) -> None:
        await self.keeper.stop()
        for channel in self.keeper._workers:
            await channel.close()

    async def close(self) -> None:
        await self._leave()
        for worker in self.workers:
            await worker.channel.close()
        for pair in self._pairs:
            for end in pair:
                end.close()

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
    async def whole() -> None:
        crew = Crew(path)
        try:
            await asyncio.wait_for(work(crew), WITHIN_S)
        finally:
            await crew.close()

    asyncio.run(whole())


def test_what_all_workers_count_is_added_up(path: Path) -> None:
    async def work(crew: Crew) -> None:
        for expected in (7, 14):
            for worker, n in zip(crew.workers, (3, 4), strict=True):
                worker.counts.add("6", "games", "blocked", n)
            await crew.keeper.collect()
            assert crew.total == expected
        (found,) = await crew.keeper.totals(TotalsRequest(1), time_zone="UTC")
        assert (found.grade, found.category, found.action, found.n) == ("6", "games", "blocked", 14)

    run(path, work)


def test_devices_of_a_day_are_the_most_that_one_worker_has_seen(path: Path) -> None:
    async def work(crew: Crew) -> None:
        for worker, devices in zip(crew.workers, ((3, 5, 7), (3, 9)), strict=True):
            worker.counts.add("6", "games", "blocked", devices=devices)
        day = datetime.fromtimestamp(crew.clock.wall(), UTC).date().isoformat()
        totals, reach = await crew.keeper.cells(TotalsRequest(), [day], "UTC", crew.clock.wall())
        assert [one.n for one in totals] == [2]
        assert {(one.scope, one.id): one.devices for one in reach} == {
            ("tier", "lower-secondary"): 3,
            ("grade", "6"): 3,
        }

    run(path, work)


def test_totals_that_may_be_old_are_read_and_nothing_is_written_for_them(path: Path) -> None:
    async def work(crew: Crew) -> None:
        async def n(old_s: float) -> int:
            (found,) = await crew.keeper.totals(TotalsRequest(1, old_s=old_s), time_zone="UTC")
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
        await crew.keeper.collect()
        assert await crew.keeper.totals(TotalsRequest(1), time_zone="UTC") == []

    run(path, work)
    assert not path.exists()


def test_every_minute_is_a_round(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROUND_S", 0.001)

    async def work(crew: Crew) -> None:
        crew.keeper.start()
        crew.workers[1].counts.add("6", "", "pass", 5)
        while crew.keeper._written.get(crew.keeper._workers[1]) is None:
            await asyncio.sleep(0)
        await crew.keeper.stop()
        assert crew.total == 5

    run(path, work)


def test_many_rows_are_written_in_one_round(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "ROWS_A_BATCH", 7)

    async def work(crew: Crew) -> None:
        for number in range(50):
            crew.workers[0].counts.add(str(number), "", "pass")
        await crew.keeper.collect()
        assert crew.total == 50

    run(path, work)


def test_a_manager_that_dies_loses_nothing_and_counts_nothing_twice(path: Path) -> None:
    async def work(crew: Crew) -> None:
        for n in range(1, 6):
            crew.workers[0].counts.add("6", "", "pass", 10)
            await crew.keeper.collect()
            await crew.manager_dies()  # it has written, and has not acknowledged
            crew.workers[0].counts.add("6", "", "pass", 1)
            await crew.keeper.collect()
            await crew.keeper.collect()
            assert crew.total == 11 * n

    run(path, work)


def test_what_was_written_by_the_file_alone_is_known_to_the_next(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].counts.add("6", "", "pass", 10)
        await crew.keeper._write([crew.workers[0].counts.take()])  # and died before it said so
        await crew.manager_dies()
        await crew.keeper.collect()
        assert crew.total == 10

    run(path, work)


def test_a_worker_that_dies_takes_only_what_was_not_handed_over(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].counts.add("6", "", "pass", 10)
        await crew.keeper.collect()
        crew.workers[0].counts.add("6", "", "pass", 1)
        await crew.worker_dies()
        crew.workers[0].counts.add("6", "", "pass", 100)
        await crew.keeper.collect()
        assert crew.total == 110

    run(path, work)


def test_one_silent_worker_keeps_nobody_elses_counts(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WORKER_WITHIN_S", 0.05)

    async def work(crew: Crew) -> None:
        await crew.workers[0].channel.close()
        crew.workers[1].counts.add("6", "", "pass", 10)
        await crew.keeper.collect()
        assert crew.total == 10

    run(path, work)


def test_at_the_end_everything_is_written(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].counts.add("6", "", "pass", 10)
        await crew.keeper.collect()  # written, and never acknowledged
        for worker in crew.workers:
            worker.counts.add("6", "", "pass", 1)
            worker.end()
        await crew.keeper.write_last(within_s=WITHIN_S)
        assert crew.total == 12

    run(path, work)


def test_the_last_words_of_a_worker_wait_for_a_manager_that_is_late(path: Path) -> None:
    async def work(crew: Crew) -> None:
        await crew.keeper.stop()
        for channel in crew.keeper._workers:
            await channel.close()
        for worker in crew.workers:
            worker.counts.add("6", "", "pass", 5)
            worker.end()
            await worker.channel.close()
        crew.keeper = crew._keeper()
        await crew.keeper.write_last(within_s=WITHIN_S)
        assert crew.total == 10

    run(path, work)


def test_who_says_no_last_word_is_waited_for_in_vain_and_not_long(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].counts.add("6", "", "pass", 5)
        crew.workers[0].end()
        await crew.keeper.write_last(within_s=0.1)
        assert crew.total == 5

    run(path, work)


def test_a_worker_that_is_replaced_in_order_is_written_with_the_next_round(path: Path) -> None:
    async def work(crew: Crew) -> None:
        crew.workers[0].counts.add("6", "", "pass", 5)
        crew.workers[0].end()
        while not crew.keeper._ended:
            await asyncio.sleep(0)
        await crew.worker_dies()
        await crew.keeper.collect()
        assert crew.total == 5
        assert crew.keeper._ended == 0

    run(path, work)


def test_while_the_disk_refuses_workers_keep_what_they_count(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(crew: Crew) -> None:
        path.symlink_to(path)  # where a file should be
        for _ in range(3):
            crew.workers[0].counts.add("6", "", "pass", 5)
            await crew.keeper.collect()
        assert "cannot be written" in crew.keeper.problem
        assert crew.keeper.written_at is None
        with pytest.raises(StoreError, match="cannot be read"):
            await crew.keeper.totals(TotalsRequest(1), time_zone="UTC")
        path.unlink()
        await crew.keeper.collect()
        await crew.keeper.collect()
        assert crew.total == 15
        assert (crew.keeper.problem, crew.keeper.written_at is None) == ("", False)

    run(path, work)
    assert caplog.text.count("trying again every minute") == 1
    assert "written again" in caplog.text


def test_another_process_that_holds_the_file_for_long_stops_nobody(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_S", 0.02)

    async def work(crew: Crew) -> None:
        crew.workers[0].counts.add("6", "", "pass", 5)
        await crew.keeper.collect()
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            for _ in range(5):
                crew.workers[0].counts.add("6", "", "pass", 5)
                await crew.keeper.collect()
            assert "locked" in crew.keeper.problem
            (found,) = await crew.keeper.totals(TotalsRequest(1), time_zone="UTC")
            assert found.n == 5  # who reads does not wait either
            other.execute("ROLLBACK")
        await crew.keeper.collect()
        await crew.keeper.collect()
        assert crew.total == 30

    run(path, work)


def test_rounds_that_are_asked_for_at_once_are_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[bool] = []

    async def work(crew: Crew) -> None:
        collect = crew.keeper._collect

        async def counted() -> None:
            rounds.append(True)
            await collect()

        monkeypatch.setattr(crew.keeper, "_collect", counted)
        await asyncio.gather(*(crew.keeper.collect() for _ in range(20)))

    run(path, work)
    assert len(rounds) == 1
