# SPDX-License-Identifier: Apache-2.0
"""The hash table, read in groups of eight slots, where it stands in the mapped file.

Memory safety. A home group is within the table whatever the hash is; who goes
on to the next group turns back at the end of the table. A rank is only what a
slot says: ``_blocks.has_block`` tells whether it leads anywhere.
"""

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from filterd.lists._blocks cimport DAMAGED, Geometry, block_of, has_block, is_key
from filterd.lists._index_format cimport BLOCK_NAMES, GROUP_SLOTS, fingerprint_of, home_group

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    typedef uint32_t filterd_slots __attribute__((vector_size(16)));

    static inline uint32_t filterd_group_matches(
        const uint32_t *group, int rank_bits, uint32_t wanted
    ) {
        const filterd_slots bits = {1, 2, 4, 8};
        filterd_slots low, high;
        uint64_t halves[2];
        memcpy(&low, group, 16);
        memcpy(&high, group + 4, 16);
        low = (filterd_slots)(low >> rank_bits == wanted) & bits;
        high = (filterd_slots)(high >> rank_bits == wanted) & (bits << 4);
        low |= high;
        memcpy(halves, &low, 16);
        halves[0] |= halves[1];
        return (uint32_t)(halves[0] | halves[0] >> 32);
    }
    """
    # One bit for each of eight slots that has a fingerprint above its rank, the first lowest.
    uint32_t slots_with "filterd_group_matches" (
        const uint32_t* group, int rank_bits, uint32_t wanted
    ) nogil
    int trailing_zeros "__builtin_ctz" (unsigned int number) nogil

cdef enum:
    ALL_SLOTS = (1 << GROUP_SLOTS) - 1
    LAST_SLOT = 1 << (GROUP_SLOTS - 1)
    FULL = 1 << GROUP_SLOTS
    ABSENT = -3


cdef inline const uint32_t* home_of(
    const uint8_t* file, const Geometry* geometry, uint64_t state
) noexcept nogil:
    """Return the group of slots where a search starts; sections are aligned."""
    return <const uint32_t*>(file + geometry.slots) + GROUP_SLOTS * home_group(
        state, geometry.group_count
    )


cdef inline uint32_t group_matches(
    const Geometry* geometry, const uint32_t* group, uint64_t state
) noexcept nogil:
    """Return one bit for each slot with the fingerprint, the lowest first, and FULL.

    FULL says that no slot is empty, so that a search must go on.
    """
    cdef uint32_t matches = slots_with(
        group, geometry.rank_bits, fingerprint_of(state, geometry.rank_bits)
    )
    return matches | <uint32_t>(group[GROUP_SLOTS - 1] != 0) << GROUP_SLOTS


cdef inline uint32_t rank_in(
    const Geometry* geometry, const uint32_t* group, uint32_t matches
) noexcept nogil:
    """Return the rank in the first slot that matches; one does."""
    return group[trailing_zeros(matches)] & ((<uint32_t>1 << geometry.rank_bits) - 1)


cdef inline int64_t listed_rank(
    const uint8_t* file,
    const Geometry* geometry,
    uint64_t state,
    uint32_t matches,
    const uint8_t* key,
    uint32_t length,
) noexcept nogil:
    """Return the rank of a key without its final NUL, ABSENT or DAMAGED.

    ``matches`` is what its home group says.
    """
    cdef const uint32_t* beyond = <const uint32_t*>(file + geometry.slots) + (
        <size_t>GROUP_SLOTS * geometry.group_count
    )
    cdef const uint32_t* group = home_of(file, geometry, state)
    cdef uint32_t left = geometry.probe_limit
    cdef int64_t rank  # signed, or DAMAGED would become one
    cdef int same
    while True:
        while matches & ALL_SLOTS:
            rank = rank_in(geometry, group, matches)
            if not has_block(file, geometry, <uint32_t>rank):
                return DAMAGED
            same = is_key(
                geometry,
                block_of(file, geometry, <uint32_t>rank),
                rank & (BLOCK_NAMES - 1),
                key,
                length,
            )
            if same:
                return rank if same > 0 else DAMAGED
            matches &= matches - 1
        if not matches or not left:
            return ABSENT
        left -= 1
        group += GROUP_SLOTS
        if group == beyond:
            group = <const uint32_t*>(file + geometry.slots)
        matches = group_matches(geometry, group, state)
