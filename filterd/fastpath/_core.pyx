# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Answer repeated and blocked questions, in two ways; the core has no policy of its own.

*Replay*: the chain has answered this very question for this group of clients, and that
still holds. *Table*: the lists alone decide the name, and nothing else concerns it.
Every other question is the chain's; where neither the lists nor any rule concerns
the name, its *opening* says so, and ``Relay`` asks for it. ``core_filler`` fills both and
decides when to forget everything. Groups of clients, rows, templates, openings and tallies
are small numbers that the filler chooses.

Memory safety, section by section:

Replay. Places and slots are arrays of one fixed size that live as long as the object, and a
place without an answer still names a slot that exists. An answer is measured when it is
stored, and at most LARGEST_ANSWER octets are written into a datagram's buffer. A place that
was found earlier is checked again before it is used: it may have another answer by then.
Entries from before the last reset are never sent, and freed in steps.

Table. Rows, templates and first labels have fixed bounds; a row's cells are as many as the
index has claim sets, and a claim set beyond them is left to the chain. What the filler
returns is checked once, when a cell is filled.

Core. All tables have a fixed size. Results for a datagram from before everything was
forgotten are not used (``epoch``); an answer is no longer than LARGEST_ANSWER, for which
every buffer has room. The words that show whether a site is still in force, and the time,
are kept by their buffers until those are released; they are read only while a site is held.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc
from libc.math cimport fabs
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memcmp, memcpy, memset

from filterd.fastpath._hashing cimport fold, hash_label, hash_words
from filterd.fastpath._lookalike_shapes cimport (
    forget_skeletons,
    has_form,
    has_skeleton,
    keep_skeletons,
)
from filterd.fastpath._question cimport (
    ASKED_AD,
    ASKED_CD,
    ASKED_DO,
    ASKED_OPT,
    ASKED_RD,
    HEADER_OCTETS,
    LARGEST_ANSWER,
    MAX_LABEL_OCTETS,
    MAX_NAME_OCTETS,
    MIN_UDP_SIZE,
    OPT,
    WHOLE_WORDS,
    Question,
    get_u16,
    get_u32,
    put_name,
    put_u32,
    read_name,
    read_question,
)
from filterd.lists._blocks cimport CACHE_LINE, prefetch
from filterd.lists._matcher cimport MAX_FOUND, Found, Matcher

from filterd.fastpath import core_contract as contract
from filterd.policy.plain_sets import Touch

# Replay: answers of the chain that are given again.
# --------------------------------------------------
#
# The same question of the same group of clients gets the same answer for as long as it
# holds: with the client's ID and letter case, TTLs aged, if it fits the client's limit.
# TTLs are those of the cache. ``client_ttl_max``, like the next edge, bounds how long a
# client may keep what it gets at this moment (``answer_reply``): it caps what is left of a TTL
# each time, as in ``resolve.answer_reply``. A TTL that was capped once and then aged would
# reach 0 while the cache still holds the record.
#
# A place is found by the hash of a question. Answers are stored elsewhere, one beside the
# other, so that few answers take little memory however their hashes fall; a place has a slot
# there as long as it has an answer.

cdef enum:
    ENTRIES = 32768
    WAYS = 8  # of sets that are half full in the mean one in ten overflows
    SHORT_REPLY = 169  # octets that fit in the slot; longer replies share a bound:
    MOST_OCTETS = 4 * 1024 * 1024
    MOST_TTLS = 48
    SWEEPS = 8
    FREED_AT_ONCE = 64  # forgotten places: some 20 us
    TC = 0x02

assert (ENTRIES, SWEEPS) == (contract.ENTRIES, contract.SWEEPS)
assert WAYS * sizeof(uint64_t) == CACHE_LINE and sizeof(Kept) == 4 * CACHE_LINE
# 17 octets of header and question, then records of 11, each with the place of a TTL.
assert SHORT_REPLY + (SHORT_REPLY - 17) // 11 * sizeof(uint16_t) <= SHORT_OCTETS


