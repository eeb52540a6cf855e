# SPDX-License-Identifier: Apache-2.0
"""English text that can be told in Vietnamese, here and in another process."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from typing import Any

import pytest

from filterd import sentences
from filterd.sentences import Sentence, one_line, quoted, refused, say, told
from filterd.texts import errors

GAMES = say("'{word}' is no {called}", word="gamess", called=say("category"))


def test_a_sentence_is_its_english_text() -> None:
    assert GAMES == "'gamess' is no category"
    assert f"{GAMES}" == str(GAMES) == "'gamess' is no category"


def test_it_is_told_in_vietnamese_with_the_sentences_within_it() -> None:
    assert told(GAMES, "vi") == "trường này không có nhóm 'gamess'"
    assert told(GAMES, "en") == GAMES


def test_what_the_table_does_not_know_stays_english() -> None:
    assert told(quoted("a rare complaint"), "vi") == "a rare complaint"
    assert told("no sentence at all", "vi") == "no sentence at all"


def test_why_the_system_refused_is_told_in_vietnamese() -> None:
    error = PermissionError(13, "Permission denied")
    assert told(say("{path}: cannot be read: {why}", path="a", why=refused(error)), "vi") == (
        "a: không đọc được: không có quyền truy cập"
    )


def test_a_value_is_never_taken_for_a_placeholder() -> None:
    sentence = say("{path}: cannot be read: {why}", path="{why}", why="{path}")
    assert sentence == "{why}: cannot be read: {path}"
    assert told(sentence, "vi") == "{why}: không đọc được: {path}"


def test_braces_that_are_no_placeholder_stay() -> None:
    assert say("write {grade: 6}") == "write {grade: 6}"


@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_is_the_same_sentence(again: Any) -> None:
    assert told(again(GAMES), "vi") == told(GAMES, "vi")


def test_it_is_the_same_sentence_in_another_process() -> None:
    there = sentences.from_plain(json.loads(json.dumps(sentences.to_plain(GAMES))))
    assert there == GAMES
    assert told(there, "vi") == told(GAMES, "vi")


DEEP: Any = "x"
for _ in range(20):
    DEEP = ["{a}", {"a": DEEP}]

LOUD: Any = "x" * 1000
for _ in range(7):
    LOUD = ["{a}" * 100, {"a": LOUD}]


@pytest.mark.parametrize(
    "data",
    [None, 5, [], ["{a}"], ["{a}", []], [5, {}], ["{a}", {"a": None}], ["{a}", {"a": [1]}]],
)
def test_what_is_no_sentence_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="this is no sentence"):
        sentences.from_plain(data)


def test_what_would_grow_beyond_bounds_is_refused_before_it_does() -> None:
    with pytest.raises(ValueError, match="this is no sentence"):
        sentences.from_plain(DEEP)
    with pytest.raises(ValueError, match="too long"):
        sentences.from_plain(LOUD)


@pytest.mark.parametrize("template", ["{a.__class__}", "{a!r:>9999999999}", "{a[0]}", "{0}"])
def test_a_template_from_elsewhere_reaches_nothing_but_its_values(template: str) -> None:
    sentence = sentences.from_plain([template, {"a": "x", "a.__class__": "y", "0": "z"}])
    assert sentence == template


def test_long_and_broken_values_become_short_and_of_one_line() -> None:
    long = say("'{value}' is not known", value="a\nb " + "x" * 5000)
    short = one_line(long)
    assert short.startswith("'a b xxx")
    assert len(short) < 300
    assert told(short, "vi").startswith("không có 'a b xxx")


def test_sentences_within_a_sentence_become_short_too() -> None:
    outer = say("{key}: {reason}", key="a", reason=say("'{text}' is no time", text="x" * 5000))
    assert len(one_line(outer)) < 300
    assert told(one_line(outer), "vi").endswith("không phải thời điểm")


def test_who_speaks_english_never_reads_the_vietnamese_table() -> None:
    code = (
        "import sys; from filterd import errors, sentences\n"
        "error = errors.StoreError(sentences.say('{path}: is too large', path='a'))\n"
        "assert error.told('en') == 'a: is too large'\n"
        "assert 'filterd.texts.errors' not in sys.modules\n"
        "assert error.told('vi') == 'a: quá lớn'\n"
        "assert 'filterd.texts.errors' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


def test_an_unknown_template_is_the_only_thing_that_stays_english(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(errors.TEXTS, "'{word}' is no {called}")
    assert told(GAMES, "vi") == "'gamess' is no nhóm"


def test_numbers_stay_numbers() -> None:
    assert sentences.to_plain(say("{n} are too many", n=3)) == ["{n} are too many", {"n": 3}]
    assert isinstance(say("{n} names", n=3), Sentence)
