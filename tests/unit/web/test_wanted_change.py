# SPDX-License-Identifier: Apache-2.0
"""The fields of a change, and the sentence on what was made."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.errors import ConfigError
from filterd.web.wanted_change import NOTHING_CHANGED, done, take_audience, take_term
from tests.support.changes import Book, an_exception
from tests.support.operations import CHANGED, RecordedVisitor
from tests.support.policies import NOW


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"term": "lesson"}, {"lesson": True}),
        ({"term": "permanent"}, {}),
        ({"term": "600"}, {"for_s": 600}),
        ({"term": "2700", "ends_at": NOW}, {"ends_at": NOW}),
        ({"term": "lesson", "ends_at": NOW}, {"ends_at": NOW}),
        ({"for_s": 600, "starts_at": NOW}, {"for_s": 600, "starts_at": NOW}),
        ({"ends_at": NOW, "lesson": False}, {"ends_at": NOW}),
    ],
)
def test_a_term_is_taken_out(given: dict[str, Any], found: dict[str, Any]) -> None:
    values = {"reason": "x", **given}
    assert take_term(values) == found
    assert values == {"reason": "x"}


def test_a_term_may_be_open_where_the_manager_ends_it() -> None:
    assert take_term({}, may_be_open=True) == {}
    with pytest.raises(ConfigError, match="the duration is missing"):
        take_term({})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("everybody", {"audience": "everybody", "whom": ""}),
        ("class:6A", {"audience": "class", "whom": "6A"}),
        ("client:10.0.6.21", {"audience": "client", "whom": "10.0.6.21"}),
    ],
)
def test_an_audience_is_read(text: str, found: dict[str, str]) -> None:
    assert take_audience({"for_whom": text}) == found
    assert take_audience({}) == {"audience": "everybody", "whom": ""}


def test_the_sentence_names_what_was_made_and_the_warnings() -> None:
    book, visitor = Book(), RecordedVisitor()
    row = book.make("exception", **an_exception()).to_plain()
    warnings = [{"warning": "contradiction", "number": 3, "author": "lan"}]
    sentence = visitor.texts(done({**CHANGED, "row": row, "warnings": warnings}, visitor))
    assert sentence.startswith("Change 7: ")
    assert "game.example" in sentence
    assert sentence.endswith("warning: it contradicts exception 3 of lan; the block wins")


def test_the_sentence_on_an_undo_names_what_is_taken_back() -> None:
    book, visitor = Book(), RecordedVisitor()
    row = book.make("exception", **an_exception()).to_plain()
    sentence = visitor.texts(done({**CHANGED, "undone": 1, "taken_back": row}, visitor))
    assert sentence.startswith("Taken back: ")
    assert "nothing is changed" in visitor.texts(done(NOTHING_CHANGED, visitor))