@cython.final
cdef class Replay:
    """Answers by group of clients and question.

    Args:
        seed: 16 octets, so that no client can foretell which answers evict which.
        entries: how many are kept.
    """

    def __cinit__(self, bytes seed not None, uint64_t entries=ENTRIES):
        if PyBytes_GET_SIZE(seed) != 16:
            raise ValueError("a seed has 16 octets")
        memcpy(self._key, PyBytes_AS_STRING(seed), 16)
        self._sets = 1
        while self._sets * WAYS < entries:
            self._sets *= 2
        self._memory[0] = PyMem_Calloc(self._sets * WAYS + WAYS, sizeof(uint64_t))
        self._memory[1] = PyMem_Calloc(self._sets * WAYS + 1, sizeof(Kept))
        self._memory[2] = PyMem_Calloc(self._sets * WAYS + 2 * WAYS, sizeof(uint32_t))
        self._free = <uint32_t*>PyMem_Calloc(self._sets * WAYS, sizeof(uint32_t))
        if not self._memory[0] or not self._memory[1] or not self._memory[2] or not self._free:
            raise MemoryError
        self._hashes = <uint64_t*>next_line(self._memory[0])
        self._kept = <Kept*>next_line(self._memory[1])
        self._slots = <uint32_t*>next_line(self._memory[2])
        self._sources = [None] * (self._sets * WAYS)
        self._hits = []

    def __dealloc__(self):
        cdef uint64_t slot
        if self._kept:
            for slot in range(self._touched):
                PyMem_Free(self._kept[slot].apart)
        PyMem_Free(self._memory[2])
        PyMem_Free(self._free)
        PyMem_Free(self._memory[0])
        PyMem_Free(self._memory[1])

    def forget(self):
        """Forget all answers, but not how often they were repeated.

        To free a full table takes as long as dozens of answers, and all clients
        wait when a site changes; so it is done in the steps of ``at``.
        """
        self._epoch += 1
        self._unfreed = self._sets * WAYS

    cpdef at(self, double now, double wall):
        """Set the times for the next answers; free some of the forgotten places."""
        self._now, self._wall = now, wall
        self._turn += 1
        if self._unfreed:
            self._free_some()

    def note(
        self,
        int client_group,
        uint32_t flags,
        bytes reply not None,
        uint32_t cap_ttl_s,
        double until,
        double valid_until,
        uint32_t tally,
        source,
    ):
        """Keep an answer of the chain; return False where it is not of the kind that is kept.

        Args:
            client_group: for which clients.
            flags: see ``core_contract.flags_of``.
            reply: neither cut to a size nor with capped TTLs.
            cap_ttl_s: no TTL is sent higher than this.
            until: how long at most by the monotonic clock; its TTLs may end it before.
            valid_until: how long at most by the wall clock.
            tally: where its repetitions are counted.
            source: what ``take_hits`` reports them under; None for nothing.
        """
        cdef const uint8_t* octets = <const uint8_t*>PyBytes_AS_STRING(reply)
        cdef size_t length = PyBytes_GET_SIZE(reply)
        cdef uint16_t places[MOST_TTLS]
        cdef uint32_t least = 0
        cdef Question question
        cdef Kept* kept
        cdef uint8_t* apart = NULL
        cdef uint8_t* room
        cdef int ttls
        cdef uint64_t hashed
        cdef int64_t place
        if not HEADER_OCTETS < length <= LARGEST_ANSWER or octets[2] & TC:
            return False
        if not read_name(octets, length, &question):
            return False
        ttls = find_ttls(octets, length, question.end, places, &least)
        if ttls <= 0:
            return False
        until = min(until, self._now + least)
        if until <= self._now or valid_until <= self._wall:
            return False
        question.flags = flags
        hashed = self.fetch(&question, client_group)
        place = self.place_of(hashed)
        if place == NO_PLACE:
            place = self._new_place(hashed)
        self._drop(place)
        if length > SHORT_REPLY:
            if self._octets + length > MOST_OCTETS:
                return False
            apart = <uint8_t*>PyMem_Malloc(length + ttls * sizeof(uint16_t))
            if not apart:
                raise MemoryError
            self._octets += length
        self._take_slot(place)
        kept = self._kept_at(place)
        kept.apart = apart
        room = apart if apart else kept.octets
        memcpy(room, octets, length)
        memcpy(room + HEADER_OCTETS, question.name, question.name_octets)
        memcpy(room + length, places, ttls * sizeof(uint16_t))
        kept.noted_at, kept.until, kept.valid_until = self._now, until, valid_until
        kept.hits, kept.used_at, kept.tally = 0, self._turn, tally
        kept.epoch, kept.cap_ttl_s = self._epoch, cap_ttl_s
        kept.client_group, kept.qtype = <uint16_t>client_group, question.qtype
        kept.flags, kept.name_octets = <uint8_t>flags, <uint8_t>question.name_octets
        kept.length, kept.ttls = <uint16_t>length, <uint8_t>ttls
        self._hashes[place] = hashed
        self._sources[place] = source
        return True

    cpdef bint has_room(self) noexcept:
        """Return whether half is free, so that an answer may be kept that was asked for once."""
        return (
            2 * (self._touched - self._free_count) < self._sets * WAYS
            and 2 * self._octets < MOST_OCTETS
        )

    def sweep(self):
        """Sweep one of ``SWEEPS`` parts: note hits for ``take_hits``, drop expired answers."""
        cdef uint64_t part = (self._sets * WAYS + SWEEPS - 1) // SWEEPS
        cdef uint64_t place, beyond = min(self._swept + part, self._sets * WAYS)
        cdef const Kept* kept
        for place in range(self._swept, beyond):
            if self._hashes[place]:
                kept = self._kept_at(place)
                if self._is_forgotten(kept) or self._has_ended(kept):
                    self._drop(place)
                else:
                    self._report(place)
        self._swept = 0 if beyond == self._sets * WAYS else beyond

    def take_hits(self):
        """Return the hits of answers that were dropped or swept, by their source."""
        hits = self._hits
        if hits:
            self._hits = []
        return hits

    cdef bint has_hits(self) noexcept:
        return len(self._hits) > 0

    cdef uint64_t fetch(self, const Question* asked, int client_group) noexcept nogil:
        cdef uint64_t others = (
            <uint64_t>asked.qtype << 48 | <uint64_t>asked.flags << 32 | <uint32_t>client_group
        )
        cdef uint64_t hashed = hash_words(
            self._key, fold(others ^ self._key[0], self._key[1]), asked.name, asked.name_octets
        ) | 1
        prefetch(self._hashes + WAYS * (hashed >> 1 & (self._sets - 1)))
        prefetch(self._slots + WAYS * (hashed >> 1 & (self._sets - 1)))
        return hashed

    cdef int64_t place_of(self, uint64_t hashed) noexcept nogil:
        cdef uint64_t first = WAYS * (hashed >> 1 & (self._sets - 1))
        cdef const uint8_t* kept
        cdef int way
        for way in range(WAYS):
            if self._hashes[first + way] == hashed:
                kept = <const uint8_t*>self._kept_at(first + way)
                prefetch(kept)
                prefetch(kept + CACHE_LINE)
                prefetch(kept + 2 * CACHE_LINE)
                return first + way
        return NO_PLACE

    cdef size_t answer(
        self, int64_t place, uint64_t hashed, uint8_t* message, const Question* asked,
        int client_group, uint32_t* tally,
    ) except? 0:
        cdef Kept* kept = self._kept_at(place)
        cdef const uint8_t* octets
        cdef const uint8_t* places
        cdef double age = self._now - kept.noted_at
        cdef double valid_s = kept.valid_until - self._wall
        cdef uint32_t age_s = 0, cap_ttl_s = kept.cap_ttl_s
        cdef uint16_t at
        cdef int index
        if not self._is_of(place, hashed, asked, client_group):
            return 0
        if self._has_ended(kept):
            self._drop(place)
            return 0
        if kept.length > asked.limit:
            return 0
        octets = octets_of(kept)
        memcpy(message + 2, octets + 2, HEADER_OCTETS - 2)
        memcpy(message + asked.end, octets + asked.end, kept.length - asked.end)
        if age > 0:
            age_s = <uint32_t>age
            if age_s < age:
                age_s += 1
        if valid_s < cap_ttl_s:
            cap_ttl_s = max(<uint32_t>1, <uint32_t>valid_s)
        places = octets + kept.length
        for index in range(kept.ttls):
            memcpy(&at, places + index * sizeof(uint16_t), sizeof(uint16_t))
            put_u32(message + at, min(get_u32(message + at) - age_s, cap_ttl_s))
        kept.hits += 1
        kept.used_at = self._turn
        tally[0] = kept.tally
        return kept.length

    cdef bint _is_forgotten(self, const Kept* kept) noexcept nogil:
        return kept.epoch != self._epoch

    cdef bint _has_ended(self, const Kept* kept) noexcept nogil:
        return self._now >= kept.until or self._wall >= kept.valid_until

    cdef bint _is_of(
        self, int64_t place, uint64_t hashed, const Question* asked, int client_group
    ) noexcept nogil:
        """Return whether the answer to this very question is there."""
        cdef const Kept* kept = self._kept_at(place)
        return (
            self._hashes[place] == hashed
            and not self._is_forgotten(kept)
            and kept.client_group == client_group
            and kept.qtype == asked.qtype
            and kept.flags == asked.flags
            and kept.name_octets == asked.name_octets
            and memcmp(octets_of(kept) + HEADER_OCTETS, asked.name, asked.name_octets) == 0
        )

    cdef int64_t _new_place(self, uint64_t hashed) noexcept nogil:
        """Return the place for an answer: a free one of its set, or that of the oldest."""
        cdef uint64_t first = WAYS * (hashed >> 1 & (self._sets - 1))
        cdef uint64_t place = first
        cdef const Kept* kept
        cdef int way
        for way in range(WAYS):
            kept = self._kept_at(first + way)
            if not self._hashes[first + way] or self._is_forgotten(kept):
                return first + way
            if self._turn - kept.used_at > self._turn - self._kept_at(place).used_at:
                place = first + way
        return place

    cdef int _free_some(self) except -1:
        """Free the next places with forgotten answers."""
        cdef uint64_t place, first = self._unfreed - min(self._unfreed, <uint64_t>FREED_AT_ONCE)
        for place in range(first, self._unfreed):
            if self._hashes[place] and self._is_forgotten(self._kept_at(place)):
                self._drop(place)
        self._unfreed = first
        return 0

    cdef int _drop(self, int64_t place) except -1:
        """Free a place, and note its hits."""
        cdef Kept* kept = self._kept_at(place)
        if not self._hashes[place]:
            return 0
        self._report(place)
        self._hashes[place] = 0
        self._sources[place] = None
        self._free[self._free_count] = self._slots[place]
        self._free_count += 1
        if kept.apart:
            self._octets -= kept.length
            PyMem_Free(kept.apart)
            kept.apart = NULL
        return 0

    cdef Kept* _kept_at(self, uint64_t place) noexcept nogil:
        return &self._kept[self._slots[place]]

    cdef void _take_slot(self, uint64_t place) noexcept nogil:
        """Give an empty place a slot; there are as many as places."""
        if self._free_count:
            self._free_count -= 1
            self._slots[place] = self._free[self._free_count]
        else:
            self._slots[place] = <uint32_t>self._touched
            self._touched += 1

    cdef int _report(self, int64_t place) except -1:
        cdef Kept* kept = self._kept_at(place)
        if kept.hits:
            source = self._sources[place]
            if source is not None:
                self._hits.append((source, kept.hits))
            kept.hits = 0
        return 0


