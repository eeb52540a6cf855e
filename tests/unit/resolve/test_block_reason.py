# SPDX-License-Identifier: Apache-2.0
"""What a pupil may know of a verdict, and nothing more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.lists.rules import Pin
from filterd.policy.model import Audience, LocalRule, LocalZone
from filterd.resolve.block_reason import BlockFacts, BlockReason, facts_of
from tests.support.policies import wire
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
