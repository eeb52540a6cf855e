# SPDX-License-Identifier: Apache-2.0
"""Two versions side by side: what one newly closes, and what it opens."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ListError
from filterd.feed.guard.candidate import Asking
from filterd.feed.guard.impact import (
    DRAWN,
    LEAST_LOOKUPS,
    LEAST_NAMES,
    MOST_POPULAR,
    POPULAR_FILE,
    Compared,
    closed_asked,
    closed_frozen,
    closed_popular,
    grown,
    is_of_what_ships,
    opened,
    read_popular,
)
from filterd.feed.guard.judgement import ASKED_LITTLE, Severity
from filterd.lists.catalogs.catalog_tables import PopularName
from filterd.resolve.what_if import DifferenceSums
from tests.support.policies import NOW, a_pin, a_policy, allow, an_index, wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from filterd.feed.guard.judgement import Finding
    from filterd.policy.model import Policy

FEED_GAMES, ORDER = "feed-games", "order:1"
POPULAR = [f"popular{rank}.example" for rank in range(1, 2_001)]
MANY = [f"www.game{number}.example" for number in range(2_000)]


def asking(
    folder: Path,
    lists: Mapping[str, Iterable[str]],
    policy: Policy | None = None,
    *,
    own: Iterable[str] = (),
) -> Asking:
    """Compile a list of each category, and the school's own list of games."""
    folder.mkdir()
    texts = {
        ORDER if category == "law-ordered" else f"feed-{category}": (
            category,
            "domains",
            category == "law-ordered",
            list(names),
        )
        for category, names in lists.items()
    }
    texts["mine"] = ("games", "domains", False, list(own))
    return Asking(policy or a_policy(), an_index(folder, texts), NOW)


def compare(new: Asking, before: Asking) -> Compared:
    """Compare two versions, whose lists are all but the school's own."""
    ids = [frozenset(one.id for one in asked.index.lists) - {"mine"} for asked in (new, before)]
    return Compared(new, before, *ids)


def compared(
    folder: Path,
    new: Mapping[str, Iterable[str]],
    before: Mapping[str, Iterable[str]],
    policy: Policy | None = None,
) -> Compared:
    return compare(asking(folder / "new", new, policy), asking(folder / "before", before, policy))


@pytest.mark.parametrize(
    ("version", "lists", "is_shipped"),
    [
        (None, ["games", "porn"], True),
        ("0", ["games"], True),
        ("-7", ["games", "porn", "law-ordered"], True),
        ("0", ["games", "malware"], False),
        ("7", ["games", "porn"], False),
        ("web-7", ["games"], False),
    ],
)
def test_what_ships_is_active_where_no_list_of_another_is(
    tmp_path: Path, version: str | None, lists: list[str], is_shipped: bool
) -> None:
    """Orders come before the first version, and each school has lists of its own."""
    active = asking(tmp_path / "active", {one: [] for one in lists}, own=["mine.example"])
    if version is not None:
        active.index.build["feed"] = version
    ships = asking(tmp_path / "ships", {"games": [], "porn": []})
    new = asking(tmp_path / "new", {})
    assert is_of_what_ships([compare(new, active), compare(new, ships)]) is is_shipped


def test_where_nothing_is_active_what_ships_is(tmp_path: Path) -> None:
    ships = compared(tmp_path, {}, {"games": []})
    assert is_of_what_ships([ships])


def newly_closed(both: Compared, name: str) -> bool:
    return both.newly_closed(wire(name))


def test_a_name_is_newly_closed_where_a_grade_got_there_until_now(tmp_path: Path) -> None:
    both = compared(
        tmp_path,
        {"games": ["a.example", "b.example"], "porn": ["c.example"], "ads-trackers": ["d.example"]},
        {"games": ["b.example", "c.example"]},
    )
    assert newly_closed(both, "a.example")
    assert not newly_closed(both, "b.example")
    assert newly_closed(both, "c.example"), "until now the older pupils got there"
    assert not newly_closed(both, "d.example"), "what is closed to nobody is not closed"
    assert not newly_closed(both, "e.example")


