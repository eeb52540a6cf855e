# SPDX-License-Identifier: Apache-2.0
"""Distinct names of a day: by class where rows have all of them, else by tier."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.querylog.day_distinct import count_distinct
from filterd.querylog.day_reader import UnreadableError
from filterd.querylog.lookups import LookupContext
from filterd.querylog.seen_names import SeenName
from filterd.wire import name as names
from tests.support.day_lookups import a_batch, a_lookup, begin_of, with_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from filterd.querylog.day_file import DayFiles
    from filterd.querylog.lookups import Lookup
    from filterd.querylog.period_totals import DistinctCount

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
    assert {(one.class_id, one.category): one.n for one in counts} == {
        key: len(of) for key, of in expected.items()
    }


def test_what_is_no_day_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError):
        count_distinct(tmp_path, TEXT, ())
