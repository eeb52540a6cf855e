# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from filterd.errors import IndexFormatError
from filterd.lists import verified_digests
from filterd.lists.index import Index
from filterd.lists.verified_digests import checked_digests, note_checked
from tests.support.indexes import a_list, compiled

if TYPE_CHECKING:
    from pathlib import Path

DIGESTS = [bytes([number]) * 32 for number in range(6)]


def test_what_was_checked_is_known_to_the_next_process(tmp_path: Path) -> None:
    note_checked(tmp_path / "checked", DIGESTS[0])
    note_checked(tmp_path / "checked", DIGESTS[1])
    assert checked_digests(tmp_path / "checked") == (DIGESTS[1], DIGESTS[0])


def test_only_the_latest_are_kept_and_none_twice(tmp_path: Path) -> None:
    for digest in (*DIGESTS, DIGESTS[4]):
        note_checked(tmp_path / "checked", digest)
    latest = (DIGESTS[4], DIGESTS[5], DIGESTS[3], DIGESTS[2])
    assert checked_digests(tmp_path / "checked") == latest


@pytest.mark.parametrize("content", [b"", b"\xff\n", b"something else\n" + b"00" * 32 + b"\n"])
def test_a_record_of_no_use_knows_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checked").write_bytes(content)
    assert checked_digests(tmp_path / "checked") == ()
    assert checked_digests(tmp_path / "none") == ()


def test_another_filterd_may_check_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_checked(tmp_path / "checked", DIGESTS[0])
    monkeypatch.setattr(
        verified_digests, "_HEAD", "filterd checked indexes 1, as filterd 99 checks"
    )
    assert checked_digests(tmp_path / "checked") == ()


@pytest.mark.parametrize("sound", [True, False])
def test_an_octet_that_was_lost_since_is_found_all_the_same(tmp_path: Path, sound: bool) -> None:
    made = compiled(tmp_path, a_list(tmp_path, "bad.com\n"))
    content = bytearray(made.path.read_bytes())
    content[-1] ^= 1
    made.path.write_bytes(content)
    digest = made.index.digest
    with pytest.raises(IndexFormatError, match="digest does not match"):
        Index.open(made.path).verify(sound=[digest] if sound else [])


def test_the_structure_is_checked_unless_it_has_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = compiled(tmp_path, a_list(tmp_path, "bad.com\n")).index
    looked: list[str] = []
    monkeypatch.setattr(index, "matcher", SimpleNamespace(check=lambda: looked.append("looked")))
    index.verify(sound=[index.digest])
    assert looked == []
    index.verify(sound=[bytes(32)])
    assert looked == ["looked"]