def test_what_an_order_closes_may_count_and_is_no_closed_popular_name(tmp_path: Path) -> None:
    """No approval stops an order of the law."""
    both = compared(tmp_path, {"law-ordered": ["a.example"], "games": ["b.example"]}, {})
    ordered, listed = PopularName(wire("a.example")), PopularName(wire("b.example"))
    assert newly_closed(both, "a.example")
    assert not both.newly_closed(ordered.name, by_order=False)
    assert both.newly_closed(listed.name, by_order=False)
    assert list(closed_frozen([both], [ordered])) == []
    [held] = closed_frozen([both], [ordered, listed])
    assert held.names == ("b.example",)


def test_what_the_schools_own_lists_close_is_not_the_versions_doing(tmp_path: Path) -> None:
    new = asking(tmp_path / "new", {}, own=["a.example"])
    both = compare(new, asking(tmp_path / "before", {}))
    assert not newly_closed(both, "a.example")
    assert not compare(asking(tmp_path / "later", {}), new).newly_open(wire("a.example"))


def test_a_name_is_newly_open_where_a_grade_is_not_kept_from_it_any_more(tmp_path: Path) -> None:
    both = compared(tmp_path, {"games": ["a.example"]}, {"porn": ["a.example", "b.example"]})
    assert both.newly_open(wire("a.example")), "staff gets there now"
    assert both.newly_open(wire("b.example"))
    assert not both.newly_open(wire("c.example"))


def test_an_order_that_is_over_opens_what_it_closed_and_no_more(tmp_path: Path) -> None:
    both = compared(tmp_path, {}, {"law-ordered": ["a.example"], "games": ["b.example"]})
    assert not both.newly_open(wire("a.example"))
    assert both.newly_open(wire("b.example"))


def test_lists_of_the_school_are_no_growth_of_the_version(tmp_path: Path) -> None:
    lists = {"games": [f"g{number}.example" for number in range(100)]}
    new, before = asking(tmp_path / "new", lists, own=MANY), asking(tmp_path / "before", lists)
    assert growth(compare(new, before)) == []


def test_many_orders_that_end_at_once_are_no_growth(tmp_path: Path) -> None:
    games = [f"g{number}.example" for number in range(100)]
    before = {"law-ordered": MANY, "games": games}
    assert growth(compared(tmp_path, {"games": games}, before)) == []


def growth(both: Compared) -> list[Finding]:
    return [*grown(both), *opened(both)]


def popular(both: Compared, new: list[str], before: list[str]) -> list[Finding]:
    return list(closed_popular(both, new, before))


def test_all_popular_names_have_a_place(tmp_path: Path) -> None:
    counts = [
        one.numbers for one in popular(compared(tmp_path, {"games": POPULAR}, {}), POPULAR, [])
    ]
    assert [count["count"] for count in counts] == [100, 1_000, 2_000]


def test_the_most_popular_name_is_named_first_whichever_version_has_it(tmp_path: Path) -> None:
    both = compared(tmp_path, {"games": ["first.example", "fifth.example"]}, {})
    has, had = [*POPULAR[:4], "fifth.example"], ["first.example", *POPULAR[1:4]]
    [held] = popular(both, has, had)
    assert held.names == ("first.example", "fifth.example")


def test_popular_names_are_counted_by_their_rank(tmp_path: Path) -> None:
    both = compared(tmp_path, {"games": POPULAR[100:106]}, {})
    [held] = popular(both, POPULAR, POPULAR)
    assert held.severity is Severity.HELD
    assert held.numbers == {"count": 6, "top": 1_000, "allowed": 5}
    assert popular(both, POPULAR[1:], POPULAR[1:]) != []
    assert popular(both, [*POPULAR[6:106], *POPULAR[:6], *POPULAR[106:]], []) != []


def test_a_version_cannot_forget_a_popular_name_to_close_it(tmp_path: Path) -> None:
    both = compared(tmp_path, {"games": POPULAR[:1]}, {})
    others = [f"other{rank}.example" for rank in range(2_000)]
    assert popular(both, others, POPULAR) != []
    assert popular(both, others, others) == []


def test_a_name_counts_by_the_better_of_its_two_ranks(tmp_path: Path) -> None:
    """It was the first, and the new version has it last, where it would not count."""
    both = compared(tmp_path, {"games": POPULAR[:1]}, {})
    last = [*POPULAR[1:], POPULAR[0]]
    assert popular(both, last, POPULAR) != []
    assert popular(both, last, last) == []


