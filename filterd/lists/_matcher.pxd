# SPDX-License-Identifier: Apache-2.0
"""The face of the native matcher for other native modules.

Neither the GIL nor any Python object is needed, so that a datagram can be judged
where it was received. The caller holds a reference to the ``Matcher`` for as
long as it calls.

A lookup waits for memory two or three times, and each wait costs as much as all
its arithmetic. Who has several names at hand therefore calls ``begin`` for all,
then ``approach`` for all, then ``finish`` for all: the waits overlap.
"""

cimport cython
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef enum:
    MAX_FOUND = 127
    DAMAGED = -1
    NOT_A_NAME = -2

cdef struct Found:
    uint32_t labels
    uint32_t rank
    uint32_t set_id

cdef struct Search:
    # A name under way: where its labels stand, and the hash of its last ``n`` labels.
    # ``depth``: how many labels from the right can be listed; ``labels`` -1: no wire name.
    int labels
    int depth
    uint8_t starts[MAX_FOUND]
    uint64_t hashes[MAX_FOUND + 1]

cdef struct Geometry:
    # Where the sections start, in octets from the start of the file, and how much they hold.
    size_t names
    size_t names_octets
    size_t name_offsets
    size_t slots
    size_t set_ids
    uint32_t name_count
    uint32_t block_count
    uint32_t slot_count
    uint32_t probe_limit
    uint32_t set_count
    uint32_t rank_bits
    bint wide_sets
    uint64_t seed

@cython.final
cdef class Matcher:
    cdef Py_buffer _file
    cdef Geometry _geometry

    # All of a lookup. ``name``: lower-case wire form. Fills ``found``, which has
    # room for MAX_FOUND, the most labels first; returns how many, or DAMAGED or
    # NOT_A_NAME.
    cdef int find(self, const uint8_t* name, size_t length, Found* found) noexcept nogil

    # The same in three steps, with the same name in the first and the last.
    cdef void begin(self, const uint8_t* name, size_t length, Search* search) noexcept nogil
    cdef void approach(self, Search* search) noexcept nogil
    cdef int finish(
        self, const uint8_t* name, size_t length, const Search* search, Found* found
    ) noexcept nogil
