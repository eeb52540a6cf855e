# SPDX-License-Identifier: Apache-2.0
"""The comparison of two sites on recorded lookups, against a model that asks row by row."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from filterd.lists.rules import SafeSearchRewrite
from filterd.policy.model import Audience, Client, Scheduled
from filterd.policy.temporary_rules import Overrides, TargetKind
from filterd.querylog.day_search import RecordedWeek
from filterd.querylog.lookups import LookupContext
from filterd.resolve import what_if
from filterd.resolve.explain import explain
from filterd.resolve.site import Site
from filterd.resolve.what_if import (
    CLOSES,
    OPENS,
    REWRITES,
    AskedPlace,
    DifferenceSums,
    NameDifference,
    compare_names,
    compare_week,
)
from filterd.wire import RRType
from tests.support.clock import FakeClock
from tests.support.day_lookups import Known, Looked, write_day
from tests.support.policies import a_category, a_protection, allow, an_index, block, wire
from tests.support.week import (
    MONDAY,
    a_school,
    an_exam,
    an_exception,
    scheduled,
    timetabled,
    with_classes,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.lists.index import Index
    from filterd.lists.rules import Protection
    from filterd.policy.model import Policy

DAY = "2026-03-02"
SEVEN_S = 7 * 3600
EDGES_S = (25_200, 27_900, 28_200, 28_800, 30_900, SEVEN_S + 3600, SEVEN_S + 1200)
LISTS = {
    "play": ("games", "domains", True, ["game.example", "puzzle.example"]),
    "talk": ("social-media", "domains", True, ["chat.example"]),
    "harm": ("self-harm", "domains", True, ["sad.example"]),
}
OTHER_LISTS = LISTS | {
    "play": ("games", "domains", True, ["game.example", "news.example"]),
    "harm": ("self-harm", "domains", True, ["sad.example", "alone.example"]),
}
NAMES = (
    "game.example", "www.game.example", "puzzle.example", "chat.example", "news.example",
    "exam.example", "dated.example", "open.example", "localhost", "a.b.test", "alone.example",
    "find.example",
)  # fmt: skip
PLACES = (
    ("6", "", "lab"), ("9", "", "lab"), ("6", "6A", "room-6a"), ("staff", "", "office"),
    ("9", "9B", ""), ("12", "", "gone"), ("6", "6Z", "office"),
)  # fmt: skip
REWRITE = SafeSearchRewrite("safe_search", "on", wire("safe.example"), (wire("find.example"),))


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Index, Index]:
    """Return the lists before and after."""
    first, second = (tmp_path_factory.mktemp(one) for one in ("first", "second"))
    return an_index(first, LISTS), an_index(second, OTHER_LISTS)


def a_site(policy: Policy, index: Index, overrides: Overrides | None = None) -> Site:
    """Return a site of Monday's first second."""
    return Site.of(policy, index, (), overrides=overrides or Overrides(), now=MONDAY)


def categories(policy: Policy) -> Policy:
    """Return a policy with the confidential category, closed to all."""
    more = replace(a_category("self-harm", locked=True), confidential=True)
    grades = {
        key: replace(grade, closed=grade.closed | {more.id}) for key, grade in policy.grades.items()
    }
    return replace(policy, categories={**policy.categories, more.id: more}, grades=grades)


def a_policy(**changes: Any) -> Policy:
    """Return a school with a timetable, classes, a schedule and rules with dates."""
    times = scheduled(Scheduled("a", False, "category", "games", Audience.GRADE, "6"))
    policy = timetabled(schedules=times.schedules, scheduled=times.scheduled)
    rules = (
        block("dated.example", starts_at=MONDAY + 27_000, ends_at=MONDAY + 29_000),
        allow("game.example", Audience.CLASS, "6A", ends_at=MONDAY + 28_500),
    )
    home = replace(policy.networks[1], id="room-6a", grade="6A", cidrs=("203.0.113.0/24",))
    school = replace(
        with_classes(policy), rules=rules, networks=(*policy.networks, home), rewrites=(REWRITE,)
    )
    return categories(replace(school, **changes))


