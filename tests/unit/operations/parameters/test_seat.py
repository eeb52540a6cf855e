# SPDX-License-Identifier: Apache-2.0
"""A seat is a class, a grade or a tier."""

from __future__ import annotations

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.parameters.seat import CLASS, GRADE, TIER


def test_grades_and_tiers_are_those_of_the_country() -> None:
    assert (CLASS.read("9/3"), GRADE.read("12"), TIER.read("primary")) == ("9/3", "12", "primary")
    for kind, text in ((GRADE, "13"), (GRADE, "6A"), (TIER, "6"), (CLASS, "x" * 33)):
        with pytest.raises(ConfigError):
            kind.read(text)
