# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Ask upstreams: sockets on random ports, exchanges in flight, and what is kept of a response.

``socket_pool``, ``singleflight`` and ``resolution`` are the plain ways of the three sections;
here are the ordinary cases, by fewer calls.

A question goes out by one of 256 places for its server, chosen at random. Where the place is
empty a socket is opened on a random port; after three questions or two seconds it retires, so
that only a third of the questions pay for opening one, ports do not show the order of
questions, and no port is open long enough to be found (SAD DNS, CVE-2020-25705). While a
server works, a few spare sockets are opened for the next questions. All are in one epoll set,
which the event loop watches as one descriptor, and share one timer.

Memory safety. A message is composed in an array that holds the longest (a name of 255
octets at most, which is checked), and read into one whose size the kernel gets.
Of a response the header is read, which the codec has checked; records are offsets that the
codec has found to lie within the message. All that lives from one call to the next is
Python objects.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItemWithError, PyDict_SetItem
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from libc.errno cimport EADDRINUSE, EAGAIN, EINTR, errno
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcmp, memcpy, memset

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
    forget_what_came_early,
    htons,
    raise_errno,
    set_ipv4,
    set_ipv6,
    sockaddr,
    sockaddr_in6,
    socklen_t,
)
from filterd.wire._codec cimport (
    Kept,
    ParsedResponse,
    lowered,
    named,
    octets_of,
    rcode_of,
    rebuilt,
    wrong,
)
from filterd.wire._names cimport Name, expand_name, same_name, skip_name
from filterd.wire._octets cimport COUNT, OTHER, TRUNCATED, Octets, Place, four_octets, stop
from filterd.wire._records cimport FIXED_OCTETS, RecordAt

import asyncio
import errno as errors
import select
import socket as sockets

from filterd.base.errors import (
    UpstreamError,
    UpstreamMalformedError,
    UpstreamOverloadError,
    UpstreamUnreachableError,
    WireError,
)
from filterd.upstream import socket_pool as plain_pool
from filterd.upstream import exchange as exchanges
from filterd.upstream import private_ranges as addresses
from filterd.upstream import randomness as random_ports
from filterd.upstream import resolution as plainly
from filterd.upstream import server_group as groups
from filterd.upstream import singleflight, socket_pool
from filterd.upstream import upstream_question as questions
from filterd.wire import edes_of

cdef extern from "Python.h":
    int PySys_Audit(const char* event, const char* arguments, ...) except -1

cdef enum:
    BLOCK = 2_048  # numbers that are drawn at once
    LARGEST_RESPONSE = 4_096
    SOCKETS_A_WAKEUP = 64
    TRIES = 32
    MOST_PLACES = 1_024
    PORTS = 65_536
    NOWHERE = -1  # the place of a spare socket

cdef str ALL_WAIT = "all {} sockets are waiting for answers"
cdef str CLOSED = "the sockets are closed"


# Sockets, by which servers are asked by UDP.
# -------------------------------------------

cdef class Waiter:
    """Base of what takes the response to an attempt without a call of Python."""

    cdef take(self, UdpAttempt attempt, response):
        raise NotImplementedError


