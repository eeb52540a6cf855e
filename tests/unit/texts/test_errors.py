# SPDX-License-Identifier: Apache-2.0
"""Everything that the code can say of an error is told in Vietnamese, too."""

from __future__ import annotations

import ast
import errno
import os
import unicodedata

import pytest

from filterd.lists.reject_reasons import Reason
from filterd.texts import (
    errors_changes,
    errors_commands,
    errors_feed,
    errors_following,
    errors_guard,
    errors_lists,
    errors_publishing,
    errors_site,
    errors_system,
)
from filterd.texts.errors import TEXTS
from tests.support.templates import PLACEHOLDER, TOLD, calls, has_words, named, said

SAID = said()
TOPICS = (
    errors_changes,
    errors_commands,
    errors_feed,
    errors_following,
    errors_guard,
    errors_lists,
    errors_publishing,
    errors_site,
    errors_system,
)
VIETNAMESE = set("ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ")
SAME = {"--type: {reason}", "--room", "--for 90m", "written"}
"""Options only; and `ghi`, which has no letter of its own."""

QUOTED = {
    "list",  # one of three words of the data; ``category`` and ``service`` are said elsewhere
    "the command failed inside filterd; see its log",
    "this filterd does not know that command",
    *(reason.explanation for reason in Reason),
}
"""What ``quoted`` is given by code of our own."""

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


def test_there_are_sentences() -> None:
    assert len(SAID) > 300


def test_every_sentence_has_a_vietnamese_one() -> None:
    missing = {one: place for one, place in SAID.items() if has_words(one) and one not in TEXTS}
    assert missing == {}


def test_both_have_the_same_placeholders() -> None:
    differ = [
        english
        for english, vietnamese in TEXTS.items()
        if set(PLACEHOLDER.findall(english)) != set(PLACEHOLDER.findall(vietnamese))
    ]
    assert differ == []


def test_the_vietnamese_is_vietnamese() -> None:
    told = [text for english, text in TEXTS.items() if has_words(english) and english not in SAME]
    assert [text for text in told if not VIETNAMESE & set(text.lower())] == []
    assert [text for text in told if not unicodedata.is_normalized("NFC", text)] == []


def test_nothing_is_translated_that_nobody_says() -> None:
    told = TEXTS.keys() - errors_system.TEXTS.keys() - SAID.keys()
    assert sorted(told - QUOTED) == []


def test_no_sentence_stands_in_two_topics() -> None:
    assert sum(len(topic.TEXTS) for topic in TOPICS) == len(TEXTS)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_the_system_refuses_has_a_reason_in_vietnamese(refusal: str) -> None:
    assert os.strerror(getattr(errno, refusal)) in TEXTS


@pytest.mark.parametrize("reason", Reason)
def test_why_a_name_is_not_taken_is_told_in_vietnamese(reason: Reason) -> None:
    assert reason.explanation in TEXTS


def test_no_error_that_a_person_reads_is_made_of_plain_text() -> None:
    """Mypy tells where a variable is plain text; what is written at the raise, this does."""
    plain = []
    for place, call in calls():
        is_document = named(call) == "error" and isinstance(call.func, ast.Attribute)
        if named(call) not in TOLD and not is_document:
            continue
        if is_document and getattr(getattr(call.func, "value", None), "id", "") == "_log":
            continue
        given = [*call.args[:1], *(one.value for one in call.keywords if one.arg == "hint")]
        if any(isinstance(one, (ast.JoinedStr, ast.Constant)) for one in given):
            plain.append(place)
    assert plain == []
