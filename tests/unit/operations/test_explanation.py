# SPDX-License-Identifier: Apache-2.0
"""An explanation names a class as answers do."""

from __future__ import annotations

from filterd.operations.explanation import explanation


def test_a_class_is_named_as_in_answers_and_may_be_missing() -> None:
    schema = explanation()
    assert "class_id" not in schema["properties"]
    assert "class" in schema["properties"]
    assert "class" not in schema["required"]
