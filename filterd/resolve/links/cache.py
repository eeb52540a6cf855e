# SPDX-License-Identifier: Apache-2.0
"""The last links: answers from the cache, and forwarding to upstreams.

They stand below policy, so all clients share the cache.
Sources are tried in this order: an entry that has not expired; a failure that
is too recent to ask again (RFC 9520); an expired entry, where asking takes too
long or fails (RFC 8767); an upstream. The filter above judges each of them at the
time of serving.

2,000 clients may wait for one name whose upstream is silent. All of them share one
timer and one completion callback (``Patience``): with one each, removing them would
take a time that grows with the square of their number.

``Background`` owns the queries that go on after the client has its answer.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from filterd.base.errors import UpstreamError, UpstreamOverloadError, UpstreamTimeoutError
from filterd.resolve.cache_entry import REFRESHED_FROM_HITS
from filterd.resolve.query import Answer, Link, Query, Source, answered, leaves_all_alone
from filterd.upstream import CONCLUSIVE, DEADLINE_S
from filterd.wire import Ede, EdeCode, Rcode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable

    from filterd.base.clock import Clock
    from filterd.resolve.cache_entry import CacheEntry, Failure
    from filterd.resolve.cache_store import ResolutionStore
    from filterd.resolve.query import Handler
    from filterd.upstream import Forwarder, Resolution, UpstreamQuestion

    Ask = Callable[[], Coroutine[Any, Any, Answer]]
    Work = asyncio.Future[Any]
    Waiters = list[asyncio.Future[None]]

T = TypeVar("T")

_logger = logging.getLogger("filterd.resolve")

STALE_FOR_S = 86_400
STALE_AFTER_S = 1.8
"""The longest time to ask while there is an expired answer (RFC 8767 §5)."""
RECHECK_S = 30.0
"""How long no upstream is asked after a failure while there is an expired answer."""

MOST_REFRESHES = 100
"""At a time; waiting clients need the upstreams more than future ones."""

CACHED_ERROR = Ede(EdeCode.CACHED_ERROR)
STALE_ANSWER = Ede(EdeCode.STALE_ANSWER)
STALE_NXDOMAIN = Ede(EdeCode.STALE_NXDOMAIN_ANSWER)


class Patience:
    """A shared wait for one task: it ends when the task is done or time is up."""

    def __init__(self) -> None:
        self._waiters: dict[Work, Waiters | None] = {}
        """None: the time is up, and there are no waiters any more."""

    async def wait_for(self, work: Work, most_s: float) -> None:
        """Wait until the work is done, but at most so long since the first waiter began.

        It cancels neither the work nor other waiters.
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


class Cache(Link):
    """A link that answers from the cache, and stores the answers of the rest."""

    leaves_alone = staticmethod(leaves_all_alone)
    """What depends on the time (expiry, failures, refreshes) is in ``ResolutionStore.plain``."""

    def __init__(
        self, store: ResolutionStore, background: Background[Answer], clock: Clock
    ) -> None:
        self._store, self._background, self._clock = store, background, clock
        self._patience = Patience()

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        """Answer allowed questions; an expired answer is marked STALE."""
        question, fetched = query.upstream_question, query.fetched
        if fetched is not None and fetched.question == question:
            return self._ask(query, proceed, fetched.began_at)  # direct forwarding looked it up
        now = self._clock.monotonic()
        entry = self._store.get(question, now)
        if entry is None:
            return self._beyond(now, query, proceed)
        if entry.hits >= REFRESHED_FROM_HITS and now >= entry.refresh_at:
            self._refresh(question, entry, partial(self._ask, query, proceed))
        age_s = int(now - entry.stored_at)
        return answered(Answer(Source.CACHED, None, entry.resolution, age_s))

    def _beyond(self, now: float, query: Query, proceed: Handler) -> Awaitable[Answer]:
        """Answer where no valid entry exists."""
        question = query.upstream_question
        expired = self._store.expired(question, now)
        at_least_s = 0.0 if expired is None else RECHECK_S
        failure = self._store.failures.holding(question, now, at_least_s)
        if expired is not None:
            return self._rather_than(expired, failure, query, proceed)
        if failure is not None:
            return answered(self._failed(failure))
        return self._ask(query, proceed)

    async def _rather_than(
        self, expired: CacheEntry, failure: Failure | None, query: Query, proceed: Handler
    ) -> Answer:
        """Ask, and return the expired answer if no other comes in time."""
        answer = None if failure else await self._try(query, proceed)
        if answer is None or answer.resolution is None:
            return self._stale(expired)
        return answer

    async def _try(self, query: Query, proceed: Handler) -> Answer | None:
        """Ask as long as a client waits; the query goes on and fills the store.

        A silent route is not waited for: while the Internet is down, a school would
        wait for every name again and again.
        """
        question = query.upstream_question
        attempt = self._background.once(question, partial(self._ask, query, proceed))
        if self._store.failures.is_silent(question.route):
            return None
        await self._patience.wait_for(attempt, STALE_AFTER_S)
        return attempt.result() if attempt.done() and not attempt.cancelled() else None

    def _refresh(self, question: UpstreamQuestion, entry: CacheEntry, ask: Ask) -> None:
        """Refresh an entry ahead of expiry, at most once in its life."""
        if len(self._background) < MOST_REFRESHES:
            entry.refreshed = True
            self._store.refreshed += 1
            self._background.once(question, ask)

    async def _ask(self, query: Query, proceed: Handler, began_at: float | None = None) -> Answer:
        """Proceed, and store the result; ``began_at``: the start, if it is not now."""
        if began_at is None:
            began_at = self._clock.monotonic()
        answer = await proceed(query)
        question, now, resolution = (
            query.upstream_question,
            self._clock.monotonic(),
            answer.resolution,
        )
        if resolution is not None:
            stale_s = 0 if question.route.whole else STALE_FOR_S
            self._store.put(question, resolution, now, stale_s=stale_s)
            self._store.failures.forget(question, now)
        elif not answer.overloaded:
            self._store.failures.remember(question, answer.edes, began_at, now)
        return answer

    def _failed(self, failure: Failure) -> Answer:
        self._store.cached_failures += 1
        return Answer(Source.FAILED, edes=(*failure.edes, CACHED_ERROR))

    def _stale(self, entry: CacheEntry) -> Answer:
        self._store.stale += 1
        resolution = entry.resolution
        ede = STALE_NXDOMAIN if resolution.rcode == Rcode.NXDOMAIN else STALE_ANSWER
        return Answer(Source.STALE, resolution=resolution, edes=(ede,))


