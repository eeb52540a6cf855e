# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Reading messages in C: the same values and errors as ``_codec_py``, which explains them.

Memory safety. A message is at most 65535 octets and is read through ``_octets``
alone; records are places in it that were found to lie within it. Values for
Python are made only when somebody asks for them.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memset

from filterd.wire._names cimport (
    HEADER_OCTETS,
    Name,
    MAX_STEPS,
    OCTETS_A_STEP,
    Names,
    close_names,
    expand_name,
    know,
    open_names,
    steps_for,
)
from filterd.wire._octets cimport (
    COSTLY,
    COUNT,
    EDNS,
    NO_MEMORY,
    TRUNCATED,
    Octets,
    Place,
    lower,
    stop,
    two_octets,
)
from filterd.wire._queries cimport (
    MAX_ADDITIONAL,
    MAX_QUERY_OCTETS,
    MAX_QUERY_STEPS,
    QueryAt,
    read_query,
)
from filterd.wire._records cimport (
    ADDITIONAL,
    FIXED_OCTETS,
    MAX_OPTIONS,
    OPT,
    OPTION_HEADER_OCTETS,
    QUESTION_FIXED_OCTETS,
    RecordAt,
    check_edns,
    is_plain_edns,
    read_question,
    read_record,
)

from filterd import errors
from filterd.wire import cursor
from filterd.wire import parsed_query as queries
from filterd.wire import response as responses
from filterd.wire.edns import MAX_OPTIONS as _MAX_OPTIONS
from filterd.wire.edns import Edns as _Edns
from filterd.wire.header import Header as _Header
from filterd.wire.parsed_query import ParsedQuery as _ParsedQuery
from filterd.wire.question import Question as _Question
from filterd.wire.record import Record as _Record

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        object (*tp_new)(PyTypeObject*, object, object)
    PyTypeObject PyTuple_Type

cdef enum:
    TC = 0x0200
    DO = 0x8000
    RCODE_MASK = 0x000F
    RECORD_OCTETS = 11
    MAX_MESSAGE_OCTETS = 65535
    LARGEST_SIZE = 0x7FFFFFFF

cdef uint32_t max_records = responses.MAX_RECORDS
cdef type Edns = _Edns, Header = _Header, ParsedQuery = _ParsedQuery, Question = _Question
cdef type Record = _Record
cdef dict _no_keywords = {}

assert _MAX_OPTIONS == MAX_OPTIONS
assert (cursor.MAX_STEPS, cursor.OCTETS_A_STEP) == (MAX_STEPS, OCTETS_A_STEP)
assert (queries.MAX_QUERY_OCTETS, queries.MAX_ADDITIONAL, queries.MAX_STEPS) == (
    MAX_QUERY_OCTETS,
    MAX_ADDITIONAL,
    MAX_QUERY_STEPS,
)

cdef tuple _errors = (
    None,
    (errors.TruncatedMessageError, "something runs past the end"),
    (errors.BadLabelError, "a label or name that is too long or of no type in use"),
    (errors.BadPointerError, "a pointer that does not aim back into a name"),
    (errors.BadCountError, "counts, lengths and octets disagree"),
    (errors.BadEdnsError, "OPT is malformed, repeated or out of place"),
    (errors.CostlyMessageError, "the message takes too much work to read"),
    (errors.WireError, "what cannot be used"),
)


cdef object wrong(const Place* place):
    """Return the error for a fault."""
    if place.fault == NO_MEMORY:
        return MemoryError()
    kind, reason = _errors[<int>place.fault]
    return kind(reason, place.offset)


cdef object named(type cls, tuple values):
    """Make a named tuple from its values, without going through its Python constructor."""
    return PyTuple_Type.tp_new(<PyTypeObject*>cls, (values,), _no_keywords)


cdef bytes lowered(const uint8_t* octets, uint32_t size):
    """Return octets as lower-case."""
    cdef bytes copied = PyBytes_FromStringAndSize(NULL, size)
    cdef uint8_t* to = <uint8_t*>PyBytes_AS_STRING(copied)
    cdef uint32_t at
    for at in range(size):
        to[at] = lower(octets[at])
    return copied


cdef bytes copied(const uint8_t* octets, uint32_t size):
    """Return octets as they are."""
    return PyBytes_FromStringAndSize(<const char*>octets, size)


