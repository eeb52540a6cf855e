# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Read messages, keep answers and send them in C; ``_codec_py`` is the oracle of all three.

Memory safety, section by section:

Reading. A message is at most 65535 octets and is read through ``_octets`` alone; records
are places in it that were found to lie within it. Values for Python are made on demand.

Keeping. Records that Python hands in must lie within their message; what is written goes
through ``_writing``.

Sending. A reply is made as long as its parts are, and each part is copied once; TTLs must
lie within the body. ``assembled_for`` trusts its caller for the octets of its question.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from filterd.wire._names cimport (
    HEADER_OCTETS,
    MAX_NAME_OCTETS,
    MAX_STEPS,
    OCTETS_A_STEP,
    Name,
    Names,
    close_names,
    expand_name,
    know,
    open_names,
    skip_name,
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
    put_four,
    put_two,
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
    OPT_OCTETS,
    OPTION_HEADER_OCTETS,
    QUESTION_FIXED_OCTETS,
    RecordAt,
    check_edns,
    is_plain_edns,
    read_question,
    read_record,
)
from filterd.wire._writing cimport (
    Secret,
    Writer,
    close_writer,
    open_writer,
    put,
    put_name,
    reserve,
)

import os

from filterd.base import errors
from filterd.wire import cursor
from filterd.wire import parsed_query as queries
from filterd.wire import rebuild as reference
from filterd.wire import response as responses
from filterd.wire.compose import reply_edns
from filterd.wire.edns import MAX_OPTIONS as _MAX_OPTIONS
from filterd.wire.edns import UDP_SIZE as _UDP_SIZE
from filterd.wire.edns import Edns as _Edns
from filterd.wire.header import Header as _Header
from filterd.wire.parsed_query import ParsedQuery as _ParsedQuery
from filterd.wire.section import Question as _Question
from filterd.wire.section import Record as _Record

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        object (*tp_new)(PyTypeObject*, object, object)
    PyTypeObject PyTuple_Type

cdef enum:
    QR = 0x8000
    OPCODE_MASK = 0x7800
    TC = 0x0200
    RD = 0x0100
    RA = 0x0080
    AD = 0x0020
    CD = 0x0010
    RCODE_MASK = 0x000F
    SERVFAIL = 2
    DO = 0x8000
    CNAME = 5
    NAPTR = 35
    CLASS_IN = 1
    ANSWER = 0
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


# Reading.
# --------

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


# Keeping.
# --------

cdef enum:
    LAYOUTS = 64
    ANY_TAIL = -1
    QNAME_POINTER = 0xC00C

cdef struct Layout:
    # How RDATA of a type is made up; see ``rebuild._Layout``. ``names`` is 0 for what is copied.
    uint8_t lead
    uint8_t names
    int tail
    bint compress

cdef Layout layouts[LAYOUTS]
cdef Secret secret
cdef uint32_t max_body_octets = reference.MAX_BODY_OCTETS
cdef type RebuiltSections = reference.RebuiltSections


cdef object _prepare():
    """Copy the tables of ``rdata``; draw the secret of the hashes."""
    cdef uint32_t rtype
    memset(layouts, 0, sizeof(layouts))
    for rtype, layout in reference.LAYOUT_OF.items():
        layouts[rtype % LAYOUTS] = Layout(
            layout.lead,
            layout.names,
            ANY_TAIL if layout.tail is None else layout.tail,
            layout.compress,
        )
        assert rtype < LAYOUTS
    secret.start = int.from_bytes(os.urandom(8), "little")
    secret.factor = int.from_bytes(os.urandom(8), "little") | 1


_prepare()


def rebuild(response, keep, *, changed=None):
    """Copy records; see ``filterd.wire.rebuild.rebuild``."""
    if not isinstance(response, ParsedResponse):
        return reference.rebuild(response, keep, changed=changed)
    return _rebuild(response, keep, changed, None, 0)


