# SPDX-License-Identifier: Apache-2.0
"""Grades, tiers and ages as design §2 has them."""

from __future__ import annotations

import pytest

from filterd.config.tiers import AGE_OF_GRADE, DEFAULTS, TIER_OF_GRADE
from filterd.policy.model import GRADES, TIERS


def test_every_grade_has_a_tier_and_an_age() -> None:
    assert set(TIER_OF_GRADE) == set(AGE_OF_GRADE) == set(GRADES)
    assert set(TIER_OF_GRADE.values()) == set(TIERS)


@pytest.mark.parametrize(
    ("grade", "tier", "age"),
    [
        ("preschool", "preschool", 3),
        ("1", "primary", 6),
        ("5", "primary", 10),
        ("6", "lower-secondary", 11),
        ("9", "lower-secondary", 14),
        ("10", "upper-secondary", 15),
        ("12", "upper-secondary", 17),
        ("continuing", "continuing", 15),
        ("staff", "staff", 18),
        ("guest", "guest", 3),
    ],
)
def test_tier_and_age_follow_the_class(grade: str, tier: str, age: int) -> None:
    assert (TIER_OF_GRADE[grade], AGE_OF_GRADE[grade]) == (tier, age)


def test_the_defaults_set_everything() -> None:
    assert None not in DEFAULTS.model_dump().values()
