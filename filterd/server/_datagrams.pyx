# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Datagrams in batches: the same as ``_datagrams_py``, which explains it, by fewer calls.

Memory safety. One arena of fixed size holds a batch: the kernel is told the size
of every part of it before each call, and is believed about what it filled only
up to that size. A message is read within the length that came. What waits is
Python objects; the arena keeps nothing from one batch to the next.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from filterd.server._fastpath cimport Core
from filterd.server._limiter cimport (
    DENY,
    DROP_OVERLOAD,
    HINT_RATE,
    SERVE_LAST,
    Asker,
    SourceTable,
    text_of,
)

from collections import deque

from filterd.server import _datagrams_py as reference

cdef extern from *:
    """
    #include <sys/socket.h>
    #include <netinet/in.h>
    #include <arpa/inet.h>
    """
    enum: AF_INET
    enum: AF_INET6
    enum: IPPROTO_IP
    enum: IPPROTO_IPV6
    enum: IP_PKTINFO
    enum: IPV6_PKTINFO
    enum: MSG_DONTWAIT
    enum: MSG_TRUNC
    ctypedef unsigned int socklen_t
    struct in_addr:
        uint32_t s_addr
    struct in6_addr:
        uint8_t s6_addr[16]
    struct sockaddr_in:
        uint16_t sin_family
        uint16_t sin_port
        in_addr sin_addr
    struct sockaddr_in6:
        uint16_t sin6_family
        uint16_t sin6_port
        in6_addr sin6_addr
    struct in_pktinfo:
        int ipi_ifindex
        in_addr ipi_spec_dst
        in_addr ipi_addr
    struct in6_pktinfo:
        in6_addr ipi6_addr
        unsigned int ipi6_ifindex
    struct iovec:
        void* iov_base
        size_t iov_len
    struct msghdr:
        void* msg_name
        socklen_t msg_namelen
        iovec* msg_iov
        size_t msg_iovlen
        void* msg_control
        size_t msg_controllen
        int msg_flags
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    struct cmsghdr:
        size_t cmsg_len
        int cmsg_level
        int cmsg_type
    cmsghdr* CMSG_FIRSTHDR(msghdr* header) nogil
    cmsghdr* CMSG_NXTHDR(msghdr* header, cmsghdr* control) nogil
    unsigned char* CMSG_DATA(cmsghdr* control) nogil
    size_t CMSG_LEN(size_t length) nogil
    size_t CMSG_SPACE(size_t length) nogil
    uint16_t ntohs(uint16_t number) nogil
    int recvmmsg(int fd, mmsghdr* headers, unsigned int count, int flags, void* timeout) nogil
    int sendmmsg(int fd, mmsghdr* headers, unsigned int count, int flags) nogil

cdef enum:
    BATCH = 64
    LINES = 3
    LARGEST_QUERY = 4096
    CONTROL_WORDS = 8  # more than IPV6_PKTINFO needs with its header
    HEADER_OCTETS = 12
    MAX_LABEL_OCTETS = 63
    MAX_NAME_OCTETS = 255

assert LINES == reference.LINES and LARGEST_QUERY == reference.LARGEST_QUERY

cdef Py_ssize_t MOST_WAITING_OCTETS = reference.MOST_WAITING_OCTETS
cdef int BATCHES_A_TURN = reference.MOST_A_TURN // BATCH
cdef Py_ssize_t RESERVED_PARTS = reference.RESERVED_PARTS
cdef int MOST_HINTS_A_TURN = reference.MOST_HINTS_A_TURN
cdef int ANSWERED_A_TURN = reference.ANSWERED_A_TURN
cdef double WAITS_AT_MOST_S = reference.WAITS_AT_MOST_S

cdef uint64_t REFLECTING = sum(1 << port for port in reference.REFLECTING_PORTS)

cdef union Local:
    in_pktinfo ipv4
    in6_pktinfo ipv6

cdef struct Way:  # where a datagram came from, and the control message that answers from there
    sockaddr_in6 peer
    socklen_t peer_octets
    int level
    int kind
    size_t local_octets
    Local local

cdef struct Letter:  # a message that came, with its envelope
    size_t control[CONTROL_WORDS]
    iovec part
    sockaddr_in6 peer
    uint8_t octets[LARGEST_QUERY]

cdef struct Envelope:  # of a message that leaves
    size_t control[CONTROL_WORDS]
    iovec part

cdef struct Counts:
    uint64_t received
    uint64_t malformed
    uint64_t denied
    uint64_t truncated_rate
    uint64_t truncated_overload
    uint64_t dropped_rate
    uint64_t dropped_overload
    uint64_t unsent


