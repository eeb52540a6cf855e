# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.lists.list_text import BLOCKS, EXACT, SUBTREE, write_names
from filterd.lists.sort_records import CANCELS, record_tail

HOST, BENEATH, OTHER = range(3)
ROLES = bytes((BLOCKS | EXACT, BLOCKS | SUBTREE, BLOCKS))


def a_record(key: bytes, claim: int, line: int = 1) -> bytes:
    return key + record_tail(claim, line)


def test_names_are_written_from_the_left_and_single_hosts_are_marked() -> None:
    records = [a_record(b"com\0a\0www\0", HOST), a_record(b"com\0b\0", BENEATH)]
    written = write_names(records, ROLES)
    assert written == (b"=www.a.com\nb.com\n", 2, 2, 0, True)


def test_the_wider_of_two_claims_is_written() -> None:
    records = [a_record(b"com\0a\0", HOST), a_record(b"com\0a\0", BENEATH, 2)]
    written = write_names(records, ROLES)
    assert (written.text, written.names, written.has_exact) == (b"a.com\n", 1, False)


def test_a_claim_of_another_list_is_counted_and_not_written() -> None:
    assert write_names([a_record(b"com\0a\0", OTHER)], ROLES) == (b"", 0, 1, 0, False)


def test_what_cancels_is_no_entry() -> None:
    assert write_names([a_record(b"com\0a\0", HOST, CANCELS)], ROLES).names == 0


def test_names_beneath_a_written_one_can_be_left_out() -> None:
    records = [
        a_record(b"com\0a\0", BENEATH),
        a_record(b"com\0a\0b\0", HOST),
        a_record(b"com\0ab\0", BENEATH),
    ]
    assert write_names(records, ROLES).text == b"a.com\n=b.a.com\nab.com\n"
    assert write_names(records, ROLES, drops_covered=True)[:4] == (b"a.com\nab.com\n", 2, 3, 1)
