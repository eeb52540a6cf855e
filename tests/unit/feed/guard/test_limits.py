# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from filterd.feed.guard import impact, limits, must_block, tables
from filterd.feed.guard.judgement import Severity
from filterd.feed.guard.limits import Content, excesses


def _held(new: dict[str, int], before: dict[str, int]) -> list[str]:
    return [str(excess.sentence) for excess in excesses(Content(new, {}), Content(before, {}))]


def _named(ranks: range, but: range = range(0)) -> list[str]:
    popular = {rank: f"n{rank}.example" for rank in ranks}
    known = {rank: popular[rank] for rank in but}
    names = {"games": 1_000}
    return [
        str(excess.sentence) for excess in excesses(Content(names, popular), Content(names, known))
    ]


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
    assert _held({"games": 1_000}, {}) == [], "the first of all"


def test_a_category_that_has_no_names_loses_none() -> None:
    assert _held({"games": 0, "porn": 9_000}, {"games": 0, "porn": 9_000}) == []
    assert _held({"porn": 9_000}, {"games": 0, "porn": 9_000}) == []


def test_categories_are_reported_in_their_order() -> None:
    before = dict.fromkeys("hbdgface", 1)
    found = _held({"porn": 9_000}, {**before, "porn": 9_000})
    assert [one.split()[1] for one in found] == [f"{letter}:" for letter in "abcdefgh"]


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


@pytest.mark.parametrize(
    ("letters", "named"), [("", ""), ("ab", "a, b"), ("abcde", "a, b, c, d, e")]
)
def test_a_few_names_are_all_named(letters: str, named: str) -> None:
    assert limits.few(list(letters)) == named


def test_how_many_popular_names_are_closed_and_allowed_is_kept_as_numbers() -> None:
    popular = {rank: f"n{rank}.example" for rank in range(101, 108)}
    [found] = excesses(Content({}, popular), Content({}, {}))
    assert found.numbers == {"count": 7, "top": 1_000, "allowed": 5}


def test_a_reason_names_some_of_them() -> None:
    [found] = _named(range(101, 108))
    assert found == (
        "7 of the 1000 most popular names would be closed, 5 are allowed: n101.example, "
        "n102.example, n103.example, n104.example, n105.example, ..."
    )


@pytest.mark.parametrize(
    ("new", "held"),
    [
        ({"a": 0, "b": 9_000}, "category a: all its 1000 names are gone"),
        ({"a": 700, "b": 9_000}, "category a: 1000 names become 700"),
        ({"a": 1_000, "b": 12_000}, "all categories: 10000 names become 13000"),
    ],
)
def test_what_grows_or_shrinks_too_much_is_said_in_numbers(new: dict[str, int], held: str) -> None:
    before = Content({"a": 1_000, "b": 9_000}, {})
    found = list(excesses(Content(new, {}), before))
    assert held in [str(one.sentence) for one in found]
    (one,) = (one for one in found if str(one.sentence) == held)
    had = 10_000 if held.startswith("all") else 1_000
    assert (one.kind, one.severity) == ("growth", Severity.HELD)
    has = sum(new.values()) if held.startswith("all") else new["a"]
    assert (one.numbers["had"], one.numbers["has"]) == (had, has)


@pytest.mark.parametrize(("gone", "held"), [(10, 0), (11, 1)])
def test_a_small_category_may_lose_ten_names(gone: int, held: int) -> None:
    before = {"games": 20, "porn": 9_000}
    assert len(_held({"games": 20 - gone, "porn": 9_000}, before)) == held


def test_the_limits_of_a_night_are_those_of_the_guides() -> None:
    assert limits.POPULAR_LIMITS == ((100, 0), (1_000, 5), (10_000, 50))
    assert (limits.TOTAL_SHRINK, limits.TOTAL_GROWTH) == (0.1, 0.2)
    assert (limits.CATEGORY_SHRINK, limits.CATEGORY_GROWTH) == (0.2, 0.5)
    assert (limits.SLACK, limits.LOST_SLACK, tables.MOST_HOLIDAYS) == (50, 10, 40)
    assert (impact.ASKED_ALLOWED, impact.LEAST_LOOKUPS, impact.LEAST_NAMES) == (0.005, 1_000, 200)
    assert (impact.DRAWN, impact.WHOLE_PART, impact.MOST_POPULAR) == (1_000, 0.9, 10_000)
    assert (must_block.QUESTIONS, must_block.OVERRULED_ALLOWED) == (1_000, 0.02)
    assert must_block.OPENED_ALLOWED == 0.1
