# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Types in C for ``_rate_limit.py``, and what ``_datagrams`` asks of its table."""

cimport cython
from libc.stdint cimport uint32_t, uint64_t

cdef int SERVE_FIRST, SERVE_NEXT, SERVE_LAST, HINT_RATE, HINT_OVERLOAD, DROP_OVERLOAD, DENY
cdef double known_after_s, idle_after_s, never
cdef Py_ssize_t ways
cdef uint64_t all_ones, magic_0, magic_1, magic_2, magic_3, sixteen_octets


@cython.final
cdef class Bucket:
    cdef double a_second, burst, level, at

    cdef bint take(self, double now) noexcept


@cython.final
@cython.freelist(64)
cdef class RateSource:
    cdef uint64_t high, low, asked
    cdef double level, tcp_level, first_at, seen_at, checked_until
    cdef uint32_t interface
    cdef bint proven, permitted

    cdef void begin(self, uint64_t high, uint64_t low, double burst, double now) noexcept
    cdef bint is_known(self, double now) noexcept
    cdef bint is_worthless(self, double now) noexcept
    @cython.locals(worthless=bint)
    cdef bint is_worth_less(self, RateSource other, double now) noexcept


@cython.final
cdef class SourceTable:
    cdef uint64_t _key_0, _key_1, _last_set
    cdef list _places
    cdef Bucket _newcomers, _hints
    cdef double _overload_until, _a_second, _burst, _sparse

    @cython.locals(high=uint64_t, low=uint64_t)
    cpdef int judge(self, bytes address, uint32_t interface, double now, object permits) except -1
    @cython.locals(high=uint64_t, low=uint64_t)
    cpdef int crowd(self, bytes address, uint32_t interface, double now, object permits) except -1
    @cython.locals(high=uint64_t, low=uint64_t, source=RateSource)
    cpdef bint take_by_tcp(self, bytes address, uint32_t interface, double now) except -1
    @cython.locals(high=uint64_t, low=uint64_t, source=RateSource)
    cpdef object prove(self, bytes address, uint32_t interface, double now)
    @cython.locals(source=RateSource)
    cdef int judge_words(
        self, uint64_t high, uint64_t low, bint is_ipv4, uint32_t interface, double now,
        object permits,
    ) except -1
    @cython.locals(at=Py_ssize_t, source=RateSource)
    cdef int crowd_words(
        self, uint64_t high, uint64_t low, bint is_ipv4, uint32_t interface, double now,
        object permits,
    ) except -1
    cdef int _serve(self, RateSource source, double now) except -1
    cdef int _hint(
        self, uint64_t high, uint64_t low, bint is_ipv4, uint32_t interface, double now,
        object permits,
    ) except -1
    @cython.locals(network=RateSource)
    cdef bint _network_has_room(self, uint64_t high, uint64_t low, double now) except -1
    @cython.locals(gained=double)
    cdef void _refill(self, RateSource source, double now) noexcept
    cdef Py_ssize_t _first_place(self, uint64_t high, uint64_t low) noexcept
    @cython.locals(first=Py_ssize_t, at=Py_ssize_t, source=RateSource)
    cdef RateSource _find(self, uint64_t high, uint64_t low)
    @cython.locals(first=Py_ssize_t, at=Py_ssize_t, place=Py_ssize_t, source=RateSource, least=RateSource)
    cdef RateSource _admit(self, uint64_t high, uint64_t low, double now)
    @cython.locals(first=Py_ssize_t, at=Py_ssize_t, place=Py_ssize_t, source=RateSource, oldest=RateSource)
    cdef RateSource _insist(self, uint64_t high, uint64_t low, double now)
    @cython.locals(source=RateSource)
    cdef RateSource _place(self, Py_ssize_t place, uint64_t high, uint64_t low, double now)


cdef bint is_link_local(uint64_t high) noexcept
cdef str text_of(uint64_t high, uint64_t low, bint is_ipv4, uint32_t interface)

@cython.locals(
    v0=uint64_t, v1=uint64_t, v2=uint64_t, v3=uint64_t, word=uint64_t, step=int, _=int
)
cpdef uint64_t siphash(uint64_t key_0, uint64_t key_1, uint64_t word_0, uint64_t word_1) noexcept
