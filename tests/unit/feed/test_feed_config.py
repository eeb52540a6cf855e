# SPDX-License-Identifier: Apache-2.0
"""Which lists are compiled: those of the feed where the site follows one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.config.compile_run import compile_in_child
from filterd.feed.feed_config import Followed, blocklists_to_build, followed
from filterd.feed.trust import TrustFolder
from filterd.lists.index_files import Blocklists
from filterd.paths import shipped
from filterd.state_folder import BesideFolder, StateFolder
from tests.support.daemon import write_site
from tests.support.feed_folders import put_in_force, put_version

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "https://feed.example/v1"
SHIPPED = Blocklists(shipped("blocklists"))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site", port=5353, more=f"feed: {ADDRESS}\n")


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    state = StateFolder(tmp_path / "state")
    versions = put_in_force(state, "12", "bet.example")
    put_version(state, "13", "other.example")
    versions.promote("13")
    return state


def test_the_version_in_force_is_compiled(config: Path, state: StateFolder) -> None:
    assert blocklists_to_build(config, state) == Blocklists(state.feed_version("13"), "13")


def test_a_damaged_version_is_passed_over_for_the_one_before(
    config: Path, state: StateFolder
) -> None:
    (state.feed_version("13") / "catalog.yaml").write_bytes(b"lists: [")
    assert blocklists_to_build(config, state).version == "12"


def test_a_version_whose_keys_were_withdrawn_is_passed_over(
    config: Path, state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (state.feed_version("13") / "catalog.yaml").write_bytes(b"lists: [")
    monkeypatch.setattr(TrustFolder, "trusts_version", lambda _self, _folder: False)
    assert blocklists_to_build(config, state) == SHIPPED


def test_before_the_first_version_what_ships_is_compiled(config: Path, tmp_path: Path) -> None:
    assert blocklists_to_build(config, StateFolder(tmp_path / "new")) == SHIPPED


def test_a_site_without_a_feed_has_what_ships(state: StateFolder, tmp_path: Path) -> None:
    plain = write_site(tmp_path / "plain", port=5353)
    assert followed(plain, state).address == ""
    assert blocklists_to_build(plain, state) == SHIPPED


def test_a_site_that_is_wrong_for_now_goes_on_following(config: Path, state: StateFolder) -> None:
    compile_in_child(config, state.policy)
    (config / "site.yaml").write_text("listen: [nonsense]\n")
    assert followed(config, state) == Followed(ADDRESS, "Asia/Ho_Chi_Minh")
    assert blocklists_to_build(config, state).version == "13"


@pytest.mark.parametrize("wrong", ["ftp://feed.example", "feed.example", "https://a:b@c.example/"])
def test_what_is_no_address_is_refused_at_its_line(wrong: str, tmp_path: Path) -> None:
    site = write_site(tmp_path / "wrong", port=5353, more=f"feed: '{wrong}'\n")
    assert followed(site, StateFolder(tmp_path)).address == ""


def test_public_lists_stand_beside_the_feed_and_alone_without_one(
    state: StateFolder, tmp_path: Path
) -> None:
    both = write_site(tmp_path / "both", port=5353, more=f"feed: {ADDRESS}\nfollow: [urlhaus]\n")
    put_in_force(BesideFolder(state.folder), "web-1", "bets.example")
    found = followed(both, state)
    assert (found.first.address, found.first.sources) == (ADDRESS, ())
    assert [one.id for one in found.beside.sources] == ["urlhaus"]
    beside = Blocklists(BesideFolder(state.folder).feed_version("web-1"), "web-1")
    assert blocklists_to_build(both, state) == Blocklists(state.feed_version("13"), "13", beside)
    alone = write_site(tmp_path / "alone", port=5353, more="follow: [urlhaus]\n")
    assert not followed(alone, state).beside.is_any
    assert blocklists_to_build(alone, state).beside is None
