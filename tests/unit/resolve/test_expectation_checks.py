# SPDX-License-Identifier: Apache-2.0
"""A site is held to what is expected of it, whatever commands have set at the time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigErrors
from filterd.policy.model import (
    EXPECTED,
    Audience,
    Client,
    Expectation,
    Lesson,
    LocalRule,
    Network,
    Period,
    Schedule,
    Scheduled,
    SchoolClass,
    Window,
)
from filterd.policy.temporary_rules import LocalException, Overrides, TargetKind
from filterd.resolve import expectation_checks
from filterd.resolve.expectation_checks import doubts, outranked
from filterd.resolve.explain import explain
from filterd.resolve.site import Site
from filterd.texts.i18n import from_plain
from tests.support.fake_daemon import MONDAY_AT_8
from tests.support.policies import NOW, a_pin, a_policy, an_index, wire

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.lists.index import Index
    from filterd.policy.model import Policy

HOUR = 3600.0
GAMES = "play.example"
EVERY_DAY = frozenset(range(7))
NOON = Schedule("noon", (Window(EVERY_DAY, 11 * 3600, 13 * 3600),))
LAB = Network(
    "lab", "6", ("10.0.0.0/24",), timetable=(Period(0, "one", "12"), Period(0, "two", "3"))
)
LESSONS = (Lesson("one", 28_800, 32_400), Lesson("two", 32_400, 36_000))


def _expect(whom: str, *, blocked: bool, audience: Audience = Audience.GRADE) -> Expectation:
    verb = "is blocked" if blocked else "passes"
    finding = f"{GAMES} {verb} for {whom}"
    return Expectation(wire(GAMES), blocked, audience, whom, finding, "x.yaml", 7)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return an_index(tmp_path, {"games": ("games", "domains", False, [GAMES])})


def _site(index: Index, policy: Policy, overrides: Overrides | None = None) -> Site:
    return Site.of(policy, index, (), overrides=overrides or Overrides(), now=MONDAY_AT_8)


def _unmet(site: Site, *wanted: Expectation) -> list[Expectation]:
    return [one.expectation for one in expectation_checks.unmet(site, wanted, MONDAY_AT_8)]


def test_what_is_so_is_met_and_what_is_not_is_reported(index: Index) -> None:
    site = _site(index, a_policy())
    met = [_expect("3", blocked=True), _expect("12", blocked=False)]
    wrong = [_expect("3", blocked=False), _expect("12", blocked=True)]
    assert _unmet(site, *met, *wrong) == wrong


def test_a_tier_is_every_grade_of_it(index: Index) -> None:
    site = _site(index, a_policy())
    of_tier = _expect("lower-secondary", blocked=True, audience=Audience.TIER)
    (unmet,) = expectation_checks.unmet(site, [of_tier], MONDAY_AT_8)
    assert [one.grade for one in unmet.found] == ["7", "8", "9"]
    assert str(unmet.error()) == (
        "x.yaml:7: expected: play.example is blocked for lower-secondary; but it passes for"
        " 7, 8, 9 (a category open to this grade, games, games)"
        " (correct the policy or the expectation)"
    )
    everybody = _expect("", blocked=True, audience=Audience.EVERYBODY)
    (unmet,) = expectation_checks.unmet(site, [everybody], MONDAY_AT_8)
    assert "staff" in [one.grade for one in unmet.found]


def test_what_commands_have_set_does_not_count(index: Index) -> None:
    rule = LocalException(
        1, TargetKind.NAME, GAMES, True, Audience.EVERYBODY, "", "why", "lan", 0.0
    )
    site = _site(index, a_policy(), Overrides(exceptions=(rule,), number=1))
    client = Client(site.policy.grades["3"])
    assert not explain(site, client, wire(GAMES), 1, MONDAY_AT_8).blocked
    assert _unmet(site, _expect("3", blocked=True)) == []


def test_schedules_count_only_where_it_is_said_when(index: Index) -> None:
    opening = Scheduled("noon", True, "category", "games")
    policy = replace(a_policy(), schedules=(NOON,), scheduled=(opening,))
    always = _expect("3", blocked=True)
    at_noon = replace(_expect("3", blocked=False), weekday=0, second=12 * 3600)
    at_eight = replace(_expect("3", blocked=True), weekday=0, second=8 * 3600)
    on_that_day = replace(_expect("3", blocked=False), at=MONDAY_AT_8 + 4 * HOUR)
    site = Site.of(policy, index, (), now=MONDAY_AT_8 + 4 * HOUR)
    found = expectation_checks.unmet(
        site, [always, at_noon, at_eight, on_that_day], MONDAY_AT_8 + 4 * HOUR
    )
    assert found == ()
    otherwise = replace(at_noon, blocked=True)
    assert _unmet(_site(index, policy), otherwise) == [otherwise]


def test_a_room_has_the_grade_of_its_lesson_at_that_time(index: Index) -> None:
    policy = replace(a_policy(networks=(LAB,)), lessons=LESSONS)
    in_lab = _expect("lab", blocked=False, audience=Audience.NETWORK)
    first = replace(in_lab, weekday=0, second=28_800)
    second = replace(in_lab, weekday=0, second=32_400)
    assert _unmet(_site(index, policy), first, second) == [second]


def _allowed(*names: str, grade: str = "3") -> Policy:
    """Return a policy with exceptions of the site's files."""
    rules = tuple(
        LocalRule(f"site.yaml:{line}:5", wire(name), True, Audience.GRADE, grade, "bài học")
        for line, name in enumerate(names, 30)
    )
    return replace(a_policy(), rules=rules)


