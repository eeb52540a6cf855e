# SPDX-License-Identifier: Apache-2.0
"""What is seen of the network."""

from __future__ import annotations

from filterd.identity.surroundings import Surroundings


def test_nothing_is_seen_at_first() -> None:
    assert Surroundings().version == 0
