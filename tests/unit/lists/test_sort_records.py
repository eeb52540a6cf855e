# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.lists.hostname import key_from_text, text_from_key
from filterd.lists.report import Reason
from filterd.lists.rules import Claim, Effect, ListSource, Pin, Protection, Scope
from filterd.lists.sort_records import (
    BLOCKS,
    CANCELLED,
    CANCELS,
    EXACT,
    SUBTREE,
    TAIL_OCTETS,
    USED,
    Guarded,
    read_tail,
    record_tail,
    run_of,
    survey,
    write_names,
)
from tests.support.indexes import wire


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


BLOCK, EXCEPT, OWN_BLOCK = 0, 1, 2
CLAIMS = [
    (0, Claim(Scope.SUBTREE)),
    (0, Claim(Scope.SUBTREE, Effect.EXCEPT)),
    (1, Claim(Scope.SUBTREE)),
]
SOURCES = [
    ListSource("theirs", "scam", "domains", "t"),
    ListSource("ours", "scam", "domains", "o", own=True),
]


class Guarding:
    """Some records, and what guards take out of them."""

    def __init__(self, *entries: tuple[str, int]) -> None:
        self.refused = list[tuple[int, int, Reason, str]]()
        self.records = sorted(
            key_from_text(name) + record_tail(claim, line)
            for line, (name, claim) in enumerate(entries, 1)
        )
        self.guarded = Guarded(self.records, CLAIMS, SOURCES, self.refuse)

    def refuse(self, index: int, line: int, reason: Reason, key: bytes) -> None:
        self.refused.append((index, line, reason, text_from_key(key)))

    @property
    def left(self) -> list[str]:
        return [text_from_key(record[:-TAIL_OCTETS]) for record in self.records]


def test_pinned_name_is_refused_and_its_ancestor_is_honest() -> None:
    guarding = Guarding(("exam.vn", BLOCK), ("www.exam.vn", BLOCK), ("a.www.exam.vn", BLOCK))
    guarding.guarded.refuse_pinned([Pin(wire("www.exam.vn"))])
    assert guarding.left == ["exam.vn", "a.www.exam.vn"]
    assert guarding.refused == [(0, 2, Reason.PINNED, "www.exam.vn")]


def test_pinned_subtree_is_refused_whole() -> None:
    guarding = Guarding(("exam.vn", BLOCK), ("a.exam.vn", OWN_BLOCK), ("exam-x.vn", BLOCK))
    guarding.guarded.refuse_pinned([Pin(wire("exam.vn"), subtree=True)])
    assert guarding.left == ["exam-x.vn"]
    assert [line for _, line, _, _ in guarding.refused] == [1, 2]


def test_exception_for_a_pinned_name_goes_quietly() -> None:
    guarding = Guarding(("exam.vn", EXCEPT))
    guarding.guarded.refuse_pinned([Pin(wire("exam.vn"))])
    assert (guarding.left, guarding.refused) == ([], [])


def test_protected_subtree_is_set_aside_for_third_parties_only() -> None:
    guarding = Guarding(("bank.vn", BLOCK), ("bank.vn", OWN_BLOCK), ("bank.vn", EXCEPT))
    guarding.guarded.set_aside_protected([Protection(wire("bank.vn"))])
    assert guarding.left == ["bank.vn", "bank.vn"]
    assert guarding.refused == [(0, 1, Reason.PROTECTED, "bank.vn")]


@pytest.mark.parametrize(("category", "left"), [("scam", 1), ("games", 0)])
def test_protection_spares_the_categories_it_names(category: str, left: int) -> None:
    guarding = Guarding(("zalo.me", BLOCK))
    protection = Protection(wire("zalo.me"), except_categories=frozenset({category}))
    guarding.guarded.set_aside_protected([protection])
    assert len(guarding.left) == left


def test_protection_without_subtree_is_about_the_name_alone() -> None:
    guarding = Guarding(("bank.vn", BLOCK), ("x.bank.vn", BLOCK))
    guarding.guarded.set_aside_protected([Protection(wire("bank.vn"), subtree=False)])
    assert guarding.left == ["x.bank.vn"]


def test_guard_that_no_list_can_name_changes_nothing() -> None:
    guarding = Guarding(("bank.vn", BLOCK))
    guarding.guarded.refuse_pinned(
        [Pin(b"\x03a b\x02vn\0", subtree=True), Pin(b"\0", subtree=True)]
    )
    assert guarding.left == ["bank.vn"]


A, B, C = (b"com\0" + one + b"\0" for one in (b"a", b"b", b"c"))


def test_each_claim_has_its_uses() -> None:
    records = [A + record_tail(0, 1), B + record_tail(2, CANCELS), B + record_tail(2, 4)]
    assert survey(records, frozenset(), bytes(3)) == (bytes((USED, 0, USED | CANCELLED)), [])


def test_records_are_picked_by_their_name_and_by_their_claim() -> None:
    records = [A + record_tail(0, 1), B + record_tail(0, 2), C + record_tail(1, 3)]
    assert survey(records, frozenset((A,)), bytes((0, 1)))[1] == [records[0], records[2]]


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
