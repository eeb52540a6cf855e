# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""The matcher in C: the same answers as ``_matcher_py``, which explains them.

Memory safety. Everything that is read from the file or the caller's name is
checked before it is used as a place, as ``_slots``, ``_blocks`` and ``_search``
say, which read the table, the blocks and the name. The header has placed
the sections within the file. No pointer outlives the call that made it.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from filterd.lists._blocks cimport (
    CACHE_LINE,
    DAMAGED,
    SLACK,
    Geometry,
    Key,
    block_of,
    fetch_block,
    has_block,
    prefetch,
    set_of,
    take_entry,
)
from filterd.lists._index_format cimport (
    BLOCK_NAMES,
    GROUP_SLOTS,
    POSITION_BITS,
    extend_hash,
    home_group,
)
from filterd.lists._search cimport Search, start_search
from filterd.lists._slots cimport LAST_SLOT, group_matches, home_of, listed_rank, rank_in

from filterd.errors import IndexFormatError
from filterd.lists._matcher_py import labels_of
from filterd.lists.index_format import Hit
from filterd.i18n import say

cdef extern from *:
    """
    #if defined(__x86_64__) || defined(__i386__)
    #define FILTERD_SETTLE() __builtin_ia32_lfence()
    #elif defined(__aarch64__)
    #define FILTERD_SETTLE() __asm__ volatile("isb" ::: "memory")
    #else
    #define FILTERD_SETTLE() ((void)0)
    #endif
    """
    void settle "FILTERD_SETTLE" () nogil  # nothing after it begins before all before it is done

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        object (*tp_new)(type cls, object arguments, PyObject* keywords)
    PyTypeObject PyTuple_Type

cdef enum:
    AT_ONCE = 32
    AHEAD = 8

cdef enum Fault:
    SOUND
    BROKEN_BLOCK
    OUT_OF_ORDER
    NOT_FOUND

cdef type _hit_type = Hit


