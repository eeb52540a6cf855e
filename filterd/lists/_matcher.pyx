# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Look up names, pack records and scan lines in C; ``matcher`` is the matcher's oracle.

Memory safety, section by section:

Matcher. Everything that is read from the file or the caller's name is checked before it
is used as a place: here for slots and names, in ``_blocks`` for blocks. The
header has placed the sections within the file. No pointer outlives the call that made it.
A home group is within the table whatever the hash is, and a search that goes on to the
next group turns back at the end of the table. A rank comes from a slot of the file:
``has_block`` checks that its block exists.

Packer. It runs in the compiler only, on records that the compiler has made itself; what
grows, grows in ``array.array``, which checks for itself.

Line scan and families. Lists come from the network: a line is measured before anything of it
is written into the one buffer there is.

List text, record survey. They read records of the compiler, whose claims have
roles; the text grows in ``array.array`` by the length of
a whole key before that key is written.
"""

cimport cython
from cpython cimport array
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy, memset

from filterd.lists._blocks cimport (
    CACHE_LINE,
    DAMAGED,
    SLACK,
    Geometry,
    Key,
    block_of,
    fetch_block,
    has_block,
    is_key,
    prefetch,
    set_of,
    take_entry,
)
from filterd.lists._index_format cimport (
    BLOCK_NAMES,
    GROUP_SLOTS,
    LONG_BLOCK_OCTETS,
    MAX_TEXT_OCTETS,
    POSITION_BITS,
    extend_hash,
    fingerprint_of,
    home_group,
)

import array

from filterd.base.errors import IndexFormatError
from filterd.texts.i18n import say
from filterd.lists.matcher import labels_of
from filterd.lists.hostname import MAX_TEXT as _MAX_TEXT
from filterd.lists.index_format import Hit, rank_bits

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
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    void* PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

cdef enum:
    AT_ONCE = 32
    AHEAD = 8
    TAIL_OCTETS = 9  # of a record, behind its key

cdef enum Fault:
    SOUND
    BROKEN_BLOCK
    OUT_OF_ORDER
    NOT_FOUND

cdef type _hit_type = Hit


# Slots: the hash table, read in groups of eight where it stands in the mapped file.
# ----------------------------------------------------------------------------------

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    typedef uint32_t filterd_slots __attribute__((vector_size(16)));

    static inline uint32_t filterd_group_matches(
        const uint32_t *group, int rank_bits, uint32_t wanted
    ) {
        const filterd_slots bits = {1, 2, 4, 8};
        filterd_slots low, high;
        uint64_t halves[2];
        memcpy(&low, group, 16);
        memcpy(&high, group + 4, 16);
        low = (filterd_slots)(low >> rank_bits == wanted) & bits;
        high = (filterd_slots)(high >> rank_bits == wanted) & (bits << 4);
        low |= high;
        memcpy(halves, &low, 16);
        halves[0] |= halves[1];
        return (uint32_t)(halves[0] | halves[0] >> 32);
    }
    """
    # One bit for each of eight slots that has a fingerprint above its rank, the first lowest.
    uint32_t slots_with "filterd_group_matches" (
        const uint32_t* group, int rank_bits, uint32_t wanted
    ) nogil
    int trailing_zeros "__builtin_ctz" (unsigned int number) nogil

cdef enum:
    ALL_SLOTS = (1 << GROUP_SLOTS) - 1
    LAST_SLOT = 1 << (GROUP_SLOTS - 1)
    FULL = 1 << GROUP_SLOTS
    ABSENT = -3


cdef inline const uint32_t* home_of(
    const uint8_t* file, const Geometry* geometry, uint64_t state
) noexcept nogil:
    """Return the group of slots where a search starts; sections are aligned."""
    return <const uint32_t*>(file + geometry.slots) + GROUP_SLOTS * home_group(
        state, geometry.group_count
    )


cdef inline uint32_t group_matches(
    const Geometry* geometry, const uint32_t* group, uint64_t state
) noexcept nogil:
    """Return one bit for each slot with the fingerprint, the lowest first, and FULL.

    FULL says that no slot is empty, so that a search must go on.
    """
    cdef uint32_t matches = slots_with(
        group, geometry.rank_bits, fingerprint_of(state, geometry.rank_bits)
    )
    return matches | <uint32_t>(group[GROUP_SLOTS - 1] != 0) << GROUP_SLOTS


