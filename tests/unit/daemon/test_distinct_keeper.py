# SPDX-License-Identifier: Apache-2.0
"""Days that are over are counted once, and again where lookups come late."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from filterd.daemon.distinct_keeper import DistinctKeeper
from filterd.daemon.log_collector import LogKeeper
from filterd.wire import name as names
from tests.support.clock import FakeClock
from tests.support.day_lookups import a_batch, a_lookup, begin_of, with_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from filterd.querylog.period_totals import DistinctCount

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
        done.append(sum(one.n for one in rows))
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
