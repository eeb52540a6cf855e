# SPDX-License-Identifier: Apache-2.0
"""The bounded reader in C: every octet of a message is read by ``octet_at`` or behind ``has``.

What can be wrong with a message is a number here, so that the walk needs no
Python; ``_codec.wrong`` makes the error that the plain reader would have raised.
"""

from libc.stdint cimport uint8_t, uint32_t

cdef enum Fault:
    # Why reading stopped, by the error that says so.
    SOUND = 0
    TRUNCATED = 1
    LABEL = 2
    POINTER = 3
    COUNT = 4
    EDNS = 5
    COSTLY = 6
    OTHER = 7
    NO_MEMORY = 8


cdef struct Octets:
    # A message that Python owns and keeps.
    const uint8_t* start
    uint32_t size


cdef struct Place:
    # Where in a message reading stopped, and why.
    Fault fault
    uint32_t offset


cdef inline int stop(Place* place, Fault fault, uint32_t offset) noexcept nogil:
    """Note why and where; returns 0, which every reader returns when it has failed."""
    place.fault = fault
    place.offset = offset
    return 0


cdef inline int has(const Octets* message, uint32_t offset, uint32_t size) noexcept nogil:
    """Return whether ``size`` octets stand at ``offset``; neither is larger than a message."""
    return <uint32_t>(offset + size) <= message.size


cdef inline int octet_at(const Octets* message, uint32_t offset) noexcept nogil:
    """Return one octet, -1 where the message has ended."""
    return message.start[offset] if offset < message.size else -1


cdef inline uint32_t two_octets(const uint8_t* at) noexcept nogil:
    """Read 16 bits that ``has`` has found."""
    return <uint32_t>at[0] << 8 | at[1]


cdef inline uint32_t four_octets(const uint8_t* at) noexcept nogil:
    """Read 32 bits that ``has`` has found."""
    return two_octets(at) << 16 | two_octets(at + 2)


cdef inline void put_two(uint8_t* at, uint32_t number) noexcept nogil:
    """Write 16 bits where there is room for them."""
    at[0] = <uint8_t>(number >> 8)
    at[1] = <uint8_t>number


cdef inline void put_four(uint8_t* at, uint32_t number) noexcept nogil:
    """Write 32 bits where there is room for them."""
    put_two(at, number >> 16)
    put_two(at + 2, number)


cdef inline uint8_t lower(uint8_t octet) noexcept nogil:
    """Return an ASCII letter as lower-case; length octets are below 64 and stay."""
    return octet + 32 if <uint8_t>(octet - 65) < 26 else octet
