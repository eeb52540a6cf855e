# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest

from filterd.overrides.export import Exported
from filterd.policy.overrides import Overrides
from filterd.server.shared_overrides import SharedOverrides
from tests.support.changes import Book, an_exception


def some(number: int) -> Exported:
    return Exported(Overrides(number=number), "ab" * 32)


def test_nothing_is_kept_at_first() -> None:
    assert SharedOverrides().get() is None


def test_what_was_put_last_counts_whatever_its_number() -> None:
    shared = SharedOverrides()
    for number in (1, 2, 3, 2):
        shared.put(some(number))
        assert shared.get() == some(number)


@pytest.mark.parametrize("slot", [0, 1])
def test_a_slot_that_was_half_written_leaves_the_other(slot: int) -> None:
    shared = SharedOverrides(slot_octets=4096)
    shared.put(some(1))
    shared.put(some(2))
    shared._memory[slot * 4096 + 40] ^= 1
    # The first change went to slot 1, the second to slot 0.
    assert shared.get() == some((1, 2)[slot])


def test_what_has_no_room_is_left_to_the_disk() -> None:
    book = Book()
    for number in range(20):
        book.make("exception", **an_exception(target=f"name{number}.example"))
    large = Exported(replace(book.overrides), "")
    shared = SharedOverrides(slot_octets=2048)
    shared.put(some(1))
    shared.put(large)
    assert shared.get() is None
    shared.put(some(2))
    assert shared.get() == some(2)
