# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct
import zlib

import pytest

from filterd.errors import IndexFormatError
from filterd.lists.layout import (
    ALIGNMENT,
    HEADER_OCTETS,
    SECTIONS,
    Header,
    Span,
    aligned,
    extended_hash,
    home_slot,
)


def a_header(**changes: int) -> Header:
    lengths = dict.fromkeys(SECTIONS, 5) | {
        "name_offsets": 4,
        "line_offsets": 4,
        "slots": 8,
        "set_ids": 2,
    }
    spans, offset = {}, HEADER_OCTETS
    for section in SECTIONS:
        spans[section] = Span(offset, lengths[section])
        offset = aligned(offset + lengths[section])
    facts = {
        "name_count": 1,
        "slot_count": 2,
        "probe_limit": 0,
        "set_count": 1,
        "set_width": 2,
        "seed": 3,
    }
    return Header(**(facts | changes), digest=bytes(32), spans=spans)


def sealed(octets: bytes) -> bytes:
    """Put the right checksum under changed octets, as only an attacker would."""
    return octets[:-4] + struct.pack("<I", zlib.crc32(octets[:-4]))


def test_header_is_read_as_it_was_written() -> None:
    header = a_header()
    assert Header.parse(header.pack(), header.file_octets) == header


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
            Header.parse(bytes(damaged), header.file_octets)


@pytest.mark.parametrize("length", [0, 8, HEADER_OCTETS - 1])
def test_short_file_is_refused(length: int) -> None:
    with pytest.raises(IndexFormatError, match="not an index"):
        Header.parse(a_header().pack()[:length], length)


def test_file_of_another_length_is_refused() -> None:
    header = a_header()
    with pytest.raises(IndexFormatError, match="octets instead of"):
        Header.parse(header.pack(), header.file_octets - 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"name_count": 17},
        {"name_count": 1 << 30},
        {"slot_count": 3},
        {"slot_count": 0},
        {"set_width": 3},
        {"set_width": 4},
    ],
)
def test_counts_that_do_not_fit_the_sections_are_refused(changes: dict[str, int]) -> None:
    header = a_header(**changes)
    with pytest.raises(IndexFormatError):
        Header.parse(header.pack(), header.file_octets)


def test_another_version_is_named() -> None:
    header = a_header()
    octets = bytearray(header.pack())
    octets[8] = 9
    with pytest.raises(IndexFormatError, match="version 9"):
        Header.parse(sealed(bytes(octets)), header.file_octets)


def test_section_outside_the_file_is_refused() -> None:
    header = a_header()
    spans = header.spans | {"report": Span(1 << 40, 5)}
    astray = Header(1, 2, 0, 1, 2, 3, bytes(32), spans)
    with pytest.raises(IndexFormatError, match="wrong place for its report"):
        Header.parse(astray.pack(), astray.file_octets)


def test_hash_depends_on_where_a_label_ends() -> None:
    one = extended_hash(extended_hash(1, b"ab"), b"c")
    other = extended_hash(extended_hash(1, b"a"), b"bc")
    assert one != other


def test_hash_sees_every_octet_of_a_long_label() -> None:
    label = b"a" * 63
    hashes = {extended_hash(1, label[:at] + b"b" + label[at + 1 :]) for at in range(63)}
    assert len(hashes) == 63


@pytest.mark.parametrize("slot_count", [1, 2, 3, 1000])
def test_home_slot_is_in_the_table(slot_count: int) -> None:
    assert home_slot(0, slot_count) == 0
    assert home_slot((1 << 64) - 1, slot_count) == slot_count - 1
