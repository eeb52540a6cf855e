# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.lists.sort_records import CANCELS, TAIL_OCTETS, read_tail, record_tail, run_of


def record(key: bytes, claim: int = 0, line: int = 1) -> bytes:
    return key + record_tail(claim, line)


def test_tail_is_read_as_it_was_written() -> None:
    assert read_tail(record(b"com\0a\0", 70_000, 4_000_000_000)) == (70_000, 4_000_000_000)
    assert len(record_tail(0, 0)) == TAIL_OCTETS


def test_name_sorts_directly_before_what_is_beneath_it() -> None:
    keys = [b"com\0a\0", b"com\0a\0b\0", b"com\0a-b\0", b"com\0ab\0"]
    ordered = [record(key) for key in keys]
    assert sorted({*ordered}) == ordered


def test_cancellation_sorts_before_what_it_cancels() -> None:
    key = b"com\0a\0"
    ordered = [record(key, 1, CANCELS), record(key, 1, 1), record(key, 2, 1)]
    assert sorted({*ordered}) == ordered


def test_run_of_a_name_holds_it_alone() -> None:
    records = sorted(map(record, [b"com\0a\0", b"com\0a\0b\0", b"com\0ab\0", b"com\0b\0"]))
    assert records[run_of(records, b"com\0a\0", subtree=False)] == [record(b"com\0a\0")]


def test_run_of_a_subtree_holds_nothing_beside_it() -> None:
    inside = [b"com\0a\0", b"com\0a\0_\0", b"com\0a\0zz\0z\0"]
    records = sorted(map(record, [*inside, b"com\0a-\0", b"com\0a0\0", b"com\0a_\0", b"com\0az\0"]))
    assert records[run_of(records, b"com\0a\0", subtree=True)] == list(map(record, inside))
