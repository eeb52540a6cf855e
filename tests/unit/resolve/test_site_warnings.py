# SPDX-License-Identifier: Apache-2.0
"""What is valid in a site's files and is not so all the same is told with its place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.policy.expectation import Expectation
from filterd.policy.model import Audience, LocalRule
from filterd.resolve import expectation_checks
from filterd.resolve.site import Site
from filterd.resolve.site_warnings import doubts, outranked
from tests.support.policies import NOW, a_policy, an_index, wire

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.lists.index import Index

LISTS = {
    "porn": ("porn", "domains", False, ["porn.example"]),
    "court": ("law-ordered", "domains", True, ["ordered.example"]),
    "games": ("games", "domains", False, ["play.example"]),
    "social": ("social-media", "domains", False, ["chat.example"]),
}


@pytest.fixture
def index(tmp_path: Path) -> Index:
    return an_index(tmp_path, LISTS)


def _rule(name: str, *, allow: bool = True, written: str = "site.yaml:12:5") -> LocalRule:
    return LocalRule(written, wire(name), allow, Audience.GRADE, "3", "bài học")


def _site(index: Index, *rules: LocalRule) -> Site:
    policy = replace(a_policy(), rules=rules, kept_closed=frozenset({"social-media"}))
    return Site.of(policy, index, (), now=NOW)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("www.porn.example", "www.porn.example is locked for everybody"),
        ("ordered.example", "ordered.example is closed by a legal order"),
        ("chat.example", "chat.example is kept closed by the school"),
    ],
)
def test_an_allow_of_what_stays_closed_has_no_effect(name: str, why: str, index: Index) -> None:
    (told,) = outranked(_site(index, _rule(name)), NOW)
    assert str(told).startswith(f"site.yaml:12:5: {why}: the exception has no effect (")


@pytest.mark.parametrize(
    "rule",
    [
        _rule("play.example"),
        _rule("other.example"),
        _rule("porn.example", allow=False),
        _rule("porn.example", written="exception:4"),  # of a command, which was told
    ],
)
def test_others_are_not_told_of(rule: LocalRule, index: Index) -> None:
    assert list(outranked(_site(index, rule), NOW)) == []


def test_expectations_that_are_not_met_stand_behind_them(index: Index) -> None:
    wanted = Expectation(wire("play.example"), False, Audience.GRADE, "3", "x passes", "x.yaml", 7)
    site = _site(index, _rule("porn.example"))
    unmet = expectation_checks.unmet(site, [wanted] * 60, NOW)
    told = doubts(site, unmet, NOW)
    assert len(told) == 40
    assert [one.path for one in told[:2]] == ["site.yaml", "x.yaml"]
    assert doubts(_site(index), (), NOW) == ()