def test_two_names_of_the_same_rank_both_count(tmp_path: Path) -> None:
    """Three of the new list and three of the old, of the ranks 101 to 103."""
    theirs = [f"other{rank}.example" for rank in range(1, 2_001)]
    both = compared(tmp_path, {"games": [*POPULAR[100:103], *theirs[100:103]]}, {})
    [held] = popular(both, POPULAR, theirs)
    assert held.numbers["count"] == 6


@pytest.mark.parametrize(("left", "held"), [(1_800, 0), (1_799, 1)])
def test_the_popular_names_themselves_may_not_vanish(tmp_path: Path, left: int, held: int) -> None:
    both = compared(tmp_path, {}, {})
    found = popular(both, POPULAR[:left], POPULAR)
    assert [one.numbers for one in found] == [{"had": 2_000, "has": left}] * held


@pytest.mark.parametrize(("rank", "held"), [(100, 1), (101, 0)])
def test_the_first_name_of_a_file_has_the_rank_one(tmp_path: Path, rank: int, held: int) -> None:
    both = compared(tmp_path, {"games": [POPULAR[rank - 1]]}, {})
    assert len(popular(both, POPULAR, [])) == held


def test_a_category_that_means_a_name_does_not_newly_close_it(tmp_path: Path) -> None:
    both = compared(tmp_path, {"games": ["a.example"]}, {})
    assert not both.newly_closed(wire("a.example"), {"games"})
    assert both.newly_closed(wire("a.example"), {"porn"})


def test_lines_that_are_no_names_keep_their_rank_and_nothing_else(tmp_path: Path) -> None:
    both = compared(tmp_path, {"games": POPULAR[100:101]}, {})
    blanks = [""] * 100
    assert popular(both, [*blanks, *POPULAR[100:]], []) == []
    assert popular(both, ["", "http://x/", "com", POPULAR[100]], []) != []


def test_popular_names_are_read_by_their_lines(tmp_path: Path) -> None:
    assert read_popular(tmp_path) == ()
    (tmp_path / POPULAR_FILE).write_bytes(b"a.example\n\nb.example\n")
    assert read_popular(tmp_path)[:3] == ("a.example", "", "b.example")
    (tmp_path / POPULAR_FILE).write_bytes(b"\xff.example\n" * (MOST_POPULAR + 7))
    assert len(read_popular(tmp_path)) == MOST_POPULAR


def test_popular_names_that_cannot_be_read_are_reported(tmp_path: Path) -> None:
    (tmp_path / POPULAR_FILE).mkdir()
    with pytest.raises(ListError, match="cannot be read"):
        read_popular(tmp_path)


def asked(
    both: Compared, passed: Mapping[str, int] | None = None, **numbers: Any
) -> list[tuple[Severity, Mapping[str, float]]]:
    found = closed_asked(DifferenceSums(**numbers), both, passed or {})
    return [(one.severity, one.numbers) for one in found]


def on(*rows: int) -> Counter[str]:
    """Return so many lookups of the first days of a month."""
    return Counter({f"2026-11-0{number}": n for number, n in enumerate(rows, 1)})


@pytest.mark.parametrize(("lost", "severity"), [(5, Severity.NOTE), (6, Severity.HELD)])
def test_a_school_may_lose_half_a_percent_of_what_it_asks(
    tmp_path: Path, lost: int, severity: Severity
) -> None:
    both = compared(tmp_path, {"games": ["lost.example"]}, {})
    numbers = {"lost": lost, "total": LEAST_LOOKUPS}
    allowed, others = on(LEAST_LOOKUPS), Counter({FEED_GAMES: lost, "mine": 500})
    for lists in (Counter({FEED_GAMES: lost}), others):
        assert asked(both, allowed, allowed=allowed, lists=lists) == [(severity, numbers)]
    less = on(LEAST_LOOKUPS - 1)
    few = asked(both, less, allowed=less, lists=Counter({FEED_GAMES: 500}))
    assert few == [], "too little is known"


@pytest.mark.parametrize(
    ("passed", "rows", "proves"),
    [
        (on(2_000), on(1_800), True),
        (on(2_000), on(1_799), False),
        (on(2_000, 2_000, 2_000), on(2_000), True),
        (on(2_000, 2_000, 9_000), on(2_000, 2_000), False),
        (on(2_000, 9_000), on(2_000, 4_000), False),
        (on(2_000), on(2_300), False),
        (on(1_800), on(2_000), True),
        (on(1_799), on(2_000), False),
        (on(2_000), on(2_000, 2_000), False),
        (on(), on(2_000), False),
    ],
    ids=[
        "nearly all",
        "fewer",
        "a day",
        "quiet days",
        "a tier",
        "more",
        "a few more",
        "too many",
        "a made day",
        "uncounted",
    ],
)
def test_little_is_found_only_by_a_log_of_all_that_was_asked(
    tmp_path: Path, passed: Counter[str], rows: Counter[str], proves: bool
) -> None:
    both = compared(tmp_path, {"games": ["lost.example"]}, {})
    found = closed_asked(DifferenceSums(allowed=rows), both, passed)
    assert [one.kind for one in found] == ([ASKED_LITTLE] if proves else [])


