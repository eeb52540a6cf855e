# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import IndexFormatError, StoreError
from filterd.lists.index import Contents, Index, ListRecord
from filterd.lists.index_format import (
    BLOCK_NAMES,
    BLOCK_OCTETS,
    GROUP_SLOTS,
    POSITION_BITS,
    Hit,
    rank_bits,
)
from filterd.lists.packing import Packer, fill_slots, write_index
from filterd.lists.rules import Claim, Scope
from filterd.lists.sort_records import CANCELS, record_tail
from tests.support.indexes import listed

if TYPE_CHECKING:
    from pathlib import Path


BLOCK, COVERS, MARKER = 1, 2, 4


def key(name: str) -> bytes:
    return b"".join(label.encode() + b"\0" for label in reversed(name.split(".")))


def packed(
    *entries: tuple[str, int, int], flags: bytes = bytes((3, 1, 3, 4)), set_width: int = 2
) -> Packer:
    """Pack (name, claim, line); claims 0, 1 and 3 are of list 0, claim 2 of list 1."""
    packer = Packer([0, 0, 1, 0], flags, 2, 5, BLOCK_OCTETS, set_width)
    records = sorted(key(name) + record_tail(claim, line) for name, claim, line in entries)
    packer.pack(records, lambda _done: None)
    return packer


def test_each_name_is_packed_once() -> None:
    packer = packed(("a.com", 0, 1), ("a.com", 2, 1), ("b.com", 0, 2))
    assert packer.name_count == 2
    assert packer.sets == [(0, 2), (0,)]
    assert bytes(packer.blocks[-4:]) == bytes((0, 0, 1, 0))


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
    assert (packer.name_count, bytes(packer.blocks), bytes(packer.lines)) == (0, b"", b"")


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


@pytest.mark.parametrize("set_width", [2, 4])
def test_block_follows_the_layout(set_width: int) -> None:
    packer = packed(("abcdefgh.com", 0, 1), ("abcdefgx.com", 2, 2), set_width=set_width)
    tables, text = bytes((2, 11, 12, 13)), b"com\0abcdefghx"
    ids = b"".join(set_id.to_bytes(set_width, "little") for set_id in (0, 1))
    assert bytes(packer.blocks) == (tables + text).ljust(BLOCK_OCTETS - len(ids), b"\0") + ids
    assert list(packer.ranks) == [0, 1]


def test_names_go_on_in_another_block() -> None:
    packer = packed(*((f"n{number:02}.com", 0, number + 1) for number in range(BLOCK_NAMES + 1)))
    assert list(packer.ranks) == list(range(BLOCK_NAMES + 1))
    assert [packer.blocks[0], packer.blocks[BLOCK_OCTETS]] == [BLOCK_NAMES, 1]
    assert list(packer.line_offsets) == [0, BLOCK_NAMES]


def test_block_that_is_full_has_fewer_names() -> None:
    packer = packed(*((f"{letter * 60}.com", 0, 1) for letter in "abcdefg"))
    assert [rank >> POSITION_BITS for rank in packer.ranks] == [0, 0, 0, 1, 1, 1, 2]


def test_more_claim_sets_than_ids_are_an_overflow() -> None:
    packer = Packer([0] * 65_537, bytes(65_537), 1, 5, BLOCK_OCTETS, 2)
    records = [b"com\0n%06d\0" % number + record_tail(number, 1) for number in range(65_537)]
    with pytest.raises(OverflowError, match="claim sets"):
        packer.pack(records, lambda _done: None)


def test_packing_reports_its_progress() -> None:
    steps = list[int]()
    records = [b"com\0n%06d\0" % number + record_tail(0, 1) for number in range(70_000)]
    Packer([0], b"\3", 1, 5, BLOCK_OCTETS, 2).pack(records, steps.append)
    assert steps == [0, 65_536]


def test_large_line_numbers_are_varints() -> None:
    assert bytes(packed(("a.com", 0, 300)).lines) == bytes((0xAC, 0x02))


def test_table_finds_every_name_within_the_stated_way() -> None:
    packer = packed(*((f"n{number}.com", 0, number + 1) for number in range(500)))
    blocks = len(packer.line_offsets)
    slots, longest = fill_slots(packer.hashes, packer.ranks, blocks)
    assert len(slots) == 1000
    mask = (1 << rank_bits(blocks)) - 1
    assert sorted(slot & mask for slot in slots if slot) == list(packer.ranks)
    assert 0 <= longest < 10


