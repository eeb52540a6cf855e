# SPDX-License-Identifier: Apache-2.0
"""Run a worker: listeners, chain, upstreams, its end of the manager's channel.

A worker is a process. Several share the listening sockets and the index in memory; each has its own
cache, its own view of the upstreams, and counts the questions of each client for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets
from dataclasses import replace
from itertools import chain
from math import inf
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base.process_memory import give_back
from filterd.clients.frame_filter import SETTLE_S, SETTLE_SHARED_S, FrameFilter
from filterd.clients.network_view import Surroundings
from filterd.clients.observer import Observer
from filterd.daemon.live_lookups import LiveSource
from filterd.daemon.sealed_sites import SealedSiteLoader
from filterd.daemon.serving.current_site import ActiveSite
from filterd.daemon.serving.listening_sockets import NO_TLS, ListeningTls
from filterd.daemon.serving.lookup_recorder import LookupRecorder
from filterd.daemon.serving.tcp_listener import TcpListener, TcpSlots
from filterd.daemon.shared_page import overrides_in_force
from filterd.daemon.watch_recorders import CheckRecorder, Trials
from filterd.daemon.worker_channel import Channel, Handlers
from filterd.daemon.worker_sums import ShownTraffic, summed
from filterd.fastpath.core_contract import ENTRIES
from filterd.fastpath.core_filler import NATIVE, Core, FastPath, Relay
from filterd.fastpath.coroutine_runner import Stepper
from filterd.fastpath.rate_limit import Limiter
from filterd.fastpath.udp_listener import UdpListener
from filterd.querylog import CountingRules, Counts
from filterd.querylog.pseudonyms import Pseudonyms
from filterd.resolve import pipeline
from filterd.resolve.explain import client_of, explain, explain_answer, parse_time
from filterd.resolve.links.cache import Background
from filterd.resolve.query import Peer, Query
from filterd.resolve.resolver import Resolver
from filterd.resolve.tunnel_counter import TunnelCounter
from filterd.texts import i18n
from filterd.upstream import Forwarder
from filterd.wire import compose_query, parse_query
from filterd.wire.section import Question

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from filterd.daemon.process import Setting
    from filterd.daemon.serving.listening_sockets import Listening
    from filterd.daemon.serving.tls_transport import TlsTransport
    from filterd.policy.model import UpstreamServer
    from filterd.resolve.explanation import Explanation
    from filterd.resolve.query import Answer
    from filterd.resolve.site import Site
    from filterd.upstream.server_group import ServerHealth

_RECEIVED = "received"
"""A counter of datagrams that no status has: it counts also what is confidential."""

_LAST_ANSWERS_WITHIN_S = 0.8
"""What a stop leaves to the upstreams: long for an honest answer. Without the Internet each stop
takes it, and new questions wait meanwhile: with the start after it, at most 2 s."""

_COLLECT_AFTER = 10_000
"""Objects made and not freed before the collector looks: what the cache has taken in, mostly."""

_TIDY_AFTER_S = 0.2
"""After a change of the site: waiting questions are answered, and the old site is unused."""

_REPEATED_OCTETS = 280
"""What one answer that may be repeated takes beside the cache: a place with a hash and a source,
and a slot, which is named there or among the free ones."""

_REPEATED_SHARE = 3
"""At most one part in three of the memory for answers is for these: each is in the cache, too."""

_ALIAS_WITHIN_S = 1.5
"""How long an explanation waits for an upstream that may be down."""


class Worker:
    """Answers on sockets that the supervisor owns.

    Call ``start`` first, and ``stop`` once at the end.
    """

    def __init__(
        self,
        setting: Setting,
        listening: Sequence[Listening],
        end: socket.socket,
        tls: ListeningTls = NO_TLS,
    ) -> None:
        self._setting, self._listening, self._end = setting, listening, end
        self._surroundings = Surroundings(setting.clock)
        self._load = SealedSiteLoader(setting, self._surroundings)
        self._places = TcpSlots()
        self._name = secrets.token_hex(8)
        self._counts = Counts(setting.clock)
        self._live = LiveSource(self._counts, self._settle)
        self._shown = ShownTraffic()
        self._udp: list[UdpListener] = []
        self._tcp: list[TcpListener] = []
        self._tls = _tls_transport(tls, setting)
        self._tidying: asyncio.TimerHandle | None = None

    @property
    def site(self) -> Site:
        """The active policy and lists."""
        return self._sites.current

    async def start(self) -> None:
        """Load what is in force and answer.

        Raises:
            FilterdError: it cannot be loaded.
        """
        clock = self._setting.time
        # In a thread, so that the heart beats meanwhile.
        self._sites = await asyncio.to_thread(
            ActiveSite, self._setting.page, self._load, self._moved, clock
        )
        policy = self._sites.loaded.policy
        self._repeated = _repeated_within(policy.cache_octets) if NATIVE else 0
        self._store = pipeline.ResolutionStore(self._left_of(policy.cache_octets))
        self._forwarder = Forwarder(self._setting.clock)
        self._stepper = Stepper()
        self._limiter = Limiter(policy.rate_limit, clock)
        self._background: Background[Answer] = Background()
        self._tunnels = TunnelCounter(
            self._setting.clock.monotonic, self._counts.device_of, self._setting.workers
        )
        note = self._tunnels.note_query
        self._chain = pipeline.build(
            self._sites, self._store, self._forwarder, clock, self._background, note
        )
        mark = self._setting.page.secret
        machine = self._setting.clock
        self._resolver = Resolver(self._sites, self._chain, clock, self._counts, mark, machine)
        self._fast: FastPath | None = None
        self._relay: Relay | None = None
        if NATIVE:
            core, lead = Core(os.urandom(16), self._repeated), self._setting.page.lead_word
            self._fast = FastPath(
                self._sites, clock, self._store, self._resolver, self._counts, core, lead
            )
            self._relay = Relay(
                self._fast, self._store, self._forwarder, self._stepper, clock, self._tunnels.note
            )
        self._trials = Trials(self._resolver, self._fast)
        self._checks = CheckRecorder(self._resolver, self._fast)
        pseudonyms = Pseudonyms(self._setting.state.log_key, ZoneInfo(policy.time_zone))
        self._recorder = LookupRecorder(self._resolver, pseudonyms, machine, self._lookups_are_due)
        self._recorder.on_row = self._live.row
        self._note_for_the_log(self._sites.loaded)
        by_tls = self._tls.sockets if self._tls else ()
        frames = FrameFilter((*chain.from_iterable(self._listening), *by_tls))
        self._observer = Observer(self._surroundings, self._setting.clock, frames)
        await self._observer.start(policy)
        frames.settle_s = SETTLE_S if policy.workers == 1 else SETTLE_SHARED_S
        for listening in self._listening:
            self._listen(listening)
        if self._tls is not None:
            self._tls.start(self._resolver, self._stepper, self._limiter)
            self._tcp += self._tls.listeners
        handlers: Handlers = {
            "status": self.status,
            "check": self.check,
            "prepare": self.prepare,
            "confirm": self.confirm,
            "counts": self.counts,
            "lookups": self._recorder.lookups,
            "follow": self._report,
            "lookups_are_written": self._recorder.lookups_are_written,
            "trial": self._trials.trial,
            "checks": self._checks.checks,
        }
        self._channel = Channel(self._end, handlers)
        self._channel.announce()  # requests that a predecessor left unanswered are repeated
        # A full collection that examines the site takes as long as a thousand answers, and
        # is of no use: questions leave no cycles.
        gc.set_threshold(_COLLECT_AFTER)
        gc.freeze()

    async def _report(self) -> None:
        """Report to those who follow lookups; this is no reply, see ``live_lookups``."""
        self._channel.tell("followed", **await self._live.follow())

    async def stop(self) -> None:
        """Take no more questions, answer those that wait, free all but the shared sockets."""
        if self._tidying is not None:
            self._tidying.cancel()
        for listener in self._udp:
            listener.close()
        if self._tls is not None:
            self._tls.wind_up()
        for tcp in self._tcp:
            tcp.wind_up()
        await self._stepper.drain(_LAST_ANSWERS_WITHIN_S)
        self._forwarder.close()
        await self._observer.close()
        await self._background.close()
        await self._stepper.close()
        await asyncio.gather(*(tcp.close() for tcp in self._tcp))
        if self._tls is not None:
            self._tls.close()
        self._trials.close()
        self._checks.close()
        self._live.close()
        self._settle()
        await self._recorder.hand_over_last(self._channel)
        left = (batch.to_plain() for batch in self._counts.take_all())
        await self._channel.hand_over("last_counts", left)
        self._channel.tell("last_counts", batch=None)
        await self._channel.close()
        gc.unfreeze()  # a process that had other objects before goes on (tests)

    async def prepare(self, *, epoch: int, overrides: bool = False) -> None:
        """Load a site beside the active one, for when ``epoch`` is active.

        Args:
            epoch: when to answer by it.
            overrides: whether nothing has changed but what commands have set.

        Raises:
            FilterdError: it cannot be loaded.
        """
        if overrides:
            in_force = self._sites.current  # not the site loaded last: a reload may just be over
            site = await asyncio.to_thread(self._with_overrides, in_force)
        else:
            site = await asyncio.to_thread(self._load, epoch)
        self._sites.prepare(epoch, site)

    def _with_overrides(self, site: Site) -> Site:
        return site.at(self._setting.time.wall(), overrides_in_force(self._setting))

    async def confirm(self, *, epoch: int) -> bool:
        """Return whether the site of this epoch, or of a later one, is active here.

        Raises:
            FilterdError: it could not be loaded; the site before stays.
        """
        self._sites.confirm()
        self._setting.sites.follow(self._setting.page)  # what was in force before is freed
        return self._setting.page.epoch >= epoch

    async def check(
        self, *, qname: str, qtype: int, grade: str | None, address: str | None, at: str | None
    ) -> dict[str, Any] | None:
        """Explain the result for a client as plain data.

        None for an address that is not allowed here.

        Args:
            qname: the canonical wire name in hexadecimal.
            qtype: the type.
            grade: of a client, or
            address: of a client.
            at: when, if not now.

        Raises:
            ConfigError: ``at`` is no time.
        """
        explained = await self._explain(bytes.fromhex(qname), qtype, grade, address, at)
        return replace(explained, source="daemon").to_plain() if explained else None

    async def counts(self, *, worker: str, acknowledged: int) -> dict[str, Any]:
        """Return the next batch for the log, as plain data; see ``Counts.take``."""
        self._settle()
        return self._counts.take(worker, acknowledged).to_plain()

    async def status(self) -> dict[str, Any]:
        """Return the counters of this worker, as plain data.

        Its numbers can be summed up.
        """
        self._settle()
        return {
            "name": self._name,
            "answers": self._shown.answers(self._resolver.counters, self._counts),
            "cache": self._store.figures(),
            "forwarding": dict(self._forwarder.counters),
            "in_flight": self._forwarder.in_flight,
            "tcp_connections": len(self._places),
            "tls": self._tls.status() if self._tls else {},
            "disputes": self._surroundings.disputes,
            "datagrams": {
                key: n
                for key, n in summed(listener.counters for listener in self._udp).items()
                if key != _RECEIVED
            },
            "receive_drops": sum(listener.receive_drops for listener in self._udp),
            "log": {
                "waiting": self._counts.waiting,
                "lost": self._counts.lost + self._recorder.lost,
                "undated": self._counts.undated,
                **self._recorder.facts(),
            },
            "upstreams": self._upstreams(),
            "tunnels": self._tunnels.facts(self._setting.clock.wall()),
            "traffic": self._shown.totals(
                [
                    *(listener.traffic for listener in self._udp),
                    *(tcp.traffic.to_plain() for tcp in self._tcp),
                ],
                self._counts,
            ),
        }

    def _settle(self) -> None:
        """Count the answers of the fast path."""
        if self._fast is not None:
            self._fast.settle()

    def _moved(self, site: Site) -> None:
        if self._tidying is not None:
            self._tidying.cancel()
        self._tidying = asyncio.get_running_loop().call_later(_TIDY_AFTER_S, _tidy)
        self._forwarder.keep_to(site.routes)
        self._limiter.configure(site.policy.rate_limit)
        octets = self._left_of(site.policy.cache_octets)
        self._store.resize(octets, self._setting.clock.monotonic())
        self._observer.apply(site.policy)
        self._note_for_the_log(site)

    def _note_for_the_log(self, site: Site) -> None:
        self._settle()  # what was answered until now is counted by the rules of until now
        self._counts.rules = CountingRules.of(site.policy, site.confidential.categories)
        # A floor that was dropped holds here no more either.
        known_from = min(site.unset_clock.floor, self._setting.page.floor or inf)
        self._counts.know_from(known_from)
        self._recorder.apply(site, known_from)

    def _lookups_are_due(self) -> None:
        self._channel.tell("lookups_are_due")

    def _left_of(self, octets: int) -> int:
        """Return the part of the memory for answers that the cache may use.

        A reload does not change the size of the other table.
        """
        least = octets - octets // _REPEATED_SHARE
        return max(least, octets - self._repeated * _REPEATED_OCTETS)

    def _listen(self, listening: Listening) -> None:
        udp = UdpListener(
            listening.udp, self._resolver, self._stepper, self._limiter, self._fast, self._relay
        )
        self._udp.append(udp)
        tcp = TcpListener(self._resolver, self._stepper, self._limiter, self._places)
        tcp.start(listening.tcp.dup())  # it closes what it is given
        self._tcp.append(tcp)

    async def _explain(
        self, qname: bytes, qtype: int, grade: str | None, address: str | None, at: str | None
    ) -> Explanation | None:
        """Explain a result; ask also for a name that may pass now.

        A blocked alias shows only in the answer.
        """
        site = self._sites.current
        now = self._setting.time.wall() if at is None else parse_time(at, site.policy.time_zone)
        if at is not None:
            site = site.at(now)
        client = client_of(site, grade, address)
        if client is None:
            return None
        expected = explain(site, client, qname, qtype, now)
        if at is None and not expected.blocked:
            message = parse_query(compose_query(0, Question.of(qname, qtype)))
            query = Query(message, Peer(address or "127.0.0.1"), client, site)
            with contextlib.suppress(TimeoutError):  # then policy alone is explained
                async with asyncio.timeout(_ALIAS_WITHIN_S):
                    answer = await self._chain.handler(query)
                    expected = explain_answer(client, qname, qtype, answer, expected)
        return expected

    def _upstreams(self) -> list[dict[str, Any]]:
        known = {
            member.server: member
            for group in self._forwarder.groups().values()
            for member in group.members
        }
        servers = self._sites.current.route.servers
        return [self._upstream(one, known.get(one)) for one in servers]

    def _upstream(self, server: UpstreamServer, health: ServerHealth | None) -> dict[str, Any]:
        clock, problem = self._setting.clock, self._forwarder.problem_of(server)
        since = None if health is None else health.down_since
        return {
            "address": server.address,
            "port": server.port,
            "tls": server.tls.value,
            "rtt_ms": None if health is None else round(health.srtt_s * 1000, 1),
            "down": since is not None,
            "down_since": None if since is None else clock.wall() - clock.monotonic() + since,
            "problem": problem,
            "sentence": i18n.to_plain(problem),
            "latency": {} if health is None else health.times.to_plain(),
        }


def _tls_transport(tls: ListeningTls, setting: Setting) -> TlsTransport | None:
    """Return what serves DNS over TLS, None for nothing: its libraries take memory."""
    if not tls.sockets and not tls.problem:
        return None
    from filterd.daemon.serving.tls_transport import TlsTransport  # noqa: PLC0415 -- heavy

    return TlsTransport(tls, setting.workers, setting.state.web, setting.clock)


def _repeated_within(octets: int) -> int:
    """Return how many answers can be repeated at once, of so much memory for answers."""
    room = octets // _REPEATED_SHARE // _REPEATED_OCTETS
    return min(ENTRIES, 1 << room.bit_length() - 1)


def _tidy() -> None:
    """Exclude a new site from garbage collection.

    It would examine all of the site repeatedly. What is frozen is never collected, so what
    has come lately is looked at before. Not all: a full cache takes as long as thousands of
    answers.
    """
    gc.collect(1)
    gc.freeze()
    give_back()
