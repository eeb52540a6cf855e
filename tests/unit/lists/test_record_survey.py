# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.lists.record_survey import CANCELLED, USED, survey
from filterd.lists.sort_records import CANCELS, record_tail

A, B, C = (b"com\0" + one + b"\0" for one in (b"a", b"b", b"c"))


def test_each_claim_has_its_uses() -> None:
    records = [A + record_tail(0, 1), B + record_tail(2, CANCELS), B + record_tail(2, 4)]
    assert survey(records, frozenset(), bytes(3)) == (bytes((USED, 0, USED | CANCELLED)), [])


def test_records_are_picked_by_their_name_and_by_their_claim() -> None:
    records = [A + record_tail(0, 1), B + record_tail(0, 2), C + record_tail(1, 3)]
    assert survey(records, frozenset((A,)), bytes((0, 1)))[1] == [records[0], records[2]]
