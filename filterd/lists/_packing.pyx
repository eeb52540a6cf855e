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
from libc.string cimport memcmp

from filterd.lists._layout cimport (
    BLOCK_NAMES,
    ESCAPE,
    LENGTH_BASE,
    SHARED_BASE,
    extend_hash,
    home_slot,
)

import array

cdef enum:
    IS_BLOCK = 1
    COVERS = 2
    IS_MARKER = 4
    TAIL_OCTETS = 9

cdef array.array _octets = array.array("B")
cdef array.array _numbers = array.array("I")


cdef struct Key:
    # Octets of a record that Python owns and the list of records keeps alive.
    const uint8_t* octets
    size_t length


cdef class Packer:
    """Packs records in ascending order; see ``filterd.lists._packing_py.Packer``."""

    cdef readonly uint32_t name_count
    cdef readonly array.array names, lines, name_offsets, line_offsets, set_ids, hashes
    cdef readonly list sets, kept, duplicate, redundant, cancelled
    cdef list _records, _covering
    cdef dict _set_id_of
    cdef array.array _lists, _claims, _single_sets
    cdef bytes _flags, _before
    cdef uint64_t _seed
    cdef uint32_t _claim_count

    def __init__(self, lists, bytes flags not None, size_t list_count, uint64_t seed):
        self._lists = array.array("I", lists)
        if len(flags) != len(self._lists):
            raise ValueError("every claim has a list and flags")
        if any(index >= list_count for index in self._lists):
            raise ValueError("a claim is of no list")
        self._flags, self._seed = flags, seed
        self.names, self.lines = array.copy(_octets), array.copy(_octets)
        self.name_offsets, self.line_offsets = array.copy(_numbers), array.copy(_numbers)
        self.set_ids, self.hashes = array.copy(_numbers), array.array("Q")
        self.sets, self._set_id_of = [], {}
        self.kept, self.duplicate = [0] * list_count, [0] * list_count
        self.redundant, self.cancelled = [0] * list_count, [0] * list_count
        self._covering = [None] * list_count
        self._claims = array.copy(_numbers)
        self._single_sets = array.array("I", [0] * len(flags))

    def pack(self, list records not None):
        """Pack all records, which ascend; to be called once."""
        cdef Py_ssize_t start = 0, stop, count = len(records)
        cdef Key key, other
        self._records = records
        while start < count:
            key = key_of(records[start])
            stop = start + 1
            while stop < count:
                other = key_of(records[stop])
                if other.length != key.length or memcmp(other.octets, key.octets, key.length):
                    break
                stop += 1
            self._pack_name(key, start, stop)
            start = stop
        self._records = None

    cdef int _pack_name(self, Key key, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Pack one name, unless nothing is left of its entries."""
        cdef uint32_t lines_before = <uint32_t>len(self.lines), set_id
        cdef uint64_t state
        self._judge(key, start, stop)
        if not self._claim_count:
            return 0
        if self.name_count % BLOCK_NAMES == 0:
            append_number(self.name_offsets, <uint32_t>len(self.names))
            append_number(self.line_offsets, lines_before)
            self._before = None
        append_front_coded(self.names, self._before, key)
        self._before = self._records[start]
        state = key_hash(self._seed, key)
        array.extend_buffer(self.hashes, <char*>&state, 1)
        set_id = self._set_id()
        append_number(self.set_ids, set_id)
        self.name_count += 1
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
        if self._claim_count == 1:
            self._single_sets.data.as_uints[claim] = set_id + 1
        return set_id


def fill_slots(array.array hashes not None):
    """Make the hash table: two slots a name; see ``filterd.lists._packing_py.fill_slots``."""
    if hashes.typecode != "Q":
        raise TypeError("hashes are 64-bit numbers")
    cdef size_t count = len(hashes)
    cdef size_t slot_count = 2 * count if count else 1
    cdef array.array slots = array.clone(_numbers, slot_count, zero=True)
    cdef unsigned int* table = slots.data.as_uints
    cdef const uint64_t* states = <const uint64_t*>hashes.data.as_ulonglongs
    cdef int rank_bits = count.bit_length()
    cdef uint64_t mask = (<uint64_t>1 << (32 - rank_bits)) - 1
    cdef size_t number, at, way, longest = 0
    with nogil:
        for number in range(1, count + 1):
            at, way = home_slot(states[number - 1], slot_count), 0
            while table[at]:
                at, way = at + 1, way + 1
                if at == slot_count:
                    at = 0
            table[at] = <unsigned int>((states[number - 1] & mask) << rank_bits | number)
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


cdef int append_front_coded(array.array octets, bytes before, Key key) except -1:
    """Append the entry of a key, without its final NUL, after that of the record before."""
    cdef uint8_t head[3]
    cdef size_t shared = 0, own, limit
    cdef int length = 1
    cdef Key other
    if before is not None:
        other = key_of(before)
        limit = min(other.length, key.length) - 1
        while shared < limit and other.octets[shared] == key.octets[shared]:
            shared += 1
    own = key.length - 1 - shared
    if SHARED_BASE <= shared < SHARED_BASE + ESCAPE:
        head[0] = <uint8_t>((shared - SHARED_BASE) << 4)
    else:
        head[0] = ESCAPE << 4
        head[length] = <uint8_t>shared
        length += 1
    if own < LENGTH_BASE + ESCAPE:
        head[0] |= <uint8_t>(own - LENGTH_BASE)
    else:
        head[0] |= ESCAPE
        head[length] = <uint8_t>own
        length += 1
    array.extend_buffer(octets, <char*>head, length)
    return array.extend_buffer(octets, <char*>(key.octets + shared), own)


cdef uint64_t key_hash(uint64_t seed, Key key) noexcept:
    """Return the hash of a whole key, label by label."""
    cdef uint64_t state = seed
    cdef size_t start = 0, end
    for end in range(key.length):
        if key.octets[end] == 0:
            extend_hash(
                &state, key.octets + start, end - start, key.octets, key.octets + key.length
            )
            start = end + 1
    return state
