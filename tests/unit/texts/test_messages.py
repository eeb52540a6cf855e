# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import string
import unicodedata
from pathlib import Path

import pytest

from filterd.lists.reject_reasons import Reason
from filterd.policy.model import TIERS
from filterd.policy.verdict import Rule
from filterd.resolve.query import Source
from filterd.resolve.special_use import SpecialReason
from filterd.texts import Texts, answers, feed, lists, publishing, running, school
from filterd.texts.messages import TEXTS

PACKAGE = Path(__file__).resolve().parents[3] / "filterd"
VIETNAMESE = set("ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ")


GROUPS = {
    "reason",
    "tier",
    "source",
    "effect",
    "not-taken",
    "answered",
    "counted",
    "warning",
    "idle",
    "state",
    "weekday",
    "outcome",
    "decision",
    "renewal",
    "freshness",
    "severity",
    "feed-event",
}
"""Messages that are looked up by a word of the data."""

COMPOSED = (
    {f"lists.{key}" for key in ("kept", "duplicate", "redundant", "not_taken")}
    | {f"policy.{key}" for key in ("open", "closed", "locked")}
    | {f"told.{kind}" for kind in ("exam-trial", "clock", "clock-accept")}
)


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_have_the_same_placeholders(key: str) -> None:
    vietnamese, english = TEXTS[key]
    assert _placeholders(vietnamese) == _placeholders(english)


@pytest.mark.parametrize("key", TEXTS)
def test_vietnamese_is_in_normal_form_c(key: str) -> None:
    vietnamese, english = TEXTS[key]
    assert vietnamese
    assert unicodedata.is_normalized("NFC", vietnamese)
    assert english.isascii()


def test_every_vietnamese_message_has_vietnamese_letters() -> None:
    assert [key for key, (text, _) in TEXTS.items() if not VIETNAMESE & set(text.lower())] == []


def test_every_key_that_the_code_writes_is_in_the_table() -> None:
    written = set()
    for path in PACKAGE.rglob("*.py"):
        for call in re.findall(r"\btexts\(\s*(.*)", path.read_text(encoding="utf-8")):
            written.update(re.findall(r'"([a-z]+\.[a-z_]+)"', call))
    assert len(written) > 40
    assert written <= set(TEXTS)


def test_every_message_is_used() -> None:
    paths = [path for path in PACKAGE.rglob("*.py") if path.parent.name != "texts"]
    source = "".join(path.read_text(encoding="utf-8") for path in paths)
    literal = [key for key in TEXTS if key not in COMPOSED and key.split(".")[0] not in GROUPS]
    assert [key for key in literal if not re.search(f"""["']{key}["']""", source)] == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_reason_of_a_decision_has_words(language: str) -> None:
    labels = [rule.label for rule in Rule] + [str(reason) for reason in SpecialReason]
    texts = Texts("vi" if language == "vi" else "en")
    for label in [*labels, "alias", "local-zone", "lease", "not-listed"]:
        assert texts.word("reason", label) != label


def test_every_reason_for_leaving_an_entry_out_has_words() -> None:
    for reason in Reason:
        assert f"not-taken.{reason}" in TEXTS


def test_every_tier_has_a_name() -> None:
    assert all(f"tier.{tier}" in TEXTS for tier in TIERS)


def test_a_word_without_a_message_is_shown_as_it_is() -> None:
    assert Texts("vi").word("reason", "something-new") == "something-new"


def test_values_are_filled_in() -> None:
    assert Texts("en")("check.no_line", list="a", line=3) == "a, line 3"
    assert Texts("vi")("check.no_line", list="a", line=3) == "a, dòng 3"


def test_every_kind_of_answer_has_words() -> None:
    counted = [*map(str, Source), "dropped", "malformed", "notimp", "badvers", "error"]
    assert {f"answered.{what}" for what in counted} <= TEXTS.keys()


def test_no_message_stands_in_two_topics() -> None:
    topics = (answers, feed, lists, publishing, running, school)
    assert sum(len(topic.TEXTS) for topic in topics) == len(TEXTS)
