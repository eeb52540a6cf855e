# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""What ``_datagrams`` asks the fast path without making Python objects."""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from filterd.lists._matcher cimport Matcher

cdef enum:
    HASHED_OCTETS = 288  # a name of 255 octets, what else is hashed, and whole words

cdef struct Question:  # that was asked, if ``end`` is not 0
    size_t end  # of its section
    size_t name_octets
    size_t limit
    uint32_t flags
    uint32_t labels
    uint16_t qtype
    uint8_t name[HASHED_OCTETS]  # lower-case; then what else is hashed

cdef struct Cell:
    uint8_t state
    uint8_t rank
    uint16_t template
    uint32_t tally

cdef struct Template:
    uint16_t octets
    uint8_t head[12]
    uint8_t tail[114]

cdef struct Client:
    double until
    uint32_t interface
    int client_class
    int octets
    uint8_t address[16]

cdef struct Entry:
    uint64_t hashed
    uint8_t* octets  # the reply, then the places of its TTLs
    double noted_at
    double until
    double valid_until
    uint64_t hits
    uint32_t used_at
    uint32_t tally
    int client_class
    uint16_t length
    uint16_t ttls
    uint16_t qtype
    uint8_t flags
    uint8_t name_octets

cdef struct Touched:
    uint32_t place  # in the blob, of the name; its length is told by its labels
    uint8_t octets  # 0: free
    uint8_t touch

cdef class Core:
    cdef uint64_t _seed[2]
    cdef double _now, _wall
    cdef Entry* _entries
    cdef Client* _clients
    cdef Cell** _cells
    cdef Template* _templates
    cdef uint64_t* _counts
    cdef Touched* _touched
    cdef uint64_t _sets, _touched_mask
    cdef uint32_t _set_count, _turn
    cdef size_t _octets
    cdef int _class_count, _template_count
    cdef int _row_of[1024]
    cdef Matcher _matcher
    cdef bytes _blob
    cdef list _first_labels, _sources, _hits
    cdef object _fill
    cdef readonly bint recognised  # whether the last one's class was known

    # Answer a datagram in the buffer where it stands, which has room for at least
    # LARGEST_REPLY; return how long the answer is, 0 where the chain must give it.
    cdef size_t answer_in_place(
        self, uint8_t* message, size_t length, const uint8_t* address, int octets,
        uint32_t interface,
    ) except? 0
    cdef Client* _client(self, const uint8_t* address, int octets, uint32_t interface) noexcept
    cdef Entry* _find(self, const Question* asked, int client_class, uint64_t hashed) noexcept
    cdef Entry* _place(self, const Question* asked, int client_class, uint64_t hashed) noexcept
    cdef int _drop(self, Entry* entry) except -1
    cdef size_t _replay(
        self, uint8_t* message, const Question* asked, int client_class
    ) except? 0
    cdef size_t _by_table(
        self, uint8_t* message, const Question* asked, int client_class
    ) except? 0
    cdef bint _is_touched(self, const Question* asked) noexcept
    cdef int _touch_of(self, const uint8_t* name, size_t octets) noexcept
    cdef Cell* _cell(self, int row, uint32_t set_id) except NULL
    cdef uint64_t _hash(self, const uint8_t* octets, size_t length) noexcept