def test_groups_are_filled_from_their_start() -> None:
    packer = packed(*((f"n{number}.com", 0, number + 1) for number in range(500)))
    slots, _ = fill_slots(packer.hashes, packer.ranks, len(packer.line_offsets))
    for start in range(0, len(slots), GROUP_SLOTS):
        used = [bool(slot) for slot in slots[start : start + GROUP_SLOTS]]
        assert used == sorted(used, reverse=True)


def test_table_of_nothing_has_one_empty_group() -> None:
    packer = Packer([], b"", 0, 1, BLOCK_OCTETS, 2)
    slots, longest = fill_slots(packer.hashes, packer.ranks, 0)
    assert (list(slots), longest) == ([0] * GROUP_SLOTS, 0)


REPORT = b'{"lists":[],"names":0,"seconds":0.0}'


def a_packer(sets: int = 1, set_width: int = 2) -> tuple[Packer, bytes]:
    """Return one name for each of so many claim sets, packed, and the contents."""
    packer = Packer([0] * sets, bytes(sets), 1, 5, BLOCK_OCTETS, set_width)
    records = [b"com\0n%06d\0" % number + record_tail(number, 1) for number in range(sets)]
    packer.pack(records, lambda _done: None)
    claims = tuple((0, Claim(Scope.EXACT)) for _ in range(sets))
    record = ListRecord("a", "ads", "", "domains", False, "", sets)
    return packer, Contents((record,), claims, tuple(packer.sets), {}).dump()


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_index_is_readable_and_nothing_else_is_left(tmp_path: Path) -> None:
    packer, contents = a_packer()
    write_index(packer, 5, contents, REPORT, tmp_path / "index")
    assert listed(Index.open(tmp_path / "index"), "www.n000000.com") == ["n000000.com"]
    assert left(tmp_path) == ["index"]


@pytest.mark.parametrize("sets", [3, pytest.param(65_537, marks=pytest.mark.long)])
def test_many_claim_sets_take_wider_ids(tmp_path: Path, sets: int) -> None:
    packer, contents = a_packer(sets, set_width=4)
    write_index(packer, 5, contents, REPORT, tmp_path / "index")
    index = Index.open(tmp_path / "index")
    *_, (rank, name) = index.ranked_names()
    assert (index.entries(rank), index.lookup(name)) == (
        ((sets - 1, 1),),
        (Hit(2, rank, sets - 1),),
    )


def test_index_that_does_not_verify_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "index").write_bytes(b"the old one")
    packer, contents = a_packer()
    with pytest.raises(IndexFormatError):
        write_index(packer, 6, contents, REPORT, tmp_path / "index")  # hashed with the seed 5
    assert (tmp_path / "index").read_bytes() == b"the old one"
    assert left(tmp_path) == ["index"]


def test_full_disk_leaves_the_old_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "index").write_bytes(b"the old one")
    monkeypatch.setattr(os, "fsync", refuse)
    packer, contents = a_packer()
    with pytest.raises(StoreError, match="No space left"):
        write_index(packer, 5, contents, REPORT, tmp_path / "index")
    assert (tmp_path / "index").read_bytes() == b"the old one"
    assert left(tmp_path) == ["index"]


def test_a_disk_that_can_only_be_read_is_a_store_error_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There even removing what is not there is refused, and must not hide the reason."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    packer, contents = a_packer()
    with pytest.raises(StoreError, match="Read-only file system"):
        write_index(packer, 5, contents, REPORT, tmp_path / "index")


def test_folder_that_is_absent_is_a_store_error(tmp_path: Path) -> None:
    packer, contents = a_packer()
    with pytest.raises(StoreError, match="cannot be written"):
        write_index(packer, 5, contents, REPORT, tmp_path / "absent" / "index")


def test_file_is_synced_before_it_is_renamed_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = list[str]()
    sync, rename = os.fsync, os.replace

    def noted_sync(descriptor: int) -> None:
        order.append("fsync")
        sync(descriptor)

    def noted_rename(old: Path, new: Path) -> None:
        order.append("rename")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", noted_rename)
    packer, contents = a_packer()
    write_index(packer, 5, contents, REPORT, tmp_path / "index")
    assert order == ["fsync", "rename", "fsync"]  # the file, then its folder
