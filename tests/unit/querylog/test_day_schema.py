# SPDX-License-Identifier: Apache-2.0
""""""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.querylog.day_schema import (
    TABLES,
    VERSION,
    DaySpan,
    by_days,
    name_of,
    plain_text,
    reversed_text,
    subtree,
)
from filterd.wire import name as names
from tests.support.day_lookups import ZONE, a_lookup

HOUR = 3600


def test_lookups_are_divided_by_days_each_day_once() -> None:
    noon = DaySpan.of(date(2026, 11, 27), ZONE).begins + 12 * HOUR
    one, late, back = (a_lookup(noon + hours * HOUR) for hours in (0, 12, 1))
    assert not by_days([], ZONE)
    for looked, expected in (
        ([one, back], {"2026-11-27": [one, back]}),
        ([one, late, back], {"2026-11-27": [one, back], "2026-11-28": [late]}),
    ):
        assert {of.day: rows for of, rows in by_days(looked, ZONE)} == expected


@pytest.mark.parametrize(
    ("zone", "now", "day", "hours"),
    [
        ("Asia/Ho_Chi_Minh", 1_764_570_600, "2025-12-01", 24),
        ("Europe/Berlin", 1_774_746_000, "2026-03-29", 23),
        ("Europe/Berlin", 1_792_890_000, "2026-10-25", 25),
    ],
)
def test_a_day_begins_at_midnight_and_ends_at_the_next(
    zone: str, now: int, day: str, hours: int
) -> None:
    span = DaySpan.at(now, ZoneInfo(zone))
    assert (span.day, span.ends - span.begins) == (day, hours * HOUR)
    assert [span.has(at) for at in (span.begins - 1, span.begins, now, span.ends - 0.5)] == [
        False,
        True,
        True,
        True,
    ]
    assert DaySpan.at(span.ends, ZoneInfo(zone)).begins == span.ends


def test_the_tables_have_a_version_and_no_column_for_an_address() -> None:
    with closing(sqlite3.connect(":memory:")) as file:
        file.executescript(TABLES)
        assert file.execute("PRAGMA user_version").fetchone() == (VERSION,)
        tables = file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        columns = {
            column
            for table in tables
            for (column,) in file.execute("SELECT name FROM pragma_table_info(?)", table)
        }
    assert "device" in columns
    assert not columns & {"address", "ip", "mac", "client"}


labels = st.lists(st.binary(min_size=1, max_size=20).map(bytes.lower), max_size=6)


def wire(text: str) -> bytes:
    return names.from_text(text)


def test_labels_stand_from_the_right_and_the_root_is_a_dot() -> None:
    assert reversed_text(wire("www.tiktok.com")) == "com.tiktok.www"
    assert reversed_text(names.ROOT) == "."
    assert name_of(".") == names.ROOT


@given(labels)
def test_each_name_comes_back_from_its_text_of_visible_characters(parts: list[bytes]) -> None:
    name = names.from_labels(tuple(parts))
    text = reversed_text(name)
    assert name_of(text) == name
    assert plain_text(text) == names.to_text(name)
    assert text.isascii()
    assert text.isprintable()


@given(labels, labels)
def test_a_range_has_exactly_the_subtree(parts: list[bytes], others: list[bytes]) -> None:
    top, name = names.from_labels(tuple(parts)), names.from_labels(tuple(others))
    for one in (name, names.from_labels((*others, *parts))):
        found, text = subtree(top), reversed_text(one)
        is_in = text == found.top or found.low <= text < found.high
        assert is_in == names.is_at_or_beneath(one, top)


def test_neither_a_longer_label_nor_a_dot_within_one_is_beneath() -> None:
    _, low, high = subtree(wire("tiktok.com"))
    for text in (r"www.tiktok\.com", "x.tiktok-x.com", "tiktoks.com"):
        assert not low <= reversed_text(wire(text)) < high
