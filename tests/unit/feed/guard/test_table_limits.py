# SPDX-License-Identifier: Apache-2.0
"""How much of a table may go and come; that each is asked is in test_checks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.feed.guard.impact import Compared
from filterd.feed.guard.probe_clients import Asking
from filterd.feed.guard.table_limits import (
    MOST_HOLIDAYS,
    TABLES_AND_LIMITS,
    Limit,
    changed_tables,
    wrong_holidays,
)
from filterd.lists.catalog import PublicHoliday
from tests.support.policies import a_pin, a_policy, an_index

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.policy.model import Policy

NOW = 1_767_225_600.0  # 2026-01-01, UTC


@pytest.mark.parametrize(
    ("share", "least", "count", "had", "allowed"),
    [(0, 0, 1, 100, False), (0, 0, 0, 100, True), (0.1, 0, 10, 100, True), (0.1, 0, 11, 100, False),
     (0.1, 20, 20, 100, True), (0.1, 20, 21, 100, False)],
)  # fmt: skip
def test_a_limit_is_a_share_or_a_count(
    share: float, least: int, count: int, had: int, allowed: bool
) -> None:
    assert Limit(share, least).allows(count, had) is allowed


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    return tmp_path


def compared(folder: Path, new: Policy, before: Policy) -> Compared:
    index = an_index(folder, {"games": ("games", "domains", False, ["a.example"])})
    ids = frozenset(("games",))
    return Compared(Asking(new, index, NOW), Asking(before, index, NOW), ids, ids)


def pinned(*names: str) -> Policy:
    return a_policy(pins=map(a_pin, names))


FIFTY = [f"p{number}.example" for number in range(50)]


@pytest.mark.parametrize(
    ("names", "is_first", "held"),
    [
        (FIFTY, False, []),
        (FIFTY[1:], False, ["-pins p0.example"]),
        (FIFTY[1:], True, []),
        (FIFTY[5:], True, []),
        (FIFTY[6:], True, [f"-pins {one}" for one in FIFTY[:6]]),
        ([*FIFTY, *(f"q{number}.example" for number in range(10))], False, []),
        (
            [*FIFTY, *(f"q{number}.example" for number in range(11))],
            False,
            [f"+pins q{number}.example" for number in range(11)],
        ),
    ],
)
def test_pins_go_never_and_come_a_few_at_a_time(
    lists: Path, names: Iterable[str], is_first: bool, held: list[str]
) -> None:
    found = changed_tables(compared(lists, pinned(*names), pinned(*FIFTY)), is_first=is_first)
    assert [subject for one in found for subject in one.subjects] == held


def test_the_pin_of_the_feeds_host_is_the_schools_own(lists: Path) -> None:
    host = replace(a_pin("feed.example"), reason="feed")
    before = replace(pinned("a.example"), pins=(*pinned("a.example").pins, host))
    assert list(changed_tables(compared(lists, pinned("a.example"), before), is_first=False)) == []


def test_a_category_that_changes_says_how(lists: Path) -> None:
    before = a_policy()
    games = replace(before.categories["games"], min_age=0)
    new = replace(before, categories={**before.categories, "games": games})
    [found] = changed_tables(compared(lists, new, before), is_first=False)
    assert found.subjects == ("-categories games 0 False False False True",)


def test_no_table_may_go_or_come_without_a_limit() -> None:
    for table in TABLES_AND_LIMITS:
        assert not table.lost.allows(1_000, 1_000), table.id
        assert table.moved or not table.gained.allows(1_000, 100), table.id


def days(*spans: tuple[str, str]) -> list[PublicHoliday]:
    return [PublicHoliday(first, last, "x", "x") for first, last in spans]


SHIPS = days(
    ("2025-01-01", "2025-12-31"), ("2026-02-01", "2026-02-04"), ("2026-09-02", "2026-09-02")
)


@pytest.mark.parametrize(
    ("new", "held"),
    [
        (SHIPS, 0),
        ([*SHIPS, *days(("2026-06-01", "2026-06-15"))], 0),
        ([*SHIPS, *days(("2026-06-01", "2026-06-16"))], 1),
        ([*SHIPS, *days(("2030-01-01", "2040-12-31"))], 0),
        ([*SHIPS, *days(("2026-06-01", "2026-12-31"))], 2),
        (SHIPS[:2], 0),
        (SHIPS[2:], 1),
        ([], 1),
    ],
)
def test_the_days_of_the_year_to_come_count(new: list[PublicHoliday], held: int) -> None:
    assert len(list(wrong_holidays(new, SHIPS, SHIPS, NOW))) == held


def test_many_holidays_do_not_become_most_of_the_year_night_by_night() -> None:
    """Each night adds a few days to those in force, of which a school has some of its own."""
    before = days(("2026-06-01", "2026-06-30"), ("2026-08-01", "2026-08-31"))
    new = [*SHIPS, *days(("2026-06-01", f"2026-07-{MOST_HOLIDAYS - 34:02}"))]
    [found] = wrong_holidays(new, before, SHIPS, NOW)
    assert found.numbers == {"count": MOST_HOLIDAYS + 1}
