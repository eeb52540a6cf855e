# SPDX-License-Identifier: Apache-2.0
"""What a socket on a random port needs of the system, in C: what ``randomness`` does by ``socket``."""

from cpython.exc cimport PyErr_SetFromErrno
from libc.errno cimport EAGAIN, errno
from libc.stdint cimport uint8_t, uint16_t, uint32_t

from filterd.upstream._system_calls cimport (
    AF_INET,
    AF_INET6,
    c_recv,
    htons,
    inet_pton,
    sockaddr_in,
    sockaddr_in6,
    socklen_t,
)

cdef enum:
    MOST_EARLY = 16


cdef inline socklen_t set_ipv4(sockaddr_in6* address, bytes text, uint16_t port) noexcept:
    """Write an IPv4 address, which is shorter, into zeros; return its size, 0 if it is none."""
    cdef sockaddr_in* ipv4 = <sockaddr_in*>address
    if inet_pton(AF_INET, text, &ipv4.sin_addr) != 1:
        return 0
    ipv4.sin_family, ipv4.sin_port = AF_INET, htons(port)
    return sizeof(sockaddr_in)


cdef inline socklen_t set_ipv6(
    sockaddr_in6* address, bytes text, uint16_t port, uint32_t scope
) noexcept:
    """Write an IPv6 address into zeros; return its size, 0 if it is none."""
    if inet_pton(AF_INET6, text, &address.sin6_addr) != 1:
        return 0
    address.sin6_family, address.sin6_port = AF_INET6, htons(port)
    address.sin6_scope_id = scope
    return sizeof(sockaddr_in6)


cdef inline int forget_what_came_early(int fd) except -1:
    """Drop datagrams that came between ``bind`` and ``connect``; return whether none is left."""
    cdef uint8_t octets[1]
    cdef int count
    for count in range(MOST_EARLY):
        if c_recv(fd, octets, sizeof(octets), 0) < 0:
            if errno == EAGAIN:
                return True
            raise_errno()
    return False


cdef inline int raise_errno() except -1:
    """Raise OSError for what the last call said."""
    PyErr_SetFromErrno(OSError)
    return -1
