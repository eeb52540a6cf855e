# SPDX-License-Identifier: Apache-2.0
"""Searches of day files: what fits, in which order, how far, and what no view has."""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import StoreError
from filterd.querylog.day_reader import LogFilter, RowId
from filterd.querylog.day_search import DaySearch, RecordedWeek, stored_days
from filterd.wire import name as names
from tests.support.clock import FakeClock
from tests.support.day_lookups import GAMES, NEWS, PASSED, Known, Looked, begin_of, write_day

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.querylog.day_reader import Day


TODAY, BEFORE = "2026-11-28", "2026-11-27"
TIKTOK = names.from_text("tiktok.com")


def _search(folder: Path, **more: Any) -> DaySearch:
    return DaySearch(folder, stored_days(folder), clock=FakeClock(), **more)


def _found(folder: Path, wanted: LogFilter, limit: int = 100, **more: Any) -> list[str]:
    return [row["name"] for row in _search(folder, **more).search(wanted, limit).rows]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        Looked(10, "www.tiktok.com"),
        Looked(3_600, "tiktok.com"),
        Looked(3_600, "notiktok.com", PASSED),
        Looked(80_000, "tiktok.com.example", PASSED, n=3),
    ]
    seen = [Known("lower-secondary", "a.tiktok.com", "blocked", "games", 2)]
    write_day(tmp_path, TODAY, rows, seen)
    write_day(tmp_path, BEFORE, [Looked(5, "tiktok.com", PASSED)])
    return tmp_path


def test_a_name_alone_is_found_without_those_beneath_it(folder: Path) -> None:
    assert _found(folder, LogFilter(TIKTOK)) == ["tiktok.com"] * 2


def test_distinct_names_are_counted_off_from_any_number(folder: Path) -> None:
    assert [row["name"] for row in _search(folder).names(0, 9)] == ["a.tiktok.com"]
    assert _search(folder).names(1, 9) == []
    assert _search(folder, is_confidential=lambda _: True).names(0, 9) == []


def test_a_subtree_ends_where_its_labels_end(folder: Path) -> None:
    found = _found(folder, LogFilter(TIKTOK, is_subtree=True))
    assert found == ["tiktok.com", "www.tiktok.com", "tiktok.com"]


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("ww.tik", ["www.tiktok.com"]),
        ("com.ex", ["tiktok.com.example"]),
        ("notik", ["notiktok.com"]),
        ("com.tiktok", []),
        ("%", []),
    ],
)
def test_a_part_is_one_of_the_name_as_it_is_written(
    folder: Path, part: str, found: list[str]
) -> None:
    assert _found(folder, LogFilter(part=part)) == found


@pytest.mark.parametrize(
    ("wanted", "n"),
    [
        (LogFilter(), 5),
        (LogFilter(class_id="6A"), 2),
        (LogFilter(grade="10"), 3),
        (LogFilter(tier="lower-secondary"), 2),
        (LogFilter(action="pass"), 3),
        (LogFilter(category="games"), 2),
        (LogFilter(category=""), 3),
        (LogFilter(class_id="6A", action="pass"), 0),
    ],
)
def test_rows_are_chosen_by_class_tier_action_and_category(
    folder: Path, wanted: LogFilter, n: int
) -> None:
    assert len(_found(folder, wanted)) == n


def test_a_row_has_its_context_and_never_an_address(folder: Path) -> None:
    (row,) = _search(folder).search(LogFilter(part="www"), 10).rows
    assert row == {
        "id": "2026-11-28T00:00:10.0",
        "at": begin_of(date(2026, 11, 28)) + 10,
        "name": "www.tiktok.com",
        "grade": "6",
        "class": "6A",
        "network": "lab-a",
        "category": "games",
        "action": "blocked",
        "blocker": "starter-games",
        "device": 77,
        "n": 1,
    }
    assert _search(folder).row(RowId.read(row["id"])) == row
    assert _search(folder).row(RowId.read("2026-11-28T00:00:10.1")) is None


def test_distinct_names_of_a_tier_are_found_beside_rows(folder: Path) -> None:
    subtree = LogFilter(TIKTOK, is_subtree=True)
    (one,) = _search(folder).search(subtree, 10).seen
    assert (one["day"], one["name"], one["tier"]) == (TODAY, "a.tiktok.com", "lower-secondary")
    assert one["devices"] == 2
    of_a_class = LogFilter(TIKTOK, is_subtree=True, class_id="6A")
    assert _search(folder).search(of_a_class, 10).seen == []


