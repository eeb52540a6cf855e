# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""The cache's memory in C: the same as ``_cache_store_py``, which explains it.

Memory safety. What is looked for and what is packed is measured before it is
written; a pointer to a head is not used after anything was added or moved. ``Entry``
is a copy, since what it was made of may be gone by then.
"""

import os

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.math cimport INFINITY
from libc.stddef cimport size_t
from libc.stdint cimport UINT32_MAX, uint8_t, uint32_t, uint64_t

from filterd.resolve._cache_cells cimport CELL_OCTETS, NONE, read_chain
from filterd.resolve._cache_entries cimport (
    ASKED,
    ASKED_CD,
    ASKED_DO,
    REFRESHED,
    STEPS,
    STEPS_OCTETS,
    add,
    clear,
    expires_at,
    find,
    find_hashed,
    gather,
    head_at,
    make_room,
    map_entries,
    remove,
    unmap_entries,
    use_again,
)
from filterd.resolve._cache_packing cimport most_octets, packed, told_of, tuple_of, unpacked

from filterd.resolve import _cache_store_py as reference
from filterd.resolve import cache_entry as reference_entry
from filterd.resolve.failures import Failures
from filterd.upstream import Resolution as _Resolution
from filterd.wire import Ede
from filterd.wire import RebuiltSections as _RebuiltSections

cdef enum:
    CHARGED_OCTETS = 67  # a cell, its share of the buckets, and of steps and part-filled pages
    MOST_CELLS = 1 << 30
    NAME_OCTETS = 255
    SHORT_OCTETS = 1024  # are packed on the stack

cdef type Resolution = _Resolution
cdef type RebuiltSections = _RebuiltSections
cdef uint32_t REFRESHED_FROM_HITS = reference_entry.REFRESHED_FROM_HITS
cdef double REFRESHED_FROM_TTL_S = reference_entry.REFRESHED_FROM_TTL_S
cdef double REFRESHED_IN_LAST = reference_entry.REFRESHED_IN_LAST

assert sizeof(Head) == CELL_OCTETS and sizeof(uint32_t) * STEPS == STEPS_OCTETS
assert reference.MOST_ROUTES < 1 << 16


cdef class ResolutionStore:
    """Keeps resolutions and failures; see ``filterd.resolve._cache_store_py.ResolutionStore``."""

    def __cinit__(self, size_octets=reference.DEFAULT_SIZE_OCTETS):
        self.failures = Failures(0)
        self._by_key = self.failures.by_key
        self._seed = int.from_bytes(os.urandom(8), "little")
        self._routes = {}
        self._held.step_s = reference_entry.STEP_S
        if not map_entries(&self._held, 0):
            raise MemoryError
        self.resize(size_octets, 0.0)

    def __dealloc__(self):
        unmap_entries(&self._held)

    def __len__(self):
        return self._held.count

    @property
    def size_octets(self):
        """The bound, but for the share of failures."""
        return self._size

    @property
    def used_octets(self):
        """Memory in use: that of cells which were given back is kept for the next."""
        return <size_t>(self._held.cells.top - 1) * CHARGED_OCTETS + self.failures.used_octets

    def figures(self):
        """Return how it fares, for ``status``; several workers' add up."""
        return {
            "entries": self._held.count,
            "failures": len(self.failures),
            "octets": self.used_octets,
            "hits": self.hits,
            "misses": self.misses,
            "stale": self.stale,
            "cached_failures": self.cached_failures,
            "refreshed": self.refreshed,
        }

    def get(self, key not None, double now):
        """Return what holds, None if nothing does, and count that."""
        cdef uint32_t number = self._lookup(key)
        if number == NONE or now >= expires_at(head_at(&self._held, number)):
            self.misses += 1
            return None
        return self._hit(number)

    cpdef object plain(self, question, route, double now):
        """Return what may simply be given; see ``_cache_store_py.ResolutionStore.plain``."""
        cdef Asked asked
        cdef uint32_t number = NONE
        cdef Head* head
        if self._ask(question, route, &asked):
            number = find(&self._held, &asked)
        if number == NONE:
            if self._by_key and (question, route) in self._by_key:
                return False
            self.misses += 1
            return None
        head = head_at(&self._held, number)
        if now >= expires_at(head):
            return False
        if head.hits + <uint64_t>1 >= REFRESHED_FROM_HITS and now >= refresh_at(head):
            return False
        return self._hit(number)

    def expired(self, key not None, double now):
        """Return what held once and may still be given if nobody answers."""
        cdef uint32_t number = self._lookup(key)
        if number == NONE:
            return None
        if now >= gone_at(head_at(&self._held, number)):
            remove(&self._held, number)
            return None
        return self._entry(number)

    def mark_of(self, key not None):
        """Return by what ``note_hits`` knows an entry: the hash, which takes a seventh of a key.

        Of a full cache's entries a few share one; the hits of one count for the other then.
        """
        cdef tuple values = tuple_of(key, 2)
        cdef Asked asked
        return asked.hashed if self._ask(values[0], values[1], &asked) else None

    def note_hits(self, mark, uint32_t count):
        """See that an answer from here was repeated so often elsewhere: it is as much in use."""
        cdef uint32_t number = NONE if mark is None else find_hashed(&self._held, mark)
        if number != NONE:
            use_again(&self._held, number)
            add_hits(head_at(&self._held, number), count)
            self.hits += count

    def repeatable_until(self, key not None, double now):
        """Return until when an answer from here may be repeated elsewhere; 0.0 for not at all."""
        cdef uint32_t number = self._lookup(key)
        cdef Head* head
        if number == NONE:
            return 0.0
        head = head_at(&self._held, number)
        if now >= expires_at(head) or head.flags & REFRESHED:
            return 0.0
        return min(refresh_at(head), expires_at(head))

    def put(self, key not None, resolution not None, double now, *, double stale_s=0.0):
        """Keep a resolution in place of the one before; see ``ResolutionStore.put`` there."""
        question, route = key
        cdef tuple values = tuple_of(resolution, 8)
        cdef Asked asked
        cdef uint32_t number = NONE
        cdef bint askable
        self._number(route)
        askable = self._ask(question, route, &asked)
        if askable:
            number = find(&self._held, &asked)
        if number != NONE and resolution is self._put_last:
            return
        self._put_last = resolution
        if number != NONE:
            remove(&self._held, number)
        if askable and values[3] > 0:
            self._keep(&asked, values, values[3], <float>stale_s, now)

    def resize(self, size_octets, double now):
        """Change the bound."""
        cdef uint32_t most
        self.failures.size_octets = size_octets // reference.FAILURES_SHARE
        self.failures.make_room()
        size = size_octets - self.failures.size_octets
        most = <uint32_t>min(size // CHARGED_OCTETS, MOST_CELLS)
        make_room(&self._held, most, now)
        gather(&self._held, most)
        if not map_entries(&self._held, most):
            raise MemoryError
        self._size = size

    cdef int _number(self, object route) except -1:
        """Give a route a number, from 1 on."""
        if route is self._route_last or route in self._routes:
            return 0
        if len(self._routes) >= reference.MOST_ROUTES:
            self._routes.clear()
            clear(&self._held)
        self._routes[route] = len(self._routes) + 1
        self._route_last = None
        return 0

    cdef bint _ask(self, object question, object route, Asked* asked) except -1:
        """Say what an entry is looked for by; False where there can be none."""
        cdef tuple values = tuple_of(question, 4)
        cdef bytes name = <bytes?>values[0]
        cdef uint64_t mixed, others
        if route is not self._route_last:
            number = self._routes.get(route)
            if number is None:
                return False
            self._route_last, self._number_last = route, number
        if PyBytes_GET_SIZE(name) > NAME_OCTETS:
            return False
        asked.name = <const uint8_t*>PyBytes_AS_STRING(name)
        asked.name_octets = <uint8_t>PyBytes_GET_SIZE(name)
        asked.qtype = values[1]
        asked.flags = (ASKED_DO if values[2] else 0) | (ASKED_CD if values[3] else 0)
        asked.route = self._number_last
        # The name's own hash has a key of this process, and is kept with the name.
        mixed = <uint64_t>hash(name) ^ self._seed
        others = asked.qtype | <uint64_t>asked.flags << 16 | <uint64_t>asked.route << 24
        mixed ^= others * <uint64_t>0x9E3779B97F4A7C15
        mixed = (mixed ^ mixed >> 32) * <uint64_t>0xD6E8FEB86659FD93
        asked.hashed = <uint32_t>(mixed ^ mixed >> 32)
        return True

    cdef uint32_t _lookup(self, object key) except? 0:
        cdef tuple values = tuple_of(key, 2)
        cdef Asked asked
        if not self._ask(values[0], values[1], &asked):
            return NONE
        return find(&self._held, &asked)

    cdef object _hit(self, uint32_t number):
        use_again(&self._held, number)
        add_hits(head_at(&self._held, number), 1)
        self.hits += 1
        return self._entry(number)

    cdef object _entry(self, uint32_t number):
        cdef Entry entry = Entry.__new__(Entry)
        entry._store = self
        entry._head = head_at(&self._held, number)[0]
        entry._octets = PyBytes_FromStringAndSize(NULL, entry._head.octets)
        read_chain(
            &self._held.cells,
            entry._head.first,
            <uint8_t*>PyBytes_AS_STRING(entry._octets),
            entry._head.octets,
        )
        return entry

    cdef Head* _same(self, Entry entry) noexcept:
        """Return what an entry was made of, NULL where that is gone."""
        cdef Asked asked
        cdef uint32_t number
        cdef Head* head = &entry._head
        asked.name = <const uint8_t*>PyBytes_AS_STRING(entry._octets)
        asked.name_octets, asked.hashed = head.name_octets, head.hashed
        asked.qtype, asked.route, asked.flags = head.qtype, head.route, head.flags & ASKED
        number = find(&self._held, &asked)
        if number == NONE or head_at(&self._held, number).serial != head.serial:
            return NULL
        return head_at(&self._held, number)

    cdef int _keep(
        self, const Asked* asked, tuple resolution, uint32_t ttl_s, float stale_s, double now
    ) except -1:
        """Pack a resolution and make an entry of it."""
        cdef list told = told_of(resolution[4])
        cdef uint8_t near[SHORT_OCTETS]
        cdef size_t most = most_octets(resolution, told)
        cdef uint8_t* octets = near
        cdef uint8_t* end
        if most > SHORT_OCTETS:
            octets = <uint8_t*>PyMem_Malloc(most)
            if octets == NULL:
                raise MemoryError
        try:
            end = packed(octets, resolution, told)
            add(&self._held, asked, octets, end - octets, ttl_s, stale_s, now)
        finally:
            if octets != near:
                PyMem_Free(octets)
        return 0


@cython.auto_pickle(False)
@cython.final
@cython.freelist(16)
@cython.no_gc
cdef class Entry:
    """A resolution as it was held when it was looked at; see ``filterd.resolve.cache_entry.CacheEntry``.

    What is set of it is set of what is held, too.
    """

    @property
    def resolution(self):
        """What was put; made anew each time."""
        cdef const uint8_t* octets = <const uint8_t*>PyBytes_AS_STRING(self._octets)
        return unpacked(
            octets + self._head.name_octets, self._head.ttl_s, Resolution, RebuiltSections, Ede
        )

    @property
    def stored_at(self):
        """When it was put."""
        return self._head.stored_at

    @property
    def expires_at(self):
        """Until when it holds."""
        return expires_at(&self._head)

    @property
    def gone_at(self):
        """Until when it may be given though it has expired."""
        return gone_at(&self._head)

    @property
    def refresh_at(self):
        """When it should be asked for again if it is popular by then."""
        return refresh_at(&self._head)

    @property
    def hits(self):
        """How often it was asked for since it was put."""
        return self._head.hits

    @hits.setter
    def hits(self, hits):
        cdef Head* head = self._store._same(self)
        self._head.hits = min(hits, UINT32_MAX)
        if head != NULL:
            head.hits = self._head.hits

    @property
    def refreshed(self):
        """Whether it has been asked for again ahead of time."""
        return self._head.flags & REFRESHED != 0

    @refreshed.setter
    def refreshed(self, bint refreshed):
        cdef Head* head = self._store._same(self)
        self._head.flags = self._head.flags & ASKED | (REFRESHED if refreshed else 0)
        if head != NULL:
            head.flags = self._head.flags


cdef void add_hits(Head* head, uint32_t count) noexcept:
    head.hits = UINT32_MAX if count > UINT32_MAX - head.hits else head.hits + count


cdef double gone_at(const Head* head) noexcept:
    return expires_at(head) + head.stale_s


cdef double refresh_at(const Head* head) noexcept:
    cdef double ttl_s = expires_at(head) - head.stored_at
    if head.flags & REFRESHED or ttl_s < REFRESHED_FROM_TTL_S:
        return INFINITY
    return expires_at(head) - ttl_s * REFRESHED_IN_LAST
