# SPDX-License-Identifier: Apache-2.0
"""Link: answers that still hold. Below policy, so all clients share it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.resolve.query import Answer, Query, Source

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.resolve.handler import Handler
    from filterd.resolve.store import ResolutionStore


class Cache:
    """Answers from the store; fills it with what comes back."""

    def __init__(self, store: ResolutionStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def __call__(self, query: Query, proceed: Handler) -> Answer:
        """See allowed questions only. May return what is as old as its TTL allows."""
        key = query.upstream_key
        held = self._store.get(key, self._clock.monotonic())
        if held is not None:
            resolution, age_s = held
            return Answer(Source.CACHED, resolution=resolution, age_s=age_s)
        answer = await proceed(query)
        if answer.resolution is not None:
            self._store.put(key, answer.resolution, self._clock.monotonic())
        return answer
