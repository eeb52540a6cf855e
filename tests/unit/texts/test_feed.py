# SPDX-License-Identifier: Apache-2.0
"""What a school reads of its feed is a part of all texts."""

from __future__ import annotations

import pytest

from filterd.feed.guard import Severity
from filterd.feed.status_file import Freshness
from filterd.feed.version_history import Event
from filterd.texts import feed
from filterd.texts.messages import TEXTS


def test_its_messages_are_in_the_one_table() -> None:
    assert feed.TEXTS.items() <= TEXTS.items()


@pytest.mark.parametrize(
    ("group", "words"), [("feed-event", Event), ("freshness", Freshness), ("severity", Severity)]
)
def test_every_word_of_the_data_has_words(group: str, words: type[Event]) -> None:
    for one in words:
        assert f"{group}.{one.value}" in feed.TEXTS
