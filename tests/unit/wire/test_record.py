# SPDX-License-Identifier: Apache-2.0
"""A record is a place in its message, and never reaches past it."""

from __future__ import annotations

import pytest

from filterd.errors import TruncatedMessageError, WireError
from filterd.wire.cursor import Budget, Cursor
from filterd.wire.name import from_text
from filterd.wire.record import ANSWER, Record, read_record
from tests.support import malformed
from tests.support.wire import QUESTION, a_message, a_record

START = 12 + len(QUESTION)


def _read(record: bytes) -> Record:
    return read_record(Cursor(a_message(QUESTION + record), START), ANSWER, Budget())


def test_a_record_says_where_its_parts_stand() -> None:
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
