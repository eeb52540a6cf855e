# SPDX-License-Identifier: Apache-2.0
"""The help of a school's side of the feed is told in Vietnamese as all other help is."""

from __future__ import annotations

import re
import unicodedata

import pytest

from filterd.texts import help_feed
from filterd.texts.help import told

COMMAND = re.compile(r"`[^`A-Z]+`")


@pytest.mark.parametrize("english", [*help_feed.COMMANDS, *help_feed.OPTIONS])
def test_a_text_is_told_and_ends_and_names_commands_as_the_english_does(english: str) -> None:
    vietnamese = told(english)
    assert vietnamese != english
    assert unicodedata.is_normalized("NFC", vietnamese)
    assert vietnamese.endswith(".") == english.endswith(".")
    assert set(COMMAND.findall(english)) <= set(COMMAND.findall(vietnamese))