cdef inline uint32_t rank_in(
    const Geometry* geometry, const uint32_t* group, uint32_t matches
) noexcept nogil:
    """Return the rank in the first slot that matches; one does."""
    return group[trailing_zeros(matches)] & ((<uint32_t>1 << geometry.rank_bits) - 1)


cdef inline int64_t listed_rank(
    const uint8_t* file,
    const Geometry* geometry,
    uint64_t state,
    uint32_t matches,
    const uint8_t* key,
    uint32_t length,
) noexcept nogil:
    """Return the rank of a key without its final NUL, ABSENT or DAMAGED.

    ``matches`` is of its home group.
    """
    cdef const uint32_t* beyond = <const uint32_t*>(file + geometry.slots) + (
        <size_t>GROUP_SLOTS * geometry.group_count
    )
    cdef const uint32_t* group = home_of(file, geometry, state)
    cdef uint32_t left = geometry.probe_limit
    cdef int64_t rank  # signed, or DAMAGED would become one
    cdef int same
    while True:
        while matches & ALL_SLOTS:
            rank = rank_in(geometry, group, matches)
            if not has_block(file, geometry, <uint32_t>rank):
                return DAMAGED
            same = is_key(
                geometry,
                block_of(file, geometry, <uint32_t>rank),
                rank & (BLOCK_NAMES - 1),
                key,
                length,
            )
            if same:
                return rank if same > 0 else DAMAGED
            matches &= matches - 1
        if not matches or not left:
            return ABSENT
        left -= 1
        group += GROUP_SLOTS
        if group == beyond:
            group = <const uint32_t*>(file + geometry.slots)
        matches = group_matches(geometry, group, state)


# Matcher.
# --------

@cython.final
cdef class Matcher:
    """Lookups in one mapped index; see ``filterd.lists.matcher.Matcher``."""

    def __cinit__(self, octets not None, header not None):
        PyObject_GetBuffer(octets, &self._file, PyBUF_SIMPLE)
        spans = header.spans
        if <size_t>self._file.len < <size_t>header.file_octets:
            raise IndexFormatError(say("is shorter than its header states"))
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

        Without a branch on what the slots hold, which the processor could not predict:
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
    """Read every name; return the first fault, its rank, and the number of sound names before."""
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
    """Return the fault of one key that could be read."""
    if not is_after(before, key) or not is_clean(key):
        return OUT_OF_ORDER
    return SOUND if rank_of(file, geometry, key) == rank else NOT_FOUND


cdef bint is_after(const Key* before, const Key* key) noexcept nogil:
    """Return whether ``key`` comes after ``before``."""
    cdef uint32_t common = min(before.length, key.length)
    cdef int order = memcmp(before.octets, key.octets, common)
    return order < 0 or (order == 0 and before.length < key.length)


cdef bint is_clean(const Key* key) noexcept nogil:
    """Return whether a key holds labels of letters, digits, hyphens and underscores only."""
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


# Packer.
# -------

cdef enum:
    IS_BLOCK = 1
    COVERS = 2
    IS_MARKER = 4
    TICK = 1 << 16

cdef array.array _numbers = array.array("I")


cdef struct RecordKey:
    # Octets of a record that Python owns and the list of records keeps alive.
    const uint8_t* octets
    size_t length


cdef struct Block:
    # The block that is being filled.
    uint32_t count
    uint32_t text_octets
    uint8_t shared[BLOCK_NAMES]
    uint8_t ends[BLOCK_NAMES]
    uint8_t text[MAX_TEXT_OCTETS]
    uint32_t set_ids[BLOCK_NAMES]