class Background(Generic[T]):
    """Owner of tasks, one for each key; close it before its loop ends."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[T | None]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def once(
        self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> asyncio.Task[T | None]:
        """Begin work, or return the running task of this key.

        A caller that awaits the task must shield it: it must not cancel it. Its
        result is None where ``work`` raised; that is logged here, because there
        may be no caller left to see it.
        """
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(_logging_errors(work))
            self._tasks[key] = task
            task.add_done_callback(lambda _: self._tasks.pop(key, None))
        return task

    async def close(self) -> None:
        """Cancel all tasks and wait for their end."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _logging_errors(work: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
    try:
        return await work()
    except Exception:
        _logger.exception("work in the background failed")
        return None


NO_ANSWER = Ede(EdeCode.NO_REACHABLE_AUTHORITY)
NETWORK_ERROR = Ede(EdeCode.NETWORK_ERROR)


class Forward(Link):
    """A link that asks a delegated zone's own servers, else the upstreams.

    ``note``: called with each query for which an upstream is asked.
    """

    def __init__(self, forwarder: Forwarder, note: Callable[[Query], None] | None = None) -> None:
        self._forwarder, self._note = forwarder, note

    def leaves_alone(self, _: UpstreamQuestion, resolution: Resolution, /) -> bool:
        """Return whether it is an answer without extended errors.

        ``answer_reply`` composes one with extended errors.
        """
        return resolution.rcode in CONCLUSIVE and not resolution.edes

    async def __call__(self, query: Query, _: Handler) -> Answer:
        """Answer every query that reaches it; never proceed."""
        try:
            resolution = await self._resolution(query)
        except UpstreamTimeoutError:
            return Answer(Source.FAILED, edes=(NO_ANSWER,), overloaded=_had_less_time(query))
        except UpstreamOverloadError:
            return Answer(Source.FAILED, edes=(NETWORK_ERROR,), overloaded=True)
        except UpstreamError:
            return Answer(Source.FAILED, edes=(NETWORK_ERROR,))
        if resolution.rcode not in CONCLUSIVE:
            return Answer(Source.FAILED, edes=resolution.edes or (NO_ANSWER,))
        return Answer(Source.FORWARDED, None, resolution)

    async def _resolution(self, query: Query) -> Resolution:
        """Return the upstreams' resolution, fetched before or now; raise their error."""
        question, fetched = query.upstream_question, query.fetched
        if fetched is None or fetched.question != question:
            if self._note is not None:
                self._note(query)
            deadline = query.began_at + DEADLINE_S
            return await self._forwarder.resolve(question, query.peer.address, deadline)
        if isinstance(fetched.outcome, UpstreamError):
            raise type(fetched.outcome)(
                *fetched.outcome.args
            )  # the object is shared with other waiters
        return fetched.outcome


def _had_less_time(query: Query) -> bool:
    """Return whether other servers were asked first, so that silence proves nothing."""
    fetched = query.fetched
    is_fetched = fetched is not None and fetched.question == query.upstream_question
    return query.began_at != inf and not is_fetched
