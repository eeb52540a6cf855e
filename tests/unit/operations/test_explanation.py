# SPDX-License-Identifier: Apache-2.0
"""An explanation names a class as answers do."""

from __future__ import annotations

from filterd.operations.explanation import EXPLANATION


def test_a_class_is_named_as_in_answers_and_may_be_missing() -> None:
    assert "class_id" not in EXPLANATION["properties"]
    assert "class" in EXPLANATION["properties"]
    assert "class" not in EXPLANATION["required"]
