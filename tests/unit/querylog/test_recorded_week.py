# SPDX-License-Identifier: Apache-2.0
"""The days of a week, opened one after the other; what is made of them is tested in resolve."""

from __future__ import annotations

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