def test_where_the_log_has_only_names_these_count(tmp_path: Path) -> None:
    both = compared(tmp_path, {"games": ["lost.example"]}, {})
    distinct = Counter(primary=LEAST_NAMES)
    found = asked(both, distinct=distinct, distinct_lists=Counter({FEED_GAMES: 2}))
    assert found == [(Severity.HELD, {"lost": 2, "total": LEAST_NAMES})]
    few = asked(both, distinct=distinct, distinct_lists=Counter({FEED_GAMES: 1}))
    assert few == [], "that one may be asked for by everybody"


def test_an_order_of_the_law_is_held_by_no_log(tmp_path: Path) -> None:
    both = compared(tmp_path, {"law-ordered": ["lost.example"], "porn": ["other.example"]}, {})
    lists = Counter({ORDER: 500})
    allowed = on(1_000)
    assert asked(both, allowed, allowed=allowed, lists=lists)[0][0] is Severity.NOTE
    lists = Counter({"feed-porn": 500})
    assert asked(both, allowed=allowed, lists=lists)[0][0] is Severity.HELD


def test_names_that_were_exchanged_for_as_many_others_are_found(tmp_path: Path) -> None:
    """By their number nothing has changed."""
    others = [f"www.other{number}.example" for number in range(2_000)]
    both = compared(tmp_path, {"games": others}, {"games": MANY})
    [held] = growth(both)
    assert held.severity is Severity.HELD
    assert held.numbers["count"] == held.numbers["asked"] >= DRAWN * 0.9


def test_a_tenth_of_the_names_may_be_exchanged(tmp_path: Path) -> None:
    night = [*MANY[:1_850], *(f"www.new{number}.example" for number in range(150))]
    assert growth(compared(tmp_path, {"games": night}, {"games": MANY})) == []


def test_names_of_the_same_count_in_another_category_are_open_to_some(tmp_path: Path) -> None:
    both = compared(tmp_path, {"games": MANY, "porn": ["a.example"]}, {"porn": MANY})
    assert "porn" in " ".join(str(one.sentence) for one in growth(both))


def test_a_category_that_opens_to_a_grade_is_found(tmp_path: Path) -> None:
    """By its age in the version, whatever is on its list."""
    strict, lenient = a_policy(also_closed=["ads-trackers"]), a_policy()
    both = compare(
        asking(tmp_path / "new", {"games": MANY}, lenient),
        asking(tmp_path / "before", {"games": MANY}, strict),
    )
    [held] = growth(both)
    assert held.severity is Severity.HELD
    assert str(held.sentence).startswith("category ads-trackers would be open to preschool, 1, 2")


def test_what_the_school_allows_itself_is_no_change(tmp_path: Path) -> None:
    policy = replace(a_policy(), rules=(allow("popular1.example"),))
    both = compared(tmp_path, {"games": POPULAR[:1]}, {}, policy)
    assert popular(both, POPULAR, POPULAR) == []


def private() -> Policy:
    """Return a policy one category of which is confidential."""
    policy = a_policy()
    porn = replace(policy.categories["porn"], confidential=True)
    return replace(policy, categories={**policy.categories, "porn": porn})


@pytest.mark.parametrize(("moved", "of", "held"), [(1, 10, 0), (2, 10, 1), (4, 40, 0), (5, 40, 1)])
def test_names_that_are_never_shown_do_not_move_to_where_they_are(
    tmp_path: Path, moved: int, of: int, held: int
) -> None:
    names = [f"secret{number}.example" for number in range(of)]
    both = compared(
        tmp_path, {"malware": names[:moved], "porn": names[moved:]}, {"porn": names}, private()
    )
    assert both.newly_shown(wire(names[0]))
    assert not both.newly_shown(wire(names[-1]))
    assert not both.newly_shown(wire("other.example"))
    found = list(opened(both))
    assert len(found) == held
    for one in found:
        assert (one.kind, one.severity) == ("growth", Severity.HELD)
        assert one.numbers == {"count": moved, "asked": of}
        assert "secret" not in str(one), "where it is read these names are never shown"