@cython.freelist(64)
cdef class UdpAttempt:
    """A question sent once to one server; see ``filterd.upstream.socket_pool.UdpAttempt``."""

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

    def close(self):
        """Stop waiting. May be called twice."""
        self.leave()

    def fail(self):
        """Stop waiting after a timeout: the path from that socket may be gone."""
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

    cdef SocketPool _pool
    cdef Server _server
    cdef int _fd
    cdef int _place
    cdef int _carried
    cdef int _waiting
    cdef bint _retired
    cdef double _retires_at
    cdef UdpAttempt _last

    def __cinit__(self):
        self._fd = -1

    def __dealloc__(self):
        if self._fd >= 0:  # it failed before it was part of the pool
            c_close(self._fd)

    cdef ask(self, UdpAttempt attempt, const uint8_t* message, size_t length):
        """Send a question. Raises OSError where it cannot be sent from here."""
        if c_send(self._fd, message, length, 0) < 0:
            # It may be the ICMP error of an earlier question, reported only now.
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
        """Return the waiting attempts, in the order of their questions."""
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
        """Carry no more questions; close when no attempt waits any more."""
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

    cdef object member
    cdef list _places
    cdef list _spares  # the oldest is the first
    cdef int _sockets
    cdef socklen_t _address_octets
    cdef sockaddr_in6 _address  # or an IPv4 one, which is shorter

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
    """Sends attempts; see ``filterd.upstream.socket_pool.SocketPool``."""

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

    def __init__(self, wheel, numbers, counters):
        self._wheel, self._numbers, self._counters = wheel, numbers, counters
        self._most = plain_pool.most_sockets()
        self._questions_a_socket = plain_pool.QUESTIONS_A_SOCKET
        self._places, self._life_s = plain_pool.PLACES, plain_pool.LIFE_S
        self._most_spares = plain_pool.SPARES
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
        """Send a question to a server; see ``filterd.upstream.socket_pool.SocketPool.ask``."""
        return self.send(waiter, member, question, sent_at, edns, exact)

    cdef UdpAttempt send(
        self, waiter, member, question, double sent_at, bint edns, bint exact
    ):
        cdef UdpAttempt attempt = UdpAttempt.__new__(UdpAttempt)
        attempt.waiter, attempt.member, attempt.sent_at = waiter, member, sent_at
        attempt.edns, attempt.exact = edns, exact
        if not isinstance(question, tuple):
            raise TypeError("not a question")
        attempt._qname, attempt._qtype, do, cd, _ = <tuple>question
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
        """Call a function soon; see ``filterd.upstream.socket_pool.SocketPool.soon``."""
        if self._is_receiving:
            self._soon.append(callback)
        else:
            self._loop.call_soon(callback)

    def close(self):
        """Close every socket, in use or not."""
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
        """Return the octets between ID and question section, and behind it."""
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
        """Return an unpredictable number (``filterd.upstream.randomness``)."""
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
        """Open sockets for the next questions, while the upstreams work on the last ones."""
        cdef Server server
        cdef dict asked = self._asked
        self._asked = {}
        try:
            for member in asked:
                server = self._server_of(member)
                while self._has_room_for_a_spare(server):
                    server._spares.append(self._opened(server))
        except OSError:
            pass  # the next question meets the same error, and reports it

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
            self._close_retired()
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
        """Close a socket on which nothing waits; return whether there was one."""
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
        """Return a socket connected to this server; see ``filterd.upstream.randomness``."""
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
        """Take a port that is free."""
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

    # Receiving.

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
            if found is not None:  # else it was closed meanwhile
                self._receive(found)

    cdef _go_on(self):
        """Call the callbacks, then close the sockets that are no longer used."""
        cdef list soon = self._soon
        self._soon = []
        for callback in soon:
            try:
                callback()
            except Exception as error:
                self._loop.call_exception_handler(
                    {"message": "a waiter of an answer has failed", "exception": error}
                )
        self._close_retired()

    cdef _close_retired(self):
        cdef list over = self._over
        cdef Opened opened
        self._over = []
        for opened in over:
            opened.close()

    cdef _receive(self, Opened opened):
        """Read one message, and pass it to the attempt that it answers."""
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
                attempt.leave()  # an upstream's second answer is ignored
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
        """Count a mismatch against every waiting attempt: a forger may aim at any of them."""
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


# Exchanges in flight.
# --------------------
#
# Nearly every exchange is ordinary: the first server is asked by UDP, and its answer is
# conclusive and whole. Only that is here. In every other case (TLS, silence, a mismatch, an
# ICMP error, an answer that is truncated, inconclusive or unusable) an exchange of
# ``filterd.upstream.exchange`` takes over the attempt in flight: nothing is asked twice.

