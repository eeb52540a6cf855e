# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct
import zlib

import pytest

from filterd.base.errors import IndexFormatError
from filterd.lists.index_format import (
    ALIGNMENT,
    BLOCK_OCTETS,
    GROUP_SLOTS,
    HEADER_OCTETS,
    LONG_BLOCK_OCTETS,
    MAX_BLOCKS,
    POSITION_BITS,
    SECTIONS,
    IndexHeader,
    SectionRange,
    aligned,
    block_octets,
    extended_hash,
    fingerprint,
    home_group,
    rank_bits,
)


def a_header(**changes: int) -> IndexHeader:
    lengths = dict.fromkeys(SECTIONS, 5) | {
        "blocks": 256,
        "slots": 4 * GROUP_SLOTS,
        "line_offsets": 4,
    }
    spans, offset = {}, HEADER_OCTETS
    for section in SECTIONS:
        spans[section] = SectionRange(offset, lengths[section])
        offset = aligned(offset + lengths[section])
    facts = {
        "name_count": 1,
        "group_count": 1,
        "probe_limit": 0,
        "set_count": 1,
        "set_width": 2,
        "block_octets": 256,
        "seed": 3,
    }
    return IndexHeader(**(facts | changes), digest=bytes(32), spans=spans)


def sealed(octets: bytes) -> bytes:
    """Put the right checksum under changed octets, as only an attacker would."""
    return octets[:-4] + struct.pack("<I", zlib.crc32(octets[:-4]))


def test_header_is_read_as_it_was_written() -> None:
    header = a_header()
    assert IndexHeader.parse(header.pack(), header.file_octets) == header


def test_header_fills_its_place() -> None:
    assert len(a_header().pack()) == HEADER_OCTETS
    assert HEADER_OCTETS % ALIGNMENT == 0


def test_every_flipped_octet_of_the_header_is_refused() -> None:
    header = a_header()
    octets = header.pack()
    for place in range(HEADER_OCTETS):
        damaged = bytearray(octets)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(IndexFormatError):
            IndexHeader.parse(bytes(damaged), header.file_octets)


@pytest.mark.parametrize("length", [0, 8, HEADER_OCTETS - 1])
def test_short_file_is_refused(length: int) -> None:
    with pytest.raises(IndexFormatError, match="not an index"):
        IndexHeader.parse(a_header().pack()[:length], length)


def test_file_of_another_length_is_refused() -> None:
    header = a_header()
    with pytest.raises(IndexFormatError, match="octets instead of"):
        IndexHeader.parse(header.pack(), header.file_octets - 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"name_count": 0},
        {"name_count": 33},
        {"group_count": 2},
        {"group_count": 0},
        {"probe_limit": 1},
        {"set_width": 3},
        {"block_octets": 0},
        {"block_octets": 64},
        {"block_octets": 320},
    ],
)
def test_counts_that_do_not_fit_the_sections_are_refused(changes: dict[str, int]) -> None:
    header = a_header(**changes)
    with pytest.raises(IndexFormatError):
        IndexHeader.parse(header.pack(), header.file_octets)


def test_another_version_is_named() -> None:
    header = a_header()
    octets = bytearray(header.pack())
    octets[8] = 9
    with pytest.raises(IndexFormatError, match="version 9"):
        IndexHeader.parse(sealed(bytes(octets)), header.file_octets)


def test_section_outside_the_file_is_refused() -> None:
    header = a_header()
    spans = header.spans | {"report": SectionRange(1 << 40, 5)}
    astray = IndexHeader(1, 1, 0, 1, 2, 256, 3, bytes(32), spans)
    with pytest.raises(IndexFormatError, match="wrong offset of its report"):
        IndexHeader.parse(astray.pack(), astray.file_octets)


def test_hash_depends_on_where_a_label_ends() -> None:
    one = extended_hash(extended_hash(1, b"ab"), b"c")
    other = extended_hash(extended_hash(1, b"a"), b"bc")
    assert one != other


def test_hash_sees_every_octet_of_a_long_label() -> None:
    label = b"a" * 63
    hashes = {extended_hash(1, label[:at] + b"b" + label[at + 1 :]) for at in range(63)}
    assert len(hashes) == 63


@pytest.mark.parametrize("group_count", [1, 2, 3, 1000])
def test_home_group_is_in_the_table(group_count: int) -> None:
    assert home_group(0, group_count) == 0
    assert home_group((1 << 64) - 1, group_count) == group_count - 1


@pytest.mark.parametrize("state", [0, 1 << 32, 5, (1 << 64) - 1])
def test_fingerprint_is_never_zero_and_fits_above_the_rank(state: int) -> None:
    for bits in (POSITION_BITS, rank_bits(MAX_BLOCKS)):
        assert 0 < fingerprint(state, bits) < 1 << (32 - bits)


@pytest.mark.parametrize(("blocks", "bits"), [(0, 5), (1, 5), (2, 6), (3, 7), (1 << 23, 28)])
def test_every_rank_has_its_bits(blocks: int, bits: int) -> None:
    assert rank_bits(blocks) == bits


def test_longest_name_fits_in_a_long_block_and_others_in_usual_ones() -> None:
    assert block_octets(253) == LONG_BLOCK_OCTETS >= 253 + 6
    assert block_octets(251) == LONG_BLOCK_OCTETS
    assert block_octets(250) == BLOCK_OCTETS == 250 + 6
