# SPDX-License-Identifier: Apache-2.0
"""The index says which lists it is of."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from filterd import paths
from filterd.config.lists_build import build_lists
from filterd.errors import StoreError
from filterd.lists import active_blocklists
from filterd.lists.active_blocklists import (
    Blocklists,
    blocklists_in_force,
    blocklists_to_compile_by,
    check_tables,
    version_of,
)
from filterd.lists.catalog import load_catalog
from filterd.paths import shipped
from filterd.state_folder import StateFolder
from tests.support.feed_folders import put_in_force, put_version

SHIPPED = Blocklists(shipped("blocklists"))


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    state = StateFolder(tmp_path / "state")
    put_in_force(state, 12, "bet.example")
    return state


def test_lists_of_a_feed_are_of_its_version(state: StateFolder) -> None:
    assert blocklists_in_force(state) == Blocklists(state.feed_version(12), 12)


def test_without_an_index_they_are_those_that_ship(tmp_path: Path) -> None:
    assert blocklists_in_force(StateFolder(tmp_path)) == SHIPPED


def test_lists_that_ship_are_those_that_ship_whatever_the_feed_has(state: StateFolder) -> None:
    build_lists(None, SHIPPED, state.index, now=0.0)
    assert blocklists_in_force(state) == SHIPPED


def test_where_the_index_is_damaged_the_one_before_tells(state: StateFolder) -> None:
    state.index.rename(state.previous_index)
    state.index.write_bytes(b"no index")
    assert version_of(state.index) is None
    assert blocklists_in_force(state).version == 12


def test_a_version_that_is_gone_is_replaced_by_what_ships(state: StateFolder) -> None:
    shutil.rmtree(state.feed_version(12))
    assert blocklists_in_force(state) == SHIPPED


@pytest.fixture
def refusing(state: StateFolder, monkeypatch: pytest.MonkeyPatch) -> StateFolder:
    """Have a disk that gives nothing of the version's folder."""
    stat, folder = Path.stat, state.feed_version(12)

    def failing(path: Path, *given: Any, **named: Any) -> os.stat_result:
        if path.is_relative_to(folder):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return stat(path, *given, **named)

    monkeypatch.setattr(Path, "stat", failing)
    monkeypatch.setattr(
        active_blocklists, "open_plain", lambda path: failing(path) and paths.open_plain(path)
    )
    return state


def test_a_version_that_the_disk_refuses_is_not_compiled_by(refusing: StateFolder) -> None:
    found = blocklists_in_force(refusing)
    assert found.version == 12
    with pytest.raises(StoreError, match=r"version 12 .* manifest.json is missing or damaged"):
        check_tables(found.folder)
    assert blocklists_to_compile_by(refusing) == SHIPPED


def test_control_asked_as_usual_whether_it_is_a_folder_the_disk_stops_the_start(
    refusing: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(active_blocklists, "_is_gone", lambda folder: not folder.is_dir())
    with pytest.raises(OSError, match="Input/output error"):
        blocklists_to_compile_by(refusing)


def _spoil(path: Path) -> None:
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)


@pytest.mark.parametrize("name", ["categories.yaml", "pins.yaml"])
def test_tables_that_lost_an_octet_are_not_compiled_by(state: StateFolder, name: str) -> None:
    folder = state.feed_version(12)
    check_tables(folder)
    assert blocklists_to_compile_by(state) == Blocklists(folder, 12)
    _spoil(folder / name)
    with pytest.raises(StoreError, match=rf"version 12 .* {name} is missing or damaged"):
        check_tables(folder)
    with pytest.raises(StoreError):
        load_catalog(folder)
    assert blocklists_to_compile_by(state) == SHIPPED


@pytest.mark.parametrize("octets", [b"", b"[]", b'{"version": 1, "files": [[1, 2, 3]]}', b"{" * 9])
def test_a_manifest_that_is_none_says_that_the_version_is_damaged(
    state: StateFolder, octets: bytes
) -> None:
    (state.feed_version(12) / "manifest.json").write_bytes(octets)
    with pytest.raises(StoreError, match="damaged"):
        check_tables(state.feed_version(12))


def test_a_table_that_is_gone_is_damaged(state: StateFolder) -> None:
    (state.feed_version(12) / "pins.yaml").unlink()
    with pytest.raises(StoreError, match=r"pins\.yaml is missing"):
        check_tables(state.feed_version(12))


def test_lists_are_no_tables_and_what_ships_is_not_held_to_anything(state: StateFolder) -> None:
    _spoil(state.feed_version(12) / "lists" / "gambling.txt")
    check_tables(state.feed_version(12))
    check_tables(SHIPPED.folder)


def test_a_renamed_index_changes_the_folder_at_once(state: StateFolder) -> None:
    folder = put_version(state, 13, "other.example")
    build_lists(None, Blocklists(folder, 13), state.fresh_index, now=0.0)
    assert blocklists_in_force(state).version == 12
    state.fresh_index.replace(state.index)
    assert blocklists_in_force(state).version == 13
