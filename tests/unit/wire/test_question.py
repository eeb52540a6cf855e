# SPDX-License-Identifier: Apache-2.0
"""One question, spelled out, its letter case kept beside its canonical name."""

from __future__ import annotations

import pytest

from filterd.errors import WireError
from filterd.wire.cursor import Cursor
from filterd.wire.name import from_text
from filterd.wire.question import Question, best_effort_question, read_question
from tests.support import malformed
from tests.support.wire import QUESTION, a_message, a_query


def test_the_name_is_canonical_and_the_wire_as_asked() -> None:
    wire = b"\3wWw\7ExAmPlE\3com\0\0\x1c\0\1"
    question = read_question(Cursor(a_message(wire), 12))
    assert question == Question(from_text("www.example.com"), 28, 1, wire)


def test_a_question_is_made_from_a_name() -> None:
    assert Question.of(from_text("example.com"), 1).wire == QUESTION


def test_one_label_with_a_dot_is_another_name() -> None:
    dotted = read_question(Cursor(a_message(b"\x0bexample.com\0\0\1\0\1"), 12))
    assert dotted.qname != from_text("example.com")


@pytest.mark.parametrize("name", malformed.QUESTIONS)
def test_malformed_questions_are_refused(name: str) -> None:
    wire, error = malformed.QUESTIONS[name]
    with pytest.raises(error):
        read_question(Cursor(a_message(wire), 12))


def test_a_question_that_parses_is_echoed_whatever_follows() -> None:
    assert best_effort_question(a_query() + b"garbage") == QUESTION


@pytest.mark.parametrize("name", malformed.QUESTIONS)
def test_a_question_that_does_not_parse_is_not_echoed(name: str) -> None:
    wire, error = malformed.QUESTIONS[name]
    assert issubclass(error, WireError)
    assert best_effort_question(a_message(wire)) == b""


@pytest.mark.parametrize("message", [b"", bytes(11), a_message(b"", qdcount=0)])
def test_no_question_is_echoed_where_there_is_none(message: bytes) -> None:
    assert best_effort_question(message) == b""


def test_the_first_of_two_questions_is_not_echoed() -> None:
    assert best_effort_question(a_message(QUESTION * 2, qdcount=2)) == b""