cdef inline void* next_line(void* memory) noexcept nogil:
    """Return the beginning of the next cache line."""
    return <void*>((<uintptr_t>memory + CACHE_LINE - 1) & ~<uintptr_t>(CACHE_LINE - 1))


cdef inline const uint8_t* octets_of(const Kept* kept) noexcept nogil:
    return kept.apart if kept.apart else kept.octets


cdef int find_ttls(
    const uint8_t* reply, size_t length, size_t position, uint16_t* places, uint32_t* least
) noexcept nogil:
    """Find the TTLs behind the question, except of OPT; return how many, -1 if it is no reply of ours."""
    cdef uint32_t records = get_u16(reply + 6), ttl
    cdef int found = 0
    records += get_u16(reply + 8)
    records += get_u16(reply + 10)
    while records:
        records -= 1
        while position < length and 0 < reply[position] <= MAX_LABEL_OCTETS:
            position += 1 + reply[position]
        if position >= length:
            return -1
        position += 2 if reply[position] else 1
        if position + 10 > length:
            return -1
        if get_u16(reply + position) != OPT:
            if found == MOST_TTLS:
                return -1
            ttl = get_u32(reply + position + 4)
            least[0] = min(ttl, least[0]) if found else ttl
            places[found] = <uint16_t>(position + 4)
            found += 1
        position += 10 + get_u16(reply + position + 8)
    return found if position == length else -1


