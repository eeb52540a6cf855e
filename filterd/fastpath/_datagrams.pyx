# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Receive and send datagrams in batches, and forward questions that no rule concerns.

``datagrams`` has the limits and explains them. What the fast path can answer is answered
first, and so is a message that is no query, if its client may ask.

Memory safety. One arena of fixed size holds a batch (see ``_envelopes``). A message is read
within the length that came; a hint or refusal is a header and at most the question that
was found in the message, and so never longer than that. What waits is Python objects; the
arena keeps nothing from one batch to the next. The end of a ``Datagram``'s question was
found by the bounded reader of questions: within the message, which never changes.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.errno cimport EAGAIN, EINTR, errno
from libc.math cimport INFINITY
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from filterd.fastpath._envelopes cimport (
    LARGEST_QUERY,
    MSG_DONTWAIT,
    MSG_TRUNC,
    Envelope,
    Letter,
    Way,
    Words,
    address,
    address_octets,
    address_of,
    expect,
    mmsghdr,
    ntohs,
    read_way,
    recvmmsg,
    sendmmsg,
    sockaddr_in6,
    text_of,
    words_of,
)
from filterd.fastpath._core cimport FOR_THE_CHAIN, OPEN_TO_ASK, Asking, Core
from filterd.fastpath._rate_limit cimport (
    DENY,
    DROP_OVERLOAD,
    HINT_RATE,
    SERVE_LAST,
    SourceTable,
)
from filterd.fastpath._question cimport (
    ASKED_CD,
    ASKED_DO,
    ASKED_OPT,
    HEADER_OCTETS,
    MAX_LABEL_OCTETS,
    MAX_NAME_OCTETS,
)
from filterd.wire._codec cimport assembled_for, named
from filterd.wire._octets cimport NO_MEMORY, Octets, Place
from filterd.wire._queries cimport QueryAt, read_query

import logging
import os
from collections import deque

from filterd.fastpath import datagrams as reference
from filterd.resolve.links.cache import STALE_FOR_S
from filterd.resolve.query import Fetched
from filterd.resolve.tunnel_counter import SHORTEST_CHILD
from filterd.base.time_buckets import BOUNDS_MS, TimeBuckets
from filterd.upstream import Resolution as Resolved
from filterd.upstream import UpstreamQuestion as Asked
from filterd.wire import fit
from filterd.wire.rebuild import MAX_TTL_S as _MAX_TTL_S

_log = logging.getLogger("filterd.fastpath")

cdef enum:
    BATCH = 64
    FEW = 4  # answering more takes so long that others have come meanwhile
    SMALL_BATCHES = 8  # of these in a turn of the loop, which also serves others than clients
    ANSWERED_A_TURN = 1024  # by the fast path in a turn of the loop
    LINES = 3
    OPCODE_BITS = 0x78
    FORMERR = 1
    NOTIMP = 4
    RCODES = 16
    RCODE_BITS = 15
    BOUNDS = 14  # of the buckets of times; one more is for what takes longer

assert LINES == reference.LINES and LARGEST_QUERY == reference.LARGEST_QUERY

assert RCODES == reference.RCODES and BOUNDS == len(BOUNDS_MS)

cdef double BOUNDS_S[BOUNDS]
for _number, _bound_ms in enumerate(BOUNDS_MS):
    BOUNDS_S[_number] = _bound_ms / 1000

cdef Py_ssize_t MOST_WAITING_OCTETS = reference.MOST_WAITING_OCTETS
cdef int BATCHES_A_TURN = reference.MOST_A_TURN // BATCH
cdef Py_ssize_t RESERVED_PARTS = reference.RESERVED_PARTS
cdef int MOST_HINTS_A_TURN = reference.MOST_HINTS_A_TURN
cdef double WAITS_AT_MOST_S = reference.WAITS_AT_MOST_S

cdef type Resolution = Resolved
cdef type UpstreamQuestion = Asked
cdef double stale_for_s = STALE_FOR_S
cdef int64_t MAX_TTL_S = _MAX_TTL_S

