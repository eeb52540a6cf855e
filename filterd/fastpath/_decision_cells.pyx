# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Blocks by the lists alone, for names seen before or not.

What a claim set means to a row of the decision table, where that is plain
(``filterd.policy.plain_sets``), is a cell; a name that only plain cells concern is
answered here. A name that anything but a list may concern is *touched*, and the chain's;
so is one that may be a look-alike (``filterd.lists.lookalikes``), whatever the lists have.
Rows, templates, openings and tallies are small numbers that the filler gives out.

Memory safety. Rows, templates and first labels have fixed bounds; a row's cells
are as many as the index has claim sets, and one that is not among them is the
chain's. What the filler says is checked once, when a cell is filled.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

from filterd.lists._matcher cimport MAX_FOUND, Found, Matcher
from filterd.fastpath._hashing cimport hash_label
from filterd.fastpath._question cimport (
    ASKED_DO,
    ASKED_OPT,
    ASKED_RD,
    HEADER_OCTETS,
    MAX_LABEL_OCTETS,
    MAX_NAME_OCTETS,
    MIN_UDP_SIZE,
    WHOLE_WORDS,
    Question,
    put_name,
)
from filterd.fastpath._lookalike_shapes cimport forget_skeletons, has_skeleton, keep_skeletons

from filterd.fastpath import core_contract as contract
from filterd.policy.plain_sets import Touch

cdef enum:
    MOST_LABELS = 24  # a name of more is looked up by the chain: the work on one is bounded
    UNKNOWN = 0  # states of a cell: those kinds and one more
    KNOWN = 1
    TOUCH_SUBTREE = 1
    RD = 0x01
    CD = 0x10

assert (MOST_ROWS, MOST_OPENINGS) == (contract.MOST_ROWS, contract.MOST_OPENINGS)
assert (COMPLEX, OPEN, BLOCK) == (contract.COMPLEX, contract.OPEN, contract.BLOCK)
assert int(Touch.SUBTREE) == TOUCH_SUBTREE


@cython.final
cdef class Table:
    """Cells by row and claim set, and what a block looks like.

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
        """Take what a site says, after ``forget``.

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
        """Return the number of another answer: header and what follows the question; -1: full.

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
        """Tell whether anybody but a list may say anything of a name, or more than it names."""
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
        """Return what a claim set means to a row; asked for where it is not known yet."""
        cdef uint32_t index = min(set_id, self._set_count)
        if not self._cells[row]:
            self._cells[row] = <Cell*>PyMem_Calloc(self._set_count + 1, sizeof(Cell))
            if not self._cells[row]:
                raise MemoryError
        if self._cells[row][index].state == UNKNOWN:
            self._ask(row, index)
        return &self._cells[row][index]

    cdef int _ask(self, int row, uint32_t index) except -1:
        """Let the filler say what a cell is; the last of a row is what no claim set has."""
        cdef int kind = COMPLEX, rank = 0, template = 0
        cdef uint32_t tally = 0
        cdef Cell* cells = self._cells[row]
        if index < self._set_count:
            kind, rank, template, tally = self._fill(row, index)
        if not (
            0 <= kind <= BLOCK
            and 0 <= rank <= 255
            and 0 <= template < MOST_OPENINGS
            and (kind != BLOCK or template < self._template_count)
        ):
            raise ValueError("a cell of numbers that nobody handed out")
        if self._cells[row] != cells:
            raise RuntimeError("the table was emptied while a cell of it was filled")
        cells[index].rank, cells[index].template = <uint8_t>rank, <uint16_t>template
        cells[index].tally, cells[index].state = tally, <uint8_t>(KNOWN + kind)
        return 0
