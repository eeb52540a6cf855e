# SPDX-License-Identifier: Apache-2.0
"""Where safe search may lead, and where not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from filterd.feed.guard.guard_report import Severity
from filterd.feed.guard.rewrite_targets import wrong_rewrites
from filterd.lists.rules import SafeSearchRewrite
from tests.support.policies import a_pin, a_policy, a_protection, wire

SHIPS = replace(
    a_policy(
        pins=[a_pin("pinned.vn"), a_pin("exam.vn", subtree=True)],
        protections=[a_protection("bank.vn"), a_protection("search.vn")],
    ),
    rewrites=(
        SafeSearchRewrite("safe_search", "on", wire("safe.search.vn"), (wire("www.search.vn"),)),
    ),
)


def found(name: str, target: str, level: str = "on") -> list[Severity]:
    rewrites = (
        *SHIPS.rewrites,
        SafeSearchRewrite("safe_search", level, wire(target), (wire(name),)),
    )
    policy = replace(SHIPS, pins=(), protections=(), rewrites=rewrites)  # it has forgotten them
    return [one.severity for one in wrong_rewrites(policy, [SHIPS])]


@pytest.mark.parametrize(
    ("name", "target", "severity"),
    [
        ("www.search.vn", "safe.search.vn", None),
        ("www.search.vn", "other.search.vn", Severity.REFUSED),
        ("www.search.vn", "evil.example", Severity.REFUSED),
        ("mail.search.vn", "safe.search.vn", Severity.REFUSED),
        ("bank.vn", "evil.example", Severity.REFUSED),
        ("pinned.vn", "safe.pinned.vn", Severity.REFUSED),
        ("www.pinned.vn", "safe.pinned.vn", None),
        ("www.exam.vn", "safe.exam.vn", Severity.REFUSED),
        ("www.other.com.vn", "safe.other.com.vn", None),
        ("www.other.com.vn", "safe.com.vn", Severity.HELD),
        ("www.other.vn", "evil.example", Severity.HELD),
        ("a.blogspot.com", "b.blogspot.com", Severity.HELD),
    ],
)
def test_a_rewrite_leads_where_it_may(name: str, target: str, severity: Severity | None) -> None:
    assert found(name, target) == ([severity] if severity else [])


def test_what_ships_for_one_setting_does_not_ship_for_another() -> None:
    assert found("www.search.vn", "safe.search.vn", "off") == [Severity.REFUSED]
