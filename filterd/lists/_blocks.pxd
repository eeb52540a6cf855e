# SPDX-License-Identifier: Apache-2.0
"""Blocks of names, read where they stand in the mapped file.

Memory safety. ``has_block`` comes first: it checks that block and position exist.
From then on all places are within the block: the number of its names is at most
``BLOCK_NAMES``, so the tables at both its ends fit in it, and an entry is read
only if it ends before the claim sets. Up to seven octets after an entry may be
read and then mean nothing: another section follows the blocks.
"""

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from filterd.lists._index_format cimport BLOCK_NAMES, MAX_BARE, POSITION_BITS

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    typedef uint8_t filterd_octets __attribute__((vector_size(16)));

    static inline uint32_t filterd_lanes_below(const uint8_t *at, uint8_t limit) {
        filterd_octets octets;
        memcpy(&octets, at, 16);
        octets = (filterd_octets)(octets < limit);
    #if defined(__SSE2__)
        return (uint32_t)__builtin_ia32_pmovmskb128((char __attribute__((vector_size(16))))octets);
    #else
        uint64_t halves[2];
        memcpy(halves, &octets, 16);
        halves[0] = (halves[0] & UINT64_C(0x8040201008040201)) * UINT64_C(0x0101010101010101);
        halves[1] = (halves[1] & UINT64_C(0x8040201008040201)) * UINT64_C(0x0101010101010101);
        return (uint32_t)(halves[0] >> 56 | halves[1] >> 56 << 8);
    #endif
    }
    """
    # One bit for each of 16 octets that is smaller, the first lowest.
    uint32_t lanes_below "filterd_lanes_below" (const uint8_t* at, uint8_t limit) nogil
    int leading_zeros "__builtin_clz" (unsigned int number) nogil
    void prefetch "__builtin_prefetch" (const void* at) nogil

cdef enum:
    DAMAGED = -1
    CACHE_LINE = 64
    SLACK = 8

cdef struct Geometry:
    # Where the sections start, in octets from the start of the file, and how much they hold.
    size_t blocks
    size_t slots
    uint32_t name_count
    uint32_t block_count
    uint32_t block_octets
    uint32_t group_count
    uint32_t probe_limit
    uint32_t set_count
    uint32_t set_width
    uint32_t rank_bits
    uint64_t seed

cdef struct Entry:
    # One name: octets shared with the one before, and its own.
    uint32_t shared
    uint32_t length
    const uint8_t* own

cdef struct Key:
    # Without its final NUL it has ``length`` octets; up to eight more are read beyond that.
    uint32_t length
    uint8_t octets[MAX_BARE + 1 + 8]


cdef inline const uint8_t* block_of(
    const uint8_t* file, const Geometry* geometry, uint32_t rank
) noexcept nogil:
    return file + geometry.blocks + <size_t>(rank >> POSITION_BITS) * geometry.block_octets


cdef inline void fetch_block(
    const uint8_t* file, const Geometry* geometry, uint32_t rank
) noexcept nogil:
    """Fetch the lines of a usual block; harmless where there is none."""
    cdef const uint8_t* block = block_of(file, geometry, rank)
    prefetch(block)
    prefetch(block + CACHE_LINE)
    prefetch(block + 2 * CACHE_LINE)
    prefetch(block + 3 * CACHE_LINE)


cdef inline bint has_block(
    const uint8_t* file, const Geometry* geometry, uint32_t rank
) noexcept nogil:
    """Return whether there is a sound block for a rank, with a name at its position."""
    cdef uint32_t count
    if rank >> POSITION_BITS >= geometry.block_count:
        return False
    count = block_of(file, geometry, rank)[0]
    return count <= BLOCK_NAMES and (rank & (BLOCK_NAMES - 1)) < count


cdef inline bint read_entry(
    const Geometry* geometry, const uint8_t* block, uint32_t position, Entry* entry
) noexcept nogil:
    """Read one entry of a block that has it; False if it does not end within the block."""
    cdef uint32_t count = block[0], start = 0
    cdef uint32_t end = block[count + position]
    entry.shared = 0
    if position:
        entry.shared = block[position]
        start = block[count + position - 1]
    entry.length = end - start
    entry.own = block + 2 * count + start
    return start < end <= geometry.block_octets - (2 + geometry.set_width) * count


cdef inline int64_t set_of(
    const Geometry* geometry, const uint8_t* block, uint32_t position
) noexcept nogil:
    """Return the claim set of a name, or DAMAGED."""
    cdef const uint8_t* end = block + geometry.block_octets
    cdef uint32_t back = block[0] - position
    cdef int64_t set_id
    if geometry.set_width == 2:
        set_id = (<const uint16_t*>end)[-<int64_t>back]
    else:
        set_id = (<const uint32_t*>end)[-<int64_t>back]
    return set_id if set_id < geometry.set_count else DAMAGED


cdef inline bint take_entry(
    const Geometry* geometry, const uint8_t* block, uint32_t position, Key* key
) noexcept nogil:
    """Turn the key before a position into the one there; False if either contradicts itself."""
    cdef Entry entry
    if (
        not read_entry(geometry, block, position, &entry)
        or entry.shared > key.length
        or entry.shared + entry.length > MAX_BARE
        or set_of(geometry, block, position) < 0
    ):
        return False
    memcpy(key.octets + entry.shared, entry.own, entry.length)
    key.length = entry.shared + entry.length
    key.octets[key.length] = 0
    return True


cdef inline uint32_t last_below(
    const uint8_t* block, uint32_t position, uint8_t shared
) noexcept nogil:
    """Return the last name before a position, not the first, that shares less; the first does.

    Without a branch on what they share, which the processor could not predict. A block has
    more octets than it can have names.
    """
    cdef uint32_t below = lanes_below(block, shared) | lanes_below(block + 16, shared) << 16
    below = (below | 1) & ((<uint32_t>1 << position) - 1)
    return 31 - leading_zeros(below)


cdef inline int is_key(
    const Geometry* geometry,
    const uint8_t* block,
    uint32_t position,
    const uint8_t* key,
    uint32_t length,
) noexcept nogil:
    """Compare a key without its final NUL with the name at a position: 1 same, 0 not, DAMAGED.

    From its end: what a name shares stands with the next one before it that
    shares less, and nearly always the name's own octets have decided by then.
    ``key`` has eight octets of padding.
    """
    cdef uint32_t left = length
    cdef Entry entry
    if not read_entry(geometry, block, position, &entry):
        return DAMAGED
    if entry.shared + entry.length != left:
        return 0
    while True:
        if entry.shared + entry.length < left:
            return 0
        if not same_octets(entry.own, key + entry.shared, left - entry.shared):
            return 0
        left = entry.shared
        if not left:
            return 1
        # ``left`` is not zero, so this is not the first name; and it came from an octet.
        position = last_below(block, position, <uint8_t>left)
        if not read_entry(geometry, block, position, &entry):
            return DAMAGED


cdef inline bint same_octets(
    const uint8_t* left, const uint8_t* right, uint32_t count
) noexcept nogil:
    """Compare 1 to 255 octets, eight at a time; seven more may be read of both."""
    cdef uint64_t ours, theirs
    while count > 8:
        memcpy(&ours, left, 8)
        memcpy(&theirs, right, 8)
        if ours != theirs:
            return False
        left += 8
        right += 8
        count -= 8
    memcpy(&ours, left, 8)
    memcpy(&theirs, right, 8)
    return (ours ^ theirs) << (64 - 8 * count) == 0
