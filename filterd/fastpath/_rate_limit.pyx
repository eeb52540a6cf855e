# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""The table of sources in C: the same verdicts as ``_rate_limit_py``, which explains them.

Memory safety. The places are one array of fixed size that lives as long as the
table; a set's number is masked to it, and a pointer into it is never kept
beyond the call that made it: ``permits`` runs Python code, but nothing frees or
moves a place.
"""

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.math cimport INFINITY
from libc.stdint cimport UINT32_MAX, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from filterd.fastpath import _rate_limit_py as reference

cdef extern from "arpa/inet.h":
    enum: AF_INET
    enum: AF_INET6
    enum: INET6_ADDRSTRLEN
    ctypedef unsigned int socklen_t
    const char* inet_ntop(int family, const void* address, char* text, socklen_t size)

cdef enum:
    WAYS = 8

assert WAYS == reference.WAYS

cdef double KNOWN_AFTER_S = reference.KNOWN_AFTER_S
cdef double IDLE_AFTER_S = reference.IDLE_AFTER_S
cdef double OVERLOAD_LASTS_S = reference.OVERLOAD_LASTS_S
cdef double PERMITTED_FOR_S = reference.PERMITTED_FOR_S
cdef double DENIED_FOR_S = reference.DENIED_FOR_S
cdef double SPARSE_FOR_S = reference.SPARSE_FOR_S
cdef double NETWORK_CLIENTS = reference.NETWORK_CLIENTS
cdef uint64_t NETWORK = 0xFFFFFFFFFFFFFFFFULL


cdef class SourceTable:
    """Judges by source; see ``filterd.fastpath._rate_limit_py.SourceTable``."""

    def __cinit__(self, bytes key not None, queries_a_second, burst, int sets=reference.SETS):
        if len(key) != 16 or sets < 1 or sets & (sets - 1):
            raise ValueError("a key has 16 octets, and the number of sets is a power of two")
        self._hash_key[0] = int.from_bytes(key[:8], "little")
        self._hash_key[1] = int.from_bytes(key[8:], "little")
        self._sets = sets
        self._places = <Source*>PyMem_Calloc(<size_t>sets * WAYS, sizeof(Source))
        if not self._places:
            raise MemoryError
        fill(&self._newcomers, reference.NEWCOMERS_A_SECOND, reference.NEWCOMERS_AT_ONCE)
        fill(&self._hints, reference.HINTS_A_SECOND, reference.HINTS_AT_ONCE)
        self._overload_until = -INFINITY
        self.configure(queries_a_second, burst)

    def __dealloc__(self):
        PyMem_Free(self._places)

    def configure(self, double queries_a_second, double burst):
        """Put other limits in force."""
        self._a_second = queries_a_second
        self._burst = burst

    def __len__(self):
        cdef uint64_t index
        cdef Py_ssize_t used = 0
        for index in range(self._sets * WAYS):
            used += self._places[index].used
        return used

    def is_overloaded(self, double now):
        """Tell whether newcomers have to wait."""
        return now < self._overload_until

    def judge(self, bytes address not None, uint32_t interface, double now, permits):
        """Count a datagram and return a ``Verdict``."""
        cdef Asker asker = asker_of(address, interface)
        return self.judge_asker(&asker, now, permits)

    def crowd(self, bytes address not None, uint32_t interface, double now, permits):
        """Begin an overload because of this newcomer, and return its ``Verdict``."""
        cdef Asker asker = asker_of(address, interface)
        return self.crowd_asker(&asker, now, permits)

    def take_by_tcp(self, bytes address not None, uint32_t interface, double now):
        """Count a question that came by TCP; False where it is one too many for now."""
        cdef Asker asker = asker_of(address, interface)
        cdef Key key = key_of(&asker)
        cdef Source* source = self._insist(&key, now)
        self._refill(source, now)
        if source.tcp_level < 1:
            return False
        source.tcp_level -= 1
        return True

    def prove(self, bytes address not None, uint32_t interface, double now):
        """Remember that somebody is where this address is: it has answered by TCP."""
        cdef Asker asker = asker_of(address, interface)
        cdef Key key = key_of(&asker)
        cdef Source* source = self._insist(&key, now)
        source.proven = source.permitted = True

    cdef int judge_asker(self, const Asker* asker, double now, object permits) except -1:
        cdef Key key = key_of(asker)
        cdef Source* source = self._find(&key)
        cdef bint permitted
        if source is NULL and now >= self._overload_until:
            source = self._admit(&key, now)
        if source is NULL:
            return self._hint(asker, now, permits)
        if source.checked_until <= now or source.interface != asker.interface:
            if not source.permitted and not take(&self._newcomers, now):
                return self.crowd_asker(asker, now, permits)
            permitted = permits(text_of(asker.address, asker.octets), asker.interface)
            source.permitted = permitted
            source.interface = asker.interface
            source.checked_until = now + (PERMITTED_FOR_S if permitted else DENIED_FOR_S)
        if not source.permitted:
            return DENY
        return self._serve(source, now)

    cdef int crowd_asker(self, const Asker* asker, double now, object permits) except -1:
        cdef uint64_t index
        if now >= self._overload_until:
            self._overload_until = now + OVERLOAD_LASTS_S
            for index in range(self._sets * WAYS):
                if not is_known(&self._places[index], now):
                    memset(&self._places[index], 0, sizeof(Source))
        return self._hint(asker, now, permits)

    cdef int _hint(self, const Asker* asker, double now, object permits) except -1:
        """Judge a newcomer for whom there is no place."""
        if not take(&self._hints, now):
            self._overload_until = now + OVERLOAD_LASTS_S
            return DROP_OVERLOAD
        if permits(text_of(asker.address, asker.octets), asker.interface):
            return HINT_OVERLOAD
        return DENY

    cdef int _serve(self, Source* source, double now) noexcept:
        cdef Key key = source.key
        self._refill(source, now)
        count_one(&source.asked)
        if source.level < 1:
            return HINT_RATE
        if not is_known(source, now):
            if not self._network_has_room(&key, now):
                return HINT_RATE
            # Its network may have taken its place, where all others are known.
            if source.key.low == key.low and source.key.high == key.high:
                source.level -= 1
            return SERVE_LAST
        source.level -= 1
        if self._burst - source.level <= max(1.0, self._a_second * SPARSE_FOR_S):
            return SERVE_FIRST
        return SERVE_NEXT

    cdef bint _network_has_room(self, const Key* key, double now) noexcept:
        """Count a newcomer of a /64, in which one device has as many addresses as it likes."""
        cdef Key network_key
        cdef Source* network
        if key.high == 0 and key.low >> 32 == 0xFFFF:
            return True
        network_key.high, network_key.low = key.high, NETWORK
        network = self._find(&network_key)
        if network is NULL:
            network = self._admit(&network_key, now)
        if network is NULL:
            return False
        self._refill(network, now)
        count_one(&network.asked)
        network.permitted = True
        if network.level * NETWORK_CLIENTS < 1:
            return False
        network.level -= 1 / NETWORK_CLIENTS
        return True

    cdef void _refill(self, Source* source, double now) noexcept:
        cdef double gained = (now - source.seen_at) * self._a_second
        source.level = min(self._burst, source.level + gained)
        source.tcp_level = min(self._burst, source.tcp_level + gained)
        source.seen_at = now

    cdef Source* _set_of(self, const Key* key) noexcept:
        return self._places + WAYS * (siphash_of(self._hash_key, key) & (self._sets - 1))

    cdef Source* _find(self, const Key* key) noexcept:
        cdef Source* place = self._set_of(key)
        cdef Source* beyond = place + WAYS
        while place < beyond:
            if place.used and place.key.low == key.low and place.key.high == key.high:
                return place
            place += 1
        return NULL

    cdef Source* _admit(self, const Key* key, double now) noexcept:
        """Give a newcomer a place; NULL where all are taken by the known."""
        cdef Source* place = self._set_of(key)
        cdef Source* beyond = place + WAYS
        cdef Source* least = NULL
        while place < beyond:
            if not place.used:
                return self._place(place, key, now)
            if not is_known(place, now) or is_worthless(place, now):
                if least is NULL or is_worth_less(place, least, now):
                    least = place
            place += 1
        return NULL if least is NULL else self._place(least, key, now)

    cdef Source* _insist(self, const Key* key, double now) noexcept:
        """Return a source that is no forgery, at the cost of whoever was seen last."""
        cdef Source* source = self._find(key)
        cdef Source* place
        cdef Source* beyond
        if source is NULL:
            source = self._admit(key, now)
        if source is NULL:
            source = place = self._set_of(key)
            beyond = place + WAYS
            while place < beyond:
                if place.seen_at < source.seen_at:
                    source = place
                place += 1
            source = self._place(source, key, now)
        return source

    cdef Source* _place(self, Source* place, const Key* key, double now) noexcept:
        memset(place, 0, sizeof(Source))
        place.key = key[0]
        place.level = place.tcp_level = self._burst
        place.first_at = place.seen_at = now
        place.checked_until = -INFINITY
        place.used = True
        return place


def siphash(key, words):
    """Return SipHash-2-4 of two little-endian words; for tests."""
    cdef uint64_t hash_key[2]
    cdef Key hashed
    hash_key[0], hash_key[1] = key
    hashed.high, hashed.low = words
    return siphash_of(hash_key, &hashed)


cdef Asker asker_of(bytes address, uint32_t interface) except *:
    cdef Asker asker
    if len(address) not in (4, 16):
        raise ValueError("an address has 4 or 16 octets")
    asker.address = address
    asker.octets = <int>len(address)
    asker.interface = interface
    return asker


cdef Key key_of(const Asker* asker) noexcept:
    """Return the two words that stand for an address; a link-local one is its interface's."""
    cdef Key key
    cdef uint8_t octets[16]
    if asker.octets == 4:
        memset(octets, 0, 10)
        octets[10] = octets[11] = 0xFF
        memcpy(octets + 12, asker.address, 4)
    else:
        memcpy(octets, asker.address, 16)
    key.high, key.low = big_endian(octets), big_endian(octets + 8)
    if key.high >> 54 == 0xFE80 >> 6:
        key.high ^= asker.interface
    return key


