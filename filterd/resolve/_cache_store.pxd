# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""The cache's memory, for native modules that look into it."""

from libc.stddef cimport size_t
from libc.stdint cimport uint16_t, uint32_t, uint64_t

from filterd.resolve._cache_entries cimport Asked, Entries, Head


cdef class ResolutionStore:
    cdef readonly object failures
    cdef object _by_key  # the failures
    cdef public long long hits, misses, stale, cached_failures, refreshed
    cdef Entries _held
    cdef uint64_t _seed
    cdef object _size, _put_last, _route_last
    cdef dict _routes
    cdef uint16_t _number_last

    cpdef object plain(self, question, route, double now)

    cdef int _number(self, object route) except -1
    cdef bint _ask(self, object question, object route, Asked* asked) except -1
    cdef uint32_t _lookup(self, object key) except? 0
    cdef object _hit(self, uint32_t number)
    cdef object _entry(self, uint32_t number)
    cdef Head* _same(self, Entry entry) noexcept
    cdef int _keep(
        self, const Asked* asked, tuple resolution, uint32_t ttl_s, float stale_s, double now
    ) except -1


cdef class Entry:
    cdef ResolutionStore _store
    cdef Head _head
    cdef bytes _octets
