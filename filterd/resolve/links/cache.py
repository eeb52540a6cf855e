# SPDX-License-Identifier: Apache-2.0
"""Link: answers that still hold. Below policy, so all clients share it.

What was looked up before is tried in this order: what holds; a failure that
is too recent to ask again (RFC 9520); what held once, where asking takes too
long or fails (RFC 8767); and asking. What the filter above makes of any of
them is judged at the time of serving.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from filterd.resolve.cache_entry import REFRESHED_FROM_HITS
from filterd.resolve.link import answered
from filterd.resolve.query import Answer, Query, Source
from filterd.resolve.shared_wait import Patience
from filterd.wire import Ede, EdeCode, Rcode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from filterd.clock import Clock
    from filterd.resolve.background_tasks import Background
    from filterd.resolve.cache_entry import Entry
    from filterd.resolve.cache_store import ResolutionStore
    from filterd.resolve.failures import Failure, Key
    from filterd.resolve.link import Handler

    Ask = Callable[[], Coroutine[Any, Any, Answer]]

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

    def _beyond(self, key: Key, now: float, query: Query, proceed: Handler) -> Awaitable[Answer]:
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
        self, expired: Entry, failure: Failure | None, key: Key, ask: Ask
    ) -> Answer:
        """Ask, and give what has expired where nothing else comes in time."""
        answer = None if failure else await self._try(key, ask)
        if answer is None or answer.resolution is None:
            return self._stale(expired)
        return answer

    async def _try(self, key: Key, ask: Ask) -> Answer | None:
        """Ask as long as a client waits. Asking goes on, and fills the store for the next.

        Nobody waits for a route that has fallen silent: while the Internet is
        down, a school would wait for every name again and again.
        """
        attempt = self._background.once(key, ask)
        if self._store.failures.is_silent(key):
            return None
        await self._patience.wait_for(attempt, STALE_AFTER_S)
        return attempt.result() if attempt.done() and not attempt.cancelled() else None

    def _refresh(self, key: Key, entry: Entry, ask: Ask) -> None:
        """Ask ahead, once in the life of an entry, whatever comes of it."""
        if len(self._background) < MOST_REFRESHES:
            entry.refreshed = True
            self._store.refreshed += 1
            self._background.once(key, ask)

    async def _ask(
        self, key: Key, query: Query, proceed: Handler, began_at: float | None = None
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

    def _stale(self, entry: Entry) -> Answer:
        self._store.stale += 1
        resolution = entry.resolution
        ede = STALE_NXDOMAIN if resolution.rcode == Rcode.NXDOMAIN else STALE_ANSWER
        return Answer(Source.STALE, resolution=resolution, edes=(ede,))
