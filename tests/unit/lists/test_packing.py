# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.lists.packing import Packer, fill_slots
from filterd.lists.records import CANCELS, record_tail

BLOCK, COVERS, MARKER = 1, 2, 4


def key(name: str) -> bytes:
    return b"".join(label.encode() + b"\0" for label in reversed(name.split(".")))


def packed(*entries: tuple[str, int, int], flags: bytes = bytes((3, 1, 3, 4))) -> Packer:
    """Pack (name, claim, line); claims 0, 1 and 3 are of list 0, claim 2 of list 1."""
    packer = Packer([0, 0, 1, 0], flags, 2, seed=5)
    packer.pack(sorted(key(name) + record_tail(claim, line) for name, claim, line in entries))
    return packer


def test_each_name_is_packed_once() -> None:
    packer = packed(("a.com", 0, 1), ("a.com", 2, 1), ("b.com", 0, 2))
    assert packer.name_count == 2
    assert packer.sets == [(0, 2), (0,)]
    assert list(packer.set_ids) == [0, 1]


def test_first_line_of_equal_entries_stands() -> None:
    packer = packed(("a.com", 0, 9), ("a.com", 0, 4), ("a.com", 0, 4))
    assert (packer.kept[0], packer.duplicate[0]) == (1, 2)
    assert bytes(packer.lines) == bytes((4,))


def test_equal_entries_of_two_lists_are_no_duplicates() -> None:
    packer = packed(("a.com", 0, 1), ("a.com", 2, 1))
    assert (packer.kept, packer.duplicate) == ([1, 1], [0, 0])


def test_cancelled_entry_is_gone_and_others_stand() -> None:
    packer = packed(("a.com", 0, CANCELS), ("a.com", 0, 3), ("a.com", 0, 5), ("a.com", 2, 1))
    assert packer.sets == [(2,)]
    assert (packer.kept, packer.cancelled) == ([0, 1], [2, 0])


def test_name_without_any_entry_left_is_not_packed() -> None:
    packer = packed(("a.com", 0, CANCELS), ("a.com", 0, 3))
    assert (packer.name_count, bytes(packer.names), bytes(packer.lines)) == (0, b"", b"")


@pytest.mark.parametrize(
    ("entries", "redundant"),
    [
        ([("a.com", 0, 1), ("b.a.com", 0, 2), ("c.b.a.com", 1, 3)], [2, 0]),
        ([("a.com", 0, 1), ("b.a.com", 2, 1)], [0, 0]),
        ([("a.com", 1, 1), ("b.a.com", 0, 2)], [0, 0]),
        ([("a.com", 0, 1), ("a-b.com", 0, 2), ("ab.com", 0, 3), ("b.com", 0, 4)], [0, 0]),
        ([("a.com", 0, 1), ("a.com", 1, 2)], [0, 0]),
        ([("a.com", 0, 1), ("x.a.com", 0, 2), ("b.com", 0, 3), ("x.b.com", 1, 4)], [2, 0]),
    ],
)
def test_redundant_entries_are_counted_and_kept(
    entries: list[tuple[str, int, int]], redundant: list[int]
) -> None:
    packer = packed(*entries)
    assert list(packer.redundant) == redundant
    assert packer.name_count == len({name for name, _, _ in entries})


def test_cancelled_entry_makes_nothing_redundant() -> None:
    packer = packed(("a.com", 0, CANCELS), ("a.com", 0, 1), ("x.a.com", 0, 2))
    assert (packer.redundant, packer.name_count) == ([0, 0], 1)


def test_markers_are_packed_and_not_counted() -> None:
    packer = packed(("a.com", 3, 1), ("a.com", 3, 2))
    assert (packer.name_count, packer.kept, packer.duplicate) == (1, [0, 0], [0, 0])


def test_front_coding_follows_the_layout() -> None:
    packer = packed(("abcdefgh.com", 0, 1), ("abcdefgx.com", 0, 2))
    first, second = b"com\0abcdefgh", b"x"
    assert bytes(packer.names) == (
        bytes((0xFB, 0)) + first + bytes(((len(first) - 1 - 4) << 4,)) + second
    )


def test_large_line_numbers_are_varints() -> None:
    assert bytes(packed(("a.com", 0, 300)).lines) == bytes((0xAC, 0x02))


def test_table_finds_every_name_within_the_stated_way() -> None:
    packer = packed(*((f"n{number}.com", 0, number + 1) for number in range(500)))
    slots, longest = fill_slots(packer.hashes)
    assert len(slots) == 1000
    assert sorted(slot & 511 for slot in slots if slot) == list(range(1, 501))
    assert 0 < longest < 100


def test_table_of_nothing_has_one_empty_slot() -> None:
    slots, longest = fill_slots(Packer([], b"", 0, seed=1).hashes)
    assert (list(slots), longest) == ([0], 0)