def rebuild_behind_alias(response, keep, question, uint32_t ttl_s):
    """Copy records behind a CNAME; see ``filterd.wire.rebuild.rebuild_behind_alias``."""
    if not isinstance(response, ParsedResponse):
        return reference.rebuild_behind_alias(response, keep, question, ttl_s)
    return _rebuild(response, keep, None, question.wire, ttl_s)


cdef object _rebuild(
    ParsedResponse response, object keep, object changed, bytes question, uint32_t ttl_s
):
    cdef tuple records = tuple(keep)
    cdef list held = []  # RDATA that a mapping may have made for us alone
    cdef uint32_t count = 0
    cdef Kept* kept = <Kept*>PyMem_Malloc(<size_t>(len(records) + 1) * sizeof(Kept))
    if kept == NULL:
        raise MemoryError
    try:
        for record in records:
            rdata = changed.get(record) if changed else None
            if rdata is not None:
                held.append(rdata)
            kept_of(response, record, rdata, kept + count)
            count += 1
        return written(response, kept, count, question, ttl_s)
    finally:
        PyMem_Free(kept)


cdef object kept_of(ParsedResponse response, object record, bytes changed, Kept* kept):
    """Take over a record of Python's, which must lie within the message."""
    _, kept.rtype, kept.rclass, kept.ttl, kept.section, kept.start, _, kept.rdata, kept.rdlength = (
        record
    )
    if (
        kept.section > ADDITIONAL
        or kept.start >= response.octets.size
        or kept.rdata > response.octets.size
        or kept.rdlength > response.octets.size - kept.rdata
    ):
        raise ValueError("a record of another message")
    kept.changed = NULL
    if changed is not None:
        kept.changed = <const uint8_t*>PyBytes_AS_STRING(changed)
        kept.rdlength = <uint32_t>min(PyBytes_GET_SIZE(changed), MAX_MESSAGE_OCTETS)


cdef object rebuilt(ParsedResponse response, const Kept* kept, uint32_t count):
    """Copy records of a response behind its question."""
    return written(response, kept, count, None, 0)


cdef object written(
    ParsedResponse response, const Kept* kept, uint32_t count, bytes question, uint32_t ttl_s
):
    """Copy records behind the question, or behind an alias from another one to it."""
    cdef Writer writer
    cdef Place place
    cdef Octets asked
    cdef uint32_t end
    if not response.question_end:
        stop(&place, COUNT, 0)
        raise wrong(&place)
    asked = Octets(response.octets.start + HEADER_OCTETS, response.question_end - HEADER_OCTETS)
    if question is not None:
        asked = octets_of(question)
        if not skip_name(&asked, 0, False, &end, &place) or asked.size != end + 4:
            raise ValueError("no question section")
    try:
        if not open_writer(
            &writer,
            secret,
            asked.start,
            asked.size,
            response.octets.size + 1024,
            steps_for(response.octets.size),
            &place,
        ):
            raise wrong(&place)
        return write_all(&writer, response, kept, count, question is not None, ttl_s)
    finally:
        close_writer(&writer)


cdef object write_all(
    Writer* writer,
    ParsedResponse response,
    const Kept* kept,
    uint32_t count,
    bint behind_alias,
    uint32_t ttl_s,
):
    """Write the alias, then the records section by section; say what was written."""
    cdef tuple offsets = PyTuple_New(count + behind_alias)
    cdef tuple ttls = PyTuple_New(count + behind_alias)
    cdef uint32_t counts[3]
    cdef uint32_t section, number, done = 0, ttl_offset
    cdef Place place
    memset(counts, 0, sizeof(counts))
    if behind_alias:
        if not write_alias(writer, response, ttl_s, &ttl_offset, &place):
            raise wrong(&place)
        set_number(offsets, 0, ttl_offset)
        set_number(ttls, 0, ttl_s)
        counts[ANSWER] = done = 1
    for section in range(3):
        for number in range(count):
            if kept[number].section != section:
                continue
            if not write_record(writer, response, kept + number, &ttl_offset, &place):
                raise wrong(&place)
            set_number(offsets, done, ttl_offset)
            set_number(ttls, done, kept[number].ttl)
            counts[section] += 1
            done += 1
    return named(
        RebuiltSections,
        (
            copied(writer.body, writer.used),
            counts[0],
            counts[1],
            counts[2],
            offsets,
            ttls,
            writer.base - HEADER_OCTETS,
        ),
    )


