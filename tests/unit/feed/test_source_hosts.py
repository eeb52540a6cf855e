# SPDX-License-Identifier: Apache-2.0
"""Hosts that public lists come from: no list closes them."""

from __future__ import annotations

from dataclasses import replace

from filterd.feed.source_hosts import followed_hosts, pins_yaml, with_pinned_hosts
from filterd.lists.catalog import PublicSource, load_catalog
from filterd.paths import shipped
from filterd.wire.name import to_text

ADDRESS = "https://lists.example/bets.txt"
BETS = PublicSource(
    "bets", "Bets", "gambling", "domains", ADDRESS, ADDRESS, "MIT", "them", checked=False
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
