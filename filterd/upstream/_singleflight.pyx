# SPDX-License-Identifier: Apache-2.0
# cython: language_level=3
"""What is in flight: the same as ``_singleflight_py``, which explains it, by fewer calls.

Nearly every exchange takes a straight course: the first server is asked by UDP, and
what it says of the name is whole. That course is here and no other. Whatever leaves
it (TLS, silence, a mismatch, an ICMP error, a truncated answer, one that says nothing
of the name or of which nothing can be made) is told ``filterd.upstream.exchange``, which takes over what is in the
air: nothing is asked twice.

Memory safety. All that lives from one call to the next is Python objects. Of a
response the header is read, of which the codec has made sure.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING
from cpython.dict cimport PyDict_GetItemWithError, PyDict_SetItem
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint8_t

from filterd.upstream._socket_pool cimport SocketPool, UdpAttempt, Waiter
from filterd.wire._codec cimport ParsedResponse, rcode_of

import asyncio

from filterd.errors import (
    UpstreamError,
    UpstreamMalformedError,
    UpstreamOverloadError,
    UpstreamUnreachableError,
)
from filterd.upstream import _singleflight_py as reference
from filterd.upstream import exchange as exchanges
from filterd.upstream import server_group as groups
from filterd.upstream import timer_wheel, wait_slots
from filterd.upstream.transport_set import Transports

cdef enum:
    FLAGS = 2  # where they stand in a header: two octets
    TC = 0x02  # in the first
    AD = 0x20  # in the second
    NOERROR = 0
    NXDOMAIN = 3
    YXDOMAIN = 6

cdef double TICK_S = timer_wheel.TICK_S
cdef double SMOOTHING = groups.SMOOTHING
cdef str STOPPING = "filterd is stopping"

assert exchanges.CONCLUSIVE == {NOERROR, NXDOMAIN, YXDOMAIN}


@cython.final
cdef class Ways:
    """What all exchanges need of ``Transports``, and the tick for which the last of them waits."""

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
        """Let something wait; return what to take it out of."""
        cdef int64_t tick = <int64_t>(at / TICK_S) + 1
        if tick == self._tick:  # it lies ahead, so the wheel has not turned to it yet
            PyDict_SetItem(self._bucket, waiting, None)
        else:
            self._bucket = self._wheel.put(waiting, at)
            self._tick = tick
        return self._bucket


cdef class Exchange(Waiter):
    """The straight course of an exchange; see ``filterd.upstream.exchange.Exchange``."""

    cdef Ways _ways
    cdef object _order
    cdef object _question
    cdef object _read
    cdef object _done
    cdef UdpAttempt _attempt  # in the air, as long as the course is straight
    cdef object _other  # the exchange that goes on where it is not
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
        """Give up without a result; frees all that waits. May be called twice."""
        self.give_up()

    cdef begin(self, double now):
        if not self._ask(now):
            self._turn_off().start(now)

    cdef give_up(self):
        cdef UdpAttempt attempt = self._attempt
        if attempt is not None:
            self._attempt = None
            attempt.leave()
            self._wait_no_longer()
        if self._other is not None:
            self._other.close()

    cdef tuple others(self):
        """Return what reads the responses of the exchange that goes on, and is told its outcome."""
        return self._read, self._done

    cdef object made_of(self, ParsedResponse response, server):
        """Make of a response what may be kept, or the error that says why nothing can be."""
        return self._read(response, server)

    cdef settle(self, outcome):
        """Take what this is over with."""
        self._done(outcome)

    # What happens to it.

    cdef take(self, UdpAttempt attempt, response):
        cdef object found
        if not is_whole(response):
            self._hand_over().answered(attempt, response)
            return
        try:
            found = self.made_of(response, attempt.member.plain)
        except BaseException:  # whatever is wrong with us, nobody waits for ever
            self._end_with(attempt, UpstreamMalformedError("nothing could be made of it"))
            raise
        if isinstance(found, UpstreamError):
            self._hand_over().answered(attempt, response)  # it is read again, as badly
        else:
            self._end_with(attempt, found)

    cdef _end_with(self, UdpAttempt attempt, outcome):
        note_answer(attempt, self._ways.monotonic())
        self._attempt = None
        self._wait_no_longer()
        self.settle(outcome)

    def mismatched(self):
        """See that a message came that answers nothing."""
        if self._attempt is not None:
            self._hand_over().mismatched()

    def mismatched_in_case(self, attempt):
        """See that a message came that answers but for letter case."""
        if self._attempt is not None:
            self._hand_over().mismatched_in_case(attempt)

    def refused(self):
        """See an ICMP error."""
        if self._attempt is not None:
            self._hand_over().refused()

    def due(self):
        """Do what the time has come for."""
        if self._attempt is not None:
            self._hand_over().due()

    # How it goes.

    cdef bint _ask(self, double now) except -1:
        """Ask the first server by UDP, if that is how it is asked; tell whether it was."""
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
            return False  # and so it is said by who tries it once more
        count(ways.counters, "sent")
        self._began = self._next_at = ways.time()
        if len(self._order) > 1:
            wait_s = min(max(ways.first_hedge_s, 2 * <double>member.srtt_s), ways.last_hedge_s)
            self._next_at += wait_s
        self._waits_in = ways.put(self, self._began + min(wait_s, ways.deadline_s))
        return True

    cdef object _turn_off(self):
        """Leave the straight course; return the exchange that goes on."""
        self._other = exchanges.Exchange(
            self._ways.transports, self._order, self._question, *self.others()
        )
        return self._other

    cdef object _hand_over(self):
        """Leave the straight course with what is in the air; return the exchange that goes on."""
        cdef UdpAttempt attempt = self._attempt
        self._attempt = None
        self._wait_no_longer()
        other = self._turn_off()
        other.go_on(attempt, self._began, self._next_at)
        return other

    cdef _wait_no_longer(self):
        self._waits_in.pop(self, None)
        self._waits_in = None


cdef bint is_whole(response):
    """Tell whether a response says something of the name, and all of it."""
    cdef const uint8_t* header
    if not isinstance(response, ParsedResponse):
        return False
    header = <const uint8_t*>PyBytes_AS_STRING((<ParsedResponse>response).message)
    if header[FLAGS] & TC:
        return False
    return rcode_of(<ParsedResponse>response) in (NOERROR, NXDOMAIN, YXDOMAIN)


cdef note_answer(UdpAttempt attempt, double now):
    """Do what ``ServerHealth`` does by ``answered`` and ``kept_case``."""
    cdef double took_s = now - attempt.sent_at
    member = attempt.member
    cdef double srtt_s = member.srtt_s
    member.srtt_s = srtt_s + (took_s - srtt_s) * (SMOOTHING if srtt_s else 1.0)
    member.failures, member.down_until, member._answered_at = 0, 0.0, now
    if attempt.exact:
        member.kept_case()


cdef count(counters, str what):
    cdef PyObject* before = PyDict_GetItemWithError(counters, what)
    PyDict_SetItem(counters, what, 1 if before == NULL else <object>before + 1)


@cython.final
@cython.freelist(64)
cdef class Flight(Exchange):
    """One exchange, and everybody who waits for it, in the order in which they came."""

    cdef Flights _flights
    cdef tuple key
    cdef object asker
    cdef double started_at
    cdef bint forgotten
    cdef object outcome
    cdef list waiters

    cdef end(self, error):
        """Give up. Whoever calls it sees that everybody is told."""
        self.give_up()
        self.outcome = error
        self._flights.forget(self)

    cdef tuple others(self):
        return self.read, self.land

    cdef settle(self, outcome):
        self.land(outcome)

    def read(self, response, server):
        """Make of a response what may be kept."""
        return reference.resolution_or_error(response, server, self.key)

    cpdef land(self, outcome):
        """Take what became of the exchange."""
        self.outcome = outcome
        self.tell()
        self._flights.landed(self)

    cdef object made_of(self, ParsedResponse response, server):
        try:
            resolution = reference.resolution_of(
                response, self._question, whole=self.key[0].whole
            )
        except UpstreamError as error:
            return type(error)(*error.args)
        if server.trusted and PyBytes_AS_STRING(response.message)[FLAGS + 1] & AD:
            return resolution._replace(authentic=True)
        return resolution

    cpdef tell(self):
        """Tell everybody; one that raises keeps nobody else waiting."""
        cdef list waiters = self.waiters
        self.waiters = []
        for done in waiters:
            try:
                done(self.outcome)
            except Exception as error:
                self._ways.transports.loop.call_exception_handler(
                    {"message": "who waited for an upstream has failed", "exception": error}
                )


@cython.final
cdef class Flights:
    """Exchanges in flight; see ``filterd.upstream._singleflight_py.Flights``."""

    cdef readonly object transports
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
    cdef Py_ssize_t _most_an_asker
    cdef double _gives_way_after_s

    def __init__(self, clock, counters, groups):
        self._clock, self._counters, self._groups = clock, counters, groups
        self._monotonic = clock.monotonic
        self._flights, self._by_asker, self._landed = {}, {}, []

    def __len__(self):
        return len(self._flights)

    def ask(self, question, route, asker, done):
        """Ask, or join an equal query in flight; see ``_singleflight_py.Flights.ask``."""
        cdef tuple key = (route, question)
        cdef Flight flight = self._flights.get(key)
        if flight is None:
            try:
                flight = self._start(key, asker)
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
        """Call something soon; see ``_singleflight_py.Flights.soon``."""
        if self.transports is not None:
            self.transports.pool.soon(callback)
        else:
            asyncio.get_running_loop().call_soon(callback)

    def keep_to(self, routes):
        """End every exchange by another route; see ``Forwarder.keep_to``."""
        cdef Flight flight
        for flight in list(self._flights.values()):
            if flight.outcome is None and flight.key[0] not in routes:
                flight.end(UpstreamOverloadError("it is asked elsewhere"))
                self.transports.loop.call_soon(flight.tell)

    def close(self):
        """End every exchange; whoever waits gets an error. Nothing is asked any more."""
        cdef Flight flight
        self._closed = True
        for flight in list(self._flights.values()):
            flight.end(UpstreamUnreachableError(STOPPING))
            flight.tell()
        if self.transports is not None:
            self.transports.close()

    cdef Flight _start(self, tuple key, asker):
        cdef double now
        cdef Flight flight
        if self._closed:
            raise UpstreamUnreachableError(STOPPING)
        now = self._monotonic()
        if self._ways is None:
            self._find_ways()
        self._make_room(asker, now)
        flight = Flight.__new__(Flight)
        flight._ways, flight._order = self._ways, self._in_order(key[0], now)
        flight._question, flight._flights, flight.key = key[1], self, key
        flight.started_at, flight.waiters = now, []
        self._take_place(flight, asker)
        try:
            flight.begin(now)
        except BaseException:  # else who asks the same later would wait for nobody
            flight.end(UpstreamUnreachableError("it could not be asked"))
            raise
        return flight

    cdef object _in_order(self, route, double now):
        """Return whom to ask first, as ``ServerGroup.in_order`` does where one is down."""
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
            self.transports = Transports(self._clock, self._counters)
        except OSError as error:
            raise UpstreamUnreachableError(f"no socket: {error.strerror}") from error
        self._ways = Ways(self.transports)
        self._most, self._most_an_asker = wait_slots.MOST_PLACES, wait_slots.MOST_AN_ASKER
        self._gives_way_after_s = wait_slots.GIVES_WAY_AFTER_S

    # Places: what ``filterd.upstream.wait_slots`` explains.

    cdef _make_room(self, asker, double now):
        """End the exchange that has to give way, or refuse the other."""
        cdef Flight oldest
        cdef dict own = self._by_asker.get(asker)
        if own is not None and len(own) >= self._most_an_asker:
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
        # Told later: whoever hears of it may ask again, and we are in the middle of asking.
        self.transports.loop.call_soon(oldest.tell)

    cdef _take_place(self, Flight flight, asker):
        cdef dict own
        self._flights[flight.key] = flight
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
        """Forget an exchange that is over, once its waiters have had their turn."""
        if not self._landed:
            self.transports.loop.call_soon(self._forget_landed)
        self._landed.append(flight)

    cdef forget(self, Flight flight):
        if not flight.forgotten:
            flight.forgotten = True
            del self._flights[flight.key]
            self._leave_share(flight)

    def _forget_landed(self):
        cdef list landed = self._landed
        cdef Flight first = landed.pop(0)
        self._landed = []
        self.forget(first)
        if landed:  # at the same time, but their waiters' turn comes after this
            self.transports.loop.call_soon(self._forget_all, landed)

    def _forget_all(self, list flights):
        cdef Flight flight
        for flight in flights:
            self.forget(flight)