cdef inline object set_number(tuple numbers, uint32_t at, uint32_t number):
    """Fill one place of a tuple that is being made."""
    cdef object value = number
    Py_INCREF(value)
    PyTuple_SET_ITEM(numbers, at, value)


cdef uint8_t* write_fixed(
    Writer* writer, uint32_t rtype, uint32_t rclass, uint32_t ttl_s, uint32_t* ttl_offset
) noexcept nogil:
    """Write what is fixed of a record; return where its RDLENGTH goes."""
    cdef uint8_t* fixed = writer.body + writer.used
    put_two(fixed, rtype)
    put_two(fixed + 2, rclass)
    put_four(fixed + 4, ttl_s)
    ttl_offset[0] = writer.used + 4
    writer.used += FIXED_OCTETS
    return fixed + 8


cdef int write_alias(
    Writer* writer, ParsedResponse response, uint32_t ttl_s, uint32_t* ttl_offset, Place* place
) noexcept:
    """Write a CNAME from the question's name to the one that the response is about."""
    cdef Name target = response.names.names[1]
    cdef uint8_t text[MAX_NAME_OCTETS]
    cdef uint8_t* length
    cdef uint32_t start, at
    for at in range(target.length):
        text[at] = lower(response.names.texts[target.at + at])
    if not reserve(writer, 2, place):
        return 0
    put_two(writer.body, QNAME_POINTER)
    writer.used = 2
    length = write_fixed(writer, CNAME, CLASS_IN, ttl_s, ttl_offset)
    start = writer.used
    if not put_name(writer, text, place):
        return 0
    put_two(length, writer.used - start)
    return 1


cdef int write_record(
    Writer* writer, ParsedResponse response, const Kept* kept, uint32_t* ttl_offset, Place* place
) noexcept:
    """Write one record; see ``rebuild._Writer.add``."""
    cdef Name owner
    cdef uint8_t* length
    cdef uint32_t end, start
    if not reserve(writer, kept.rdlength, place):
        return 0
    if not expand_name(&response.names, &response.octets, kept.start, &owner, &end, place):
        return 0
    if not put_name(writer, response.names.texts + owner.at, place):
        return 0
    length = write_fixed(writer, kept.rtype, kept.rclass, kept.ttl, ttl_offset)
    start = writer.used
    if kept.changed != NULL:
        put(writer, kept.changed, kept.rdlength)
    elif not write_rdata(writer, response, kept, place):
        return 0
    if writer.used > max_body_octets:
        return stop(place, COSTLY, kept.start)
    put_two(length, writer.used - start)
    return 1


