# SPDX-License-Identifier: Apache-2.0
"""The matcher in plain Python: the readable reference of ``_matcher.pyx``.

A lookup walks the labels of a name from the right, hashes each ancestor from two labels
on, and looks for the fingerprint in its group of the hash table. The rank beside it has
block and position, and the octets there decide.

Everything read from the file is checked before it is used as a place, so that a
damaged file leads to an error and never out of its section.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from filterd.base.errors import BadLabelError, IndexFormatError
from filterd.lists.index_format import (
    BLOCK_NAMES,
    GROUP_SLOTS,
    POSITION_BITS,
    Hit,
    IndexHeader,
    extended_hash,
    fingerprint,
    home_group,
    key_hash,
)
from filterd.texts.i18n import say

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator

MAX_BARE_OCTETS: Final = 253
"""Of a key without its final NUL: a name has 255 octets, one of them the first length."""

_alphabet: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-\0")


class _BlockName(NamedTuple):
    """One name of a block: the octets shared with the name before it, and its own."""

    shared: int
    own: bytes


class Matcher:
    """Lookups in one mapped index.

    Args:
        octets: the whole file; kept, not copied.
        header: its header, parsed and checked against the length of the file.
    """

    def __init__(self, octets: bytes | mmap.mmap, header: IndexHeader) -> None:
        self._header = header
        whole = memoryview(octets)
        section = {
            name: whole[offset : offset + length] for name, (offset, length) in header.spans.items()
        }
        self._blocks = section["blocks"]
        self._slots = section["slots"].cast("I")
        self._rank_bits = header.rank_bits

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
            if depth > 1 and (found := self._find(state, key)):
                hits.append(Hit(depth, *found))
        return tuple(reversed(hits))

    def count_hits(self, names: list[bytes]) -> int:
        """Count the hits of many names.

        Raises:
            BadLabelError: one is no wire name.
            IndexFormatError: the file is damaged where it had to be read.
        """
        return sum(len(self.lookup(name)) for name in names)

    def count_hits_singly(self, names: list[bytes]) -> int:
        """Count the hits of many names one by one; for measuring.

        Raises:
            BadLabelError: one is no wire name.
            IndexFormatError: the file is damaged where it had to be read.
        """
        return self.count_hits(names)

    def block(self, number: int) -> list[tuple[bytes, int]]:
        """Return the keys of one block, in order, each with its claim set.

        Raises:
            IndexError: there is no such block.
            IndexFormatError: the block is damaged.
        """
        if not 0 <= number < self._header.block_count:
            raise IndexError(f"block {number} of {self._header.block_count}")
        block = self._octets(number)
        found, bare = list[tuple[bytes, int]](), b""
        for position in range(block[0]):
            shared, own = self._entry(block, position)
            if shared > len(bare) or shared + len(own) > MAX_BARE_OCTETS:
                raise IndexFormatError(
                    say("the index is damaged: a name of block {number}", number=number)
                )
            bare = bare[:shared] + own
            found.append((bare + b"\0", self._set_id(block, position)))
        return found

    def check(self) -> None:
        """Check everything once: names ascend, are well-formed, and are found by rank.

        Raises:
            IndexFormatError: the structure contradicts itself.
        """
        before, count = b"", 0
        for number in range(self._header.block_count):
            for position, (key, set_id) in enumerate(self.block(number)):
                rank = number << POSITION_BITS | position
                if key <= before or not _alphabet.issuperset(key) or b"\0\0" in key:
                    raise IndexFormatError(
                        say("the index has a name out of order at rank {rank}", rank=rank)
                    )
                if self._find(key_hash(self._header.seed, key), key) != (rank, set_id):
                    raise IndexFormatError(
                        say("the index does not find its name at rank {rank}", rank=rank)
                    )
                before, count = key, count + 1
        if count != self._header.name_count:
            raise IndexFormatError(
                say(
                    "the index has {count} names, not {name_count}",
                    count=count,
                    name_count=self._header.name_count,
                )
            )

    def _find(self, state: int, key: bytes) -> tuple[int, int] | None:
        """Return rank and claim set of a key with this hash; None if it is not listed."""
        for rank in self._candidates(state):
            number, position = rank >> POSITION_BITS, rank % BLOCK_NAMES
            if number >= self._header.block_count:
                raise IndexFormatError(
                    say("the index is damaged: a slot for block {number}", number=number)
                )
            block = self._octets(number)
            if position >= block[0]:
                raise IndexFormatError(
                    say("the index is damaged: a slot for rank {rank}", rank=rank)
                )
            if self._is_key(block, position, key[:-1]):
                return rank, self._set_id(block, position)
        return None

    def _candidates(self, state: int) -> Iterator[int]:
        """Yield the ranks beside the fingerprint, from the home group on."""
        wanted, mask = fingerprint(state, self._rank_bits), (1 << self._rank_bits) - 1
        group = home_group(state, self._header.group_count)
        for _ in range(self._header.probe_limit + 1):
            slots = self._slots[group * GROUP_SLOTS : (group + 1) * GROUP_SLOTS]
            for slot in slots:
                if slot >> self._rank_bits == wanted:
                    yield slot & mask
            if not slots[-1]:
                return
            group = (group + 1) % self._header.group_count

    def _octets(self, number: int) -> memoryview:
        """Return one block."""
        octets = self._header.block_octets
        block = self._blocks[number * octets : (number + 1) * octets]
        if not 0 < block[0] <= BLOCK_NAMES:
            raise IndexFormatError(
                say(
                    "the index is damaged: block {number} has {count} names",
                    number=number,
                    count=block[0],
                )
            )
        return block

    def _entry(self, block: memoryview, position: int) -> _BlockName:
        """Return one entry of a block that has it."""
        count = block[0]
        text = block[2 * count : len(block) - self._header.set_width * count]
        shared = block[position] if position else 0
        start = block[count + position - 1] if position else 0
        end = block[count + position]
        if not start < end <= len(text):
            raise IndexFormatError(say("the index is damaged: a name does not end in its block"))
        return _BlockName(shared, bytes(text[start:end]))

    def _set_id(self, block: memoryview, position: int) -> int:
        """Return the claim set of a name."""
        width = self._header.set_width
        at = len(block) - width * (block[0] - position)
        set_id = int.from_bytes(block[at : at + width], "little")
        if set_id >= self._header.set_count:
            raise IndexFormatError(say("the index is damaged: a claim set is not defined"))
        return set_id

    def _is_key(self, block: memoryview, position: int, bare: bytes) -> bool:
        """Compare a key without its final NUL with the name here, from its end.

        The shared octets of a name are stored with the next one before it that shares less;
        nearly always the name's own octets have decided by then.
        """
        left = len(bare)
        shared, own = self._entry(block, position)
        if shared + len(own) != left:
            return False
        while own.startswith(bare[shared:left]):
            left = shared
            if not left:
                return True
            position -= 1  # ``left`` is not zero, so this is not the first name
            while position and block[position] >= left:
                position -= 1
            shared, own = self._entry(block, position)
        return False


def labels_of(name: bytes) -> list[bytes]:
    """Split a wire name; every octet must belong to it (RFC 1035 §3.1).

    Raises:
        BadLabelError: it is no wire name.
    """
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
