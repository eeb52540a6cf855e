# SPDX-License-Identifier: Apache-2.0
"""Two grades, or two policies, are compared thing by thing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from filterd.policy.grade_differences import (
    Difference,
    differences,
    rule_differences,
    state_of,
    state_of_service,
)
from filterd.policy.model import Service
from tests.support.policies import a_policy, allow, block, wire

ZALO = Service("zalo", "Zalo", "Zalo", "social-media", 13, (wire("zalo.example"),))
POLICY = replace(a_policy(), services={"zalo": ZALO})
GRADE = replace(POLICY.grades["6"], closed=frozenset({"porn", "law-ordered", "social-media"}))


def test_a_grade_does_not_differ_from_itself() -> None:
    assert differences(POLICY, GRADE, POLICY, GRADE) == ()


def test_a_category_that_is_open_to_one_differs() -> None:
    other = replace(GRADE, closed=GRADE.closed - {"social-media"} | {"games"})
    assert differences(POLICY, GRADE, POLICY, other) == (
        Difference("category", "social-media", "closed", "open"),
        Difference("category", "games", "open", "closed"),
    )


def test_a_service_that_goes_with_its_category_is_not_told_apart() -> None:
    other = replace(GRADE, closed=GRADE.closed - {"social-media"})
    assert [one.kind for one in differences(POLICY, GRADE, POLICY, other)] == ["category"]
    by_itself = replace(GRADE, opened=frozenset({"service:zalo"}))
    assert differences(POLICY, GRADE, POLICY, by_itself) == (
        Difference("service", "zalo", "", "open"),
    )


def test_settings_differ_too() -> None:
    other = replace(GRADE, youtube="strict", strip_ech=True)
    assert differences(POLICY, GRADE, POLICY, other) == (
        Difference("setting", "youtube", "off", "strict"),
        Difference("setting", "strip_ech", "False", "True"),
    )


def test_rules_of_two_policies_are_told() -> None:
    before = replace(POLICY, rules=(allow("a.example"), block("b.example")))
    after = replace(POLICY, rules=(block("b.example"), block("c.example")))
    assert rule_differences(before, after) == (
        Difference("rule", "a.example (everybody)", "allow", ""),
        Difference("rule", "c.example (everybody)", "", "block"),
    )


@pytest.mark.parametrize(
    ("closed", "opened", "kept", "state"),
    [
        ((), (), (), "open"),
        (("social-media",), (), (), "closed"),
        (("social-media",), ("service:zalo",), (), "open"),
        (("service:zalo",), (), (), "closed"),
        (("service:zalo",), (), ("service:zalo",), "locked"),
        (("social-media",), ("service:zalo",), ("social-media",), "locked"),
    ],
)
def test_the_state_of_a_service(
    closed: tuple[str, ...], opened: tuple[str, ...], kept: tuple[str, ...], state: str
) -> None:
    grade = replace(GRADE, closed=frozenset(closed), opened=frozenset(opened))
    policy = replace(POLICY, kept_closed=frozenset(kept))
    assert state_of_service(policy, grade, "zalo") == state


def test_what_is_locked_is_locked_to_everybody() -> None:
    everything = replace(GRADE, closed=frozenset())
    assert state_of(POLICY, everything, "porn") == "locked"
    assert state_of(POLICY, everything, "law-ordered") == "locked"
    porn = replace(POLICY, services={"zalo": replace(ZALO, group="porn")})
    assert state_of_service(porn, everything, "zalo") == "locked"
