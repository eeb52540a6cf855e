# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.feed.guard import impact, limits, must_block
from filterd.feed.guard.candidate import Asking
from filterd.feed.guard.impact import Compared
from filterd.feed.guard.judgement import Severity
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
from filterd.lists.rules import SafeSearchRewrite
from filterd.policy.model import Service
from tests.support.policies import a_pin, a_policy, a_protection, an_index, wire

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


def test_what_may_go_be_lacking_and_come_is_as_promised() -> None:
    limits = {
        one.id: (tuple(one.lost), tuple(one.lacking), tuple(one.gained), one.moved)
        for one in TABLES_AND_LIMITS
    }
    assert limits == {
        "pins": ((0, 0), (0.1, 0), (0.1, 10), False),
        "protections": ((0.1, 0), (0.1, 0), (0.2, 20), False),
        "rewrites": ((0, 0), (0, 0), (0.1, 5), False),
        "services": ((0, 0), (0.1, 0), (0.1, 10), False),
        "service-names": ((0.05, 10), (0.2, 10), (0.1, 30), False),
        "categories": ((0, 0), (0, 0), (0, 2), False),
        "lists": ((0, 0), (0, 0), (1, 1_000), True),
    }


CHAT = Service("chat", "x", "Chat", "games", 13, (wire("chat.example"), wire("talk.example")))
OTHER = replace(CHAT, id="other", names=(wire("other.example"),))
RICH = replace(
    a_policy(
        pins=[a_pin("pin.example"), a_pin("all.example", subtree=True)],
        protections=[
            a_protection("safe.example", but=["games", "ads-trackers"]),
            replace(a_protection("entry.example"), entry_only=True),
            a_protection("host.example", subtree=False),
        ],
    ),
    services={"chat": CHAT, "other": OTHER},
    rewrites=(SafeSearchRewrite("safe_search", "on", wire("safe.test"), (wire("find.test"),)),),
)


@pytest.mark.parametrize(
    ("table", "entries"),
    [
        ("pins", {"pin.example": "", "all.example": "", "*.all.example": ""}),
        (
            "protections",
            {"safe.example": "True ads-trackers games", "host.example": "False"},
        ),
        ("rewrites", {"safe_search=on find.test": "safe.test"}),
        ("services", {"chat": "games 13"}),  # the other is of no list of the version
        ("service-names", {"chat: chat.example": "", "chat: talk.example": ""}),
        ("lists", {"service:chat": "games"}),
    ],
)
def test_a_table_has_what_people_read(lists: Path, table: str, entries: dict[str, str]) -> None:
    index = an_index(
        lists,
        {
            "service:chat": ("games", "domains", True, ["chat.example"]),
            "mine": ("porn", "domains", False, ["a.example"]),
        },
    )
    (found,) = (one for one in TABLES_AND_LIMITS if one.id == table)
    assert found.entries(Asking(RICH, index, NOW), {"service:chat"}) == entries


def test_categories_are_compared_by_all_that_decides(lists: Path) -> None:
    index = an_index(lists, {"mine": ("games", "domains", False, ["a.example"])})
    (found,) = (one for one in TABLES_AND_LIMITS if one.id == "categories")
    entries = found.entries(Asking(a_policy(), index, NOW), ())
    assert entries["porn"] == "18 True False False True"
    assert entries["law-ordered"] == "None True True False True"
    assert entries["malware"] == "None True False True True"


def test_a_list_may_go_and_not_move_to_another_category(lists: Path) -> None:
    policy = a_policy()
    one, other = lists / "one", lists / "other"
    texts = {"a": ("games", "domains", True, ["a.example"])}
    more = texts | {"b": ("porn", "domains", True, ["b.example"])}
    moved = {**more, "a": ("porn", "domains", True, ["a.example"])}
    for folder in (one, other, lists / "moved"):
        folder.mkdir()
    few, all_, changed = (
        Asking(policy, an_index(folder, which), NOW)
        for folder, which in ((one, texts), (other, more), (lists / "moved", moved))
    )
    ids = frozenset("ab")
    assert list(changed_tables(Compared(few, all_, ids, ids), is_first=False)) == []
    [held] = changed_tables(Compared(changed, all_, ids, ids), is_first=False)
    assert held.subjects == ("-lists a porn",)
    assert str(held.sentence) == "lists: 1 of 2 entries would go or change: a"
    assert (held.kind, held.names, held.numbers) == ("tables", ("a",), {"count": 1})


