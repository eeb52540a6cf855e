# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Answers of the chain that are given again.

The same question of the same class of clients gets the same answer for as long as it
holds: with the client's ID and letter case, TTLs aged, if it fits the client's limit.
TTLs are those of the cache. ``client_ttl_max``, like the next edge, bounds how long a
client may keep what it gets at this moment (dns.md §9): it caps what is left of a TTL
each time, as in ``resolve.answer_reply``. A TTL that was capped once and then aged would
reach 0 while the cache still holds the record.

A place is found by the hash of a question. What is kept lies elsewhere, one
answer beside the other, so that few answers take little memory however their
hashes fall; a place has a slot there for as long as it holds an answer.

Memory safety. Places and slots are arrays of one fixed size that live as long as
the object, and a place without an answer still names a slot that exists. What is
kept was measured when it was noted, and what is written into a datagram's buffer
is at most LARGEST_ANSWER octets. A place that was told
before is looked at anew before it is used: it may be another's by now. What was
noted before all was forgotten is given to nobody (``epoch``), and freed in steps.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memcmp, memcpy

from filterd.lists._blocks cimport CACHE_LINE, prefetch
from filterd.fastpath._hashing cimport fold, hash_words
from filterd.fastpath._question cimport (
    HEADER_OCTETS,
    LARGEST_ANSWER,
    MAX_LABEL_OCTETS,
    OPT,
    Question,
    get_u16,
    get_u32,
    put_u32,
    read_name,
)

from filterd.fastpath import core_contract as contract

cdef enum:
    ENTRIES = 32768
    WAYS = 8  # of sets that are half full in the mean one in ten overflows
    SHORT_REPLY = 169  # octets that have room in the slot; longer replies have a bound together:
    MOST_OCTETS = 4 * 1024 * 1024
    MOST_TTLS = 48
    SWEEPS = 8
    FREED_AT_ONCE = 64  # places, of those forgotten: some 20 us
    TC = 0x02

assert (ENTRIES, SWEEPS) == (contract.ENTRIES, contract.SWEEPS)
assert WAYS * sizeof(uint64_t) == CACHE_LINE and sizeof(Kept) == 4 * CACHE_LINE
# 17 octets of header and question, then records of 11, each with the place of a TTL.
assert SHORT_REPLY + (SHORT_REPLY - 17) // 11 * sizeof(uint16_t) <= SHORT_OCTETS


@cython.final
cdef class Replay:
    """Answers by class of clients and question.

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

        To free a full table takes as long as dozens of answers, and everybody
        waits when a site changes; so it is done in the steps of ``at``.
        """
        self._epoch += 1
        self._unfreed = self._sets * WAYS

    cpdef at(self, double now, double wall):
        """Set the times by which what follows is answered; free some of what is forgotten."""
        self._now, self._wall = now, wall
        self._turn += 1
        if self._unfreed:
            self._free_some()

    def note(
        self,
        int client_class,
        uint32_t flags,
        bytes reply not None,
        uint32_t cap_ttl_s,
        double until,
        double valid_until,
        uint32_t tally,
        source,
    ):
        """Keep an answer of the chain; False where it is not of the kind that is kept.

        Args:
            client_class: for which clients.
            flags: see ``core_contract.flags_of``.
            reply: not cut to a size, its TTLs neither.
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
        hashed = self.fetch(&question, client_class)
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
        kept.client_class, kept.qtype = <uint16_t>client_class, question.qtype
        kept.flags, kept.name_octets = <uint8_t>flags, <uint8_t>question.name_octets
        kept.length, kept.ttls = <uint16_t>length, <uint8_t>ttls
        self._hashes[place] = hashed
        self._sources[place] = source
        return True

    cpdef bint has_room(self) noexcept:
        """Tell whether half is free: then even what was asked for once may be kept."""
        return (
            2 * (self._touched - self._free_count) < self._sets * WAYS
            and 2 * self._octets < MOST_OCTETS
        )

    def sweep(self):
        """Look at one of ``SWEEPS`` parts: let ``take_hits`` tell of it, drop what has ended."""
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
        """Return how often answers were repeated that were dropped or swept, by their source."""
        hits = self._hits
        if hits:
            self._hits = []
        return hits

    cdef bint has_hits(self) noexcept:
        return len(self._hits) > 0

    cdef uint64_t fetch(self, const Question* asked, int client_class) noexcept nogil:
        cdef uint64_t others = (
            <uint64_t>asked.qtype << 48 | <uint64_t>asked.flags << 32 | <uint32_t>client_class
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
        int client_class, uint32_t* tally,
    ) except? 0:
        cdef Kept* kept = self._kept_at(place)
        cdef const uint8_t* octets
        cdef const uint8_t* places
        cdef double age = self._now - kept.noted_at
        cdef double valid_s = kept.valid_until - self._wall
        cdef uint32_t age_s = 0, cap_ttl_s = kept.cap_ttl_s
        cdef uint16_t at
        cdef int index
        if not self._is_of(place, hashed, asked, client_class):
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
        self, int64_t place, uint64_t hashed, const Question* asked, int client_class
    ) noexcept nogil:
        """Tell whether this very question's answer is there."""
        cdef const Kept* kept = self._kept_at(place)
        return (
            self._hashes[place] == hashed
            and not self._is_forgotten(kept)
            and kept.client_class == client_class
            and kept.qtype == asked.qtype
            and kept.flags == asked.flags
            and kept.name_octets == asked.name_octets
            and memcmp(octets_of(kept) + HEADER_OCTETS, asked.name, asked.name_octets) == 0
        )

    cdef int64_t _new_place(self, uint64_t hashed) noexcept nogil:
        """Return where an answer is put: in a free place of its set, or the oldest one's."""
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
        """Free the next places of those that hold what is forgotten."""
        cdef uint64_t place, first = self._unfreed - min(self._unfreed, <uint64_t>FREED_AT_ONCE)
        for place in range(first, self._unfreed):
            if self._hashes[place] and self._is_forgotten(self._kept_at(place)):
                self._drop(place)
        self._unfreed = first
        return 0

    cdef int _drop(self, int64_t place) except -1:
        """Free a place and report what it was used for."""
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
        """Give a place that holds nothing a slot; there are as many as places."""
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
    """Return where the next line of the cache begins."""
    return <void*>((<uintptr_t>memory + CACHE_LINE - 1) & ~<uintptr_t>(CACHE_LINE - 1))


cdef inline const uint8_t* octets_of(const Kept* kept) noexcept nogil:
    return kept.apart if kept.apart else kept.octets


cdef int find_ttls(
    const uint8_t* reply, size_t length, size_t position, uint16_t* places, uint32_t* least
) noexcept nogil:
    """Find the TTLs behind the question, OPT apart; return how many, -1 for none of our replies."""
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