def test_only_names_of_confidential_lists_of_the_version_are_asked_for(tmp_path: Path) -> None:
    names = [f"secret{number}.example" for number in range(10)]
    policy = private()
    games = replace(policy.categories["games"], confidential=True)
    policy = replace(policy, categories={**policy.categories, "games": games})
    others, own = MANY[:100], MANY[100:200]
    lists = {"malware": [*others, *names[:2]], "porn": names[2:]}
    new = asking(tmp_path / "new", lists, policy, own=own)
    lists = {"malware": others, "porn": names}
    before = asking(tmp_path / "before", lists, policy, own=own)
    [held] = opened(compare(new, before))
    assert held.numbers == {"count": 2, "asked": 10}


def test_a_name_that_is_never_shown_and_opens_is_shown_by_no_category(tmp_path: Path) -> None:
    both = compared(tmp_path, {}, {"porn": ["secret.example"]}, private())
    assert not both.newly_shown(wire("secret.example"))
    assert both.newly_open(wire("secret.example"))


def test_names_that_move_to_a_part_of_their_category_are_no_change(tmp_path: Path) -> None:
    policy = a_policy()
    part = replace(policy.categories["games"], id="games-mature", part_of="games")
    parted = replace(policy, categories={**policy.categories, part.id: part})
    lists = {"games": MANY[:1_000], part.id: MANY[1_000:]}
    assert list(grown(compared(tmp_path, lists, {"games": MANY}, parted))) == []
    whole = asking(tmp_path / "whole", {"games": MANY})
    apart = asking(tmp_path / "apart", lists)
    assert list(grown(compare(apart, whole))) != [], "where it is a category of its own"


def test_names_of_a_category_that_is_shown_may_move(tmp_path: Path) -> None:
    names = [f"bad{number}.example" for number in range(10)]
    assert list(opened(compared(tmp_path, {"malware": names}, {"porn": names}))) == []


@pytest.mark.parametrize(("narrowed", "held"), [(100, 0), (101, 1)])
def test_an_entry_that_means_its_name_alone_opens_what_lies_beneath(
    tmp_path: Path, narrowed: int, held: int
) -> None:
    """A tenth of the names that are asked for may open so."""
    names = MANY[:1_000]
    lines = {"before": names, "new": [*(f"={one}" for one in names[:narrowed]), *names[narrowed:]]}
    versions = []
    for folder in ("new", "before"):
        (tmp_path / folder).mkdir()
        texts = {"feed-porn": ("porn", "wildcard", False, lines[folder])}
        versions.append(Asking(a_policy(), an_index(tmp_path / folder, texts), NOW))
    both = compare(*versions)
    assert not any(both.newly_open(wire(name)) for name in names[:narrowed])
    assert len(list(opened(both))) == held


def test_names_that_open_and_leave_closed_what_lies_beneath_are_found(tmp_path: Path) -> None:
    pinned = a_policy(pins=[a_pin(one) for one in MANY[:101]])
    new = asking(tmp_path / "new", {"porn": MANY[:1_000]}, pinned)
    both = compare(new, asking(tmp_path / "before", {"porn": MANY[:1_000]}))
    assert both.newly_open(wire(MANY[0]))
    assert not both.newly_open(wire(f"a.{MANY[0]}"))
    [held] = opened(both)
    assert held.numbers["count"] == 101


def test_the_programs_own_lists_are_no_growth_of_what_is_made_here(tmp_path: Path) -> None:
    few, many = (
        {
            "own": ("games", "domains", True, MANY[:size]),
            "feed-games": ("games", "domains", False, MANY[-9:]),
        }
        for size in (10, 900)
    )
    for folder in ("new", "before"):
        (tmp_path / folder).mkdir()
    new = Asking(a_policy(), an_index(tmp_path / "new", many), NOW)
    before = Asking(a_policy(), an_index(tmp_path / "before", few), NOW)
    ids = frozenset(("own", "feed-games"))
    both = Compared(new, before, ids, ids)
    assert list(grown(both, with_own=False)) == []
    assert [one.severity for one in grown(both)] == [Severity.HELD] * 2
