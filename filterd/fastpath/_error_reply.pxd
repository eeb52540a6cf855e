# SPDX-License-Identifier: Apache-2.0
"""The answer to what is no query, in C: FORMERR or NOTIMP, written over it.

Memory safety. The answer is a header and at most the question that was found in
the message, and so never longer than that.
"""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t

from filterd.fastpath._truncated_reply cimport question_end
from filterd.fastpath._question cimport HEADER_OCTETS
from filterd.wire._octets cimport NO_MEMORY, Octets, Place
from filterd.wire._queries cimport QueryAt, read_query

cdef enum:
    OPCODE_BITS = 0x78
    FORMERR = 1
    NOTIMP = 4


cdef inline int rcode_for(const uint8_t* message, uint32_t length) noexcept:
    """Return NOTIMP or FORMERR for a message of at least a header; 0 for a query that parses."""
    cdef Octets octets = Octets(message, length)
    cdef QueryAt query
    cdef Place place
    if message[2] & OPCODE_BITS:
        return NOTIMP
    if read_query(&octets, &query, &place) or place.fault == NO_MEMORY:
        return 0
    return FORMERR


cdef inline size_t make_refusal(uint8_t* message, size_t length, int rcode) noexcept nogil:
    """Turn a message into its refusal, where it stands; return how long that is."""
    cdef size_t end = question_end(message, length)
    message[2] = 0x80 | message[2] & 0x79  # QR; opcode and RD kept
    message[3] = <uint8_t>rcode | (0x80 if rcode == FORMERR else 0)  # RA says nothing of others
    message[4] = message[6] = message[7] = message[8] = message[9] = 0
    message[10] = message[11] = 0
    message[5] = end > HEADER_OCTETS
    return end