cdef uint64_t REFLECTING = sum(1 << port for port in reference.REFLECTING_PORTS)

cdef struct Counts:
    uint64_t received
    uint64_t malformed
    uint64_t denied
    uint64_t truncated_rate
    uint64_t truncated_overload
    uint64_t dropped_rate
    uint64_t dropped_overload
    uint64_t unsent
    uint64_t error

cdef struct Times:
    uint64_t buckets[BOUNDS + 1]
    double sum_s


cdef inline void note_time(Times* times, double within_s, uint64_t count) noexcept nogil:
    """Count replies that took so long."""
    cdef int bucket = 0
    if within_s < 0:
        within_s = 0
    while bucket < BOUNDS and within_s > BOUNDS_S[bucket]:
        bucket += 1
    times.buckets[bucket] += count
    times.sum_s += within_s * <double>count


cdef plain_times(const Times* times):
    return TimeBuckets([times.buckets[bucket] for bucket in range(BOUNDS + 1)], times.sum_s)


# Datagrams in, answers out.
# --------------------------

cdef class Datagram:
    """A message and its source: ``interface`` is an index, 0 if not known.

    The rest is what the fast path found, -1 for nothing: ``client_group``, and
    ``opening`` where no list or rule concerns the question; ``epoch``: as of when. Of such
    a question it has what was read: ``qname``, ``qtype``, where the question section
    ends, ``flags`` (``core_contract``), and the ``limit`` of octets that the client accepts.
    """

    cdef readonly bytes message
    cdef readonly uint32_t interface
    cdef readonly uint32_t epoch
    cdef readonly int client_group
    cdef readonly int opening
    cdef readonly double received_at
    cdef readonly bytes qname
    cdef uint32_t question_end
    cdef uint32_t flags
    cdef uint16_t qtype
    cdef uint16_t limit
    cdef uint16_t device
    cdef Way way

    @property
    def address(self):
        """The source address, which may be forged."""
        return text_of(&self.way.peer)


