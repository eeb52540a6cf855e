# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Packing in C: the same octets as ``_packing_py``, which explains them.

Runs in the compiler only, on records that the compiler has made itself; what
grows, grows in ``array.array``, which checks for itself.
"""

from cpython cimport array
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from filterd.lists._index_format cimport (
    BLOCK_NAMES,
    GROUP_SLOTS,
    LONG_BLOCK_OCTETS,
    MAX_TEXT_OCTETS,
    POSITION_BITS,
    extend_hash,
    fingerprint_of,
    home_group,
)

import array

from filterd.lists.index_format import rank_bits

cdef enum:
    IS_BLOCK = 1
    COVERS = 2
    IS_MARKER = 4
    TAIL_OCTETS = 9
    TICK = 1 << 16

cdef array.array _numbers = array.array("I")


cdef struct Key:
    # Octets of a record that Python owns and the list of records keeps alive.
    const uint8_t* octets
    size_t length


cdef struct Block:
    # The block that is being filled.
    uint32_t count
    uint32_t text_octets
    uint8_t shared[BLOCK_NAMES]
    uint8_t ends[BLOCK_NAMES]
    uint8_t text[MAX_TEXT_OCTETS]
    uint32_t set_ids[BLOCK_NAMES]


cdef class Packer:
    """Packs records in ascending order; see ``filterd.lists._packing_py.Packer``."""

    cdef readonly uint32_t name_count, block_octets, set_width
    cdef readonly array.array blocks, lines, line_offsets, hashes, ranks
    cdef readonly list sets, kept, duplicate, redundant, cancelled
    cdef list _records, _covering
    cdef dict _set_id_of
    cdef array.array _lists, _claims, _single_sets
    cdef bytes _flags, _before
    cdef uint64_t _seed
    cdef uint32_t _claim_count
    cdef Block _block

    def __init__(
        self,
        lists,
        bytes flags not None,
        size_t list_count,
        uint64_t seed,
        uint32_t block_octets,
        uint32_t set_width,
    ):
        self._lists = array.array("I", lists)
        if len(flags) != len(self._lists):
            raise ValueError("every claim has a list and flags")
        if any(index >= list_count for index in self._lists):
            raise ValueError("a claim is of no list")
        if block_octets > LONG_BLOCK_OCTETS or set_width not in (2, 4):
            raise ValueError("the layout has no such blocks")
        self._flags, self._seed = flags, seed
        self.block_octets, self.set_width = block_octets, set_width
        self.blocks, self.lines = array.array("B"), array.array("B")
        self.line_offsets, self.ranks = array.array("I"), array.array("I")
        self.hashes = array.array("Q")
        self.sets, self._set_id_of = [], {}
        self.kept, self.duplicate = [0] * list_count, [0] * list_count
        self.redundant, self.cancelled = [0] * list_count, [0] * list_count
        self._covering = [None] * list_count
        self._claims = array.array("I")
        self._single_sets = array.array("I", [0] * len(flags))

    def pack(self, list records not None, progress not None):
        """Pack all records, which ascend; to be called once."""
        cdef Py_ssize_t start = 0, stop, count = len(records), tick = 0
        cdef Key key, other
        self._records = records
        while start < count:
            if start >= tick:
                progress(start)
                tick = start + TICK
            key = key_of(records[start])
            stop = start + 1
            while stop < count:
                other = key_of(records[stop])
                if other.length != key.length or memcmp(other.octets, key.octets, key.length):
                    break
                stop += 1
            self._pack_name(key, start, stop)
            start = stop
        self._finish_block()
        self._records = None

    cdef int _pack_name(self, Key key, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Pack one name, unless nothing is left of its entries."""
        cdef size_t lines_before = len(self.lines)
        cdef uint64_t state
        self._judge(key, start, stop)
        if not self._claim_count:
            return 0
        self._place(key, self._set_id(), <uint32_t>lines_before)
        self._before = self._records[start]
        state = key_hash(self._seed, key)
        array.extend_buffer(self.hashes, <char*>&state, 1)
        self.name_count += 1
        return 0

    cdef int _place(self, Key key, uint32_t set_id, uint32_t lines_before) except -1:
        """Add a name to its block; begin another one where it does not fit."""
        cdef size_t bare = key.length - 1, shared = 0
        cdef uint32_t at
        if self._block.count:
            shared = common_octets(key_of(self._before), key)
            if not self._has_room(bare - shared):
                self._finish_block()
                shared = 0
        if not self._block.count:
            if not self._has_room(bare):
                raise ValueError("a name is longer than a block")
            append_number(self.line_offsets, lines_before)
        at = self._block.count
        append_number(
            self.ranks, <uint32_t>((len(self.line_offsets) - 1) << POSITION_BITS | at)
        )
        memcpy(self._block.text + self._block.text_octets, key.octets + shared, bare - shared)
        self._block.text_octets += <uint32_t>(bare - shared)
        self._block.shared[at] = <uint8_t>shared
        self._block.ends[at] = <uint8_t>self._block.text_octets
        self._block.set_ids[at] = set_id
        self._block.count += 1
        return 0

    cdef bint _has_room(self, size_t own) noexcept:
        """Tell whether one more name with so many octets of its own fits."""
        cdef size_t text = self._block.text_octets + own
        return (
            self._block.count < BLOCK_NAMES
            and text <= MAX_TEXT_OCTETS
            and (2 + self.set_width) * (self._block.count + 1) + text <= self.block_octets
        )

    cdef int _finish_block(self) except -1:
        """Append the block that was being filled, if it holds anything."""
        cdef uint8_t octets[LONG_BLOCK_OCTETS]
        cdef uint32_t count = self._block.count, index
        cdef uint8_t* set_ids = octets + self.block_octets - count * self.set_width
        if not count:
            return 0
        memset(octets, 0, sizeof(octets))
        memcpy(octets, self._block.shared, count)
        octets[0] = <uint8_t>count
        memcpy(octets + count, self._block.ends, count)
        memcpy(octets + 2 * count, self._block.text, self._block.text_octets)
        for index in range(count):  # little-endian, as the only machines that read an index
            memcpy(set_ids + index * self.set_width, &self._block.set_ids[index], self.set_width)
        array.extend_buffer(self.blocks, <char*>octets, self.block_octets)
        self._block.count = self._block.text_octets = 0
        return 0

    cdef int _judge(self, Key key, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Gather the claims that hold for a name, append their lines, count the others."""
        cdef const uint8_t* tail
        cdef uint32_t claim, line, last = 0xFFFFFFFF, last_line = 0
        cdef Py_ssize_t position
        self._claim_count = 0
        for position in range(start, stop):
            tail = key_of(self._records[position]).octets + key.length + 1
            claim, line = big_endian(tail), big_endian(tail + 4)
            if claim >= <size_t>len(self._flags):
                raise ValueError("a record is of no claim")
            if claim != last:
                last, last_line = claim, line
                if line:
                    self._hold(claim)
                    append_varint(self.lines, line)
                    self._count_kept(key, claim, self._records[position])
            elif line and not self._flags[claim] & IS_MARKER:
                counts = self.duplicate if last_line else self.cancelled
                counts[self._lists.data.as_uints[claim]] += 1
        return 0

    cdef int _hold(self, uint32_t claim) except -1:
        """Add a claim to those of the current name."""
        if self._claim_count == <size_t>len(self._claims):
            append_number(self._claims, claim)
        self._claims.data.as_uints[self._claim_count] = claim
        self._claim_count += 1
        return 0

    cdef int _count_kept(self, Key key, uint32_t claim, bytes record) except -1:
        """Count an entry that holds, and whether an ancestor in its list says as much."""
        cdef uint8_t flags = self._flags[claim]
        cdef uint32_t index = self._lists.data.as_uints[claim]
        cdef Key covering
        if flags & IS_MARKER:
            return 0
        self.kept[index] += 1
        if flags & IS_BLOCK and self._covering[index] is not None:
            covering = key_of(self._covering[index])
            if covering.length < key.length and not memcmp(
                covering.octets, key.octets, covering.length
            ):
                self.redundant[index] += 1
                return 0
        if flags & COVERS:
            self._covering[index] = record
        return 0

    cdef uint32_t _set_id(self) except? 0xFFFFFFFF:
        """Return the id of the current claims; most names have one claim, so that goes by table."""
        cdef uint32_t claim = self._claims.data.as_uints[0], index, set_id
        if self._claim_count == 1 and self._single_sets.data.as_uints[claim]:
            return self._single_sets.data.as_uints[claim] - 1
        claim_set = tuple([
            self._claims.data.as_uints[index] for index in range(self._claim_count)
        ])
        set_id = self._set_id_of.setdefault(claim_set, len(self.sets))
        if set_id == <size_t>len(self.sets):
            self.sets.append(claim_set)
        if <uint64_t>set_id >> 8 * self.set_width:
            raise OverflowError(f"more claim sets than {self.set_width} octets can count")
        if self._claim_count == 1:
            self._single_sets.data.as_uints[claim] = set_id + 1
        return set_id


def fill_slots(array.array hashes not None, array.array ranks not None, size_t block_count):
    """Make the hash table: two slots a name; see ``filterd.lists._packing_py.fill_slots``."""
    if hashes.typecode != "Q" or ranks.typecode != "I" or len(hashes) != len(ranks):
        raise TypeError("every name has a hash of 64 bits and a rank of 32")
    cdef size_t count = len(hashes)
    cdef size_t group_count = max((2 * count + GROUP_SLOTS - 1) // GROUP_SLOTS, 1)
    cdef array.array slots = array.clone(_numbers, group_count * GROUP_SLOTS, zero=True)
    cdef unsigned int* table = slots.data.as_uints
    cdef const uint64_t* states = <const uint64_t*>hashes.data.as_ulonglongs
    cdef int bits = rank_bits(block_count)
    cdef unsigned int* group
    cdef size_t number, at, way, longest = 0
    with nogil:
        for number in range(count):
            at, way = home_group(states[number], group_count), 0
            group = table + at * GROUP_SLOTS
            while group[GROUP_SLOTS - 1]:
                at, way = at + 1, way + 1
                if at == group_count:
                    at = 0
                group = table + at * GROUP_SLOTS
            while group[0]:
                group += 1
            group[0] = fingerprint_of(states[number], bits) << bits | ranks.data.as_uints[number]
            if way > longest:
                longest = way
    return slots, longest


cdef inline Key key_of(bytes record):
    """Return the key of a record, where it stands in it."""
    cdef Key key
    if PyBytes_GET_SIZE(record) <= TAIL_OCTETS:
        raise ValueError("a record is too short")
    key.octets = <const uint8_t*>PyBytes_AS_STRING(record)
    key.length = PyBytes_GET_SIZE(record) - TAIL_OCTETS
    return key


cdef inline uint32_t big_endian(const uint8_t* at) noexcept nogil:
    return (
        <uint32_t>at[0] << 24 | <uint32_t>at[1] << 16 | <uint32_t>at[2] << 8 | <uint32_t>at[3]
    )


cdef inline int append_number(array.array numbers, uint32_t number) except -1:
    return array.extend_buffer(numbers, <char*>&number, 1)


cdef int append_varint(array.array octets, uint32_t number) except -1:
    """Append seven bits an octet, the lowest first; the last has no top bit."""
    cdef uint8_t encoded[5]
    cdef int length = 0
    while number > 0x7F:
        encoded[length] = number & 0x7F | 0x80
        number >>= 7
        length += 1
    encoded[length] = <uint8_t>number
    return array.extend_buffer(octets, <char*>encoded, length + 1)


cdef size_t common_octets(Key before, Key key) noexcept:
    """Return with how many octets both begin, without their final NULs."""
    cdef size_t shared = 0, limit = min(before.length, key.length) - 1
    while shared < limit and before.octets[shared] == key.octets[shared]:
        shared += 1
    return shared


cdef uint64_t key_hash(uint64_t seed, Key key) noexcept:
    """Return the hash of a whole key, label by label."""
    cdef uint64_t state = seed
    cdef size_t start = 0, end
    for end in range(key.length):
        if key.octets[end] == 0:
            extend_hash(
                &state, key.octets + start, end - start, key.octets, key.octets + key.length, NULL
            )
            start = end + 1
    return state
