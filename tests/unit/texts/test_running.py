# SPDX-License-Identifier: Apache-2.0
"""What is said of the daemon is a part of all texts."""

from __future__ import annotations

from filterd.texts import running
from filterd.texts.messages import TEXTS


def test_its_messages_are_in_the_one_table() -> None:
    assert running.TEXTS.items() <= TEXTS.items()
