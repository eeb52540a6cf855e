# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""The matcher in C: the same answers as ``_matcher_py``, which explains them.

Memory safety. Everything that is read from the file or the caller's name is
checked before it is used as a place: slots by ``slot_count``, ranks by
``name_count``, octets of names by the end of their block, which is checked
against the section. The header has placed the sections within the file. No
pointer outlives the call that made it.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from filterd.lists._layout cimport (
    BLOCK_NAMES,
    ESCAPE,
    LENGTH_BASE,
    MAX_BARE,
    MAX_LABELS,
    MAX_NAME,
    SHARED_BASE,
    extend_hash,
    home_slot,
    low_octets,
)

from filterd.errors import IndexFormatError
from filterd.lists._matcher_py import labels_of
from filterd.lists.layout import Hit

cdef extern from *:
    void prefetch "__builtin_prefetch" (const void* at) nogil
    int trailing_zeros "__builtin_ctzll" (unsigned long long number) nogil

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        object (*tp_new)(type cls, object arguments, PyObject* keywords)
    PyTypeObject PyTuple_Type

cdef enum:
    ABSENT = -3
    CACHE_LINE = 64
    AT_ONCE = 32
    SLACK = 16  # Octets after the names that may be read, and then mean nothing.

cdef type _hit_type = Hit


cdef struct Wanted:
    # The labels of a name as a key, and how long the key of the last ``n`` labels is.
    # Eight octets of padding: the key is written and read eight at a time.
    uint8_t key[MAX_NAME + 1 + 8]
    uint8_t ends[MAX_LABELS + 1]
    bint made


cdef struct Probe:
    # Where in the table a search stands, and for how many slots it may go on.
    uint32_t at
    uint32_t left
    uint32_t fingerprint


cdef struct Entry:
    # One front-coded name: octets shared with the one before, and where its own stand.
    uint32_t shared
    uint32_t length
    size_t at