cdef int write_rdata(
    Writer* writer, ParsedResponse response, const Kept* kept, Place* place
) noexcept:
    """Write RDATA, its names expanded, perhaps compressed again; see ``rebuild._Writer.rdata``."""
    cdef Octets* message = &response.octets
    cdef uint32_t position = kept.rdata, end = kept.rdata + kept.rdlength, behind
    cdef Layout layout
    cdef Name name
    memset(&layout, 0, sizeof(layout))
    if kept.rtype < LAYOUTS:
        layout = layouts[kept.rtype]
    if not layout.names or not kept.rdlength:
        put(writer, message.start + position, kept.rdlength)
        return 1
    if position + layout.lead > end:
        return stop(place, TRUNCATED, position)
    position += layout.lead
    if kept.rtype == NAPTR:
        for _ in range(3):
            if position == end:
                return stop(place, TRUNCATED, position)
            position += 1
            if position + message.start[position - 1] > end:
                return stop(place, TRUNCATED, position)
            position += message.start[position - 1]
    put(writer, message.start + kept.rdata, position - kept.rdata)
    for _ in range(layout.names):
        if not expand_name(&response.names, message, position, &name, &behind, place):
            return 0
        if behind > end:
            return stop(place, TRUNCATED, position)
        position = behind
        if not layout.compress:
            put(writer, response.names.texts + name.at, name.length)
        elif not put_name(writer, response.names.texts + name.at, place):
            return 0
    if layout.tail != ANY_TAIL and <uint32_t>layout.tail != end - position:
        return stop(place, COUNT, position)
    put(writer, message.start + position, end - position)
    return 1


def read_back(sections, question):
    """Return kept sections as a response again; see ``filterd.wire.rebuild.read_back``."""
    return parse_response(reference.as_message(sections, question))


# Sending.
# --------

cdef uint32_t udp_size = _UDP_SIZE
cdef int64_t max_ttl_s = reference.MAX_TTL_S

cdef struct Asked:
    # What of a query its reply depends on.
    uint32_t message_id
    uint32_t flags
    bint edns
    bint do
    const uint8_t* question
    int64_t question_octets

cdef struct Ageing:
    # What becomes of TTLs: lower by ``age_s`` within the bounds, or all ``fixed_s`` unless it is -1.
    int64_t age_s
    int64_t floor_s
    int64_t cap_s
    int64_t fixed_s


def assemble(
    query,
    sections,
    int rcode,
    *,
    int64_t age_s=0,
    int64_t floor_ttl_s=0,
    cap_ttl_s=None,
    set_ttl_s=None,
    bint ad=False,
    edes=(),
):
    """Return a whole reply from kept sections; see ``filterd.wire.rebuild.assemble``."""
    cdef bytes question
    cdef Asked asked
    cdef Ageing ageing
    header, (_, _, _, question), edns, _ = query
    asked.message_id, asked.flags = header[0], header[1]
    asked.edns, asked.do = edns is not None, edns is not None and edns[2]
    asked.question = <const uint8_t*>PyBytes_AS_STRING(question)
    asked.question_octets = PyBytes_GET_SIZE(question)
    ageing = Ageing(age_s, floor_ttl_s, ttl_of(cap_ttl_s, max_ttl_s), ttl_of(set_ttl_s, -1))
    return reply_of(
        &asked, sections, rcode, ad, &ageing, reply_edns(query, rcode, edes) if edes else None
    )


def assemble_for(
    bytes message not None,
    uint32_t end,
    bint edns,
    bint do,
    sections,
    int rcode,
    *,
    int64_t age_s=0,
    cap_ttl_s=None,
    bint authentic=False,
):
    """Return a whole reply to an ordinary query; see ``filterd.wire.rebuild.assemble_for``."""
    if end > PyBytes_GET_SIZE(message):
        raise ValueError("a question behind the end of its message")
    return assembled_for(
        <const uint8_t*>PyBytes_AS_STRING(message),
        end,
        edns,
        do,
        sections,
        rcode,
        age_s,
        ttl_of(cap_ttl_s, max_ttl_s),
        authentic,
    )


cdef bytes assembled_for(
    const uint8_t* query,
    uint32_t end,
    bint edns,
    bint do,
    object sections,
    int rcode,
    int64_t age_s,
    int64_t cap_ttl_s,
    bint authentic,
):
    """Return a whole reply to an ordinary query of which the first ``end`` octets are there."""
    cdef Asked asked
    cdef Ageing ageing
    if end < HEADER_OCTETS:
        raise ValueError("a question within the header")
    asked = Asked(
        two_octets(query),
        two_octets(query + 2),
        edns,
        edns and do,
        query + HEADER_OCTETS,
        end - HEADER_OCTETS,
    )
    ageing = Ageing(age_s, 0, max(0, min(cap_ttl_s, max_ttl_s)), -1)
    return reply_of(&asked, sections, rcode, authentic, &ageing, None)


