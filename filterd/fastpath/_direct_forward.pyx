# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""Forward questions that no rule concerns, without the chain.

The fast path has found that neither the lists nor any rule concerns a name (its
*opening*). What the chain would do with it is then so plain that it is done here:
answer from the cache, or ask upstreams, keep what they say, and send it. As soon as
anything is not plain the question goes down the chain after all, with what upstreams
have said so that none is asked twice:

- another site is in force, or the clock was set, since the question was judged;
- the client's identity may be another one now;
- the answer leads to a name that a list or rule concerns, or to an address of a
  private network, or it offers a key for Encrypted Client Hello;
- an upstream failed, or gave reasons;
- the cache holds something that has expired or should be asked for anew.

So no policy and no second way of failing is in here.

Memory safety. A datagram's message is read again by the bounded reader of
questions; where its question ends, which is all that is kept of that, lies within
the message, which never changes. All else that lives from one call to the next
is Python objects.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.math cimport INFINITY
from libc.stdint cimport int64_t, uint8_t, uint32_t

from filterd.fastpath._datagrams cimport Datagram
from filterd.fastpath._envelopes cimport address_octets, address_of
from filterd.fastpath._core cimport Core
from filterd.fastpath._question cimport ASKED_CD, ASKED_DO, ASKED_OPT, Question, read_question
from filterd.wire._assembling cimport assembled_for
from filterd.wire._codec cimport copied, named

import logging

from filterd.resolve.links.cache import STALE_FOR_S
from filterd.resolve.query import Fetched
from filterd.upstream import CONCLUSIVE
from filterd.upstream import Resolution as Resolved
from filterd.upstream import UpstreamQuestion as Asked
from filterd.wire import fit
from filterd.wire.rebuild import MAX_TTL_S as _MAX_TTL_S

cdef type Resolution = Resolved
cdef type UpstreamQuestion = Asked
cdef double stale_for_s = STALE_FOR_S
cdef int64_t MAX_TTL_S = _MAX_TTL_S

_log = logging.getLogger("filterd.daemon")


cdef class Waiting:
    """A question that waits for upstreams."""

    cdef Relay _relay
    cdef Datagram _datagram
    cdef object _listener, _key, _outcome
    cdef double _began_at
    cdef uint32_t _end, _flags
    cdef Py_ssize_t _limit
    cdef bint _is_over

    def landed(self, outcome):
        """Take what became of it."""
        self._relay.take_outcome(self, outcome)

    def cancel(self):
        """Wait no longer."""
        if not self._is_over:
            self._is_over = True
            self._relay._stepper.ended(self)


