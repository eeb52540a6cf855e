# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""What ``_datagrams`` asks the fast path without making Python objects, in steps that overlap.

An answer waits for memory three times: for where it may be kept, for what is
kept there or the slots of the index, and for a block of the index. So ``begin``
is called for all datagrams at hand, then ``look`` for all, then ``approach`` for
all, then ``finish`` for each.
"""

cimport cython
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from filterd.lists._search cimport Search
from filterd.fastpath._question cimport Question
from filterd.fastpath._packet_cache cimport Replay
from filterd.fastpath._decision_cells cimport Table

cdef enum:
    MOST_CLASSES = 1024

cdef enum Step:  # what is known of a question so far
    FOR_THE_CHAIN
    READ
    KEPT_PERHAPS
    LISTED_PERHAPS
    OPEN_TO_ASK  # neither lists nor anybody else says a thing against it

cdef struct Client:  # ``octets`` of its address, 4 or 16, that are the words; 0: nobody
    uint64_t high
    uint64_t low
    double until
    uint32_t interface
    uint16_t client_class
    uint16_t octets

cdef struct Class:  # clients who are the same to every rule
    uint8_t row
    uint16_t opening  # as which a name is counted that no list names

cdef struct Asking:  # one datagram on the way to its answer
    int client_class  # -1: not known
    int opening  # of a question that is OPEN_TO_ASK
    Step step
    uint32_t epoch
    uint64_t hashed
    int64_t place
    Question question
    Search search

@cython.final
@cython.no_gc  # what holds a buffer must not be cleared before it is released
cdef class Word:  # somebody else's, of eight octets
    cdef Py_buffer _buffer

    cdef uint64_t value(self) noexcept
    cdef double number(self) noexcept

@cython.final
cdef class Core:
    cdef readonly Replay replay
    cdef readonly Table table
    cdef readonly int client_class  # of who sent the last one; -1: not known
    cdef readonly int opening  # of the last question, if it was open to be asked; else -1
    cdef public double house_at
    cdef uint64_t _key[2]
    cdef readonly object site  # that everything here was made of; None: of nothing
    cdef object _surroundings, _version, _tell_wall
    cdef Word _word  # in which ``_value`` is while the site is in force
    cdef Word _lead  # what the wall clock leads the other by; 0: it must be asked
    cdef uint64_t _value
    cdef double _since, _until
    cdef double _now, _wall, _drift_s
    cdef readonly uint32_t epoch  # another one whenever everything was forgotten
    cdef Client* _clients
    cdef uint64_t* _counts
    cdef int _class_count
    cdef Class _classes[MOST_CLASSES]

    cdef bint _holds(self, double now) except -1
    cpdef at(self, double now, double wall)
    # Tell whether what everything was made of still is in force.
    cpdef bint holds(self, double now) noexcept
    # Tell whether ``FastPath.keep_house`` has something to do.
    cdef bint is_house_due(self, double now) noexcept

    cdef void begin(
        self, Asking* asking, const uint8_t* message, size_t length, const uint8_t* address,
        int octets, uint32_t interface,
    ) noexcept nogil
    cdef void look(self, Asking* asking) noexcept nogil
    cdef void approach(self, Asking* asking) noexcept nogil
    # Answer in the message, which has room for LARGEST_ANSWER octets; return how long
    # the answer is, 0 where the chain must give it.
    cdef size_t finish(self, Asking* asking, uint8_t* message) except? 0

    # Tell whether nobody says a thing against a name that an answer leads to.
    cpdef bint lets_through(self, bytes name, int client_class) except -1
    # Count an answer that was given by what is known here.
    cpdef void count(self, uint32_t tally) noexcept

    cdef size_t _by_table(self, Asking* asking, uint8_t* message, uint32_t* tally) except? 0
    cdef Client* _place_of(
        self, const uint8_t* address, int octets, uint32_t interface, Client* who
    ) noexcept nogil
    cdef int _class_of(
        self, const uint8_t* address, int octets, uint32_t interface
    ) noexcept nogil
