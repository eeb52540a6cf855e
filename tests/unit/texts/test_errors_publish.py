# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a version that is built is a part of all errors."""

from __future__ import annotations

from filterd.texts import errors_publish
from filterd.texts.errors import TEXTS


def test_its_errors_are_in_the_one_table() -> None:
    assert errors_publish.TEXTS.items() <= TEXTS.items()
