# SPDX-License-Identifier: Apache-2.0
"""A class is lent for a time."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations.classes import LendClass, ReadClass


def test_a_class_is_lent_for_a_term() -> None:
    asked = LendClass.read({"class": "6A", "to": "mai", "term": "86400"})
    assert asked.change == ("class-lend", {"class_id": "6A", "to": "mai", "for_s": 86_400})
    assert ReadClass.read({"class": "6A"}).class_ == "6A"


@pytest.mark.parametrize(
    "given",
    [
        {"class": "6A", "to": "mai"},
        {"class": "6A", "for_s": 60},
        {"to": "mai", "for_s": 60},
        {"class": "6A", "to": "x" * 65, "for_s": 60},
    ],
)
def test_what_is_wrong_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        LendClass.read(given)