cdef class Datagrams:
    """One UDP socket's traffic; see ``filterd.fastpath.datagrams.Datagrams``.

    ``fast`` is a ``FastPath``, or None.
    """

    cdef object _opened, _monotonic, _serve
    cdef int _fd  # the socket's, as of this turn: a closed one's number may be another's
    cdef SourceTable _table
    cdef object _permits
    cdef list _lines, _pending, _replies
    cdef Py_ssize_t _octets[LINES]
    cdef Py_ssize_t _most_waiting
    cdef int _hints_left
    cdef object _fast
    cdef Core _core
    cdef bint _is_fast
    cdef bint _is_of_one_address  # its answers leave from there without a control message
    cdef Counts _counts
    cdef uint64_t _requests[2]  # over IPv6, over IPv4
    cdef uint64_t _rcodes[RCODES]
    cdef Times _fast_times, _chain_times
    cdef uint64_t _answered  # by the fast path in this batch
    cdef uint64_t _malformed, _notimp  # refused and not yet counted by the fast path
    cdef Letter* _letters
    cdef Envelope* _envelopes
    cdef Asking* _askings
    cdef mmsghdr _in[BATCH]
    cdef int _used  # so many of them, from the first, have been handed to the kernel
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
        self._is_of_one_address = opened.getsockname()[0] not in ("0.0.0.0", "::")
        self._table, self._permits, self._most_waiting = table, permits, most_waiting
        if fast is not None and isinstance(fast.core, Core):  # else nothing is answered at once
            self._fast, self._core, self._is_fast = fast, fast.core, True
        self._lines = [deque() for _ in range(LINES)]
        self._pending, self._replies = [], []
        self._letters = <Letter*>PyMem_Calloc(BATCH, sizeof(Letter))
        self._envelopes = <Envelope*>PyMem_Calloc(BATCH, sizeof(Envelope))
        self._askings = <Asking*>PyMem_Calloc(BATCH if self._is_fast else 1, sizeof(Asking))
        if not self._letters or not self._envelopes or not self._askings:
            raise MemoryError
        self._used = BATCH

    def __dealloc__(self):
        PyMem_Free(self._letters)
        PyMem_Free(self._envelopes)
        PyMem_Free(self._askings)

    def __len__(self):
        cdef Py_ssize_t waiting = 0
        cdef int number
        for number in range(LINES):
            waiting += len(self._lines[number])
        return waiting

    @property
    def counters(self):
        """The number of datagrams by outcome so far."""
        return dict(self._counts)

    @property
    def traffic(self):
        """Queries, replies and their times so far: see ``Traffic``."""
        return reference.traffic_to_plain(
            [self._requests[0], self._requests[1]],
            [self._rcodes[rcode] for rcode in range(RCODES)],
            fast=plain_times(&self._fast_times),
            chain=plain_times(&self._chain_times),
        )

    def attend(self, loop, monotonic not None, serve not None):
        """Receive whenever the socket is readable, and let waiting datagrams be served."""
        self._monotonic, self._serve = monotonic, serve
        loop.add_reader(self._opened, self._readable)

    def _readable(self):
        try:
            self.receive(self._monotonic())
        except Exception:  # logged whole; datagrams in line must not wait
            _log.exception("what came could not all be taken in")
        if len(self):
            self._serve()

    cpdef bint receive(self, double now) except -1:
        """Receive what has come, at most a turn's worth; return False if there may be more."""
        cdef bint is_all = self._receive_batches(now)
        if self._is_fast and self._core.is_house_due(now):  # once they have their answers
            self._fast.keep_house(now)
        return is_all

    cdef bint _receive_batches(self, double now) except -1:
        cdef int batch, count, index, replies, answered = 0
        self._hints_left = MOST_HINTS_A_TURN
        self._fd = self._opened.fileno()
        for batch in range(BATCHES_A_TURN):
            if self._fd < 0:
                return True
            for index in range(self._used):
                expect(&self._in[index].msg_hdr, &self._letters[index])
            count = recvmmsg(self._fd, self._in, BATCH, MSG_DONTWAIT, NULL)
            self._used = max(count, 1)
            if count < 0:
                if errno == EAGAIN:
                    return True
                continue  # an ICMP error for an earlier answer: no question
            self._counts.received += count
            if self._is_fast and not self._core.holds(now):
                self._fast.refresh(now)
            replies = self._take_in(count, now)
            self._send(replies)
            if self._answered:
                note_time(&self._fast_times, self._now(now) - now, self._answered)
                self._answered = 0
            if self._malformed or self._notimp:
                self._fast.refused(self._malformed, self._notimp)
                self._malformed = self._notimp = 0
            if count < BATCH and (
                count < FEW or batch + 1 >= SMALL_BATCHES or len(self)
            ):
                return True  # the loop calls again when there are more
            answered += replies
            if answered >= ANSWERED_A_TURN and self._is_fast:
                return False
        return False

    def take(self, Py_ssize_t most, double now):
        """Remove and return the datagrams to serve next, at most ``most``."""
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
        """Send the answers; one that the kernel does not take now is lost: the stub asks again."""
        cdef list pending = self._pending, replies = self._replies
        cdef Datagram datagram
        cdef bytes reply
        cdef Py_ssize_t start, index
        cdef Py_ssize_t total = len(pending)
        cdef double now = self._now(0) if total else 0
        self._pending, self._replies = [], []
        self._fd = self._opened.fileno()
        for start in range(0, total, BATCH):
            for index in range(start, min(start + BATCH, total)):
                datagram, reply = pending[index], replies[index]
                if PyBytes_GET_SIZE(reply) >= HEADER_OCTETS:
                    self._rcodes[PyBytes_AS_STRING(reply)[3] & RCODE_BITS] += 1
                note_time(&self._chain_times, now - datagram.received_at, 1)
                self._address(
                    index - start,
                    &datagram.way,
                    <uint8_t*>PyBytes_AS_STRING(reply),
                    PyBytes_GET_SIZE(reply),
                )
            self._send(<int>(min(start + BATCH, total) - start))

    cdef double _now(self, double otherwise) except? -1:
        """Return the time of the clock that ``attend`` was given."""
        return otherwise if self._monotonic is None else self._monotonic()

    cdef int _take_in(self, int count, double now) except -1:
        """Judge the letters of a batch; return how many replies are addressed."""
        cdef int index, replies = 0
        self._begin(count)
        for index in range(count):
            if not self._letters[index].length:
                self._counts.malformed += 1
                continue
            try:
                replies += self._answer_or_keep(index, replies, now)
            except Exception:  # logged whole; the others' answers must not suffer
                self._counts.error += 1
                _log.exception("a datagram could not be taken in")
        return replies

    cdef void _begin(self, int count) noexcept nogil:
        """Read the envelopes, and fetch meanwhile from memory what the answers need."""
        cdef Letter* letter
        cdef Way* way
        cdef int index
        for index in range(count):
            letter, way = &self._letters[index], &self._ways[index]
            letter.length = self._in[index].msg_len
            if (
                read_way(&self._in[index].msg_hdr, letter, way, &letter.interface)
                or self._in[index].msg_hdr.msg_flags & MSG_TRUNC
                or not is_query(letter.octets, letter.length)
                or is_reflecting(&letter.peer)
            ):
                letter.length = 0
            if self._is_of_one_address:
                way.local_octets = 0
        if not self._is_fast:
            return
        for index in range(count):
            self._askings[index].step = FOR_THE_CHAIN
            letter, way = &self._letters[index], &self._ways[index]
            if letter.length:
                self._core.begin(
                    &self._askings[index],
                    letter.octets,
                    letter.length,
                    address_of(&way.peer),
                    address_octets(&way.peer),
                    letter.interface,
                )
        for index in range(count):
            self._core.look(&self._askings[index])
        for index in range(count):
            self._core.approach(&self._askings[index])

    cdef int _answer_or_keep(self, int index, int replies, double now) except -1:
        """Judge the sender of a letter; return 1 if a reply is addressed to it, else 0."""
        cdef Letter* letter = &self._letters[index]
        cdef Way* way = &self._ways[index]
        cdef const Asking* asking
        cdef Words words = words_of(&way.peer, letter.interface)
        cdef bint is_ipv4 = address_octets(&way.peer) == 4
        cdef size_t answered
        cdef int verdict = self._table.judge_words(
            words.high, words.low, is_ipv4, letter.interface, now, self._permits
        )
        self._requests[is_ipv4] += 1
        if verdict < LINES and self._is_fast:
            asking = &self._askings[index]
            answered = self._core.finish(&self._askings[index], letter.octets)
            if not answered and asking.client_group >= 0 and not asking.is_read:
                answered = self._refuse(letter)
            if answered:
                self._rcodes[letter.octets[3] & RCODE_BITS] += 1
                self._answered += 1
                self._address(replies, way, letter.octets, answered)
                return 1
        if verdict < LINES and not self._stand_in_line(index, now, verdict):
            if verdict == SERVE_LAST:
                verdict = self._table.crowd_words(
                    words.high, words.low, is_ipv4, letter.interface, now, self._permits
                )
            else:
                verdict = HINT_RATE
        if verdict < LINES or not self._is_hinted(verdict):
            return 0
        self._address(replies, way, letter.octets, make_hint(letter.octets, letter.length))
        return 1

    cdef size_t _refuse(self, Letter* letter) noexcept:
        """Turn a message that is no query into its refusal; return its length, 0 for a query."""
        cdef int rcode = rcode_for(letter.octets, <uint32_t>letter.length)
        if not rcode:
            return 0
        if rcode == NOTIMP:
            self._notimp += 1
        else:
            self._malformed += 1
        return make_refusal(letter.octets, letter.length, rcode)

    cdef bint _stand_in_line(self, int index, double now, int number) except -1:
        cdef const Letter* letter = &self._letters[index]
        cdef const Asking* asking
        cdef Datagram datagram
        cdef Py_ssize_t octets = self._octets[number] + <Py_ssize_t>letter.length
        line = self._lines[number]
        if len(line) >= self._most_waiting or octets > MOST_WAITING_OCTETS:
            return False
        datagram = Datagram.__new__(Datagram)
        datagram.message = PyBytes_FromStringAndSize(<const char*>letter.octets, letter.length)
        datagram.interface, datagram.received_at = letter.interface, now
        datagram.way = self._ways[index]
        datagram.client_group = datagram.opening = -1
        if self._is_fast:
            asking = &self._askings[index]
            datagram.client_group, datagram.epoch = asking.client_group, asking.epoch
            datagram.device = asking.device
            if asking.step == OPEN_TO_ASK:
                datagram.opening = asking.opening
                datagram.qname = PyBytes_FromStringAndSize(
                    <const char*>asking.question.name, asking.question.name_octets
                )
                datagram.qtype = asking.question.qtype
                datagram.question_end = <uint32_t>asking.question.end
                datagram.flags = asking.question.flags
                datagram.limit = <uint16_t>asking.question.limit
        line.append(datagram)
        self._octets[number] = octets
        return True

    cdef bint _is_hinted(self, int verdict) noexcept:
        """Count a datagram that does not wait in line; return whether it gets a hint."""
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
        address(&self._out[index].msg_hdr, &self._envelopes[index], way, octets, length)

    cdef void _send(self, int count) noexcept:
        """Send the first envelopes; one that cannot be sent does not stop the others."""
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


