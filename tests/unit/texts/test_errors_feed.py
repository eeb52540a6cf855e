# SPDX-License-Identifier: Apache-2.0
"""What is wrong with the feed is a part of all errors."""

from __future__ import annotations

from filterd.texts import errors_feed
from filterd.texts.errors import TEXTS


def test_its_errors_are_in_the_one_table() -> None:
    assert errors_feed.TEXTS.items() <= TEXTS.items()
