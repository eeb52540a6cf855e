# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""The fast path as ``_datagrams`` calls it, without Python objects, in steps that overlap.

An answer waits for memory three times: for where it may be kept, for what is
kept there or the slots of the index, and for a block of the index. So ``begin``
is called for all datagrams at hand, then ``look`` for all, then ``approach`` for
all, then ``finish`` for each.
"""

cimport cython
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from filterd.fastpath._lookalike_shapes cimport Skeletons
from filterd.fastpath._question cimport HEADER_OCTETS, Question
from filterd.lists._matcher cimport Found, Matcher, Search

cdef enum:
    NO_PLACE = -1
    SHORT_OCTETS = 195  # a reply of SHORT_REPLY octets and where the TTLs in it are; fills four lines
    MOST_GROUPS = 1024
    MOST_ROWS = 64
    MOST_TEMPLATES = 256
    MOST_OPENINGS = 4096
    MOST_FIRST_LABELS = 8
    MOST_DEVICES = 15
    TAIL_OCTETS = 114  # what may follow the question in a template: three records

cdef struct Kept:
    double noted_at
    double until
    double valid_until
    uint8_t* apart  # where a longer reply and the places of its TTLs are
    uint32_t hits
    uint32_t used_at
    uint32_t tally
    uint32_t epoch
    uint32_t cap_ttl_s
    uint16_t client_group
    uint16_t qtype
    uint16_t length
    uint8_t ttls
    uint8_t flags
    uint8_t name_octets
    uint8_t octets[SHORT_OCTETS]

# ``fetch`` for all questions at hand, then ``place_of`` for all, then ``answer`` for each:
# what each of them reads is on its way from memory while the others' is used.
@cython.final
cdef class Replay:
    cdef uint64_t _key[2]
    cdef double _now, _wall
    cdef void* _memory[3]
    cdef uint64_t* _hashes  # of what is kept, a set to a line of the cache; 0 where nothing is
    cdef Kept* _kept  # by slot
    cdef uint32_t* _slots  # by place
    cdef uint32_t* _free  # slots that were used before, the last one first
    cdef uint64_t _free_count
    cdef uint64_t _touched  # so many slots, the first ones, have been used
    cdef uint64_t _sets
    cdef uint64_t _swept
    cdef uint64_t _unfreed  # so many places, the first ones, may hold what is forgotten
    cdef uint32_t _turn
    cdef uint32_t _epoch  # counts how often all was forgotten
    cdef size_t _octets
    cdef list _sources, _hits

    # Set the times for the next answers and notes.
    cpdef at(self, double now, double wall)
    # Return whether an answer may be kept that was asked for once.
    cpdef bint has_room(self) noexcept
    # Return whether ``take_hits`` would return any.
    cdef bint has_hits(self) noexcept
    # Hash a question and fetch its set.
    cdef uint64_t fetch(self, const Question* asked, int client_group) noexcept nogil
    # Return where the answer may be, and fetch it; NO_PLACE if it is nowhere.
    cdef int64_t place_of(self, uint64_t hashed) noexcept nogil
    # Answer in the message, which has room for LARGEST_ANSWER octets; return the length
    # of the answer, 0 where none is valid. ``tally``: where it is counted.
    cdef size_t answer(
        self, int64_t place, uint64_t hashed, uint8_t* message, const Question* asked,
        int client_group, uint32_t* tally,
    ) except? 0

    cdef bint _is_forgotten(self, const Kept* kept) noexcept nogil
    cdef bint _has_ended(self, const Kept* kept) noexcept nogil
    cdef bint _is_of(
        self, int64_t place, uint64_t hashed, const Question* asked, int client_group
    ) noexcept nogil
    cdef int64_t _new_place(self, uint64_t hashed) noexcept nogil
    cdef int _free_some(self) except -1
    cdef int _drop(self, int64_t place) except -1
    cdef Kept* _kept_at(self, uint64_t place) noexcept nogil
    cdef void _take_slot(self, uint64_t place) noexcept nogil
    cdef int _report(self, int64_t place) except -1

cdef enum Kind:  # the decision for a claim set and a row
    COMPLEX = 0
    OPEN = 1
    BLOCK = 2

cdef struct Cell:
    uint8_t state
    uint8_t rank
    uint16_t template  # of an open one: its opening
    uint32_t tally

cdef struct Template:
    uint16_t octets
    uint8_t head[HEADER_OCTETS]
    uint8_t tail[TAIL_OCTETS]

cdef struct Touched:
    uint32_t place  # of the name in all that are touched
    uint32_t check  # more of its hash
    uint8_t octets  # 0: free
    uint8_t touch

@cython.final
cdef class Table:
    cdef readonly Matcher matcher  # None: there is nothing to answer from
    cdef uint64_t _key[2]
    cdef Cell** _cells
    cdef Template* _templates
    cdef Touched* _touched
    cdef uint64_t _touched_mask
    cdef Skeletons _skeletons
    cdef uint32_t _set_count
    cdef int _template_count
    cdef int _first_label_count
    cdef uint8_t _first_labels[MOST_FIRST_LABELS][64]
    cdef bytes _names
    cdef const uint8_t* _name_octets  # theirs
    cdef object _fill
    cdef uint64_t _emptied  # how often

    # Return whether the lists alone may decide a question.
    cdef bint is_plain(self, const Question* asked) noexcept nogil
    # Return the decision of what was found for a row. ``deciding``: BLOCK, the cell that
    # blocks; OPEN, the one under which it is counted; none where nothing was found.
    cdef Kind judge(self, const Found* found, int count, int row, Cell** deciding) except? COMPLEX
    # Write a block over the message, which has room for 512 octets; return its length, 0
    # where the chain must write it.
    cdef size_t write(self, const Cell* block, uint8_t* message, const Question* asked) noexcept nogil
    # The same decision for a name that an answer leads to.
    cdef bint lets_through(self, bytes name, int row) except -1

    cdef bint _is_touched(self, const Question* asked) noexcept nogil
    cdef int _touch_of(self, const uint8_t* name, size_t octets, uint64_t hashed) noexcept nogil
    cdef int _keep_touched(self, bytes name, uint32_t place, int touch) except -1
    cdef Cell* _cell(self, int row, uint32_t set_id) except NULL
    cdef int _ask(self, int row, uint32_t index) except -1

cdef enum Step:  # what is known of a question so far
    FOR_THE_CHAIN
    READ
    KEPT_PERHAPS
    LISTED_PERHAPS
    OPEN_TO_ASK  # no list and no rule concerns it

cdef struct Client:  # ``octets`` of its address, 4 or 16, that are the words; 0: no client
    uint64_t high
    uint64_t low
    double until
    uint32_t interface
    uint16_t client_group
    uint16_t octets

cdef struct ClientGroup:  # clients that are the same to every rule
    uint8_t row
    uint16_t opening  # under which a name is counted that no list has
    bint is_counted

cdef struct Counted:  # how often clients of a group were answered by a tally
    uint32_t key  # of both; 0: free
    uint32_t devices  # so many in ``seen``
    uint64_t n
    uint16_t seen[MOST_DEVICES]  # distinct clients, by the numbers that ``learn`` got

cdef struct Asking:  # one datagram on the way to its answer
    int client_group  # -1: not known
    uint16_t device  # of a client whose group is known; 0: not known
    int opening  # of a question that is OPEN_TO_ASK
    Step step
    bint is_read  # ``question`` is: the message is a well-formed query
    uint32_t epoch
    uint64_t hashed
    int64_t place
    Question question
    Search search

@cython.final
@cython.no_gc  # what holds a buffer must not be cleared before it is released
cdef class Word:  # eight octets that another object owns
    cdef Py_buffer _buffer

    cdef uint64_t value(self) noexcept
    cdef double number(self) noexcept

@cython.final
cdef class Core:
    cdef readonly Replay replay
    cdef readonly Table table
    cdef readonly int client_group  # of the sender of the last one; -1: not known
    cdef readonly int opening  # of the last question, if it was open to be asked; else -1
    cdef public double house_at
    cdef uint64_t _key[2]
    cdef readonly object site  # of which everything here was made; None: there is none
    cdef object _surroundings, _version, _tell_wall
    cdef Word _word  # in which ``_value`` is while the site is in force
    cdef Word _lead  # wall clock minus monotonic clock; 0: it must be asked
    cdef uint64_t _value
    cdef double _since, _until
    cdef double _now, _wall, _drift_s
    cdef readonly uint32_t epoch  # another one whenever everything was forgotten
    cdef Client* _clients
    cdef uint16_t* _devices  # by place in _clients
    cdef Counted* _counted
    cdef uint64_t* _uncelled  # by tally: what had no room in _counted
    cdef int _group_count
    cdef ClientGroup _groups[MOST_GROUPS]

    cdef bint _holds(self, double now) except -1
    cpdef at(self, double now, double wall)
    # Return whether the site is still in force.
    cpdef bint holds(self, double now) noexcept
    # Return whether ``FastPath.keep_house`` is due.
    cdef bint is_house_due(self, double now) noexcept

    cdef void begin(
        self, Asking* asking, const uint8_t* message, size_t length, const uint8_t* address,
        int octets, uint32_t interface,
    ) noexcept nogil
    cdef void look(self, Asking* asking) noexcept nogil
    cdef void approach(self, Asking* asking) noexcept nogil
    # Answer in the message, which has room for LARGEST_ANSWER octets; return the length
    # of the answer, 0 where the chain must give it.
    cdef size_t finish(self, Asking* asking, uint8_t* message) except? 0

    # Return whether no list and no rule concerns a name that an answer leads to.
    cpdef bint lets_through(self, bytes name, int client_group) except -1
    # Count an answer that was given from here.
    cdef void count(self, uint32_t tally, int client_group, uint16_t device) noexcept nogil

    cdef size_t _by_table(self, Asking* asking, uint8_t* message, uint32_t* tally) except? 0
    cdef Client* _place_of(
        self, const uint8_t* address, int octets, uint32_t interface, Client* described
    ) noexcept nogil
    cdef int _group_of(
        self, const uint8_t* address, int octets, uint32_t interface, uint16_t* device
    ) noexcept nogil
