# SPDX-License-Identifier: Apache-2.0
"""Walk through the names of an index: of lists, beneath a name, or a sample.

A walk reads the blocks of names one after the other: it is for judgements and tests of lists, not
for answers.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from filterd.lists.hostname import key_from_name, name_from_key

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from filterd.lists.index import Index


def names_of(index: Index, lists: Container[str], *, alone: bool = False) -> Iterator[bytes]:
    """Yield the wire names with an entry of one of these lists, ordered by rank.

    Args:
        index: of the lists.
        lists: ids of lists.
        alone: leave out names that have an entry of any other list, too.
    """
    claims = {n for n, (of, _) in enumerate(index.claims) if index.lists[of].id in lists}
    is_wanted = claims.issuperset if alone else lambda some: not claims.isdisjoint(some)
    wanted = {n for n, some in enumerate(index.sets) if some and is_wanted(some)}
    if not wanted:
        return
    for number in range(index.block_count):
        for key, set_id in index.matcher.block(number):
            if set_id in wanted:
                yield name_from_key(key)


def beneath(index: Index, name: bytes) -> Iterator[bytes]:
    """Yield the listed wire names that are ``name`` or beneath it."""
    key, blocks = key_from_name(name), range(index.block_count)
    if key is None:
        return
    after = bisect_left(blocks, key, key=lambda number: index.matcher.block(number)[0][0])
    for number in blocks[max(after - 1, 0) :]:
        for listed, _ in index.matcher.block(number):
            if listed.startswith(key):
                yield name_from_key(listed)
            elif listed > key:
                return


def drawn(index: Index, count: int) -> Iterator[bytes]:
    """Yield about so many wire names, drawn evenly; all of them where there are few."""
    blocks = index.block_count
    if len(index) <= count:
        yield from index.names()
    else:
        step = max(blocks // count, 1)
        each = -(-count // -(-blocks // step))
        for number in range(0, blocks, step):
            for key, _ in index.matcher.block(number)[:each]:
                yield name_from_key(key)