def test_pages_have_each_row_once_while_rows_arrive(folder: Path) -> None:
    cursor, found, pages = None, list[str](), 0
    while pages < 9:
        page = _search(folder).search(LogFilter(), 2, cursor)
        found += [row["id"] for row in page.rows]
        pages += 1
        with closing(sqlite3.connect(folder / f"{TODAY}.sqlite3")) as file:
            file.execute("INSERT INTO lookups VALUES (?, 1, 1, 77, 1)", (90_000 + pages << 20,))
            file.commit()
        if not page.cursor:
            break
        cursor = RowId.read(page.cursor)
    assert pages == 3
    assert len(found) == len(set(found)) == 5
    assert found == sorted(found, reverse=True)


def test_a_search_that_lasts_too_long_stops_and_goes_on_later(folder: Path) -> None:
    class Slow(FakeClock):
        def monotonic(self) -> float:
            self.advance(1.0)
            return super().monotonic()

    days, cursor, found, pages = stored_days(folder), None, list[str](), 0
    while pages < 60:
        search = DaySearch(folder, days, clock=Slow(), within_s=4.5)
        page = search.search(LogFilter(TIKTOK), 100, cursor)
        found += [row["id"] for row in page.rows]
        pages += 1
        if not page.cursor:
            break
        assert page.is_late
        cursor = RowId.read(page.cursor)
    assert 5 < pages < 60
    assert found == ["2026-11-28T01:00:00.0", "2026-11-27T00:00:05.0"]


def test_a_statement_that_never_ends_is_given_up(tmp_path: Path) -> None:
    write_day(tmp_path, TODAY, [Looked(second, "a.example") for second in range(3_000)])
    clock = FakeClock()
    search = DaySearch(tmp_path, [TODAY], clock=clock)
    clock.advance(60)
    with pytest.raises(StoreError, match="2026-11-28: reading the log takes too long"):
        search.top(LogFilter(), 10)


def test_a_request_that_is_ended_from_outside_stops(tmp_path: Path) -> None:
    write_day(tmp_path, TODAY, [Looked(second, "a.example") for second in range(3_000)])
    search = _search(tmp_path)
    search.end()
    with pytest.raises(StoreError, match="takes too long"):
        search.top(LogFilter(), 10)


def test_what_was_asked_most_is_added_up_over_days(folder: Path) -> None:
    top = _search(folder).top(LogFilter(), 2)
    assert top == [
        {"name": "tiktok.com.example", "n": 3, "blocked": 0, "category": ""},
        {"name": "tiktok.com", "n": 2, "blocked": 1, "category": "games"},
    ]
    blocked = _search(folder).top(LogFilter(action="blocked"), 5)
    assert [(one["name"], one["n"]) for one in blocked] == [
        ("www.tiktok.com", 1),
        ("tiktok.com", 1),
    ]


def test_new_names_are_those_that_the_tier_has_not_had(tmp_path: Path) -> None:
    new, other = Known("primary", "new.example"), Known("primary", "known.example")
    of_rows = Known("primary", "row.example")
    blocked = Known("primary", "blocked.example", "blocked")
    write_day(tmp_path, TODAY, (), [new, other, blocked, of_rows, Known("staff", "known.example")])
    at_5 = PASSED._replace(grade="5")
    write_day(tmp_path, BEFORE, [Looked(1, "row.example", at_5)], [other])
    rows, n = _search(tmp_path).new(10)
    found = [(row["tier"], row["name"], row["devices"]) for row in rows]
    assert found == [("primary", "new.example", 5), ("staff", "known.example", 5)]
    assert n == 2
    assert len(_search(tmp_path).new(1)[0]) == 1


def test_new_domains_are_those_of_which_the_school_had_no_name(tmp_path: Path) -> None:
    today = [
        Known("primary", "www.new.com.vn"),
        Known("primary", "cdn.new.com.vn"),
        Known("staff", "new.com.vn"),
        Known("primary", "fresh.known.example"),
        Known("primary", "other-known.example"),
    ]
    write_day(tmp_path, TODAY, (), today)
    write_day(tmp_path, BEFORE, (), [Known("staff", "old.known.example", "blocked")])
    rows, n = _search(tmp_path).new(10, domains=True)
    assert [(row["tier"], row["name"], row["devices"]) for row in rows] == [
        ("primary", "other-known.example", 5),
        ("primary", "new.com.vn", 5),
        ("staff", "new.com.vn", 5),
    ]
    assert n == 3


