# SPDX-License-Identifier: Apache-2.0
"""Public lists beside a feed, compiled into the same index.

They have ids of their own. The tables of the feed decide: a category that it lacks, or that
takes orders only, is left out, and its pins and protections hold against these lists. Of the
other folder only the lists are taken, and the pins of the hosts that they come from.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from filterd.lists.catalog import load_catalog
from filterd.lists.list_merge import PREFIX

if TYPE_CHECKING:
    from filterd.lists.catalog import Catalog
    from filterd.lists.index_files import Blocklists
    from filterd.lists.rules import ListSource, Pin

BESIDE = "web:"
"""How ids of lists beside a feed begin: no id of a feed or a site has a colon."""


class ListsBeside(NamedTuple):
    """Lists that stand beside a feed; none by default.

    Attributes:
        version: of the set.
        lists: with absolute paths.
        hosts: pins of the hosts that the lists come from.
    """

    version: str | None = None
    lists: tuple[ListSource, ...] = ()
    hosts: tuple[Pin, ...] = ()


def lists_beside(blocklists: Blocklists, catalog: Catalog) -> ListsBeside:
    """Read the lists that stand beside a feed.

    Args:
        blocklists: the folder of the feed, and the one beside it.
        catalog: of the feed.

    Raises:
        FilterdError: the folder beside it is damaged.
    """
    if blocklists.beside is None:
        return ListsBeside()
    other = load_catalog(blocklists.beside.folder)
    fillable = {one.id for one in catalog.categories if not one.ordered}
    lists = (
        replace(one, id=BESIDE + one.id.removeprefix(PREFIX))
        for one in (*other.lists, *other.lookalikes)
        if one.category in fillable
    )
    hosts = (one for one in other.pins if one.reason == "feed")
    return ListsBeside(blocklists.beside.version, tuple(lists), tuple(hosts))