# Table: blocks by the lists alone, for names seen before or not.
# ---------------------------------------------------------------
#
# A cell has the decision for a claim set and a row of the decision table, where it is plain
# (``filterd.policy.plain_sets``); a name that only plain cells concern is answered here. A
# name that a rule other than a list may concern is *touched*, and left to the chain; so is
# one that may be a look-alike (``filterd.lists.lookalikes``).

cdef enum:
    MOST_LABELS = 24  # a name of more is looked up by the chain: the work on one is bounded
    UNKNOWN = 0  # states of a cell: the kinds and one more
    KNOWN = 1
    TOUCH_SUBTREE = 1
    RD = 0x01
    CD = 0x10

assert (MOST_ROWS, MOST_OPENINGS) == (contract.MOST_ROWS, contract.MOST_OPENINGS)
assert (COMPLEX, OPEN, BLOCK) == (contract.COMPLEX, contract.OPEN, contract.BLOCK)
assert int(Touch.SUBTREE) == TOUCH_SUBTREE


@cython.final
cdef class Table:
    """Cells by row and claim set, and the templates of blocks.

    Args:
        seed: 16 octets, so that no client can foretell which names collide.
    """

    def __cinit__(self, bytes seed not None):
        if PyBytes_GET_SIZE(seed) != 16:
            raise ValueError("a seed has 16 octets")
        memcpy(self._key, PyBytes_AS_STRING(seed), 16)
        self._cells = <Cell**>PyMem_Calloc(MOST_ROWS, sizeof(Cell*))
        self._templates = <Template*>PyMem_Calloc(3 * MOST_TEMPLATES, sizeof(Template))
        if not self._cells or not self._templates:
            raise MemoryError

    def __dealloc__(self):
        cdef int row
        if self._cells:
            for row in range(MOST_ROWS):
                PyMem_Free(self._cells[row])
        PyMem_Free(self._cells)
        PyMem_Free(self._templates)
        PyMem_Free(self._touched)
        forget_skeletons(&self._skeletons)

    def forget(self):
        """Forget everything."""
        cdef int row
        self._emptied += 1
        for row in range(MOST_ROWS):
            PyMem_Free(self._cells[row])
            self._cells[row] = NULL
        PyMem_Free(self._touched)
        self._touched, self._touched_mask, self._names = NULL, 0, b""
        forget_skeletons(&self._skeletons)
        self._template_count = self._first_label_count = 0
        self.matcher, self._fill = None, None

    def load(
        self,
        Matcher matcher not None,
        touched not None,
        first_labels,
        uint32_t set_count,
        fill,
        skeletons=frozenset(),
    ):
        """Take the index and the rules of a site, after ``forget``.

        Args:
            matcher: of its index.
            touched: names by ``Touch``.
            first_labels: first labels that make a name special.
            set_count: how many claim sets the index has.
            fill: called with row and set for a cell that is not known yet.
            skeletons: of the index's look-alike rules.
        """
        cdef uint64_t size = 16
        cdef uint32_t place = 0
        cdef bytes name, label
        while size < 2 * <uint64_t>len(touched):
            size *= 2
        self._names = b"".join(touched)
        self._name_octets = <const uint8_t*>PyBytes_AS_STRING(self._names)
        PyMem_Free(self._touched)
        self._touched = <Touched*>PyMem_Calloc(size, sizeof(Touched))
        if not self._touched:
            raise MemoryError
        self._touched_mask = size - 1
        for name, touch in touched.items():
            self._keep_touched(name, place, touch)
            place += PyBytes_GET_SIZE(name)
        for label in first_labels:
            if self._first_label_count == MOST_FIRST_LABELS:
                raise ValueError(f"at most {MOST_FIRST_LABELS} labels make a name special")
            if not 0 < PyBytes_GET_SIZE(label) <= MAX_LABEL_OCTETS:
                raise ValueError("a label has 1 to 63 octets")
            self._first_labels[self._first_label_count][0] = <uint8_t>PyBytes_GET_SIZE(label)
            memcpy(
                &self._first_labels[self._first_label_count][1],
                PyBytes_AS_STRING(label),
                PyBytes_GET_SIZE(label),
            )
            self._first_label_count += 1
        forget_skeletons(&self._skeletons)
        keep_skeletons(&self._skeletons, self._key, skeletons)
        self._set_count, self._fill = set_count, fill
        self.matcher = matcher

    def add_template(self, bytes plain not None, bytes edns not None, bytes dnssec not None):
        """Add a template, of a header and what follows the question; return its number, -1: full.

        Args:
            plain: for a query without OPT.
            edns: for a query with OPT.
            dnssec: for a query with OPT and DO.
        """
        cdef Template* template = &self._templates[3 * self._template_count]
        cdef bytes one
        if self._template_count == MOST_TEMPLATES:
            return -1
        for one in (plain, edns, dnssec):
            if not HEADER_OCTETS <= PyBytes_GET_SIZE(one) <= HEADER_OCTETS + TAIL_OCTETS:
                raise ValueError("an answer from a template has a header and at most 114 octets")
        for one in (plain, edns, dnssec):
            template.octets = <uint16_t>(PyBytes_GET_SIZE(one) - HEADER_OCTETS)
            memcpy(template.head, PyBytes_AS_STRING(one), HEADER_OCTETS)
            memcpy(template.tail, PyBytes_AS_STRING(one) + HEADER_OCTETS, template.octets)
            template += 1
        self._template_count += 1
        return self._template_count - 1

    cdef bint is_plain(self, const Question* asked) noexcept nogil:
        return (asked.flags & ASKED_RD) != 0 and not self._is_touched(asked)

    cdef Kind judge(self, const Found* found, int count, int row, Cell** deciding) except? COMPLEX:
        cdef Cell* cell
        cdef Cell* best = NULL
        cdef int index
        if count < 0:
            return COMPLEX
        for index in range(count):
            cell = self._cell(row, found[index].set_id)
            if cell.state == KNOWN + COMPLEX:
                return COMPLEX
            if best == NULL:
                best = cell
            elif cell.state == KNOWN + BLOCK:
                if best.state != KNOWN + BLOCK or cell.rank < best.rank:
                    best = cell
        deciding[0] = best
        return BLOCK if best != NULL and best.state == KNOWN + BLOCK else OPEN

    cdef size_t write(self, const Cell* block, uint8_t* message, const Question* asked) noexcept nogil:
        cdef const Template* template = &self._templates[3 * block.template]
        if asked.flags & ASKED_OPT:
            template += 2 if asked.flags & ASKED_DO else 1
        if asked.end + template.octets > MIN_UDP_SIZE:
            return 0
        message[2] = template.head[2] | message[2] & RD
        message[3] = template.head[3] | message[3] & CD
        memcpy(message + 4, template.head + 4, HEADER_OCTETS - 4)
        memcpy(message + asked.end, template.tail, template.octets)
        return asked.end + template.octets

    cdef bint lets_through(self, bytes name, int row) except -1:
        cdef Question target
        cdef Found found[MAX_FOUND]
        cdef Cell* deciding = NULL
        cdef int count
        if self.matcher is None or not put_name(&target, name) or self._is_touched(&target):
            return False
        count = self.matcher.find(target.name, target.name_octets, found)
        return self.judge(found, count, row, &deciding) == OPEN

    cdef bint _is_touched(self, const Question* asked) noexcept nogil:
        """Return whether a rule that is no list may concern a name or its ancestors."""
        cdef uint8_t starts[MOST_LABELS]
        cdef uint64_t hashed = 0
        cdef size_t at = 0
        cdef int touch, label
        if asked.labels < 2 or asked.labels > MOST_LABELS:
            return True
        for label in range(self._first_label_count):
            if self._first_labels[label][0] == asked.name[0] and memcmp(
                self._first_labels[label], asked.name, asked.name[0] + 1
            ) == 0:
                return True
        for label in range(asked.labels):
            starts[label] = <uint8_t>at
            if self._skeletons.hashes and label < asked.labels - 1:
                if has_skeleton(&self._skeletons, self._key, asked.name + at):
                    return True
                if label == asked.labels - 2:
                    if has_form(&self._skeletons, self._key, asked.name + at):
                        return True
            at += asked.name[at] + 1
        for label in range(asked.labels - 1, -1, -1):
            at = starts[label]
            hashed = hash_label(self._key, hashed, asked.name + at)
            touch = self._touch_of(asked.name + at, asked.name_octets - at, hashed)
            if touch & TOUCH_SUBTREE or (touch and label == 0):
                return True
        return False

    cdef int _touch_of(self, const uint8_t* name, size_t octets, uint64_t hashed) noexcept nogil:
        cdef uint64_t place = hashed & self._touched_mask
        cdef const Touched* touched = &self._touched[place]
        while touched.octets:
            if (
                touched.check == <uint32_t>(hashed >> 32)
                and touched.octets == octets
                and memcmp(self._name_octets + touched.place, name, octets) == 0
            ):
                return touched.touch
            place = (place + 1) & self._touched_mask
            touched = &self._touched[place]
        return 0

    cdef int _keep_touched(self, bytes name, uint32_t place, int touch) except -1:
        cdef uint8_t octets[WHOLE_WORDS]
        cdef uint8_t starts[MAX_NAME_OCTETS]
        cdef size_t length = PyBytes_GET_SIZE(name), at = 0
        cdef uint64_t hashed = 0, slot
        cdef int labels = 0
        if not 0 < length <= MAX_NAME_OCTETS:
            raise ValueError("a name has 1 to 255 octets")
        memset(octets, 0, sizeof(octets))
        memcpy(octets, PyBytes_AS_STRING(name), length)
        while octets[at]:
            starts[labels] = <uint8_t>at
            labels += 1
            at += octets[at] + 1
            if at >= length:
                raise ValueError("a name ends with the root")
        while labels:
            labels -= 1
            hashed = hash_label(self._key, hashed, octets + starts[labels])
        slot = hashed & self._touched_mask
        while self._touched[slot].octets:
            slot = (slot + 1) & self._touched_mask
        self._touched[slot].place, self._touched[slot].octets = place, <uint8_t>length
        self._touched[slot].check = <uint32_t>(hashed >> 32)
        self._touched[slot].touch = <uint8_t>touch
        return 0

    cdef Cell* _cell(self, int row, uint32_t set_id) except NULL:
        """Return the cell of a claim set and a row; the filler fills it if it is unknown."""
        cdef uint32_t index = min(set_id, self._set_count)
        if not self._cells[row]:
            self._cells[row] = <Cell*>PyMem_Calloc(self._set_count + 1, sizeof(Cell))
            if not self._cells[row]:
                raise MemoryError
        if self._cells[row][index].state == UNKNOWN:
            self._ask(row, index)
        return &self._cells[row][index]

    cdef int _ask(self, int row, uint32_t index) except -1:
        """Let the filler fill a cell; the last of a row is for names without a claim set."""
        cdef int kind = COMPLEX, rank = 0, template = 0
        cdef uint32_t tally = 0
        cdef uint64_t emptied = self._emptied
        cdef Cell* cells
        if index < self._set_count:
            kind, rank, template, tally = self._fill(row, index)
        if not (
            0 <= kind <= BLOCK
            and 0 <= rank <= 255
            and 0 <= template < MOST_OPENINGS
            and (kind != BLOCK or template < self._template_count)
        ):
            raise ValueError("a cell of numbers that were not given out")
        # Not by the address of the row: memory that is free is soon given out again.
        if self._emptied != emptied:
            raise RuntimeError("the table was emptied while a cell of it was filled")
        cells = self._cells[row]
        cells[index].rank, cells[index].template = <uint8_t>rank, <uint16_t>template
        cells[index].tally, cells[index].state = tally, <uint8_t>(KNOWN + kind)
        return 0


