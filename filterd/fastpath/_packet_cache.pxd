# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""What ``_core`` asks of the answers that are repeated, in steps that overlap.

``fetch`` for all questions at hand, then ``place_of`` for all, then ``answer`` for
each: what each of them reads is on its way from memory while the others' is used.
"""

cimport cython
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from filterd.fastpath._question cimport Question

cdef enum:
    NO_PLACE = -1
    SHORT_OCTETS = 195  # a reply of SHORT_REPLY octets and where the TTLs in it are; fills four lines

cdef struct Kept:
    double noted_at
    double until
    double valid_until
    uint8_t* apart  # where a longer reply and the places of its TTLs are
    uint32_t hits
    uint32_t used_at
    uint32_t tally
    uint32_t epoch
    uint32_t cap_ttl_s
    uint16_t client_class
    uint16_t qtype
    uint16_t length
    uint8_t ttls
    uint8_t flags
    uint8_t name_octets
    uint8_t octets[SHORT_OCTETS]

@cython.final
cdef class Replay:
    cdef uint64_t _key[2]
    cdef double _now, _wall
    cdef void* _memory[3]
    cdef uint64_t* _hashes  # of what is kept, a set to a line of the cache; 0 where nothing is
    cdef Kept* _kept  # by slot
    cdef uint32_t* _slots  # by place
    cdef uint32_t* _free  # slots that were used before, the last one first
    cdef uint64_t _free_count
    cdef uint64_t _touched  # so many slots, the first ones, have been used
    cdef uint64_t _sets
    cdef uint64_t _swept
    cdef uint64_t _unfreed  # so many places, the first ones, may hold what is forgotten
    cdef uint32_t _turn
    cdef uint32_t _epoch  # counts how often all was forgotten
    cdef size_t _octets
    cdef list _sources, _hits

    # Set the times by which what follows is answered and noted.
    cpdef at(self, double now, double wall)
    # Tell whether even what was asked for once may be kept.
    cpdef bint has_room(self) noexcept
    # Tell whether ``take_hits`` would tell of any.
    cdef bint has_hits(self) noexcept
    # Hash a question and fetch its set.
    cdef uint64_t fetch(self, const Question* asked, int client_class) noexcept nogil
    # Return where the answer may be, and fetch it; NO_PLACE if it is nowhere.
    cdef int64_t place_of(self, uint64_t hashed) noexcept nogil
    # Answer in the message, which has room for LARGEST_ANSWER octets; return how long
    # the answer is, 0 where there is none that holds. ``tally``: where it is counted.
    cdef size_t answer(
        self, int64_t place, uint64_t hashed, uint8_t* message, const Question* asked,
        int client_class, uint32_t* tally,
    ) except? 0

    cdef bint _is_forgotten(self, const Kept* kept) noexcept nogil
    cdef bint _has_ended(self, const Kept* kept) noexcept nogil
    cdef bint _is_of(
        self, int64_t place, uint64_t hashed, const Question* asked, int client_class
    ) noexcept nogil
    cdef int64_t _new_place(self, uint64_t hashed) noexcept nogil
    cdef int _free_some(self) except -1
    cdef int _drop(self, int64_t place) except -1
    cdef Kept* _kept_at(self, uint64_t place) noexcept nogil
    cdef void _take_slot(self, uint64_t place) noexcept nogil
    cdef int _report(self, int64_t place) except -1
