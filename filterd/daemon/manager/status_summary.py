# SPDX-License-Identifier: Apache-2.0
"""Sum up the daemon for people and alerts: workers, lists, log, time, changes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from filterd.base import native, state_file
from filterd.base.errors import to_plain
from filterd.daemon.manager.status_parts import (
    log_standing,
    read_today,
    school_day,
)
from filterd.daemon.time.timekeeper import ClockStanding
from filterd.daemon.worker_sums import WorkerSums, disputes_of, tls_of, tunnels_of, upstreams_of
from filterd.policy.grade_changes import Layer
from filterd.policy.policy_file import digest
from filterd.querylog.totals_request import TODAY
from filterd.resolve import rewrite_targets
from filterd.version import __version__

if TYPE_CHECKING:
    from collections.abc import Collection

    from filterd.daemon.manager.manager import Manager
    from filterd.daemon.manager.worker_team import WorkerTeam
    from filterd.daemon.process import Setting
    from filterd.policy.model import Policy
    from filterd.querylog.totals_request import TotalsRequest
    from filterd.resolve.site import Site


class StatusSummary:
    """The state of the daemon, its workers summed up."""

    def __init__(self, manager: Manager, setting: Setting, team: WorkerTeam) -> None:
        self._manager, self._setting, self._team = manager, setting, team
        self._sums = WorkerSums()
        self._digested: tuple[Policy, str] | None = None

    async def facts(
        self, classes: Collection[str] | None = frozenset(), seen: TotalsRequest = TODAY
    ) -> dict[str, Any]:
        """Return the state of the daemon, its workers summed up; as plain data.

        Args:
            classes: those with totals of their own, None for all; others are in their grade's.
            seen: which categories of today are shown, and how old totals may be.
        """
        manager, setting = self._manager, self._setting
        workers = await self._team.ask_those_that_answer("status")
        site, now, today = manager.site, setting.time.least(), await read_today(manager, seen)
        log = await log_standing(manager, workers, today, now)
        is_known = manager.clock_standing is not ClockStanding.UNKNOWN
        safe = rewrite_targets.age_of(site.timed.policy, setting.state.safe_search)
        doubted = map(to_plain, setting.unwritten.doubts(setting.state))
        return {
            "version": __version__,
            "pid": os.getppid(),
            "not_native": native.missing(),
            "up_s": round(setting.clock.monotonic() - setting.started),
            "time_is_known": is_known,
            "clock": manager.clock(),
            **self._in_force(site),
            **await self._of_workers(workers),
            "log": log,
            "signals": await manager.signals.facts(log["lost"], is_time_known=is_known),
            "accounts": manager.signals.accounts(),
            "changes": await manager.changes.status(),
            "pauses": self._pauses(),
            "guarded": await manager.changes.guarded.open_now(),
            "safe_search": safe and safe._asdict(),
            "day": school_day(site.at(now), now, today, classes),
            "in_memory": setting.unwritten.parts,
            "reload_failures": manager.failed_reloads,
            "doubts": (*doubted, *manager.expectations.doubts),
        }

    def _in_force(self, site: Site) -> dict[str, Any]:
        policy, index = site.timed.policy, site.index
        return {
            "school": policy.school,
            "policy": self._digest_of(policy),
            "listen": [{"address": one.address, "port": one.port} for one in self._setting.listen],
            "names": len(index),
            "lists": len(index.lists),
            "lists_built_at": index.build.get("when"),
        }

    async def _of_workers(self, workers: list[dict[str, Any]]) -> dict[str, Any]:
        sums, manager = self._sums.add_up(workers), self._manager
        blocked = await manager.signals.blocks(manager)
        return {
            "workers": len(workers),
            **sums,
            "traffic": {**sums.get("traffic", {}), "blocked": blocked},
            # Of shared sockets: each worker reports the same.
            "receive_drops": max((worker["receive_drops"] for worker in workers), default=0),
            "upstreams": upstreams_of(workers),
            "tunnels": tunnels_of(workers),
            "tls": tls_of(workers, sums.get("tls", {})),
            "disputes": disputes_of(workers),
        }

    def _digest_of(self, policy: Policy) -> str:
        """Return the digest of a policy; of the same one again without 10 ms of work."""
        if self._digested is None or self._digested[0] is not policy:
            self._digested = policy, digest(policy)
        return self._digested[1]

    def _pauses(self) -> list[dict[str, Any]]:
        """Return the pauses that hold now, as plain data."""
        site = self._manager.site
        dated = (change for change in site.moment.changes if change.change.layer is Layer.PAUSE)
        held = {one.change.source for one in dated if one.holds}
        exceptions = site.timed.overrides.exceptions
        return [
            state_file.to_plain(exception) for exception in exceptions if str(exception.id) in held
        ]
