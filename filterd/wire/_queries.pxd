# SPDX-License-Identifier: Apache-2.0
"""A whole query in C, as places: what ``query`` says is well-formed.

Memory safety. Everything is read through ``_octets``; the memory in which owners
are expanded lives no longer than the call.
"""

from libc.stdint cimport uint32_t
from libc.string cimport memset

from filterd.wire._names cimport HEADER_OCTETS, Names, close_names, open_names
from filterd.wire._octets cimport (
    COSTLY,
    COUNT,
    EDNS,
    NO_MEMORY,
    TRUNCATED,
    Octets,
    Place,
    stop,
    two_octets,
)
from filterd.wire._records cimport (
    ADDITIONAL,
    OPT,
    QUESTION_FIXED_OCTETS,
    RecordAt,
    check_edns,
    is_plain_edns,
    read_question,
    read_record,
)

cdef enum:
    MAX_QUERY_OCTETS = 4096  # these three as in ``query``
    MAX_ADDITIONAL = 2
    MAX_QUERY_STEPS = 256
    IXFR = 251
    TSIG = 250
    AUTHORITY = 1


cdef struct QueryAt:
    # Where a query's question ends, its OPT record if it has one, and whether it is signed.
    uint32_t question_end
    bint has_edns
    RecordAt opt
    bint tsig


cdef inline int read_query(const Octets* message, QueryAt* query, Place* place) noexcept:
    """Read a whole query; see ``parsed_query.parse_query``."""
    cdef uint32_t authorities, additionals
    cdef Names names
    cdef int sound
    query.has_edns = query.tsig = False
    if message.size > MAX_QUERY_OCTETS:
        return stop(place, COSTLY, 0)
    if message.size < HEADER_OCTETS:
        return stop(place, TRUNCATED, 0)
    authorities = two_octets(message.start + 8)
    additionals = two_octets(message.start + 10)
    if (
        two_octets(message.start + 4) != 1
        or two_octets(message.start + 6) != 0
        or additionals > MAX_ADDITIONAL
    ):
        return stop(place, COUNT, 0)
    if not read_question(message, &query.question_end, place):
        return 0
    if additionals == 1 and not authorities:
        query.has_edns = is_plain_edns(message, query.question_end, &query.opt)
        if query.has_edns:
            return 1
    if not authorities and not additionals:
        if query.question_end != message.size:
            return stop(place, COUNT, query.question_end)
        return 1
    memset(&names, 0, sizeof(names))
    sound = open_names(&names, message, MAX_QUERY_STEPS)
    if not sound:
        stop(place, NO_MEMORY, 0)
    else:
        sound = read_extra(message, &names, authorities, additionals, query, place)
    close_names(&names)
    return sound


cdef inline int read_extra(
    const Octets* message,
    Names* names,
    uint32_t authorities,
    uint32_t additionals,
    QueryAt* query,
    Place* place,
) noexcept:
    """Read the records of a query: IXFR's in the authority section, OPT and TSIG behind it."""
    cdef uint32_t offset = query.question_end
    cdef uint32_t most = two_octets(message.start + offset - QUESTION_FIXED_OCTETS) == IXFR
    cdef RecordAt record
    if authorities > most:
        return stop(place, COUNT, offset)
    for _ in range(authorities):
        if not read_record(names, message, &offset, AUTHORITY, &record, place):
            return 0
        if record.rtype == OPT:
            return stop(place, EDNS, record.start)
    for _ in range(additionals):
        if not read_record(names, message, &offset, ADDITIONAL, &record, place):
            return 0
        if query.tsig:
            return stop(place, COUNT, record.start)
        query.tsig = record.rtype == TSIG
        if record.rtype != OPT:
            continue
        if query.has_edns:
            return stop(place, EDNS, record.start)
        if not check_edns(message, &record, place):
            return 0
        query.opt, query.has_edns = record, True
    if offset != message.size:
        return stop(place, COUNT, offset)
    return 1
