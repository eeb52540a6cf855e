# SPDX-License-Identifier: Apache-2.0
"""The deciding rule and the next one; test_engine.py has the whole order."""

from __future__ import annotations

import pytest

from filterd.policy.precedence import RankedMatch, covers, deciding, defeats, in_turn, spares
from filterd.policy.verdict import Match, Rule
from tests.support.policies import wire

NAME = wire("site.example")

PIN = Match(Rule.PIN, False, NAME)
ORDER = Match(Rule.ORDERED, True, NAME, category="law-ordered")
PROTECTION = Match(Rule.PROTECTED, False, NAME, except_categories=frozenset({"chat"}))
LOCKED = Match(Rule.LOCKED, True, NAME, category="porn", third_party=True)
ALLOW = Match(Rule.LOCAL, False, NAME)
BLOCK = Match(Rule.LOCAL, True, NAME)
EXCEPTION = Match(Rule.LIST_EXCEPTION, False, NAME, category="games")
CLOSED = Match(Rule.CATEGORY, True, NAME, category="games", third_party=True)
OWN_CLOSED = Match(Rule.CATEGORY, True, NAME, category="games")
CHAT = Match(Rule.CATEGORY, True, NAME, category="chat", third_party=True)
OPEN = Match(Rule.OPEN, False, NAME, category="ads-trackers", third_party=True)


def test_without_a_match_no_rule_decides() -> None:
    assert deciding([]) is None


def test_every_speaker_has_its_turn_once() -> None:
    everybody = [OPEN, CLOSED, EXCEPTION, ALLOW, LOCKED, ORDER, PIN]
    turns = list(in_turn(map(RankedMatch, everybody)))
    assert turns == [PIN, ORDER, LOCKED, ALLOW, EXCEPTION, CLOSED, OPEN]


def test_a_match_with_nothing_to_take_away_has_no_turn() -> None:
    assert list(in_turn(map(RankedMatch, [PROTECTION, EXCEPTION]))) == []


def test_what_was_taken_away_comes_back_once_its_taker_had_its_turn() -> None:
    assert list(in_turn(map(RankedMatch, [PROTECTION, LOCKED, ALLOW]))) == [
        PROTECTION,
        LOCKED,
        ALLOW,
    ]


def test_equal_blocks_have_their_turns_in_the_order_given() -> None:
    other = Match(Rule.CATEGORY, True, NAME, category="games", list_id="other")
    assert list(in_turn(map(RankedMatch, [CLOSED, other]))) == [CLOSED, other]


@pytest.mark.parametrize(
    ("block", "is_defeated"),
    [(LOCKED, True), (CLOSED, True), (OWN_CLOSED, False), (CHAT, False), (ORDER, False)],
)
def test_protection_defeats_third_parties_but_for_its_exceptions(
    block: Match, is_defeated: bool
) -> None:
    assert defeats(PROTECTION, block) is is_defeated


def test_protection_does_not_defeat_an_order_of_any_origin() -> None:
    assert not defeats(PROTECTION, Match(Rule.ORDERED, True, NAME, third_party=True))


@pytest.mark.parametrize(
    ("exception", "block", "is_spared"),
    [
        (RankedMatch(EXCEPTION, 2), RankedMatch(CLOSED, 2), True),
        (RankedMatch(EXCEPTION, 2), RankedMatch(CLOSED, 3), True),
        (RankedMatch(EXCEPTION, 3), RankedMatch(CLOSED, 2), True),
        (RankedMatch(EXCEPTION, 2), RankedMatch(CHAT, 2), False),
        # $important
        (RankedMatch(EXCEPTION, 2), RankedMatch(CLOSED, 2, important=True), False),
        (RankedMatch(EXCEPTION, 2, important=True), RankedMatch(CLOSED, 2, important=True), True),
        # RPZ, dnsmasq, unbound: the longer name decides
        (RankedMatch(EXCEPTION, 2, specific=True), RankedMatch(CLOSED, 2), True),
        (RankedMatch(EXCEPTION, 3, specific=True), RankedMatch(CLOSED, 2), True),
        (RankedMatch(EXCEPTION, 2, specific=True), RankedMatch(CLOSED, 3), False),
    ],
)
def test_an_exception_spares_blocks_of_its_category_that_do_not_outrank_it(
    exception: RankedMatch, block: RankedMatch, is_spared: bool
) -> None:
    assert spares(exception, block) is is_spared


@pytest.mark.parametrize(
    ("cover", "covered"),
    [
        (PIN, {ORDER, LOCKED, BLOCK, CLOSED, OWN_CLOSED, CHAT}),
        (PROTECTION, {LOCKED, CLOSED}),
        (ALLOW, {BLOCK, CLOSED, OWN_CLOSED, CHAT}),
        (BLOCK, set()),
        (EXCEPTION, set()),
        (OPEN, set()),
    ],
)
def test_each_rule_covers_those_of_design_2(cover: Match, covered: set[Match]) -> None:
    blocks = {ORDER, LOCKED, BLOCK, CLOSED, OWN_CLOSED, CHAT}
    assert {block for block in blocks if covers(cover, block)} == covered


ALLOW_ONLY = Match(Rule.ALLOW_ONLY, True, b"\0")


@pytest.mark.parametrize(
    ("other", "decides"),
    [
        (Match(Rule.PIN, False, NAME), "other"),
        (Match(Rule.LOCAL, False, NAME), "other"),
        (Match(Rule.LOCKED, True, NAME, category="porn"), "other"),
        (Match(Rule.CATEGORY, True, NAME, category="games"), "other"),
        (Match(Rule.PROTECTED, False, NAME), "allow-only"),
        (EXCEPTION, "allow-only"),
        (OPEN, "allow-only"),
    ],
)
def test_where_only_the_allowed_passes_a_pin_or_a_local_allow_lets_through(
    other: Match, decides: str
) -> None:
    first = deciding([RankedMatch(other), RankedMatch(ALLOW_ONLY)])
    assert first is not None
    assert first.match is (other if decides == "other" else ALLOW_ONLY)


def test_a_suspended_entry_is_defeated_and_no_other() -> None:
    suspension = Match(Rule.PROTECTED, False, NAME, entry_only=True)
    entry = Match(Rule.LOCKED, True, NAME, category="malware", third_party=True)
    longer = entry._replace(subject=b"\1a" + NAME)
    assert [defeats(suspension, one) for one in (entry, longer)] == [True, False]
    assert defeats(suspension._replace(entry_only=False), longer)