@cython.final
cdef class Matcher:
    """Lookups in one mapped index; see ``filterd.lists._matcher_py.Matcher``."""

    def __cinit__(self, octets not None, header not None):
        PyObject_GetBuffer(octets, &self._file, PyBUF_SIMPLE)
        spans = header.spans
        if <size_t>self._file.len < <size_t>header.file_octets:
            raise IndexFormatError("is shorter than its header says")
        self._geometry.names, self._geometry.names_octets = spans["names"]
        self._geometry.name_offsets = spans["name_offsets"].offset
        self._geometry.slots = spans["slots"].offset
        self._geometry.set_ids = spans["set_ids"].offset
        self._geometry.name_count = header.name_count
        self._geometry.block_count = header.block_count
        self._geometry.slot_count = header.slot_count
        self._geometry.probe_limit = header.probe_limit
        self._geometry.set_count = header.set_count
        self._geometry.rank_bits = header.rank_bits
        self._geometry.wide_sets = header.set_width == 4
        self._geometry.seed = header.seed

        if self._file.len < <Py_ssize_t>(self._geometry.names + self._geometry.names_octets) + SLACK:
            raise IndexFormatError("has nothing after its names")

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
            raise IndexFormatError("the index is damaged where a name was looked up")
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
                count = self.finish(
                    octets_of(name), PyBytes_GET_SIZE(name), &searches[position], found
                )
                if count < 0:
                    self.lookup(name)  # raises
                total += count
        return total

    def set_id(self, uint32_t rank):
        """Return the claim set of a name."""
        if rank >= self._geometry.name_count:
            raise IndexError(f"rank {rank} of {self._geometry.name_count}")
        cdef int64_t set_id = set_of(<const uint8_t*>self._file.buf, &self._geometry, rank)
        if set_id < 0:
            raise IndexFormatError("the index is damaged: a claim set is not defined")
        return set_id

    def block(self, uint32_t number):
        """Return the keys of one block, in order."""
        cdef const uint8_t* file = <const uint8_t*>self._file.buf
        cdef uint8_t key[2 * MAX_NAME]
        cdef size_t at, end
        cdef uint32_t length = 0, rank = number * BLOCK_NAMES, count = BLOCK_NAMES
        cdef Entry entry
        if number >= self._geometry.block_count:
            raise IndexError(f"block {number} of {self._geometry.block_count}")
        if not block_bounds(file, &self._geometry, number, &at, &end):
            raise IndexFormatError(f"the index is damaged: place of block {number}")
        keys = []
        while count and rank < self._geometry.name_count:
            if (
                not read_entry(file, &self._geometry, at, end, &entry)
                or entry.shared > length
                or entry.shared + entry.length > MAX_BARE
            ):
                raise IndexFormatError(f"the index is damaged: name at rank {rank}")
            memcpy(key + entry.shared, file + self._geometry.names + entry.at, entry.length)
            length = entry.shared + entry.length
            key[length] = 0
            keys.append(PyBytes_FromStringAndSize(<const char*>key, length + 1))
            at = entry.at + entry.length
            rank += 1
            count -= 1
        return keys

    def check(self):
        """Read everything once: names ascend, hold nothing odd, and are found under their rank."""
        cdef uint32_t number, rank = 0
        cdef bytes before = b"", key
        for number in range(self._geometry.block_count):
            for key in self.block(number):
                if not is_next(before, key):
                    raise IndexFormatError(f"the index has a name out of order at rank {rank}")
                if rank_of(<const uint8_t*>self._file.buf, &self._geometry, key) != rank:
                    raise IndexFormatError(f"the index does not find its name at rank {rank}")
                self.set_id(rank)
                before = key
                rank += 1

    cdef int find(self, const uint8_t* name, size_t length, Found* found) noexcept nogil:
        cdef Search search
        self.begin(name, length, &search)
        return self.finish(name, length, &search, found)

    cdef void begin(self, const uint8_t* name, size_t length, Search* search) noexcept nogil:
        """Split and hash a name, and fetch the slots where it may stand."""
        search.labels = split_labels(name, length, search.starts)
        search.depth = hash_ancestors(
            <const uint8_t*>self._file.buf, &self._geometry, name, length, search
        )

    cdef void approach(self, Search* search) noexcept nogil:
        """Fetch the octets that will decide; forget the labels before any slot's fingerprint."""
        cdef const uint8_t* file = <const uint8_t*>self._file.buf
        cdef Probe probe
        cdef int64_t rank
        cdef int depth, deepest = 0
        for depth in range(2, search.depth + 1):
            probe = first_probe(&self._geometry, search.hashes[depth])
            rank = next_rank(file, &self._geometry, &probe)
            if rank != ABSENT:
                deepest = depth
            if rank >= 0:
                fetch_name(file, &self._geometry, <uint32_t>rank)
        search.depth = deepest

    cdef int finish(
        self, const uint8_t* name, size_t length, const Search* search, Found* found
    ) noexcept nogil:
        """Follow the table for every ancestor and let the octets decide."""
        cdef const uint8_t* file = <const uint8_t*>self._file.buf
        cdef Wanted wanted
        cdef int64_t rank, set_id
        cdef int depth = search.depth, count = 0
        if search.labels < 0:
            return NOT_A_NAME
        wanted.made = False
        while depth >= 2:
            rank = listed_rank(file, &self._geometry, depth, name, length, search, &wanted)
            if rank == DAMAGED:
                return DAMAGED
            if rank >= 0:
                set_id = set_of(file, &self._geometry, <uint32_t>rank)
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


cdef inline uint32_t number_at(const uint8_t* section, size_t index) noexcept nogil:
    """Read a 32-bit number of a section; sections are aligned."""
    return (<const uint32_t*>section)[index]


cdef int split_labels(const uint8_t* name, size_t length, uint8_t* starts) noexcept nogil:
    """Note where each label's length octet stands; -1 unless every octet belongs to the name."""
    cdef size_t at = 0
    cdef int labels = 0
    if length > MAX_NAME:
        return -1
    while at < length:
        if name[at] == 0:
            return labels if at + 1 == length else -1
        if name[at] > 63:
            return -1
        starts[labels] = <uint8_t>at
        labels += 1
        at += 1 + name[at]
    return -1


cdef int hash_ancestors(
    const uint8_t* file,
    const Geometry* geometry,
    const uint8_t* name,
    size_t length,
    Search* search,
) noexcept nogil:
    """Hash from the right, and fetch the home slots ahead; return how many labels a key may hold."""
    cdef uint64_t state = geometry.seed
    cdef const uint8_t* label
    cdef int depth
    for depth in range(1, search.labels + 1):
        label = name + search.starts[search.labels - depth]
        if not extend_hash(&state, label + 1, label[0], name, name + length):
            return depth - 1  # a key ends labels by NUL, so this one could pass for two
        search.hashes[depth] = state
        if depth > 1:
            prefetch(file + geometry.slots + 4 * home_slot(state, geometry.slot_count))
    return search.labels


