# SPDX-License-Identifier: Apache-2.0
"""The manager process: it reloads, sums up the workers, and executes commands.

A reload has two steps. First the new policy is compiled, loaded here and checked against its
expectations; any failure on the way leaves everything as it was. Then it is activated in all
workers (``filterd.daemon.manager.site_activation``).

Changes by command (``filterd.daemon.manager.change_service``) take the same way, one after the
other with reloads, but nothing is compiled or opened.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ControlError, FilterdError
from filterd.base.process_memory import give_back
from filterd.clients.interfaces import Links
from filterd.clients.network_view import Surroundings
from filterd.daemon.live_lookups import LiveStream
from filterd.daemon.manager import site_loader, site_policy
from filterd.daemon.manager.log_collector import DistinctKeeper, LogKeeper
from filterd.daemon.manager.lookup_collector import LookupCollector
from filterd.daemon.manager.site_activation import SiteActivation
from filterd.daemon.manager.site_trial import SiteTrial
from filterd.daemon.manager.status_parts import (
    StatusSignals,
    in_service,
    school_today,
)
from filterd.daemon.manager.status_summary import StatusSummary
from filterd.daemon.manager.worker_team import WorkerTeam
from filterd.daemon.time.timekeeper import LOOK_EVERY_S, ClockStanding, Timekeeper
from filterd.daemon.watch_recorders import NatWatch
from filterd.operations.reload import Reloaded
from filterd.policy.policy_file import digest
from filterd.querylog.totals_request import TODAY
from filterd.texts.i18n import say

if TYPE_CHECKING:
    import socket
    from collections.abc import Collection, Iterable, Sequence

    from filterd.daemon.manager.change_service import Changes
    from filterd.daemon.manager.device_discovery import ExamTrials, RoomWatches
    from filterd.daemon.process import Setting
    from filterd.daemon.worker_channel import Handlers
    from filterd.policy.model import ListenAddress
    from filterd.policy.temporary_rules import Overrides
    from filterd.querylog.totals_request import TotalsRequest
    from filterd.resolve.site import Site

_LAST_WORDS_WITHIN_S = 2.5
"""A worker that stops has answers to give before (``worker``); the supervisor waits for 5 s."""

_KEEP_EVERY = 60
"""Looks at the clock: once a minute, as the log is written, the time is kept."""

_ONLY_A_RESTART_CHANGES = ("listen", "workers")
"""Keys of ``site.yaml``, called so in the policy and in the setting, too."""

_logger = logging.getLogger("filterd.manager")


class Manager:
    """The daemon, as commands see it.

    Args:
        setting: the folders and clocks of the daemon.
        ends: of the channels to the workers.
    """

    def __init__(self, setting: Setting, ends: Sequence[socket.socket]) -> None:
        self._setting, self._team = setting, WorkerTeam(ends)
        surroundings = Surroundings(setting.clock)
        surroundings.take_links(Links(own=_own_addresses(setting.listen)))
        self._activation = SiteActivation(setting, surroundings, self._team.tell_all)
        self.expectations = SiteTrial(setting, self._activation.load)
        self._time = setting.time
        self._keeper = Timekeeper(setting.state, setting.clock, setting.page)
        self._time_kept: asyncio.Task[None] | None = None
        self._reloading = asyncio.Lock()
        self._next_reloads: dict[bool, asyncio.Task[Reloaded]] = {}
        self.log_keeper = LogKeeper(
            setting.state.query_log,
            setting.clock,
            self._team.channels,
            lambda: self._site.policy.log.keep_totals_days * (1 if self._time.is_confirmed else 2),
            lambda: in_service(self),
        )
        self.distinct = DistinctKeeper(
            setting.state.log_days,
            self.log_keeper,
            lambda: school_today(self),
            lambda: self._site.confidential.categories,
        )
        self.lookups = LookupCollector(setting, self._team.channels, lambda: self.site)
        self.signals = StatusSignals(setting)
        self.live: LiveStream
        self.changes: Changes
        self.rooms: RoomWatches
        self.trials: ExamTrials
        self.nat: NatWatch
        self._site: Site
        self.failed_reloads = 0
        self._summary = StatusSummary(self, setting, self._team)

    @property
    def site(self) -> Site:
        """The active policy and lists."""
        self._site = self._site.at(self._time.wall())
        return self._site

    async def start(self) -> None:
        """Load the active policy and lists, and connect to the workers.

        Raises:
            FilterdError: they cannot be loaded.
        """
        # They bring SQLite and more, for this process only: all are forked with what is imported.
        from filterd.daemon.manager.change_service import Changes, Enforcement  # noqa: PLC0415
        from filterd.daemon.manager.device_discovery import ExamTrials, RoomWatches  # noqa: PLC0415

        in_force = Enforcement(self._reloading, lambda: self.site, self._enforce, self._keeper)
        self.changes = Changes(self._setting, in_force)
        self.rooms = RoomWatches(self._setting.clock)
        self.trials = ExamTrials(self._setting.clock, self._team.channels)
        self.nat = NatWatch(self._setting.clock, self._team.channels)
        self.live = LiveStream(
            self._setting.clock, self._team.channels, lambda: self.site, self.changes
        )
        is_mended = await asyncio.to_thread(self.changes.start)
        self._site = await self._activation.begin()
        handlers: Handlers = {
            "last_counts": self.log_keeper.take_last,
            "last_lookups": self.lookups.take_last,
            "lookups_are_due": self.lookups.lookups_are_due,
        }
        self._team.open(lambda n: {**handlers, "followed": partial(self.live.take, n)})
        self.log_keeper.start()
        self.distinct.start()
        self.lookups.start()
        if self._setting.page.is_undecided or is_mended:
            self._site = await self._activation.decide(self._site)
        await asyncio.to_thread(self.expectations.begin, self._site)
        await self._activation.keep_second_copies()
        await asyncio.to_thread(self.changes.records.note, self._site)
        self._time_kept = asyncio.get_running_loop().create_task(self._keep_time())

    async def stop(self) -> None:
        """Close the channels to the workers; cancel a reload that is not done."""
        for reload in self._next_reloads.values():
            reload.cancel()
        if self._time_kept is not None:
            self._time_kept.cancel()
            await asyncio.gather(self._time_kept, return_exceptions=True)
        await asyncio.to_thread(self._keeper.note)
        self.live.close()
        await self.changes.close()
        await self.distinct.stop()
        await self.log_keeper.stop()
        await self.lookups.stop()
        await self._team.close()

    async def write_last(self) -> None:
        """Write what the workers have left for the log; they are being stopped too."""
        await self.log_keeper.write_last(within_s=_LAST_WORDS_WITHIN_S)
        await self.lookups.write_last()

    async def reload(self, *, lists_only: bool = False) -> Reloaded:
        """Activate the present files of the site and the compiled lists.

        Returns once every worker answers by them. Requests during a reload share the next
        one.

        Args:
            lists_only: reload the lists; a site whose files are wrong stays as it was.

        Raises:
            FilterdError: the site before stays in force, unless the message contradicts.
        """
        following = self._next_reloads.get(lists_only)
        if following is None:
            following = asyncio.get_running_loop().create_task(self._reload_in_turn(lists_only))
            self._next_reloads[lists_only] = following
        return await asyncio.shield(following)

    async def _reload_in_turn(self, lists_only: bool) -> Reloaded:
        async with self._reloading:
            del self._next_reloads[lists_only]  # the caller may have changed a file being read
            try:
                site = await self._prepare_and_commit(lists_only)
            except Exception:
                self.failed_reloads += 1
                raise
        give_back()
        policy = site.timed.policy
        await asyncio.to_thread(self.changes.records.note, site)
        _logger.info("reloaded: policy %s, %d names", digest(policy), len(site.index))
        moved = tuple(
            key
            for key in _ONLY_A_RESTART_CHANGES
            if getattr(policy, key) != getattr(self._setting, key)
        )
        return Reloaded(
            digest(policy), len(site.index), len(site.index.lists), moved, self.expectations.doubts
        )

    async def _prepare_and_commit(self, lists_only: bool) -> Site:
        policy, wrong = await asyncio.to_thread(
            site_policy.compiled, self._setting, lists_only=lists_only
        )
        site = await asyncio.to_thread(self._activation.load, policy)
        unmet, doubted = await self.expectations.check(site)
        epoch = await self._activation.activate(site, policy)
        self._site = site
        await self._activation.keep_second_copies()
        self.expectations.accept(unmet, (*wrong, *doubted))
        try:
            await self._team.tell_all("confirm", epoch=epoch)
        except FilterdError as error:
            raise ControlError(
                say("it is in force, but not yet in every worker: {error}", error=error.sentence)
            ) from error
        return site

    async def _enforce(self, overrides: Overrides, epoch: int) -> None:
        """Activate overrides in every worker.

        Raises:
            FilterdError: a worker did not confirm it.
        """
        now, page = self._time.wall(), self._setting.page
        site = await asyncio.to_thread(self._site.at, now, overrides)
        try:
            await self._team.tell_all("prepare", epoch=epoch, overrides=True)
        except FilterdError as error:
            # It is recorded, so it counts: a worker that is not ready loads it then.
            _logger.warning("%s; that worker loads what was changed by itself", error)
        page.epoch = epoch
        self._site = site
        await self._team.tell_all("confirm", epoch=epoch)

    async def keep_files(self) -> None:
        """Restore the files of the active policy and index when they are gone, for ever."""
        await site_loader.watch_files(self._setting.state, self._reloading)

    async def write_what_is_in_memory(self) -> None:
        """Write the files that a start could not write, as soon as the disk takes them."""
        setting = self._setting
        await site_loader.write_later(setting.unwritten, setting.state, self._reloading)

    def notices(self) -> list[Any]:
        """Return the notices that every command must show, as plain data."""
        return self.changes.upkeep.lost()

    def clock(self) -> dict[str, Any]:
        """Return the state of policy time, as plain data; see ``Timekeeper.facts``."""
        return self._keeper.facts()

    @property
    def clock_standing(self) -> ClockStanding:
        """How sure policy time is."""
        return self._keeper.standing

    async def _keep_time(self) -> None:
        """Check the clock for ever, save the known time, and date things that wait for it."""
        rounds = itertools.count(_KEEP_EVERY)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            is_minute = next(rounds) % _KEEP_EVERY == 0
            try:
                step = self._keeper.look()
                await self.changes.know_time(step, again=is_minute)
                if is_minute:
                    await self.changes.end_guarded()
                if is_minute:
                    await asyncio.to_thread(self._keeper.note)
            except FilterdError as error:
                _logger.error("%s; trying again every minute", error)
            except Exception:
                _logger.exception("the time could not be kept")

    async def check(self, **whom: Any) -> dict[str, Any] | None:
        """Explain the result for a client; see ``Worker.check``."""
        explained: dict[str, Any] | None = await self._team.ask_one("check", **whom)
        return explained

    async def status(
        self, classes: Collection[str] | None = frozenset(), seen: TotalsRequest = TODAY
    ) -> dict[str, Any]:
        """Return the state of the daemon, its workers summed up; see ``StatusSummary``."""
        return await self._summary.facts(classes, seen)

    async def log_totals(
        self, request: TotalsRequest, classes: Collection[str] | None = None
    ) -> list[dict[str, Any]]:
        """Return what was counted on the last days of the school, as plain data.

        Nothing of a confidential category is in it (``querylog.disclosure``).

        Args:
            request: which ones.
            classes: of these classes only; None for all clients.

        Raises:
            StoreError: the log cannot be read.
        """
        hidden = self._site.confidential.categories
        request = replace(request, confidential=hidden, classes=classes)
        zone = self._site.policy.time_zone
        return [request.row(one) for one in await self.log_keeper.totals(request, time_zone=zone)]


def _own_addresses(listen: Iterable[ListenAddress]) -> frozenset[IPv4Address | IPv6Address]:
    """Return where this machine asks itself from; the manager looks at no links."""
    return frozenset(ip_address(one.address.partition("%")[0]) for one in listen)