def test_a_domain_of_confidential_names_only_is_not_new(tmp_path: Path) -> None:
    write_day(tmp_path, TODAY, (), [Known("primary", "www.tiktok.com")])
    hidden: dict[str, Any] = {"is_confidential": lambda name: names.is_at_or_beneath(name, TIKTOK)}
    assert _search(tmp_path, **hidden).new(10, domains=True) == ([], 0)


def test_confidential_names_are_in_no_answer(folder: Path) -> None:
    def hides(name: bytes) -> bool:
        return names.is_at_or_beneath(name, TIKTOK)

    hidden: dict[str, Any] = {"is_confidential": hides}
    assert _found(folder, LogFilter(), **hidden) == ["tiktok.com.example", "notiktok.com"]
    assert _search(folder, **hidden).search(LogFilter(), 9).seen == []
    assert "tiktok.com" not in [
        one["name"] for one in _search(folder, **hidden).top(LogFilter(), 9)
    ]
    assert _search(folder, **hidden).row(RowId.read("2026-11-28T00:00:10.0")) is None
    assert _search(folder, **hidden).new(9) == ([], 0)


def test_a_category_that_became_confidential_is_in_no_answer(folder: Path) -> None:
    hidden: dict[str, Any] = {"confidential": {"games"}}
    assert "www.tiktok.com" not in _found(folder, LogFilter(), **hidden)
    assert _search(folder, **hidden).search(LogFilter(), 9).seen == []
    assert sum(one["n"] for one in _search(folder, **hidden).top(LogFilter(), 9)) == 5


@pytest.mark.parametrize("kind", ["damaged", "newer", "pipe", "empty", "no tables"])
def test_a_day_that_cannot_be_read_is_skipped_and_reported(folder: Path, kind: str) -> None:
    path = folder / f"{TODAY}.sqlite3"
    match kind:
        case "damaged":
            path.write_bytes(b"SQLite format 3\0" + b"x" * 5_000)
        case "newer":
            with closing(sqlite3.connect(path)) as file:
                file.execute("PRAGMA user_version = 99")
        case "pipe":
            path.unlink()
            os.mkfifo(path)
        case "empty":
            path.write_bytes(b"")
        case _:
            path.unlink()
            with closing(sqlite3.connect(path)) as file:
                file.execute("PRAGMA user_version = 1")
    search = _search(folder)
    assert [row["id"] for row in search.search(LogFilter(), 9).rows] == ["2026-11-27T00:00:05.0"]
    assert list(search.skipped) == ([] if kind == "empty" else [TODAY])


def test_rows_that_a_writer_has_not_checkpointed_are_read(folder: Path) -> None:
    with closing(sqlite3.connect(folder / f"{TODAY}.sqlite3")) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("INSERT INTO lookups VALUES (?, 1, 1, 77, 1)", (80_001 << 20,))
        writer.commit()
        before = (folder / f"{TODAY}.sqlite3").read_bytes()
        assert len(_found(folder, LogFilter())) == 6
        assert (folder / f"{TODAY}.sqlite3").read_bytes() == before


def test_five_thousand_hostile_names_stay_distinct_and_visible(tmp_path: Path) -> None:
    dice = random.Random(1)
    pieces = [
        b"\n",
        b"\x1b[2J",
        b"<script>",
        b"=1+1",
        "\u202e".encode(),
        b"\0",
        b"\xff",
        b".",
        b"\\",
    ]
    hostile = {
        names.from_labels((b"".join(dice.choices(pieces, k=6)), bytes([97 + n % 26]) * 60))
        for n in range(9_000)
    }
    hostile = set(sorted(hostile)[:5_000])
    write_day(tmp_path, TODAY, [Looked(n, names.to_text(name)) for n, name in enumerate(hostile)])
    cursor, found = None, list[str]()
    while True:
        page = _search(tmp_path).search(LogFilter(), 500, cursor)
        found += [row["name"] for row in page.rows]
        if not page.cursor:
            break
        cursor = RowId.read(page.cursor)
    assert {names.from_text(text) for text in found} == hostile
    assert len(found) == 5_000
    assert all(text.isascii() and text.isprintable() and " " not in text for text in found)
    assert _found(tmp_path, LogFilter(names.from_text(found[7]))) == [found[7]]
    assert _found(tmp_path, LogFilter(part=found[7])) == [found[7]]


def test_a_folder_that_is_not_there_has_no_days(tmp_path: Path) -> None:
    assert stored_days(tmp_path / "log") == []
    assert DaySearch(tmp_path, [TODAY], clock=FakeClock()).search(LogFilter(), 9).rows == []


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