def test_what_ships_yields_to_an_exception_of_the_site(index: Index) -> None:
    wanted = replace(_expect("3", blocked=True), shipped=True)
    site = _site(index, replace(_allowed(GAMES), expectations=(wanted,)))
    (finding,) = expectation_checks.check(site, MONDAY_AT_8)
    assert finding.yields
    assert "an exception of the site: valid" in str(finding.error())


def test_what_the_school_itself_expects_yields_to_nothing(index: Index) -> None:
    own = _expect("3", blocked=True)
    site = _site(index, replace(_allowed(GAMES), expectations=(own,)))
    with pytest.raises(ConfigErrors):
        expectation_checks.check(site, MONDAY_AT_8)


def test_an_exception_for_one_grade_excuses_no_other(index: Index) -> None:
    lower = _expect("lower-secondary", blocked=True, audience=Audience.TIER)
    wanted = replace(lower, shipped=True)
    policy = _allowed(GAMES, grade="6")
    site = _site(index, replace(policy, expectations=(wanted,)))  # 7 to 9 have games anyway
    with pytest.raises(ConfigErrors, match="delete the line in a copy"):
        expectation_checks.check(site, MONDAY_AT_8)


def test_what_the_site_in_force_does_not_meet_either_refuses_nothing(index: Index) -> None:
    known, new = _expect("11", blocked=True), _expect("12", blocked=True)
    site = _site(index, replace(a_policy(), expectations=(known, new)))
    with pytest.raises(ConfigErrors) as caught:
        expectation_checks.check(site, MONDAY_AT_8, known={known.written})
    assert len(caught.value.errors) == 1
    finding = expectation_checks.check(site, MONDAY_AT_8, known={known.written, new.written})
    assert [one.expectation for one in finding] == [known, new]


def test_what_is_expected_to_be_blocked_can_be_enforced(index: Index) -> None:
    tier = _expect("upper-secondary", blocked=True, audience=Audience.TIER)
    policy = replace(_allowed(GAMES, grade="12"), expectations=(tier, _expect("3", blocked=False)))
    found = expectation_checks.unmet(_site(index, policy), policy.expectations, MONDAY_AT_8)
    enforced = expectation_checks.enforced(policy, found)
    assert _unmet(_site(index, enforced), tier) == []
    assert _unmet(_site(index, enforced), _expect("3", blocked=True)) == []
    (finding,) = expectation_checks.enforced_in(enforced)
    assert str(finding).startswith(
        "x.yaml:7: expected: play.example is blocked for upper-secondary;"
    )
    assert "let it pass for 10, 11, 12: it is blocked" in str(finding)
    assert _unmet(_site(index, policy), tier) == [tier]


def test_a_rooms_names_are_blocked_where_that_is_expected(index: Index) -> None:
    policy = replace(a_policy(networks=(LAB,)), lessons=LESSONS)
    wanted = _expect("lab", blocked=True, audience=Audience.NETWORK)
    wanted = replace(wanted, weekday=0, second=28_800)  # the lesson of grade 12
    found = expectation_checks.unmet(_site(index, policy), [wanted], MONDAY_AT_8)
    assert len(found) == 1
    assert _unmet(_site(index, expectation_checks.enforced(policy, found)), wanted) == []


