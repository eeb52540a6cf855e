# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest

from filterd.feed.follow_file import FollowState, Wanted, with_command
from filterd.feed.followed_sources import (
    followed_hosts,
    followed_set,
    own_id,
    own_source,
    wanted_of,
    without_command,
)
from filterd.lists.catalog import RECOMMENDED, shipped_sources
from filterd.lists.hostname import text_from_key

OWN = Wanted("", "https://lists.example:8443/x/bets.txt", "gambling", "hosts", subtrees=True)


def test_the_recommended_set_and_others_are_followed_each_once() -> None:
    found = followed_set([Wanted(RECOMMENDED), Wanted("urlhaus"), OWN, Wanted("ut1-games")])
    ids = [one.id for one in found.sources]
    assert len(ids) == len(set(ids))
    assert {one.id for one in shipped_sources() if one.recommended} < set(ids)
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


def test_a_list_that_the_catalogue_no_longer_has_is_told_of() -> None:
    assert "'gone' is no list" in followed_set([Wanted("gone")]).refused[0]


def test_two_addresses_of_a_host_have_two_ids() -> None:
    assert own_id("https://a.example/1") != own_id("https://a.example/2")
    assert own_id(f"https://{'a' * 63}.{'b' * 63}.example/1")[:50] == "a" * 50


def test_the_hosts_of_sources_and_mirrors_are_known() -> None:
    source = replace(own_source(OWN), mirrors=("https://mirror.example/x", "https://192.0.2.1/x"))
    hosts = [text_from_key(key) for key in followed_hosts([source])]
    assert hosts == ["lists.example", "mirror.example"]


def test_a_set_is_left_in_part() -> None:
    state = with_command(FollowState(), Wanted(RECOMMENDED), Wanted("ut1-games"))
    left = without_command(state, ["urlhaus", "ut1-games"])
    recommended = {one.id for one in shipped_sources() if one.recommended}
    assert {one.id for one in left.by_command} == recommended - {"urlhaus"}
    assert without_command(state, [RECOMMENDED]).by_command == (Wanted("ut1-games"),)