cdef inline void fetch_name(
    const uint8_t* file, const Geometry* geometry, uint32_t rank
) noexcept nogil:
    """Fetch what a hit reads: three cache lines hold nearly every block."""
    cdef const uint8_t* block = file + geometry.names + number_at(
        file + geometry.name_offsets, rank // BLOCK_NAMES
    )
    prefetch(file + geometry.set_ids + rank * (4 if geometry.wide_sets else 2))
    prefetch(block)
    prefetch(block + CACHE_LINE)
    prefetch(block + 2 * CACHE_LINE)


cdef int64_t listed_rank(
    const uint8_t* file,
    const Geometry* geometry,
    int depth,
    const uint8_t* name,
    size_t length,
    const Search* search,
    Wanted* wanted,
) noexcept nogil:
    """Return the rank of the ancestor with ``depth`` labels, ABSENT or DAMAGED."""
    cdef Probe probe = first_probe(geometry, search.hashes[depth])
    cdef int64_t rank = next_rank(file, geometry, &probe)
    cdef int same
    while rank >= 0:
        fetch_name(file, geometry, <uint32_t>rank)
        if not wanted.made:
            make_key(name, length, search, wanted)
        same = is_key(file, geometry, <uint32_t>rank, wanted.key, wanted.ends[depth])
        if same:
            return rank if same > 0 else DAMAGED
        rank = next_rank(file, geometry, &probe)
    return rank


cdef void make_key(
    const uint8_t* name, size_t length, const Search* search, Wanted* wanted
) noexcept nogil:
    """Write the labels from the right to the left, each followed by NUL."""
    cdef int depth
    cdef size_t at = 0, left, count
    cdef uint64_t word
    cdef const uint8_t* label
    for depth in range(1, search.depth + 1):
        label = name + search.starts[search.labels - depth]
        left = label[0]
        label += 1
        while left:
            count = 8 if left > 8 else left
            word = low_octets(label, count, name, name + length)
            memcpy(wanted.key + at, &word, 8)
            at += count
            label += count
            left -= count
        wanted.ends[depth] = <uint8_t>at
        wanted.key[at] = 0
        at += 1
    wanted.made = True


cdef inline Probe first_probe(const Geometry* geometry, uint64_t state) noexcept nogil:
    """Return the search for a name with this hash, at its home slot."""
    cdef Probe probe
    probe.at = <uint32_t>home_slot(state, geometry.slot_count)
    probe.left = geometry.probe_limit + 1
    probe.fingerprint = <uint32_t>(state & ((<uint64_t>1 << (32 - geometry.rank_bits)) - 1))
    return probe


cdef inline int64_t next_rank(
    const uint8_t* file, const Geometry* geometry, Probe* probe
) noexcept nogil:
    """Go on to the next slot with the fingerprint: its rank, ABSENT or DAMAGED."""
    cdef const uint8_t* slots = file + geometry.slots
    cdef uint64_t slot
    cdef int64_t rank
    while probe.left:
        slot = number_at(slots, probe.at)
        if slot == 0:
            return ABSENT
        probe.left -= 1
        probe.at += 1
        if probe.at == geometry.slot_count:
            probe.at = 0
        if slot >> geometry.rank_bits == probe.fingerprint:
            rank = <int64_t>(slot & ((<uint64_t>1 << geometry.rank_bits) - 1))
            return rank - 1 if 0 < rank <= geometry.name_count else DAMAGED
    return ABSENT


cdef inline bint block_bounds(
    const uint8_t* file, const Geometry* geometry, uint32_t block, size_t* start, size_t* end
) noexcept nogil:
    """Find a block within the names; False if it is not within."""
    cdef const uint8_t* offsets = file + geometry.name_offsets
    start[0] = number_at(offsets, block)
    end[0] = geometry.names_octets
    if block + 1 < geometry.block_count:
        end[0] = number_at(offsets, block + 1)
    return start[0] <= end[0] <= geometry.names_octets


cdef inline bint read_entry(
    const uint8_t* file, const Geometry* geometry, size_t at, size_t end, Entry* entry
) noexcept nogil:
    """Read the head of an entry; False if the entry is not within ``at`` .. ``end``.

    Without branches on what is read: they cannot be predicted, and a lookup
    reads eight entries. The octets after the head are within the file even
    where there are none, for other sections follow the names.
    """
    cdef const uint8_t* head = file + geometry.names + at
    cdef uint32_t long_shared, long_length
    if at >= end:
        return False
    long_shared = head[0] >> 4 == ESCAPE
    long_length = (head[0] & ESCAPE) == ESCAPE
    entry.shared = head[1] if long_shared else (head[0] >> 4) + SHARED_BASE
    entry.length = head[1 + long_shared] if long_length else (head[0] & ESCAPE) + LENGTH_BASE
    entry.at = at + 1 + long_shared + long_length
    return entry.at + entry.length <= end