cdef Octets octets_of(bytes message) noexcept:
    """Return where a message stands, which must be kept; a size beyond 31 bits is cut to that."""
    cdef Py_ssize_t octets = min(PyBytes_GET_SIZE(message), <Py_ssize_t>LARGEST_SIZE)
    return Octets(<const uint8_t*>PyBytes_AS_STRING(message), <uint32_t>octets)


cdef object header_of(const Octets* message):
    """Return the header of a message that has one."""
    cdef const uint8_t* at = message.start
    cdef tuple values = (
        two_octets(at),
        two_octets(at + 2),
        two_octets(at + 4),
        two_octets(at + 6),
        two_octets(at + 8),
        two_octets(at + 10),
    )
    return named(Header, values)


cdef object question_of(const Octets* message, uint32_t end):
    """Return the question that was found to end at ``end``."""
    cdef const uint8_t* wire = message.start + HEADER_OCTETS
    cdef uint32_t octets = end - HEADER_OCTETS, fixed = octets - QUESTION_FIXED_OCTETS
    cdef tuple values = (
        lowered(wire, fixed),
        two_octets(wire + fixed),
        two_octets(wire + fixed + 2),
        copied(wire, octets),
    )
    return named(Question, values)


cdef object edns_of(const Octets* message, const RecordAt* opt):
    """Return what an OPT record says that was found to be well-formed."""
    cdef const uint8_t* ttl = message.start + opt.fixed + 4
    cdef uint32_t flags = two_octets(ttl + 2), position = opt.fixed + FIXED_OCTETS
    cdef uint32_t end = position + opt.rdlength, size
    cdef tuple options = ()
    cdef list found
    if opt.rdlength and ttl[1] == 0:
        found = []
        while position < end:
            size = two_octets(message.start + position + 2)
            found.append(
                (
                    two_octets(message.start + position),
                    copied(message.start + position + OPTION_HEADER_OCTETS, size),
                )
            )
            position += OPTION_HEADER_OCTETS + size
        options = tuple(found)
    return named(Edns, (opt.rclass, ttl[1], flags & DO != 0, ttl[0], flags, options))


cdef object record_of(ParsedResponse response, const RecordAt* place):
    """Return a record for Python."""
    cdef tuple values = (
        lowered(response.names.texts + place.owner.at, place.owner.length),
        place.rtype,
        place.rclass,
        place.ttl,
        place.section,
        place.start,
        place.fixed + 4,
        place.fixed + FIXED_OCTETS,
        place.rdlength,
    )
    return named(Record, values)


# Queries.


def parse_query(bytes message not None):
    """Read a whole query; see ``filterd.wire.parsed_query.parse_query``."""
    cdef Octets octets = octets_of(message)
    cdef QueryAt query
    cdef Place place
    if not read_query(&octets, &query, &place):
        raise wrong(&place)
    return named(
        ParsedQuery,
        (
            header_of(&octets),
            question_of(&octets, query.question_end),
            edns_of(&octets, &query.opt) if query.has_edns else None,
            query.tsig,
        ),
    )


# Responses.


@cython.no_gc
cdef class ParsedResponse:
    # Nothing that it holds leads back to it; so the collector never takes its message from it.

    def __init__(self):
        raise TypeError("a response is made by parse_response")

    def __cinit__(self):
        memset(&self.names, 0, sizeof(Names))
        self.places = NULL
        self.count = self.question_end = 0
        self.has_edns = False

    def __dealloc__(self):
        close_names(&self.names)
        PyMem_Free(self.places)

    @property
    def header(self):
        """The header."""
        if self._header is None:
            self._header = header_of(&self.octets)
        return self._header

    @property
    def question(self):
        """The question, None where the responder left it out."""
        if self._question is None and self.question_end:
            self._question = question_of(&self.octets, self.question_end)
        return self._question

    @property
    def records(self):
        """All records but OPT."""
        cdef uint32_t number
        if self._records is None:
            self._records = tuple(
                [record_of(self, self.places + number) for number in range(self.count)]
            )
        return self._records

    @property
    def edns(self):
        """The OPT record, None if there is none."""
        if self._edns is None and self.has_edns:
            self._edns = edns_of(&self.octets, &self.opt)
        return self._edns

    @property
    def rcode(self):
        """All twelve bits of the response code."""
        return rcode_of(self)

    @property
    def steps_left(self):
        """What is left of the message's budget."""
        return self.names.steps_left

    def spend(self, int steps, uint32_t offset):
        """Take steps from the message's budget."""
        cdef Place place
        self.names.steps_left -= steps
        if self.names.steps_left < 0:
            self.names.steps_left = -1
            stop(&place, COSTLY, offset)
            raise wrong(&place)

    def expand_name(self, uint32_t offset):
        """Read the possibly compressed name at an offset as it is written, and where it ends."""
        cdef Place place
        cdef Name name
        cdef uint32_t end
        if not expand_name(&self.names, &self.octets, offset, &name, &end, &place):
            raise wrong(&place)
        return copied(self.names.texts + name.at, name.length), end

    def read_name(self, uint32_t offset):
        """Read the possibly compressed name at an offset, in canonical form, and where it ends."""
        cdef Place place
        cdef Name name
        cdef uint32_t end
        if not expand_name(&self.names, &self.octets, offset, &name, &end, &place):
            raise wrong(&place)
        return lowered(self.names.texts + name.at, name.length), end