# Core: both, for clients whose group is known, as long as a site is in force.
# ----------------------------------------------------------------------------

cdef enum:
    LARGEST_QUERY = 4096
    CLIENTS = 4096
    CLIENT_WAYS = 4
    CLIENT_SETS = 1024
    MOST_TALLIES = 8192
    MOST_COUNTED = 4096
    COUNTED_BITS = 12
    PROBES = 8

cdef double STEP_S = 0.5  # a wall clock that moves so much against the other has been set

assert (MOST_TALLIES, MOST_COUNTED) == (contract.MOST_TALLIES, contract.MOST_COUNTED)
assert MOST_DEVICES == contract.MOST_DEVICES and 1 << COUNTED_BITS == MOST_COUNTED
assert (MOST_GROUPS + 1) * MOST_TALLIES < 1 << 32
assert CLIENT_SETS * CLIENT_WAYS == CLIENTS
assert (ASKED_RD, ASKED_CD, ASKED_AD, ASKED_DO, ASKED_OPT) == (
    contract.ASKED_RD,
    contract.ASKED_CD,
    contract.ASKED_AD,
    contract.ASKED_DO,
    contract.ASKED_OPT,
)


@cython.final
@cython.no_gc
cdef class Word:
    """A word of eight octets in another object, which stays at its address meanwhile."""

    def __cinit__(self, word):
        PyObject_GetBuffer(word, &self._buffer, PyBUF_SIMPLE)
        if self._buffer.len != sizeof(uint64_t):
            raise ValueError("a word has eight octets")

    def __dealloc__(self):
        PyBuffer_Release(&self._buffer)

    cdef uint64_t value(self) noexcept:
        cdef uint64_t value
        memcpy(&value, self._buffer.buf, sizeof(value))
        return value

    cdef double number(self) noexcept:
        cdef double number
        memcpy(&number, self._buffer.buf, sizeof(number))
        return number


