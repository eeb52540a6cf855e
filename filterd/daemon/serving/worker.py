# SPDX-License-Identifier: Apache-2.0
"""Run a worker: listeners, chain, upstreams, its end of the manager's channel.

A worker is a process. Several share the listening sockets and the index in memory; each has its own
cache, its own view of the upstreams, and counts the questions of each client for itself.
"""

from __future__ import annotations

import asyncio
import gc
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
from filterd.daemon.serving.answer_path import AnswerPath
from filterd.daemon.serving.current_site import ActiveSite
from filterd.daemon.serving.listening_sockets import NO_TLS, ListeningTls
from filterd.daemon.serving.lookup_recorder import LookupRecorder
from filterd.daemon.serving.tcp_listener import TcpListener, TcpSlots
from filterd.daemon.serving.worker_status import WorkerStatus
from filterd.daemon.shared_page import overrides_in_force
from filterd.daemon.watch_recorders import CheckRecorder, Trials
from filterd.daemon.worker_channel import Channel, Handlers
from filterd.fastpath.udp_listener import UdpListener
from filterd.querylog import CountingRules, Counts
from filterd.querylog.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from filterd.daemon.process import Setting
    from filterd.daemon.serving.listening_sockets import Listening
    from filterd.daemon.serving.tls_transport import TlsTransport
    from filterd.resolve.site import Site

_COLLECT_AFTER = 10_000
"""Objects made and not freed before the collector looks: what the cache has taken in, mostly."""

_TIDY_AFTER_S = 0.2
"""After a change of the site: waiting questions are answered, and the old site is unused."""


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
        self._counts = Counts(setting.clock)
        self._live = LiveSource(self._counts, self._settle)
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
        policy, machine = self._sites.loaded.policy, self._setting.clock
        self._path = path = AnswerPath(self._setting, self._sites, self._counts)
        self._trials = Trials(path.resolver, path.fast)
        self._checks = CheckRecorder(path.resolver, path.fast)
        pseudonyms = Pseudonyms(self._setting.state.log_key, ZoneInfo(policy.time_zone))
        self._recorder = LookupRecorder(path.resolver, pseudonyms, machine, self._lookups_are_due)
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
            self._tls.start(path.resolver, path.stepper, path.limiter)
            self._tcp += self._tls.listeners
        listeners = self._udp, self._tcp, self._places
        of_answers = self._counts, self._recorder, self._surroundings
        self._status = WorkerStatus(path, *of_answers, *listeners, self._tls)
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
        await self._path.drain()
        await self._observer.close()
        await self._path.close()
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
        explained = await self._path.explain(bytes.fromhex(qname), qtype, grade, address, at)
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
        return self._status.facts()

    def _settle(self) -> None:
        """Count the answers of the fast path."""
        self._path.settle()

    def _moved(self, site: Site) -> None:
        if self._tidying is not None:
            self._tidying.cancel()
        self._tidying = asyncio.get_running_loop().call_later(_TIDY_AFTER_S, _tidy)
        self._path.apply(site)
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

    def _listen(self, listening: Listening) -> None:
        path = self._path
        shared = path.resolver, path.stepper, path.limiter
        self._udp.append(UdpListener(listening.udp, *shared, path.fast, path.relay))
        tcp = TcpListener(*shared, self._places)
        tcp.start(listening.tcp.dup())  # it closes what it is given
        self._tcp.append(tcp)


def _tls_transport(tls: ListeningTls, setting: Setting) -> TlsTransport | None:
    """Return what serves DNS over TLS, None for nothing: its libraries take memory."""
    if not tls.sockets and not tls.problem:
        return None
    from filterd.daemon.serving.tls_transport import TlsTransport  # noqa: PLC0415 -- heavy

    return TlsTransport(tls, setting.workers, setting.state.web, setting.clock)


def _tidy() -> None:
    """Exclude a new site from garbage collection.

    It would examine all of the site repeatedly. What is frozen is never collected, so what
    has come lately is looked at before. Not all: a full cache takes as long as thousands of
    answers.
    """
    gc.collect(1)
    gc.freeze()
    give_back()
