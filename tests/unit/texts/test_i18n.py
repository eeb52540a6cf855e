# SPDX-License-Identifier: Apache-2.0
"""English text, translated to Vietnamese here and in another process."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from filterd.texts import i18n
from filterd.texts.i18n import (
    Sentence,
    Texts,
    one_line,
    quoted,
    refused,
    say,
    say_in,
    say_n,
    translated,
    visible,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GAMES = say("'{word}' is not a {called}", word="gamess", called=say("category"))


def test_a_sentence_is_its_english_text() -> None:
    assert GAMES == "'gamess' is not a category"
    assert f"{GAMES}" == str(GAMES) == "'gamess' is not a category"


def test_it_is_worded_in_vietnamese_with_the_sentences_within_it() -> None:
    assert translated(GAMES, "vi") == "trường này không có nhóm 'gamess'"
    assert translated(GAMES, "en") == GAMES


def test_what_the_table_does_not_know_stays_english() -> None:
    assert translated(quoted("a rare complaint"), "vi") == "a rare complaint"
    assert translated("no sentence at all", "vi") == "no sentence at all"


def test_why_the_system_refused_is_worded_in_vietnamese() -> None:
    error = PermissionError(13, "Permission denied")
    assert translated(say("{path}: cannot be read: {why}", path="a", why=refused(error)), "vi") == (
        "a: không đọc được: không có quyền truy cập"
    )


def test_a_value_is_never_taken_for_a_placeholder() -> None:
    sentence = say("{path}: cannot be read: {why}", path="{why}", why="{path}")
    assert sentence == "{why}: cannot be read: {path}"
    assert translated(sentence, "vi") == "{why}: không đọc được: {path}"


def test_braces_that_are_no_placeholder_stay() -> None:
    assert say("write {grade: 6}") == "write {grade: 6}"


@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_is_the_same_sentence(again: Any) -> None:
    assert translated(again(GAMES), "vi") == translated(GAMES, "vi")


def test_it_is_the_same_sentence_in_another_process() -> None:
    there = i18n.from_plain(json.loads(json.dumps(i18n.to_plain(GAMES))))
    assert there == GAMES
    assert translated(there, "vi") == translated(GAMES, "vi")


DEEP: Any = "x"
for _ in range(20):
    DEEP = ["{a}", {"a": DEEP}]

LOUD: Any = "x" * 1000
for _ in range(7):
    LOUD = ["{a}" * 100, {"a": LOUD}]


@pytest.mark.parametrize(
    "data",
    [
        None,
        5,
        [],
        ["{a}"],
        ["{a}", []],
        [5, {}],
        [5, "a", {}],
        ["{a}", {"a": None}],
        ["{a}", {"a": [1]}],
    ],
)
def test_what_is_no_sentence_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="this is not a sentence"):
        i18n.from_plain(data)


def test_what_would_grow_beyond_bounds_is_refused_before_it_does() -> None:
    with pytest.raises(ValueError, match="this is not a sentence"):
        i18n.from_plain(DEEP)
    with pytest.raises(ValueError, match="too long"):
        i18n.from_plain(LOUD)


@pytest.mark.parametrize("template", ["{a.__class__}", "{a!r:>9999999999}", "{a[0]}", "{0}"])
def test_a_template_from_elsewhere_reaches_nothing_but_its_values(template: str) -> None:
    sentence = i18n.from_plain([template, {"a": "x", "a.__class__": "y", "0": "z"}])
    assert sentence == template


def test_long_and_broken_values_become_short_and_of_one_line() -> None:
    long = say("'{value}' is not known", value="a\nb " + "x" * 5000)
    short = one_line(long)
    assert short.startswith("'a b xxx")
    assert len(short) < 300
    assert translated(short, "vi").startswith("không có 'a b xxx")


def test_sentences_within_a_sentence_become_short_too() -> None:
    outer = say("{key}: {reason}", key="a", reason=say("'{text}' is not a time", text="x" * 5000))
    assert len(one_line(outer)) < 300
    assert translated(one_line(outer), "vi").endswith("không phải thời điểm")


def test_english_loads_no_catalogue() -> None:
    code = (
        "import sys; from filterd.base import errors; from filterd.texts import i18n\n"
        "error = errors.StoreError(i18n.say('{path}: is too large', path='a'))\n"
        "assert error.translated('en') == 'a: is too large'\n"
        "assert 'gettext' not in sys.modules\n"
        "assert error.translated('vi') == 'a: quá lớn'\n"
        "assert 'gettext' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder that stands in for the catalogues of the package."""
    monkeypatch.setattr(i18n, "CATALOGUES", tmp_path)
    i18n.catalogue.cache_clear()
    yield tmp_path
    i18n.catalogue.cache_clear()