@cython.final
cdef class Core:
    """Tables of fixed size; see the module.

    Args:
        seed: 16 octets, so that no client can foretell which entry evicts which.
        entries: how many answers are kept.

    Attributes:
        replay: answers of the chain.
        table: blocks by the lists alone.
        client_group: of the last datagram's sender; -1: not known.
        opening: under which the name of the last question is counted, if it may be asked
            upstream; else -1.
        epoch: another number whenever everything was forgotten.
        house_at: the monotonic time at which ``FastPath.keep_house`` is due.
    """

    def __cinit__(self, bytes seed not None, uint64_t entries=contract.ENTRIES):
        self.replay, self.table = Replay(seed, entries), Table(seed)
        memcpy(self._key, PyBytes_AS_STRING(seed), 16)
        self._clients = <Client*>PyMem_Calloc(CLIENTS, sizeof(Client))
        self._devices = <uint16_t*>PyMem_Calloc(CLIENTS, sizeof(uint16_t))
        self._counted = <Counted*>PyMem_Calloc(MOST_COUNTED, sizeof(Counted))
        self._uncelled = <uint64_t*>PyMem_Calloc(MOST_TALLIES, sizeof(uint64_t))
        if not self._clients or not self._devices or not self._counted or not self._uncelled:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self._clients)
        PyMem_Free(self._devices)
        PyMem_Free(self._counted)
        PyMem_Free(self._uncelled)

    def forget(self):
        """Forget everything but what was counted."""
        cdef int place
        self.epoch += 1
        self.replay.forget()
        self.table.forget()
        self._group_count = 0
        self.site = self._surroundings = self._version = self._tell_wall = None
        self._word = self._lead = None
        for place in range(CLIENTS):
            self._clients[place].until = self._clients[place].octets = 0

    def hold(
        self,
        site not None,
        standing not None,
        version,
        double now,
        double wall,
        tell_wall not None,
        lead not None,
    ):
        """Note the site from which everything here was made, and when, until all is forgotten.

        Args:
            site: the active one.
            standing: shows whether it is still the active one.
            version: of its surroundings.
            now: monotonic time.
            wall: Unix time.
            tell_wall: called for Unix time while ``lead`` holds 0.
            lead: an aligned word of eight octets (format ``d``): Unix time minus monotonic
                time, in seconds; ``wall`` was computed with it too.
        """
        word, self._value, self._since, self._until = standing
        self._word, self._lead = Word(word), Word(lead)
        self.site, self._surroundings, self._version = site, site.surroundings, version
        self._tell_wall, self._drift_s, self._wall = tell_wall, wall - now, wall
        self.at(now, wall)

    cpdef bint holds(self, double now) noexcept:
        """Return whether the site is still in force; if so, set the times for the next answers.

        Never raises: an error counts as no.
        """
        try:
            return self.site is not None and self._holds(now)
        except Exception:  # ``FastPath.refresh`` meets it again, and logs it
            return False

    cdef bint _holds(self, double now) except -1:
        cdef double lead_s = self._lead.number()
        cdef double wall = now + lead_s if lead_s else <double>self._tell_wall()
        if self._word.value() != self._value or not self._since <= wall < self._until:
            return False
        if self._surroundings.version != self._version:
            return False
        if wall < self._wall or fabs(wall - now - self._drift_s) > STEP_S:
            return False
        self._wall = wall
        self.at(now, wall)
        return True

    cdef bint is_house_due(self, double now) noexcept:
        return now >= self.house_at or self.replay.has_hits()

    cpdef at(self, double now, double wall):
        """Set the times for the next answers."""
        self._now = now
        self.replay.at(now, wall)

    def add_group(self, int row, int opening=0, *, bint is_counted=True):
        """Add a group of clients; return its number, -1: full.

        Args:
            row: of its cells.
            opening: under which a name is counted that no list has.
            is_counted: whether its answers are counted.
        """
        if (
            self._group_count == MOST_GROUPS
            or not 0 <= row < MOST_ROWS
            or not 0 <= opening < MOST_OPENINGS
        ):
            return -1
        self._groups[self._group_count].row = <uint8_t>row
        self._groups[self._group_count].opening = <uint16_t>opening
        self._groups[self._group_count].is_counted = is_counted
        self._group_count += 1
        return self._group_count - 1

    def learn(
        self,
        bytes address not None,
        uint32_t interface,
        int client_group,
        double until,
        uint16_t device=0,
    ):
        """Remember the group of a client, and the number by which its device is counted."""
        cdef int octets = <int>PyBytes_GET_SIZE(address)
        cdef Client described
        cdef Client* place
        if octets not in (4, 16) or not 0 <= client_group < self._group_count:
            raise ValueError("a client has an address and a group")
        place = self._place_of(
            <const uint8_t*>PyBytes_AS_STRING(address), octets, interface, &described
        )
        described.until, described.client_group = until, <uint16_t>client_group
        place[0] = described
        self._devices[place - self._clients] = device

    def group_of(self, bytes address not None, uint32_t interface):
        """Return the group of a client, -1 where it is not known."""
        cdef int octets = <int>PyBytes_GET_SIZE(address)
        cdef uint16_t device
        if octets not in (4, 16):
            return -1
        return self._group_of(
            <const uint8_t*>PyBytes_AS_STRING(address), octets, interface, &device
        )

    def answer(self, bytes message not None, bytes address not None, uint32_t interface):
        """Return the answer to a datagram, None where the chain must give it; for tests."""
        cdef uint8_t octets[LARGEST_QUERY]
        cdef size_t length = PyBytes_GET_SIZE(message)
        cdef Asking asking
        if length > LARGEST_QUERY or PyBytes_GET_SIZE(address) not in (4, 16):
            return None
        memcpy(octets, PyBytes_AS_STRING(message), length)
        self.begin(
            &asking,
            octets,
            length,
            <const uint8_t*>PyBytes_AS_STRING(address),
            <int>PyBytes_GET_SIZE(address),
            interface,
        )
        self.look(&asking)
        self.approach(&asking)
        self.client_group = asking.client_group
        length = self.finish(&asking, octets)
        self.opening = asking.opening if asking.step == OPEN_TO_ASK else -1
        return PyBytes_FromStringAndSize(<const char*>octets, length) if length else None

    def take_counts(self):
        """Return the counts since the last call: group, tally, answers, distinct devices.

        The group is -1 for counts without a cell. Devices beyond MOST_DEVICES are left out.
        """
        cdef uint32_t index, one
        cdef Counted* cell
        counts = []
        for index in range(MOST_COUNTED):
            cell = &self._counted[index]
            if cell.key:
                seen = tuple([cell.seen[one] for one in range(cell.devices)])
                group, tally = divmod(cell.key, MOST_TALLIES)
                counts.append((group - 1, tally, cell.n, seen))
                memset(cell, 0, sizeof(Counted))
        for index in range(MOST_TALLIES):
            if self._uncelled[index]:
                counts.append((-1, index, self._uncelled[index], ()))
                self._uncelled[index] = 0
        return counts

    cdef void begin(
        self, Asking* asking, const uint8_t* message, size_t length, const uint8_t* address,
        int octets, uint32_t interface,
    ) noexcept nogil:
        asking.step, asking.epoch, asking.device = FOR_THE_CHAIN, self.epoch, 0
        asking.client_group = self._group_of(address, octets, interface, &asking.device)
        asking.is_read = asking.client_group >= 0 and read_question(
            message, length, &asking.question
        )
        if not asking.is_read:
            return
        asking.hashed = self.replay.fetch(&asking.question, asking.client_group)
        asking.step = READ

    cdef void look(self, Asking* asking) noexcept nogil:
        if asking.step != READ:
            return
        asking.place = self.replay.place_of(asking.hashed)
        if asking.place != NO_PLACE:
            asking.step = KEPT_PERHAPS
        elif self.table.matcher is not None and self.table.is_plain(&asking.question):
            self.table.matcher.begin(
                asking.question.name, asking.question.name_octets, &asking.search
            )
            asking.step = LISTED_PERHAPS
        else:
            asking.step = FOR_THE_CHAIN

    cdef void approach(self, Asking* asking) noexcept nogil:
        if asking.step == LISTED_PERHAPS:
            self.table.matcher.approach(&asking.search)

    cdef size_t finish(self, Asking* asking, uint8_t* message) except? 0:
        cdef size_t answered = 0
        cdef uint32_t tally = 0
        if asking.step == FOR_THE_CHAIN or asking.epoch != self.epoch:
            return 0
        if asking.step == KEPT_PERHAPS:
            answered = self.replay.answer(
                asking.place,
                asking.hashed,
                message,
                &asking.question,
                asking.client_group,
                &tally,
            )
        if not answered:
            answered = self._by_table(asking, message, &tally)
        if answered:
            self.count(tally, asking.client_group, asking.device)
        return answered

    cdef size_t _by_table(self, Asking* asking, uint8_t* message, uint32_t* tally) except? 0:
        cdef Found found[MAX_FOUND]
        cdef const Question* asked = &asking.question
        cdef const ClientGroup* client_group = &self._groups[asking.client_group]
        cdef Matcher matcher = self.table.matcher
        cdef Cell* deciding = NULL
        cdef Kind kind
        cdef int count
        if asking.step == LISTED_PERHAPS:
            count = matcher.finish(&asking.search, found)
        elif matcher is not None and self.table.is_plain(asked):
            count = matcher.find(asked.name, asked.name_octets, found)
        else:
            return 0
        kind = self.table.judge(found, count, client_group.row, &deciding)
        if kind == BLOCK:
            tally[0] = deciding.tally
            return self.table.write(deciding, message, asked)
        if kind == OPEN:
            asking.step = OPEN_TO_ASK
            asking.opening = client_group.opening if deciding == NULL else deciding.template
        return 0

    cpdef bint lets_through(self, bytes name, int client_group) except -1:
        if name is None or not 0 <= client_group < self._group_count:
            return False
        return self.table.lets_through(name, self._groups[client_group].row)

    cdef void count(self, uint32_t tally, int client_group, uint16_t device) noexcept nogil:
        cdef uint32_t key = <uint32_t>(client_group + 1) * MOST_TALLIES + tally
        cdef uint32_t first = key * <uint32_t>0x9E3779B1 >> (32 - COUNTED_BITS)
        cdef Counted* cell
        cdef uint32_t index
        if tally >= MOST_TALLIES or client_group >= 0 and not self._groups[client_group].is_counted:
            return
        for index in range(PROBES):
            cell = &self._counted[(first + index) & (MOST_COUNTED - 1)]
            if cell.key == key or not cell.key:
                break
        else:
            self._uncelled[tally] += 1
            return
        cell.key = key
        cell.n += 1
        if not device or cell.devices == MOST_DEVICES:
            return
        for index in range(cell.devices):
            if cell.seen[index] == device:
                return
        cell.seen[cell.devices] = device
        cell.devices += 1

    cdef Client* _place_of(
        self, const uint8_t* address, int octets, uint32_t interface, Client* described
    ) noexcept nogil:
        """Return the place of a client, or one for it; fill ``described`` as it would be stored."""
        cdef Client* client
        cdef Client* oldest
        cdef uint64_t hashed
        cdef int way
        described.high = described.low = 0
        if octets == 4:
            memcpy(&described.low, address, 4)
        else:
            memcpy(&described.high, address, 8)
            memcpy(&described.low, address + 8, 8)
        described.interface, described.octets = interface, <uint16_t>octets
        hashed = fold(self._key[0] ^ described.high, self._key[1] ^ interface ^ <uint64_t>octets << 32)
        hashed = fold(hashed ^ described.low, self._key[1])
        client = self._clients + CLIENT_WAYS * ((hashed >> 8) & (CLIENT_SETS - 1))
        oldest = client
        for way in range(CLIENT_WAYS):
            if (
                client.low == described.low
                and client.high == described.high
                and client.interface == interface
                and client.octets == octets
            ):
                return client
            if client.until < oldest.until:
                oldest = client
            client += 1
        return oldest

    cdef int _group_of(
        self, const uint8_t* address, int octets, uint32_t interface, uint16_t* device
    ) noexcept nogil:
        cdef Client described
        cdef const Client* client = self._place_of(address, octets, interface, &described)
        if (
            client.low == described.low
            and client.high == described.high
            and client.interface == interface
            and client.octets == octets
            and self._now < client.until
        ):
            device[0] = self._devices[client - self._clients]
            return client.client_group
        return -1


def read(bytes message not None):
    """Return name, type, flags, end and limit of a question for the core, else None; for tests."""
    cdef Question asked
    if not read_question(
        <const uint8_t*>PyBytes_AS_STRING(message), PyBytes_GET_SIZE(message), &asked
    ):
        return None
    name = PyBytes_FromStringAndSize(<const char*>asked.name, asked.name_octets)
    return name, asked.qtype, asked.flags, asked.end, asked.limit