cdef int is_key(
    const uint8_t* file, const Geometry* geometry, uint32_t rank, const uint8_t* key, size_t length
) noexcept nogil:
    """Compare a key without its final NUL with the name of a rank: 1 same, 0 not, DAMAGED.

    ``matched`` is how many octets of ``key`` the current entry begins with. An
    entry that shares more than that with the one before differs from ``key``
    where that one did.
    """
    cdef size_t at, end, common, matched = 0, before = 0
    cdef uint32_t left = rank % BLOCK_NAMES + 1
    cdef Entry entry
    if not block_bounds(file, geometry, rank // BLOCK_NAMES, &at, &end):
        return DAMAGED
    while left:
        if not read_entry(file, geometry, at, end, &entry) or entry.shared > before:
            return DAMAGED
        common = common_octets(file, geometry, &entry, key, length)
        matched = entry.shared + common if entry.shared <= matched else matched
        at = entry.at + entry.length
        before = entry.shared + entry.length
        left -= 1
    return matched == before and before == length


cdef inline size_t common_octets(
    const uint8_t* file, const Geometry* geometry, const Entry* entry, const uint8_t* key, size_t length
) noexcept nogil:
    """Count the octets that an entry's own have in common with ``key`` after the shared ones.

    Eight at a time, and the first eight without a branch. ``key`` is followed by
    eight octets of padding. Means nothing where ``shared`` is beyond ``length``.
    """
    cdef const uint8_t* own = file + geometry.names + entry.at
    cdef const uint8_t* wanted = key + min(<size_t>entry.shared, length)
    cdef size_t limit = min(entry.length, length - min(<size_t>entry.shared, length))
    cdef size_t count = 0
    cdef uint64_t left, right
    while True:
        memcpy(&left, own + count, 8)  # as in read_entry, within the file
        memcpy(&right, wanted + count, 8)
        if left != right:
            return min(count + trailing_zeros(left ^ right) // 8, limit)
        count += 8
        if count >= limit:
            return limit


cdef inline int64_t set_of(
    const uint8_t* file, const Geometry* geometry, uint32_t rank
) noexcept nogil:
    """Return the claim set of a rank, or DAMAGED."""
    cdef const uint8_t* set_ids = file + geometry.set_ids
    cdef int64_t set_id
    if geometry.wide_sets:
        set_id = number_at(set_ids, rank)
    else:
        set_id = (<const uint16_t*>set_ids)[rank]
    return set_id if set_id < geometry.set_count else DAMAGED


cdef bint is_next(bytes before, bytes key) noexcept:
    """Tell whether ``key`` comes after ``before`` and holds what keys hold."""
    cdef const uint8_t* octets = <const uint8_t*>PyBytes_AS_STRING(key)
    cdef Py_ssize_t index
    if not before < key or octets[0] == 0:
        return False
    for index in range(PyBytes_GET_SIZE(key)):
        if octets[index] == 0:
            if index and octets[index - 1] == 0:
                return False
        elif not (
            c"a" <= octets[index] <= c"z"
            or c"0" <= octets[index] <= c"9"
            or octets[index] == c"-"
            or octets[index] == c"_"
        ):
            return False
    return True


cdef int64_t rank_of(const uint8_t* file, const Geometry* geometry, bytes key) noexcept:
    """Return the rank of a whole key, ABSENT or DAMAGED."""
    cdef const uint8_t* first = <const uint8_t*>PyBytes_AS_STRING(key)
    cdef const uint8_t* beyond = first + PyBytes_GET_SIZE(key)
    cdef const uint8_t* label = first
    cdef uint64_t state = geometry.seed
    cdef size_t length
    cdef int64_t rank
    cdef Probe probe
    cdef int same
    while label < beyond:
        length = 0
        while label[length]:  # every bytes object ends in a NUL of its own
            length += 1
        extend_hash(&state, label, length, first, beyond)
        label += length + 1
    probe = first_probe(geometry, state)
    rank = next_rank(file, geometry, &probe)
    while rank >= 0:
        same = is_key(file, geometry, <uint32_t>rank, first, beyond - first - 1)
        if same:
            return rank if same > 0 else DAMAGED
        rank = next_rank(file, geometry, &probe)
    return rank