cdef class Datagram:
    """A message and where it came from; see ``filterd.server._datagrams_py.Datagram``."""

    cdef readonly bytes message
    cdef readonly uint32_t interface
    cdef readonly double received_at
    cdef readonly bint recognised
    cdef Way _way

    @property
    def address(self):
        """Where it says that it comes from."""
        return text_of(address_of(&self._way.peer), address_octets(&self._way.peer))


cdef class Datagrams:
    """One UDP socket's traffic; see ``filterd.server._datagrams_py.Datagrams``."""

    cdef object _opened
    cdef int _fd  # the socket's, as of this turn: a closed one's number may be another's
    cdef SourceTable _table
    cdef object _permits
    cdef list _lines, _pending, _replies
    cdef Py_ssize_t _octets[LINES]
    cdef Py_ssize_t _most_waiting
    cdef int _hints_left
    cdef object _fast
    cdef Core _core
    cdef Counts _counts
    cdef Letter* _letters
    cdef Envelope* _envelopes
    cdef mmsghdr _in[BATCH]
    cdef mmsghdr _out[BATCH]
    cdef Way _ways[BATCH]

    def __cinit__(
        self,
        opened not None,
        SourceTable table not None,
        permits not None,
        Py_ssize_t most_waiting=reference.MOST_WAITING,
        fast=None,
    ):
        self._opened = opened
        self._table, self._permits, self._most_waiting = table, permits, most_waiting
        if fast is not None and isinstance(fast.core, Core):
            self._fast, self._core = fast, fast.core
        self._lines = [deque() for _ in range(LINES)]
        self._pending, self._replies = [], []
        self._letters = <Letter*>PyMem_Calloc(BATCH, sizeof(Letter))
        self._envelopes = <Envelope*>PyMem_Calloc(BATCH, sizeof(Envelope))
        if not self._letters or not self._envelopes:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self._letters)
        PyMem_Free(self._envelopes)

    def __len__(self):
        return sum(map(len, self._lines))

    @property
    def counters(self):
        """What has become of the datagrams so far."""
        return dict(self._counts)

    def receive(self, double now):
        """Take in what has come; False where more than a turn's worth had."""
        cdef int batch, count, index, replies, answered = 0
        self._hints_left = MOST_HINTS_A_TURN
        self._fd = self._opened.fileno()
        for batch in range(BATCHES_A_TURN):
            if self._fd < 0:
                return True
            for index in range(BATCH):
                self._expect(index)
            count = recvmmsg(self._fd, self._in, BATCH, MSG_DONTWAIT, NULL)
            if count < 0:
                if errno == EAGAIN:
                    return True
                continue  # an ICMP error for an earlier answer: nobody's question
            self._counts.received += count
            if self._fast is not None:
                self._fast.refresh(now)
            replies = 0
            for index in range(count):
                replies += self._take_in(index, replies, now)
            self._send(replies)
            if count < BATCH:
                return True
            answered += replies
            if answered >= ANSWERED_A_TURN and self._fast is not None:
                return False
        return False

    def take(self, Py_ssize_t most, double now):
        """Return those who are to be served next, at most so many."""
        cdef Datagram datagram
        cdef list taken = []
        cdef Py_ssize_t reserved
        cdef int number, later
        for number in range(LINES):
            line = self._lines[number]
            reserved = 0
            for later in range(number + 1, LINES):
                reserved += min(<Py_ssize_t>len(self._lines[later]), most // RESERVED_PARTS)
            while line and len(taken) < most - reserved:
                datagram = line.popleft()
                self._octets[number] -= PyBytes_GET_SIZE(datagram.message)
                if now - datagram.received_at < WAITS_AT_MOST_S:
                    taken.append(datagram)
                else:
                    self._counts.dropped_overload += 1
        return taken

    def answer(self, Datagram datagram not None, bytes reply not None):
        """Keep an answer for ``flush``."""
        self._pending.append(datagram)
        self._replies.append(reply)

    def flush(self):
        """Send the answers; what the kernel cannot take now will be asked for again."""
        cdef list pending = self._pending, replies = self._replies
        cdef Datagram datagram
        cdef bytes reply
        cdef Py_ssize_t start, index
        cdef Py_ssize_t total = len(pending)
        self._pending, self._replies = [], []
        self._fd = self._opened.fileno()
        for start in range(0, total, BATCH):
            for index in range(start, min(start + BATCH, total)):
                datagram, reply = pending[index], replies[index]
                self._address(
                    index - start,
                    &datagram._way,
                    <uint8_t*>PyBytes_AS_STRING(reply),
                    PyBytes_GET_SIZE(reply),
                )
            self._send(<int>(min(start + BATCH, total) - start))

    cdef void _expect(self, int index) noexcept:
        """Tell the kernel what a letter can hold; it overwrites that with what it put there."""
        cdef Letter* letter = &self._letters[index]
        cdef msghdr* header = &self._in[index].msg_hdr
        letter.part.iov_base, letter.part.iov_len = letter.octets, LARGEST_QUERY
        header.msg_name, header.msg_namelen = &letter.peer, sizeof(letter.peer)
        header.msg_iov, header.msg_iovlen = &letter.part, 1
        header.msg_control, header.msg_controllen = letter.control, sizeof(letter.control)
        header.msg_flags = 0

    cdef int _take_in(self, int index, int replies, double now) except -1:
        """Judge one letter of a batch; return 1 if a reply is addressed to its sender, else 0."""
        cdef Letter* letter = &self._letters[index]
        cdef Way* way = &self._ways[index]
        cdef size_t length = self._in[index].msg_len
        cdef Asker asker
        cdef size_t answered
        cdef int verdict
        cdef bint to_many = read_way(&self._in[index].msg_hdr, letter, way, &asker.interface)
        if (
            to_many
            or self._in[index].msg_hdr.msg_flags & MSG_TRUNC
            or not is_query(letter.octets, length)
            or is_reflecting(&letter.peer)
        ):
            self._counts.malformed += 1
            return 0
        asker.address = address_of(&way.peer)
        asker.octets = address_octets(&way.peer)
        verdict = self._table.judge_asker(&asker, now, self._permits)
        if verdict < LINES and self._core is not None:
            answered = self._core.answer_in_place(
                letter.octets, length, asker.address, asker.octets, asker.interface
            )
            if answered:
                self._address(replies, way, letter.octets, answered)
                return 1
        if verdict < LINES and not self._stand_in_line(
            letter, length, way, asker.interface, now, verdict
        ):
            if verdict == SERVE_LAST:
                verdict = self._table.crowd_asker(&asker, now, self._permits)
            else:
                verdict = HINT_RATE
        if verdict < LINES or not self._is_hinted(verdict):
            return 0
        self._address(replies, way, letter.octets, make_hint(letter.octets, length))
        return 1

    cdef bint _stand_in_line(
        self,
        const Letter* letter,
        size_t length,
        const Way* way,
        uint32_t interface,
        double now,
        int number,
    ) except -1:
        cdef Datagram datagram
        cdef Py_ssize_t octets = self._octets[number] + <Py_ssize_t>length
        line = self._lines[number]
        if len(line) >= self._most_waiting or octets > MOST_WAITING_OCTETS:
            return False
        datagram = Datagram.__new__(Datagram)
        datagram.message = PyBytes_FromStringAndSize(<const char*>letter.octets, length)
        datagram.interface, datagram.received_at, datagram._way = interface, now, way[0]
        datagram.recognised = self._core is None or self._core.recognised
        line.append(datagram)
        self._octets[number] = octets
        return True

    cdef bint _is_hinted(self, int verdict) noexcept:
        """Count one who is turned away; tell whether with a hint."""
        if verdict == DENY:
            self._counts.denied += 1
            return False
        if verdict == DROP_OVERLOAD:
            self._counts.dropped_overload += 1
            return False
        if verdict == HINT_RATE:
            if self._hints_left <= 0:
                self._counts.dropped_rate += 1
                return False
            self._counts.truncated_rate += 1
        else:
            self._counts.truncated_overload += 1
        self._hints_left -= 1
        return True

    cdef void _address(self, Py_ssize_t index, Way* way, uint8_t* octets, size_t length) noexcept:
        """Put a message into the envelope of that number; both must live until it is sent."""
        cdef Envelope* envelope = &self._envelopes[index]
        cdef msghdr* header = &self._out[index].msg_hdr
        cdef cmsghdr* control = <cmsghdr*>envelope.control
        envelope.part.iov_base, envelope.part.iov_len = octets, length
        header.msg_name, header.msg_namelen = &way.peer, way.peer_octets
        header.msg_iov, header.msg_iovlen = &envelope.part, 1
        header.msg_control, header.msg_controllen = NULL, 0
        if way.local_octets:
            control.cmsg_level, control.cmsg_type = way.level, way.kind
            control.cmsg_len = CMSG_LEN(way.local_octets)
            memcpy(CMSG_DATA(control), &way.local, way.local_octets)
            header.msg_control = control
            header.msg_controllen = CMSG_SPACE(way.local_octets)

    cdef void _send(self, int count) noexcept:
        """Send the first so many envelopes; one that cannot be sent does not keep the others."""
        cdef int done = 0, sent
        while done < count:
            sent = -1 if self._fd < 0 else sendmmsg(
                self._fd, &self._out[done], count - done, MSG_DONTWAIT
            )
            if sent > 0:
                done += sent
            elif self._fd < 0 or errno == EAGAIN:
                self._counts.unsent += count - done
                return
            elif errno != EINTR:
                self._counts.unsent += 1
                done += 1


def hint(bytes message not None):
    """Return what tells the sender of a query to come by TCP; for tests."""
    cdef uint8_t octets[LARGEST_QUERY]
    cdef size_t length = len(message)
    if not HEADER_OCTETS <= length <= LARGEST_QUERY:
        raise ValueError("a query has 12 to 4096 octets")
    memcpy(octets, PyBytes_AS_STRING(message), length)
    return PyBytes_FromStringAndSize(<const char*>octets, make_hint(octets, length))


cdef bint read_way(msghdr* header, const Letter* letter, Way* way, uint32_t* interface) noexcept:
    """Read how a letter came; tell whether it was sent to a broadcast or multicast address."""
    cdef cmsghdr* control = CMSG_FIRSTHDR(header)
    cdef in_pktinfo ipv4
    cdef in6_pktinfo ipv6
    interface[0] = 0
    way.peer, way.local_octets = letter.peer, 0
    way.peer_octets = min(header.msg_namelen, <socklen_t>sizeof(way.peer))
    while control:
        if (
            control.cmsg_level == IPPROTO_IP
            and control.cmsg_type == IP_PKTINFO
            and control.cmsg_len >= CMSG_LEN(sizeof(ipv4))
        ):
            memcpy(&ipv4, CMSG_DATA(control), sizeof(ipv4))
            interface[0] = ipv4.ipi_ifindex
            way.level, way.kind, way.local_octets = IPPROTO_IP, IP_PKTINFO, sizeof(ipv4)
            way.local.ipv4.ipi_ifindex = 0
            way.local.ipv4.ipi_spec_dst = ipv4.ipi_spec_dst
            way.local.ipv4.ipi_addr.s_addr = 0
            # What was sent to one address has that address as its local one.
            return ipv4.ipi_addr.s_addr != ipv4.ipi_spec_dst.s_addr
        if (
            control.cmsg_level == IPPROTO_IPV6
            and control.cmsg_type == IPV6_PKTINFO
            and control.cmsg_len >= CMSG_LEN(sizeof(ipv6))
        ):
            memcpy(&ipv6, CMSG_DATA(control), sizeof(ipv6))
            interface[0] = ipv6.ipi6_ifindex
            way.level, way.kind, way.local_octets = IPPROTO_IPV6, IPV6_PKTINFO, sizeof(ipv6)
            way.local.ipv6 = ipv6
            if not is_link_local(ipv6.ipi6_addr.s6_addr):
                way.local.ipv6.ipi6_ifindex = 0
            return ipv6.ipi6_addr.s6_addr[0] == 0xFF
        control = CMSG_NXTHDR(header, control)
    return False


cdef bint is_link_local(const uint8_t* address) noexcept:
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


cdef bint is_query(const uint8_t* message, size_t length) noexcept:
    return length >= HEADER_OCTETS and not message[2] & 0x80


cdef bint is_reflecting(const sockaddr_in6* peer) noexcept:
    cdef uint16_t port = ntohs(peer.sin6_port)  # at the same place for both families
    return port < 64 and REFLECTING >> port & 1


cdef const uint8_t* address_of(const sockaddr_in6* peer) noexcept:
    if peer.sin6_family == AF_INET6:
        return peer.sin6_addr.s6_addr
    return <const uint8_t*>&(<const sockaddr_in*>peer).sin_addr


cdef int address_octets(const sockaddr_in6* peer) noexcept:
    return 16 if peer.sin6_family == AF_INET6 else 4


cdef size_t make_hint(uint8_t* message, size_t length) noexcept:
    """Turn a query into the hint to come by TCP, where it stands; return how long that is."""
    cdef size_t end = question_end(message, length)
    message[2] = 0x80 | message[2] & 0x79 | 0x02  # QR; opcode and RD kept; TC
    message[3] = 0x80 | message[3] & 0x10  # RA; CD kept
    message[4] = message[6] = message[7] = message[8] = message[9] = 0
    message[10] = message[11] = 0
    message[5] = end > HEADER_OCTETS
    return end


cdef size_t question_end(const uint8_t* message, size_t length) noexcept:
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
