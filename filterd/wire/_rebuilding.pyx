# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Keeping answers in C: the same octets and errors as ``rebuild``, which explains them.

Memory safety. Records that Python hands in must lie within their message; what
is written goes through ``_writing``.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memset

from filterd.wire._codec cimport Kept, ParsedResponse, copied, named, octets_of, wrong
from filterd.wire._names cimport (
    HEADER_OCTETS,
    MAX_NAME_OCTETS,
    Name,
    expand_name,
    skip_name,
    steps_for,
)
from filterd.wire._octets cimport (
    COSTLY,
    COUNT,
    TRUNCATED,
    Octets,
    Place,
    lower,
    put_four,
    put_two,
    stop,
)
from filterd.wire._writing cimport (
    FIXED_OCTETS,
    Secret,
    Writer,
    close_writer,
    open_writer,
    put,
    put_name,
    reserve,
)

import os

from filterd.wire import _codec as reading
from filterd.wire import rebuild as reference

cdef enum:
    NAPTR = 35
    CNAME = 5
    CLASS_IN = 1
    ANSWER = 0
    ADDITIONAL = 2
    MAX_MESSAGE_OCTETS = 65535
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
    """Take over what the pure twin says of RDATA; draw the secret of the hashes."""
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
    return reading.parse_response(reference.as_message(sections, question))
