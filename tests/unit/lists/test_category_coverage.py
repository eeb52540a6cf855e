# SPDX-License-Identifier: Apache-2.0
"""How far each category is covered, by one function."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from filterd.lists.category_coverage import COVERAGE, SHARES, coverage, summary_line
from filterd.lists.index import ListRecord
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording

BY = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), 0.0))


def _list(list_id: str, category: str, kept: int) -> ListRecord:
    return ListRecord(list_id, category, list_id, "domains", False, "", kept)


def _share(source: str, category: str, date: str = "") -> dict[str, Any]:
    return {
        "id": source,
        "category": category,
        "names": 9,
        "only": 7,
        "left_out": 2,
        "popular": ["roblox.com"],
        "date": date,
    }


LISTS = (
    _list("starter-games", "games", 170),
    _list("feed-games", "games", 30_000),
    _list("starter-loans", "loans", 17),
    _list("vn-loans", "loans", 40),
    _list("service:roblox", "games", 9),
    _list("lookalike:loans", "loans", 3),
)
BUILD = {"sources": [_share("ut1", "games", "2026-11-02"), _share("other", "games", "2026-12-01")]}


def test_a_category_with_a_public_list_names_its_sources_and_the_days_of_their_texts() -> None:
    games, _ = coverage(LISTS, BUILD)
    assert games == ("games", 30_170, ("ut1", "other"), "2026-11-02", "2026-12-01", False)


def test_lists_that_ship_rules_and_services_leave_a_category_starter_only() -> None:
    _, loans = coverage(LISTS, BUILD)
    assert loans == ("loans", 57, (), "", "", True)


def test_a_followed_list_that_is_empty_covers_nothing() -> None:
    empty = (_list("starter-games", "games", 170), _list("feed-games", "games", 0))
    [games] = coverage(empty, {})
    assert games.is_starter_only


def test_a_schools_own_list_covers_its_category() -> None:
    [games] = coverage((_list("phong-may", "games", 3),), {})
    assert not games.is_starter_only


def test_a_closed_category_without_any_list_is_shown_too() -> None:
    assert [one.category for one in coverage(LISTS, BUILD, ("dating",))] == [
        *("dating", "games", "loans")
    ]


def test_an_index_of_before_has_no_sources_and_is_shown_all_the_same() -> None:
    games, _ = coverage(LISTS, {"when": 1.0})
    assert (games.sources, games.is_starter_only) == ((), False)


def test_a_status_counts_the_covered_categories_and_names_the_others() -> None:
    rows = [one.to_plain() for one in coverage(LISTS, BUILD)]
    assert summary_line(rows, BY).splitlines() == [
        "1 of 2 closed categories have public or own lists",
        "starter list only: loans",
        "each of them: filterd lists report",
    ]


def test_many_starter_lists_are_cut() -> None:
    many = [_list(f"starter-{n}", f"c{n:02}", 1) for n in range(30)]
    rows = [one.to_plain() for one in coverage(many, {})]
    assert summary_line(rows, BY).count(", ") == 10


def test_a_status_of_full_cover_has_one_line() -> None:
    rows = [one.to_plain() for one in coverage(LISTS[:2], BUILD)]
    assert summary_line(rows, BY) == "1 of 1 closed categories have public or own lists"


@pytest.mark.parametrize(
    ("dates", "shown"),
    [(("2026-11-02", "2026-12-01"), "2026-11-02…2026-12-01"), (("2026-12-01",) * 2, "2026-12-01")],
)
def test_a_row_shows_sources_and_days(dates: tuple[str, str], shown: str) -> None:
    build = {"sources": [_share("ut1", "games", date) for date in dates]}
    games, loans = (one.to_plain() for one in coverage(LISTS, build))
    cells = [column.cell(games, BY)[0] for column in COVERAGE.columns]
    assert (cells[0], cells[-1]) == ("games", shown)
    assert COVERAGE.columns[2].cell(loans, BY)[0] == "starter list only"


def test_a_share_shows_what_only_its_source_has_and_what_it_closes() -> None:
    cells = [column.cell(_share("ut1", "games"), BY)[0] for column in SHARES.columns]
    assert cells == ["ut1", "games", "9", "7", "2", "roblox.com", ""]
