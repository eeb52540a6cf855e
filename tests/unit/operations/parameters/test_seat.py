# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.parameters.seat import CLASS, GRADE, TIER

if TYPE_CHECKING:
    from filterd.operations.parameters.scalar import Parameter


def test_a_class_a_grade_and_a_tier_are_words() -> None:
    assert (CLASS.read("6A"), GRADE.read("6"), TIER.read("primary")) == ("6A", "6", "primary")


@pytest.mark.parametrize(
    ("kind", "value"), [(CLASS, "x" * 33), (CLASS, 6), (GRADE, "13"), (GRADE, 6), (TIER, "all")]
)
def test_another_one_is_refused(kind: Parameter, value: Any) -> None:
    with pytest.raises(ConfigError):
        kind.read(value)
