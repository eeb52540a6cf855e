# SPDX-License-Identifier: Apache-2.0
"""Another key of the role orders waits; end to end in tests/e2e/test_feed_holds."""

from __future__ import annotations

import pytest

from filterd.feed.guard.guard_report import Severity
from filterd.feed.order_keys import other_key


@pytest.mark.parametrize(
    ("new", "known", "subjects"),
    [
        (["a"], ["a"], None),
        (["b", "a"], ["a", "b"], None),
        (["a"], None, None),
        (["a"], [], None),
        (None, ["a"], None),
        (["b"], ["a"], ("+orders b",)),
        (["b", "a"], ["a"], ("+orders a", "+orders b")),
        ([], ["a"], ()),
    ],
)
def test_a_key_that_was_not_known_waits(
    new: list[str] | None, known: list[str] | None, subjects: tuple[str, ...] | None
) -> None:
    found = list(other_key(new, known))
    assert [one.subjects for one in found] == ([] if subjects is None else [subjects])
    assert all(one.severity is Severity.HELD for one in found)
