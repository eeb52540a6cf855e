# SPDX-License-Identifier: Apache-2.0
"""Why the feed is held or refused is a part of all errors."""

from __future__ import annotations

from filterd.texts import errors_guard
from filterd.texts.errors import TEXTS


def test_its_errors_are_in_the_one_table() -> None:
    assert errors_guard.TEXTS.items() <= TEXTS.items()
