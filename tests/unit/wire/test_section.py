# SPDX-License-Identifier: Apache-2.0
"""One question, spelled out, its letter case kept beside its canonical name."""

from __future__ import annotations

import pytest

from filterd.base.errors import TruncatedMessageError, WireError
from filterd.wire.cursor import Budget, Cursor
from filterd.wire.name import from_text
from filterd.wire.section import (
    ANSWER,
    Question,
    Record,
    best_effort_question,
    read_question,
    read_record,
)
from tests.support import malformed
from tests.support.wire import QUESTION, a_message, a_query, a_record


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


START = 12 + len(QUESTION)


def _read(record: bytes) -> Record:
    return read_record(Cursor(a_message(QUESTION + record), START), ANSWER, Budget())


def test_a_record_has_the_places_of_its_parts() -> None:
    record = _read(a_record(b"abcd", ttl=77) + b"behind")
    expected = (START, START + 6, START + 12, 4, START + 16)
    places = (record.start, record.ttl_offset, record.rdata_offset, record.rdlength, record.end)
    assert places == expected


def test_a_record_has_its_fixed_fields() -> None:
    record = _read(a_record(b"", rtype=65280, rclass=3, ttl=77))
    assert (record.owner, record.rtype, record.rclass, record.ttl, record.rdlength) == (
        from_text("example.com"),
        65280,
        3,
        77,
        0,
    )


@pytest.mark.parametrize(
    ("ttl", "seconds"), [(0, 0), (0x7FFFFFFF, 0x7FFFFFFF), (0x80000000, 0), (0xFFFFFFFF, 0)]
)
def test_a_ttl_with_its_top_bit_set_means_zero(ttl: int, seconds: int) -> None:
    assert _read(a_record(ttl=ttl)).ttl == seconds


def test_the_cursor_stands_behind_the_record() -> None:
    cursor = Cursor(a_message(QUESTION + a_record() + a_record()), START)
    assert read_record(cursor, ANSWER, Budget()).end == cursor.offset


@pytest.mark.parametrize("size", range(len(a_record())))
def test_a_record_cut_short_is_refused(size: int) -> None:
    with pytest.raises(TruncatedMessageError):
        _read(a_record()[:size])


@pytest.mark.parametrize("name", malformed.OWNERS)
def test_malformed_owners_are_refused(name: str) -> None:
    owner, error = malformed.OWNERS[name]
    assert issubclass(error, WireError)
    with pytest.raises(error):
        _read(a_record(owner=owner))
