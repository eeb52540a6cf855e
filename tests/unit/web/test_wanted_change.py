# SPDX-License-Identifier: Apache-2.0
"""The sentence on what was made."""

from __future__ import annotations

from filterd.operations.changes import NOTHING_CHANGED
from filterd.web.wanted_change import done
from tests.support.changes import Book, an_exception
from tests.support.operations import CHANGED, RecordedVisitor


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