def test_a_policy_that_meets_all_or_yields_stays_as_it_is(index: Index) -> None:
    policy = _allowed(GAMES)
    wanted = replace(_expect("3", blocked=True), shipped=True)
    for expected in ([], [wanted], [_expect("4", blocked=True)]):
        found = expectation_checks.unmet(_site(index, policy), expected, MONDAY_AT_8)
        assert expectation_checks.enforced(policy, found) is policy
    assert expectation_checks.enforced_in(policy) == ()


def test_a_site_that_does_not_meet_them_is_refused(index: Index) -> None:
    wanted = [_expect(str(grade), blocked=True) for grade in range(1, 13)] * 4
    site = _site(index, replace(a_policy(), expectations=tuple(wanted)))
    with pytest.raises(ConfigErrors) as caught:
        expectation_checks.check(site, MONDAY_AT_8)
    assert len(caught.value.errors) == 20
    expectation_checks.check(_site(index, a_policy()), MONDAY_AT_8)


def test_what_is_not_met_is_reported_as_plain_data(index: Index) -> None:
    wanted = (_expect("3", blocked=False), _expect("12", blocked=False))
    site = _site(index, replace(a_policy(), expectations=wanted))
    finding = json.loads(json.dumps(expectation_checks.held(site, None, MONDAY_AT_8)))
    (unmet,) = finding["unmet"]
    assert (finding["expectations"], unmet["line"], unmet["yields"]) == (2, 7, False)
    assert [one["grade"] for one in unmet["found"]] == ["3"]
    (error,) = expectation_checks.unmet(site, wanted, MONDAY_AT_8)
    assert from_plain(unmet["sentence"]) == str(error.error())
    assert expectation_checks.held(site, wanted[1:], MONDAY_AT_8) == {
        "expectations": 1,
        "unmet": [],
    }


LISTS = {
    "porn": ("porn", "domains", False, ["porn.example"]),
    "order:court": ("law-ordered", "domains", True, ["ordered.example"]),
    "games": ("games", "domains", False, ["play.example"]),
    "social": ("social-media", "domains", False, ["chat.example"]),
}


@pytest.fixture
def locked_index(tmp_path: Path) -> Index:
    return an_index(tmp_path, LISTS)


def _rule(name: str, *, allow: bool = True, written: str = "site.yaml:12:5") -> LocalRule:
    return LocalRule(written, wire(name), allow, Audience.GRADE, "3", "bài học")


def _locked_site(locked_index: Index, *rules: LocalRule) -> Site:
    policy = replace(a_policy(), rules=rules, kept_closed=frozenset({"social-media"}))
    return Site.of(policy, locked_index, (), now=NOW)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("www.porn.example", "www.porn.example is locked for everybody"),
        ("ordered.example", "ordered.example is closed by a legal order"),
        ("chat.example", "chat.example is kept closed by the school"),
    ],
)
def test_an_allow_of_what_stays_closed_has_no_effect(
    name: str, why: str, locked_index: Index
) -> None:
    (finding,) = outranked(_locked_site(locked_index, _rule(name)), NOW)
    assert str(finding).startswith(f"site.yaml:12:5: {why}: the exception has no effect (")


@pytest.mark.parametrize(
    "rule",
    [
        _rule("play.example"),
        _rule("other.example"),
        _rule("porn.example", allow=False),
        _rule("porn.example", written="exception:4"),  # of a command, which was warned
    ],
)
def test_others_are_not_reported(rule: LocalRule, locked_index: Index) -> None:
    assert list(outranked(_locked_site(locked_index, rule), NOW)) == []


def test_expectations_that_are_not_met_stand_behind_them(locked_index: Index) -> None:
    wanted = Expectation(wire("play.example"), False, Audience.GRADE, "3", "x passes", "x.yaml", 7)
    site = _locked_site(locked_index, _rule("porn.example"))
    unmet = expectation_checks.unmet(site, [wanted] * 60, NOW)
    finding = doubts(site, unmet, NOW)
    assert len(finding) == 40
    assert [one.path for one in finding[:2]] == ["site.yaml", "x.yaml"]
    assert doubts(_locked_site(locked_index), (), NOW) == ()