cdef inline size_t question_end(const uint8_t* message, size_t length) noexcept nogil:
    """Return the end of the question; that of the header where there is no sound one."""
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
    """Turn a query in place into the hint to ask by TCP; return its length."""
    cdef size_t end = question_end(message, length)
    message[2] = 0x80 | message[2] & 0x79 | 0x02  # QR; opcode and RD kept; TC
    message[3] = 0x80 | message[3] & 0x10  # RA; CD kept
    message[4] = message[6] = message[7] = message[8] = message[9] = 0
    message[10] = message[11] = 0
    message[5] = end > HEADER_OCTETS
    return end


cdef inline int rcode_for(const uint8_t* message, uint32_t length) noexcept:
    """Return NOTIMP or FORMERR for a message of at least a header; 0 for a query that parses."""
    cdef Octets octets = Octets(message, length)
    cdef QueryAt query
    cdef Place place
    if message[2] & OPCODE_BITS:
        return NOTIMP
    if read_query(&octets, &query, &place) or place.fault == NO_MEMORY:
        return 0
    return FORMERR


cdef inline size_t make_refusal(uint8_t* message, size_t length, int rcode) noexcept nogil:
    """Turn a message in place into its refusal; return its length."""
    cdef size_t end = question_end(message, length)
    message[2] = 0x80 | message[2] & 0x79  # QR; opcode and RD kept
    message[3] = <uint8_t>rcode | (0x80 if rcode == FORMERR else 0)  # RA means nothing for others
    message[4] = message[6] = message[7] = message[8] = message[9] = 0
    message[10] = message[11] = 0
    message[5] = end > HEADER_OCTETS
    return end


