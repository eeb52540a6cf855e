# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.feed.guard.candidate import Asking
from filterd.feed.guard.impact import Compared
from filterd.feed.guard.limits import (
    MOST_HOLIDAYS,
    TABLES_AND_LIMITS,
    Content,
    Limit,
    changed_tables,
    excesses,
    wrong_holidays,
)
from filterd.lists.catalog import PublicHoliday
from tests.support.policies import a_pin, a_policy, an_index

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.policy.model import Policy


def _held(new: dict[str, int], before: dict[str, int]) -> list[str]:
    return [str(one.sentence) for one in excesses(Content(new, {}), Content(before, {}))]


def _named(ranks: range, but: range = range(0)) -> list[str]:
    popular = {rank: f"n{rank}.example" for rank in ranks}
    known = {rank: popular[rank] for rank in but}
    names = {"games": 1_000}
    return [str(one.sentence) for one in excesses(Content(names, popular), Content(names, known))]


@pytest.mark.parametrize(("has", "held"), [(900, 0), (899, 1), (1_200, 0), (1_201, 1)])
def test_all_names_together_change_by_so_much_and_no_more(has: int, held: int) -> None:
    # Many categories, so that none of them alone changes too much.
    new = {str(number): has for number in range(10)}
    before = {str(number): 1_000 for number in range(10)}
    assert len(_held(new, before)) == held


@pytest.mark.parametrize(("has", "held"), [(800, 0), (799, 1), (1_500, 0), (1_501, 1)])
def test_a_category_changes_by_so_much_and_no_more(has: int, held: int) -> None:
    found = _held({"games": has, "porn": 100_000}, {"games": 1_000, "porn": 100_000})
    assert len(found) == held
    assert all(one.startswith("category games: 1000 names become") for one in found)


@pytest.mark.parametrize(("has", "held"), [(53, 0), (54, 1), (1, 0)])
def test_a_few_names_more_or_less_are_no_change(has: int, held: int) -> None:
    assert len(_held({"games": has, "porn": 9_000}, {"games": 3, "porn": 9_000})) == held


def test_no_category_vanishes_however_small() -> None:
    [found] = _held({"games": 0, "porn": 9_000}, {"games": 1, "porn": 9_000})
    assert found == "category games: all its 1 names are gone"
    assert _held({"porn": 9_000}, {"games": 1, "porn": 9_000}) == [found]


def test_a_new_category_is_welcome() -> None:
    assert _held({"games": 40, "porn": 9_000}, {"porn": 9_000}) == []


@pytest.mark.parametrize(
    ("ranks", "held"),
    [
        (range(100, 101), 1),
        (range(101, 106), 0),
        (range(101, 107), 1),
        (range(1_001, 1_051), 0),
        (range(1_001, 1_052), 1),
        (range(10_001, 20_000), 0),
        (range(1, 100), 3),
    ],
)
def test_only_so_many_popular_names_are_newly_closed(ranks: range, held: int) -> None:
    assert len(_named(ranks)) == held


def test_popular_names_that_were_closed_before_do_not_count() -> None:
    assert _named(range(1, 60), but=range(1, 60)) == []


def test_a_reason_names_some_of_them() -> None:
    [found] = _named(range(101, 108))
    assert found == (
        "7 of the 1000 most popular names would be closed, 5 are allowed: n101.example, "
        "n102.example, n103.example, n104.example, n105.example, ..."
    )


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


def test_a_category_that_changes_states_how(lists: Path) -> None:
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
