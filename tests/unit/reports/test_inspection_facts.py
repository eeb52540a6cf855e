# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.counted import size
from filterd.i18n import quoted, say, translated
from filterd.reports.inspection_facts import HIDDEN, facts_of, plain_of, without_texts
from tests.support.inspected import FACTS


def test_facts_are_read_again_as_they_were() -> None:
    assert facts_of(plain_of(FACTS)) == FACTS


def test_texts_that_were_filled_in_are_hidden_and_numbers_stay() -> None:
    inner = say("{path}: cannot be read: {why}", path="/home/lan", why=quoted("No such file"))
    shown = without_texts(say("the probe failed: {why}", why=inner))
    assert str(shown) == "the probe failed: …: cannot be read: …"
    assert "/home" not in translated(shown, "vi")
    assert str(without_texts(say("there was no result within {n} s", n=19))).endswith("19 s")
    free = without_texts(say("{free} are free", free=size(12_345_678)))
    assert str(free) == "12 MB are free"
    pair = without_texts(say("{server}: {problem}", server="192.0.2.1", problem=say("timed out")))
    assert str(pair) == "…: timed out"


@pytest.mark.parametrize("text", ["192.168.1.7", "192 answers", "youtube.com", "Nguyễn Thị Lan"])
def test_a_text_of_another_program_is_hidden_whole(text: str) -> None:
    assert without_texts(quoted(text)) == HIDDEN


def test_a_sentence_that_is_none_stays_none() -> None:
    assert without_texts(say("")) == ""
