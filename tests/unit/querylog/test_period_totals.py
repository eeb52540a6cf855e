# SPDX-License-Identifier: Apache-2.0
"""Sums of a period equal a naive count over the same events."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.errors import StoreError
from filterd.querylog import Batch, CountRow
from filterd.querylog.day_span import DaySpan
from filterd.querylog.period_totals import (
    DistinctCount,
    PeriodFigures,
    PeriodScope,
    read_period,
)
from filterd.querylog.totals_file import TotalsFile
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

ZONE, HOUR_S, FIRST = ZoneInfo("Europe/Berlin"), 3600, date(2026, 10, 20)
DAYS = [DaySpan.of(FIRST + timedelta(n), ZONE) for n in range(20)]
"""Over a change of clocks and the end of a month."""


def filled(path: Path, rows: Iterable[CountRow]) -> Path:
    async def whole() -> None:
        store = TotalsFile(path, FakeClock())
        await store.write([Batch("w", 1, tuple(rows))])
        await store.close()

    asyncio.run(whole())
    return path


def a_row(hour: int, n: int = 1, grade: str = "6", category: str = "games") -> CountRow:
    class_id = f"{grade}A" if grade else ""
    return CountRow(hour, grade, category, "blocked", n, "lab", "", 3, class_id)


ROWS = st.tuples(
    st.integers(-30, 21 * 24).map(lambda n: DAYS[0].begins + n * HOUR_S),
    st.sampled_from(("", "6", "7")),
    st.sampled_from(("", "games", "self-harm")),
    st.sampled_from(("pass", "blocked")),
    st.integers(1, 9),
    st.sampled_from(("", "lab")),
    st.sampled_from(("", "6A", "6B")),
).map(lambda one: CountRow(*one[:6])._replace(class_id=one[6]))
SCOPES = st.tuples(
    st.booleans(),
    st.booleans(),
    st.sampled_from(("", "6")),
    st.sampled_from(("", "6A")),
    st.just(True),
    st.sampled_from((frozenset(), frozenset({"self-harm"}))),
).map(PeriodScope._make)


def naively(rows: Sequence[CountRow], scope: PeriodScope) -> Counter[tuple[str, ...]]:
    found = Counter[tuple[str, ...]]()
    for row in rows:
        for day in DAYS:
            if not day.begins <= row.hour < day.ends:
                continue
            grade, class_id = row.grade, row.class_id
            if scope.grade not in ("", grade) or scope.class_id not in ("", class_id):
                continue
            if row.category in scope.confidential:
                if scope.grade or scope.class_id:
                    continue
                grade = class_id = ""
            class_id = class_id if scope.by_class and grade else ""
            period = day.day if scope.by_day else day.day[:7]
            found[period, grade, row.category, row.action, class_id] += row.n
    return found


@settings(max_examples=30)
@given(st.lists(ROWS, max_size=60), SCOPES)
def test_sums_are_those_of_a_naive_count(
    tmp_path_factory: pytest.TempPathFactory, rows: list[CountRow], scope: PeriodScope
) -> None:
    path = filled(tmp_path_factory.mktemp("log") / "log", rows)
    found = read_period(path, DAYS, scope)
    summed = Counter[tuple[str, ...]]()
    for one in found.totals:
        summed[one.date, one.grade, one.category, one.action, one.class_id] += one.n
    assert (summed, len(found.totals)) == (naively(rows, scope), len(summed))
    hours = [row.hour for row in rows]
    assert found.counted == {
        day.day for day in DAYS if any(day.begins <= hour < day.ends for hour in hours)
    }
    assert found.first_hour == min(hours, default=None)


def test_which_days_have_counts_is_known_without_their_totals(tmp_path: Path) -> None:
    path = filled(tmp_path / "log", [a_row(DAYS[2].begins)])
    found = read_period(path, DAYS, PeriodScope(has_totals=False))
    assert not found.totals
    assert found.counted == {DAYS[2].day}


def test_hours_of_a_wrong_clock_are_in_no_sum_and_are_not_the_first(tmp_path: Path) -> None:
    hour = DAYS[3].begins
    rows = [a_row(0, 5), a_row(hour, 7), a_row(4_000_000_000 // HOUR_S * HOUR_S, 9)]
    found = read_period(filled(tmp_path / "log", rows), DAYS, PeriodScope())
    assert [one.n for one in found.totals] == [7]
    assert found.counted == {DAYS[3].day}
    assert found.first_hour == hour


def test_distinct_names_are_read_without_those_of_confidential_categories(tmp_path: Path) -> None:
    path = filled(tmp_path / "log", [a_row(DAYS[0].begins)])
    rows = [
        (DAYS[0].day, "", "", "", "", 0),
        (DAYS[0].day, "lower-secondary", "6", "6A", "games", 3),
        (DAYS[0].day, "lower-secondary", "6", "6A", "self-harm", 2),
        ("2026-01-01", "lower-secondary", "6", "6A", "games", 9),
    ]
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executemany("INSERT INTO distinct_names VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.commit()
    found = read_period(path, DAYS, PeriodScope(confidential=("self-harm",)))
    assert found.distinct == (DistinctCount(*rows[1]),)
    assert found.distinct_days == {DAYS[0].day}


def test_a_log_that_is_not_there_or_has_just_been_made_holds_nothing(tmp_path: Path) -> None:
    assert read_period(tmp_path / "log", DAYS, PeriodScope()) == PeriodFigures([])
    (tmp_path / "log").touch()
    assert read_period(tmp_path / "log", DAYS, PeriodScope()) == PeriodFigures([])


@pytest.mark.parametrize("version", [2, 99])
def test_a_log_of_another_release_is_told_and_not_taken_for_an_empty_one(
    tmp_path: Path, version: int
) -> None:
    path = filled(tmp_path / "log", [a_row(DAYS[0].begins)])
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(StoreError, match="another release"):
        read_period(path, DAYS, PeriodScope())


@pytest.mark.parametrize("content", [b"no database" * 100, None])
def test_what_is_no_log_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "log"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(StoreError, match="the log cannot be read"):
        read_period(path, DAYS, PeriodScope())