def plain_sites(indexes: tuple[Index, Index]) -> tuple[Site, Site]:
    """Return two sites that differ in their lists only."""
    before, after = (a_site(categories(a_school()), index) for index in indexes)
    return before, after


OVERRIDES = Overrides(
    exceptions=(
        an_exception("games", kind=TargetKind.CATEGORY, audience=Audience.NETWORK, whom="lab"),
        an_exception("open.example", id=2, allow=False, starts_at=MONDAY + 30_000.5, ends_at=None),
    ),
    exams=(an_exam(starts_at=MONDAY + 33_000, ends_at=MONDAY + 34_000.25),),
)


def edited(policy: Policy) -> Policy:
    """Return the policy after an edit of everything that has a time or a place."""
    grades = {
        key: replace(grade, closed=grade.closed | {"social-media"}, safe_search="on")
        if grade.grade in ("9", "6")
        else grade
        for key, grade in policy.grades.items()
    }
    lab, *others = policy.networks
    timetable = tuple(replace(one, grade="9") for one in lab.timetable)
    times = scheduled(
        Scheduled("a", False, "category", "games", Audience.GRADE, "9"), starts_s=27_000
    )
    return replace(
        policy,
        grades=grades,
        networks=(replace(lab, timetable=timetable), *others),
        schedules=times.schedules,
        scheduled=times.scheduled,
        rules=(*policy.rules, block("news.example", Audience.NETWORK, "office")),
    )


def a_day(seed: int) -> list[Looked]:
    """Return rows of a day: at edges, around them, and anywhere."""
    chance = random.Random(seed)
    rows = []
    for _ in range(400):
        near = chance.choice((*EDGES_S, 27_000, 28_500, 29_000, 30_000, 33_000, 34_000))
        second = chance.choice((near - 1, near, near + 1, chance.randrange(86_400)))
        of = LookupContext(*chance.choice(PLACES), "", chance.choice(("pass", "blocked")), "")
        rows.append(Looked(second, chance.choice(NAMES), of, chance.choice((1, 1, 5))))
    return rows


def compared(folder: Path, before: Site, after: Site) -> DifferenceSums:
    """Compare the day of a folder."""
    return compare_week(RecordedWeek(folder, (DAY,), clock=FakeClock()), before, after)


class Naive:
    """Asks both sites for each row, at its second."""

    def __init__(self, before: Site, after: Site) -> None:
        self.sites, self.sums = (before, after), DifferenceSums()

    def add(self, rows: Iterable[Looked]) -> DifferenceSums:
        """Add up what differs."""
        names, places = Counter[NameDifference](), defaultdict[NameDifference, set[AskedPlace]](set)
        for row in rows:
            of, qname, at = row.context, wire(row.name), MONDAY + row.second
            place = AskedPlace(of.grade, of.class_id)
            sites = [
                Site.of(site.timed.policy, site.index, (), None, site.timed.overrides, at)
                for site in self.sites
            ]
            first, second = (
                explain(site, client, qname, RRType.A, at)
                for site, client in zip(sites, self._clients(sites, of), strict=True)
            )
            self.sums.lookups[place] += row.n
            self.sums.allowed[DAY] += row.n * (of.action == "pass")
            if first.blocked != second.blocked:
                kind = CLOSES if second.blocked else OPENS
                by = second if second.blocked else first
            elif first.rewritten_to != second.rewritten_to:
                kind, by = REWRITES, None
            else:
                continue
            if kind == CLOSES and by is not None:
                self.sums.lists[by.list or by.entry or ""] += row.n
            category = (by.category or "") if by else ""
            if category == "self-harm":
                self.sums.confidential += row.n
                continue
            self.sums.changed[place, kind] += row.n
            name = NameDifference(qname, kind, category)
            names[name] += row.n
            places[name].add(place)
        self.sums.names, self.sums.places = names, places
        return self.sums

    @staticmethod
    def _clients(sites: list[Site], of: LookupContext) -> list[Client]:
        rooms = [
            {network.id: site.policy.grades[network.grade] for network in site.policy.networks}
            for site in sites
        ]
        seats = [room.get(of.network) for room in rooms]
        found = []
        for site, seat in zip(sites, seats, strict=True):
            is_second = site is sites[1]
            other = [(one.grade, one.class_id) if one else None for one in seats]
            own = seat is not None and (seat.grade, seat.class_id) == (of.grade, of.class_id)
            if seat is not None and (
                own or (is_second and other[0] is not None and other[0] != other[1])
            ):
                found.append(Client(seat, of.network))
            else:
                grades = site.policy.grades
                recorded = grades.get(of.class_id) or grades[of.grade]
                found.append(Client(recorded, of.network or None))
        return found


