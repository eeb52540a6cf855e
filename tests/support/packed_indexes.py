# SPDX-License-Identifier: Apache-2.0
"""Indexes of names alone, packed by hand: of any shape, without lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.lists.index import Contents, Index, ListRecord
from filterd.lists.index_format import block_octets
from filterd.lists.packing import Packer, write_index
from filterd.lists.rules import Claim, Scope
from filterd.lists.sort_records import record_tail

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable
    from pathlib import Path

Labels = tuple[bytes, ...]


def wire(labels: Labels) -> bytes:
    """Return a name of these labels in wire form."""
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def index_of(names: Iterable[Labels], target: Path, set_width: int = 2) -> Index:
    """Build an index of names that all have the same claim, and open it."""
    keys = [b"".join(label + b"\0" for label in reversed(labels)) for labels in names]
    octets = block_octets(max(map(len, keys), default=0))
    packer = Packer([0], b"\0", 1, 11, octets, set_width)
    packer.pack([key + record_tail(0, 1) for key in sorted(keys)], lambda _done: None)
    record = ListRecord("a", "ads", "", "domains", False, "", len(keys))
    claims = ((0, Claim(Scope.SUBTREE)),)
    contents = Contents((record,), claims if keys else (), tuple(packer.sets), {})
    write_index(packer, 11, contents.dump(), b'{"lists":[],"names":0,"seconds":0}', target)
    return Index.open(target)


def random_names(rng: random.Random, count: int) -> set[Labels]:
    """Draw names that share a lot with each other: there is where errors would hide."""
    parts = [b"a", b"b", b"ads", b"ad", b"cdn-1", b"x_y", b"0", b"longer-than-eight", b"q" * 30]
    names = set[Labels]()
    while len(names) < count:
        fresh = "".join(rng.choices("abcde0-", k=rng.randrange(1, 9))).encode()
        head = tuple(rng.choice([*parts, fresh]) for _ in range(rng.randrange(3)))
        names.add((*head, fresh, rng.choice([b"com", b"vn", b"org"])))
    return names
