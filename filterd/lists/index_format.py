# SPDX-License-Identifier: Apache-2.0
"""The format of the index file, octet by octet, and the checks on opening it.

A header of 256 octets, then the sections, each aligned to 64 octets, all numbers
little-endian::

    blocks         all names in ascending order, each with its claim set (below)
    slots          u32 each: the hash table from a name to its rank (below)
    lines          per name, one varint for each claim of its set: the line of the list
    line_offsets   u32 per block: where it starts in ``lines``
    contents       JSON: lists, claims, claim sets, build facts
    report         JSON: what the compiler took and refused

*Blocks.* All have the same length, a few cache lines, so a lookup finds one by
multiplying and waits for memory once. A block of ``n`` names is::

    u8             n, 1 to 32 u8 per name    octets shared with the name before; not for
    the first u8 per name    end of its own octets, counted from the start of the first
    octets         the names' own octets, one after the other zeros u16 or u32     per
    name: its claim set; these end the block

The NUL that ends every key is not stored. The *rank* of a name is its block
times 32 plus its position there: ranks ascend as names do, with gaps.

*Slots.* Open addressing in groups of eight slots, at most half full. A name is
in its home group, or in one after it if all between are full. A slot is zero or
a fingerprint, which is never zero, above a rank. Fingerprints route a lookup,
the octets of a block decide it: no name is ever taken for another.

The header's checksum is CRC-32, for accidents; whether a file is *authentic* is decided
by the feed. The body has a SHA-256, which opening does not compute: it would read the
whole file, and a service that starts must answer at once.
"""

from __future__ import annotations

import struct
import sys
import zlib
from typing import NamedTuple

from filterd.base.errors import IndexFormatError
from filterd.base.value_class import frozen
from filterd.texts.i18n import say

MAGIC = b"\x89filterd"
VERSION = 2
HEADER_OCTETS = 256
ALIGNMENT = 64

POSITION_BITS = 5
BLOCK_NAMES = 1 << POSITION_BITS
"""The most names of a block."""
BLOCK_OCTETS = 256
"""Four cache lines, fetched together; divides a page, so that no block needs two of them."""
LONG_BLOCK_OCTETS = 320
"""For every block of an index with a name that is too long for the usual blocks."""
MAX_TEXT_OCTETS = 255
"""Of all names of a block together: the end of one is stored in one octet."""
GROUP_SLOTS = 8

MAX_BLOCKS = 1 << 23
"""Leaves the fingerprint at least four bits of a slot."""

LOOKALIKE_RANK = MAX_BLOCKS << POSITION_BITS
"""Plus the number of a look-alike rule, the rank of its hits; no name has such a rank."""

HASH_MASK = (1 << 64) - 1
HASH_FACTOR = 0x9E3779B97F4A7C15
"""Odd, and its bits look random: 2**64 divided by the golden ratio."""
LENGTH_FACTOR = 0xD1B54A32D192ED03

SECTIONS = ("blocks", "slots", "lines", "line_offsets", "contents", "report")

_fields = struct.Struct(f"<8sIIIIIHHQQ{2 * len(SECTIONS)}Q32s")
_checksum = struct.Struct("<I")


class Hit(NamedTuple):
    """A listed name that is the one looked up or an ancestor of it.

    ``labels`` counts the labels of the listed name, without the root; ``rank``
    identifies the name to the index and has no meaning for callers.
    """

    labels: int
    rank: int
    set_id: int


class SectionRange(NamedTuple):
    """The place of a section in the file, in octets."""

    offset: int
    length: int


