# SPDX-License-Identifier: Apache-2.0
"""Whatever Typer fills in is said again, in both languages."""

from __future__ import annotations

import re
import unicodedata

import pytest

from filterd.texts.usage import SENTENCES

LEFT_OUT = {"more", "number"}
"""What only shows how a sentence of Typer goes on."""


@pytest.mark.parametrize("typers", SENTENCES)
def test_both_languages_say_what_was_given(typers: str) -> None:
    vietnamese, english = (set(re.findall(r"\{(\w+)\}", one)) for one in SENTENCES[typers])
    assert vietnamese == english
    assert set(re.findall(r"\{(\w+)\}", typers)) - english <= LEFT_OUT


@pytest.mark.parametrize("typers", SENTENCES)
def test_a_sentence_goes_on_where_another_holds_it(typers: str) -> None:
    for text in (typers, *SENTENCES[typers]):
        assert not text.endswith(".")
        assert unicodedata.is_normalized("NFC", text)
    assert SENTENCES[typers][1].isascii()


def test_what_adds_to_a_sentence_stands_before_the_sentences() -> None:
    adding = [one.startswith("{sentence}") for one in SENTENCES]
    assert adding == sorted(adding, reverse=True)