cdef uint64_t big_endian(const uint8_t* octets) noexcept:
    cdef uint64_t word = 0
    cdef int index
    for index in range(8):
        word = word << 8 | octets[index]
    return word


cdef str text_of(const uint8_t* address, int octets):
    """Write an address as the socket module does."""
    cdef char text[INET6_ADDRSTRLEN]
    inet_ntop(AF_INET if octets == 4 else AF_INET6, address, text, sizeof(text))
    return (<bytes>text).decode("ascii")


cdef bint is_known(const Source* source, double now) noexcept:
    return source.used and (source.proven or now - source.first_at >= KNOWN_AFTER_S)


cdef bint is_worthless(const Source* source, double now) noexcept:
    return now - source.seen_at >= IDLE_AFTER_S or not source.permitted


cdef bint is_worth_less(const Source* one, const Source* other, double now) noexcept:
    """Tell whether less would be lost with ``one``."""
    cdef bint worthless = is_worthless(one, now)
    if worthless != is_worthless(other, now):
        return worthless
    if not worthless and one.asked != other.asked:
        return one.asked < other.asked
    return one.seen_at < other.seen_at


cdef inline void count_one(uint32_t* asked) noexcept:
    if asked[0] < UINT32_MAX:
        asked[0] += 1


cdef void fill(Bucket* bucket, double a_second, double burst) noexcept:
    bucket.a_second, bucket.burst, bucket.level, bucket.at = a_second, burst, burst, 0


