# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Keep resolutions in packed cells; ``cache_store`` is the plain cache of the same contract.

Memory safety. Keys and resolutions are measured before they are written; a pointer to a head
is not used after anything was added or moved. ``Entry`` is a copy, since its cells may be
reused by then. ``most_octets`` bounds the room that packing takes. Only ``packed`` writes
what ``unpacked`` reads, step by step: lengths in it need no second check.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_Check, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM
from libc.math cimport INFINITY
from libc.stddef cimport size_t
from libc.stdint cimport UINT32_MAX, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from filterd.resolve._cache_cells cimport CELL_OCTETS, NONE, read_chain
from filterd.resolve._cache_entries cimport (
    ASKED,
    ASKED_CD,
    ASKED_DO,
    REFRESHED,
    Asked,
    Entries,
    Head,
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

import os

from filterd.resolve import cache_store as reference
from filterd.resolve import cache_entry as reference_entry
from filterd.resolve.cache_entry import Failures
from filterd.upstream import Resolution as _Resolution
from filterd.wire import Ede
from filterd.wire import RebuiltSections as _RebuiltSections

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        object (*tp_alloc)(type kind, Py_ssize_t count)

cdef enum:
    CHARGED_OCTETS = 67  # a cell, its share of the buckets, and of steps and part-filled pages
    MOST_CELLS = 1 << 30
    NAME_OCTETS = 255
    SHORT_OCTETS = 1024  # are packed on the stack
    NUMBER_OCTETS = 5
    AUTHENTIC = 1
    PRIVATE = 2
    ECH = 4
    HAS_TARGETS = 8
    HAS_EDES = 16
    PLAIN = 32

cdef type Resolution = _Resolution
cdef type RebuiltSections = _RebuiltSections
cdef uint32_t REFRESHED_FROM_HITS = reference_entry.REFRESHED_FROM_HITS
cdef double REFRESHED_FROM_TTL_S = reference_entry.REFRESHED_FROM_TTL_S
cdef double REFRESHED_IN_LAST = reference_entry.REFRESHED_IN_LAST

assert sizeof(Head) == CELL_OCTETS and sizeof(uint32_t) * STEPS == STEPS_OCTETS
assert reference.MOST_ROUTES < 1 << 16


cdef class ResolutionStore:
    """Keeps resolutions and failures; see ``filterd.resolve.cache_store.ResolutionStore``."""

    cdef readonly object failures
    cdef object _failed  # the failures
    cdef public long long hits, misses, stale, cached_failures, refreshed
    cdef Entries _held
    cdef uint64_t _seed
    cdef object _size, _put_last, _route_last
    cdef dict _routes
    cdef uint16_t _number_last

    def __cinit__(self, size_octets=reference.DEFAULT_SIZE_OCTETS):
        self.failures = Failures(0)
        self._failed = self.failures.by_question
        self._seed = int.from_bytes(os.urandom(8), "little")
        self._routes = {}
        self._held.step_s = reference.STEP_S
        if not map_entries(&self._held, 0):
            raise MemoryError
        self.resize(size_octets, 0.0)

    def __dealloc__(self):
        unmap_entries(&self._held)

    def __len__(self):
        return self._held.count

    @property
    def size_octets(self):
        """The bound, without the share of failures."""
        return self._size

    @property
    def used_octets(self):
        """Memory in use: freed cells are kept for the next entries."""
        return <size_t>(self._held.cells.top - 1) * CHARGED_OCTETS + self.failures.used_octets

    def figures(self):
        """Return counters for ``status``; those of several workers add up."""
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

    def get(self, question not None, double now):
        """Return the valid entry, None if there is none, and count the lookup."""
        cdef uint32_t number = self._lookup(question)
        if number == NONE or now >= expires_at(head_at(&self._held, number)):
            self.misses += 1
            return None
        return self._hit(number)

    cpdef object plain(self, question, double now):
        """Return an entry to serve as it is; see ``cache_store.ResolutionStore.plain``."""
        cdef uint32_t number = self._lookup(question)
        cdef Head* head
        if number == NONE:
            if self._failed and question in self._failed:
                return False
            self.misses += 1
            return None
        head = head_at(&self._held, number)
        if now >= expires_at(head):
            return False
        if head.hits + <uint64_t>1 >= REFRESHED_FROM_HITS and now >= refresh_at(head):
            return False
        return self._hit(number)

    def expired(self, question not None, double now):
        """Return an expired answer that may be sent if no upstream answers (RFC 8767)."""
        cdef uint32_t number = self._lookup(question)
        if number == NONE:
            return None
        if now >= gone_at(head_at(&self._held, number)):
            remove(&self._held, number)
            return None
        return self._entry(number)

    def mark_of(self, question not None):
        """Return the mark of an entry for ``note_hits``: its hash, a seventh as large as a key.

        A few entries of a full cache share one; the hits of one count for the other then.
        """
        cdef Asked asked
        return asked.hashed if self._ask(question, &asked) else None

    def note_hits(self, mark, uint32_t count):
        """Count answers from an entry that were repeated elsewhere as its hits."""
        cdef uint32_t number = NONE if mark is None else find_hashed(&self._held, mark)
        if number != NONE:
            use_again(&self._held, number)
            add_hits(head_at(&self._held, number), count)
            self.hits += count

    def repeatable_until(self, question not None, double now):
        """Return until when an answer from here may be repeated elsewhere; 0.0 for not at all."""
        cdef uint32_t number = self._lookup(question)
        cdef Head* head
        if number == NONE:
            return 0.0
        head = head_at(&self._held, number)
        if now >= expires_at(head) or head.flags & REFRESHED:
            return 0.0
        return min(refresh_at(head), expires_at(head))

    def put(self, question not None, resolution not None, double now, *, double stale_s=0.0):
        """Store a resolution in place of the old one; see ``cache_store.ResolutionStore.put``."""
        cdef tuple values = tuple_of(resolution, 9)
        cdef Asked asked
        cdef uint32_t number = NONE
        cdef bint askable
        self._number(tuple_of(question, 5)[4])
        askable = self._ask(question, &asked)
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

    cdef bint _ask(self, object question, Asked* asked) except -1:
        """Set the key to look for; return False where no entry can have it."""
        cdef tuple values = tuple_of(question, 5)
        cdef object route = values[4]
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

    cdef uint32_t _lookup(self, object question) except? 0:
        cdef Asked asked
        if not self._ask(question, &asked):
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
        """Return the head of an entry, NULL where it was evicted."""
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
        cdef list texts = texts_of(resolution[4])
        cdef uint8_t near[SHORT_OCTETS]
        cdef size_t most = most_octets(resolution, texts)
        cdef uint8_t* octets = near
        cdef uint8_t* end
        if most > SHORT_OCTETS:
            octets = <uint8_t*>PyMem_Malloc(most)
            if octets == NULL:
                raise MemoryError
        try:
            end = packed(octets, resolution, texts)
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
    """A copy of a stored resolution; see ``filterd.resolve.cache_entry.CacheEntry``.

    Attributes that are set here are set in the store, too.
    """

    cdef ResolutionStore _store
    cdef Head _head
    cdef bytes _octets

    @property
    def resolution(self):
        """The stored resolution; unpacked each time."""
        cdef const uint8_t* octets = <const uint8_t*>PyBytes_AS_STRING(self._octets)
        return unpacked(
            octets + self._head.name_octets, self._head.ttl_s, Resolution, RebuiltSections, Ede
        )

    @property
    def stored_at(self):
        """When it was stored."""
        return self._head.stored_at

    @property
    def expires_at(self):
        """Until when it is valid."""
        return expires_at(&self._head)

    @property
    def gone_at(self):
        """Until when it may be served though it has expired."""
        return gone_at(&self._head)

    @property
    def refresh_at(self):
        """From when on it is refreshed if it is popular by then."""
        return refresh_at(&self._head)

    @property
    def hits(self):
        """How often it was asked for since it was stored."""
        return self._head.hits

    @hits.setter
    def hits(self, hits):
        cdef Head* head = self._store._same(self)
        self._head.hits = min(hits, UINT32_MAX)
        if head != NULL:
            head.hits = self._head.hits

    @property
    def refreshed(self):
        """Whether a refresh has begun."""
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


# Packing: numbers of one to five octets, and what is octets already.
# -------------------------------------------------------------------

cdef inline uint8_t* put_number(uint8_t* to, uint32_t number) noexcept nogil:
    while number >= 0x80:
        to[0] = <uint8_t>(number | 0x80)
        to += 1
        number >>= 7
    to[0] = <uint8_t>number
    return to + 1


cdef inline uint32_t get_number(const uint8_t** at) noexcept nogil:
    cdef uint32_t number = at[0][0] & 0x7F
    cdef int shift = 7
    while at[0][0] & 0x80:
        at[0] += 1
        number |= <uint32_t>(at[0][0] & 0x7F) << shift
        shift += 7
    at[0] += 1
    return number


cdef inline uint8_t* put_octets(uint8_t* to, bytes octets) noexcept:
    cdef size_t length = PyBytes_GET_SIZE(octets)
    to = put_number(to, <uint32_t>length)
    memcpy(to, PyBytes_AS_STRING(octets), length)
    return to + length


cdef inline bytes get_octets(const uint8_t** at):
    cdef uint32_t length = get_number(at)
    cdef const uint8_t* octets = at[0]
    at[0] += length
    return PyBytes_FromStringAndSize(<const char*>octets, length)


cdef inline tuple tuple_of(object values, Py_ssize_t count):
    """Return a tuple, named or not, that is known to have so many values."""
    if not PyTuple_Check(values) or PyTuple_GET_SIZE(values) < count:
        raise TypeError("what is packed is made of tuples")
    return <tuple>values


cdef inline uint8_t* put_numbers(uint8_t* to, object values) except NULL:
    cdef tuple numbers = tuple_of(values, 0)
    to = put_number(to, <uint32_t>len(numbers))
    for number in numbers:
        to = put_number(to, number)
    return to


cdef inline tuple get_numbers(const uint8_t** at):
    cdef uint32_t index, count = get_number(at)
    cdef tuple numbers = PyTuple_New(count)
    for index in range(count):
        put_item(numbers, index, get_number(at))
    return numbers


cdef inline int put_item(tuple values, Py_ssize_t index, object value) except -1:
    """Set an item of a new tuple."""
    Py_INCREF(value)
    PyTuple_SET_ITEM(values, index, value)
    return 0


cdef inline list texts_of(object edes):
    """Return codes and texts of extended errors, as octets; None where there are none."""
    if not edes:
        return None
    return [(ede.code, ede.text.encode("utf-8", "surrogatepass")) for ede in edes]


cdef inline size_t most_octets(tuple resolution, list texts) except 0:
    """Return the most octets that a resolution takes."""
    cdef tuple sections = tuple_of(resolution[1], 7)
    cdef size_t octets = 1 + 10 * NUMBER_OCTETS + PyBytes_GET_SIZE(<bytes?>sections[0])
    octets += NUMBER_OCTETS * PyTuple_GET_SIZE(tuple_of(sections[4], 0))
    octets += NUMBER_OCTETS * PyTuple_GET_SIZE(tuple_of(sections[5], 0))
    for name in tuple_of(resolution[2], 0):
        octets += NUMBER_OCTETS + PyBytes_GET_SIZE(<bytes?>name)
    if texts is not None:
        for _, text in texts:
            octets += 2 * NUMBER_OCTETS + PyBytes_GET_SIZE(<bytes?>text)
    return octets


cdef inline uint8_t* packed(uint8_t* to, tuple resolution, list texts) except NULL:
    """Write a resolution without its lifetime; return its end.

    ``most_octets`` has checked all parts that are octets.
    """
    cdef tuple sections = tuple_of(resolution[1], 7), targets = tuple_of(resolution[2], 0)
    cdef uint8_t* flags = to
    flags[0] = 0
    to = put_number(to + 1, resolution[0])
    to = put_number(to, sections[1])
    to = put_number(to, sections[2])
    to = put_number(to, sections[3])
    to = put_number(to, sections[6])
    to = put_numbers(to, sections[4])
    to = put_numbers(to, sections[5])
    to = put_octets(to, <bytes>sections[0])
    if targets:
        flags[0] |= HAS_TARGETS
        to = put_number(to, <uint32_t>len(targets))
        for name in targets:
            to = put_octets(to, <bytes>name)
    if texts is not None:
        flags[0] |= HAS_EDES
        to = put_number(to, <uint32_t>len(texts))
        for code, text in texts:
            to = put_number(to, code)
            to = put_octets(to, <bytes>text)
    if resolution[5]:
        flags[0] |= AUTHENTIC
    if resolution[6]:
        flags[0] |= PRIVATE
    if resolution[7]:
        flags[0] |= ECH
    if resolution[8]:
        flags[0] |= PLAIN
    return to


cdef inline tuple empty_of(type cls, Py_ssize_t count):
    """Return a named tuple whose values are put into it at once."""
    return <tuple>(<PyTypeObject*>cls).tp_alloc(cls, count)


cdef inline tuple unpacked(const uint8_t* at, long ttl_s, type kind, type kind_of_sections, ede):
    """Make a resolution again of what ``packed`` wrote."""
    cdef uint32_t flags = at[0], index, count, code
    cdef tuple sections = empty_of(kind_of_sections, 7), resolution = empty_of(kind, 9)
    cdef tuple targets = (), edes = ()
    at += 1
    put_item(resolution, 0, get_number(&at))
    put_item(sections, 1, get_number(&at))
    put_item(sections, 2, get_number(&at))
    put_item(sections, 3, get_number(&at))
    put_item(sections, 6, get_number(&at))
    put_item(sections, 4, get_numbers(&at))
    put_item(sections, 5, get_numbers(&at))
    put_item(sections, 0, get_octets(&at))
    if flags & HAS_TARGETS:
        count = get_number(&at)
        targets = PyTuple_New(count)
        for index in range(count):
            put_item(targets, index, get_octets(&at))
    if flags & HAS_EDES:
        edes = PyTuple_New(get_number(&at))
        for index in range(<uint32_t>len(edes)):
            code = get_number(&at)
            put_item(edes, index, ede(code, get_octets(&at).decode("utf-8", "surrogatepass")))
    put_item(resolution, 1, sections)
    put_item(resolution, 2, targets)
    put_item(resolution, 3, ttl_s)
    put_item(resolution, 4, edes)
    put_item(resolution, 5, flags & AUTHENTIC != 0)
    put_item(resolution, 6, flags & PRIVATE != 0)
    put_item(resolution, 7, flags & ECH != 0)
    put_item(resolution, 8, flags & PLAIN != 0)
    return resolution