def test_without_a_catalogue_everything_is_english(catalogues: Path) -> None:
    assert list(catalogues.iterdir()) == []
    assert translated(GAMES, "vi") == GAMES
    assert translated(say_n("{n} day", "{n} days", 2), "vi") == "2 days"


WHOLE = (i18n.CATALOGUES / "vi.mo").read_bytes()


@pytest.mark.parametrize(
    "octets",
    [b"", b"no catalogue at all", WHOLE[:4], WHOLE[:30], WHOLE[:5000], b"\xff" * 4 + WHOLE[4:]],
)
def test_a_damaged_catalogue_is_none(catalogues: Path, octets: bytes) -> None:
    (catalogues / "vi.mo").write_bytes(octets)
    assert translated(GAMES, "vi") == GAMES


def test_an_unknown_template_is_the_only_thing_that_stays_english() -> None:
    sentence = say("'{word}' is of a new kind: {called}", word="x", called=say("category"))
    assert translated(sentence, "vi") == "'x' is of a new kind: nhóm"


DAYS = ("{n} day", "{n} days")


@pytest.mark.parametrize(("n", "english"), [(0, "0 days"), (1, "1 day"), (2, "2 days")])
def test_a_plural_is_right(n: int, english: str) -> None:
    assert say_n(*DAYS, n) == english


def test_a_number_may_be_written_in_another_way() -> None:
    assert say_n("{n} name", "{n} names", 1500, n="1 500") == "1 500 names"


def test_a_plural_crosses_a_process_border() -> None:
    sent = i18n.to_plain(say("within {days}", days=say_n(*DAYS, 2)))
    assert sent == ["within {days}", {"days": ["{n} day", "{n} days", 2, {"n": 2}]}]
    again = i18n.from_plain(json.loads(json.dumps(sent)))
    assert again == "within 2 days"
    assert i18n.to_plain(again) == sent


def test_a_context_crosses_a_process_border() -> None:
    """Without it "failed" would be English there: the catalogue has it by its context only."""
    word = say_in("answered", "failed")
    sent = i18n.to_plain(say("{what}: {n}", what=word, n=2))
    assert sent == ["{what}: {n}", {"what": ["answered", "failed", {}], "n": 2}]
    again = i18n.from_plain(json.loads(json.dumps(sent)))
    assert (
        translated(again, "vi")
        == translated(say("{what}: {n}", what=word, n=2), "vi")
        != "failed: 2"
    )
    assert i18n.to_plain(again) == sent
    assert translated(one_line(word), "vi") == translated(word, "vi")


def test_control_a_word_without_its_context_stays_english() -> None:
    assert translated(i18n.from_plain(["failed", {}]), "vi") == "failed"


def test_the_pair_of_earlier_releases_is_still_read() -> None:
    old = ["'{word}' is not a {called}", {"word": "gamess", "called": ["category", {}]}]
    assert i18n.from_plain(old) == "'gamess' is not a category"


@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_keeps_plural_and_context(again: Any) -> None:
    days, word = again(say_n(*DAYS, 2)), again(say_in("answered", "failed"))
    assert (days, days.many, days.n) == ("2 days", "{n} days", 2)
    assert (word, word.context) == ("failed", "answered")


def test_texts_are_sentences_in_one_language() -> None:
    english, vietnamese = Texts("en"), Texts("vi")
    assert english("'{word}' is not a {called}", word="x", called=say("category")) == (
        "'x' is not a category"
    )
    assert vietnamese(say("{path}: is too large"), path="a") == "a: quá lớn"
    assert english.word({"a": say("category")}, "a") == "category"
    assert vietnamese.word({"a": say("category")}, "a") == "nhóm"
    assert vietnamese.word({}, "something-new") == "something-new"


def test_numbers_stay_numbers() -> None:
    assert i18n.to_plain(say("{n} are too many", n=3)) == ["{n} are too many", {"n": 3}]
    assert isinstance(say("{n} names", n=3), Sentence)


def test_a_language_from_outside_is_one_of_two() -> None:
    assert [i18n.language_of(one) for one in ("en", "vi", "fr", None, 7)] == ["en", *["vi"] * 4]


def test_of_all_characters_only_those_that_show_something_stay() -> None:
    for code in range(sys.maxunicode + 1):
        shown = visible(chr(code))
        assert shown == chr(code) if shown in "\n\u00a0\u202f" else shown.isprintable()
    assert visible("Trường\x1b[2J\u202e") == r"Trường\x1b[2J\u202e"
