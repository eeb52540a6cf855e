# SPDX-License-Identifier: Apache-2.0
"""The help of the publisher's commands is a part of all help, and Vietnamese as the rest is."""

from __future__ import annotations

import re
import unicodedata

import pytest

from filterd.texts import help_publishing
from filterd.texts.help import told, word

HELP = help_publishing.COMMANDS | help_publishing.OPTIONS
LETTERS = set("ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ")
COPIED = re.compile(r"`[^`A-Z]+`|--[a-z]+|[a-z]+/|[a-z]+\.(?:json|yaml|pem)|i9bet#")


@pytest.mark.parametrize("english", HELP)
def test_a_text_is_vietnamese_and_what_is_to_be_copied_stays_as_it_is(english: str) -> None:
    vietnamese = HELP[english]
    assert english.isascii()
    assert unicodedata.is_normalized("NFC", vietnamese)
    assert LETTERS & set(vietnamese.lower())
    assert [one for one in COPIED.findall(english) if one not in vietnamese] == []
    assert vietnamese.endswith(".")


def test_it_is_found_by_whoever_shows_help() -> None:
    assert all(told(english) == vietnamese for english, vietnamese in HELP.items())
    assert all(word(english) == one for english, one in help_publishing.WORDS.items())


def test_a_word_that_stands_for_a_value_is_one_word() -> None:
    words = list(help_publishing.WORDS.values())
    assert [one for one in words if not one.isupper() and "|" not in one] == []
    assert [one for one in words if " " in one] == []
