# SPDX-License-Identifier: Apache-2.0
"""What is wrong with what a publisher does is a part of all errors."""

from __future__ import annotations

from filterd.texts import errors_publishing
from filterd.texts.errors import TEXTS


def test_its_errors_are_in_the_one_table() -> None:
    assert errors_publishing.TEXTS.items() <= TEXTS.items()
