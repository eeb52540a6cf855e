# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""The fast path in C: the same answers as ``_fastpath_py``, which explains them.

Memory safety. All tables have a fixed size, and the replies that are kept a bound
together. A datagram is read within its length by one walk (``read_question``);
what is written into its buffer was measured against LARGEST_REPLY or 512 before.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc
from libc.math cimport ceil
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from filterd.lists._matcher cimport MAX_FOUND, Found, Matcher

from filterd.server import _fastpath_py as reference

cdef extern from *:
    """
    static inline uint64_t filterd_fold(uint64_t a, uint64_t b) {
        __uint128_t product = (__uint128_t)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
    }
    """
    uint64_t fold "filterd_fold" (uint64_t a, uint64_t b) nogil

cdef enum:
    HEADER_OCTETS = 12
    MAX_NAME_OCTETS = 255
    MAX_LABEL_OCTETS = 63
    MOST_OPTIONS = 32
    LARGEST_QUERY = 4096
    LARGEST_REPLY = 1232
    MIN_UDP_SIZE = 512
    ENTRIES = 16384
    WAYS = 8
    CLIENTS = 4096
    CLIENT_WAYS = 4
    MOST_CLASSES = 1024
    MOST_ROWS = 64
    MOST_TEMPLATES = 256
    MOST_TALLIES = 8192
    MOST_OCTETS = 6 * 1024 * 1024
    MOST_LABELS = 24
    MOST_TTLS = 48
    COMPLEX = 0
    OPEN = 1
    BLOCK = 2
    UNKNOWN = 0  # states of a cell: those kinds and one more
    KNOWN = 1
    ASKED_RD = 1
    ASKED_CD = 2
    ASKED_AD = 4
    ASKED_DO = 8
    ASKED_OPT = 16
    TOUCH_SUBTREE = 1
    OPT = 41
    RESPONSE_STEPS = 256

assert (
    (ENTRIES, WAYS, CLIENTS, CLIENT_WAYS, MOST_CLASSES, MOST_ROWS, MOST_TEMPLATES, MOST_TALLIES)
    == (
        reference.ENTRIES,
        reference.WAYS,
        reference.CLIENTS,
        reference.CLIENT_WAYS,
        reference.MOST_CLASSES,
        reference.MOST_ROWS,
        reference.MOST_TEMPLATES,
        reference.MOST_TALLIES,
    )
)
assert (LARGEST_REPLY, MOST_OCTETS, MOST_LABELS, MOST_TTLS) == (
    reference.LARGEST_REPLY,
    reference.MOST_OCTETS,
    reference.MOST_LABELS,
    reference.MOST_TTLS,
)
assert (COMPLEX, OPEN, BLOCK) == (reference.COMPLEX, reference.OPEN, reference.BLOCK)
assert reference.NO_OPS == (3, 11, 12) and int(reference.Touch.SUBTREE) == TOUCH_SUBTREE


