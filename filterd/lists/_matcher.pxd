# SPDX-License-Identifier: Apache-2.0
"""The interface of the native matcher for other native modules.

Neither the GIL nor any Python object is needed, so that a datagram can be judged
where it was received. The caller holds a reference to the ``Matcher`` for as
long as it calls.

A lookup waits for memory twice, for slots and for a block, and each wait costs
more than all its arithmetic. A caller with several names therefore calls
``begin`` for all, then ``approach`` for all, then ``finish`` for all: the waits
overlap.
"""

cimport cython
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from filterd.lists._blocks cimport DAMAGED, Geometry
from filterd.lists._index_format cimport MAX_LABELS, MAX_NAME, extend_hash

cdef enum:
    MAX_FOUND = 127
    NOT_A_NAME = -2

cdef struct Search:
    # ``labels``: of the name, or -1 if it is none; ``depth``: how many of them, from the
    # right, can be listed. The rest is by number of labels: the hash of the last ``n``, where
    # they end in ``key``, and their matches in the table (see ``group_matches``).
    int labels
    int depth
    uint64_t hashes[MAX_LABELS + 1]
    uint8_t ends[MAX_LABELS + 1]
    uint16_t matches[MAX_LABELS + 1]
    # Written and read eight octets at a time, so up to eight more belong to it.
    uint8_t key[MAX_NAME + 1 + 8]


cdef struct Found:
    uint32_t labels
    uint32_t rank
    uint32_t set_id

@cython.final
cdef class Matcher:
    cdef Py_buffer _file
    cdef Geometry _geometry

    # All of a lookup. ``name``: lower-case wire form. Fills ``found``, which has
    # room for MAX_FOUND, the most labels first; returns how many, or DAMAGED or
    # NOT_A_NAME.
    cdef int find(self, const uint8_t* name, size_t length, Found* found) noexcept nogil

    # The same in three steps: split, hash and fetch slots; read slots and fetch
    # blocks; decide. The name is needed for the first only.
    cdef void begin(self, const uint8_t* name, size_t length, Search* search) noexcept nogil
    cdef void approach(self, Search* search) noexcept nogil
    cdef int finish(self, const Search* search, Found* found) noexcept nogil


cdef inline int split_labels(const uint8_t* name, size_t length, uint8_t* starts) noexcept nogil:
    """Note where each label's length octet stands; -1 unless every octet belongs to the name."""
    cdef size_t at = 0
    cdef int labels = 0
    if length > MAX_NAME:
        return -1
    while at < length:
        if name[at] == 0:
            return labels if at + 1 == length else -1
        if name[at] > 63 or labels == MAX_LABELS:
            return -1
        starts[labels] = <uint8_t>at
        labels += 1
        at += 1 + name[at]
    return -1


cdef inline void start_search(
    uint64_t seed, const uint8_t* name, size_t length, Search* search
) noexcept nogil:
    """Hash each ancestor and write its key, from the right; stop at a label that no key can hold.

    Reads only the caller's octets, and none beyond ``length``: they come from the network.
    """
    cdef uint8_t starts[MAX_LABELS]
    cdef const uint8_t* label
    cdef uint8_t* key = search.key
    cdef int depth
    search.labels = split_labels(name, length, starts)
    search.depth = search.labels
    for depth in range(1, search.labels + 1):
        label = name + starts[search.labels - depth]
        if not extend_hash(&seed, label + 1, label[0], name, name + length, key):
            search.depth = depth - 1  # a key ends labels by NUL, so this one could pass for two
            return
        search.hashes[depth] = seed
        key += label[0]
        search.ends[depth] = <uint8_t>(key - search.key)
        key[0] = 0
        key += 1
