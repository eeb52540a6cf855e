# SPDX-License-Identifier: Apache-2.0
"""The days of a week, opened one after the other; what is made of them is tested in resolve."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from filterd.querylog.recorded_week import RecordedWeek
from tests.support.clock import FakeClock
from tests.support.day_lookups import GAMES, NEWS, Known, Looked, write_day

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.querylog.day_reader import Day

FIRST, SECOND = "2026-11-26", "2026-11-27"


def test_days_come_in_their_order_with_what_they_have(tmp_path: Path) -> None:
    rows = [Looked(5, "a.example", NEWS), Looked(6, "a.example", NEWS, 2), Looked(9, "b.example")]
    write_day(tmp_path, FIRST, rows, [Known("primary", "b.example", "blocked", "games")])
    write_day(tmp_path, SECOND, [Looked(7, "c.example")])
    found = []

    def use(day: Day) -> None:
        texts = day.texts()
        groups = {(texts[name], day.contexts[of], n) for name, of, n in day.groups(0, 1 << 60)}
        seen = [(tier, texts[name], *rest) for tier, name, *rest in day.seen_ids()]
        found.append((day.day, groups, seen))

    week = RecordedWeek(tmp_path, (SECOND, FIRST, "2026-11-25"), clock=FakeClock())
    week.each(use)
    assert found == [
        (SECOND, {("example.c", GAMES, 1)}, []),
        (
            FIRST,
            {("example.a", NEWS, 3), ("example.b", GAMES, 1)},
            [("primary", "example.b", "games", "blocked")],
        ),
    ]
    assert week.read == [SECOND, FIRST]
    assert not week.skipped, "a day without a file is none"


def test_only_rows_of_a_time_are_in_its_groups(tmp_path: Path) -> None:
    write_day(tmp_path, FIRST, [Looked(5, "a.example"), Looked(6, "a.example", n=4)])
    found = list[int]()
    week = RecordedWeek(tmp_path, (FIRST,), clock=FakeClock())
    week.each(lambda day: found.extend(n for *_, n in day.groups(6 << 20, 7 << 20)))
    assert found == [4]


def test_a_day_with_what_no_day_has_is_left_out_and_the_others_are_read(tmp_path: Path) -> None:
    for day in (FIRST, SECOND):
        write_day(tmp_path, day, [Looked(5, "a.example")])
    with closing(sqlite3.connect(tmp_path / f"{SECOND}.sqlite3")) as file:
        file.execute("DELETE FROM names")
        file.commit()
    week = RecordedWeek(tmp_path, (SECOND, FIRST), clock=FakeClock())

    def use(day: Day) -> None:
        for name, *_ in day.groups(0, 1 << 60):
            assert day.texts()[name]

    week.each(use)
    assert (week.read, [*week.skipped]) == ([FIRST], [SECOND])


def test_a_day_that_takes_too_long_is_left_out_and_no_other_is_begun(tmp_path: Path) -> None:
    for day in (FIRST, SECOND):
        write_day(tmp_path, day, [Looked(n % 86_400, "a.example") for n in range(3_000)])
    clock = FakeClock()
    week = RecordedWeek(tmp_path, (SECOND, FIRST), clock=clock, within_s=10.0)

    def slowly(day: Day) -> None:
        clock.advance(21.0)
        for _ in day.groups(0, 1 << 60):
            pass

    week.each(slowly)
    assert week.read == []
    assert set(map(str, week.skipped.values())) == {"there was no time left for it"}