cdef enum:
    FLAGS = 2  # their offset in a header: two octets
    TC = 0x02  # in the first
    AD = 0x20  # in the second
    NOERROR = 0
    NXDOMAIN = 3
    YXDOMAIN = 6

cdef double TICK_S = socket_pool.TICK_S
cdef double SMOOTHING = groups.SMOOTHING
cdef str STOPPING = "filterd is stopping"

assert exchanges.CONCLUSIVE == {NOERROR, NXDOMAIN, YXDOMAIN}


@cython.final
cdef class Ways:
    """The parts of ``Transports`` that exchanges use, and the tick of the last timeout."""

    cdef object transports
    cdef object _monotonic
    cdef object _time
    cdef object _wheel
    cdef object counters
    cdef SocketPool pool
    cdef double deadline_s
    cdef double second_try_s
    cdef double first_hedge_s
    cdef double last_hedge_s
    cdef int64_t _tick
    cdef object _bucket

    def __cinit__(self, transports):
        self.transports, self.counters = transports, transports.counters
        self._monotonic, self._time = transports.clock.monotonic, transports.loop.time
        self._wheel = transports.wheel
        if isinstance(transports.pool, SocketPool):
            self.pool = transports.pool
        self.deadline_s, self.second_try_s = exchanges.DEADLINE_S, exchanges.SECOND_TRY_S
        self.first_hedge_s, self.last_hedge_s = groups.FIRST_HEDGE_S, groups.LAST_HEDGE_S
        self._tick = -1

    cdef double monotonic(self) except? -1:
        return self._monotonic()

    cdef double time(self) except? -1:
        return self._time()

    cdef object put(self, waiting, double at):
        """Add a timeout; return the bucket to remove it from."""
        cdef int64_t tick = <int64_t>(at / TICK_S) + 1
        if tick == self._tick:  # it lies ahead, so the wheel has not turned to it yet
            PyDict_SetItem(self._bucket, waiting, None)
        else:
            self._bucket = self._wheel.put(waiting, at)
            self._tick = tick
        return self._bucket


