# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Answers that need no thinking, in two ways; the core has no policy of its own.

*Replay*: the chain has answered this very question for this class of clients, and that
still holds. *Table*: the lists alone decide the name, and nothing else concerns it.
Every other question is the chain's; where neither the lists nor any rule concerns
the name, its *opening* says so, and ``_direct_forward`` asks for it. ``core_filler``
fills both and decides when everything is to be forgotten. Classes of clients,
openings and tallies are small numbers that the filler gives out.

Memory safety. All tables have a fixed size. What was found out of a datagram
before everything was forgotten is used no more (``epoch``); an answer is no
longer than LARGEST_ANSWER, for which every buffer has room. The words by which is
seen that a site still is in force, and what time it is, are kept by their buffers
until those are let go; they are looked at only while a site is held.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.math cimport fabs
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from filterd.lists._matcher cimport MAX_FOUND, Found, Matcher
from filterd.fastpath._hashing cimport fold
from filterd.fastpath._question cimport (
    ASKED_AD,
    ASKED_CD,
    ASKED_DO,
    ASKED_OPT,
    ASKED_RD,
    Question,
    read_question,
)
from filterd.fastpath._packet_cache cimport NO_PLACE, Replay
from filterd.fastpath._decision_cells cimport BLOCK, MOST_OPENINGS, MOST_ROWS, OPEN, Cell, Kind, Table

from filterd.fastpath import core_contract as contract

cdef enum:
    LARGEST_QUERY = 4096
    CLIENTS = 4096
    CLIENT_WAYS = 4
    CLIENT_SETS = 1024
    MOST_TALLIES = 8192

cdef double STEP_S = 0.5  # a wall clock that moves so much against the other has been set