cdef class Core:
    """Tables of fixed size; see ``filterd.server._fastpath_py.Core``."""

    def __cinit__(self, bytes seed not None, uint64_t entries=ENTRIES):
        if PyBytes_GET_SIZE(seed) != 16:
            raise ValueError("a seed has 16 octets")
        memcpy(self._seed, PyBytes_AS_STRING(seed), 16)
        self._sets = 1
        while self._sets * WAYS < entries:
            self._sets *= 2
        self._entries = <Entry*>PyMem_Calloc(self._sets * WAYS, sizeof(Entry))
        self._clients = <Client*>PyMem_Calloc(CLIENTS, sizeof(Client))
        self._cells = <Cell**>PyMem_Calloc(MOST_ROWS, sizeof(Cell*))
        self._templates = <Template*>PyMem_Calloc(3 * MOST_TEMPLATES, sizeof(Template))
        self._counts = <uint64_t*>PyMem_Calloc(MOST_TALLIES, sizeof(uint64_t))
        if not (
            self._entries and self._clients and self._cells and self._templates and self._counts
        ):
            raise MemoryError
        self._sources = [None] * (self._sets * WAYS)
        self._hits = []
        self._first_labels = []

    def __dealloc__(self):
        cdef uint64_t index
        if self._entries:
            for index in range(self._sets * WAYS):
                PyMem_Free(self._entries[index].octets)
        if self._cells:
            for index in range(MOST_ROWS):
                PyMem_Free(self._cells[index])
        PyMem_Free(self._entries)
        PyMem_Free(self._clients)
        PyMem_Free(self._cells)
        PyMem_Free(self._templates)
        PyMem_Free(self._counts)
        PyMem_Free(self._touched)

    def forget(self):
        """Forget everything but what was counted."""
        cdef uint64_t index
        for index in range(self._sets * WAYS):
            self._drop(&self._entries[index])
        for index in range(MOST_ROWS):
            PyMem_Free(self._cells[index])
            self._cells[index] = NULL
        memset(self._clients, 0, CLIENTS * sizeof(Client))
        PyMem_Free(self._touched)
        self._touched, self._touched_mask, self._blob = NULL, 0, b""
        self._class_count = self._template_count = 0
        self._matcher, self._fill, self._first_labels = None, None, []

    def load(self, Matcher matcher not None, touched not None, first_labels, uint32_t set_count, fill):
        """Take what a site says, after ``forget``."""
        cdef uint64_t size = 16
        cdef bytes name
        while size < 2 * <uint64_t>len(touched):
            size *= 2
        self._blob = b"".join(touched)
        PyMem_Free(self._touched)
        self._touched = <Touched*>PyMem_Calloc(size, sizeof(Touched))
        if not self._touched:
            raise MemoryError
        self._touched_mask = size - 1
        place = 0
        for name, touch in touched.items():
            keep_touched(self, name, place, touch)
            place += len(name)
        self._first_labels = list(first_labels)
        self._set_count, self._fill = set_count, fill
        self._matcher = matcher

    def at(self, double now, double wall):
        """Set the times by which what follows is answered."""
        self._now, self._wall = now, wall
        self._turn += 1

    def add_class(self, int row):
        """Return the number of another class of clients; -1: full."""
        if self._class_count == MOST_CLASSES or not 0 <= row < MOST_ROWS:
            return -1
        self._row_of[self._class_count] = row
        self._class_count += 1
        return self._class_count - 1

    def add_template(self, bytes plain not None, bytes edns not None, bytes dnssec not None):
        """Return the number of another answer; -1: full."""
        cdef Template* template = &self._templates[3 * self._template_count]
        cdef bytes one
        if self._template_count == MOST_TEMPLATES:
            return -1
        for one in (plain, edns, dnssec):
            if not HEADER_OCTETS <= len(one) <= HEADER_OCTETS + sizeof(template.tail):
                raise ValueError("an answer from a template has a header and at most 114 octets")
        for one in (plain, edns, dnssec):
            template.octets = <uint16_t>(len(one) - HEADER_OCTETS)
            memcpy(template.head, PyBytes_AS_STRING(one), HEADER_OCTETS)
            memcpy(template.tail, PyBytes_AS_STRING(one) + HEADER_OCTETS, template.octets)
            template += 1
        self._template_count += 1
        return self._template_count - 1

    def learn(self, bytes address not None, uint32_t interface, int client_class, double until):
        """Remember the class of a client."""
        cdef int octets = <int>PyBytes_GET_SIZE(address)
        cdef Client* client
        if octets not in (4, 16) or not 0 <= client_class < self._class_count:
            raise ValueError("a client has an address and a class")
        client = self._client(<const uint8_t*>PyBytes_AS_STRING(address), octets, interface)
        client.until, client.interface, client.client_class = until, interface, client_class
        client.octets = octets
        memcpy(client.address, PyBytes_AS_STRING(address), octets)

    def class_of(self, bytes address not None, uint32_t interface):
        """Return the class of a client, -1 where it is not known."""
        cdef int octets = <int>PyBytes_GET_SIZE(address)
        if octets not in (4, 16):
            return -1
        return known_class(
            self, <const uint8_t*>PyBytes_AS_STRING(address), octets, interface
        )

    def note(
        self,
        int client_class,
        uint32_t flags,
        bytes reply not None,
        double until,
        double valid_until,
        uint32_t tally,
        source,
    ):
        """Keep an answer of the chain's; False where it is not of the kind that is kept."""
        cdef const uint8_t* octets = <const uint8_t*>PyBytes_AS_STRING(reply)
        cdef size_t length = PyBytes_GET_SIZE(reply)
        cdef uint16_t places[MOST_TTLS]
        cdef uint32_t least = 0
        cdef Question question
        cdef Entry* entry
        cdef int ttls
        cdef uint64_t hashed
        if not HEADER_OCTETS < length <= LARGEST_REPLY or octets[2] & 2:
            return False
        if not read_name(octets, length, &question) or tally >= MOST_TALLIES:
            return False
        ttls = find_ttls(octets, length, question.end, places, &least)
        if ttls <= 0:
            return False
        until = min(until, self._now + least)
        if until <= self._now or valid_until <= self._wall:
            return False
        question.flags = flags
        hashed = question_hash(self, &question, client_class)
        entry = self._place(&question, client_class, hashed)
        self._drop(entry)
        if self._octets + length > MOST_OCTETS:
            return False
        entry.octets = <uint8_t*>PyMem_Malloc(length + ttls * sizeof(uint16_t))
        if not entry.octets:
            raise MemoryError
        memcpy(entry.octets, octets, length)
        memcpy(entry.octets + length, places, ttls * sizeof(uint16_t))
        entry.hashed, entry.length, entry.ttls = hashed, <uint16_t>length, <uint16_t>ttls
        entry.noted_at, entry.until, entry.valid_until = self._now, until, valid_until
        entry.hits, entry.used_at, entry.tally = 0, self._turn, tally
        entry.client_class, entry.qtype, entry.flags = client_class, question.qtype, <uint8_t>flags
        entry.name_octets = <uint8_t>question.name_octets
        memcpy(entry.octets + HEADER_OCTETS, question.name, question.name_octets)
        self._octets += length
        self._sources[entry - self._entries] = source
        return True

    def answer(self, bytes message not None, bytes address not None, uint32_t interface):
        """Return the answer to a datagram, None where the chain must give it; for tests."""
        cdef uint8_t octets[LARGEST_QUERY]
        cdef size_t length = PyBytes_GET_SIZE(message)
        if length > LARGEST_QUERY or len(address) not in (4, 16):
            return None
        memcpy(octets, PyBytes_AS_STRING(message), length)
        length = self.answer_in_place(
            octets,
            length,
            <const uint8_t*>PyBytes_AS_STRING(address),
            <int>PyBytes_GET_SIZE(address),
            interface,
        )
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

    def take_hits(self):
        """Return how often answers were repeated that are no longer kept, by their source."""
        hits = self._hits
        if hits:
            self._hits = []
        return hits

    def gather_hits(self):
        """Let ``take_hits`` return those of answers that are still kept, too."""
        cdef uint64_t index
        for index in range(self._sets * WAYS):
            if self._entries[index].octets and self._entries[index].hits:
                source = self._sources[index]
                if source is not None:
                    self._hits.append((source, self._entries[index].hits))
                self._entries[index].hits = 0

    cdef size_t answer_in_place(
        self, uint8_t* message, size_t length, const uint8_t* address, int octets,
        uint32_t interface,
    ) except? 0:
        cdef Question asked
        cdef size_t answered
        cdef int client_class = known_class(self, address, octets, interface)
        self.recognised = client_class >= 0
        if client_class < 0 or not read_question(message, length, &asked):
            return 0
        answered = self._replay(message, &asked, client_class)
        if answered:
            return answered
        return self._by_table(message, &asked, client_class)

    cdef Client* _client(self, const uint8_t* address, int octets, uint32_t interface) noexcept:
        """Return where a client is kept, or where it may be put."""
        cdef uint64_t hashed = fold(self._seed[0] ^ interface, self._seed[1] ^ <uint64_t>octets)
        cdef Client* first
        cdef Client* oldest
        cdef int way
        hashed = fold(hashed, self._hash(address, octets) | 1)
        first = self._clients + CLIENT_WAYS * (hashed & (CLIENTS // CLIENT_WAYS - 1))
        oldest = first
        for way in range(CLIENT_WAYS):
            if (
                first[way].octets == octets
                and first[way].interface == interface
                and memcmp(first[way].address, address, octets) == 0
            ):
                return first + way
            if first[way].until < oldest.until:
                oldest = first + way
        return oldest

    cdef Entry* _find(self, const Question* asked, int client_class, uint64_t hashed) noexcept:
        """Return the entry of a question, NULL if there is none."""
        cdef Entry* first = self._entries + WAYS * (hashed >> 1 & (self._sets - 1))
        cdef int way
        for way in range(WAYS):
            if (
                first[way].hashed == hashed
                and first[way].octets
                and first[way].client_class == client_class
                and first[way].qtype == asked.qtype
                and first[way].flags == asked.flags
                and first[way].name_octets == asked.name_octets
                and memcmp(first[way].octets + HEADER_OCTETS, asked.name, asked.name_octets) == 0
            ):
                return first + way
        return NULL

    cdef Entry* _place(self, const Question* asked, int client_class, uint64_t hashed) noexcept:
        """Return where a question's answer is put: in its own place, a free or the oldest one."""
        cdef Entry* first = self._entries + WAYS * (hashed >> 1 & (self._sets - 1))
        cdef Entry* place = self._find(asked, client_class, hashed)
        cdef int way
        if place:
            return place
        place = first
        for way in range(WAYS):
            if not first[way].octets:
                return first + way
            if self._turn - first[way].used_at > self._turn - place.used_at:
                place = first + way
        return place

    cdef int _drop(self, Entry* entry) except -1:
        """Free an entry and report what it was used for."""
        cdef Py_ssize_t index = entry - self._entries
        if not entry.octets:
            return 0
        PyMem_Free(entry.octets)
        entry.octets = NULL
        self._octets -= entry.length
        source = self._sources[index]
        self._sources[index] = None
        if entry.hits and source is not None:
            self._hits.append((source, entry.hits))
        return 0

    cdef size_t _replay(
        self, uint8_t* message, const Question* asked, int client_class
    ) except? 0:
        cdef uint64_t hashed = question_hash(self, asked, client_class)
        cdef Entry* entry = self._find(asked, client_class, hashed)
        cdef uint16_t places[MOST_TTLS]
        cdef uint32_t age
        cdef int index
        if not entry:
            return 0
        if self._now >= entry.until or self._wall >= entry.valid_until:
            self._drop(entry)
            return 0
        if entry.length > asked.limit:
            return 0
        age = <uint32_t>ceil(self._now - entry.noted_at)
        memcpy(message + 2, entry.octets + 2, HEADER_OCTETS - 2)
        memcpy(message + asked.end, entry.octets + asked.end, entry.length - asked.end)
        memcpy(places, entry.octets + entry.length, entry.ttls * sizeof(uint16_t))
        for index in range(entry.ttls):
            put_u32(message + places[index], get_u32(message + places[index]) - age)
        entry.hits += 1
        entry.used_at = self._turn
        self._counts[entry.tally] += 1
        return entry.length

    cdef size_t _by_table(
        self, uint8_t* message, const Question* asked, int client_class
    ) except? 0:
        cdef Found found[MAX_FOUND]
        cdef Cell* cell
        cdef Cell best
        cdef const Template* template
        cdef int index, count
        if self._matcher is None or not asked.flags & ASKED_RD or self._is_touched(asked):
            return 0
        count = self._matcher.find(asked.name, asked.name_octets, found)
        best.state = OPEN
        best.rank = best.template = best.tally = 0
        for index in range(count):
            cell = self._cell(self._row_of[client_class], found[index].set_id)
            if cell.state == KNOWN + COMPLEX:
                return 0
            if cell.state == KNOWN + BLOCK and (best.state != BLOCK or cell.rank < best.rank):
                best = cell[0]
                best.state = BLOCK
        if best.state != BLOCK:
            return 0
        template = &self._templates[3 * best.template]
        if asked.flags & ASKED_OPT:
            template += 2 if asked.flags & ASKED_DO else 1
        if asked.end + template.octets > MIN_UDP_SIZE:
            return 0
        self._counts[best.tally] += 1
        message[2] = template.head[2] | message[2] & 0x01  # RD
        message[3] = template.head[3] | message[3] & 0x10  # CD
        memcpy(message + 4, template.head + 4, HEADER_OCTETS - 4)
        memcpy(message + asked.end, template.tail, template.octets)
        return asked.end + template.octets

    cdef bint _is_touched(self, const Question* asked) noexcept:
        """Tell whether anybody but a list may say anything of a name."""
        cdef size_t at = 0
        cdef int touch
        cdef bytes label
        if asked.labels < 2 or asked.labels > MOST_LABELS:
            return True
        for label in self._first_labels:
            if PyBytes_GET_SIZE(label) == asked.name[0] and memcmp(
                PyBytes_AS_STRING(label), asked.name + 1, asked.name[0]
            ) == 0:
                return True
        while asked.name[at]:
            touch = self._touch_of(asked.name + at, asked.name_octets - at)
            if touch & TOUCH_SUBTREE or (touch and at == 0):
                return True
            at += asked.name[at] + 1
        return False

    cdef int _touch_of(self, const uint8_t* name, size_t octets) noexcept:
        cdef const uint8_t* blob = <const uint8_t*>PyBytes_AS_STRING(self._blob)
        cdef uint64_t place = self._hash(name, octets) & self._touched_mask
        while self._touched[place].octets:
            if self._touched[place].octets == octets and memcmp(
                blob + self._touched[place].place, name, octets
            ) == 0:
                return self._touched[place].touch
            place = (place + 1) & self._touched_mask
        return 0

    cdef Cell* _cell(self, int row, uint32_t set_id) except NULL:
        """Return what a claim set means to a row; asked for where it is not known yet."""
        cdef Cell* cell
        if not self._cells[row]:
            self._cells[row] = <Cell*>PyMem_Calloc(self._set_count + 1, sizeof(Cell))
            if not self._cells[row]:
                raise MemoryError
        cell = &self._cells[row][min(set_id, self._set_count)]
        if cell.state == UNKNOWN:
            kind, rank, template, tally = (
                (COMPLEX, 0, 0, 0) if set_id >= self._set_count else self._fill(row, set_id)
            )
            if not (
                0 <= kind <= BLOCK
                and 0 <= template < MOST_TEMPLATES
                and (kind != BLOCK or template < self._template_count)
                and 0 <= tally < MOST_TALLIES
            ):
                raise ValueError("a cell of numbers that nobody handed out")
            cell.rank, cell.template, cell.tally = rank, template, tally
            cell.state = KNOWN + kind
        return cell

    cdef uint64_t _hash(self, const uint8_t* octets, size_t length) noexcept:
        """Hash with a key, so that nobody can choose what falls together."""
        cdef uint64_t state = self._seed[0] ^ length
        cdef uint64_t word
        while length >= 8:
            memcpy(&word, octets, 8)
            state = fold(state ^ word, self._seed[1])
            octets += 8
            length -= 8
        word = 0
        memcpy(&word, octets, length)
        state = fold(state ^ word, self._seed[1])
        return fold(state, self._seed[0])


cdef int keep_touched(Core core, bytes name, uint32_t place, int touch) except -1:
    cdef size_t octets = PyBytes_GET_SIZE(name)
    cdef uint64_t slot = core._hash(<const uint8_t*>PyBytes_AS_STRING(name), octets)
    slot &= core._touched_mask
    if octets > MAX_NAME_OCTETS:
        raise ValueError("a name has at most 255 octets")
    while core._touched[slot].octets:
        slot = (slot + 1) & core._touched_mask
    core._touched[slot].place, core._touched[slot].octets = place, <uint8_t>octets
    core._touched[slot].touch = <uint8_t>touch
    return 0


cdef int known_class(
    Core core, const uint8_t* address, int octets, uint32_t interface
) noexcept:
    cdef const Client* client = core._client(address, octets, interface)
    if (
        client.octets == octets
        and client.interface == interface
        and memcmp(client.address, address, octets) == 0
        and core._now < client.until
    ):
        return client.client_class
    return -1


cdef uint64_t question_hash(Core core, const Question* asked, int client_class) noexcept:
    cdef uint64_t others = (
        <uint64_t>asked.qtype << 48 | <uint64_t>asked.flags << 32 | <uint32_t>client_class
    )
    return fold(
        core._hash(asked.name, asked.name_octets) ^ core._seed[0], others ^ core._seed[1]
    ) | 1


cdef inline uint16_t get_u16(const uint8_t* octets) noexcept nogil:
    return <uint16_t>(octets[0] << 8 | octets[1])


cdef inline uint32_t get_u32(const uint8_t* octets) noexcept nogil:
    return <uint32_t>get_u16(octets) << 16 | get_u16(octets + 2)


cdef inline void put_u32(uint8_t* octets, uint32_t number) noexcept nogil:
    octets[0] = <uint8_t>(number >> 24)
    octets[1] = <uint8_t>(number >> 16)
    octets[2] = <uint8_t>(number >> 8)
    octets[3] = <uint8_t>number


cdef bint read_name(const uint8_t* message, size_t length, Question* question) noexcept nogil:
    """Read the one question behind a header, its name in lower case; no pointer is followed."""
    cdef size_t position = HEADER_OCTETS, size, index
    cdef uint8_t octet
    question.labels = 0
    while True:
        if position >= length:
            return False
        size = message[position]
        if size > MAX_LABEL_OCTETS or position + 1 + size - HEADER_OCTETS > MAX_NAME_OCTETS:
            return False
        if size == 0:
            break
        question.labels += 1
        position += 1 + size
    position += 1
    if position + 4 > length:
        return False
    question.name_octets = position - HEADER_OCTETS
    for index in range(question.name_octets):
        octet = message[HEADER_OCTETS + index]
        # A length octet is at most 63 and so never a capital letter.
        question.name[index] = octet + 32 if c"A" <= octet <= c"Z" else octet
    question.qtype = get_u16(message + position)
    question.end = position + 4
    return get_u16(message + position + 2) == 1


cdef bint read_question(const uint8_t* message, size_t length, Question* asked) noexcept nogil:
    """Read a question if it is of the kind that may be answered here (dns.md section 8)."""
    if length < HEADER_OCTETS or message[2] & ~1 or message[3] & ~0x30:
        return False
    if get_u16(message + 4) != 1 or get_u32(message + 6) or message[10] or message[11] > 1:
        return False
    if not read_name(message, length, asked):
        return False
    if asked.qtype == 0 or asked.qtype == OPT or 249 <= asked.qtype <= 255:
        return False
    asked.flags = (
        (ASKED_RD if message[2] & 1 else 0)
        | (ASKED_CD if message[3] & 0x10 else 0)
        | (ASKED_AD if message[3] & 0x20 else 0)
    )
    asked.limit = MIN_UDP_SIZE
    if message[11] == 0:
        return length == asked.end
    return read_opt(message + asked.end, length - asked.end, asked)


cdef bint read_opt(const uint8_t* opt, size_t length, Question* asked) noexcept nogil:
    """Read an OPT record that fills what is left, with options that change nothing only."""
    cdef size_t at = 11
    cdef uint16_t code
    cdef int options = 0
    if length < 11 or opt[0] or get_u16(opt + 1) != OPT:
        return False
    if opt[5] or opt[6] or opt[7] & 0x7F or opt[8] or get_u16(opt + 9) != length - 11:
        return False
    while at < length:
        if length - at < 4 or options == MOST_OPTIONS:
            return False
        code = get_u16(opt + at)
        if code != 3 and code != 11 and code != 12:
            return False
        at += 4 + get_u16(opt + at + 2)
        options += 1
    if at != length:
        return False
    asked.flags |= ASKED_OPT | (ASKED_DO if opt[7] & 0x80 else 0)
    asked.limit = min(max(<size_t>MIN_UDP_SIZE, <size_t>get_u16(opt + 3)), <size_t>LARGEST_REPLY)
    return True


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


def read(bytes message not None):
    """Read a question if it may be answered here, as ``_fastpath_py.read``; for tests."""
    cdef Question asked
    if not read_question(
        <const uint8_t*>PyBytes_AS_STRING(message), PyBytes_GET_SIZE(message), &asked
    ):
        return None
    name = PyBytes_FromStringAndSize(<const char*>asked.name, asked.name_octets)
    return reference.Asked(name, asked.qtype, asked.flags, asked.end, asked.limit)