def test_what_the_active_site_does_not_meet_is_known_by_its_text(index: Index) -> None:
    met, wrong = _expect("3", blocked=True), _expect("12", blocked=True)
    site = _site(index, replace(a_policy(), expectations=(met, wrong)))
    assert expectation_checks.known_to_fail(site, MONDAY_AT_8) == {wrong.written}


@pytest.mark.parametrize(
    ("weekday", "grade_of_lab"),
    [(0, "12"), (1, "3"), (6, "3")],  # between lessons the strictest of the timetable
)
def test_an_expectation_of_a_weekday_is_of_its_next_one(
    index: Index, weekday: int, grade_of_lab: str
) -> None:
    policy = replace(a_policy(networks=(LAB,)), lessons=LESSONS)
    wanted = _expect("lab", blocked=True, audience=Audience.NETWORK)
    wanted = replace(wanted, weekday=weekday, second=28_800)
    is_met = grade_of_lab == "3"
    for today in (MONDAY_AT_8, MONDAY_AT_8 + 86_400, MONDAY_AT_8 + 3 * 86_400):
        found = expectation_checks.unmet(_site(index, policy), [wanted], today)
        assert (found == ()) is is_met


def test_a_rule_with_dates_counts_at_the_time_of_the_expectation(index: Index) -> None:
    """An expectation with a time is judged at that time, one without at the present."""
    ends = MONDAY_AT_8 + HOUR
    rule = LocalRule("x.yaml:1:1", wire(GAMES), True, Audience.GRADE, "3", "", "", None, ends)
    site = _site(index, a_policy(rules=[rule]))
    now, later = (replace(_expect("3", blocked=True), at=at) for at in (None, ends))
    assert _unmet(site, now, later) == [now]


@pytest.mark.parametrize(
    ("whom", "audience", "clients"),
    [
        ("lab", Audience.NETWORK, ["6"]),
        ("nowhere", Audience.NETWORK, []),
        ("7", Audience.GRADE, ["7"]),
        ("lower-secondary", Audience.TIER, ["6", "7", "8", "9"]),
    ],
)
def test_an_expectation_is_asked_for_each_client_that_it_is_about(
    index: Index, whom: str, audience: Audience, clients: list[str]
) -> None:
    policy = a_policy(networks=(replace(LAB, timetable=()),))
    wrong = replace(_expect(whom, blocked=True, audience=audience), name=wire("new.example"))
    found = expectation_checks.unmet(_site(index, policy), [wrong], MONDAY_AT_8)
    assert [one.grade for unmet in found for one in unmet.found] == clients


@pytest.mark.parametrize(("count", "warnings"), [(1, 1), (99, 20)])
def test_warnings_are_bounded(
    index: Index, monkeypatch: pytest.MonkeyPatch, count: int, warnings: int
) -> None:
    monkeypatch.setattr(expectation_checks, "_MOST", 20)
    site = _site(index, a_policy())
    unmet = expectation_checks.unmet(site, [_expect("12", blocked=True)], MONDAY_AT_8)
    assert len(doubts(site, unmet * count, MONDAY_AT_8)) == warnings


@pytest.mark.parametrize(
    ("rule_id", "blocked", "shipped", "yields"),
    [
        ("site.yaml:1:1", False, True, True),
        ("site.yaml:1:1", False, False, False),  # the school's own expectation
        (f"{EXPECTED}1", False, True, False),  # what holds the site to another expectation
        ("", False, True, False),  # no rule of its own: its category
    ],
)
def test_only_a_rule_of_the_site_excuses_it(
    index: Index, rule_id: str, blocked: bool, shipped: bool, yields: bool
) -> None:
    rules = (
        [LocalRule(rule_id, wire(GAMES), False, Audience.GRADE, "12", "", "")] if rule_id else []
    )
    policy = a_policy(rules=rules, also_closed=() if rule_id else ("games",))
    wanted = replace(_expect("12", blocked=blocked), shipped=shipped)
    (found,) = expectation_checks.unmet(_site(index, policy), [wanted], MONDAY_AT_8)
    assert found.yields is yields
    assert "play.example passes for 12; but it is blocked for 12" in str(found.error())