def hint(bytes message not None):
    """Return the hint to ask by TCP; for tests."""
    cdef uint8_t octets[LARGEST_QUERY]
    cdef size_t length = len(message)
    if not HEADER_OCTETS <= length <= LARGEST_QUERY:
        raise ValueError("a query has 12 to 4096 octets")
    memcpy(octets, PyBytes_AS_STRING(message), length)
    return PyBytes_FromStringAndSize(<const char*>octets, make_hint(octets, length))


def refusal(bytes message not None):
    """Return the refusal of a message that is no query, None for a query; for tests."""
    cdef uint8_t octets[LARGEST_QUERY]
    cdef size_t length = len(message)
    cdef int rcode
    if not HEADER_OCTETS <= length <= LARGEST_QUERY:
        raise ValueError("a query has 12 to 4096 octets")
    memcpy(octets, PyBytes_AS_STRING(message), length)
    rcode = rcode_for(octets, <uint32_t>length)
    if not rcode:
        return None
    return PyBytes_FromStringAndSize(<const char*>octets, make_refusal(octets, length, rcode))


cdef inline bint is_query(const uint8_t* message, size_t length) noexcept nogil:
    return length >= HEADER_OCTETS and not message[2] & 0x80


cdef inline bint is_reflecting(const sockaddr_in6* peer) noexcept nogil:
    cdef uint16_t port = ntohs(peer.sin6_port)  # at the same place for both families
    return port < 64 and REFLECTING >> port & 1


