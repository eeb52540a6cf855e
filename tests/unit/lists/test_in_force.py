# SPDX-License-Identifier: Apache-2.0
"""The index says which lists it is of."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from filterd.lists.in_force import Blocklists, blocklists_in_force, version_of
from filterd.paths import StateFolder, shipped
from filterd.policy.site.building import build_lists
from tests.support.feed_folders import put_in_force, put_version

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_renamed_index_changes_the_folder_at_once(state: StateFolder) -> None:
    folder = put_version(state, 13, "other.example")
    build_lists(None, Blocklists(folder, 13), state.fresh_index, now=0.0)
    assert blocklists_in_force(state).version == 12
    state.fresh_index.replace(state.index)
    assert blocklists_in_force(state).version == 13
