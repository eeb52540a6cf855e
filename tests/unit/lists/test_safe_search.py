# SPDX-License-Identifier: Apache-2.0
"""A rewrite is plain data: equal ones are equal, so that a policy file is too."""

from __future__ import annotations

from filterd.lists.safe_search import Rewrite


def test_a_rewrite_is_a_value() -> None:
    one, other = (Rewrite("youtube", "strict", b"\1s\0", (b"\1y\0",)) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