cdef int64_t ttl_of(object seconds, int64_t otherwise) except -2:
    """Return the TTL that is nearest to a number of any size."""
    return otherwise if seconds is None else max(0, min(seconds, max_ttl_s))


cdef bytes reply_of(
    const Asked* asked, object sections, int rcode, bint ad, const Ageing* ageing, bytes edns
):
    """Put a reply together; ``edns`` is its OPT record if that has options."""
    cdef bytes body, reply
    cdef tuple offsets, ttls
    cdef Py_ssize_t size, octets = 0
    cdef uint8_t* at
    body, ancount, nscount, arcount, offsets, ttls, question_octets = sections
    if asked.question_octets != question_octets:
        raise ValueError("sections rebuilt for another qname")
    size = PyBytes_GET_SIZE(body)
    if asked.edns:
        octets = OPT_OCTETS if edns is None else PyBytes_GET_SIZE(edns)
    reply = PyBytes_FromStringAndSize(NULL, HEADER_OCTETS + asked.question_octets + size + octets)
    at = <uint8_t*>PyBytes_AS_STRING(reply)
    put_two(at, asked.message_id)
    put_two(at + 2, reply_flags(asked, rcode, ad))
    put_two(at + 4, 1)
    put_two(at + 6, ancount)
    put_two(at + 8, nscount)
    put_two(at + 10, arcount + asked.edns)
    at += HEADER_OCTETS
    memcpy(at, asked.question, asked.question_octets)
    at += asked.question_octets
    memcpy(at, PyBytes_AS_STRING(body), size)
    put_ttls(at, size, offsets, ttls, ageing)
    if asked.edns and edns is None:
        put_opt(at + size, asked.do, rcode)
    elif asked.edns:
        memcpy(at + size, PyBytes_AS_STRING(edns), octets)
    return reply


cdef int put_ttls(
    uint8_t* body, Py_ssize_t size, tuple offsets, tuple ttls, const Ageing* ageing
) except -1:
    """Write what is sent as TTLs over those that came."""
    cdef Py_ssize_t number, offset
    cdef int64_t ttl
    if len(offsets) != len(ttls):
        raise ValueError("as many TTLs as places for them")
    for number in range(len(offsets)):
        offset, ttl = offsets[number], ttls[number]
        if offset < 0 or offset > size - 4:
            raise ValueError("a TTL outside the body")
        ttl = min(max(ttl - ageing.age_s, ageing.floor_s, 0), ageing.cap_s)
        put_four(body + offset, <uint32_t>(ttl if ageing.fixed_s < 0 else ageing.fixed_s))
    return 0


cdef void put_opt(uint8_t* opt, bint do, int rcode) noexcept nogil:
    """Write OPT without options, as ``compose.reply_edns`` makes it."""
    memset(opt, 0, OPT_OCTETS)
    opt[2] = OPT
    put_two(opt + 3, udp_size)
    opt[5] = <uint8_t>(rcode >> 4)
    put_two(opt + 7, DO if do else 0)


cdef uint32_t reply_flags(const Asked* asked, int rcode, bint ad) noexcept nogil:
    """Return the flags of a reply and the lower bits of its code; see ``compose.reply_header``."""
    if rcode > RCODE_MASK and not asked.edns:
        rcode = SERVFAIL
    if not (asked.flags & AD or asked.do):
        ad = False
    return (
        QR
        | RA
        | (AD if ad else 0)
        | asked.flags & (OPCODE_MASK | RD | CD)
        | <uint32_t>rcode & RCODE_MASK
    )
