# SPDX-License-Identifier: Apache-2.0
"""Every text of the source for people is in the Vietnamese catalogue, and right."""

from __future__ import annotations

import ast
import errno
import os
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError, NameTextError
from filterd.documents import load, parse
from filterd.texts.i18n import Sentence, translated
from filterd.wire import name as names
from filterd.wire import type_from_text
from tests.support.catalogue import CONVERSION, PLACEHOLDER, calls, has_words, messages, named, read

if TYPE_CHECKING:
    from pathlib import Path

    from babel.messages.catalog import Message as Translated

    from tests.support.catalogue import Message

CATALOGUE = read()
VIETNAMESE = set("ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ")
SAME = {
    "--type: {reason}",
    "--room",
    "--for 90m",
    "1-12, staff, guest, ...",
    "IP",
    "N",
    "ROOT.json",
    "vi|en",
    "written",
    "{sentence} (see `{command} --help`)",
}
"""Options and values that are written so in every language; words of plain letters only."""
MADE_OF_SENTENCES = frozenset(
    (
        "ChangeError",
        "ConfigError",
        "ControlError",
        "InUseError",
        "IndexFormatError",
        "ListError",
        "StoreError",
        "refusal",
    )
)
"""What a person reads is made by these; ``document.error`` too."""

REFUSALS = [
    "EPERM",
    "ENOENT",
    "EIO",
    "ENXIO",
    "E2BIG",
    "EAGAIN",
    "ENOMEM",
    "EACCES",
    "EBUSY",
    "EEXIST",
    "EXDEV",
    "ENODEV",
    "ENOTDIR",
    "EISDIR",
    "EINVAL",
    "ENFILE",
    "EMFILE",
    "ETXTBSY",
    "EFBIG",
    "ENOSPC",
    "EROFS",
    "EPIPE",
    "ENAMETOOLONG",
    "ENOTEMPTY",
    "ELOOP",
    "EADDRINUSE",
    "EADDRNOTAVAIL",
    "ENETUNREACH",
    "ECONNRESET",
    "ECONNREFUSED",
    "ETIMEDOUT",
    "EHOSTUNREACH",
    "EDQUOT",
]
BROKEN = ["a: b: c\n", "- a\nb: c\n", "a: [b\n", "a: {b\n", "a: 'b\n", "a:\n\t- b\n", "a: @b\n"]


def _entries() -> list[Translated]:
    return [one for one in CATALOGUE if one.id]


@cache
def _said() -> dict[Message, list[str]]:
    """Return each text of the source and its files: not while tests are collected."""
    return messages()


def _texts(one: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [one] if isinstance(one, str) else list(one or ("",))


def test_the_source_has_many_texts() -> None:
    assert len(_said()) > 300


def test_every_text_has_a_vietnamese_one() -> None:
    missing = {}
    for message, places in _said().items():
        entry = CATALOGUE.get(message.one, message.context or None)
        if entry is None or entry.id != message.id or not all(_texts(entry.string)):
            missing[message] = places
    assert missing == {}, "`make messages` adds them to vi.po"


def test_nothing_is_fuzzy_or_obsolete() -> None:
    assert [entry.id for entry in _entries() if entry.fuzzy] == []
    assert list(CATALOGUE.obsolete) == []
    known = {(message.id, message.context or None) for message in _said()}
    assert [entry.id for entry in _entries() if (entry.id, entry.context) not in known] == []


def test_both_have_the_same_placeholders() -> None:
    differ = []
    for entry in _entries():
        english = {name for text in _texts(entry.id) for name in PLACEHOLDER.findall(text)}
        vietnamese = [set(PLACEHOLDER.findall(text)) for text in _texts(entry.string)]
        if any(one != english for one in vietnamese):
            differ.append(entry.id)
    assert differ == []


def test_lines_of_the_journal_have_the_same_values_in_the_same_order() -> None:
    lines = [
        (text, translated)
        for entry in _entries()
        for text in _texts(entry.id)
        for translated in _texts(entry.string)
    ]
    conversions = [
        (CONVERSION.findall(one), CONVERSION.findall(other)) for one, other in lines if "%" in one
    ]
    assert [pair for pair in conversions if pair[0] != pair[1]] == []


def test_the_vietnamese_is_vietnamese() -> None:
    texts = [
        (entry.string, text)
        for entry in _entries()
        for text in _texts(entry.string)
        if has_words(_texts(entry.id)[0]) and not set(_texts(entry.id)) & SAME
    ]
    assert [text for _, text in texts if not VIETNAMESE & set(text.lower())] == []
    assert [text for _, text in texts if not unicodedata.is_normalized("NFC", text)] == []


def test_the_english_is_ascii() -> None:
    assert [
        entry.id for entry in _entries() for text in _texts(entry.id) if not text.isascii()
    ] == []


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_the_system_refuses_has_a_reason_in_vietnamese(refusal: str) -> None:
    assert os.strerror(getattr(errno, refusal)) in CATALOGUE


@pytest.mark.parametrize("text", BROKEN)
def test_broken_yaml_is_worded_in_vietnamese(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "site.yaml")
    assert caught.value.reason in CATALOGUE
    assert caught.value.reason not in caught.value.translated("vi")


def test_a_file_that_is_not_there_is_worded_in_vietnamese(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "site.yaml")
    assert caught.value.translated("vi").endswith("không đọc được: không có tệp hoặc thư mục này")


@pytest.mark.parametrize("text", ["a" * 64, "a." * 130 + "vn", "a..vn", "a\\", "a\\999", "a b"])
def test_what_is_no_name_has_a_reason_in_vietnamese(text: str) -> None:
    with pytest.raises(NameTextError) as caught:
        names.from_text(text)
    assert isinstance(caught.value.reason, Sentence)
    assert translated(caught.value.reason, "vi") != caught.value.reason


def test_what_is_no_record_type_has_a_reason_in_vietnamese() -> None:
    with pytest.raises(NameTextError) as caught:
        type_from_text("AAAAA")
    assert isinstance(caught.value.reason, Sentence)
    assert translated(caught.value.reason, "vi") != caught.value.reason


def test_no_error_that_a_person_reads_is_made_of_plain_text() -> None:
    """Mypy finds where a variable is plain text; what is written at the raise, this does."""
    plain = []
    for place, call in calls():
        is_document = named(call) == "error" and isinstance(call.func, ast.Attribute)
        if named(call) not in MADE_OF_SENTENCES and not is_document:
            continue
        if is_document and getattr(getattr(call.func, "value", None), "id", "") in {
            "_log",
            "_logger",
        }:
            continue
        given = [
            *call.args[:1],
            *(keyword.value for keyword in call.keywords if keyword.arg == "hint"),
        ]
        if any(isinstance(one, (ast.JoinedStr, ast.Constant)) for one in given):
            plain.append(place)
    assert plain == []


def test_copied_words_stay_as_they_are() -> None:
    """A command within backquotes is there to be typed."""
    command = re.compile(r"`[^`A-Z{]+`")
    differ = []
    for entry in _entries():
        for text in _texts(entry.id):
            copied = [one for one in command.findall(text) if one.startswith("`filterd ")]
            differ += [one for one in copied if one not in _texts(entry.string)[0]]
    assert differ == []
