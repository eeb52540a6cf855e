# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import StoreError
from filterd.base.state_folder import StateFolder
from filterd.overrides.history import policy_versions
from filterd.overrides.history.policy_versions import PolicyVersions
from filterd.overrides.history.store import Store
from filterd.policy import policy_file as policy_store
from tests.support.changes import an_exception
from tests.support.clock import FakeClock
from tests.support.policies import NOW, a_policy

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import Policy


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def kept(state: StateFolder, clock: FakeClock) -> PolicyVersions:
    return PolicyVersions(state, Store(state, clock), clock)


def school(name: str) -> Policy:
    return replace(a_policy(), school=name)


def test_without_a_policy_nothing_is_known(kept: PolicyVersions, state: StateFolder) -> None:
    assert kept.all() == ()
    assert kept.at(NOW) is None
    assert not state.folder.exists()


def test_the_policy_of_a_time_is_found(kept: PolicyVersions, clock: FakeClock) -> None:
    for name in "abc":
        kept.note(school(name))
        clock.advance(100)
    found = [kept.at(NOW + at) for at in (-1, 0, 150, 1000)]
    schools = [one and policy_store.load(one.path).school for one in found]
    assert schools == [None, "a", "b", "c"]
    assert [one.activated_at - NOW for one in kept.all()] == [200, 100, 0]


def test_a_policy_that_is_in_force_already_is_not_noted_again(
    kept: PolicyVersions, clock: FakeClock
) -> None:
    kept.note(school("a"))
    clock.advance(100)
    kept.note(school("a"))
    assert [one.activated_at for one in kept.all()] == [NOW]


def test_a_policy_that_comes_back_is_one_file(kept: PolicyVersions, state: StateFolder) -> None:
    for name in "aba":
        kept.note(school(name))
    assert len(kept.all()) == 3
    assert len(list(state.past_policies.iterdir())) == 2


def test_the_last_are_kept_and_unused_ones_go(
    kept: PolicyVersions, state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_versions, "KEPT", 3)
    state.past_policies.mkdir(parents=True)
    (state.past_policies / "abandoned.filterd").write_bytes(b"")
    for name in "abcde":
        kept.note(school(name))
    assert [policy_store.load(one.path).school for one in kept.all()] == ["e", "d", "c"]
    files = set(state.past_policies.iterdir())
    assert files == {one.path for one in kept.all()}


def test_a_damaged_policy_is_kept_anew_when_it_comes_back(kept: PolicyVersions) -> None:
    kept.note(school("a"))
    path = kept.all()[0].path
    path.write_bytes(b"damaged")
    kept.note(school("b"))
    kept.note(school("a"))
    assert policy_store.load(path).school == "a"


def test_a_policy_in_force_whose_file_is_lost_is_kept_anew(
    kept: PolicyVersions, state: StateFolder
) -> None:
    kept.note(school("a"))
    shutil.rmtree(state.past_policies)
    kept.note(school("a"))
    (only,) = kept.all()
    assert policy_store.load(only.path).school == "a"


def test_policies_and_changes_share_the_store(
    kept: PolicyVersions, state: StateFolder, clock: FakeClock
) -> None:
    store = Store(state, clock)
    store.change("exception", an_exception(), author="lan", reason="bài")
    kept.note(school("a"))
    assert store.verify().first_bad is None
    assert len(store.current().exceptions) == 1


def test_a_kept_policy_is_loaded_by_its_digest(kept: PolicyVersions) -> None:
    for name in "ab":
        kept.note(school(name))
    for name in "ab":
        assert kept.load(policy_store.digest(school(name))).school == name
    with pytest.raises(StoreError, match="the policy abc is not kept; see `filterd policy history"):
        kept.load("abc")