@frozen
class IndexHeader:
    """The header: everything needed before the first octet of a section is read.

    ``seed`` starts every hash. ``probe_limit`` is how many groups after its home
    group a name is at most, so a lookup that went further may stop.
    """

    name_count: int
    group_count: int
    probe_limit: int
    set_count: int
    set_width: int
    block_octets: int
    seed: int
    digest: bytes
    spans: dict[str, SectionRange]

    @property
    def block_count(self) -> int:
        """The number of blocks of names."""
        return self.spans["blocks"].length // self.block_octets

    @property
    def rank_bits(self) -> int:
        """The number of low bits of a slot that hold the rank."""
        return rank_bits(self.block_count)

    @property
    def file_octets(self) -> int:
        """The length of the file."""
        return max(aligned(span.offset + span.length) for span in self.spans.values())

    def pack(self) -> bytes:
        """Return the octets of the header."""
        places = [number for section in SECTIONS for number in self.spans[section]]
        fields = _fields.pack(
            MAGIC,
            VERSION,
            self.name_count,
            self.group_count,
            self.probe_limit,
            self.set_count,
            self.set_width,
            self.block_octets,
            self.seed,
            self.file_octets,
            *places,
            self.digest,
        )
        padded = fields.ljust(HEADER_OCTETS - _checksum.size, b"\0")
        return padded + _checksum.pack(zlib.crc32(padded))

    @classmethod
    def parse(cls, octets: bytes, file_octets: int) -> IndexHeader:
        """Parse the header and check that every section lies within the file.

        Args:
            octets: the first ``HEADER_OCTETS`` of the file, or fewer.
            file_octets: the length of the file.

        Raises:
            IndexFormatError: another kind of file, another version, or damaged.
        """
        if len(octets) < HEADER_OCTETS or not octets.startswith(MAGIC):
            raise IndexFormatError(say("is not an index of filterd"))
        if sys.byteorder != "little":
            raise IndexFormatError(say("can be read only on little-endian machines"))
        padded, checksum = octets[: HEADER_OCTETS - 4], octets[HEADER_OCTETS - 4 : HEADER_OCTETS]
        if _checksum.pack(zlib.crc32(padded)) != checksum:
            raise IndexFormatError(say("has a damaged header"))
        _, version, names, groups, probes, sets, width, block, seed, size, *rest = (
            _fields.unpack_from(octets)
        )
        if version != VERSION:
            raise IndexFormatError(
                say(
                    "has format version {version}, this filterd reads {known}",
                    version=version,
                    known=VERSION,
                )
            )
        spans = map(SectionRange, rest[0:-1:2], rest[1:-1:2])
        header = cls(
            names,
            groups,
            probes,
            sets,
            width,
            block,
            seed,
            rest[-1],
            dict(zip(SECTIONS, spans, strict=True)),
        )
        header._check(size, file_octets)
        return header

    def _check(self, stated_octets: int, file_octets: int) -> None:
        """Refuse counts and sections that do not fit each other."""
        if file_octets != stated_octets:
            raise IndexFormatError(
                say(
                    "has {file_octets} octets instead of {stated_octets}",
                    file_octets=file_octets,
                    stated_octets=stated_octets,
                )
            )
        if (
            self.set_width not in (2, 4)
            or self.block_octets not in (BLOCK_OCTETS, LONG_BLOCK_OCTETS)
            or self.block_count > MAX_BLOCKS
            or not self.block_count <= self.name_count <= self.block_count * BLOCK_NAMES
            or self.probe_limit >= self.group_count
        ):
            raise IndexFormatError(say("has impossible counts"))
        expected = {
            "blocks": self.block_octets * self.block_count,
            "slots": 4 * GROUP_SLOTS * self.group_count,
            "line_offsets": 4 * self.block_count,
        }
        end = HEADER_OCTETS
        for section in SECTIONS:
            offset, length = self.spans[section]
            if offset != end or length != expected.get(section, length):
                raise IndexFormatError(say("has a wrong offset of its {section}", section=section))
            end = aligned(offset + length)
        if end != file_octets:
            raise IndexFormatError(say("has sections that do not fill the file"))


def aligned(octets: int) -> int:
    """Round up to the alignment of sections."""
    return -(-octets // ALIGNMENT) * ALIGNMENT


def block_octets(longest: int) -> int:
    """Return the block length that fits a key of so many octets without final NUL."""
    around = 2 + 4  # one name: its tables, a wide set id
    return BLOCK_OCTETS if longest + around <= BLOCK_OCTETS else LONG_BLOCK_OCTETS


def rank_bits(block_count: int) -> int:
    """Return the number of bits for every rank of so many blocks."""
    return max(block_count - 1, 0).bit_length() + POSITION_BITS


def extended_hash(state: int, label: bytes) -> int:
    """Extend a hash by one label to the left.

    Eight octets a step, so that machine code needs a multiplication for most
    labels; the length goes in first, so that the end of a label counts too.

    Args:
        state: the header's seed, or the hash of the labels to the right.
        label: 1 to 63 octets.

    Returns:
        64 bits: the upper half chooses the home group, the lower half the fingerprint.
    """
    state ^= len(label) * LENGTH_FACTOR & HASH_MASK
    for start in range(0, len(label), 8):
        chunk = int.from_bytes(label[start : start + 8], "little")
        state = (state ^ chunk) * HASH_FACTOR & HASH_MASK
        state ^= state >> 32
    return state


def key_hash(seed: int, key: bytes) -> int:
    """Return the hash of a whole key."""
    state = seed
    for label in key[:-1].split(b"\0"):
        state = extended_hash(state, label)
    return state


def home_group(state: int, group_count: int) -> int:
    """Return the first group to probe: the hash scaled to the table by multiplying."""
    return (state >> 32) * group_count >> 32


def fingerprint(state: int, bits: int) -> int:
    """Return the fingerprint of a hash above a rank of ``bits`` bits; never zero."""
    return state & (1 << 32 - bits) - 1 or 1