cdef class Exchange(Waiter):
    """An ordinary exchange; see ``filterd.upstream.exchange.Exchange``."""

    cdef Ways _ways
    cdef object _order
    cdef object _question
    cdef object _read
    cdef object _done
    cdef UdpAttempt _attempt  # in flight, as long as this is ordinary
    cdef object _other  # the exchange that takes over where it is not
    cdef object _waits_in
    cdef double _began
    cdef double _next_at

    def __init__(self, transports, order, question, read, done):
        self._ways = Ways(transports)
        self._order, self._question, self._read, self._done = order, question, read, done

    def start(self, double now):
        """Ask the first server."""
        self.begin(now)

    def close(self):
        """Give up without a result; free all resources. May be called twice."""
        self.give_up()

    cdef begin(self, double now):
        if not self._ask(now):
            self._successor().start(now)

    cdef give_up(self):
        cdef UdpAttempt attempt = self._attempt
        if attempt is not None:
            self._attempt = None
            attempt.leave()
            self._stop_waiting()
        if self._other is not None:
            self._other.close()

    cdef tuple others(self):
        """Return the object that reads the responses of the exchange and takes its outcome."""
        return self._read, self._done

    cdef object made_of(self, ParsedResponse response, server):
        """Return what may be kept of a response, or the error if it cannot be used."""
        return self._read(response, server)

    cdef settle(self, outcome):
        """Take the outcome."""
        self._done(outcome)

    # Events.

    cdef take(self, UdpAttempt attempt, response):
        cdef object found
        if not is_whole(response):
            self._hand_over().answered(attempt, response)
            return
        try:
            found = self.made_of(response, attempt.member.plain)
        except BaseException:  # whatever is wrong in here, no waiter may wait for ever
            self._end_with(attempt, UpstreamMalformedError("nothing could be made of it"))
            raise
        if isinstance(found, UpstreamError):
            self._hand_over().answered(attempt, response)  # it is read again, as badly
        else:
            self._end_with(attempt, found)

    cdef _end_with(self, UdpAttempt attempt, outcome):
        note_answer(attempt, self._ways.monotonic())
        self._attempt = None
        self._stop_waiting()
        self.settle(outcome)

    def mismatched(self):
        """Note a message that answers nothing."""
        if self._attempt is not None:
            self._hand_over().mismatched()

    def mismatched_in_case(self, attempt):
        """Note a message that answers except for letter case."""
        if self._attempt is not None:
            self._hand_over().mismatched_in_case(attempt)

    def refused(self):
        """Note an ICMP error."""
        if self._attempt is not None:
            self._hand_over().refused()

    def due(self):
        """Act on the timer."""
        if self._attempt is not None:
            self._hand_over().due()

    # Asking, and handing over.

    cdef bint _ask(self, double now) except -1:
        """Ask the first server, if it is asked by UDP; return whether it was."""
        cdef Ways ways = self._ways
        cdef double wait_s = ways.second_try_s
        cdef bint edns, exact
        if ways.pool is None or not len(self._order):
            return False
        member = self._order[0]
        if now >= <double>member._no_tls_until:
            return False
        edns = now >= <double>member._no_edns_until
        exact = member.plain.randomise_case and now >= <double>member._no_case_until
        try:
            self._attempt = ways.pool.send(self, member, self._question, now, edns, exact)
        except UpstreamUnreachableError:
            return False  # the exchange that takes over tries again, and reports it
        count(ways.counters, "sent")
        self._began = self._next_at = ways.time()
        if len(self._order) > 1:
            wait_s = min(max(ways.first_hedge_s, 2 * <double>member.srtt_s), ways.last_hedge_s)
            self._next_at += wait_s
        self._waits_in = ways.put(self, self._began + min(wait_s, ways.deadline_s))
        return True

    cdef object _successor(self):
        """Return the exchange that takes over."""
        self._other = exchanges.Exchange(
            self._ways.transports, self._order, self._question, *self.others()
        )
        return self._other

    cdef object _hand_over(self):
        """Return the exchange that takes over the attempt in flight."""
        cdef UdpAttempt attempt = self._attempt
        self._attempt = None
        self._stop_waiting()
        other = self._successor()
        other.go_on(attempt, self._began, self._next_at)
        return other

    cdef _stop_waiting(self):
        self._waits_in.pop(self, None)
        self._waits_in = None


cdef bint is_whole(response):
    """Return whether a response is conclusive and not truncated."""
    cdef const uint8_t* header
    if not isinstance(response, ParsedResponse):
        return False
    header = <const uint8_t*>PyBytes_AS_STRING((<ParsedResponse>response).message)
    if header[FLAGS] & TC:
        return False
    return rcode_of(<ParsedResponse>response) in (NOERROR, NXDOMAIN, YXDOMAIN)


cdef note_answer(UdpAttempt attempt, double now):
    """Note an answer, as ``answered`` and ``kept_case`` of ``ServerHealth`` do."""
    cdef double took_s = now - attempt.sent_at
    member = attempt.member
    cdef double srtt_s = member.srtt_s
    member.srtt_s = srtt_s + (took_s - srtt_s) * (SMOOTHING if srtt_s else 1.0)
    member.times.add(took_s)
    member._answered_at = now
    if member.failures:
        member.recovered(now)
    if attempt.exact:
        member.kept_case()


cdef count(counters, str what):
    cdef PyObject* before = PyDict_GetItemWithError(counters, what)
    PyDict_SetItem(counters, what, 1 if before == NULL else <object>before + 1)