cdef bint take(Bucket* bucket, double now) noexcept:
    """Take a token; False where there is none."""
    bucket.level = min(bucket.burst, bucket.level + (now - bucket.at) * bucket.a_second)
    bucket.at = now
    if bucket.level < 1:
        return False
    bucket.level -= 1
    return True


cdef inline uint64_t siphash_of(const uint64_t* key, const Key* hashed) noexcept:
    cdef uint64_t v[4]
    cdef uint64_t words[3]
    cdef int index
    v[0] = key[0] ^ 0x736F6D6570736575ULL
    v[1] = key[1] ^ 0x646F72616E646F6DULL
    v[2] = key[0] ^ 0x6C7967656E657261ULL
    v[3] = key[1] ^ 0x7465646279746573ULL
    words[0], words[1], words[2] = hashed.high, hashed.low, <uint64_t>16 << 56
    for index in range(3):
        v[3] ^= words[index]
        rounds(v, 2)
        v[0] ^= words[index]
    v[2] ^= 0xFF
    rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


cdef inline void rounds(uint64_t* v, int times) noexcept:
    cdef int _
    for _ in range(times):
        v[0] += v[1]
        v[2] += v[3]
        v[1] = rotate(v[1], 13) ^ v[0]
        v[3] = rotate(v[3], 16) ^ v[2]
        v[0] = rotate(v[0], 32) + v[3]
        v[2] += v[1]
        v[1] = rotate(v[1], 17) ^ v[2]
        v[3] = rotate(v[3], 21) ^ v[0]
        v[2] = rotate(v[2], 32)


cdef inline uint64_t rotate(uint64_t word, int bits) noexcept:
    return word << bits | word >> (64 - bits)