def test_an_expectation_that_is_not_met_is_reported_whole(index: Index) -> None:
    site = _site(index, a_policy())
    (found,) = expectation_checks.held(site, [_expect("12", blocked=True)], MONDAY_AT_8)["unmet"]
    assert (found["expected"], found["path"], found["line"]) == (
        *("play.example is blocked for 12", "x.yaml", 7),
    )
    assert (found["yields"], found["found"][0]["grade"]) == (False, "12")


def test_a_rule_that_has_an_effect_hides_none_after_it(locked_index: Index) -> None:
    rules = (
        _rule("free.example"),
        _rule("free.example", allow=False),
        _rule("porn.example", written="file:1"),
        _rule("porn.example", written="site.yaml:9:1"),
    )
    lines = [one.line for one in outranked(_locked_site(locked_index, *rules), NOW)]
    assert lines == [9]


def test_a_class_is_named_and_blocked_as_such(index: Index) -> None:
    policy = a_policy()
    classes = (SchoolClass("12A", "12", ("lan",)), SchoolClass("12B", "12", ("minh",)))
    grades = {one.id: replace(policy.grades["12"], class_id=one.id) for one in classes}
    policy = replace(policy, classes=classes, grades=policy.grades | grades)
    wanted = _expect("12A", blocked=True, audience=Audience.CLASS)
    (found,) = expectation_checks.unmet(_site(index, policy), [wanted], MONDAY_AT_8)
    assert "but it passes for 12A (" in str(found.error())
    enforced = expectation_checks.enforced(policy, [found])
    assert [(rule.audience, rule.whom) for rule in enforced.rules] == [(Audience.CLASS, "12A")]


def test_an_expectation_of_nobody_is_an_error_without_a_reason() -> None:
    error = expectation_checks.Unmet(_expect("3", blocked=False), ()).error()
    assert str(error).endswith("but it is blocked for  (correct the policy or the expectation)")


def test_a_file_with_a_colon_in_its_name_keeps_it(index: Index) -> None:
    wanted = replace(_expect("12", blocked=True), path="a:b.yaml")
    policy = a_policy()
    found = expectation_checks.unmet(_site(index, policy), [wanted], MONDAY_AT_8)
    (error,) = expectation_checks.enforced_in(expectation_checks.enforced(policy, found))
    assert (error.path, error.line) == ("a:b.yaml", 7)


@pytest.mark.parametrize(("weekday", "second"), [(0, None), (None, 28_800)])
def test_half_a_time_is_none(index: Index, weekday: int | None, second: int | None) -> None:
    policy = replace(a_policy(networks=(LAB,)), lessons=LESSONS)
    wanted = _expect("lab", blocked=True, audience=Audience.NETWORK)
    site = _site(index, policy)
    half = replace(wanted, weekday=weekday, second=second)
    assert _unmet(site, half) == [half]
    assert _unmet(site, wanted) == [wanted]


def test_a_block_of_what_is_pinned_has_no_effect_and_an_allow_of_it_is_none(
    locked_index: Index,
) -> None:
    rules = (
        _rule("pinned.example", allow=False),
        _rule("pinned.example", written="site.yaml:13:5"),
    )
    policy = replace(a_policy(pins=[a_pin("pinned.example")]), rules=rules)
    (error,) = outranked(Site.of(policy, locked_index, (), now=NOW), NOW)
    assert str(error) == (
        "site.yaml:12:5: pinned.example is pinned: nothing may block it: "
        "the exception has no effect (remove it)"
    )


def test_a_reason_names_no_list_where_none_decided(index: Index) -> None:
    rules = [LocalRule("site.yaml:1:1", wire(GAMES), False, Audience.GRADE, "12", "", "")]
    wanted = _expect("12", blocked=False)
    (found,) = expectation_checks.unmet(_site(index, a_policy(rules=rules)), [wanted], MONDAY_AT_8)
    assert "None" not in str(found.error())
    assert ", )" not in str(found.error())


def test_a_variant_of_a_grade_is_not_asked_for(index: Index) -> None:
    policy = a_policy()
    variant = replace(policy.grades["7"], variant="exam")
    policy = replace(policy, grades={**policy.grades, "7-exam": variant})
    wanted = replace(_expect("7", blocked=True), name=wire("new.example"))
    (found,) = expectation_checks.unmet(_site(index, policy), [wanted], MONDAY_AT_8)
    assert [one.grade for one in found.found] == ["7"]
