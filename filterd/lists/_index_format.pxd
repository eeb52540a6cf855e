# SPDX-License-Identifier: Apache-2.0
"""The numbers and the hash of ``filterd.lists.index_format``, in C.

Tests hold these copies to the originals: every name that Python hashes must be
found by C and the other way round.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef enum:
    POSITION_BITS = 5
    BLOCK_NAMES = 32
    LONG_BLOCK_OCTETS = 320
    MAX_TEXT_OCTETS = 255
    GROUP_SLOTS = 8
    MAX_NAME = 255
    MAX_BARE = 253
    MAX_LABELS = 127

cdef extern from *:
    """
    #define FILTERD_HASH_FACTOR UINT64_C(0x9E3779B97F4A7C15)
    #define FILTERD_LENGTH_FACTOR UINT64_C(0xD1B54A32D192ED03)
    #define FILTERD_ONES UINT64_C(0x0101010101010101)
    """
    const uint64_t HASH_FACTOR "FILTERD_HASH_FACTOR"
    const uint64_t LENGTH_FACTOR "FILTERD_LENGTH_FACTOR"
    const uint64_t ONES "FILTERD_ONES"


cdef inline uint64_t low_octets(
    const uint8_t* at, size_t count, const uint8_t* first, const uint8_t* beyond
) noexcept nogil:
    """Read 1 to 8 octets as a little-endian number without leaving ``first`` .. ``beyond``."""
    cdef uint64_t word = 0
    cdef size_t index
    if at + 8 <= beyond:
        memcpy(&word, at, 8)
        return word & (~<uint64_t>0 >> (64 - 8 * count))
    if at + count >= first + 8:
        memcpy(&word, at + count - 8, 8)
        return word >> (8 * (8 - count))
    for index in range(count):
        word |= <uint64_t>at[index] << (8 * index)
    return word


cdef inline bint holds_nul(uint64_t word, size_t count) noexcept nogil:
    """Return whether one of the lowest ``count`` octets, 1 to 8, is zero."""
    if count < 8:
        word |= ~<uint64_t>0 << (8 * count)
    return ((word - ONES) & ~word & (ONES << 7)) != 0


cdef inline bint extend_hash(
    uint64_t* state,
    const uint8_t* label,
    size_t length,
    const uint8_t* first,
    const uint8_t* beyond,
    uint8_t* copy,
) noexcept nogil:
    """Hash one more label as ``index_format.extended_hash`` does; False if it holds a NUL.

    Unless ``copy`` is NULL the label is written there too, eight octets at a
    time, so up to seven more follow it.
    """
    cdef uint64_t word
    cdef size_t count
    state[0] ^= length * LENGTH_FACTOR
    while length:
        count = 8 if length > 8 else length
        word = low_octets(label, count, first, beyond)
        if holds_nul(word, count):
            return False
        if copy != NULL:
            memcpy(copy, &word, 8)
            copy += 8
        state[0] = (state[0] ^ word) * HASH_FACTOR
        state[0] ^= state[0] >> 32
        label += count
        length -= count
    return True


cdef inline size_t home_group(uint64_t state, size_t group_count) noexcept nogil:
    """Return the group where probing starts."""
    return ((state >> 32) * group_count) >> 32


cdef inline uint32_t fingerprint_of(uint64_t state, int rank_bits) noexcept nogil:
    """Return what a slot holds above a rank; never zero."""
    cdef uint32_t fingerprint = <uint32_t>(state & ((<uint64_t>1 << (32 - rank_bits)) - 1))
    return fingerprint if fingerprint else 1