assert MOST_TALLIES == contract.MOST_TALLIES
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
    """Somebody else's word of eight octets, which stays where it is meanwhile."""

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
        client_class: of the last datagram's sender; -1: not known.
        opening: as what the name of the last question is counted, if it may be asked
            upstream; else -1.
        epoch: another number whenever everything was forgotten.
        house_at: the monotonic time at which ``FastPath.keep_house`` is due.
    """

    def __cinit__(self, bytes seed not None, uint64_t entries=contract.ENTRIES):
        self.replay, self.table = Replay(seed, entries), Table(seed)
        memcpy(self._key, PyBytes_AS_STRING(seed), 16)
        self._clients = <Client*>PyMem_Calloc(CLIENTS, sizeof(Client))
        self._counts = <uint64_t*>PyMem_Calloc(MOST_TALLIES, sizeof(uint64_t))
        if not self._clients or not self._counts:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self._clients)
        PyMem_Free(self._counts)

    def forget(self):
        """Forget everything but what was counted."""
        cdef int place
        self.epoch += 1
        self.replay.forget()
        self.table.forget()
        self._class_count = 0
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
        """Note what everything here was made of and when, until all is forgotten.

        Args:
            site: what was in force then.
            standing: by what is seen that it still is.
            version: of its surroundings then.
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
        """Tell whether that still is in force; if so, set the times for the next answers.

        Never raises: where it cannot be told, the answer is no.
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
        """Set the times by which what follows is answered."""
        self._now = now
        self.replay.at(now, wall)

    def add_class(self, int row, int opening=0):
        """Return the number of another class of clients; -1: full.

        Args:
            row: of its cells.
            opening: as what a name is counted that no list names.
        """
        if (
            self._class_count == MOST_CLASSES
            or not 0 <= row < MOST_ROWS
            or not 0 <= opening < MOST_OPENINGS
        ):
            return -1
        self._classes[self._class_count].row = <uint8_t>row
        self._classes[self._class_count].opening = <uint16_t>opening
        self._class_count += 1
        return self._class_count - 1

    def learn(self, bytes address not None, uint32_t interface, int client_class, double until):
        """Remember the class of a client."""
        cdef int octets = <int>PyBytes_GET_SIZE(address)
        cdef Client who
        cdef Client* place
        if octets not in (4, 16) or not 0 <= client_class < self._class_count:
            raise ValueError("a client has an address and a class")
        place = self._place_of(
            <const uint8_t*>PyBytes_AS_STRING(address), octets, interface, &who
        )
        who.until, who.client_class = until, <uint16_t>client_class
        place[0] = who

    def class_of(self, bytes address not None, uint32_t interface):
        """Return the class of a client, -1 where it is not known."""
        cdef int octets = <int>PyBytes_GET_SIZE(address)
        if octets not in (4, 16):
            return -1
        return self._class_of(<const uint8_t*>PyBytes_AS_STRING(address), octets, interface)

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
        self.client_class = asking.client_class
        length = self.finish(&asking, octets)
        self.opening = asking.opening if asking.step == OPEN_TO_ASK else -1
        return PyBytes_FromStringAndSize(<const char*>octets, length) if length else None

    def take_counts(self):
        """Return how often was answered by each tally since the last time."""
        cdef uint32_t index
        counts = []
        for index in range(MOST_TALLIES):
            if self._counts[index]:
                counts.append((index, self._counts[index]))
                self._counts[index] = 0
        return counts

    cdef void begin(
        self, Asking* asking, const uint8_t* message, size_t length, const uint8_t* address,
        int octets, uint32_t interface,
    ) noexcept nogil:
        asking.step, asking.epoch = FOR_THE_CHAIN, self.epoch
        asking.client_class = self._class_of(address, octets, interface)
        if asking.client_class < 0 or not read_question(message, length, &asking.question):
            return
        asking.hashed = self.replay.fetch(&asking.question, asking.client_class)
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
                asking.client_class,
                &tally,
            )
        if not answered:
            answered = self._by_table(asking, message, &tally)
        if answered:
            self.count(tally)
        return answered

    cdef size_t _by_table(self, Asking* asking, uint8_t* message, uint32_t* tally) except? 0:
        cdef Found found[MAX_FOUND]
        cdef const Question* asked = &asking.question
        cdef const Class* client_class = &self._classes[asking.client_class]
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
        kind = self.table.judge(found, count, client_class.row, &deciding)
        if kind == BLOCK:
            tally[0] = deciding.tally
            return self.table.write(deciding, message, asked)
        if kind == OPEN:
            asking.step = OPEN_TO_ASK
            asking.opening = client_class.opening if deciding == NULL else deciding.template
        return 0

    cpdef bint lets_through(self, bytes name, int client_class) except -1:
        if name is None or not 0 <= client_class < self._class_count:
            return False
        return self.table.lets_through(name, self._classes[client_class].row)

    cpdef void count(self, uint32_t tally) noexcept:
        if tally < MOST_TALLIES:
            self._counts[tally] += 1

    cdef Client* _place_of(
        self, const uint8_t* address, int octets, uint32_t interface, Client* who
    ) noexcept nogil:
        """Return where a client is kept or may be put; describe him as he would be kept."""
        cdef Client* client
        cdef Client* oldest
        cdef uint64_t hashed
        cdef int way
        who.high = who.low = 0
        if octets == 4:
            memcpy(&who.low, address, 4)
        else:
            memcpy(&who.high, address, 8)
            memcpy(&who.low, address + 8, 8)
        who.interface, who.octets = interface, <uint16_t>octets
        hashed = fold(self._key[0] ^ who.high, self._key[1] ^ interface ^ <uint64_t>octets << 32)
        hashed = fold(hashed ^ who.low, self._key[1])
        client = self._clients + CLIENT_WAYS * ((hashed >> 8) & (CLIENT_SETS - 1))
        oldest = client
        for way in range(CLIENT_WAYS):
            if (
                client.low == who.low
                and client.high == who.high
                and client.interface == interface
                and client.octets == octets
            ):
                return client
            if client.until < oldest.until:
                oldest = client
            client += 1
        return oldest

    cdef int _class_of(
        self, const uint8_t* address, int octets, uint32_t interface
    ) noexcept nogil:
        cdef Client who
        cdef const Client* client = self._place_of(address, octets, interface, &who)
        if (
            client.low == who.low
            and client.high == who.high
            and client.interface == interface
            and client.octets == octets
            and self._now < client.until
        ):
            return client.client_class
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
