# SPDX-License-Identifier: Apache-2.0
"""What options are for is told in Vietnamese; what is to be copied stays as it is."""

from __future__ import annotations

import re
import unicodedata

import pytest

from filterd.texts.help_options import OPTIONS, WORDS

COPIED = re.compile(r"`[^`]+`|\d[\d:.T-]+|[\w./]+/[\w./]+|service:\w+|category:\w+|[a-z]+\.[a-z]+")


@pytest.mark.parametrize("english", OPTIONS)
def test_what_is_to_be_copied_stays_as_it_is(english: str) -> None:
    vietnamese = OPTIONS[english]
    copied = [one.rstrip(".") for one in COPIED.findall(english)]
    assert [one for one in copied if one not in vietnamese] == []
    assert vietnamese.endswith(".") == english.endswith(".")


def test_texts_are_in_normal_form_c() -> None:
    texts = [*OPTIONS.values(), *WORDS.values()]
    assert [one for one in texts if not unicodedata.is_normalized("NFC", one)] == []


def test_a_word_that_stands_for_a_value_is_one_word() -> None:
    values = [one for english, one in WORDS.items() if english.isupper()]
    assert [one for one in values if not one.isupper() or " " in one] == []


def test_no_two_words_are_the_same_in_vietnamese() -> None:
    assert len(set(WORDS.values())) == len(WORDS)
