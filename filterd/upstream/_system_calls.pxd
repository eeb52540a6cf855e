# SPDX-License-Identifier: Apache-2.0
"""System calls of the sockets for upstreams, and addresses for them.

``c_`` keeps names of the system apart from our words.
"""

from cpython.exc cimport PyErr_SetFromErrno
from libc.errno cimport EAGAIN, errno
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef extern from *:
    """
    #include <arpa/inet.h>
    #include <netinet/in.h>
    #include <sys/epoll.h>
    #include <sys/socket.h>
    #include <unistd.h>
    """
    enum: AF_INET
    enum: AF_INET6
    enum: SOCK_DGRAM
    enum: SOCK_NONBLOCK
    enum: SOCK_CLOEXEC
    enum: EPOLLIN
    enum: EPOLL_CTL_ADD
    ctypedef unsigned int socklen_t
    struct in_addr:
        uint32_t s_addr
    struct in6_addr:
        uint8_t s6_addr[16]
    struct sockaddr:
        uint16_t sa_family
    struct sockaddr_in:
        uint16_t sin_family
        uint16_t sin_port
        in_addr sin_addr
    struct sockaddr_in6:
        uint16_t sin6_family
        uint16_t sin6_port
        in6_addr sin6_addr
        uint32_t sin6_scope_id
    union epoll_data:
        int fd
    struct epoll_event:
        uint32_t events
        epoll_data data
    uint16_t htons(uint16_t number) nogil
    int inet_pton(int family, const char* text, void* octets) nogil
    int c_socket "socket"(int family, int kind, int protocol) nogil
    int c_bind "bind"(int fd, const sockaddr* address, socklen_t octets) nogil
    int c_connect "connect"(int fd, const sockaddr* address, socklen_t octets) nogil
    ssize_t c_send "send"(int fd, const void* octets, size_t length, int flags) nogil
    ssize_t c_recv "recv"(int fd, void* octets, size_t length, int flags) nogil
    int c_close "close"(int fd) nogil
    int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) nogil
    int epoll_wait(int epoll, epoll_event* events, int most, int timeout_ms) nogil

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
    """Raise OSError by ``errno``."""
    PyErr_SetFromErrno(OSError)
    return -1