@cython.final
cdef class Flight(Exchange):
    """One exchange and its waiters, in the order in which they came."""

    cdef Flights _flights
    cdef object asker
    cdef double started_at
    cdef bint forgotten
    cdef object outcome
    cdef list waiters

    cdef end(self, error):
        """Give up; the caller notifies the waiters."""
        self.give_up()
        self.outcome = error
        self._flights.forget(self)

    cdef tuple others(self):
        return self.read, self.land

    cdef settle(self, outcome):
        self.land(outcome)

    def read(self, response, server):
        """Extract from a response what may be kept."""
        return self.outcome_of(response, server)

    cpdef land(self, outcome):
        """Take the outcome of the exchange."""
        self.outcome = outcome
        self.tell()
        self._flights.landed(self)

    cdef object made_of(self, ParsedResponse response, server):
        return self.outcome_of(response, server)

    cdef object outcome_of(self, response, server):
        """Return the resolution of a response, or the error that it amounts to."""
        cdef tuple values
        cdef object leaves_alone = self._flights.leaves_alone
        cdef bint authentic, plain
        try:
            resolution = resolution_of(response, self._question)
        except UpstreamError as error:
            return type(error)(*error.args)  # one without a traceback, which all waiters can raise
        authentic = server.trusted and PyBytes_AS_STRING(<bytes?>response.message)[FLAGS + 1] & AD
        plain = leaves_alone is not None and leaves_alone(self._question, resolution)
        if not authentic and not plain:
            return resolution
        values = <tuple>resolution
        return named(Resolution, (*values[:5], authentic, values[6], values[7], plain))

    cpdef tell(self):
        """Call all waiters; one that raises does not stop the others."""
        cdef list waiters = self.waiters
        self.waiters = []
        for done in waiters:
            try:
                done(self.outcome)
            except Exception as error:
                self._ways.transports.loop.call_exception_handler(
                    {"message": "a waiter for an upstream has failed", "exception": error}
                )


