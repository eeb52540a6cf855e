# SPDX-License-Identifier: Apache-2.0
"""Packing in plain Python: the readable reference of ``_packing.pyx``.

Sorted records (``filterd.lists.records``) come in; names, claim sets and lines
come out as the sections of ``filterd.lists.layout``. All records of a name stand
together, and directly before those of the names beneath it, so one pass sees
every duplicate and every entry that an ancestor makes redundant.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from filterd.lists.layout import (
    BLOCK_NAMES,
    ESCAPE,
    LENGTH_BASE,
    SHARED_BASE,
    extended_hash,
    home_slot,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

IS_BLOCK = 1
"""Flag of a claim: an ancestor of the same list may make it redundant."""
COVERS = 2
"""Flag of a claim: it makes every block beneath it in the same list redundant."""
IS_MARKER = 4
"""Flag of a claim: made by the compiler, so it does not count as kept."""

_TAIL = 9  # the NUL and the two numbers that follow the key in a record


class Packer:
    """Packs records that come in ascending order; read the results after ``pack``.

    Args:
        lists: for each claim id, the index of the list that makes it.
        flags: for each claim id, the flags above.
        list_count: how many lists there are.
        seed: starts every hash.

    Attributes:
        name_count: distinct names so far.
        names, lines: sections.
        name_offsets, line_offsets, set_ids: sections, 32 bits a number.
        hashes: of each name, for ``fill_slots``.
        sets: each distinct tuple of claim ids; the position is the set id.
        kept, duplicate, redundant, cancelled: entries of each list.
    """

    def __init__(self, lists: Sequence[int], flags: bytes, list_count: int, seed: int) -> None:
        self._lists, self._flags, self._seed = lists, flags, seed
        self.name_count = 0
        self.names, self.lines = bytearray(), bytearray()
        self.name_offsets, self.line_offsets = array("I"), array("I")
        self.set_ids, self.hashes = array("I"), array("Q")
        self.sets: list[tuple[int, ...]] = []
        self.kept, self.duplicate, self.redundant, self.cancelled = (
            [0] * list_count for _ in range(4)
        )
        self._set_id_of: dict[tuple[int, ...], int] = {}
        self._covering = [b"\xff"] * list_count
        self._before = b""

    def pack(self, records: Iterable[bytes]) -> None:
        """Pack all records, which ascend; to be called once."""
        key, group = b"", list[bytes]()
        for record in records:
            if record[:-_TAIL] != key:
                self._pack_name(key, group)
                key, group = record[:-_TAIL], []
            group.append(record[-_TAIL + 1 :])
        self._pack_name(key, group)

    def _pack_name(self, key: bytes, group: list[bytes]) -> None:
        """Pack one name, unless nothing is left of its entries."""
        claims, lines = self._judge(key, group)
        if not claims:
            return
        if self.name_count % BLOCK_NAMES == 0:
            self.name_offsets.append(len(self.names))
            self.line_offsets.append(len(self.lines))
            self._before = b""
        bare = key[:-1]
        self.names += front_coded(self._before, bare)
        self._before = bare
        self.hashes.append(key_hash(self._seed, key))
        claim_set = tuple(claims)
        set_id = self._set_id_of.setdefault(claim_set, len(self.sets))
        if set_id == len(self.sets):
            self.sets.append(claim_set)
        self.set_ids.append(set_id)
        self.lines += b"".join(map(varint, lines))
        self.name_count += 1

    def _judge(self, key: bytes, group: list[bytes]) -> tuple[list[int], list[int]]:
        """Return the claims that hold for a name and their lines; count the others.

        Of equal claims the first line stands. The line 0, which sorts before
        all, cancels its claim.
        """
        claims, lines = list[int](), list[int]()
        last, last_line = -1, 0
        for tail in group:
            claim, line = int.from_bytes(tail[:4], "big"), int.from_bytes(tail[4:], "big")
            if claim != last:
                last, last_line = claim, line
                if line:
                    claims.append(claim)
                    lines.append(line)
                    self._count_kept(key, claim)
            elif line:
                counts = self.duplicate if last_line else self.cancelled
                counts[self._lists[claim]] += not self._flags[claim] & IS_MARKER
        return claims, lines

    def _count_kept(self, key: bytes, claim: int) -> None:
        """Count an entry that holds, and whether an ancestor in its list says as much."""
        flags, index = self._flags[claim], self._lists[claim]
        if flags & IS_MARKER:
            return
        self.kept[index] += 1
        covering = self._covering[index]
        if flags & IS_BLOCK and key != covering and key.startswith(covering):
            self.redundant[index] += 1
        elif flags & COVERS:
            self._covering[index] = key


def key_hash(seed: int, key: bytes) -> int:
    """Return the hash of a whole key."""
    state = seed
    for label in key[:-1].split(b"\0"):
        state = extended_hash(state, label)
    return state


def front_coded(before: bytes, bare: bytes) -> bytes:
    """Return the entry of a key, without its final NUL, after the one before it."""
    limit = min(len(before), len(bare))
    shared = 0
    while shared < limit and before[shared] == bare[shared]:
        shared += 1
    own = bare[shared:]
    high = shared - SHARED_BASE if 0 <= shared - SHARED_BASE < ESCAPE else ESCAPE
    low = min(len(own) - LENGTH_BASE, ESCAPE)
    entry = bytes((high << 4 | low,))
    if high == ESCAPE:
        entry += bytes((shared,))
    if low == ESCAPE:
        entry += bytes((len(own),))
    return entry + own


def varint(number: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first; the last has no top bit."""
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def fill_slots(hashes: Sequence[int]) -> tuple[array[int], int]:
    """Make the hash table: two slots a name.

    Args:
        hashes: the hash of each name, in the order of their ranks.

    Returns:
        The slots, and the longest way of any name from its home slot.
    """
    slot_count = max(2 * len(hashes), 1)
    rank_bits = len(hashes).bit_length()
    mask = (1 << 32 - rank_bits) - 1
    slots = array("I", bytes(4 * slot_count))
    longest = 0
    for number, state in enumerate(hashes, 1):
        at, way = home_slot(state, slot_count), 0
        while slots[at]:
            at, way = (at + 1) % slot_count, way + 1
        slots[at] = (state & mask) << rank_bits | number
        longest = max(longest, way)
    return slots, longest
