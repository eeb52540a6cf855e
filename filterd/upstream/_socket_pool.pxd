# SPDX-License-Identifier: Apache-2.0
"""What other native modules may use of the sockets for upstreams: asking, and being told."""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t

from filterd.upstream._system_calls cimport sockaddr_in6, socklen_t

cdef enum:
    BLOCK = 2_048


cdef class Waiter:
    # Take the response that answers; the attempt is over.
    cdef take(self, UdpAttempt attempt, response)


cdef class UdpAttempt:
    cdef readonly object member
    cdef public object waiter
    cdef readonly double sent_at
    cdef readonly bint edns
    cdef readonly bint exact
    cdef bytes _qname  # as it was sent
    cdef uint16_t _qtype
    cdef uint16_t _message_id
    cdef Opened _opened
    cdef UdpAttempt _next

    cdef leave(self)
    cdef bint is_answered_by(self, const uint8_t* message, Py_ssize_t length, bint any_case)


cdef class Opened:
    cdef SocketPool _pool
    cdef Server _server
    cdef int _fd
    cdef int _place
    cdef int _carried
    cdef int _waiting
    cdef bint _retired
    cdef double _retires_at
    cdef UdpAttempt _last

    cdef ask(self, UdpAttempt attempt, const uint8_t* message, size_t length)
    cdef UdpAttempt waits_for(self, uint16_t message_id)
    cdef list all_waiting(self)
    cdef forget(self, UdpAttempt attempt)
    cdef retire(self)
    cdef close(self)


cdef class Server:
    cdef object member
    cdef list _places
    cdef list _spares  # the oldest is the first
    cdef int _sockets
    cdef socklen_t _address_octets
    cdef sockaddr_in6 _address  # or an IPv4 one, which is shorter

    cdef take_away(self, Opened opened)


cdef class SocketPool:
    cdef object _wheel
    cdef object _numbers
    cdef object _counters
    cdef object _loop
    cdef object _epoll
    cdef int _epoll_fd
    cdef bint _timed
    cdef bytes _allowed
    cdef dict _servers
    cdef dict _open
    cdef dict _asked  # the members for whom spare sockets are to be opened
    cdef bint _is_receiving
    cdef list _soon  # what is called when all has been received
    cdef list _over  # sockets to be closed after that
    cdef list _around
    cdef Py_ssize_t _most
    cdef int _questions_a_socket
    cdef int _places
    cdef int _most_spares
    cdef double _life_s
    cdef int _numbers_left
    cdef uint16_t _block[BLOCK]

    # Send a question to a server; see ``filterd.upstream._socket_pool_py.SocketPool.ask``.
    cdef UdpAttempt send(self, waiter, member, question, double sent_at, bint edns, bint exact)

    cdef _wait_for(self, Opened opened)
    cdef _send(self, Opened opened, UdpAttempt attempt, bint do, bint cd)
    cdef tuple _around_the_section(self, bint do, bint cd, bint edns)
    cdef bytes _in_random_case(self, bytes qname)
    cdef uint16_t _uint16(self) except? 0
    cdef Opened _in_a_place(self, member)
    cdef Server _server_of(self, member)
    cdef Opened _fill(self, Server server, int place)
    cdef bint _has_room_for_a_spare(self, Server server) except -1
    cdef Opened _opened(self, Server server)
    cdef bint _give_one_up(self) except -1
    # Close a socket on which nothing waits, now or when those who were answered are done.
    cdef close_soon(self, Opened opened)
    cdef closed(self, Opened opened)
    cdef int _connected(self, Server server) except -1
    cdef _bind(self, int fd, Server server)
    cdef _receive_all(self)
    cdef _go_on(self)
    cdef _close_what_is_over(self)
    cdef _receive(self, Opened opened)
    cdef _mismatched(self, Opened opened, UdpAttempt attempt, bint in_case)
    cdef _refused(self, Opened opened)
