# SPDX-License-Identifier: Apache-2.0
"""The answer to a change is described as the manager gives it."""

from __future__ import annotations

from filterd.operations.changes import CHANGE, NOTHING_CHANGED


def test_an_answer_without_a_change_is_one_too() -> None:
    assert CHANGE["required"] == [*NOTHING_CHANGED]
