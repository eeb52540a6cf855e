# SPDX-License-Identifier: Apache-2.0
"""Two workers and a collector of what they have for the log, each of which can be replaced."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from filterd.daemon.manager.log_collector import MinuteRounds
from filterd.daemon.worker_channel import Channel, Handlers, channel_pair

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

WITHIN_S = 20.0


class Working(Protocol):
    channel: Channel


W = TypeVar("W", bound=Working)
C = TypeVar("C", bound=MinuteRounds)


class Crew(Generic[W, C]):
    def __init__(self) -> None:
        self._pairs = [channel_pair(), channel_pair()]
        self.workers = [self._worker(far) for _, far in self._pairs]
        self.collector = self._begin()

    def _worker(self, end: socket.socket) -> W:
        raise NotImplementedError

    def _collector(self, channels: list[Channel]) -> tuple[C, Handlers]:
        raise NotImplementedError

    def _begin(self) -> C:
        channels: list[Channel] = []
        collector, handlers = self._collector(channels)
        channels.extend(Channel(near, handlers) for near, _ in self._pairs)
        self.channels = channels
        return collector

    async def manager_dies(self) -> None:
        """Begin a new one that has nothing of what its predecessor got."""
        await self.leave()
        self.collector = self._begin()

    async def worker_dies(self) -> None:
        await self.workers[0].channel.close()
        self.workers[0] = self._worker(self._pairs[0][1])

    async def leave(self) -> None:
        await self.collector.stop()
        for channel in self.channels:
            await channel.close()

    async def close(self) -> None:
        await self.leave()
        for worker in self.workers:
            await worker.channel.close()
        for pair in self._pairs:
            for end in pair:
                end.close()


A = TypeVar("A", bound=Crew)  # type: ignore[type-arg]


def run(begin: Callable[[], A], work: Callable[[A], Awaitable[None]]) -> None:
    async def whole() -> None:
        crew = begin()
        try:
            await asyncio.wait_for(work(crew), WITHIN_S)
        finally:
            await crew.close()

    asyncio.run(whole())
