# SPDX-License-Identifier: Apache-2.0
"""Forward questions that no rule concerns (the reference of ``_direct_forward``).

The fast path has found that neither the lists nor anybody else say a thing
against a name (its *opening*). What the chain would do with it is then so plain
that it is done here without: answer from the cache, or ask upstreams, keep what
they say, and send it. As soon as anything is not plain the question goes down
the chain after all, with what upstreams have said so that nobody is asked twice:

- another site is in force, or the clock was set, since the question was judged;
- who asked is not known any more to be who he was;
- the answer leads to a name that somebody does say something against or of, or to
  an address of a private network, or it offers a key for Encrypted Client Hello;
- an upstream failed, or gave reasons;
- the cache holds something that has expired or should be asked for anew.

So no policy and no second way of failing is in here.
"""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING

from filterd.fastpath._question_py import ASKED_CD, ASKED_DO, ASKED_OPT, Asked, read
from filterd.fastpath.rate_limit import packed
from filterd.resolve.links.cache import STALE_FOR_S
from filterd.resolve.query import Fetched
from filterd.upstream import CONCLUSIVE, UpstreamQuestion
from filterd.upstream.resolution import Resolution
from filterd.wire import assemble_for, fit

if TYPE_CHECKING:
    from typing import Protocol

    from filterd.clock import Clock
    from filterd.errors import UpstreamError
    from filterd.fastpath.core_filler import FastPath
    from filterd.fastpath.coroutine_runner import Stepper
    from filterd.fastpath.datagrams import Datagram, Datagrams
    from filterd.resolve.cache_entry import CacheEntry
    from filterd.resolve.cache_store import ResolutionStore
    from filterd.resolve.failures import CacheKey
    from filterd.upstream import Forwarder

    class Listener(Protocol):
        """Where questions come from."""

        datagrams: Datagrams

        def ask_the_chain(self, datagram: Datagram, fetched: Fetched | None) -> None:
            """Answer by the chain; must not raise."""


_log = logging.getLogger("filterd.daemon")