cdef int rcode_of(ParsedResponse response) noexcept:
    """Return all twelve bits of the response code."""
    cdef int rcode = response.octets.start[3] & RCODE_MASK
    if response.has_edns:
        rcode |= <int>response.octets.start[response.opt.fixed + 4] << 4
    return rcode


def parse_response(bytes message not None):
    """Read a whole response; see ``filterd.wire.response.parse_response``."""
    cdef ParsedResponse response = ParsedResponse.__new__(ParsedResponse)
    cdef Place place
    response.message = message
    response.octets = octets_of(message)
    if not read_response(response, &place):
        raise wrong(&place)
    return response


cdef int read_response(ParsedResponse response, Place* place) noexcept:
    """Read what makes a response well-formed."""
    cdef Octets* message = &response.octets
    cdef uint32_t offset = HEADER_OCTETS, questions
    if PyBytes_GET_SIZE(response.message) > MAX_MESSAGE_OCTETS:
        return stop(place, COSTLY, 0)
    if message.size < HEADER_OCTETS:
        return stop(place, TRUNCATED, 0)
    questions = two_octets(message.start + 4)
    if questions > 1:
        return stop(place, COUNT, 0)
    if questions:
        if not read_question(message, &offset, place):
            return 0
        response.question_end = offset
    if not open_names(&response.names, message, steps_for(message.size)) or (
        questions
        and not know(
            &response.names,
            HEADER_OCTETS,
            message.start + HEADER_OCTETS,
            offset - HEADER_OCTETS - QUESTION_FIXED_OCTETS,
        )
    ):
        return stop(place, NO_MEMORY, 0)
    if walk(response, offset, place):
        return 1
    if two_octets(message.start + 2) & TC and place.fault in (TRUNCATED, COUNT):
        response.count, response.has_edns = 0, False
        return 1
    return 0


cdef int walk(ParsedResponse response, uint32_t offset, Place* place) noexcept:
    """Find all records and OPT; see ``response._walk``."""
    cdef Octets* message = &response.octets
    cdef uint32_t counts[3]
    cdef uint32_t section, left, total
    cdef RecordAt record
    for section in range(3):
        counts[section] = two_octets(message.start + 6 + 2 * section)
    total = counts[0] + counts[1] + counts[2]
    if total * RECORD_OCTETS > message.size - HEADER_OCTETS:
        return stop(place, COUNT, 0)
    if total > max_records:
        return stop(place, COSTLY, 0)
    response.places = <RecordAt*>PyMem_Malloc((total + 1) * sizeof(RecordAt))
    if response.places == NULL:
        return stop(place, NO_MEMORY, 0)
    for section in range(3):
        for left in range(counts[section], 0, -1):
            if (
                section == ADDITIONAL
                and left == 1
                and not response.has_edns
                and is_plain_edns(message, offset, &response.opt)
            ):
                response.has_edns = True
                return 1
            if not read_record(&response.names, message, &offset, section, &record, place):
                return 0
            if record.rtype != OPT:
                response.places[response.count] = record
                response.count += 1
                continue
            if response.has_edns or section != ADDITIONAL:
                return stop(place, EDNS, record.start)
            if not check_edns(message, &record, place):
                return 0
            response.opt, response.has_edns = record, True
    if offset != message.size:
        return stop(place, COUNT, offset)
    return 1
