# SPDX-License-Identifier: Apache-2.0
"""The index file octet by octet: what stands where, and the checks that opening it makes.

A header of 256 octets, then the sections, each aligned to 64 octets, all numbers
little-endian::

    names          keys in ascending order, front-coded (below)
    name_offsets   u32 per block of 16 names: where it starts in ``names``
    slots          u32 each: the hash table from a name to its rank (below)
    set_ids        u16 or u32 per name: which claims stand for it
    lines          per name, one varint for each claim of its set: the line of the list
    line_offsets   u32 per block of 16 names: where it starts in ``lines``
    catalogue      JSON: lists, claims, claim sets, build facts
    report         JSON: what the compiler took and refused

*Names.* The *rank* of a name is its position among all. An entry is one octet,
``shared - 4 << 4 | length - 1``, then the ``length`` octets that follow the
``shared`` ones that begin the name before, too; the first name of a block shares
nothing. 15 in either half of the octet is an escape: the true number follows in
an octet of its own, first that of ``shared``. The NUL that ends every key is not
stored.

*Slots.* Open addressing with linear probing, at most half full. A slot is zero
or a fingerprint above a rank plus one. Fingerprints route a lookup, the octets
of ``names`` decide it: no name is ever taken for another.

The header's checksum is CRC-32, for accidents; whether a file is *authentic* is
the feed's business. The body has a SHA-256, which opening does not compute: it
would read the whole file, and a service that starts must answer at once.
"""

from __future__ import annotations

import struct
import sys
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from filterd.errors import IndexFormatError

MAGIC = b"\x89filterd"
VERSION = 1
HEADER_OCTETS = 256
ALIGNMENT = 64

BLOCK_NAMES = 16
"""Long blocks save octets, short ones steps of a lookup; this one is two or three cache lines."""
SHARED_BASE = 4
LENGTH_BASE = 1
ESCAPE = 15

MAX_NAMES = 1 << 27
"""Leaves the fingerprint at least four bits of a slot."""

HASH_MASK = (1 << 64) - 1
HASH_FACTOR = 0x9E3779B97F4A7C15
"""Odd, and its bits look random: 2**64 divided by the golden ratio."""
LENGTH_FACTOR = 0xD1B54A32D192ED03

SECTIONS = (
    "names",
    "name_offsets",
    "slots",
    "set_ids",
    "lines",
    "line_offsets",
    "catalogue",
    "report",
)

_fields = struct.Struct(f"<8sIIIIIHHQQ{2 * len(SECTIONS)}Q32s")
_checksum = struct.Struct("<I")


class Hit(NamedTuple):
    """A listed name that is the one looked up or an ancestor of it.

    ``labels`` counts the labels of the listed name, without the root.
    """

    labels: int
    rank: int
    set_id: int


class Span(NamedTuple):
    """Where a section stands in the file, in octets."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Header:
    """Everything that must be known before the first octet of a section is read.

    ``seed`` starts every hash. ``probe_limit`` is the longest way of any name
    from its home slot, so a lookup that went further may stop.
    """

    name_count: int
    slot_count: int
    probe_limit: int
    set_count: int
    set_width: int
    seed: int
    digest: bytes
    spans: dict[str, Span]

    @property
    def block_count(self) -> int:
        """Return the number of blocks of names."""
        return -(-self.name_count // BLOCK_NAMES)

    @property
    def rank_bits(self) -> int:
        """Return how many low bits of a slot hold the rank plus one."""
        return self.name_count.bit_length()

    @property
    def file_octets(self) -> int:
        """Return how long the file must be."""
        return max(aligned(span.offset + span.length) for span in self.spans.values())

    def pack(self) -> bytes:
        """Return the header as it stands in the file."""
        places = [number for section in SECTIONS for number in self.spans[section]]
        fields = _fields.pack(
            MAGIC,
            VERSION,
            self.name_count,
            self.slot_count,
            self.probe_limit,
            self.set_count,
            self.set_width,
            BLOCK_NAMES,
            self.seed,
            self.file_octets,
            *places,
            self.digest,
        )
        padded = fields.ljust(HEADER_OCTETS - _checksum.size, b"\0")
        return padded + _checksum.pack(zlib.crc32(padded))

    @classmethod
    def parse(cls, octets: bytes, file_octets: int) -> Header:
        """Read the header and check that every section lies within the file.

        Args:
            octets: the first ``HEADER_OCTETS`` of the file, or fewer.
            file_octets: how long the file is.

        Raises:
            IndexFormatError: another kind of file, another version, or damaged.
        """
        if len(octets) < HEADER_OCTETS or not octets.startswith(MAGIC):
            raise IndexFormatError("is not an index of filterd")
        if sys.byteorder != "little":
            raise IndexFormatError("can be read on little-endian machines only")
        padded, checksum = octets[: HEADER_OCTETS - 4], octets[HEADER_OCTETS - 4 : HEADER_OCTETS]
        if _checksum.pack(zlib.crc32(padded)) != checksum:
            raise IndexFormatError("has a damaged header")
        _, version, names, slots, probes, sets, width, block, seed, size, *rest = (
            _fields.unpack_from(octets)
        )
        if (version, block) != (VERSION, BLOCK_NAMES):
            raise IndexFormatError(f"has format version {version}, this filterd reads {VERSION}")
        spans = map(Span, rest[0:-1:2], rest[1:-1:2])
        header = cls(
            names,
            slots,
            probes,
            sets,
            width,
            seed,
            rest[-1],
            dict(zip(SECTIONS, spans, strict=True)),
        )
        header._check(size, file_octets)
        return header

    def _check(self, stated_octets: int, file_octets: int) -> None:
        """Refuse counts and sections that do not fit each other."""
        if file_octets != stated_octets:
            raise IndexFormatError(f"has {file_octets} octets instead of {stated_octets}")
        if self.set_width not in (2, 4) or self.name_count > MAX_NAMES or self.slot_count < 1:
            raise IndexFormatError("states counts that no index has")
        expected = {
            "name_offsets": 4 * self.block_count,
            "line_offsets": 4 * self.block_count,
            "slots": 4 * self.slot_count,
            "set_ids": self.set_width * self.name_count,
        }
        end = HEADER_OCTETS
        for section in SECTIONS:
            offset, length = self.spans[section]
            if offset != end or length != expected.get(section, length):
                raise IndexFormatError(f"states a wrong place for its {section}")
            end = aligned(offset + length)
        if end != file_octets:
            raise IndexFormatError("states sections that do not fill the file")


def aligned(octets: int) -> int:
    """Round up to the alignment of sections."""
    return -(-octets // ALIGNMENT) * ALIGNMENT


def extended_hash(state: int, label: bytes) -> int:
    """Hash one more label, to the left of those that ``state`` stands for.

    Eight octets a step, so that machine code needs a multiplication for most
    labels; the length goes in first, so that where a label ends counts too.

    Args:
        state: the header's seed, or what hashing the labels to the right gave.
        label: 1 to 63 octets.

    Returns:
        64 bits: the upper half chooses the home slot, the lower half the fingerprint.
    """
    state ^= len(label) * LENGTH_FACTOR & HASH_MASK
    for start in range(0, len(label), 8):
        chunk = int.from_bytes(label[start : start + 8], "little")
        state = (state ^ chunk) * HASH_FACTOR & HASH_MASK
        state ^= state >> 32
    return state


def home_slot(state: int, slot_count: int) -> int:
    """Return the slot where probing starts: the hash scaled to the table without a division."""
    return (state >> 32) * slot_count >> 32
