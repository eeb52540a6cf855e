# SPDX-License-Identifier: Apache-2.0
"""Every word of the data that a command shows has a word for people."""

from __future__ import annotations

import pytest

from filterd.feed.followed.sources import SourceOutcome
from filterd.feed.guard import Severity
from filterd.feed.standing import Event, Freshness
from filterd.lists.report import Reason
from filterd.policy.model import TIERS
from filterd.publish.publication import EARLY_S
from filterd.resolve.query import Source
from filterd.texts import words
from filterd.texts.i18n import Sentence, Texts

VOCABULARIES = {name: value for name, value in vars(words).items() if name.isupper()}
ANSWERED = [*Source, "dropped", "malformed", "notimp", "badvers", "error"]


@pytest.mark.parametrize(
    ("vocabulary", "keys"),
    [
        (words.NOT_TAKEN, Reason),
        (words.TIER, TIERS),
        (words.ANSWERED, ANSWERED),
        (words.FEED_EVENT, Event),
        (words.FRESHNESS, Freshness),
        (words.SEVERITY, Severity),
        (words.OUTCOME, SourceOutcome),
        (words.RENEWAL, EARLY_S),
        (words.WEEKDAY, range(7)),
    ],
)
def test_every_word_of_the_data_has_one(vocabulary: dict[str, Sentence], keys: list[str]) -> None:
    assert {str(key) for key in keys} <= vocabulary.keys()


@pytest.mark.parametrize("name", VOCABULARIES)
def test_a_vocabulary_has_one_context(name: str) -> None:
    contexts = {word.context for word in VOCABULARIES[name].values()}
    assert contexts == {name.lower().replace("_", "-")}


def test_a_word_is_worded_in_both_languages() -> None:
    assert Texts("en").word(words.ANSWERED, "failed") == "failed"
    assert Texts("vi").word(words.ANSWERED, "failed") == "lỗi"
    assert Texts("vi").word(words.COUNTED, "failed") == "lỗi"
    assert Texts("vi").word(words.ANSWERED, "something-new") == "something-new"
