# SPDX-License-Identifier: Apache-2.0
"""One judgement of the protection: a verdict for each state, and numbers only."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.base.paths import shipped
from filterd.base.protection_facts import ProtectionFacts
from filterd.base.protection_level import FILLED_CATEGORIES, SHIPPED_LISTS, judge, judge_only
from filterd.base.protection_line import (
    LineState,
    ProtectionLevel,
    ProtectionSubject,
    RemedyAct,
)
from filterd.lists.catalogs.catalog import load_catalog, shipped_sources
from filterd.lists.rules import MERGED_PREFIX
from tests.support.protections import CASES, WELL, status_of

NOTHING_KNOWN = ProtectionFacts(now=0.0)


def test_a_gateway_that_lacks_nothing_is_protected_and_says_so_of_each_subject() -> None:
    judged = judge(ProtectionFacts.of(WELL))
    assert (judged.level, str(judged.sentence)) == (ProtectionLevel.PROTECTED, "Protected")
    assert [line.subject for line in judged.lines] == list(ProtectionSubject)
    assert {line.state for line in judged.lines} == {LineState.GOOD}


@pytest.mark.parametrize("name", CASES)
def test_each_state_has_its_verdict(name: str) -> None:
    case = CASES[name]
    judged = judge(ProtectionFacts.of(status_of(name)))
    (line,) = (one for one in judged.lines if one.subject is case.subject)
    assert (line.state, line.alert) == (case.state, case.alert)
    assert bool(line.remedy) is (case.state is not LineState.GOOD)
    assert all(one.state is LineState.GOOD for one in judged.lines if one is not line)
    levels = {LineState.NOT: ProtectionLevel.NOT, LineState.PARTLY: ProtectionLevel.PARTLY}
    assert judged.level is levels.get(case.state, ProtectionLevel.PROTECTED)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(sorted(CASES)), max_size=5, unique=True))
def test_the_level_is_that_of_the_worst_line(names: list[str]) -> None:
    judged = judge(ProtectionFacts.of(status_of(*names)))
    assert {line.subject for line in judged.lines} == set(ProtectionSubject)
    states = [line.state for line in judged.lines]
    assert judged.is_whole is {LineState.PARTLY, LineState.NOT}.isdisjoint(states)
    if LineState.NOT in states:
        assert judged.level is ProtectionLevel.NOT
        assert judged.short[0].state is LineState.NOT
        assert str(judged.sentence).startswith("Not protected: ")


def test_what_is_not_known_is_neither_good_nor_short() -> None:
    judged = judge(NOTHING_KNOWN)
    assert {line.state for line in judged.lines} == {LineState.UNSEEN}
    assert all(line.remedy for line in judged.lines)


def test_a_sentence_has_numbers_only_and_no_name_of_a_list_category_tier_or_link() -> None:
    names = ("a list never came", "a starter list alone", "an open link", "a listed name is open")
    judged = judge(ProtectionFacts.of(status_of(*names)))
    assert {item for one in judged.short for item in one.items} == {"oisd", "porn", "lan1", "guest"}
    assert not any(one in str(judged.sentence) for one in ("oisd", "porn", "lan1", "guest"))


def test_a_gateway_on_its_starter_lists_is_offered_the_recommended_ones() -> None:
    facts = ProtectionFacts.of(status_of("a starter list alone"))
    (line,) = judge_only((ProtectionSubject.STARTER,), facts).short
    assert line.act is RemedyAct.FOLLOW
    assert line.to_plain()["act"] == "follow"


def test_what_a_starter_list_is_too_little_for_is_what_recommended_lists_fill() -> None:
    names = Counter[str]()
    for source in shipped_sources():
        names[source.category] += source.recommended and (source.names or MORE_THAN_A_STARTER)
    filled = {category for category, n in names.items() if n >= MORE_THAN_A_STARTER}
    assert filled | SMALL == FILLED_CATEGORIES
    catalog = load_catalog(shipped("blocklists"))
    assert all(one.id.startswith(SHIPPED_LISTS) for one in catalog.lists)
    merged = [MERGED_PREFIX + source.id for source in shipped_sources()]
    assert not any(one.startswith(SHIPPED_LISTS) for one in merged)


MORE_THAN_A_STARTER = 500
"""A starter list has up to 240 names; recommended lists of fewer than that add little to it."""
SMALL = {"unsafe-search"}
"""A category of few names, all of which the recommended list has."""
