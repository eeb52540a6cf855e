# SPDX-License-Identifier: Apache-2.0
"""Second copies: made of sound files, restored for lost ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.daemon import second_copies
from filterd.daemon.shared_page import SharedPage
from filterd.daemon.site_loader import Unwritten, open_index
from filterd.policy import policy_file
from tests.support.daemon import build_lists, copy_lists, write_site
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.state_folder import StateFolder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    config = write_site(tmp_path_factory.mktemp("site"), port=5353)
    return build_lists(config, tmp_path_factory.mktemp("state"))


@pytest.fixture
def page() -> SharedPage:
    return SharedPage()


@pytest.fixture
def state(built: StateFolder, tmp_path: Path, page: SharedPage) -> StateFolder:
    made = copy_lists(built, tmp_path / "state")
    policy_file.save(made.policy, a_policy())
    open_index(tmp_path, made, page, Unwritten())
    second_copies.keep(made, page)
    return made


def test_what_is_gone_is_put_back(state: StateFolder) -> None:
    policy, index = state.policy.read_bytes(), state.index.read_bytes()
    state.policy.unlink()
    state.index.unlink()
    second_copies.restore(state)
    assert (state.policy.read_bytes(), state.index.read_bytes()) == (policy, index)


def test_an_index_takes_no_second_room(state: StateFolder) -> None:
    assert state.index.samefile(state.second_index)


def test_nothing_is_taken_of_what_is_damaged_or_not_verified(
    state: StateFolder, page: SharedPage
) -> None:
    policy, index = state.second_policy.read_bytes(), state.second_index.read_bytes()
    for path in (state.policy, state.index):
        path.unlink()
        path.write_bytes(b"damaged")
    second_copies.keep(state, page)
    assert (state.second_policy.read_bytes(), state.second_index.read_bytes()) == (policy, index)


def test_what_is_there_stays(state: StateFolder) -> None:
    state.policy.write_bytes(b"another")
    second_copies.restore(state)
    assert state.policy.read_bytes() == b"another"


def test_where_nothing_was_kept_nothing_comes_back(state: StateFolder) -> None:
    for path in (state.policy, state.second_policy, state.index, state.second_index):
        path.unlink()
    second_copies.restore(state)
    assert not state.policy.exists()
    assert not state.index.exists()