# Direct forwarding.
# ------------------
#
# The fast path has found that neither the lists nor any rule concerns a name (its
# *opening*). What the chain would do with it is then so plain that it is done here: answer
# from the cache, or ask upstreams, and store and send the answer. As soon as anything is not
# plain the chain answers the question, with the upstreams' answers, so that none is asked
# twice:
#
# - another site is in force, or the clock was set, since the question was judged;
# - the client's identity may be another one now;
# - the answer leads to a name that a list or rule concerns, or to an address of a
#   private network, or it offers a key for Encrypted Client Hello;
# - an upstream failed, or sent an extended error;
# - an entry of the cache has expired or is due for a refresh.
#
# So there is no policy here, and no second way to handle failures.
#
# Questions of a tunnel go this way, too. Its counter (``resolve.tunnel_counter``) is Python, so a
# *sieve* is before it: it lets through what one device asks for beneath one domain, by its last
# two labels, beyond a few in a minute. Different pairs may share a place of the sieve, which
# then lets more through and decides nothing. Of a pair at full speed it lets through enough.

cdef enum:
    PLACES = 32768
    FEW_ASKED = 8
    MOST_ASKED = 6000

cdef double SIEVE_S = 60
cdef Py_ssize_t LEAST_CHILD = SHORTEST_CHILD


cdef inline uint32_t sieve_place(
    const uint8_t* name, Py_ssize_t length, uint32_t state, Py_ssize_t* child
) noexcept nogil:
    """Return the place of a name's last two labels; set how many octets stand before them."""
    cdef Py_ssize_t at = 0, last = 0, before = 0
    while at < length and name[at]:
        before, last = last, at
        at += name[at] + 1
    child[0] = before
    for at in range(before, length):
        state = (state ^ name[at]) * <uint32_t>16777619  # FNV-1a
    return (state ^ state >> 15) & (PLACES - 1)


cdef class Waiting:
    """A question that waits for upstreams."""

    cdef Relay _relay
    cdef Datagram _datagram
    cdef object _listener, _question, _outcome
    cdef double _began_at
    cdef bint _is_over

    def landed(self, outcome):
        """Take the outcome."""
        self._relay.take_outcome(self, outcome)

    def cancel(self):
        """Stop waiting."""
        if not self._is_over:
            self._is_over = True
            self._relay._stepper.ended(self)


