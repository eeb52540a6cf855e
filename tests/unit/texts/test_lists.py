# SPDX-License-Identifier: Apache-2.0
"""What is said of lists is a part of all texts."""

from __future__ import annotations

from filterd.texts import lists
from filterd.texts.messages import TEXTS


def test_its_messages_are_in_the_one_table() -> None:
    assert lists.TEXTS.items() <= TEXTS.items()
