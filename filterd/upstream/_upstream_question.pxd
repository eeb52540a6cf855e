# SPDX-License-Identifier: Apache-2.0
"""Compose a query and check its answer, in C, as ``upstream_question`` does.

Memory safety. The caller of ``compose`` has room for the longest query and has checked the
lengths of its parts; an answer is compared within its length.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t
from libc.string cimport memcmp, memcpy

cdef enum:
    HEADER_OCTETS = 12
    MAX_NAME_OCTETS = 255
    TYPE_AND_CLASS_OCTETS = 4
    MOST_BEHIND = 64  # an OPT record without options has 11
    MOST_OCTETS = HEADER_OCTETS + MAX_NAME_OCTETS + TYPE_AND_CLASS_OCTETS + MOST_BEHIND
    CLASS_IN = 1
    RESPONSE_TO_A_QUERY = 0x80
    QR_AND_OPCODE = 0xF8
    LETTER_CASE = 0x20


cdef inline uint8_t* put(uint8_t* at, bytes octets) noexcept:
    """Write octets for which there is room; return where they end."""
    memcpy(at, PyBytes_AS_STRING(octets), <size_t>PyBytes_GET_SIZE(octets))
    return at + PyBytes_GET_SIZE(octets)


cdef inline size_t compose(
    uint8_t* message, uint16_t message_id, bytes before, bytes qname, uint16_t qtype, bytes behind
) noexcept:
    """Write a query into ``MOST_OCTETS``; return its length.

    ``before`` is the header but for its ID, ``behind`` what follows the question.
    """
    cdef uint8_t* at = message
    at[0], at[1] = message_id >> 8, message_id & 0xFF
    at = put(put(at + 2, before), qname)
    at[0], at[1], at[2], at[3] = qtype >> 8, qtype & 0xFF, 0, CLASS_IN
    return <size_t>(put(at + TYPE_AND_CLASS_OCTETS, behind) - message)


cdef inline bint answers(
    const uint8_t* message, Py_ssize_t length, bytes qname, uint16_t qtype, bint any_case
) noexcept:
    """Return whether a message is a response with this question section."""
    cdef Py_ssize_t octets = PyBytes_GET_SIZE(qname)
    cdef const uint8_t* name = <const uint8_t*>PyBytes_AS_STRING(qname)
    cdef const uint8_t* end
    cdef Py_ssize_t at
    if length < HEADER_OCTETS + octets + TYPE_AND_CLASS_OCTETS:
        return False
    if message[2] & QR_AND_OPCODE != RESPONSE_TO_A_QUERY or message[4] or message[5] != 1:
        return False
    end = message + HEADER_OCTETS + octets
    if end[0] != qtype >> 8 or end[1] != qtype & 0xFF or end[2] or end[3] != CLASS_IN:
        return False
    message += HEADER_OCTETS
    if not any_case:
        return memcmp(message, name, <size_t>octets) == 0
    for at in range(octets):
        if lower(message[at]) != lower(name[at]):
            return False
    return True


cdef inline uint8_t lower(uint8_t octet) noexcept:
    return octet | LETTER_CASE if 0x41 <= octet <= 0x5A else octet
