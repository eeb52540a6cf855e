# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""What ``_datagrams`` asks the table of sources without making Python objects."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef enum Judged:  # the numbers of ``_rate_limit_py.Verdict``
    SERVE_FIRST
    SERVE_NEXT
    SERVE_LAST
    HINT_RATE
    HINT_OVERLOAD
    DROP_OVERLOAD
    DENY

cdef struct Bucket:
    double a_second
    double burst
    double level
    double at

cdef struct Key:
    uint64_t high
    uint64_t low

cdef struct Source:
    Key key
    double level
    double tcp_level
    double first_at
    double seen_at
    double checked_until
    uint32_t asked
    uint32_t interface
    bint used
    bint proven
    bint permitted

cdef struct Asker:  # who sent a datagram: ``octets`` are 4 or 16
    const uint8_t* address
    int octets
    uint32_t interface

cdef class SourceTable:
    cdef uint64_t _hash_key[2]
    cdef Source* _places
    cdef uint64_t _sets
    cdef Bucket _newcomers, _hints
    cdef double _overload_until, _a_second, _burst

    cdef int judge_asker(self, const Asker* asker, double now, object permits) except -1
    cdef int crowd_asker(self, const Asker* asker, double now, object permits) except -1
    cdef int _hint(self, const Asker* asker, double now, object permits) except -1
    cdef int _serve(self, Source* source, double now) noexcept
    cdef bint _network_has_room(self, const Key* key, double now) noexcept
    cdef void _refill(self, Source* source, double now) noexcept
    cdef Source* _set_of(self, const Key* key) noexcept
    cdef Source* _find(self, const Key* key) noexcept
    cdef Source* _admit(self, const Key* key, double now) noexcept
    cdef Source* _insist(self, const Key* key, double now) noexcept
    cdef Source* _place(self, Source* place, const Key* key, double now) noexcept

cdef str text_of(const uint8_t* address, int octets)
