# SPDX-License-Identifier: Apache-2.0
"""The hint to come by TCP, in C: the same as ``_datagrams_py.hint``, written over the query."""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from filterd.fastpath._question cimport HEADER_OCTETS, MAX_LABEL_OCTETS, MAX_NAME_OCTETS


cdef inline size_t question_end(const uint8_t* message, size_t length) noexcept nogil:
    """Return where the one question ends; the header's end where none can be told."""
    cdef size_t position = HEADER_OCTETS
    if message[4] != 0 or message[5] != 1:
        return HEADER_OCTETS
    while position < length and message[position]:
        if message[position] > MAX_LABEL_OCTETS:
            return HEADER_OCTETS
        position += message[position] + 1
        if position >= HEADER_OCTETS + MAX_NAME_OCTETS:
            return HEADER_OCTETS
    if position + 5 > length:
        return HEADER_OCTETS
    return position + 5


cdef inline size_t make_hint(uint8_t* message, size_t length) noexcept nogil:
    """Turn a query into the hint to come by TCP, where it stands; return how long that is."""
    cdef size_t end = question_end(message, length)
    message[2] = 0x80 | message[2] & 0x79 | 0x02  # QR; opcode and RD kept; TC
    message[3] = 0x80 | message[3] & 0x10  # RA; CD kept
    message[4] = message[6] = message[7] = message[8] = message[9] = 0
    message[10] = message[11] = 0
    message[5] = end > HEADER_OCTETS
    return end
