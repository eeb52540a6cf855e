# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""What ``_core`` asks of the table of blocks."""

cimport cython
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from filterd.lists._matcher cimport Found, Matcher
from filterd.fastpath._question cimport HEADER_OCTETS, Question
from filterd.fastpath._lookalike_shapes cimport Skeletons

cdef enum:
    MOST_ROWS = 64
    MOST_TEMPLATES = 256
    MOST_OPENINGS = 4096
    MOST_FIRST_LABELS = 8
    TAIL_OCTETS = 114  # what may follow the question in a template: three records

cdef enum Kind:  # what a claim set means to a row
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

    # Tell whether the lists alone may speak of a question.
    cdef bint is_plain(self, const Question* asked) noexcept nogil
    # Return what was found means to a row. BLOCK: ``deciding`` is the cell by which it is
    # blocked; OPEN: the one as which it is counted; none is where nothing was found.
    cdef Kind judge(self, const Found* found, int count, int row, Cell** deciding) except? COMPLEX
    # Write a block over the message, which has room for 512 octets; return how long it is,
    # 0 where the chain must write it.
    cdef size_t write(self, const Cell* block, uint8_t* message, const Question* asked) noexcept nogil
    # The same judgement of a name that an answer leads to.
    cdef bint lets_through(self, bytes name, int row) except -1

    cdef bint _is_touched(self, const Question* asked) noexcept nogil
    cdef int _touch_of(self, const uint8_t* name, size_t octets, uint64_t hashed) noexcept nogil
    cdef int _keep_touched(self, bytes name, uint32_t place, int touch) except -1
    cdef Cell* _cell(self, int row, uint32_t set_id) except NULL
    cdef int _ask(self, int row, uint32_t index) except -1
