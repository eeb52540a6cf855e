# SPDX-License-Identifier: Apache-2.0
"""Which lists are followed, and which are compiled: those of the feed where there is one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.paths import shipped
from filterd.base.state_folder import BesideFolder, StateFolder
from filterd.config.compile_run import compile_in_child
from filterd.feed.appliance_files import FollowState, Wanted, with_command
from filterd.feed.feed_config import (
    Followed,
    blocklists_to_build,
    followed,
    followed_hosts,
    followed_set,
    own_id,
    pins_yaml,
    wanted_of,
    with_pinned_hosts,
    without_command,
)
from filterd.feed.signed.trust import TrustFolder
from filterd.lists.catalogs.catalog import RECOMMENDED, PublicSource, load_catalog, shipped_sources
from filterd.lists.index_files import Blocklists
from filterd.wire.name import to_text
from tests.support.daemon import write_site
from tests.support.feed_folders import put_in_force, put_version

if TYPE_CHECKING:
    from pathlib import Path


OWN = Wanted("", "https://lists.example:8443/x/bets.txt", "gambling", "hosts", subtrees=True)


def test_the_recommended_set_and_others_are_followed_each_once() -> None:
    found = followed_set([Wanted(RECOMMENDED), Wanted("urlhaus"), OWN, Wanted("ut1-games")])
    ids = [source.id for source in found.sources]
    assert len(ids) == len(set(ids))
    assert {source.id for source in shipped_sources() if source.recommended} < set(ids)
    assert ids[-1] == own_id(OWN.url)
    assert found.refused == ()


def test_an_address_of_its_own_is_a_source_as_any_other() -> None:
    [source] = followed_set([OWN]).sources
    assert source.id.startswith("lists-example-")
    assert (source.address, source.category, source.format, source.subtrees) == OWN_FACTS
    assert not source.republish
    assert followed_set(wanted_of([source])).sources == (source,)


OWN_FACTS = (OWN.url, OWN.category, OWN.format, OWN.subtrees)


@pytest.mark.parametrize("category", ["law-ordered", "child-abuse", "nonsense"])
def test_no_source_fills_what_only_an_order_may(category: str) -> None:
    found = followed_set([replace(OWN, category=category)])
    assert found.sources == ()
    assert f"no public list may fill {category}" in found.refused[0]


def test_a_list_that_the_catalogue_no_longer_has_is_reported() -> None:
    assert "'gone' is not a list" in followed_set([Wanted("gone")]).refused[0]


def test_two_addresses_of_a_host_have_two_ids() -> None:
    assert own_id("https://a.example/1") != own_id("https://a.example/2")
    assert own_id(f"https://{'a' * 63}.{'b' * 63}.example/1")[:50] == "a" * 50


def test_a_set_is_left_in_part() -> None:
    state = with_command(FollowState(), Wanted(RECOMMENDED), Wanted("ut1-gambling"))
    left = without_command(state, ["urlhaus", "ut1-gambling"])
    recommended = {source.id for source in shipped_sources() if source.recommended}
    assert {one.id for one in left.by_command} == recommended - {"urlhaus"}
    assert without_command(state, [RECOMMENDED]).by_command == (Wanted("ut1-gambling"),)


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
    assert [source.id for source in found.beside.sources] == ["urlhaus"]
    beside = Blocklists(BesideFolder(state.folder).feed_version("web-1"), "web-1")
    assert blocklists_to_build(both, state) == Blocklists(state.feed_version("13"), "13", beside)
    alone = write_site(tmp_path / "alone", port=5353, more="follow: [urlhaus]\n")
    assert not followed(alone, state).beside.is_any
    assert blocklists_to_build(alone, state).beside is None


LISTS = "https://lists.example/bets.txt"
BETS = PublicSource(
    "bets", "Bets", "gambling", "domains", LISTS, LISTS, "MIT", "them", checked=False
)


def test_hosts_and_mirrors_are_found_by_name() -> None:
    source = replace(BETS, mirrors=("https://mirror.example/x", "https://192.0.2.1/x"))
    assert [*map(to_text, followed_hosts([source]))] == ["lists.example", "mirror.example"]


def test_a_version_pins_them_beside_the_pins_that_ship() -> None:
    catalog = replace(load_catalog(shipped("blocklists")), sources=(BETS,))
    pinned = with_pinned_hosts(catalog)
    assert pinned.pins[: len(catalog.pins)] == catalog.pins
    [host] = pinned.pins[len(catalog.pins) :]
    assert (to_text(host.name), host.subtree, host.reason) == ("lists.example", False, "feed")
    assert b"lists.example" in pins_yaml(pinned)


def test_a_host_that_is_pinned_is_pinned_once() -> None:
    catalog = replace(load_catalog(shipped("blocklists")), sources=(BETS, BETS))
    once = with_pinned_hosts(catalog)
    assert with_pinned_hosts(once).pins == once.pins
