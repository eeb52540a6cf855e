# SPDX-License-Identifier: Apache-2.0
"""Which of several grades sees least."""

from __future__ import annotations

from dataclasses import replace

from filterd.policy.strictness import strictest
from tests.support.policies import a_grade


def test_the_strictest_has_most_closed() -> None:
    strict = a_grade("12", also_closed=("ads-trackers", "social-media", "games"))
    assert strictest([a_grade("1"), strict, a_grade("staff")]) is strict


def test_of_equals_it_is_the_youngest() -> None:
    younger = a_grade("1")
    assert strictest([a_grade("2"), younger, a_grade("3")]) is younger


def test_nobody_sees_less_than_who_sees_allowed_names_only() -> None:
    examined = replace(a_grade("staff"), allow_only=True)
    assert strictest([a_grade("1"), examined]) is examined
