# SPDX-License-Identifier: Apache-2.0
"""An index takes the place of another: the old one or the new one, whenever it is killed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from filterd.errors import IndexFormatError, StoreError
from filterd.lists import index_files
from filterd.lists.index import Index
from filterd.lists.index_files import checked_digests, install_index, note_checked
from filterd.state_folder import StateFolder
from tests.support.dying import dies_at_disk
from tests.support.indexes import a_list, compiled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    state = StateFolder(tmp_path)
    state.index.write_bytes(b"old")
    state.fresh_index.write_bytes(b"new")
    state.fresh_problems.write_text("of the new")
    return state


def test_the_new_one_is_in_force_and_the_old_one_kept(state: StateFolder) -> None:
    install_index(state)
    assert (state.index.read_bytes(), state.previous_index.read_bytes()) == (b"new", b"old")
    assert state.problems.read_text() == "of the new"
    assert not state.fresh_index.exists()


def test_the_first_one_has_none_before(state: StateFolder) -> None:
    state.index.unlink()
    install_index(state)
    assert state.index.read_bytes() == b"new"
    assert not state.previous_index.exists()


def test_an_old_one_that_was_kept_already_is_kept_once(state: StateFolder) -> None:
    state.previous_index.hardlink_to(state.index)  # as after a way back
    install_index(state)
    assert (state.index.read_bytes(), state.previous_index.read_bytes()) == (b"new", b"old")
    assert not [*state.folder.glob("*.tmp")]


def test_what_is_not_there_replaces_nothing(state: StateFolder) -> None:
    state.fresh_index.unlink()
    with pytest.raises(StoreError, match="cannot be replaced"):
        install_index(state)
    assert state.index.read_bytes() == b"old"


def test_killed_at_any_step_it_is_the_old_one_or_the_new_one(state: StateFolder) -> None:
    step, seen = 0, set[bytes]()
    while dies_at_disk(lambda: install_index(state), step):
        seen.add(state.index.read_bytes())
        state.index.unlink()
        state.index.write_bytes(b"old")
        state.fresh_index.write_bytes(b"new")
        step += 1
    assert seen == {b"old"}
    assert step >= 3
    assert state.index.read_bytes() == b"new"


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
    monkeypatch.setattr(index_files, "_HEAD", "filterd checked indexes 1, as filterd 99 checks")
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
