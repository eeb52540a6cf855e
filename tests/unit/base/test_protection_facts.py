# SPDX-License-Identifier: Apache-2.0
"""The facts are read from a status, and what it lacks is not known."""

from __future__ import annotations

from dataclasses import fields

import pytest

from filterd.base.protection_facts import FeedFacts, ProtectionFacts
from tests.support.protections import FEED, NOW, WELL

PARTS = [field.name for field in fields(ProtectionFacts) if field.name != "now"]


def test_a_whole_status_has_all_facts_of_its_own_moment() -> None:
    facts = ProtectionFacts.of(WELL)
    assert facts.now == NOW
    assert [one for one in PARTS if getattr(facts, one) is None] == []


def test_a_status_of_another_release_has_those_that_it_has() -> None:
    facts = ProtectionFacts.of({"pauses": [{}], "signals": 7})
    assert [one for one in PARTS if getattr(facts, one) is not None] == ["pauses"]
    assert (facts.pauses, facts.now) == (1, 0.0)


@pytest.mark.parametrize("part", ["signals", "feed", "protection", "log", "program", "clock"])
def test_each_part_may_be_missing(part: str) -> None:
    status = {key: value for key, value in WELL.items() if key != part}
    assert ProtectionFacts.of(status, NOW).pauses == 0


def test_lists_beside_a_feed_count_as_the_feed_does() -> None:
    beside = FEED | {"freshness": "old", "expires_at": NOW + 7}
    status = WELL | {"feed": FEED | {"address": "https://feed.example/", "beside": beside}}
    found = FeedFacts(ages=frozenset({"fresh", "old"}), expires_at=NOW + 7, up_s=WELL["up_s"])
    assert ProtectionFacts.of(status).feed == found


def test_a_feed_that_is_not_followed_has_no_age() -> None:
    status = WELL | {"feed": FEED | {"sources": 0, "freshness": "very-old"}}
    facts = ProtectionFacts.of(status)
    assert facts.feed is not None
    assert facts.feed.ages == frozenset()