class Relay:
    """Relays the questions of one worker.

    Args:
        fast: what judged them.
        store: the cache, which the chain shares.
        forwarder: asks upstreams.
        stepper: is told what waits.
        clock: for both times.
    """

    def __init__(
        self,
        fast: FastPath,
        store: ResolutionStore,
        forwarder: Forwarder,
        stepper: Stepper,
        clock: Clock,
    ) -> None:
        self._fast, self._store, self._forwarder = fast, store, forwarder
        self._stepper, self._clock = stepper, clock
        self._landed: list[tuple[_Waiting, Resolution | UpstreamError]] = []

    def take(self, datagram: Datagram, listener: Listener) -> bool:
        """Answer a question or see to it that it will be; False where the chain must.

        ``FastPath.refresh`` has been called in this turn.
        """
        if datagram.opening < 0 or datagram.epoch != self._fast.core.epoch:
            return False
        asked, site = read(datagram.message), self._fast.core.site
        if asked is None or site is None:
            return False
        do, cd = bool(asked.flags & ASKED_DO), bool(asked.flags & ASKED_CD)
        question, now = UpstreamQuestion(asked.qname, asked.qtype, do, cd), self._clock.monotonic()
        waiting = _Waiting(self, datagram, listener, asked, (question, site.route), now)
        entry = self._store.plain(question, site.route, now)
        if entry is None:
            self._ask(waiting)
            return True
        return entry is not False and self._repeated(waiting, entry)

    def _ask(self, waiting: _Waiting) -> None:
        question, route = waiting.key
        outcome = self._forwarder.ask(question, route, waiting.datagram.address, waiting.landed)
        self._stepper.began(waiting)
        if outcome is not None:
            self.landed(waiting, outcome)

    def landed(self, waiting: _Waiting, outcome: Resolution | UpstreamError) -> None:
        """Take what became of a question; those of one turn of the loop are finished together."""
        if not self._landed:
            self._forwarder.soon(self._finish_all)
        self._landed.append((waiting, outcome))

    def gave_up(self, waiting: _Waiting) -> None:
        """Forget one that nobody waits for any more."""
        self._stepper.ended(waiting)

    def _finish_all(self) -> None:
        landed, self._landed = self._landed, []
        now = self._clock.monotonic()
        is_refreshed, listeners = self._is_refreshed(now), set()
        relayed: list[tuple[_Waiting, Resolution]] = []
        for waiting, outcome in landed:
            if waiting.is_over:
                continue
            waiting.is_over = True
            self._stepper.ended(waiting)
            listeners.add(waiting.listener)
            if is_refreshed and isinstance(outcome, Resolution) and self._sent(waiting, outcome):
                relayed.append((waiting, outcome))
            else:
                fetched = Fetched(waiting.key, outcome, waiting.began_at)
                waiting.listener.ask_the_chain(waiting.datagram, fetched)
        for listener in listeners:
            self._flush(listener.datagrams)
        for waiting, resolution in relayed:  # once they have their answers
            self._keep(waiting, resolution, now)

    @staticmethod
    def _flush(datagrams: Datagrams) -> None:
        """Send what was answered; one socket that cannot keeps neither others nor what follows."""
        try:
            datagrams.flush()
        except Exception:  # noqa: BLE001 -- logged whole; see above
            _log.exception("what was relayed could not be sent")

    def _is_refreshed(self, now: float) -> bool:
        """See what is in force; False where that cannot be told, and the chain must for all."""
        try:
            self._fast.refresh(now)
        except Exception:  # noqa: BLE001 -- logged whole; else all who wait would go unheard
            _log.exception("what is in force could not be told")
            return False
        return True

    def _sent(self, waiting: _Waiting, resolution: Resolution) -> bool:
        """Send what upstreams have said; False where the chain must."""
        try:
            if not self._is_plain(waiting, resolution):
                return False
            opening = self._fast.openings[waiting.datagram.opening]
            self._answer(waiting, resolution, 0, opening.forwarded)
        except Exception:  # noqa: BLE001 -- logged whole; the chain answers as if nothing were here
            _log.exception("a question could not be relayed")
            return False
        return True

    def _keep(self, waiting: _Waiting, resolution: Resolution, now: float) -> None:
        """Keep what upstreams have said; the reply too, for who asks next, while there is room."""
        try:
            self._store.put(waiting.key, resolution, now, stale_s=STALE_FOR_S)
            self._store.failures.forget(waiting.key, now)
            # The chain, which answered others meanwhile, may have made all be forgotten.
            core = self._fast.core
            if waiting.datagram.epoch == core.epoch and core.replay.has_room():
                self._note(waiting, resolution, 0, now)
        except Exception:  # noqa: BLE001 -- logged whole; who asked has his answer
            _log.exception("what was relayed could not be kept")

    def _repeated(self, waiting: _Waiting, entry: CacheEntry) -> bool:
        """Send what the cache holds, for the fast path to repeat it; False where the chain must."""
        resolution = entry.resolution
        if not self._is_plain(waiting, resolution):
            entry.hits -= 1  # the chain looks it up once more
            self._store.hits -= 1
            return False
        age_s = int(waiting.began_at - entry.stored_at)
        self._note(waiting, resolution, age_s, waiting.began_at)
        opening = self._fast.openings[waiting.datagram.opening]
        self._answer(waiting, resolution, age_s, opening.cached)
        return True

    def _note(self, waiting: _Waiting, resolution: Resolution, age_s: int, now: float) -> None:
        """Let the fast path repeat an answer, as long as the cache would."""
        core, datagram = self._fast.core, waiting.datagram
        until = self._store.repeatable_until(waiting.key, now)
        if until > now:
            opening = self._fast.openings[datagram.opening]
            core.replay.note(
                datagram.client_class,
                waiting.asked.flags,
                self._reply(waiting, resolution, age_s, None),
                opening.cap_ttl_s,
                until,
                self._fast.edges[datagram.client_class],
                opening.cached,
                self._store.mark_of(waiting.key),
            )

    def _answer(self, waiting: _Waiting, resolution: Resolution, age_s: int, tally: int) -> None:
        """Send and count a reply. Last of all: what fails after it would be answered twice."""
        reply = self._reply(waiting, resolution, age_s, self._longest_ttl_s(waiting))
        fitted = fit(reply, waiting.asked.limit)
        waiting.listener.datagrams.answer(waiting.datagram, fitted)
        self._fast.core.count(tally)

    @staticmethod
    def _reply(
        waiting: _Waiting, resolution: Resolution, age_s: int, cap_ttl_s: int | None
    ) -> bytes:
        asked = waiting.asked
        return assemble_for(
            waiting.datagram.message,
            asked.end,
            bool(asked.flags & ASKED_OPT),
            bool(asked.flags & ASKED_DO),
            resolution.sections,
            resolution.rcode,
            age_s=age_s,
            cap_ttl_s=cap_ttl_s,
            authentic=resolution.authentic,
        )

    def _longest_ttl_s(self, waiting: _Waiting) -> int:
        """Return how long the client may keep an answer: not beyond its next edge."""
        datagram = waiting.datagram
        cap_ttl_s = self._fast.openings[datagram.opening].cap_ttl_s
        edge = self._fast.edges[datagram.client_class]
        if edge == inf:
            return cap_ttl_s
        return max(1, min(cap_ttl_s, int(edge - self._clock.wall())))

    def _is_plain(self, waiting: _Waiting, resolution: Resolution) -> bool:
        """Tell whether the chain would send just this to who asked."""
        core, datagram = self._fast.core, waiting.datagram
        return (
            datagram.epoch == core.epoch
            and self._is_known_still(datagram)
            and resolution.rcode in CONCLUSIVE
            and not (resolution.edes or resolution.private or resolution.ech)
            and all(core.lets_through(one, datagram.client_class) for one in resolution.targets)
        )

    def _is_known_still(self, datagram: Datagram) -> bool:
        """Tell whether who asked is known to be who he was."""
        who = packed(datagram.address), datagram.interface
        return self._fast.core.class_of(*who) == datagram.client_class


class _Waiting:
    """A question that waits for upstreams."""

    __slots__ = ("_relay", "asked", "began_at", "datagram", "is_over", "key", "listener")

    def __init__(
        self,
        relay: Relay,
        datagram: Datagram,
        listener: Listener,
        asked: Asked,
        key: CacheKey,
        began_at: float,
    ) -> None:
        self._relay, self.datagram, self.listener = relay, datagram, listener
        self.asked, self.key, self.began_at, self.is_over = asked, key, began_at, False

    def landed(self, outcome: Resolution | UpstreamError) -> None:
        self._relay.landed(self, outcome)

    def cancel(self) -> None:
        """Wait no longer."""
        if not self.is_over:
            self.is_over = True
            self._relay.gave_up(self)
