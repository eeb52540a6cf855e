# SPDX-License-Identifier: Apache-2.0
"""An index takes the place of another: the old one or the new one, whenever it is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.errors import StoreError
from filterd.lists.index_files import install_index
from filterd.state_folder import StateFolder
from tests.support.dying import dies_at_disk

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