cdef class Relay:
    """Relays the questions of one worker.

    Args:
        fast: what judged them.
        store: the cache, which the chain shares.
        forwarder: asks upstreams.
        stepper: keeps the questions that wait.
        clock: for both times.
    """

    cdef object _fast, _store, _failures, _forwarder, _stepper, _clock
    cdef Core _core
    cdef list _landed

    def __init__(self, fast, store, forwarder, stepper, clock):
        self._fast, self._store, self._forwarder = fast, store, forwarder
        self._failures, self._stepper, self._clock = store.failures, stepper, clock
        if isinstance(fast.core, Core):  # else no datagram has an opening
            self._core = fast.core
        self._landed = []

    def take(self, datagram, listener):
        """Answer a question or see to it that it will be; False where the chain must.

        ``FastPath.refresh`` has been called in this turn.
        """
        if self._core is None or not isinstance(datagram, Datagram):
            return False
        return self._take(datagram, listener)

    cdef bint _take(self, Datagram datagram, listener) except -1:
        cdef Question asked
        cdef Waiting waiting
        cdef double now
        cdef object question, route, entry
        if datagram.opening < 0 or datagram.epoch != self._core.epoch or self._core.site is None:
            return False
        if not read_question(
            <const uint8_t*>PyBytes_AS_STRING(datagram.message),
            PyBytes_GET_SIZE(datagram.message),
            &asked,
        ):
            return False
        now = self._clock.monotonic()
        question = named(
            UpstreamQuestion,
            (
                copied(asked.name, <uint32_t>asked.name_octets),
                asked.qtype,
                bool(asked.flags & ASKED_DO),
                bool(asked.flags & ASKED_CD),
            ),
        )
        waiting = Waiting.__new__(Waiting)
        waiting._relay, waiting._datagram, waiting._listener = self, datagram, listener
        route = self._core.site.route
        waiting._key, waiting._began_at = (question, route), now
        waiting._end, waiting._flags = <uint32_t>asked.end, asked.flags
        waiting._limit = asked.limit
        entry = self._store.plain(question, route, now)
        if entry is None:
            self._ask(waiting)
            return True
        return entry is not False and self._repeated(waiting, entry)

    cdef _ask(self, Waiting waiting):
        cdef object question, route, outcome
        question, route = waiting._key
        outcome = self._forwarder.ask(question, route, waiting._datagram.address, waiting.landed)
        self._stepper.began(waiting)
        if outcome is not None:
            self.take_outcome(waiting, outcome)

    cdef take_outcome(self, Waiting waiting, outcome):
        """Take what became of a question; those of one turn of the loop are finished together."""
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
                fetched = Fetched(waiting._key, waiting._outcome, waiting._began_at)
                waiting._listener.ask_the_chain(waiting._datagram, fetched)
        for one in datagrams:
            self._flush(one)
        for waiting in relayed:  # once they have their answers
            self._keep(waiting, now)
        for waiting in landed:
            waiting._outcome = None

    cdef _flush(self, datagrams):
        """Send what was answered; one socket that cannot keeps neither others nor what follows."""
        try:
            datagrams.flush()
        except Exception:
            _log.exception("what was relayed could not be sent")

    cdef bint _is_refreshed(self, double now) except -1:
        """See what is in force; False where that cannot be told, and the chain must for all."""
        if self._core is not None and self._core.holds(now):
            return True
        try:
            self._fast.refresh(now)
        except Exception:
            _log.exception("what is in force could not be told")
            return False
        return True

    cdef bint _sent(self, Waiting waiting) except -1:
        """Send what upstreams have said; False where the chain must."""
        cdef object resolution = waiting._outcome
        try:
            if type(resolution) is not Resolution or not self._is_plain(waiting, resolution):
                return False
            opening = self._fast.openings[waiting._datagram.opening]
            self._answer(waiting, resolution, 0, opening.forwarded)
        except Exception:
            _log.exception("a question could not be relayed")
            return False
        return True

    cdef _keep(self, Waiting waiting, double now):
        """Keep what upstreams have said; the reply too, for who asks next, while there is room."""
        try:
            self._store.put(waiting._key, waiting._outcome, now, stale_s=stale_for_s)
            self._failures.forget(waiting._key, now)
            # The chain, which answered others meanwhile, may have made all be forgotten.
            if waiting._datagram.epoch == self._core.epoch and self._core.replay.has_room():
                self._note(waiting, waiting._outcome, 0, now)
        except Exception:  # who asked has his answer
            _log.exception("what was relayed could not be kept")

    cdef bint _repeated(self, Waiting waiting, entry) except -1:
        """Send what the cache holds, for the fast path to repeat it; False where the chain must."""
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
        cdef double until = self._store.repeatable_until(waiting._key, now)
        if until > now:
            opening = self._fast.openings[datagram.opening]
            self._core.replay.note(
                datagram.client_class,
                waiting._flags,
                self._reply(waiting, resolution, age_s, MAX_TTL_S),
                opening.cap_ttl_s,
                until,
                self._fast.edges[datagram.client_class],
                opening.cached,
                self._store.mark_of(waiting._key),
            )

    cdef int _answer(
        self, Waiting waiting, resolution, int64_t age_s, uint32_t tally
    ) except -1:
        """Send and count a reply. Last of all: what fails after it would be answered twice."""
        cdef bytes reply = self._reply(waiting, resolution, age_s, self._longest_ttl_s(waiting))
        if PyBytes_GET_SIZE(reply) > waiting._limit:
            reply = fit(reply, waiting._limit)
        waiting._listener.datagrams.answer(waiting._datagram, reply)
        self._core.count(tally)
        return 0

    cdef bytes _reply(self, Waiting waiting, resolution, int64_t age_s, int64_t cap_ttl_s):
        return assembled_for(
            <const uint8_t*>PyBytes_AS_STRING(waiting._datagram.message),
            waiting._end,
            (waiting._flags & ASKED_OPT) != 0,
            (waiting._flags & ASKED_DO) != 0,
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
        cdef double edge = self._fast.edges[datagram.client_class]
        if edge != INFINITY:
            cap_ttl_s = max(1, min(cap_ttl_s, <int64_t>(edge - <double>self._clock.wall())))
        return cap_ttl_s

    cdef bint _is_plain(self, Waiting waiting, resolution) except -1:
        """Tell whether the chain would send just this to who asked."""
        cdef Datagram datagram = waiting._datagram
        if (
            datagram.epoch != self._core.epoch
            or self._core._class_of(
                address_of(&datagram.way.peer),
                address_octets(&datagram.way.peer),
                datagram.interface,
            )
            != datagram.client_class  # he may be known no longer
            or resolution.rcode not in CONCLUSIVE
            or resolution.edes
            or resolution.private
            or resolution.ech
        ):
            return False
        for target in resolution.targets:
            if not self._core.lets_through(target, datagram.client_class):
                return False
        return True
