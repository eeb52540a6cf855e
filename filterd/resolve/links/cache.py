# SPDX-License-Identifier: Apache-2.0
"""Link: answers from the cache. It stands below policy, so all clients share it.

Sources are tried in this order: an entry that has not expired; a failure that
is too recent to ask again (RFC 9520); an expired entry, where asking takes too
long or fails (RFC 8767); an upstream. The filter above judges each of them at the
time of serving.

2,000 clients may wait for one name whose upstream is silent. All of them share one
timer and one completion callback (``Patience``): with one each, removing them would
take a time that grows with the square of their number.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from filterd.resolve.cache_entry import REFRESHED_FROM_HITS
from filterd.resolve.link import answered
from filterd.resolve.query import Answer, Query, Source
from filterd.wire import Ede, EdeCode, Rcode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from filterd.clock import Clock
    from filterd.resolve.background_tasks import Background
    from filterd.resolve.cache_entry import CacheEntry
    from filterd.resolve.cache_store import ResolutionStore
    from filterd.resolve.failures import CacheKey, Failure
    from filterd.resolve.link import Handler

    Ask = Callable[[], Coroutine[Any, Any, Answer]]
    from collections.abc import Iterable

    Work = asyncio.Future[Any]
    Waiters = list[asyncio.Future[None]]


class Patience:
    """Lets go of who waits when the work is done, or has been waited for long enough."""

    def __init__(self) -> None:
        self._waiters: dict[Work, Waiters | None] = {}
        """None: it has been waited for long enough, and nobody waits any more."""

    async def wait_for(self, work: Work, most_s: float) -> None:
        """Wait until the work is done, but no longer than this since somebody first did.

        Never cancels it, nor anybody else who waits.
        """
        if work not in self._waiters:
            self._begin(work, most_s)
        waiters = self._waiters[work]
        if waiters is not None:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiters.append(waiter)
            await waiter

    def _begin(self, work: Work, most_s: float) -> None:
        self._waiters[work] = []
        timer = asyncio.get_running_loop().call_later(most_s, self._lose, work)
        work.add_done_callback(partial(self._end, timer))

    def _lose(self, work: Work) -> None:
        waiters, self._waiters[work] = self._waiters[work], None
        _let_go(waiters or ())

    def _end(self, timer: asyncio.TimerHandle, work: Work) -> None:
        timer.cancel()
        _let_go(self._waiters.pop(work) or ())


def _let_go(waiters: Iterable[asyncio.Future[None]]) -> None:
    for waiter in waiters:
        if not waiter.done():  # it may have been cancelled
            waiter.set_result(None)


STALE_FOR_S = 86_400
STALE_AFTER_S = 1.8
"""How long is tried, at most, while there is something stale to give (RFC 8767 §5)."""
RECHECK_S = 30.0
"""How long nobody is asked after a failure while there is something stale to give."""

MOST_REFRESHES = 100
"""At a time; clients that wait need upstreams more than those that may come."""

CACHED_ERROR = Ede(EdeCode.CACHED_ERROR)
STALE_ANSWER = Ede(EdeCode.STALE_ANSWER)
STALE_NXDOMAIN = Ede(EdeCode.STALE_NXDOMAIN_ANSWER)


class Cache:
    """Answers from the store; fills it with what comes back."""

    def __init__(
        self, store: ResolutionStore, background: Background[Answer], clock: Clock
    ) -> None:
        self._store, self._background, self._clock = store, background, clock
        self._patience = Patience()

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        """See allowed questions only. May return what has expired, marked STALE."""
        key, fetched = query.upstream_key, query.fetched
        if fetched is not None and fetched.key == key:  # it was looked up before it was asked for
            return self._ask(key, query, proceed, fetched.began_at)
        now = self._clock.monotonic()
        entry = self._store.get(key, now)
        if entry is None:
            return self._beyond(key, now, query, proceed)
        if entry.hits >= REFRESHED_FROM_HITS and now >= entry.refresh_at:
            self._refresh(key, entry, partial(self._ask, key, query, proceed))
        age_s = int(now - entry.stored_at)
        return answered(Answer(Source.CACHED, None, entry.resolution, age_s))

    def _beyond(
        self, key: CacheKey, now: float, query: Query, proceed: Handler
    ) -> Awaitable[Answer]:
        """Answer what nothing that holds answers."""
        expired = self._store.expired(key, now)
        at_least_s = 0.0 if expired is None else RECHECK_S
        failure = self._store.failures.holding(key, now, at_least_s)
        if expired is not None:
            ask = partial(self._ask, key, query, proceed)
            return self._rather_than(expired, failure, key, ask)
        return (
            self._ask(key, query, proceed) if failure is None else answered(self._failed(failure))
        )

    async def _rather_than(
        self, expired: CacheEntry, failure: Failure | None, key: CacheKey, ask: Ask
    ) -> Answer:
        """Ask, and give what has expired where nothing else comes in time."""
        answer = None if failure else await self._try(key, ask)
        if answer is None or answer.resolution is None:
            return self._stale(expired)
        return answer

    async def _try(self, key: CacheKey, ask: Ask) -> Answer | None:
        """Ask as long as a client waits. Asking goes on, and fills the store for the next.

        Nobody waits for a route that has fallen silent: while the Internet is
        down, a school would wait for every name again and again.
        """
        attempt = self._background.once(key, ask)
        if self._store.failures.is_silent(key):
            return None
        await self._patience.wait_for(attempt, STALE_AFTER_S)
        return attempt.result() if attempt.done() and not attempt.cancelled() else None

    def _refresh(self, key: CacheKey, entry: CacheEntry, ask: Ask) -> None:
        """Ask ahead, once in the life of an entry, whatever comes of it."""
        if len(self._background) < MOST_REFRESHES:
            entry.refreshed = True
            self._store.refreshed += 1
            self._background.once(key, ask)

    async def _ask(
        self, key: CacheKey, query: Query, proceed: Handler, began_at: float | None = None
    ) -> Answer:
        """Proceed, and remember what becomes of it; ``began_at``: if not now."""
        if began_at is None:
            began_at = self._clock.monotonic()
        answer = await proceed(query)
        now = self._clock.monotonic()
        resolution = answer.resolution
        if resolution is not None:
            stale_s = 0 if key[1].whole else STALE_FOR_S
            self._store.put(key, resolution, now, stale_s=stale_s)
            self._store.failures.forget(key, now)
        elif not answer.overloaded:
            self._store.failures.remember(key, answer.edes, began_at, now)
        return answer

    def _failed(self, failure: Failure) -> Answer:
        self._store.cached_failures += 1
        return Answer(Source.FAILED, edes=(*failure.edes, CACHED_ERROR))

    def _stale(self, entry: CacheEntry) -> Answer:
        self._store.stale += 1
        resolution = entry.resolution
        ede = STALE_NXDOMAIN if resolution.rcode == Rcode.NXDOMAIN else STALE_ANSWER
        return Answer(Source.STALE, resolution=resolution, edes=(ede,))