GUARDS = (
    a_protection("example", but=("games", "self-harm")),
    a_protection("chat.example", subtree=False),
    a_protection("game.example", but=("games",)),
)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 8))]
)
@pytest.mark.parametrize(
    "guards", [pytest.param((), marks=pytest.mark.long), GUARDS], ids=["", "guarded"]
)
def test_sums_are_those_of_asking_both_sites_row_by_row(
    tmp_path: Path, indexes: tuple[Index, Index], seed: int, guards: tuple[Protection, ...]
) -> None:
    rows, policy = a_day(seed), a_policy(protections=guards)
    write_day(tmp_path, DAY, rows)
    before = a_site(policy, indexes[0], OVERRIDES)
    after = a_site(edited(policy), indexes[1], OVERRIDES)
    naive = Naive(before, after).add(rows)
    assert naive.changed, "something has to differ"
    assert naive.confidential
    assert compared(tmp_path, before, after) == naive


def test_control_a_day_that_is_judged_as_one_time_differs_from_that(
    tmp_path: Path, indexes: tuple[Index, Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = a_day(0)
    write_day(tmp_path, DAY, rows)
    sites = a_site(a_policy(), indexes[0], OVERRIDES), a_site(edited(a_policy()), indexes[1])
    monkeypatch.setattr("filterd.resolve.what_if._SiteThen.edges", lambda _: iter(()))
    assert compared(tmp_path, *sites) != Naive(*sites).add(rows)


def test_the_same_site_differs_in_nothing(tmp_path: Path, indexes: tuple[Index, Index]) -> None:
    write_day(tmp_path, DAY, a_day(9), [Known("primary", "game.example")])
    site = a_site(a_policy(), indexes[0], OVERRIDES)
    found = compared(tmp_path, site, site)
    assert not found.changed
    assert not found.changed_distinct
    assert found.lookups.total() == sum(one.n for one in a_day(9))


def test_a_distinct_name_counts_for_the_grades_of_its_tier(
    tmp_path: Path, indexes: tuple[Index, Index]
) -> None:
    seen = [Known("lower-secondary", "news.example"), Known("primary", "open.example")]
    write_day(tmp_path, DAY, [], seen)
    found = compared(tmp_path, *plain_sites(indexes))
    assert found.distinct == {"lower-secondary": 1, "primary": 1}
    assert found.changed_distinct == {("lower-secondary", CLOSES): 1}
    (name,) = found.names
    assert name == (wire("news.example"), CLOSES, "games")
    assert found.names[name] == 0
    assert found.places[name] == {("6", "")}, "games open at twelve"
    assert found.distinct_lists == {"play": 1}
    both = DifferenceSums()
    for _ in range(2):
        both.add(found)
    assert both.distinct_lists == {"play": 2}
    opened = compared(tmp_path, *plain_sites(indexes[::-1]))
    assert (opened.changed_distinct, opened.distinct_lists) == (
        {("lower-secondary", OPENS): 1},
        {},
    )


def test_a_distinct_name_that_a_row_has_counts_once(
    tmp_path: Path, indexes: tuple[Index, Index]
) -> None:
    row = Looked(SEVEN_S, "news.example", LookupContext("6", "", "", "", "pass"))
    seen = [Known("lower-secondary", "news.example")]
    write_day(tmp_path, DAY, [row], seen)
    found = compared(tmp_path, *plain_sites(indexes))
    assert not found.distinct
    assert found.changed == {(("6", ""), CLOSES): 1}


def test_a_damaged_day_counts_nothing_and_is_named(
    tmp_path: Path, indexes: tuple[Index, Index]
) -> None:
    write_day(tmp_path, DAY, [Looked(SEVEN_S, "news.example")])
    (tmp_path / "2026-03-01.sqlite3").write_bytes(b"no database" * 400)
    week = RecordedWeek(tmp_path, (DAY, "2026-03-01"), clock=FakeClock())
    found = compare_week(week, *plain_sites(indexes))
    assert found.changed.total() == 1
    assert week.read == [DAY]
    assert [*week.skipped] == ["2026-03-01"]


def test_no_other_day_begins_when_the_time_is_over(
    tmp_path: Path, indexes: tuple[Index, Index]
) -> None:
    clock = FakeClock()
    for day in (DAY, "2026-03-01"):
        write_day(tmp_path, day, [Looked(SEVEN_S, "news.example")])
    week = RecordedWeek(tmp_path, (DAY, "2026-03-01"), clock=clock, within_s=5.0)
    clock.advance(6.0)
    compare_week(week, *plain_sites(indexes))
    assert week.read == []
    assert [*week.skipped] == [DAY, "2026-03-01"]


def test_names_without_a_log_are_asked_for_each_tier(indexes: tuple[Index, Index]) -> None:
    sites = plain_sites(indexes)
    asked = map(wire, ("news.example", "alone.example", "open.example"))
    found = compare_names(asked, *sites, date(2026, 3, 2))
    assert {name.name for name in found.names} == {wire("news.example")}
    assert ("primary", CLOSES) in found.changed_distinct
    assert ("staff", CLOSES) not in found.changed_distinct
    assert found.confidential == 7, "counted for each tier, and not shown"


@pytest.mark.parametrize("order", [1, -1])
def test_a_name_of_what_is_confidential_in_one_of_the_two_only_is_not_shown(
    indexes: tuple[Index, Index], order: int
) -> None:
    school = a_school()
    games = replace(school.categories["games"], confidential=True)
    marked = replace(school, categories={**school.categories, "games": games})
    before, after = map(a_site, (school, marked)[::order], indexes)
    found = compare_names([wire("news.example")], before, after, date(2026, 3, 2))
    assert (found.names, found.changed_distinct) == (Counter(), Counter())
    assert found.confidential


@pytest.mark.parametrize(("order", "counted"), [(1, 3), (-1, 0)])
def test_of_a_name_that_is_confidential_now_no_lookup_is_counted(
    tmp_path: Path, indexes: tuple[Index, Index], order: int, counted: int
) -> None:
    """It was recorded before the lists had it; a trial of it alone would show how often."""
    write_day(tmp_path, DAY, [Looked(SEVEN_S, "alone.example")] * 3)
    first, second = indexes[::order]
    found = compared(tmp_path, *plain_sites((first, second)))
    assert (found.confidential, found.changed.total(), found.names) == (counted, 0, Counter())


def test_of_too_many_names_the_others_are_counted(
    tmp_path: Path, indexes: tuple[Index, Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.resolve.what_if.MOST_NAMES", 1)
    of = LookupContext("6", "", "", "", "pass")
    rows = [Looked(n, f"a{n}.news.example", of) for n in range(3)]
    write_day(tmp_path, DAY, rows)
    found = compared(tmp_path, *plain_sites(indexes))
    assert found.changed.total() == 3
    assert len(found.names) == 1
    assert found.unnamed == 2


def test_of_a_name_that_is_noted_already_lookups_are_added_though_there_is_no_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("filterd.resolve.what_if.MOST_NAMES", 1)
    sums, place = DifferenceSums(), AskedPlace("6", "")
    first, second = (NameDifference(wire(name), CLOSES, "games") for name in ("a.test", "b.test"))
    for name in (first, second, first):
        sums.note(name, 2, (place,))
    assert (dict(sums.names), sums.unnamed) == ({first: 4}, 1)
    both = DifferenceSums()
    both.add(sums)
    both.add(sums)
    assert (dict(both.names), both.unnamed) == ({first: 8}, 2)
    assert both.places[first] == {place}


def _looked(second: int, name: str, *of: str, n: int = 1) -> Looked:
    grade, class_id, network = of
    return Looked(second, name, LookupContext(grade, class_id, network, "", "pass", ""), n)


def _changed(
    folder: Path, index: Index, before: Policy, after: Policy, *rows: Looked, **set_before: Any
) -> dict[tuple[AskedPlace, str], int]:
    write_day(folder, DAY, rows)
    sites = a_site(before, index, Overrides(**set_before)), a_site(after, index)
    return dict(compared(folder, *sites).changed)


def test_a_rule_with_dates_changes_lookups_from_its_begin_to_before_its_end(
    tmp_path: Path, indexes: tuple[Index, Index]
) -> None:
    rule = block("dated.example", starts_at=MONDAY + 27_000, ends_at=MONDAY + 29_000)
    rows = [
        _looked(second, "dated.example", "6", "", "") for second in (26_999, 27_000, 28_999, 29_000)
    ]
    found = _changed(tmp_path, indexes[0], a_school(), a_school(rules=(rule,)), *rows)
    assert found == {(AskedPlace("6"), CLOSES): 2}


@pytest.mark.parametrize("order", [1, -1])
def test_a_rule_for_a_network_changes_lookups_from_there_only(
    tmp_path: Path, indexes: tuple[Index, Index], order: int
) -> None:
    lab, office = a_school().networks
    networks = (lab, office, replace(lab, id="other", cidrs=("203.0.113.0/24",), macs=()))
    rule = block("a.example", Audience.NETWORK, "other")
    before = a_school(networks=networks)
    rows = [
        _looked(SEVEN_S + n, "a.example", "6", "", network, n=n + 1)
        for n, network in enumerate(("lab", "other")[::order])
    ]
    found = _changed(tmp_path, indexes[0], before, replace(before, rules=(rule,)), *rows)
    assert found == {(AskedPlace("6"), CLOSES): 2 if order == 1 else 1}


def test_in_an_exam_each_name_is_judged_for_itself(
    tmp_path: Path, indexes: tuple[Index, Index]
) -> None:
    rows = [
        _looked(SEVEN_S + 60 + n, name, "6", "", "lab")
        for n, name in enumerate(("exam.example", "a.example", "b.example", "exam.example"))
    ]
    exam = an_exam()
    found = _changed(tmp_path, indexes[0], a_school(), a_school(), *rows, exams=(exam,))
    assert found == {(AskedPlace("6"), OPENS): 2}


def test_a_class_without_a_room_has_its_own_rules_and_an_unknown_grade_those_of_nobody(
    tmp_path: Path, indexes: tuple[Index, Index]
) -> None:
    policy = with_classes(a_school())
    closed = policy.grades["9B"].closed | {"games"}
    of_class = replace(policy.grades["9B"], closed=closed)
    after = replace(policy, grades={**policy.grades, "9B": of_class})
    rows = [
        _looked(SEVEN_S, "game.example", grade, class_id, "", n=n)
        for n, (grade, class_id) in enumerate((("9", "9B"), ("9", ""), ("old", "")), 1)
    ]
    assert _changed(tmp_path, indexes[0], policy, after, *rows) == {
        (AskedPlace("9", "9B"), CLOSES): 1
    }


def test_a_name_that_is_answered_here_changes_by_no_rule(
    tmp_path: Path, indexes: tuple[Index, Index]
) -> None:
    rows = [_looked(SEVEN_S, name, "6", "", "lab") for name in ("a.b.test", "a.example")]
    rules = (block("b.test"), block("a.example"))
    found = _changed(tmp_path, indexes[0], a_school(), a_school(rules=rules), *rows)
    assert found == {(AskedPlace("6"), CLOSES): 1}


def test_distinct_names_are_judged_at_noon_and_by_no_schedule(
    tmp_path: Path, indexes: tuple[Index, Index]
) -> None:
    closing = Scheduled("a", False, "category", "games", Audience.GRADE, "9")
    at_noon = scheduled(closing, starts_s=11 * 3600, ends_s=13 * 3600)
    rule = block("dated.example", starts_at=MONDAY + 11 * 3600, ends_at=MONDAY + 13 * 3600)
    seen = [Known("lower-secondary", name) for name in ("game.example", "dated.example")]
    write_day(tmp_path, DAY, [], seen)
    before, after = a_school(), replace(at_noon, rules=(rule,))
    found = compared(tmp_path, a_site(before, indexes[0]), a_site(after, indexes[0]))
    assert {(one.name, one.kind) for one in found.names} == {(wire("dated.example"), CLOSES)}


def test_names_that_were_alike_until_a_rule_began_are_told_apart_from_then_on(
    tmp_path: Path, indexes: tuple[Index, Index]
) -> None:
    rule = block("a.example", starts_at=MONDAY + 27_000)
    asked = ((26_000, "a"), (26_001, "b"), (27_001, "b"), (27_002, "a"), (27_003, "c"))
    rows = [_looked(second, f"{name}.example", "6", "", "") for second, name in asked]
    found = _changed(tmp_path, indexes[0], a_school(), a_school(rules=(rule,)), *rows)
    assert found == {(AskedPlace("6"), CLOSES): 1}


def test_a_grade_that_opens_nothing_but_its_own_names_is_judged_name_by_name(
    tmp_path: Path, indexes: tuple[Index, Index]
) -> None:
    policy = a_school(rules=(allow("a.example", Audience.GRADE, "6"),))
    only = replace(policy.grades["6"], allow_only=True)
    after = replace(policy, grades={**policy.grades, "6": only})
    names = ("b.example", "a.example", "c.example")
    write_day(tmp_path, DAY, [], [Known("lower-secondary", name) for name in names])
    found = compared(tmp_path, a_site(policy, indexes[0]), a_site(after, indexes[0]))
    assert {one.name for one in found.names} == {wire("b.example"), wire("c.example")}
    assert found.changed_distinct == {("lower-secondary", CLOSES): 2}
    assert set(map(frozenset, found.places.values())) == {frozenset({AskedPlace("6")})}


def test_a_name_of_no_tier_is_not_judged(tmp_path: Path, indexes: tuple[Index, Index]) -> None:
    write_day(tmp_path, DAY, [], [Known("", "news.example")])
    found = compared(tmp_path, *plain_sites(indexes))
    assert (found.distinct, found.names) == ({}, {})


@pytest.mark.parametrize("order", [1, -1])
def test_networks_with_rules_of_their_own_are_told_apart(
    tmp_path: Path, indexes: tuple[Index, Index], order: int
) -> None:
    lab, office = a_school().networks
    others = [replace(lab, id=name, cidrs=(), macs=()) for name in ("one", "two")]
    before = a_school(networks=(lab, office, *others))
    rules = (
        block("a.example", Audience.NETWORK, "one"),
        block("b.example", Audience.NETWORK, "two"),
    )
    rows = [
        _looked(SEVEN_S + n, "a.example", "6", "", network, n=n + 1)
        for n, network in enumerate(("one", "two")[::order])
    ]
    found = _changed(tmp_path, indexes[0], before, replace(before, rules=rules), *rows)
    assert found == {(AskedPlace("6"), CLOSES): 1 if order == 1 else 2}


def test_kinds_of_changes_are_an_interface_and_nothing_is_counted_yet() -> None:
    assert (CLOSES, OPENS, REWRITES) == ("closes", "opens", "rewrites")
    assert what_if.MOST_NAMES == 100_000
    sums = DifferenceSums()
    assert (sums.confidential, sums.unnamed, sums.lookups.total()) == (0, 0, 0)
    assert AskedPlace("6") == AskedPlace("6", "")


@pytest.mark.parametrize(
    ("action", "allowed"), [("pass", 1), ("rewritten", 1), ("blocked", 0), ("failed", 0)]
)
def test_lookups_that_were_answered_are_counted_by_day(
    tmp_path: Path, indexes: tuple[Index, Index], action: str, allowed: int
) -> None:
    of = LookupContext("6", "", "", "", action, "")
    write_day(tmp_path, DAY, [Looked(SEVEN_S, "a.example", of)])
    assert compared(tmp_path, *plain_sites(indexes)).allowed.total() == allowed
