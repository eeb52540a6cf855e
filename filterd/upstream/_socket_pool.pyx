# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Sockets by which servers are asked: the same as ``_socket_pool_py``, which explains it, by fewer calls.

Memory safety. A message is composed in an array that holds the longest (a name of
255 octets at most, which is checked), and read into one of which the kernel is
told the size. All that lives from one call to the next is Python objects.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.errno cimport EADDRINUSE, EAGAIN, EINTR, errno
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from filterd.upstream._source_ports cimport forget_what_came_early, raise_errno, set_ipv4, set_ipv6
from filterd.upstream._upstream_question cimport (
    HEADER_OCTETS,
    LETTER_CASE,
    MAX_NAME_OCTETS,
    MOST_BEHIND,
    MOST_OCTETS,
    answers,
    compose,
)
from filterd.upstream._system_calls cimport (
    EPOLLIN,
    EPOLL_CTL_ADD,
    SOCK_CLOEXEC,
    SOCK_DGRAM,
    SOCK_NONBLOCK,
    c_bind,
    c_close,
    c_connect,
    c_recv,
    c_send,
    c_socket,
    epoll_ctl,
    epoll_event,
    epoll_wait,
    htons,
    sockaddr,
    sockaddr_in6,
    socklen_t,
)

import asyncio
import errno as errors
import select
import socket as sockets

from filterd.errors import UpstreamUnreachableError, WireError
from filterd.upstream import _socket_pool_py as reference
from filterd.upstream import randomness as random_ports
from filterd.upstream import upstream_question as questions

cdef extern from "Python.h":
    int PySys_Audit(const char* event, const char* arguments, ...) except -1

cdef enum:
    LARGEST_RESPONSE = 4_096
    SOCKETS_A_WAKEUP = 64
    TRIES = 32
    MOST_PLACES = 1_024
    PORTS = 65_536
    NOWHERE = -1  # the place of a spare socket

cdef str ALL_WAIT = "all {} sockets are waiting for answers"
cdef str CLOSED = "the sockets are closed"


cdef class Waiter:
    """Who waits for an attempt and is told the answer without a call of Python."""

    cdef take(self, UdpAttempt attempt, response):
        raise NotImplementedError


@cython.freelist(64)
cdef class UdpAttempt:
    """A question sent once to one server; see ``filterd.upstream.udp_query.UdpAttempt``."""

    def close(self):
        """Wait no longer. May be called twice."""
        self.leave()

    def fail(self):
        """Wait no longer, because it was too long: the way from that socket may be gone."""
        if self._opened is not None:
            self._opened.retire()
        self.leave()

    cdef leave(self):
        cdef Opened opened = self._opened
        self._opened = None
        if opened is not None:
            opened.forget(self)

    cdef bint is_answered_by(self, const uint8_t* message, Py_ssize_t length, bint any_case):
        return answers(message, length, self._qname, self._qtype, any_case)


cdef class Opened:
    """A connected socket and the questions that wait on it, the last one first."""

    def __cinit__(self):
        self._fd = -1

    def __dealloc__(self):
        if self._fd >= 0:  # whoever made it has failed before the pool knew of it
            c_close(self._fd)

    cdef ask(self, UdpAttempt attempt, const uint8_t* message, size_t length):
        """Send a question. Raises OSError where it cannot be sent from here."""
        if c_send(self._fd, message, length, 0) < 0:
            # It may be the ICMP error of an earlier question, told only now.
            if c_send(self._fd, message, length, 0) < 0:
                raise_errno()
        self._carried += 1
        self._waiting += 1
        attempt._opened, attempt._next, self._last = self, self._last, attempt

    cdef UdpAttempt waits_for(self, uint16_t message_id):
        cdef UdpAttempt attempt = self._last
        while attempt is not None and attempt._message_id != message_id:
            attempt = attempt._next
        return attempt

    cdef list all_waiting(self):
        """Return who waits, in the order of their questions."""
        cdef list waiting = []
        cdef UdpAttempt attempt = self._last
        while attempt is not None:
            waiting.append(attempt)
            attempt = attempt._next
        waiting.reverse()
        return waiting

    cdef forget(self, UdpAttempt attempt):
        cdef UdpAttempt before = self._last
        if before is attempt:
            self._last = attempt._next
        else:
            while before._next is not attempt:
                before = before._next
            before._next = attempt._next
        attempt._next = None
        self._waiting -= 1
        if self._retired and not self._waiting:
            self._pool.close_soon(self)

    cdef retire(self):
        """Take no more questions; close when the last that waits is gone."""
        if not self._retired:
            self._retired = True
            self._server.take_away(self)
        if not self._waiting:
            self._pool.close_soon(self)

    cdef close(self):
        if self._fd >= 0:
            self._pool.closed(self)
            c_close(self._fd)
            self._fd = -1