cdef class Relay:
    """Relays the questions of one worker.

    Args:
        fast: has judged them.
        store: the cache, which the chain shares.
        forwarder: asks upstreams.
        stepper: keeps the questions that wait.
        clock: for both times.
        note: called with qname and device of what a tunnel may have asked.
    """

    cdef object _fast, _store, _failures, _forwarder, _stepper, _clock, _note_child
    cdef Core _core
    cdef list _landed
    cdef uint16_t _asked[PLACES]
    cdef uint32_t _seed
    cdef double _sieve_ends

    def __init__(self, fast, store, forwarder, stepper, clock, note=None):
        self._note_child, self._seed = note, int.from_bytes(os.urandom(4), "big")
        self._fast, self._store, self._forwarder = fast, store, forwarder
        self._failures, self._stepper, self._clock = store.failures, stepper, clock
        if isinstance(fast.core, Core):  # else no datagram has an opening
            self._core = fast.core
        self._landed = []

    def take(self, datagram, listener):
        """Answer a question now or later; return False where the chain must.

        ``FastPath.refresh`` has been called in this turn.
        """
        if self._core is None or not isinstance(datagram, Datagram):
            return False
        return self._take(datagram, listener)

    cdef bint _take(self, Datagram datagram, listener) except -1:
        cdef Waiting waiting
        cdef object entry
        if datagram.opening < 0 or datagram.epoch != self._core.epoch or self._core.site is None:
            return False
        waiting = Waiting.__new__(Waiting)
        waiting._relay, waiting._datagram, waiting._listener = self, datagram, listener
        waiting._began_at = self._clock.monotonic()
        waiting._question = named(
            UpstreamQuestion,
            (
                datagram.qname,
                datagram.qtype,
                bool(datagram.flags & ASKED_DO),
                bool(datagram.flags & ASKED_CD),
                self._core.site.route,
            ),
        )
        entry = self._store.plain(waiting._question, waiting._began_at)
        if entry is None:
            self._ask(waiting)
            return True
        return entry is not False and self._repeated(waiting, entry)

    cdef _ask(self, Waiting waiting):
        cdef object outcome = self._forwarder.ask(
            waiting._question, waiting._datagram.address, waiting.landed
        )
        self._stepper.began(waiting)
        if outcome is not None:
            self.take_outcome(waiting, outcome)
        if self._note_child is not None:
            self._sieve(waiting._datagram, waiting._began_at)

    cdef _sieve(self, Datagram datagram, double now):
        """Let the counter of tunnels have a long child of a domain that is often asked about."""
        cdef Py_ssize_t child
        cdef uint32_t place = sieve_place(
            <const uint8_t*>PyBytes_AS_STRING(datagram.qname),
            PyBytes_GET_SIZE(datagram.qname),
            self._seed ^ datagram.device,
            &child,
        )
        if child < LEAST_CHILD:
            return
        if now >= self._sieve_ends:
            self._sieve_ends = now + SIEVE_S
            memset(self._asked, 0, sizeof(self._asked))
        if self._asked[place] >= MOST_ASKED:
            return
        self._asked[place] += 1
        if self._asked[place] > FEW_ASKED:
            self._note_child(datagram.qname, datagram.device or hash(datagram.address))

    cdef take_outcome(self, Waiting waiting, outcome):
        """Take the outcome of a question; those of one turn of the loop are finished together."""
        if not self._landed:
            self._forwarder.soon(self._finish_all)
        waiting._outcome = outcome
        self._landed.append(waiting)

    def _finish_all(self):
        cdef list landed = self._landed, datagrams = [], relayed = []
        cdef Waiting waiting
        cdef double now
        cdef bint is_refreshed
        self._landed = []
        now = self._clock.monotonic()
        is_refreshed = self._is_refreshed(now)
        for waiting in landed:
            if waiting._is_over:
                continue
            waiting._is_over = True
            self._stepper.ended(waiting)
            if waiting._listener.datagrams not in datagrams:
                datagrams.append(waiting._listener.datagrams)
            if is_refreshed and self._sent(waiting):
                relayed.append(waiting)
            else:
                fetched = Fetched(waiting._question, waiting._outcome, waiting._began_at)
                waiting._listener.ask_the_chain(waiting._datagram, fetched)
        for one in datagrams:
            self._flush(one)
        for waiting in relayed:  # once they have their answers
            self._keep(waiting, now)
        for waiting in landed:
            waiting._outcome = None

    cdef _flush(self, datagrams):
        """Send the answers; an error of one socket stops neither the others nor what follows."""
        try:
            datagrams.flush()
        except Exception:
            _log.exception("what was relayed could not be sent")

    cdef bint _is_refreshed(self, double now) except -1:
        """Refresh the fast path; return False after an error: then the chain must answer all."""
        if self._core is not None and self._core.holds(now):
            return True
        try:
            self._fast.refresh(now)
        except Exception:
            _log.exception("the fast path could not be refreshed")
            return False
        return True

    cdef bint _sent(self, Waiting waiting) except -1:
        """Send the upstreams' answer; return False where the chain must."""
        cdef object resolution = waiting._outcome
        try:
            if type(resolution) is not Resolution or not self._is_plain(waiting, resolution):
                return False
            opening = self._fast.openings[waiting._datagram.opening]
            self._answer(waiting, resolution, 0, opening.forwarded)
        except Exception:
            _log.exception("a question could not be forwarded directly")
            return False
        return True

    cdef _keep(self, Waiting waiting, double now):
        """Store the resolution, and the reply for the next client while there is room."""
        try:
            self._store.put(waiting._question, waiting._outcome, now, stale_s=stale_for_s)
            self._failures.forget(waiting._question, now)
            # The chain, which answered others meanwhile, may have emptied the fast path.
            if waiting._datagram.epoch == self._core.epoch and self._core.replay.has_room():
                self._note(waiting, waiting._outcome, 0, now)
        except Exception:  # the client has its answer
            _log.exception("what was relayed could not be kept")

    cdef bint _repeated(self, Waiting waiting, entry) except -1:
        """Send what the cache has, for the fast path to repeat; return False where the chain must."""
        cdef object resolution = entry.resolution
        cdef int64_t age_s
        if not self._is_plain(waiting, resolution):
            entry.hits -= 1  # the chain looks it up once more
            self._store.hits -= 1
            return False
        age_s = <int64_t>(waiting._began_at - <double>entry.stored_at)
        self._note(waiting, resolution, age_s, waiting._began_at)
        opening = self._fast.openings[waiting._datagram.opening]
        self._answer(waiting, resolution, age_s, opening.cached)
        return True

    cdef _note(self, Waiting waiting, resolution, int64_t age_s, double now):
        """Let the fast path repeat an answer, as long as the cache would."""
        cdef Datagram datagram = waiting._datagram
        cdef double until = self._store.repeatable_until(waiting._question, now)
        if until > now:
            opening = self._fast.openings[datagram.opening]
            self._core.replay.note(
                datagram.client_group,
                datagram.flags,
                self._reply(waiting, resolution, age_s, MAX_TTL_S),
                opening.cap_ttl_s,
                until,
                self._fast.edges[datagram.client_group],
                opening.cached,
                self._store.mark_of(waiting._question),
            )

    cdef int _answer(
        self, Waiting waiting, resolution, int64_t age_s, uint32_t tally
    ) except -1:
        """Send and count a reply. The last step: a failure after it would answer twice."""
        cdef bytes reply = self._reply(waiting, resolution, age_s, self._longest_ttl_s(waiting))
        cdef Py_ssize_t limit = waiting._datagram.limit
        if PyBytes_GET_SIZE(reply) > limit:
            reply = fit(reply, limit)
        waiting._listener.datagrams.answer(waiting._datagram, reply)
        self._core.count(tally, waiting._datagram.client_group, waiting._datagram.device)
        return 0

    cdef bytes _reply(self, Waiting waiting, resolution, int64_t age_s, int64_t cap_ttl_s):
        cdef Datagram datagram = waiting._datagram
        return assembled_for(
            <const uint8_t*>PyBytes_AS_STRING(datagram.message),
            datagram.question_end,
            (datagram.flags & ASKED_OPT) != 0,
            (datagram.flags & ASKED_DO) != 0,
            resolution.sections,
            resolution.rcode,
            age_s,
            cap_ttl_s,
            resolution.authentic,
        )

    cdef int64_t _longest_ttl_s(self, Waiting waiting) except -1:
        """Return how long the client may keep an answer: not beyond its next edge."""
        cdef Datagram datagram = waiting._datagram
        cdef int64_t cap_ttl_s = self._fast.openings[datagram.opening].cap_ttl_s
        cdef double edge = self._fast.edges[datagram.client_group]
        if edge != INFINITY:
            cap_ttl_s = max(1, min(cap_ttl_s, <int64_t>(edge - <double>self._clock.wall())))
        return cap_ttl_s

    cdef bint _is_plain(self, Waiting waiting, resolution) except -1:
        """Return whether the chain would send just this: no link changes it, nothing is blocked."""
        cdef Datagram datagram = waiting._datagram
        cdef uint16_t device
        if (
            datagram.epoch != self._core.epoch
            or self._core._group_of(
                address_of(&datagram.way.peer),
                address_octets(&datagram.way.peer),
                datagram.interface,
                &device,
            )
            != datagram.client_group  # the client may be unknown by now
            or not resolution.plain
        ):
            return False
        for target in resolution.targets:
            if not self._core.lets_through(target, datagram.client_group):
                return False
        return True
