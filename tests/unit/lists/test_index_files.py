# SPDX-License-Identifier: Apache-2.0
"""An index takes the place of another: the old one or the new one, whenever it is killed."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from filterd.base import paths
from filterd.base.errors import IndexFormatError, StoreError
from filterd.base.paths import shipped
from filterd.base.state_folder import StateFolder
from filterd.config.lists_build import build_lists
from filterd.lists import index_files
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.index import Index
from filterd.lists.index_files import (
    Blocklists,
    blocklists_in_force,
    blocklists_to_compile_by,
    check_tables,
    checked_digests,
    facts_of,
    install_index,
    note_checked,
    version_of,
)
from tests.support.dying import dies_at_disk
from tests.support.feed_folders import put_in_force, put_version
from tests.support.indexes import a_list, compiled


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


SHIPPED = Blocklists(shipped("blocklists"))


@pytest.fixture
def feed_state(tmp_path: Path) -> StateFolder:
    feed_state = StateFolder(tmp_path / "state")
    put_in_force(feed_state, "12", "bet.example")
    return feed_state


def test_lists_of_a_feed_are_of_its_version(feed_state: StateFolder) -> None:
    assert blocklists_in_force(feed_state) == Blocklists(feed_state.feed_version("12"), "12")


def test_without_an_index_they_are_those_that_ship(tmp_path: Path) -> None:
    assert blocklists_in_force(StateFolder(tmp_path)) == SHIPPED


def test_lists_that_ship_are_those_that_ship_whatever_the_feed_has(
    feed_state: StateFolder,
) -> None:
    build_lists(None, SHIPPED, feed_state.index, now=0.0)
    assert blocklists_in_force(feed_state) == SHIPPED


def test_where_the_index_is_damaged_the_previous_one_is_read(
    feed_state: StateFolder,
) -> None:
    feed_state.index.rename(feed_state.previous_index)
    feed_state.index.write_bytes(b"no index")
    assert version_of(feed_state.index) is None
    assert blocklists_in_force(feed_state).version == "12"


def test_a_version_that_is_gone_is_replaced_by_what_ships(
    feed_state: StateFolder,
) -> None:
    shutil.rmtree(feed_state.feed_version("12"))
    assert blocklists_in_force(feed_state) == SHIPPED


@pytest.fixture
def refusing(feed_state: StateFolder, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    """Have a disk that gives nothing of the version's folder."""
    stat, folder = Path.stat, feed_state.feed_version("12")

    def failing(path: Path, *given: Any, **named: Any) -> os.stat_result:
        if path.is_relative_to(folder):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return stat(path, *given, **named)

    monkeypatch.setattr(Path, "stat", failing)
    monkeypatch.setattr(
        index_files, "open_plain", lambda path: failing(path) and paths.open_plain(path)
    )
    return feed_state


def test_a_version_that_the_disk_refuses_is_not_compiled_by(refusing: StateFolder) -> None:
    found = blocklists_in_force(refusing)
    assert found.version == "12"
    with pytest.raises(StoreError, match=r"version 12 .* manifest.json is missing or damaged"):
        check_tables(found.folder)
    assert blocklists_to_compile_by(refusing) == SHIPPED


def test_control_asked_as_usual_whether_it_is_a_folder_the_disk_stops_the_start(
    refusing: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_files, "_is_gone", lambda folder: not folder.is_dir())
    with pytest.raises(OSError, match="Input/output error"):
        blocklists_to_compile_by(refusing)


def _spoil(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)


@pytest.mark.parametrize("name", ["categories.yaml", "pins.yaml"])
def test_tables_that_lost_an_octet_are_not_compiled_by(feed_state: StateFolder, name: str) -> None:
    folder = feed_state.feed_version("12")
    check_tables(folder)
    assert blocklists_to_compile_by(feed_state) == Blocklists(folder, "12")
    _spoil(folder / name)
    with pytest.raises(StoreError, match=rf"version 12 .* {name} is missing or damaged"):
        check_tables(folder)
    with pytest.raises(StoreError):
        load_catalog(folder)
    assert blocklists_to_compile_by(feed_state) == SHIPPED


@pytest.mark.parametrize("octets", [b"", b"[]", b'{"version": 1, "files": [[1, 2, 3]]}', b"{" * 9])
def test_an_invalid_manifest_is_reported_as_a_damaged_version(
    feed_state: StateFolder, octets: bytes
) -> None:
    (feed_state.feed_version("12") / "manifest.json").write_bytes(octets)
    with pytest.raises(StoreError, match="damaged"):
        check_tables(feed_state.feed_version("12"))


def test_a_table_that_is_gone_is_damaged(feed_state: StateFolder) -> None:
    (feed_state.feed_version("12") / "pins.yaml").unlink()
    with pytest.raises(StoreError, match=r"pins\.yaml is missing"):
        check_tables(feed_state.feed_version("12"))


def test_lists_are_no_tables_and_what_ships_is_not_held_to_anything(
    feed_state: StateFolder,
) -> None:
    _spoil(feed_state.feed_version("12") / "lists" / "gambling.txt")
    check_tables(feed_state.feed_version("12"))
    check_tables(SHIPPED.folder)


def test_a_renamed_index_changes_the_folder_at_once(feed_state: StateFolder) -> None:
    folder = put_version(feed_state, "13", "other.example")
    build_lists(None, Blocklists(folder, "13"), feed_state.fresh_index, now=0.0)
    assert blocklists_in_force(feed_state).version == "12"
    feed_state.fresh_index.replace(feed_state.index)
    assert blocklists_in_force(feed_state).version == "13"


def test_what_an_index_is_can_be_read_without_its_names(tmp_path: Path) -> None:
    made = compiled(tmp_path, a_list(tmp_path, "bad.com\nworse.com\n"))
    index, facts = Index.open(made.path), facts_of(made.path)
    assert (facts.digest, facts.names) == (index.digest, 2)
    assert facts.build == {key: value for key, value in index.build.items() if key != "seed"}


@pytest.mark.parametrize("octets", [b"", b"text\n", b"\x89filterd" + bytes(500)])
def test_of_another_file_nothing_is_read(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(octets)
    with pytest.raises(IndexFormatError, match="other: "):
        facts_of(path)
    assert version_of(path) is None