cdef class Server:
    """One server's address, and the sockets that may carry more questions to it, by their places."""

    def __cinit__(self, member, int places):
        self.member, self._places, self._spares = member, [None] * places, []
        memset(&self._address, 0, sizeof(self._address))
        address, port = member.plain.address, member.plain.port
        self._address_octets = set_ipv4(&self._address, address.encode("ascii", "replace"), port)
        if self._address_octets:
            return
        # For the scope of a link-local address, which the system has to look up.
        found = sockets.getaddrinfo(
            address, port, sockets.AF_INET6, sockets.SOCK_DGRAM, 0, sockets.AI_NUMERICHOST
        )
        _, _, _, _, (plain, _, _, scope) = found[0]
        text = plain.partition("%")[0].encode("ascii")
        self._address_octets = set_ipv6(&self._address, text, port, scope)
        if not self._address_octets:
            raise OSError(errors.EINVAL, "not an address")

    cdef take_away(self, Opened opened):
        """Let a socket carry no more questions."""
        if opened._place == NOWHERE:
            if opened in self._spares:
                self._spares.remove(opened)
        elif self._places[opened._place] is opened:
            self._places[opened._place] = None


cdef class SocketPool:
    """Sends attempts; see ``filterd.upstream._socket_pool_py.SocketPool``."""

    def __init__(self, wheel, numbers, counters):
        self._wheel, self._numbers, self._counters = wheel, numbers, counters
        self._most = reference.most_sockets()
        self._questions_a_socket = reference.QUESTIONS_A_SOCKET
        self._places, self._life_s = reference.PLACES, reference.LIFE_S
        self._most_spares = reference.SPARES
        reserved, lowest = random_ports.reserved_ports(), random_ports.LOWEST
        self._allowed = bytes(one >= lowest and one not in reserved for one in range(PORTS))
        self._servers, self._open, self._asked = {}, {}, {}
        self._soon, self._over = [], []
        self._around = [None] * 8
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._epoll_fd = self._epoll.fileno()
        self._loop.add_reader(self._epoll_fd, self._ready)

    def __len__(self):
        return len(self._open)

    def ask(self, waiter, member, question, double sent_at, *, bint edns, bint exact):
        """Send a question to a server; see ``filterd.upstream._socket_pool_py.SocketPool.ask``."""
        return self.send(waiter, member, question, sent_at, edns, exact)

    cdef UdpAttempt send(
        self, waiter, member, question, double sent_at, bint edns, bint exact
    ):
        cdef UdpAttempt attempt = UdpAttempt.__new__(UdpAttempt)
        attempt.waiter, attempt.member, attempt.sent_at = waiter, member, sent_at
        attempt.edns, attempt.exact = edns, exact
        if not isinstance(question, tuple):
            raise TypeError("not a question")
        attempt._qname, attempt._qtype, do, cd = <tuple>question
        if exact:
            attempt._qname = self._in_random_case(attempt._qname)
        cdef Opened opened = None
        try:
            opened = self._in_a_place(member)
            self._send(opened, attempt, do, cd)
        except OSError as error:
            if opened is not None:
                opened.retire()
            raise UpstreamUnreachableError(
                f"{member.plain.address}: {error.strerror or error}"
            ) from error
        if opened._carried >= self._questions_a_socket:
            opened.retire()
        return attempt

    def soon(self, callback):
        """Call something soon; see ``filterd.upstream._socket_pool_py.SocketPool.soon``."""
        if self._is_receiving:
            self._soon.append(callback)
        else:
            self._loop.call_soon(callback)

    def close(self):
        """Close every socket, whoever waits."""
        cdef Opened opened
        cdef UdpAttempt attempt
        for opened in list(self._open.values()):
            for attempt in opened.all_waiting():
                attempt._opened = attempt._next = None
            opened._last, opened._waiting = None, 0
            opened.retire()
        if not self._epoll.closed:
            self._loop.remove_reader(self._epoll_fd)
            self._epoll.close()
            self._epoll_fd = -1  # the number may soon be another's

    def due(self):
        """Retire the sockets whose time has passed."""
        cdef Opened opened
        cdef double now = self._wheel.now()
        self._timed = False
        for opened in list(self._open.values()):  # the oldest is the first
            if opened._retires_at > now:
                self._wait_for(opened)
                return
            opened.retire()

    cdef _wait_for(self, Opened opened):
        self._timed = True
        self._wheel.put(self, opened._retires_at)

    cdef _send(self, Opened opened, UdpAttempt attempt, bint do, bint cd):
        cdef uint8_t message[MOST_OCTETS]
        cdef tuple around = self._around_the_section(do, cd, attempt.edns)
        cdef uint16_t message_id = self._uint16()
        cdef size_t length
        if PyBytes_GET_SIZE(attempt._qname) > MAX_NAME_OCTETS:
            raise ValueError("a name of more than 255 octets")
        while opened.waits_for(message_id) is not None:
            message_id = self._uint16()
        attempt._message_id = message_id
        length = compose(message, message_id, around[0], attempt._qname, attempt._qtype, around[1])
        opened.ask(attempt, message, length)

    cdef tuple _around_the_section(self, bint do, bint cd, bint edns):
        """Return what stands between ID and question section, and what behind."""
        cdef int which = do << 2 | cd << 1 | edns
        cdef object around = self._around[which]
        if around is None:
            around = questions.around_the_section(do=do, cd=cd, edns=edns)
            if len(around[0]) != HEADER_OCTETS - 2 or len(around[1]) > MOST_BEHIND:
                raise ValueError("a query of another shape")
            self._around[which] = around
        return around

    cdef bytes _in_random_case(self, bytes qname):
        cdef bytes result = PyBytes_FromStringAndSize(
            PyBytes_AS_STRING(qname), PyBytes_GET_SIZE(qname)
        )
        cdef uint8_t* octets = <uint8_t*>PyBytes_AS_STRING(result)
        cdef uint32_t bits = 0
        cdef Py_ssize_t at
        for at in range(PyBytes_GET_SIZE(result)):
            if bits <= 1:
                bits = 0x1_0000 | self._uint16()
            if 0x61 <= octets[at] <= 0x7A and bits & 1:
                octets[at] ^= LETTER_CASE
            bits >>= 1
        return result

    cdef uint16_t _uint16(self) except? 0:
        """Return a number that nobody can foresee (``filterd.upstream.randomness``)."""
        cdef bytes block
        if not self._numbers_left:
            block = self._numbers.block()
            if len(block) != sizeof(self._block):
                raise ValueError("a block of another size")
            memcpy(self._block, PyBytes_AS_STRING(block), sizeof(self._block))
            self._numbers_left = BLOCK
        self._numbers_left -= 1
        return self._block[self._numbers_left]

    # The sockets.

    cdef Opened _in_a_place(self, member):
        """Return the socket in a place chosen at random, opened if it must be."""
        cdef Server server = self._server_of(member)
        cdef int place = self._uint16() % self._places
        cdef Opened opened = server._places[place]
        return opened if opened is not None else self._fill(server, place)

    cdef Server _server_of(self, member):
        cdef Server server = self._servers.get(member)
        return Server(member, self._places) if server is None else server

    cdef Opened _fill(self, Server server, int place):
        """Put a socket in a place: a spare one, if there is one."""
        cdef Opened opened
        if server._spares:
            opened = server._spares.pop(0)
        else:
            opened = self._opened(server)
        opened._place = place
        server._places[place] = opened
        if not self._asked:
            self._loop.call_soon(self._open_spares)
        self._asked[server.member] = None
        return opened

    def _open_spares(self):
        """Open what the next questions go out by, while upstreams think of an answer."""
        cdef Server server
        cdef dict asked = self._asked
        self._asked = {}
        try:
            for member in asked:
                server = self._server_of(member)
                while self._has_room_for_a_spare(server):
                    server._spares.append(self._opened(server))
        except OSError:
            pass  # the next question meets it as well, and is told

    cdef bint _has_room_for_a_spare(self, Server server) except -1:
        return (
            len(server._spares) < self._most_spares
            and len(self._open) < self._most // 2
            and self._epoll_fd >= 0
        )

    cdef Opened _opened(self, Server server):
        """Return a socket that is in no place yet."""
        if self._epoll_fd < 0:
            raise UpstreamUnreachableError(CLOSED)
        if len(self._open) >= self._most and not self._is_receiving:
            self._close_what_is_over()
        if len(self._open) >= self._most and not self._give_one_up():
            raise UpstreamUnreachableError(ALL_WAIT.format(self._most))
        cdef Opened opened = Opened.__new__(Opened)
        opened._fd = self._connected(server)
        opened._pool, opened._server, opened._place = self, server, NOWHERE
        opened._retires_at = self._wheel.now() + self._life_s
        self._open[opened._fd] = opened
        self._servers[server.member] = server
        server._sockets += 1
        cdef epoll_event event
        event.events, event.data.fd = EPOLLIN, opened._fd
        if epoll_ctl(self._epoll_fd, EPOLL_CTL_ADD, opened._fd, &event) < 0:
            try:
                raise_errno()
            finally:
                opened.retire()
        if not self._timed:
            self._wait_for(opened)
        return opened

    cdef bint _give_one_up(self) except -1:
        """Give up a socket on which nothing waits; tell whether there was one."""
        cdef Server server
        cdef Opened opened
        for server in self._servers.values():
            if server._spares:
                opened = server._spares[0]
                opened.retire()
                return True
        for server in self._servers.values():
            for place in server._places:
                if place is not None:
                    opened = place
                    if not opened._waiting:
                        opened.retire()
                        return True
        return False

    cdef close_soon(self, Opened opened):
        if self._is_receiving:
            self._over.append(opened)
        else:
            opened.close()

    cdef closed(self, Opened opened):
        cdef Server server = opened._server
        del self._open[opened._fd]
        server._sockets -= 1
        if not server._sockets:
            del self._servers[server.member]

    cdef int _connected(self, Server server) except -1:
        """Return a socket that only hears this server; see ``filterd.upstream.randomness``."""
        cdef object plain = server.member.plain
        cdef object address = (plain.address, plain.port)
        cdef int fd = c_socket(
            server._address.sin6_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0
        )
        if fd < 0:
            raise_errno()
        try:
            self._bind(fd, server)
            PySys_Audit("socket.connect", "OO", <PyObject*>self, <PyObject*>address)
            if c_connect(fd, <sockaddr*>&server._address, server._address_octets) < 0:
                raise_errno()
            if not forget_what_came_early(fd):
                raise OSError(errors.EBUSY, "a flood of messages on a port just opened")
        except BaseException:
            c_close(fd)
            raise
        return fd

    cdef _bind(self, int fd, Server server):
        """Take a port that nobody else has."""
        cdef sockaddr_in6 own
        cdef int tries
        cdef uint16_t port
        memset(&own, 0, sizeof(own))
        own.sin6_family = server._address.sin6_family
        for tries in range(TRIES):
            port = self._uint16()
            while not self._allowed[port]:
                port = self._uint16()
            own.sin6_port = htons(port)  # at the same place in an IPv4 address
            if c_bind(fd, <sockaddr*>&own, server._address_octets) == 0:
                return
            if errno != EADDRINUSE:
                break
        raise_errno()

    # What comes back.

    def _ready(self):
        self._is_receiving = True
        try:
            self._receive_all()
        finally:
            self._is_receiving = False
            self._go_on()

    cdef _receive_all(self):
        cdef epoll_event events[SOCKETS_A_WAKEUP]
        cdef int index
        cdef int count = epoll_wait(self._epoll_fd, events, SOCKETS_A_WAKEUP, 0)
        for index in range(count):
            found = self._open.get(events[index].data.fd)
            if found is not None:  # else it is none of ours any more
                self._receive(found)

    cdef _go_on(self):
        """Do what was to be done soon, and then close what is over."""
        cdef list soon = self._soon
        self._soon = []
        for callback in soon:
            try:
                callback()
            except Exception as error:
                self._loop.call_exception_handler(
                    {"message": "who was answered has failed", "exception": error}
                )
        self._close_what_is_over()

    cdef _close_what_is_over(self):
        cdef list over = self._over
        cdef Opened opened
        self._over = []
        for opened in over:
            opened.close()

    cdef _receive(self, Opened opened):
        """Read one message, and hand it to whom it answers."""
        cdef uint8_t message[LARGEST_RESPONSE]
        cdef ssize_t length = c_recv(opened._fd, message, LARGEST_RESPONSE, 0)
        cdef UdpAttempt attempt = None
        if length < 0:
            if errno != EAGAIN and errno != EINTR:
                self._refused(opened)
            return
        if length >= 2:
            attempt = opened.waits_for(<uint16_t>(message[0] << 8 | message[1]))
        if attempt is not None and attempt.is_answered_by(message, length, not attempt.exact):
            response = parsed(PyBytes_FromStringAndSize(<char*>message, length))
            if response is not None:
                attempt.leave()  # an upstream that answers twice is not heard twice
                if isinstance(attempt.waiter, Waiter):
                    (<Waiter>attempt.waiter).take(attempt, response)
                else:
                    attempt.waiter.answered(attempt, response)
                return
        self._mismatched(
            opened,
            attempt,
            attempt is not None
            and attempt.exact
            and attempt.is_answered_by(message, length, True),
        )

    cdef _mismatched(self, Opened opened, UdpAttempt attempt, bint in_case):
        """Count what answers nothing against all that wait: a forger aims at every one."""
        cdef list waiting = opened.all_waiting()
        cdef UdpAttempt one
        self._counters["mismatched" if waiting else "unexpected"] += 1
        if in_case:
            attempt.waiter.mismatched_in_case(attempt)
        for one in waiting:
            one.waiter.mismatched()

    cdef _refused(self, Opened opened):
        cdef UdpAttempt one
        self._counters["icmp"] += 1
        for one in opened.all_waiting():
            one.waiter.refused()


cdef parsed(bytes message):
    try:
        return questions.parse_response(message)
    except WireError:
        return None
