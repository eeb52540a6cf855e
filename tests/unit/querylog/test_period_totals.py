# SPDX-License-Identifier: Apache-2.0
"""Sums of a period equal a naive count over the same events."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.base.errors import StoreError
from filterd.querylog import Batch, CountRow
from filterd.querylog.day_reader import UnreadableError
from filterd.querylog.day_schema import DaySpan
from filterd.querylog.lookups import LookupContext
from filterd.querylog.period_totals import (
    DistinctCount,
    PeriodFigures,
    PeriodScope,
    answers_in,
    count_distinct,
    read_period,
)
from filterd.querylog.seen_names import SeenName
from filterd.querylog.totals_file import TotalsFile
from filterd.wire import name as names
from tests.support.clock import FakeClock
from tests.support.day_lookups import a_batch, a_lookup, begin_of, with_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from filterd.querylog.day_file import DayFiles
    from filterd.querylog.lookups import Lookup


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
).map(lambda one: PeriodScope(*one))


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
    for total in found.totals:
        summed[total.date, total.grade, total.category, total.action, total.class_id] += total.n
    assert (summed, len(found.totals)) == (naively(rows, scope), len(summed))
    hours = [row.hour for row in rows if row.grade and row.category not in scope.confidential]
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
    assert [total.n for total in found.totals] == [7]
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
def test_a_log_of_another_release_is_reported_and_not_taken_for_an_empty_one(
    tmp_path: Path, version: int
) -> None:
    path = filled(tmp_path / "log", [a_row(DAYS[0].begins)])
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(StoreError, match="another release"):
        read_period(path, DAYS, PeriodScope())


@pytest.mark.parametrize("content", [b"no database" * 100, None])
def test_what_is_no_log_is_reported(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "log"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(StoreError, match="the log cannot be read"):
        read_period(path, DAYS, PeriodScope())


DAY = date(2026, 11, 24)
TEXT, AT = DAY.isoformat(), begin_of(DAY)


def context(class_id: str, category: str = "games", action: str = "blocked") -> LookupContext:
    return LookupContext(class_id[:-1], class_id, "lab", category, action)


def seen(name: str, tier: str = "lower-secondary", category: str = "games") -> SeenName:
    return SeenName(tier, names.from_text(name), category, "blocked", 1)


def found(
    folder: Path,
    lookups: Sequence[Lookup],
    names_seen: Sequence[SeenName] = (),
    hidden: tuple[str, ...] = (),
) -> list[DistinctCount]:
    async def fill(files: DayFiles) -> None:
        await files.write([a_batch(1, *lookups)])
        await files.add_seen(TEXT, list(names_seen))

    with_files(folder, fill)
    return count_distinct(folder / f"{TEXT}.sqlite3", TEXT, hidden)


def test_a_name_counts_once_for_each_class(tmp_path: Path) -> None:
    rows = [
        a_lookup(AT + n, name, context(class_id))
        for n, (name, class_id) in enumerate(
            [("a.vn", "6A"), ("a.vn", "6A"), ("b.vn", "6A"), ("a.vn", "6B"), ("a.vn", "10A")]
        )
    ]
    rows.append(a_lookup(AT, "c.vn", context("6A", action="pass")))
    assert [one[1:] for one in found(tmp_path, rows, [seen("a.vn"), seen("b.vn")])] == [
        ("lower-secondary", "6", "6A", "games", 2),
        ("lower-secondary", "6", "6B", "games", 1),
        ("upper-secondary", "10", "10A", "games", 1),
    ]


def test_where_rows_do_not_have_all_names_the_number_of_the_tier_counts(tmp_path: Path) -> None:
    rows = [a_lookup(AT, "a.vn", context("6A")), a_lookup(AT, "x.vn", context("6A", "ads"))]
    # The level was raised in the course of the day.
    names_seen = [seen("a.vn"), seen("b.vn"), seen("x.vn", category="ads")]
    assert [one[1:] for one in found(tmp_path, rows, names_seen)] == [
        ("lower-secondary", "", "", "games", 2),
        ("lower-secondary", "6", "6A", "ads", 1),
    ]


def test_control_of_a_confidential_category_there_is_no_number(tmp_path: Path) -> None:
    rows = [a_lookup(AT, "a.vn", context("6A", "self-harm"))]
    names_seen = [seen("a.vn", category="self-harm")]
    assert found(tmp_path / "hidden", rows, names_seen, ("self-harm",)) == []
    assert len(found(tmp_path / "shown", rows, names_seen)) == 1


ROW = st.tuples(
    st.sampled_from(("a.vn", "b.vn", "c.vn")),
    st.sampled_from(("6A", "6B", "7A", "10A")),
    st.sampled_from(("games", "ads")),
    st.sampled_from(("blocked", "pass")),
)


@settings(max_examples=20)
@given(st.lists(ROW, min_size=1, max_size=30))
def test_numbers_are_those_of_a_naive_count(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str, str]]
) -> None:
    lookups = [a_lookup(AT + n, name, context(*of)) for n, (name, *of) in enumerate(rows)]
    expected = defaultdict[Any, set[str]](set)
    for name, class_id, category, action in rows:
        if action == "blocked":
            expected[class_id, category].add(name)
    counts = found(tmp_path_factory.mktemp("log"), lookups)
    assert {(count.class_id, count.category): count.n for count in counts} == {
        key: len(of) for key, of in expected.items()
    }


def test_what_is_no_day_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError):
        count_distinct(tmp_path, TEXT, ())
