# SPDX-License-Identifier: Apache-2.0
"""Read a response as places, copy its records, send what was kept: for other native modules."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

from filterd.wire._names cimport Names
from filterd.wire._octets cimport Octets, Place
from filterd.wire._records cimport RecordAt


cdef struct Kept:
    # A record to copy; ``changed`` is RDATA that it gets instead of its own, or NULL.
    uint32_t start
    uint32_t rdata
    uint32_t ttl
    uint16_t rtype
    uint16_t rclass
    uint32_t rdlength
    uint8_t section
    const uint8_t* changed


cdef class ParsedResponse:
    """A well-formed response; see ``filterd.wire.response.ParsedResponse``."""

    cdef readonly bytes message
    cdef Octets octets
    cdef Names names
    cdef RecordAt* places
    cdef uint32_t count
    cdef uint32_t question_end
    cdef bint has_edns
    cdef RecordAt opt
    cdef object _header, _question, _records, _edns


cdef bytes lowered(const uint8_t* octets, uint32_t size)
cdef object wrong(const Place* place)
cdef int rcode_of(ParsedResponse response) noexcept
cdef object named(type cls, tuple values)
cdef bytes copied(const uint8_t* octets, uint32_t size)
cdef Octets octets_of(bytes message) noexcept

# Copy records of a response behind its question.
cdef object rebuilt(ParsedResponse response, const Kept* kept, uint32_t count)

# The reply to an ordinary query of which the first ``end`` octets, header and
# question, are there; what ``rebuild.assemble_for`` returns.
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
)
