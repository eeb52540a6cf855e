# SPDX-License-Identifier: Apache-2.0
"""Public lists beside a feed: their ids, and the categories that they may not fill."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.lists.catalog import load_catalog
from filterd.lists.index_files import Blocklists
from filterd.lists.lists_beside import ListsBeside, lists_beside
from filterd.paths import shipped
from tests.support.feed_folders import write_blocklists
from tests.support.yaml_files import change_yaml

if TYPE_CHECKING:
    from pathlib import Path


def _beside(tmp_path: Path, *, is_ordered: bool) -> ListsBeside:
    """Return what stands beside a feed that does, or does not, fill the category by orders."""
    folder = write_blocklists(tmp_path / "lists", "bets.example")
    change_yaml(folder / "pins.yaml", lambda data: data["pins"].append(
        {"name": "lists.example", "reason": "feed"}))  # fmt: skip
    catalog = load_catalog(shipped("blocklists"))
    filled = {one.category for one in load_catalog(folder).lists}
    categories = (
        replace(one, ordered=one.ordered or (is_ordered and one.id in filled))
        for one in catalog.categories
    )
    catalog = replace(catalog, categories=tuple(categories))
    beside = Blocklists(folder, "web-1")
    return lists_beside(Blocklists(shipped("blocklists"), "7", beside), catalog)


def test_lists_have_ids_of_their_own_and_their_hosts_are_pinned(tmp_path: Path) -> None:
    found = _beside(tmp_path, is_ordered=False)
    assert found.version == "web-1"
    assert found.lists
    assert all(one.id.startswith("web:") and "feed-" not in one.id for one in found.lists)
    assert [one.name for one in found.hosts] == [b"\x05lists\x07example\x00"]


def test_a_category_of_orders_is_filled_by_none(tmp_path: Path) -> None:
    assert _beside(tmp_path, is_ordered=True).lists == ()


def test_without_a_second_folder_there_is_nothing() -> None:
    blocklists = Blocklists(shipped("blocklists"))
    assert lists_beside(blocklists, load_catalog(blocklists.folder)) == ListsBeside()