@cython.final
cdef class Flights:
    """Exchanges in flight; see ``filterd.upstream.singleflight.Flights``."""

    cdef readonly object transports
    cdef public object leaves_alone
    cdef object _transports_of
    cdef object _clock
    cdef object _monotonic
    cdef object _counters
    cdef object _groups
    cdef Ways _ways
    cdef dict _flights  # the oldest is the first
    cdef dict _by_asker
    cdef list _landed
    cdef bint _closed
    cdef Py_ssize_t _most
    cdef Py_ssize_t _most_a_client
    cdef double _gives_way_after_s

    def __init__(self, clock, counters, groups):
        self._clock, self._counters, self._groups = clock, counters, groups
        self._monotonic = clock.monotonic
        # Not above: the transports are made of this module's sockets.
        from filterd.upstream.transport_set import Transports
        self._transports_of = Transports
        self._flights, self._by_asker, self._landed = {}, {}, []

    def __len__(self):
        return len(self._flights)

    def ask(self, question not None, asker, done):
        """Ask, or join an equal query in flight; see ``singleflight.Flights.ask``."""
        cdef Flight flight = self._flights.get(question)
        if flight is None:
            try:
                flight = self._start(question, asker)
            except UpstreamError as error:
                return error
        else:
            count(self._counters, "shared")
            if flight.asker != asker:
                self._leave_share(flight)
        if flight.outcome is None:
            flight.waiters.append(done)
        return flight.outcome

    def soon(self, callback):
        """Call a function soon; see ``singleflight.Flights.soon``."""
        if self.transports is not None:
            self.transports.pool.soon(callback)
        else:
            asyncio.get_running_loop().call_soon(callback)

    def keep_to(self, routes):
        """End every exchange by another route; see ``Forwarder.keep_to``."""
        cdef Flight flight
        for flight in list(self._flights.values()):
            if flight.outcome is None and flight._question.route not in routes:
                flight.end(UpstreamOverloadError("it is asked elsewhere"))
                self.transports.loop.call_soon(flight.tell)

    def close(self):
        """End every exchange with an error for its waiters; nothing is asked any more."""
        cdef Flight flight
        self._closed = True
        for flight in list(self._flights.values()):
            flight.end(UpstreamUnreachableError(STOPPING))
            flight.tell()
        if self.transports is not None:
            self.transports.close()

    cdef Flight _start(self, question, asker):
        cdef double now
        cdef Flight flight
        if self._closed:
            raise UpstreamUnreachableError(STOPPING)
        now = self._monotonic()
        if self._ways is None:
            self._find_ways()
        self._make_room(asker, now)
        flight = Flight.__new__(Flight)
        flight._ways, flight._order = self._ways, self._in_order(question.route, now)
        flight._question, flight._flights = question, self
        flight.started_at, flight.waiters = now, []
        self._take_place(flight, asker)
        try:
            flight.begin(now)
        except BaseException:  # else a later question would wait for an exchange that is over
            flight.end(UpstreamUnreachableError("it could not be asked"))
            raise
        return flight

    cdef object _in_order(self, route, double now):
        """Return the servers in the order of asking, as ``ServerGroup.in_order`` does."""
        group = self._groups.by_route.get(route)
        if group is None:
            group = self._groups.of(route)
        members = group.members
        if len(members) > 1:
            for member in members:
                if <double>member.down_until:
                    return group.in_order(now)
        return members

    cdef _find_ways(self):
        try:
            self.transports = self._transports_of(self._clock, self._counters)
        except OSError as error:
            raise UpstreamUnreachableError(f"no socket: {error.strerror}") from error
        self._ways = Ways(self.transports)
        self._most, self._most_a_client = singleflight.MOST_EXCHANGES, singleflight.MOST_A_CLIENT
        self._gives_way_after_s = singleflight.GIVES_WAY_AFTER_S

    # The bounds, which ``filterd.upstream.singleflight`` explains.

    cdef _make_room(self, asker, double now):
        """End the exchange that gives way to a question of this client, or refuse that."""
        cdef Flight oldest
        cdef dict own = self._by_asker.get(asker)
        if own is not None and len(own) >= self._most_a_client:
            oldest = next(iter(own))
        elif len(self._flights) >= self._most:
            oldest = next(iter(self._flights.values()))
        else:
            return
        if now - oldest.started_at < self._gives_way_after_s:
            count(self._counters, "overload")
            raise UpstreamOverloadError("too many questions are waiting for upstreams")
        count(self._counters, "gave_way")
        oldest.end(UpstreamOverloadError("it gave way to newer questions"))
        # Reported later: a callback may ask again, and this question is not yet sent.
        self.transports.loop.call_soon(oldest.tell)

    cdef _take_place(self, Flight flight, asker):
        cdef dict own
        self._flights[flight._question] = flight
        flight.asker = asker
        if asker is not None:
            own = self._by_asker.get(asker)
            if own is None:
                own = self._by_asker[asker] = {}
            own[flight] = None

    cdef _leave_share(self, Flight flight):
        cdef dict own = self._by_asker.get(flight.asker)
        if own is not None:
            own.pop(flight, None)
            if not own:
                del self._by_asker[flight.asker]

    cdef landed(self, Flight flight):
        """Forget an exchange that is over, once everything that its callbacks wake has run."""
        if not self._landed:
            self.transports.loop.call_soon(self._forget_landed)
        self._landed.append(flight)

    cdef forget(self, Flight flight):
        if not flight.forgotten:
            flight.forgotten = True
            del self._flights[flight._question]
            self._leave_share(flight)

    def _forget_landed(self):
        cdef list landed = self._landed
        cdef Flight first = landed.pop(0)
        self._landed = []
        self.forget(first)
        if landed:  # at the same time, but what their callbacks wake runs after this
            self.transports.loop.call_soon(self._forget_all, landed)

    def _forget_all(self, list flights):
        cdef Flight flight
        for flight in flights:
            self.forget(flight)


# What may be kept of a response.
# -------------------------------

include "_extraction.pxi"
