# SPDX-License-Identifier: Apache-2.0
"""What a pupil may know of a verdict, and nothing more."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from filterd.lists.rules import Pin
from filterd.policy.model import Audience, LocalRule, LocalZone
from filterd.resolve.block_reason import BlockFacts, BlockReason, facts_of
from filterd.resolve.special_use import SpecialReason
from tests.support.policies import CATEGORIES, wire
from tests.support.pupils import (
    CHILD,
    HARM,
    MALWARE,
    OFFICE,
    ORDER,
    PORN,
    PUPIL,
    SOCIAL,
    STRANGER,
    a_pupils_policy,
    a_pupils_site,
    explained,
)
from tests.support.week import SEVEN, an_exam

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.resolve.site import Site

OWN = LocalRule(
    "file:1", wire("own.example"), False, Audience.EVERYBODY, "", "An, 6A, plays it", "lan"
)
SCHOOL = a_pupils_policy()
GAMES = CATEGORIES["games"]
"""From 12 years on."""
IN_TURN: dict[str, dict[str, Any]] = {
    "home": {"reason": "local-zone"},
    "check": {"reason": "pin", "note": "captive-check"},
    "open": {"action": "pass"},
    "law": {"category": "law-ordered"},
    "help": {"is_confidential": True},
    "danger": {"category": "malware"},
    "exam": {"reason": "allow-only"},
    "hours": {"changed_by": "schedule:gio-hoc"},
    "locked": {"category": "porn", "reason": "locked"},
    "age": {"category": "games"},
    "school": {},
}
"""What makes each kind of reason, in the order in which they are looked at."""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return a_pupils_site(
        tmp_path,
        rules=(OWN, replace(OWN, id="file:2", name=wire("later.example"), ends_at=SEVEN + 60)),
        pins=(Pin(wire("check.example"), False, "captive-check"),),
        local_zones=(LocalZone(wire("lan.home.arpa"), ()),),
    )


def _facts(site: Site, name: str, address: str = PUPIL) -> BlockFacts:
    found = explained(site, wire(name), address)
    assert found is not None
    hides = site.confidential.hides(wire(name), found["category"] or "")
    return facts_of(found, site.policy, is_confidential=hides)


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        (SOCIAL, SOCIAL),
        (f"nguyen-van-a-xau.{SOCIAL}", SOCIAL),
        ("lan.own.example", "own.example"),
        ("plain.example", None),
    ],
)
def test_the_entry_is_what_a_list_or_the_school_has(
    site: Site, name: str, entry: str | None
) -> None:
    assert _facts(site, name).entry == entry


def test_a_rule_for_look_alikes_has_no_entry_and_no_review(site: Site) -> None:
    found = explained(site, wire(SOCIAL), PUPIL)
    assert found is not None
    fits = facts_of(found | {"entry": "~social"}, site.policy, is_confidential=False)
    assert (fits.reason, fits.entry, fits.may_ask) == (BlockReason.AGE, None, False)
    listed = facts_of(found, site.policy, is_confidential=False)
    assert (listed.entry, listed.may_ask) == (SOCIAL, True)


@pytest.mark.parametrize(
    ("name", "reason", "category"),
    [
        (SOCIAL, "age", "social-media"),
        (PORN, "locked", "porn"),
        (MALWARE, "danger", "malware"),
        (ORDER, "law", "law-ordered"),
        (HARM, "help", None),
        (f"both.{PORN}", "help", None),
        ("own.example", "school", None),
        ("plain.example", "open", None),
        ("check.example", "check", None),
        ("a.lan.home.arpa", "home", None),
        ("a.local", "home", None),
    ],
)
def test_each_name_has_its_kind_of_reason(
    site: Site, name: str, reason: str, category: str | None
) -> None:
    facts = _facts(site, name)
    assert facts.reason == reason
    assert (facts.category and facts.category.id) == category


@pytest.mark.parametrize(
    ("name", "address", "may_ask"),
    [
        (SOCIAL, PUPIL, True),
        ("own.example", PUPIL, True),
        (SOCIAL, CHILD, False),
        (SOCIAL, STRANGER, False),
        (PORN, PUPIL, False),
        (HARM, PUPIL, False),
        ("plain.example", PUPIL, False),
        ("own.example", OFFICE, False),
    ],
)
def test_older_pupils_may_ask_about_what_the_school_could_open(
    site: Site, name: str, address: str, *, may_ask: bool
) -> None:
    assert _facts(site, name, address).may_ask is may_ask


def _of(*, is_confidential: bool = False, **said: Any) -> BlockFacts:
    """Return the facts of an explanation that says this, of a class of grade 6."""
    plain: dict[str, Any] = {
        "reason": "category",
        "action": "nxdomain",
        "category": None,
        "note": None,
        "matched": SOCIAL,
        "entry": SOCIAL,
        "changed_by": None,
        "valid_until": None,
        "next_match": None,
        "network": "room-6a",
        "class": "6A",
        "grade": "6",
        "tier": "lower-secondary",
    }
    return facts_of(plain | said, SCHOOL, is_confidential=is_confidential)


@pytest.mark.parametrize("kind", [*IN_TURN])
def test_each_kind_of_reason_has_its_sign(kind: str) -> None:
    assert _of(**IN_TURN[kind]).reason == kind


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pair
        for pair in combinations(IN_TURN, 2)
        if IN_TURN[pair[0]].keys().isdisjoint(IN_TURN[pair[1]]) and "exam" not in pair
    ],
)
def test_of_two_kinds_the_first_counts(first: str, second: str) -> None:
    assert _of(**IN_TURN[first], **IN_TURN[second]).reason == first


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"reason": "local-zone"}, "home"),
        ({"reason": "lease"}, "home"),
        ({"reason": "not-asked"}, "home"),
        *(({"reason": one}, "home") for one in SpecialReason),
        ({"reason": "pin", "note": "exam portal"}, "school"),
        ({"reason": "category", "note": "captive-check"}, "school"),
        ({"action": "rewrite"}, "open"),
        ({"reason": "ordered"}, "law"),
        ({"reason": "ordered", "is_confidential": True}, "law"),
        ({"reason": "allow-only", "category": "porn"}, "exam"),
        ({"reason": "allow-only", "changed_by": "schedule:gio-hoc"}, "hours"),
        ({"reason": "allow-only", "changed_by": "setting:3"}, "hours"),
        ({"changed_by": "setting:3"}, "school"),
        ({"changed_by": "setting:3", "category": "games"}, "age"),
        ({"class": None, "category": "games"}, "age"),
        ({"class": "9B", "category": "games"}, "school"),  # a class goes before its grade
        ({"class": None, "grade": "7", "category": "games"}, "school"),  # 12 is old enough
        ({"class": None, "grade": "unheard", "category": "games"}, "school"),
        ({"category": "unheard"}, "school"),
        ({"reason": "local", "category": "games"}, "school"),
        ({"reason": "local", "category": "porn"}, "locked"),
        ({"category": "porn"}, "school"),  # a look-alike rule: a guess, which is not locked
    ],
)
def test_a_kind_of_reason_goes_by_all_that_is_said(said: dict[str, Any], reason: str) -> None:
    assert _of(**said).reason == reason


@pytest.mark.parametrize(
    ("said", "is_shown"),
    [
        ({}, False),
        ({"category": "games"}, False),  # its age is no end
        ({"reason": "local"}, True),
        ({"reason": "allow-only"}, True),  # an exam
        ({"changed_by": "schedule:gio-hoc"}, True),
        ({"changed_by": "setting:3", "category": "games"}, True),
        ({"reason": "allow-only", "changed_by": "schedule:gio-hoc"}, True),
    ],
)
def test_an_end_is_that_of_what_was_set(said: dict[str, Any], is_shown: bool) -> None:
    ends = _of(**said, valid_until="2026-03-02T01:00:00+00:00")
    assert ends.until == (1_772_413_200.0 if is_shown else None)
    assert _of(**said).until is None


@pytest.mark.parametrize(
    ("said", "may_ask"),
    [
        ({}, True),
        ({"category": "games"}, True),
        ({"tier": "upper-secondary"}, True),
        ({"tier": "continuing"}, True),
        ({"tier": "primary"}, False),
        ({"tier": "preschool"}, False),
        ({"tier": "staff"}, False),
        ({"network": None}, False),
        ({"matched": None, "entry": None}, False),
        ({"entry": "~social"}, False),
        ({"entry": "file:1"}, True),
        ({"entry": None}, True),
        ({"category": "porn", "reason": "locked"}, False),
        ({"category": "porn"}, True),
        ({"reason": "locked"}, False),  # of a category that is gone from the policy
        ({"next_match": {"reason": "locked"}}, False),  # opening it would not help
        ({"next_match": {"reason": "ordered"}}, False),
        ({"next_match": {"reason": "category"}}, True),
        ({"next_match": {}}, True),
        ({"reason": "allow-only"}, False),
        ({"changed_by": "schedule:gio-hoc"}, False),
    ],
)
def test_a_pupil_may_ask_where_the_answer_could_be_yes(said: dict[str, Any], may_ask: bool) -> None:
    assert _of(**said).may_ask is may_ask


def test_a_category_is_named_unless_the_name_or_the_category_is_confidential() -> None:
    assert _of(category="games").category == GAMES
    assert _of(category="games", is_confidential=True).category is None
    assert _of(category="self-harm").category is None


def test_an_end_is_shown_where_the_reason_has_one(site: Site) -> None:
    assert _facts(site, "later.example").until == SEVEN + 60
    assert _facts(site, SOCIAL).until is None


def test_an_exam_is_named_and_help_goes_before_it(site: Site) -> None:
    during = site.at(SEVEN, replace(site.timed.overrides, exams=(an_exam(room="room-6a"),)))
    facts = _facts(during, "plain.example")
    assert (facts.reason, facts.may_ask) == (BlockReason.EXAM, False)
    assert facts.until is not None
    assert _facts(during, HARM).reason is BlockReason.HELP


def test_no_text_or_name_that_staff_wrote_is_among_the_facts(site: Site) -> None:
    assert "An, 6A" not in repr(_facts(site, "own.example"))
    assert "lan" not in repr(_facts(site, "own.example"))