cdef class Packer:
    """Packs records in ascending order; see ``filterd.lists.packing.PlainPacker``."""

    cdef readonly uint32_t name_count, block_octets, set_width
    cdef readonly array.array blocks, lines, line_offsets, hashes, ranks
    cdef readonly list sets, kept, duplicate, redundant, cancelled
    cdef list _records, _covering
    cdef dict _set_id_of
    cdef array.array _lists, _claims, _single_sets
    cdef bytes _flags, _before
    cdef uint64_t _seed
    cdef uint32_t _claim_count
    cdef Block _block

    def __init__(
        self,
        lists,
        bytes flags not None,
        size_t list_count,
        uint64_t seed,
        uint32_t block_octets,
        uint32_t set_width,
    ):
        self._lists = array.array("I", lists)
        if len(flags) != len(self._lists):
            raise ValueError("every claim has a list and flags")
        if any(index >= list_count for index in self._lists):
            raise ValueError("a claim is of no list")
        if block_octets > LONG_BLOCK_OCTETS or set_width not in (2, 4):
            raise ValueError("the layout has no such blocks")
        self._flags, self._seed = flags, seed
        self.block_octets, self.set_width = block_octets, set_width
        self.blocks, self.lines = array.array("B"), array.array("B")
        self.line_offsets, self.ranks = array.array("I"), array.array("I")
        self.hashes = array.array("Q")
        self.sets, self._set_id_of = [], {}
        self.kept, self.duplicate = [0] * list_count, [0] * list_count
        self.redundant, self.cancelled = [0] * list_count, [0] * list_count
        self._covering = [None] * list_count
        self._claims = array.array("I")
        self._single_sets = array.array("I", [0] * len(flags))

    def pack(self, list records not None, progress not None):
        """Pack all records, which ascend; to be called once."""
        cdef Py_ssize_t start = 0, stop, count = len(records), tick = 0
        cdef RecordKey key, other
        self._records = records
        while start < count:
            if start >= tick:
                progress(start)
                tick = start + TICK
            key = key_of(records[start])
            stop = start + 1
            while stop < count:
                other = key_of(records[stop])
                if other.length != key.length or memcmp(other.octets, key.octets, key.length):
                    break
                stop += 1
            self._pack_name(key, start, stop)
            start = stop
        self._finish_block()
        self._records = None

    cdef int _pack_name(self, RecordKey key, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Pack one name, unless all its entries are cancelled."""
        cdef size_t lines_before = len(self.lines)
        cdef uint64_t state
        self._judge(key, start, stop)
        if not self._claim_count:
            return 0
        self._place(key, self._set_id(), <uint32_t>lines_before)
        self._before = self._records[start]
        state = key_hash(self._seed, key)
        array.extend_buffer(self.hashes, <char*>&state, 1)
        self.name_count += 1
        return 0

    cdef int _place(self, RecordKey key, uint32_t set_id, uint32_t lines_before) except -1:
        """Add a name to its block; begin another one where it does not fit."""
        cdef size_t bare = key.length - 1, shared = 0
        cdef uint32_t at
        if self._block.count:
            shared = common_octets(key_of(self._before), key)
            if not self._has_room(bare - shared):
                self._finish_block()
                shared = 0
        if not self._block.count:
            if not self._has_room(bare):
                raise ValueError("a name is longer than a block")
            append_number(self.line_offsets, lines_before)
        at = self._block.count
        append_number(
            self.ranks, <uint32_t>((len(self.line_offsets) - 1) << POSITION_BITS | at)
        )
        memcpy(self._block.text + self._block.text_octets, key.octets + shared, bare - shared)
        self._block.text_octets += <uint32_t>(bare - shared)
        self._block.shared[at] = <uint8_t>shared
        self._block.ends[at] = <uint8_t>self._block.text_octets
        self._block.set_ids[at] = set_id
        self._block.count += 1
        return 0

    cdef bint _has_room(self, size_t own) noexcept:
        """Return whether one more name with so many octets of its own fits."""
        cdef size_t text = self._block.text_octets + own
        return (
            self._block.count < BLOCK_NAMES
            and text <= MAX_TEXT_OCTETS
            and (2 + self.set_width) * (self._block.count + 1) + text <= self.block_octets
        )

    cdef int _finish_block(self) except -1:
        """Append the block that was being filled, if it holds anything."""
        cdef uint8_t octets[LONG_BLOCK_OCTETS]
        cdef uint32_t count = self._block.count, index
        cdef uint8_t* set_ids = octets + self.block_octets - count * self.set_width
        if not count:
            return 0
        memset(octets, 0, sizeof(octets))
        memcpy(octets, self._block.shared, count)
        octets[0] = <uint8_t>count
        memcpy(octets + count, self._block.ends, count)
        memcpy(octets + 2 * count, self._block.text, self._block.text_octets)
        for index in range(count):  # little-endian, as the only machines that read an index
            memcpy(set_ids + index * self.set_width, &self._block.set_ids[index], self.set_width)
        array.extend_buffer(self.blocks, <char*>octets, self.block_octets)
        self._block.count = self._block.text_octets = 0
        return 0

    cdef int _judge(self, RecordKey key, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Gather the claims that hold for a name, append their lines, count the others."""
        cdef const uint8_t* tail
        cdef uint32_t claim, line, last = 0xFFFFFFFF, last_line = 0
        cdef Py_ssize_t position
        self._claim_count = 0
        for position in range(start, stop):
            tail = key_of(self._records[position]).octets + key.length + 1
            claim, line = big_endian(tail), big_endian(tail + 4)
            if claim >= <size_t>len(self._flags):
                raise ValueError("a record is of no claim")
            if claim != last:
                last, last_line = claim, line
                if line:
                    self._hold(claim)
                    append_varint(self.lines, line)
                    self._count_kept(key, claim, self._records[position])
            elif line and not self._flags[claim] & IS_MARKER:
                counts = self.duplicate if last_line else self.cancelled
                counts[self._lists.data.as_uints[claim]] += 1
        return 0

    cdef int _hold(self, uint32_t claim) except -1:
        """Add a claim to those of the current name."""
        if self._claim_count == <size_t>len(self._claims):
            append_number(self._claims, claim)
        self._claims.data.as_uints[self._claim_count] = claim
        self._claim_count += 1
        return 0

    cdef int _count_kept(self, RecordKey key, uint32_t claim, bytes record) except -1:
        """Count a kept entry, and whether an ancestor in its list covers it."""
        cdef uint8_t flags = self._flags[claim]
        cdef uint32_t index = self._lists.data.as_uints[claim]
        cdef RecordKey covering
        if flags & IS_MARKER:
            return 0
        self.kept[index] += 1
        if flags & IS_BLOCK and self._covering[index] is not None:
            covering = key_of(self._covering[index])
            if covering.length < key.length and not memcmp(
                covering.octets, key.octets, covering.length
            ):
                self.redundant[index] += 1
                return 0
        if flags & COVERS:
            self._covering[index] = record
        return 0

    cdef uint32_t _set_id(self) except? 0xFFFFFFFF:
        """Return the id of the current claims; most names have one claim, so that goes by table."""
        cdef uint32_t claim = self._claims.data.as_uints[0], index, set_id
        if self._claim_count == 1 and self._single_sets.data.as_uints[claim]:
            return self._single_sets.data.as_uints[claim] - 1
        claim_set = tuple([
            self._claims.data.as_uints[index] for index in range(self._claim_count)
        ])
        set_id = self._set_id_of.setdefault(claim_set, len(self.sets))
        if set_id == <size_t>len(self.sets):
            self.sets.append(claim_set)
        if <uint64_t>set_id >> 8 * self.set_width:
            raise OverflowError(f"more claim sets than {self.set_width} octets can count")
        if self._claim_count == 1:
            self._single_sets.data.as_uints[claim] = set_id + 1
        return set_id


def fill_slots(array.array hashes not None, array.array ranks not None, size_t block_count):
    """Make the hash table: two slots a name; see ``filterd.lists.packing.plainly_fill_slots``."""
    if hashes.typecode != "Q" or ranks.typecode != "I" or len(hashes) != len(ranks):
        raise TypeError("every name has a hash of 64 bits and a rank of 32")
    cdef size_t count = len(hashes)
    cdef size_t group_count = max((2 * count + GROUP_SLOTS - 1) // GROUP_SLOTS, 1)
    cdef array.array slots = array.clone(_numbers, group_count * GROUP_SLOTS, zero=True)
    cdef unsigned int* table = slots.data.as_uints
    cdef const uint64_t* states = <const uint64_t*>hashes.data.as_ulonglongs
    cdef int bits = rank_bits(block_count)
    cdef unsigned int* group
    cdef size_t number, at, way, longest = 0
    with nogil:
        for number in range(count):
            at, way = home_group(states[number], group_count), 0
            group = table + at * GROUP_SLOTS
            while group[GROUP_SLOTS - 1]:
                at, way = at + 1, way + 1
                if at == group_count:
                    at = 0
                group = table + at * GROUP_SLOTS
            while group[0]:
                group += 1
            group[0] = fingerprint_of(states[number], bits) << bits | ranks.data.as_uints[number]
            if way > longest:
                longest = way
    return slots, longest


cdef inline RecordKey key_of(bytes record):
    """Return the key of a record, where it stands in it."""
    cdef RecordKey key
    if PyBytes_GET_SIZE(record) <= TAIL_OCTETS:
        raise ValueError("a record is too short")
    key.octets = <const uint8_t*>PyBytes_AS_STRING(record)
    key.length = PyBytes_GET_SIZE(record) - TAIL_OCTETS
    return key


cdef inline uint32_t big_endian(const uint8_t* at) noexcept nogil:
    return (
        <uint32_t>at[0] << 24 | <uint32_t>at[1] << 16 | <uint32_t>at[2] << 8 | <uint32_t>at[3]
    )


cdef inline int append_number(array.array numbers, uint32_t number) except -1:
    return array.extend_buffer(numbers, <char*>&number, 1)


cdef int append_varint(array.array octets, uint32_t number) except -1:
    """Append seven bits an octet, the lowest first; the last has no top bit."""
    cdef uint8_t encoded[5]
    cdef int length = 0
    while number > 0x7F:
        encoded[length] = number & 0x7F | 0x80
        number >>= 7
        length += 1
    encoded[length] = <uint8_t>number
    return array.extend_buffer(octets, <char*>encoded, length + 1)


cdef size_t common_octets(RecordKey before, RecordKey key) noexcept:
    """Return the number of first octets that both share, without their final NULs."""
    cdef size_t shared = 0, limit = min(before.length, key.length) - 1
    while shared < limit and before.octets[shared] == key.octets[shared]:
        shared += 1
    return shared


cdef uint64_t key_hash(uint64_t seed, RecordKey key) noexcept:
    """Return the hash of a whole key, label by label."""
    cdef uint64_t state = seed
    cdef size_t start = 0, end
    for end in range(key.length):
        if key.octets[end] == 0:
            extend_hash(
                &state, key.octets + start, end - start, key.octets, key.octets + key.length, NULL
            )
            start = end + 1
    return state


# Line scan.
# ----------

cdef enum:
    MAX_TEXT = 253
    MAX_LABEL = 63

assert MAX_TEXT == _MAX_TEXT

cdef enum Kind:
    OTHER
    LETTER
    DIGIT
    DOT

cdef uint8_t _KINDS[256]


cdef void _fill_kinds() noexcept:
    cdef int octet
    for octet in range(256):
        if c"a" <= octet <= c"z" or octet == c"_" or octet == c"-":
            _KINDS[octet] = LETTER
        elif c"0" <= octet <= c"9":
            _KINDS[octet] = DIGIT
        else:
            _KINDS[octet] = DOT if octet == c"." else OTHER

_fill_kinds()


cdef struct Shape:
    # Octets that Python owns; the texts outlive the batch.
    const uint8_t* before
    Py_ssize_t before_octets
    const uint8_t* after
    Py_ssize_t after_octets


def skim(list lines not None, shape, uint32_t first, uint32_t claim, special, list records not None):
    """Take the plain names out of a batch; see ``filterd.lists.intake.plainly_skim``."""
    cdef bytes before = shape.before.encode("ascii"), after = shape.after.encode("ascii")
    cdef Shape how = Shape(before, len(before), after, len(after))
    # A key is as long as its name and the NUL of the last label; its record has the tail, too.
    cdef uint8_t record[MAX_TEXT + 1 + TAIL_OCTETS]
    cdef Py_ssize_t position, octets, parent
    cdef str line
    alone, above = special
    for position in range(len(lines)):
        line = lines[position]
        if not PyUnicode_IS_COMPACT_ASCII(line):
            continue
        octets = _key(
            <const uint8_t*> PyUnicode_DATA(line), PyUnicode_GET_LENGTH(line), &how, record, &parent
        )
        if octets == 0:
            continue
        if PyBytes_FromStringAndSize(<char*> record, octets) in alone:
            continue
        if PyBytes_FromStringAndSize(<char*> record, parent) in above:
            continue
        record[octets] = 0
        _put(record + octets + 1, claim)
        _put(record + octets + 5, first + <uint32_t> position)
        records.append(PyBytes_FromStringAndSize(<char*> record, octets + TAIL_OCTETS))
        lines[position] = ""


cdef Py_ssize_t _key(
    const uint8_t* line, Py_ssize_t octets, Shape* how, uint8_t* key, Py_ssize_t* parent
) noexcept:
    """Write the key of the name in a line; return its octets, 0 for a line that is not plain."""
    cdef Py_ssize_t at, name_octets = octets - how.before_octets - how.after_octets
    cdef Py_ssize_t label = 0, written = 0, kind
    if not 0 < name_octets <= MAX_TEXT:
        return 0
    if memcmp(line, how.before, how.before_octets):
        return 0
    cdef const uint8_t* name = line + how.before_octets
    if memcmp(name + name_octets, how.after, how.after_octets):
        return 0
    if _KINDS[name[name_octets - 1]] != LETTER:
        return 0
    # From the right to the left, as keys have the labels; -1 ends the first one.
    at = name_octets - 1
    while at >= -1:
        kind = DOT if at < 0 else _KINDS[name[at]]
        if kind == DOT:
            if not 0 < label <= MAX_LABEL:
                return 0
            parent[0] = written
            memcpy(key + written, name + at + 1, label)
            written += label
            key[written] = 0
            written += 1
            label = 0
        elif kind == OTHER:
            return 0
        else:
            if name[at] == c"x" and at + 4 <= name_octets and not memcmp(name + at, b"xn--", 4):
                return 0
            label += 1
        at -= 1
    return written if parent[0] else 0


cdef inline void _put(uint8_t* to, uint32_t number) noexcept:
    to[0] = number >> 24
    to[1] = number >> 16 & 0xFF
    to[2] = number >> 8 & 0xFF
    to[3] = number & 0xFF


# List text.
# ----------

cdef enum:
    EXACT = 1
    SUBTREE = 2
    BLOCKS = 4

cdef array.array _octets = array.array("B")


def write_names(list records not None, bytes roles not None, bint drops_covered):
    """Write the names of sorted records; see ``filterd.lists.sort_records.plainly_write_names``."""
    cdef array.array text = array.clone(_octets, 0, zero=False)
    cdef Py_ssize_t start = 0, count = len(records), written = 0
    cdef Py_ssize_t entries = 0, names = 0, redundant = 0
    cdef bint has_exact = False
    cdef RecordKey key, other, above = RecordKey(NULL, 0)
    cdef int role
    while start < count:
        key, role = key_of(records[start]), 0
        while start < count:
            other = key_of(records[start])
            if other.length != key.length or memcmp(other.octets, key.octets, key.length):
                break
            if big_endian(other.octets + other.length + 5):  # else it cancels
                role |= roles[big_endian(other.octets + other.length + 1)]
            start += 1
        names += role & BLOCKS != 0
        if not role & (EXACT | SUBTREE):
            continue
        if (
            drops_covered
            and above.octets != NULL
            and key.length >= above.length
            and not memcmp(key.octets, above.octets, above.length)
        ):
            redundant += 1
            continue
        array.resize_smart(text, written + key.length + 1)
        if role & SUBTREE:
            above = key
        else:
            has_exact = True
            text.data.as_uchars[written] = c"="
            written += 1
        _put_name(text.data.as_uchars + written, key.octets, key.length)
        written += key.length
        text.data.as_uchars[written - 1] = c"\n"
        entries += 1
    return (
        PyBytes_FromStringAndSize(text.data.as_chars, written),
        entries, names, redundant, has_exact,
    )


cdef inline void _put_name(uint8_t* to, const uint8_t* key, Py_ssize_t octets) noexcept:
    """Write the labels of a key from the right to the left, a dot behind each."""
    cdef Py_ssize_t at, end = octets - 1
    for at in range(octets - 2, -2, -1):
        if at < 0 or key[at] == 0:
            memcpy(to, key + at + 1, end - at - 1)
            to += end - at
            to[-1] = c"."
            end = at


# Record survey.
# --------------

cdef enum:
    USED = 1
    CANCELLED = 2


def survey(list records not None, seen not None, bytes wanted not None):
    """Survey records; see ``filterd.lists.sort_records.plainly_survey``."""
    cdef bytearray uses = bytearray(len(wanted))
    cdef list picked = []
    cdef RecordKey key
    cdef uint32_t claim
    cdef bytes record
    for record in records:
        key = key_of(record)
        claim = big_endian(key.octets + key.length + 1)
        uses[claim] |= USED if big_endian(key.octets + key.length + 5) else USED | CANCELLED
        if wanted[claim] or PyBytes_FromStringAndSize(<char*>key.octets, key.length) in seen:
            picked.append(record)
    return bytes(uses), picked


# Families.
# ---------

def take_members(bytes text not None, special, list members not None):
    """Take names in plain form out of a text; see ``filterd.feed.families.lookalike_families``."""
    cdef Shape how = Shape(b"", 0, b"", 0)
    cdef uint8_t key[MAX_TEXT + 1]
    cdef uint8_t before[MAX_TEXT + 1]
    cdef uint8_t member[MAX_LABEL + 1 + MAX_TEXT + 1]
    cdef const uint8_t* line = octets_of(text)
    cdef const uint8_t* beyond = line + PyBytes_GET_SIZE(text)
    cdef const uint8_t* newline
    cdef Py_ssize_t mark, octets, parent, above, end, length, had = 0
    cdef list left = []
    cdef bytes name
    public, wildcards, exceptions = special
    while line < beyond:
        newline = <const uint8_t*>memchr(line, c"\n", beyond - line)
        if newline == NULL:
            newline = beyond
        mark = line[0] == c"="
        octets = _key(line + mark, newline - line - mark, &how, key, &parent)
        if octets == 0:
            if newline > line:
                left.append(PyBytes_FromStringAndSize(<char*>line, newline - line))
            line = newline + 1
            continue
        line = newline + 1
        above = end = _label_end(key, 0)
        while end < octets:
            end = _label_end(key, above)
            name = PyBytes_FromStringAndSize(<char*>key, end)
            if name not in public and (
                name in exceptions
                or PyBytes_FromStringAndSize(<char*>key, above) not in wildcards
            ):
                if end != had or memcmp(before, key, end):
                    length = _put_shape(member, key + above, end - above - 1)
                    if length:
                        member[length] = 0
                        _put_name(member + length + 1, key, end)
                        # Without the dot behind the last label.
                        members.append(
                            PyBytes_FromStringAndSize(<char*>member, length + end)
                        )
                    memcpy(before, key, end)
                    had = end
                break
            above = end
    return left


cdef inline Py_ssize_t _label_end(const uint8_t* key, Py_ssize_t at) noexcept:
    """Return the place behind the NUL of the label at a place of a key."""
    while key[at]:
        at += 1
    return at + 1


cdef Py_ssize_t _put_shape(uint8_t* to, const uint8_t* label, Py_ssize_t octets) noexcept:
    """Write the shape of a label in ASCII; return its octets, 0 where nothing is left."""
    cdef Py_ssize_t at, written = 0
    cdef uint8_t octet, last = 0
    for at in range(octets):
        octet = label[at]
        if octet == c"-" or octet == c"_":
            continue
        if _KINDS[octet] == DIGIT:
            octet = c"#"
            if last == octet:
                continue
        elif octet == c"n" and last == c"r" or octet == c"v" and last == c"v":
            octet = c"m" if octet == c"n" else c"w"
            written -= 1
        to[written] = last = octet
        written += 1
    return written