def test_many_entries_that_come_are_named_with_their_values(lists: Path) -> None:
    many = {
        f"c{number}": replace(a_policy().categories["games"], id=f"c{number}")
        for number in range(3)
    }
    new = replace(a_policy(), categories=a_policy().categories | many)
    [held] = changed_tables(compared(lists, new, a_policy()), is_first=False)
    assert str(held.sentence) == "categories: 3 entries would come to 6: c0, c1, c2"
    assert held.subjects[0] == "+categories c0 12 False False False True"
    assert held.numbers == {"count": 3}
    two = replace(a_policy(), categories=a_policy().categories | dict(list(many.items())[:2]))
    (lists / "two").mkdir()
    assert list(changed_tables(compared(lists / "two", two, a_policy()), is_first=False)) == []


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
    assert one.numbers["had"] == had


@pytest.mark.parametrize(("gone", "held"), [(10, 0), (11, 1)])
def test_a_small_category_may_lose_ten_names(gone: int, held: int) -> None:
    before = {"games": 20, "porn": 9_000}
    assert len(_held({"games": 20 - gone, "porn": 9_000}, before)) == held


@pytest.mark.parametrize(("gone", "held"), [(2, 0), (3, 1)])
def test_two_fifths_of_the_days_that_ship_may_be_others(gone: int, held: int) -> None:
    """Of five days of the year to come."""
    found = list(wrong_holidays(_five(5 - gone), SHIPS, SHIPS, NOW))
    assert len(found) == held
    if found:
        assert found[0].subjects[-gone:] == tuple(f"-holidays {one}" for one in DAYS[-gone:])
        assert found[0].numbers == {"count": 5 - gone}


DAYS = ["2026-02-01", "2026-02-02", "2026-02-03", "2026-02-04", "2026-09-02"]


def _five(kept: int) -> list[PublicHoliday]:
    return days(*((day, day) for day in DAYS[:kept]))


def test_a_day_counts_from_today_to_the_same_day_of_the_next_year() -> None:
    last = "2027-01-02"  # 366 days after the first of January 2026
    spans = days(("2025-12-01", "2026-01-01"), ("2026-12-31", "2027-12-31"))
    [found] = wrong_holidays([*SHIPS, *spans, *days(("2026-05-01", "2026-05-31"))], [], SHIPS, NOW)
    shown = [one.removeprefix("+holidays ") for one in found.subjects]
    assert (shown[0], shown[-1] == "2026-05-31") == ("2026-01-01", True)
    assert last in shown
    assert "2027-01-03" not in shown
    assert "2025-12-31" not in shown


def test_the_limits_of_a_night_are_those_of_the_guides() -> None:
    assert limits.POPULAR_LIMITS == ((100, 0), (1_000, 5), (10_000, 50))
    assert (limits.TOTAL_SHRINK, limits.TOTAL_GROWTH) == (0.1, 0.2)
    assert (limits.CATEGORY_SHRINK, limits.CATEGORY_GROWTH) == (0.2, 0.5)
    assert (limits.SLACK, limits.LOST_SLACK, limits.MOST_HOLIDAYS) == (50, 10, 40)
    assert (impact.ASKED_ALLOWED, impact.LEAST_LOOKUPS, impact.LEAST_NAMES) == (0.005, 1_000, 200)
    assert (impact.DRAWN, impact.WHOLE_PART, impact.MOST_POPULAR) == (1_000, 0.9, 10_000)
    assert (must_block.QUESTIONS, must_block.OVERRULED_ALLOWED) == (1_000, 0.02)
    assert must_block.OPENED_ALLOWED == 0.1
