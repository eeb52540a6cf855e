# SPDX-License-Identifier: Apache-2.0
"""What is wrong where a feed is followed is a part of all errors."""

from __future__ import annotations

from filterd.texts import errors_following
from filterd.texts.errors import TEXTS


def test_its_errors_are_in_the_one_table() -> None:
    assert errors_following.TEXTS.items() <= TEXTS.items()
