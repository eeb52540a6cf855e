# SPDX-License-Identifier: Apache-2.0
"""Both packers on the same records: every section octet by octet, every count."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.native import live_only
from filterd.lists.index_format import LONG_BLOCK_OCTETS
from filterd.lists.packing import PlainPacker, plainly_fill_slots
from filterd.lists.sort_records import record_tail

native: Any = live_only("filterd.lists._matcher")
pytestmark = pytest.mark.usefixtures("needs_native")

PLAIN = SimpleNamespace(Packer=PlainPacker, fill_slots=plainly_fill_slots)

LISTS = [0, 0, 1, 1, 2]
FLAGS = bytes((3, 1, 3, 0, 4))

label = st.one_of(
    st.sampled_from([b"a", b"ab", b"com", b"vn", b"x" * 63, b"abcdefghijklmnop"]),
    st.text("ab-_0", min_size=1, max_size=25).map(str.encode),
)
key = st.lists(label, min_size=2, max_size=4).map(
    lambda labels: b"".join(one + b"\0" for one in labels)
)
records = st.lists(
    st.tuples(key, st.integers(0, 4), st.integers(0, 40) | st.integers(0, 2**32 - 1)), max_size=120
)


def results(packing: Any, ordered: list[bytes], set_width: int) -> list[object]:
    packer = packing.Packer(LISTS, FLAGS, 3, 2**63 + 5, LONG_BLOCK_OCTETS, set_width)
    packer.pack(ordered, lambda _done: None)
    slots, longest = packing.fill_slots(packer.hashes, packer.ranks, len(packer.line_offsets))
    arrays = (packer.line_offsets, packer.ranks, packer.hashes, slots)
    return [
        packer.name_count,
        bytes(packer.blocks),
        bytes(packer.lines),
        *map(list, arrays),
        packer.sets,
        packer.kept,
        packer.duplicate,
        packer.redundant,
        packer.cancelled,
        longest,
    ]


@given(entries=records, set_width=st.sampled_from([2, 4]))
def test_twins_pack_alike(entries: list[tuple[bytes, int, int]], set_width: int) -> None:
    ordered = sorted(name + record_tail(claim, line) for name, claim, line in entries)
    assert results(native, ordered, set_width) == results(PLAIN, ordered, set_width)


@pytest.mark.parametrize("record", [b"", b"short", b"a\0" + record_tail(5, 1)])
def test_native_packer_refuses_what_is_no_record(record: bytes) -> None:
    with pytest.raises(ValueError, match="a record"):
        native.Packer(LISTS, FLAGS, 3, 0, 256, 2).pack([record], print)


def test_native_packer_refuses_claims_of_no_list() -> None:
    with pytest.raises(ValueError, match="no list"):
        native.Packer([3], b"\0", 3, 0, 256, 2)


def test_native_packer_refuses_blocks_that_the_layout_does_not_have() -> None:
    with pytest.raises(ValueError, match="no such blocks"):
        native.Packer(LISTS, FLAGS, 3, 0, LONG_BLOCK_OCTETS + 1, 2)


def test_native_packer_refuses_a_name_longer_than_a_block() -> None:
    record = b"com\0" + b"x" * 63 + b"\0" + record_tail(0, 1)
    with pytest.raises(ValueError, match="longer than a block"):
        native.Packer(LISTS, FLAGS, 3, 0, 64, 2).pack([record], print)
