# SPDX-License-Identifier: Apache-2.0
"""What commands do is told in Vietnamese that a Vietnamese reads."""

from __future__ import annotations

import re
import unicodedata

import pytest

from filterd.texts.help import COMMANDS, told, word

LETTERS = set("ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ")
COMMAND = re.compile(r"`[^`A-Z]+`")


@pytest.mark.parametrize("english", COMMANDS)
def test_a_text_is_vietnamese_and_names_the_same_commands(english: str) -> None:
    vietnamese = COMMANDS[english]
    assert english.isascii()
    assert unicodedata.is_normalized("NFC", vietnamese)
    assert LETTERS & set(vietnamese.lower())
    assert COMMAND.findall(vietnamese) == COMMAND.findall(english)
    assert vietnamese.endswith(".") == english.endswith(".")


def test_what_has_no_vietnamese_is_told_as_it_is() -> None:
    assert told("Do something new.") == "Do something new."
    assert word("NEW") == "NEW"


def test_options_are_told_by_it_too() -> None:
    assert told("Open a category.") == "Mở một nhóm."
    assert word("FILE") == "TỆP"
