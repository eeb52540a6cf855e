# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from filterd.errors import IndexFormatError, StoreError
from filterd.lists.builder import write_index
from filterd.lists.index import Index
from filterd.lists.index_contents import Contents, ListRecord
from filterd.lists.index_format import BLOCK_OCTETS, Hit
from filterd.lists.packing import Packer
from filterd.lists.rules import Claim, Scope
from filterd.lists.sort_records import record_tail
from tests.support.indexes import listed

if TYPE_CHECKING:
    from pathlib import Path

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


def test_many_claim_sets_take_wider_ids(tmp_path: Path) -> None:
    packer, contents = a_packer(sets=65_537, set_width=4)
    write_index(packer, 5, contents, REPORT, tmp_path / "index")
    index = Index.open(tmp_path / "index")
    *_, (rank, name) = index.ranked_names()
    assert (index.entries(rank), index.lookup(name)) == (((65_536, 1),), (Hit(2, rank, 65_536),))


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
