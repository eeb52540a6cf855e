# SPDX-License-Identifier: Apache-2.0
"""Pack sorted records into the sections of an index, and write its file.

Sorted records (``filterd.lists.sort_records``) come in; names, claim sets and lines
come out as the sections of ``filterd.lists.index_format``, in native code or in Python. All
records of a name stand together, and directly before those of the names beneath it, so one
pass sees every duplicate and every entry that an ancestor makes redundant.

The file is written under a temporary name in the folder of its target, read
back and verified there, and only then renamed: a process that opens the target finds
the old index or the new one, whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from array import array
from pathlib import Path
from typing import IO, TYPE_CHECKING

from filterd.base.errors import StoreError
from filterd.base.native import live_only
from filterd.base.paths import check_room, create, install, temporary_of
from filterd.lists.index import Index
from filterd.lists.index_format import (
    BLOCK_NAMES,
    GROUP_SLOTS,
    HEADER_OCTETS,
    MAX_TEXT_OCTETS,
    POSITION_BITS,
    SECTIONS,
    IndexHeader,
    SectionRange,
    aligned,
    fingerprint,
    home_group,
    key_hash,
    rank_bits,
)
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Section = bytes | bytearray | array[int]

IS_BLOCK = 1
"""Flag of a claim: an ancestor of the same list may make it redundant."""
COVERS = 2
"""Flag of a claim: it makes every block beneath it in the same list redundant."""
IS_MARKER = 4
"""Flag of a claim: made by the compiler, so it does not count as kept."""

TICK = 1 << 16
"""After so many records ``pack`` reports progress."""

_TAIL = 9  # the NUL and the two numbers that follow the key in a record


class _Block:
    """The block that is being filled."""

    def __init__(self) -> None:
        self.shared, self.ends = bytearray(), bytearray()
        self.text, self.set_ids = bytearray(), list[int]()
        self.last = b""

    def octets_with(self, own: int, set_width: int) -> int:
        """Return the length with one more name with so many octets of its own."""
        return (2 + set_width) * (len(self.ends) + 1) + len(self.text) + own

    def add(self, bare: bytes, shared: int, set_id: int) -> None:
        """Add a name."""
        self.shared.append(shared)
        self.text += bare[shared:]
        self.ends.append(len(self.text))
        self.set_ids.append(set_id)
        self.last = bare

    def finished(self, octets: int, set_width: int) -> bytes:
        """Return the octets of the block as in the file."""
        self.shared[0] = len(self.ends)
        ids = b"".join(set_id.to_bytes(set_width, "little") for set_id in self.set_ids)
        front = bytes(self.shared + self.ends + self.text)
        return front.ljust(octets - len(ids), b"\0") + ids


class PlainPacker:
    """Packer of ascending records; read the results after ``pack``.

    Args:
        lists: for each claim id, the index of the list that makes it.
        flags: for each claim id, the flags above.
        list_count: how many lists there are.
        seed: starts every hash.
        block_octets: the length of a block; the longest name must fit.
        set_width: the octets of a set id.

    Attributes:
        name_count: distinct names so far.
        blocks, lines: sections.
        line_offsets: section, 32 bits a number.
        hashes, ranks: of each name, for ``fill_slots``.
        sets: each distinct tuple of claim ids; the position is the set id.
        kept, duplicate, redundant, cancelled: entries of each list.
    """

    def __init__(
        self,
        lists: Sequence[int],
        flags: bytes,
        list_count: int,
        seed: int,
        block_octets: int,
        set_width: int,
    ) -> None:
        self._lists, self._flags, self._seed = lists, flags, seed
        self.block_octets, self.set_width = block_octets, set_width
        self.name_count = 0
        self.blocks, self.lines = bytearray(), bytearray()
        self.line_offsets, self.ranks, self.hashes = array("I"), array("I"), array("Q")
        self.sets: list[tuple[int, ...]] = []
        self.kept, self.duplicate, self.redundant, self.cancelled = (
            [0] * list_count for _ in range(4)
        )
        self._set_id_of: dict[tuple[int, ...], int] = {}
        self._covering = [b"\xff"] * list_count
        self._block = _Block()

    def pack(self, records: Sequence[bytes], progress: Callable[[int], None]) -> None:
        """Pack all records, in ascending order; call it once.

        Args:
            records: see ``filterd.lists.sort_records``.
            progress: called now and then with the number of records packed so far.

        Raises:
            OverflowError: there are more claim sets than ``set_width`` can count.
        """
        key, group = b"", list[bytes]()
        for number, record in enumerate(records):
            if number % TICK == 0:
                progress(number)
            if record[:-_TAIL] != key:
                self._pack_name(key, group)
                key, group = record[:-_TAIL], []
            group.append(record[-_TAIL + 1 :])
        self._pack_name(key, group)
        self._finish_block()

    def _pack_name(self, key: bytes, group: list[bytes]) -> None:
        """Pack one name, unless none of its entries is left."""
        lines_before = len(self.lines)
        claims, lines = self._judge(key, group)
        if not claims:
            return
        self._place(key[:-1], self._set_id(tuple(claims)), lines_before)
        self.hashes.append(key_hash(self._seed, key))
        self.lines += b"".join(map(varint, lines))
        self.name_count += 1

    def _set_id(self, claim_set: tuple[int, ...]) -> int:
        """Return the id of a claim set, a new one for a new set."""
        set_id = self._set_id_of.setdefault(claim_set, len(self.sets))
        if set_id == len(self.sets):
            self.sets.append(claim_set)
        if set_id >> 8 * self.set_width:
            raise OverflowError(f"more claim sets than {self.set_width} octets can count")
        return set_id

    def _place(self, bare: bytes, set_id: int, lines_before: int) -> None:
        """Add a name to its block; begin another block where it does not fit."""
        shared = common_octets(self._block.last, bare)
        own = len(bare) - shared
        if (
            len(self._block.ends) == BLOCK_NAMES
            or len(self._block.text) + own > MAX_TEXT_OCTETS
            or self._block.octets_with(own, self.set_width) > self.block_octets
        ):
            self._finish_block()
            shared = 0
        if not self._block.ends:
            self.line_offsets.append(lines_before)
        self.ranks.append(len(self.line_offsets) - 1 << POSITION_BITS | len(self._block.ends))
        self._block.add(bare, shared, set_id)

    def _finish_block(self) -> None:
        """Append the block that was being filled, if it holds anything."""
        if self._block.ends:
            self.blocks += self._block.finished(self.block_octets, self.set_width)
            self._block = _Block()

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
        """Count an entry that is kept, and whether an ancestor in its list covers it."""
        flags, index = self._flags[claim], self._lists[claim]
        if flags & IS_MARKER:
            return
        self.kept[index] += 1
        covering = self._covering[index]
        if flags & IS_BLOCK and key != covering and key.startswith(covering):
            self.redundant[index] += 1
        elif flags & COVERS:
            self._covering[index] = key


def common_octets(before: bytes, bare: bytes) -> int:
    """Return the length of the common prefix."""
    limit = min(len(before), len(bare))
    shared = 0
    while shared < limit and before[shared] == bare[shared]:
        shared += 1
    return shared


def varint(number: int) -> bytes:
    """Return a number in groups of seven bits, lowest first; the last has no top bit."""
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def plainly_fill_slots(
    hashes: Sequence[int], ranks: Sequence[int], block_count: int
) -> tuple[array[int], int]:
    """Make the hash table: two slots a name.

    Args:
        hashes: the hash of each name.
        ranks: the rank of each name.
        block_count: how many blocks the ranks refer to.

    Returns:
        The slots, and how many groups after its home any name is at most.
    """
    group_count = max(-(-2 * len(hashes) // GROUP_SLOTS), 1)
    bits = rank_bits(block_count)
    slots = array("I", bytes(4 * GROUP_SLOTS * group_count))
    longest = 0
    for state, rank in zip(hashes, ranks, strict=True):
        group, way = home_group(state, group_count), 0
        while slots[(group + 1) * GROUP_SLOTS - 1]:
            group, way = (group + 1) % group_count, way + 1
        at = group * GROUP_SLOTS
        while slots[at]:
            at += 1
        slots[at] = fingerprint(state, bits) << bits | rank
        longest = max(longest, way)
    return slots, longest


if TYPE_CHECKING:
    Packer = PlainPacker
    fill_slots = plainly_fill_slots
else:
    _native = live_only("filterd.lists._matcher")  # the same octets, ten times as fast
    Packer = getattr(_native, "Packer", PlainPacker)
    fill_slots = getattr(_native, "fill_slots", plainly_fill_slots)


def sections_of(packer: Packer, contents: bytes, report: bytes) -> tuple[dict[str, Section], int]:
    """Return all sections of an index by name, and the probe limit of its table."""
    slots, probe_limit = fill_slots(packer.hashes, packer.ranks, len(packer.line_offsets))
    sections: dict[str, Section] = {
        "blocks": packer.blocks,
        "slots": slots,
        "lines": packer.lines,
        "line_offsets": packer.line_offsets,
        "contents": contents,
        "report": report,
    }
    return sections, probe_limit


def write_index(
    packer: Packer, seed: int, contents: bytes, report: bytes, target: Path | IO[bytes]
) -> None:
    """Write, verify and install an index.

    Args:
        packer: all names, packed.
        seed: the one that the packer hashed with.
        contents: the section of that name.
        report: the section of that name.
        target: the file to replace, in an existing folder; or a file to write only.

    Raises:
        StoreError: the disk refused; the old index is untouched.
    """
    sections, probe_limit = sections_of(packer, contents, report)
    header = _header(packer, sections, probe_limit, seed)
    if not isinstance(target, Path):
        target.write(header.pack())
        target.writelines(_padded(sections))
        return
    temporary = temporary_of(target)
    check_room(target.parent, HEADER_OCTETS + sum(map(len, _padded(sections))))
    try:
        temporary.unlink(missing_ok=True)  # never write through a link that was left there
        with create(temporary) as file:
            file.write(header.pack())
            file.writelines(_padded(sections))
            file.flush()
            os.fsync(file.fileno())
        Index.open(temporary).verify()
        install(temporary, target)
    except OSError as error:
        raise StoreError(
            say("{target}: cannot be written: {why}", target=target, why=refused(error))
        ) from error
    finally:
        with contextlib.suppress(OSError):  # a disk error is reported above
            temporary.unlink()


def _header(
    packer: Packer, sections: dict[str, Section], probe_limit: int, seed: int
) -> IndexHeader:
    """Place the sections one after the other and digest them."""
    spans, offset = {}, HEADER_OCTETS
    for name in SECTIONS:
        length = len(memoryview(sections[name]).cast("B"))
        spans[name] = SectionRange(offset, length)
        offset = aligned(offset + length)
    digest = hashlib.sha256()
    for part in _padded(sections):
        digest.update(part)
    return IndexHeader(
        name_count=packer.name_count,
        group_count=len(sections["slots"]) // GROUP_SLOTS,
        probe_limit=probe_limit,
        set_count=len(packer.sets),
        set_width=packer.set_width,
        block_octets=packer.block_octets,
        seed=seed,
        digest=digest.digest(),
        spans=spans,
    )


def _padded(sections: dict[str, Section]) -> Iterator[memoryview | bytes]:
    """Yield the body of the file, piece by piece."""
    for name in SECTIONS:
        octets = memoryview(sections[name]).cast("B")
        yield octets
        yield bytes(aligned(len(octets)) - len(octets))
