# SPDX-License-Identifier: Apache-2.0
"""The question and records of a message in C, as places: as in ``section`` and ``edns``.

Memory safety. A place is noted only when all of it was found to lie within the message.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from filterd.wire._names cimport HEADER_OCTETS, Name, Names, expand_name, skip_name
from filterd.wire._octets cimport (
    EDNS,
    TRUNCATED,
    Octets,
    Place,
    four_octets,
    has,
    stop,
    two_octets,
)

cdef enum:
    OPT = 41
    ADDITIONAL = 2
    QUESTION_FIXED_OCTETS = 4
    FIXED_OCTETS = 10
    OPT_OCTETS = 11
    OPTION_HEADER_OCTETS = 4
    MAX_OPTIONS = 32  # ``edns.MAX_OPTIONS``


cdef struct RecordAt:
    # A record as ``record.Record`` describes it; ``fixed`` is the offset behind its owner.
    Name owner
    uint32_t start
    uint32_t fixed
    uint32_t ttl
    uint16_t rtype
    uint16_t rclass
    uint16_t rdlength
    uint8_t section


cdef inline int read_question(const Octets* message, uint32_t* end, Place* place) noexcept nogil:
    """Find where the question ends; see ``question.read_question``."""
    if not skip_name(message, HEADER_OCTETS, False, end, place):
        return 0
    if not has(message, end[0], QUESTION_FIXED_OCTETS):
        return stop(place, TRUNCATED, HEADER_OCTETS)
    end[0] += QUESTION_FIXED_OCTETS
    return 1


cdef inline int read_record(
    Names* names,
    const Octets* message,
    uint32_t* offset,
    uint8_t section,
    RecordAt* record,
    Place* place,
) noexcept:
    """Read the record at ``offset`` and step over it; see ``record.read_record``."""
    cdef const uint8_t* at
    if not expand_name(names, message, offset[0], &record.owner, &record.fixed, place):
        return 0
    if not has(message, record.fixed, FIXED_OCTETS):
        return stop(place, TRUNCATED, offset[0])
    at = message.start + record.fixed
    record.start, record.section = offset[0], section
    record.rtype, record.rclass = <uint16_t>two_octets(at), <uint16_t>two_octets(at + 2)
    record.ttl, record.rdlength = four_octets(at + 4), <uint16_t>two_octets(at + 8)
    if record.ttl >> 31:
        record.ttl = 0
    if not has(message, record.fixed + FIXED_OCTETS, record.rdlength):
        return stop(place, TRUNCATED, record.fixed + FIXED_OCTETS)
    offset[0] = record.fixed + FIXED_OCTETS + record.rdlength
    return 1


cdef inline int check_edns(const Octets* message, const RecordAt* opt, Place* place) noexcept nogil:
    """See that an OPT record is well-formed; see ``edns.parse_edns``."""
    cdef uint32_t position = opt.fixed + FIXED_OCTETS, end = position + opt.rdlength
    cdef uint32_t size, options = 0
    if message.start[opt.start] != 0:
        return stop(place, EDNS, opt.start)
    if message.start[opt.fixed + 5] != 0:
        return 1  # the form of another version's options is not known
    while position < end:
        if options == MAX_OPTIONS:
            return stop(place, EDNS, position)
        if position + OPTION_HEADER_OCTETS > end:
            return stop(place, EDNS, position)
        size = two_octets(message.start + position + 2)
        position += OPTION_HEADER_OCTETS
        if position + size > end:
            return stop(place, EDNS, position)
        position += size
        options += 1
    return 1


cdef inline bint is_plain_edns(const Octets* message, uint32_t offset, RecordAt* opt) noexcept nogil:
    """Return whether an OPT record without options is all that follows; see ``parse_plain_edns``."""
    cdef const uint8_t* at = message.start + offset
    if message.size - offset != OPT_OCTETS:
        return False
    if at[0] != 0 or two_octets(at + 1) != OPT or two_octets(at + 9) != 0:
        return False
    opt.start, opt.fixed, opt.section = offset, offset + 1, ADDITIONAL
    opt.rtype, opt.rclass, opt.ttl, opt.rdlength = OPT, <uint16_t>two_octets(at + 3), 0, 0
    return True
