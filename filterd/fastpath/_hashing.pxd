# SPDX-License-Identifier: Apache-2.0
"""Hash with a key, so that no client can choose which entries collide in a table.

All functions read whole words: the octets lie in a buffer that has room for them, and are
followed by zeros up to the next word where the docstring requires it.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    static inline uint64_t filterd_fold(uint64_t a, uint64_t b) {
        __uint128_t product = (__uint128_t)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    static inline uint64_t filterd_lower_case(uint64_t word) {
        uint64_t ones = UINT64_C(0x0101010101010101);
        uint64_t low = word & 0x7F * ones;
        uint64_t from_a = low + (0x80 - 'A') * ones, beyond_z = low + (0x7F - 'Z') * ones;
        return word | ((from_a ^ beyond_z) & ~word & 0x80 * ones) >> 2;
    }
    """
    uint64_t fold "filterd_fold" (uint64_t a, uint64_t b) nogil
    # Eight octets with 32 added to those that are capital letters.
    uint64_t lower_case "filterd_lower_case" (uint64_t word) nogil


cdef inline uint64_t word_at(const uint8_t* octets) noexcept nogil:
    cdef uint64_t word
    memcpy(&word, octets, 8)
    return word


cdef inline uint64_t first_octets(uint64_t word, size_t count) noexcept nogil:
    """Return a word of which only the first 1 to 8 octets are left (little-endian)."""
    return word & (~<uint64_t>0 >> (64 - 8 * count))


cdef inline uint64_t hash_words(
    const uint64_t* key, uint64_t state, const uint8_t* octets, size_t length
) noexcept nogil:
    """Hash octets that zeros follow up to a whole word."""
    cdef size_t at
    state ^= key[0] + length
    for at in range(0, length, 8):
        state = fold(state ^ word_at(octets + at), key[1])
    return fold(state, key[0])


cdef inline uint64_t hash_label(
    const uint64_t* key, uint64_t state, const uint8_t* label
) noexcept nogil:
    """Hash a label, its length octet too, on top of those to its right; eight octets follow it."""
    cdef size_t left = label[0] + 1
    while left > 8:
        state = fold(state ^ word_at(label), key[1])
        label += 8
        left -= 8
    return fold(state ^ first_octets(word_at(label), left), key[1]) ^ key[0]
