# SPDX-License-Identifier: Apache-2.0
"""What other native modules may use of a response: its records as places, and how to copy them."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t

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
