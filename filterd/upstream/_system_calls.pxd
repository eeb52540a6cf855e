# SPDX-License-Identifier: Apache-2.0
"""What the sockets for upstreams ask of the system; ``c_`` sets its names apart from our words."""

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
