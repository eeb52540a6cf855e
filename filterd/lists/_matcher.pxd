# SPDX-License-Identifier: Apache-2.0
"""The face of the native matcher for other native modules.

Neither the GIL nor any Python object is needed, so that a datagram can be judged
where it was received. The caller holds a reference to the ``Matcher`` for as
long as it calls.

A lookup waits for memory twice, for slots and for a block, and each wait costs
more than all its arithmetic. Who has several names at hand therefore calls
``begin`` for all, then ``approach`` for all, then ``finish`` for all: the waits
overlap.
"""

cimport cython
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t

from filterd.lists._blocks cimport DAMAGED, Geometry
from filterd.lists._search cimport Search

cdef enum:
    MAX_FOUND = 127
    NOT_A_NAME = -2

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