@cython.final
cdef class Matcher:
    """Lookups in one mapped index; see ``filterd.lists._matcher_py.Matcher``."""

    def __cinit__(self, octets not None, header not None):
        PyObject_GetBuffer(octets, &self._file, PyBUF_SIMPLE)
        spans = header.spans
        if <size_t>self._file.len < <size_t>header.file_octets:
            raise IndexFormatError(say("is shorter than its header says"))
        self._geometry.blocks, octets_of_blocks = spans["blocks"]
        self._geometry.slots = spans["slots"].offset
        self._geometry.name_count = header.name_count
        self._geometry.block_count = header.block_count
        self._geometry.block_octets = header.block_octets
        self._geometry.group_count = header.group_count
        self._geometry.probe_limit = header.probe_limit
        self._geometry.set_count = header.set_count
        self._geometry.set_width = header.set_width
        self._geometry.rank_bits = header.rank_bits
        self._geometry.seed = header.seed
        if self._file.len < spans["blocks"].offset + octets_of_blocks + SLACK:
            raise IndexFormatError(say("has nothing after its blocks"))

    def __dealloc__(self):
        PyBuffer_Release(&self._file)

    def lookup(self, bytes name not None):
        """Find the listed names that are ``name`` or an ancestor with two labels or more."""
        cdef Found found[MAX_FOUND]
        cdef int index
        cdef int count = self.find(octets_of(name), PyBytes_GET_SIZE(name), found)
        if count == 0:
            return ()
        if count == NOT_A_NAME:
            labels_of(name)  # raises, with the place
        if count < 0:
            raise IndexFormatError(say("the index is damaged where a name was looked up"))
        return tuple([hit_of(&found[index]) for index in range(count)])

    def count_hits(self, list names not None):
        """Count the hits of many names together, in overlapping lookups."""
        cdef Search searches[AT_ONCE]
        cdef Found found[MAX_FOUND]
        cdef bytes name
        cdef int64_t total = 0
        cdef Py_ssize_t start
        cdef int position, count
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            for position, name in enumerate(some):
                self.begin(octets_of(name), PyBytes_GET_SIZE(name), &searches[position])
            for position in range(len(some)):
                self.approach(&searches[position])
            for position, name in enumerate(some):
                count = self.finish(&searches[position], found)
                if count < 0:
                    self.lookup(name)  # raises
                total += count
        return total

    def count_hits_singly(self, list names not None):
        """Count the hits of many names, each when the one before is decided; for measuring.

        As a datagram's name would be, each name is in the cache when its lookup
        begins; of the index only what fits there after all lookups before.
        """
        cdef Found found[MAX_FOUND]
        cdef bytes name
        cdef int64_t total = 0
        cdef Py_ssize_t index, last = len(names) - 1
        cdef int count
        for index in range(last + 1):
            name = names[min(index + AHEAD, last)]
            prefetch(octets_of(name) - CACHE_LINE // 2)
            prefetch(octets_of(name) + CACHE_LINE // 2)
            name = names[index]
            settle()
            count = self.find(octets_of(name), PyBytes_GET_SIZE(name), found)
            settle()
            if count < 0:
                self.lookup(name)  # raises
            total += count
        return total

    def block(self, uint32_t number):
        """Return the keys of one block, in order, each with its claim set."""
        cdef const uint8_t* file = <const uint8_t*>self._file.buf
        cdef const uint8_t* block
        cdef Key key
        cdef uint32_t position
        if number >= self._geometry.block_count:
            raise IndexError(f"block {number} of {self._geometry.block_count}")
        if not has_block(file, &self._geometry, number << POSITION_BITS):
            raise IndexFormatError(
                say("the index is damaged: number of names in block {number}", number=number)
            )
        block = block_of(file, &self._geometry, number << POSITION_BITS)
        found = []
        key.length = 0
        for position in range(block[0]):
            if not take_entry(&self._geometry, block, position, &key):
                raise IndexFormatError(
                    say("the index is damaged: a name of block {number}", number=number)
                )
            octets = PyBytes_FromStringAndSize(<const char*>key.octets, key.length + 1)
            found.append((octets, set_of(&self._geometry, block, position)))
        return found

    def check(self):
        """Read everything once: names ascend, hold nothing odd, and are found under their rank.

        Lets go of the GIL: a worker may serve from the index before while it checks the next.
        """
        cdef uint32_t rank = 0, count = 0
        cdef Fault fault
        with nogil:
            fault = first_fault(<const uint8_t*>self._file.buf, &self._geometry, &rank, &count)
        if fault == BROKEN_BLOCK:
            self.block(rank >> POSITION_BITS)  # raises, with the reason
        if fault == OUT_OF_ORDER:
            raise IndexFormatError(
                say("the index has a name out of order at rank {rank}", rank=rank)
            )
        if fault == NOT_FOUND:
            raise IndexFormatError(
                say("the index does not find its name at rank {rank}", rank=rank)
            )
        if count != self._geometry.name_count:
            raise IndexFormatError(
                say(
                    "the index has {count} names, not {name_count}",
                    count=count,
                    name_count=self._geometry.name_count,
                )
            )

    cdef int find(self, const uint8_t* name, size_t length, Found* found) noexcept nogil:
        cdef Search search
        self.begin(name, length, &search)
        self.approach(&search)
        return self.finish(&search, found)

    cdef void begin(self, const uint8_t* name, size_t length, Search* search) noexcept nogil:
        """Split and hash a name, and fetch the slots where it and its ancestors may stand."""
        cdef const uint8_t* slots = <const uint8_t*>self._file.buf + self._geometry.slots
        cdef int depth
        start_search(self._geometry.seed, name, length, search)
        for depth in range(2, search.depth + 1):
            prefetch(
                slots
                + 4 * GROUP_SLOTS * home_group(search.hashes[depth], self._geometry.group_count)
            )

    cdef void approach(self, Search* search) noexcept nogil:
        """Fetch the octets that will decide; forget the labels before any slot's fingerprint.

        Without a branch on what the slots hold, which nobody could predict:
        where none matches, the block of another name is fetched for nothing.
        """
        cdef const uint8_t* file = <const uint8_t*>self._file.buf
        cdef const uint32_t* group
        cdef uint32_t matches
        cdef int depth, deepest = 0
        for depth in range(2, search.depth + 1):
            group = home_of(file, &self._geometry, search.hashes[depth])
            matches = group_matches(&self._geometry, group, search.hashes[depth])
            fetch_block(
                file, &self._geometry, rank_in(&self._geometry, group, matches | LAST_SLOT)
            )
            search.matches[depth] = <uint16_t>matches
            deepest = depth if matches else deepest
        search.depth = deepest

    cdef int finish(self, const Search* search, Found* found) noexcept nogil:
        """Follow the table for every ancestor and let the octets decide."""
        cdef const uint8_t* file = <const uint8_t*>self._file.buf
        cdef int depth = search.depth, count = 0
        cdef int64_t rank, set_id
        if search.labels < 0:
            return NOT_A_NAME
        while depth >= 2:
            if search.matches[depth]:
                rank = listed_rank(
                    file,
                    &self._geometry,
                    search.hashes[depth],
                    search.matches[depth],
                    search.key,
                    search.ends[depth],
                )
                if rank == DAMAGED:
                    return DAMAGED
                if rank >= 0:
                    set_id = set_of(
                        &self._geometry,
                        block_of(file, &self._geometry, <uint32_t>rank),
                        rank & (BLOCK_NAMES - 1),
                    )
                    if set_id < 0:
                        return DAMAGED
                    found[count].labels = depth
                    found[count].rank = <uint32_t>rank
                    found[count].set_id = <uint32_t>set_id
                    count += 1
            depth -= 1
        return count


cdef inline const uint8_t* octets_of(bytes name) noexcept:
    return <const uint8_t*>PyBytes_AS_STRING(name)


cdef inline object hit_of(const Found* found):
    """Make a ``Hit`` without the Python function that a named tuple's class calls."""
    numbers = (found.labels, found.rank, found.set_id)
    return PyTuple_Type.tp_new(_hit_type, (numbers,), NULL)


cdef Fault first_fault(
    const uint8_t* file, const Geometry* geometry, uint32_t* rank, uint32_t* count
) noexcept nogil:
    """Read every name; tell what is wrong first, at which rank, after how many sound names."""
    cdef const uint8_t* block
    cdef Key before, key
    cdef uint32_t number, position
    cdef Fault fault
    before.length = 0
    for number in range(geometry.block_count):
        rank[0] = number << POSITION_BITS
        if not has_block(file, geometry, rank[0]):
            return BROKEN_BLOCK
        block = block_of(file, geometry, rank[0])
        key.length = 0
        for position in range(block[0]):
            if not take_entry(geometry, block, position, &key):
                return BROKEN_BLOCK
            fault = fault_of(file, geometry, &before, &key, rank[0])
            if fault != SOUND:
                return fault
            before = key
            rank[0] += 1
            count[0] += 1
    return SOUND


cdef Fault fault_of(
    const uint8_t* file, const Geometry* geometry, const Key* before, const Key* key, uint32_t rank
) noexcept nogil:
    """Tell what is wrong with one key that could be read."""
    if not is_after(before, key) or not is_clean(key):
        return OUT_OF_ORDER
    return SOUND if rank_of(file, geometry, key) == rank else NOT_FOUND


cdef bint is_after(const Key* before, const Key* key) noexcept nogil:
    """Tell whether ``key`` comes after ``before``."""
    cdef uint32_t common = min(before.length, key.length)
    cdef int order = memcmp(before.octets, key.octets, common)
    return order < 0 or (order == 0 and before.length < key.length)


cdef bint is_clean(const Key* key) noexcept nogil:
    """Tell whether a key holds labels of letters, digits, hyphens and underscores only."""
    cdef uint32_t index
    cdef uint8_t octet, last = 0
    for index in range(key.length + 1):
        octet = key.octets[index]
        if octet == 0:
            if last == 0:
                return False
        elif not (
            c"a" <= octet <= c"z" or c"0" <= octet <= c"9" or octet == c"-" or octet == c"_"
        ):
            return False
        last = octet
    return True


cdef int64_t rank_of(const uint8_t* file, const Geometry* geometry, const Key* key) noexcept nogil:
    """Return the rank of a clean key, ABSENT or DAMAGED."""
    cdef const uint8_t* label = key.octets
    cdef const uint8_t* beyond = key.octets + key.length + 1
    cdef size_t length
    cdef uint64_t state = geometry.seed
    while label < beyond:
        length = 0
        while label[length]:
            length += 1
        extend_hash(&state, label, length, key.octets, beyond, NULL)
        label += length + 1
    return listed_rank(
        file,
        geometry,
        state,
        group_matches(geometry, home_of(file, geometry, state), state),
        key.octets,
        key.length,
    )
