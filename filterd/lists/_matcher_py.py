# SPDX-License-Identifier: Apache-2.0
"""The matcher in plain Python: the readable reference of ``_matcher.pyx``.

A lookup walks the labels of a name from the right, hashes each ancestor from
two labels on, and follows the hash table from its home slot. Where a
fingerprint agrees, the front-coded octets of that rank decide.

Everything read from the file is checked before it is used as a place, so that a
damaged file leads to an error and never out of its section.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from filterd.errors import BadLabelError, IndexFormatError
from filterd.lists.layout import (
    BLOCK_NAMES,
    ESCAPE,
    LENGTH_BASE,
    SHARED_BASE,
    Header,
    Hit,
    extended_hash,
    home_slot,
)

if TYPE_CHECKING:
    import mmap

MAX_BARE_OCTETS: Final = 253
"""Of a key without its final NUL: a name has 255 octets, one of them the first length."""

_alphabet: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-\0")


class Matcher:
    """Lookups in one mapped index.

    Args:
        octets: the whole file; kept, not copied.
        header: its header, parsed and checked against the length of the file.
    """

    def __init__(self, octets: bytes | mmap.mmap, header: Header) -> None:
        self._header = header
        whole = memoryview(octets)
        section = {
            name: whole[offset : offset + length] for name, (offset, length) in header.spans.items()
        }
        self._names = section["names"]
        self._name_offsets = section["name_offsets"].cast("I")
        self._slots = section["slots"].cast("I")
        self._set_ids = section["set_ids"].cast("H" if header.set_width == 2 else "I")
        self._rank_bits = header.rank_bits
        self._fingerprint_mask = (1 << 32 - header.rank_bits) - 1

    def lookup(self, name: bytes) -> tuple[Hit, ...]:
        """Find the listed names that are ``name`` or an ancestor with two labels or more.

        Args:
            name: lower-case uncompressed wire form.

        Returns:
            The hits, the one with the most labels first.

        Raises:
            BadLabelError: ``name`` is no wire name.
            IndexFormatError: the file is damaged where it had to be read.
        """
        hits = []
        key, state = b"", self._header.seed
        for depth, label in enumerate(reversed(labels_of(name)), 1):
            if 0 in label:
                break  # a key ends labels by NUL, so this one could pass for two
            key += label + b"\0"
            state = extended_hash(state, label)
            if depth > 1 and (rank := self._rank(state, key)) is not None:
                hits.append(Hit(depth, rank, self.set_id(rank)))
        return tuple(reversed(hits))

    def count_hits(self, names: list[bytes]) -> int:
        """Count the hits of many names together.

        Raises:
            BadLabelError: one is no wire name.
            IndexFormatError: the file is damaged where it had to be read.
        """
        return sum(len(self.lookup(name)) for name in names)

    def set_id(self, rank: int) -> int:
        """Return the claim set of a name.

        Raises:
            IndexFormatError: there is no such set.
        """
        set_id = self._set_ids[rank]
        if set_id >= self._header.set_count:
            raise IndexFormatError(f"has a claim set {set_id} that it does not define")
        return set_id

    def block(self, number: int) -> list[bytes]:
        """Return the keys of one block, in order.

        Raises:
            IndexError: there is no such block.
            IndexFormatError: the block is damaged.
        """
        if not 0 <= number < self._header.block_count:
            raise IndexError(f"block {number} of {self._header.block_count}")
        first = number * BLOCK_NAMES
        keys = list[bytes]()
        bare, (at, end) = b"", self._bounds(number)
        for rank in range(first, min(first + BLOCK_NAMES, self._header.name_count)):
            shared, length, at = self._entry(at, end)
            if shared > len(bare) or shared + length > MAX_BARE_OCTETS:
                raise IndexFormatError(f"has a damaged name at rank {rank}")
            bare = bare[:shared] + bytes(self._names[at : at + length])
            at += length
            keys.append(bare + b"\0")
        return keys

    def check(self) -> None:
        """Read everything once: names ascend, hold nothing odd, and are found under their rank.

        Raises:
            IndexFormatError: the structure contradicts itself.
        """
        before, rank = b"", 0
        for number in range(self._header.block_count):
            for key in self.block(number):
                if key <= before or not _alphabet.issuperset(key) or b"\0\0" in key:
                    raise IndexFormatError(f"has a name out of order at rank {rank}")
                if self._rank(self._hash(key), key) != rank:
                    raise IndexFormatError(f"does not find its own name at rank {rank}")
                self.set_id(rank)
                before, rank = key, rank + 1

    def _hash(self, key: bytes) -> int:
        state = self._header.seed
        for label in key[:-1].split(b"\0"):
            state = extended_hash(state, label)
        return state

    def _rank(self, state: int, key: bytes) -> int | None:
        """Follow the table from the home slot; None where the key is not listed."""
        slot_count, rank_bits = self._header.slot_count, self._rank_bits
        fingerprint = state & self._fingerprint_mask
        at = home_slot(state, slot_count)
        for _ in range(self._header.probe_limit + 1):
            slot = self._slots[at]
            if not slot:
                return None
            rank = (slot & (1 << rank_bits) - 1) - 1
            if slot >> rank_bits == fingerprint and self._is_key(rank, key):
                return rank
            at = at + 1 if at + 1 < slot_count else 0
        return None

    def _is_key(self, rank: int, key: bytes) -> bool:
        """Compare a whole key with the front-coded name of this rank.

        ``matched`` is how many octets of ``key`` the current entry begins with.
        An entry that shares more than that with its predecessor differs from
        ``key`` at the same place as the predecessor did.
        """
        if not 0 <= rank < self._header.name_count:
            raise IndexFormatError(f"has a slot for the rank {rank} that does not exist")
        matched = before = 0
        at, end = self._bounds(rank // BLOCK_NAMES)
        for _ in range(rank % BLOCK_NAMES + 1):
            shared, length, at = self._entry(at, end)
            if shared > before:
                raise IndexFormatError(f"has a damaged name before the rank {rank}")
            if shared <= matched:
                matched = shared + _common(self._names[at : at + length], key[shared:-1])
            at += length
            before = shared + length
        return matched == before == len(key) - 1

    def _bounds(self, block: int) -> tuple[int, int]:
        """Return where a block starts and ends in the names."""
        offsets, length = self._name_offsets, len(self._names)
        end = offsets[block + 1] if block + 1 < len(offsets) else length
        if not offsets[block] <= end <= length:
            raise IndexFormatError(f"has a damaged place of block {block}")
        return offsets[block], end

    def _entry(self, at: int, end: int) -> tuple[int, int, int]:
        """Read the head of an entry: octets shared, octets of its own, and where these start."""
        names = self._names
        try:
            shared, length = (names[at] >> 4) + SHARED_BASE, (names[at] & 15) + LENGTH_BASE
            at += 1
            if shared == ESCAPE + SHARED_BASE:
                shared, at = names[at], at + 1
            if length == ESCAPE + LENGTH_BASE:
                length, at = names[at], at + 1
        except IndexError:
            at, length = end, 1
        if at + length > end:
            raise IndexFormatError("has a name that runs past its block")
        return shared, length, at


def labels_of(name: bytes) -> list[bytes]:
    """Split a wire name; every octet must belong to it (RFC 1035 §3.1)."""
    labels, at = list[bytes](), 0
    while at < len(name) <= 255:
        length = name[at]
        if length == 0 and at + 1 == len(name):
            return labels
        if not 0 < length < 64:
            break
        labels.append(name[at + 1 : at + 1 + length])
        at += 1 + length
    raise BadLabelError("not a wire name", at)


def _common(ours: memoryview, wanted: bytes) -> int:
    """Count the octets in which both begin alike."""
    count = 0
    for left, right in zip(ours, wanted, strict=False):
        if left != right:
            break
        count += 1
    return count
