# SPDX-License-Identifier: Apache-2.0
"""A manager and its workers in one event loop, on real sockets and real files.

In a daemon each is a process of its own; their messages and shared data are the same
here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from filterd.base.clock import SystemClock
from filterd.daemon.manager.manager import Manager
from filterd.daemon.manager.site_loader import Unwritten, load_site
from filterd.daemon.manager.site_policy import compile_policy_or_keep
from filterd.daemon.process import Setting
from filterd.daemon.sealed_sites import SealedSites, seal
from filterd.daemon.serving.listening_sockets import (
    NO_TLS,
    Listening,
    by_tls,
    listen_by_tls,
    listen_on,
)
from filterd.daemon.serving.worker import Worker
from filterd.daemon.shared_page import SharedOverrides, SharedPage
from filterd.daemon.verified_indexes import VerifiedIndexes
from filterd.daemon.worker_channel import channel_pair
from filterd.overrides.history import snapshot
from filterd.policy import policy_file
from filterd.wire import RRType
from filterd.wire import name as names
from tests.support.daemon import copy_lists, free_port, write_site

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.base.state_folder import StateFolder


class Team:
    """The processes of a daemon, as objects."""

    def __init__(self, config: Path, state: StateFolder, clock: Clock, workers: int) -> None:
        self.page = SharedPage()
        compile_policy_or_keep(config, state, now=clock.wall())
        policy, started = policy_file.load(state.policy), clock.monotonic()
        indexes = VerifiedIndexes()
        index = load_site(config, state, indexes=indexes, now=clock.wall()).index
        self.sites = SealedSites(workers)
        self.sites.add(seal(0, policy, index, indexes.mark_of(index)))
        overrides = SharedOverrides()
        if (copied := snapshot.newest(state.overrides_copies)) is not None:
            overrides.put(copied)
        self.setting = Setting(
            config,
            state,
            clock,
            self.page,
            overrides,
            self.sites,
            Unwritten(),
            started,
            policy.listen,
            policy.workers,
        )
        self._channels = [channel_pair() for _ in range(workers)]
        self.listening: list[Listening] = []
        self.tls, self._by_tls = NO_TLS, by_tls(policy)
        self.workers: list[Worker] = []
        self.manager = Manager(self.setting, [end for end, _ in self._channels])

    @property
    def worker(self) -> Worker:
        """The first worker."""
        return self.workers[0]

    async def start(self) -> None:
        """Do what ``daemon.main`` does before and after it forks."""
        self.listening = listen_on(self.setting.listen)
        self.tls = listen_by_tls(self._by_tls)
        for _, end in self._channels:
            worker = Worker(self.setting, self.listening, end, self.tls)
            await worker.start()
            self.workers.append(worker)
        await self.manager.start()

    async def stop(self) -> None:
        """End everything and close what the supervisor would own."""
        await self.manager.stop()
        for worker in self.workers:
            await worker.stop()
        shared = [end for pair in self._channels for end in pair]
        self.sites.close()
        served = (one for pair in self.listening for one in pair)
        for opened in (*shared, *served, *self.tls.sockets):
            opened.close()


class School:
    """A site and a state folder of one test."""

    def __init__(self, folder: Path, built: StateFolder, upstream_port: int = 9) -> None:
        self.port, self.upstream_port = free_port(), upstream_port
        self.config = folder / "site"
        self.state = copy_lists(built, folder / "state")
        self.write()

    def write(self, more: str = "", *, port: int | None = None) -> None:
        """Write its site, with these keys besides."""
        write_site(self.config, port=port or self.port, upstream=self.upstream_port, more=more)

    def compiled(self) -> Self:
        """Compile its policy before the first start does."""
        compile_policy_or_keep(self.config, self.state, now=SystemClock().wall())
        return self

    def serve(
        self,
        work: Callable[[Team], Awaitable[None]],
        *,
        workers: int = 1,
        clock: Clock | None = None,
    ) -> None:
        """Run ``work`` while a manager and workers serve this school."""

        async def whole() -> None:
            team = Team(self.config, self.state, clock or SystemClock(), workers)
            try:
                await team.start()
                await work(team)
            finally:
                await team.stop()

        asyncio.run(whole())


async def explained(
    team: Team,
    name: str,
    *,
    grade: str | None = None,
    address: str | None = None,
    at: str | None = None,
) -> dict[str, Any] | None:
    """Return what a worker explains of a name, for a client of a grade or an address."""
    qname = names.from_text(name).hex()
    return await team.worker.check(qname=qname, qtype=RRType.A, grade=grade, address=address, at=at)


async def is_blocked(team: Team, name: str, grade: str = "3", at: str | None = None) -> bool:
    """Return whether a worker explains a name as blocked for a grade."""
    explanation = await explained(team, name, grade=grade, at=at)
    assert explanation is not None
    return bool(explanation["action"] != "pass")
