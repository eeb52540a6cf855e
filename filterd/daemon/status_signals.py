# SPDX-License-Identifier: Apache-2.0
"""Gather the parts of a status that only alerts need.

So one status is enough for ``filterd.monitor``, which reads no file of the daemon.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from filterd.certificate_facts import facts_in
from filterd.daemon import status_files
from filterd.errors import FilterdError
from filterd.policy.calendar import Calendar, Closures
from filterd.policy.log_levels import LogLevel, levels
from filterd.state_file import to_plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from filterd.daemon.process import Setting
    from filterd.policy.model import Policy
    from filterd.resolve.site import Site

BYPASS = "proxy-vpn"
"""The category of ways around the filter."""

_HOUR_S, _WEEK_S = 3600, 7 * 86_400
_BEGUN_S = 600
"""So much of an hour must be over before it is compared with another one."""
_PACE_EVERY_S = 60.0
_VERIFY_FIRST_S, _VERIFY_EVERY_S, _VERIFY_AGAIN_S = 60.0, 86_400.0, 3600.0


class StatusSignals:
    """Signals of the daemon since its start.

    ``is_watchdog_failing``: returns whether the last test questions failed. ``accounts``: returns
    the state of the accounts (``daemon.account_state``). ``lists_verified_at``: returns when the
    source of the lists last answered, Unix time. ``self_test``: returns the summary of the last
    self-test (``daemon.self_tests``).
    """

    def __init__(self, setting: Setting) -> None:
        self.is_watchdog_failing: Callable[[], bool] = lambda: False
        self.accounts: Callable[[], dict[str, Any]] = dict
        self.self_test: Callable[[], dict[str, Any] | None] = lambda: None
        self.lists_verified_at: Callable[[], float | None] = lambda: None
        self._setting = setting
        self._lost: int | None = None  # a manager that is replaced does not know how old they are
        self._lost_at: float | None = None
        self._history: dict[str, Any] = {"ok": None, "verified_at": None}
        self._pace: dict[str, int] | None = None
        self._paced_at = -_PACE_EVERY_S

    async def facts(self, lost: int, *, is_time_known: bool) -> dict[str, Any]:
        """Return the signals as plain data.

        Args:
            lost: the log's count of lost answers.
            is_time_known: whether times may be compared.

        Returns: ``gap_s``, the seconds from the last known time of the run before to this
        start; ``watchdog_failing``; ``disk``, the ``free`` and all octets of the state
        folder's disk, None where it cannot be asked; ``log_lost_at``, the Unix time of the
        last loss; ``history``, the result of the last verification: ``ok`` None for none yet;
        ``certificate``, the facts of the dashboard's, None for none; ``self_test``, the last
        one: ``at``, ``passed``, ``failed`` and ``unknown``, None for none yet; ``backup``,
        ``reports`` and ``enrolment`` as in ``status_files.facts``.
        """
        if self._lost is not None and lost > self._lost:  # a worker that was replaced counts anew
            self._lost_at = self._setting.clock.wall()
        self._lost = lost
        return {
            "gap_s": self._gap_s() if is_time_known else 0.0,
            "watchdog_failing": self.is_watchdog_failing(),
            "disk": await asyncio.to_thread(self._disk),
            "log_lost_at": self._lost_at,
            "history": self._history,
            "self_test": self.self_test(),
            "certificate": await asyncio.to_thread(self._certificate),
            **await asyncio.to_thread(status_files.facts, self._setting.state),
        }

    async def pace(self, site: Site, now: float) -> dict[str, int] | None:
        """Return the answers of the school hour, and the expected number by last week.

        It is read at most once a minute.

        Args:
            site: in force.
            now: policy time.

        Returns: ``now``, answers of this hour of the clock so far; ``last_week``, of as much of
        the same hour a week ago. None for an hour without a lesson, on holidays, or while a
        tier is not counted by command; the first minutes have the figures of the hour before.
        """
        since_s = self._setting.clock.monotonic() - self._paced_at
        if since_s >= _PACE_EVERY_S:
            self._paced_at += since_s
            self._pace = await asyncio.to_thread(self._read_pace, site, now)
        return self._pace

    async def bypass(
        self, site: Site, now: float, totals: Iterable[Mapping[str, Any]]
    ) -> dict[str, int]:
        """Return today's blocks of ways around the filter, and the devices behind.

        ``devices`` is of the tier or grade with the most: numbers of devices are never added up.

        Args:
            site: in force.
            now: policy time.
            totals: of today, as ``Manager.log_totals`` returns them.
        """
        kinds = ((one["category"], one["action"], one["n"]) for one in totals)
        blocks = sum(
            n for category, action, n in kinds if (category, action) == (BYPASS, "blocked")
        )
        devices = await asyncio.to_thread(self._devices, site, now) if blocks else 0
        return {"blocks": blocks, "devices": devices}

    async def keep(self, verify: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        """Verify the history soon after the start and then once a day, for ever.

        Args:
            verify: returns the result, as ``Records.verify`` does.
        """
        await asyncio.sleep(_VERIFY_FIRST_S)
        while True:
            is_done = await self.note_history(verify)
            await asyncio.sleep(_VERIFY_EVERY_S if is_done else _VERIFY_AGAIN_S)

    async def note_history(self, verify: Callable[[], Awaitable[Mapping[str, Any]]]) -> bool:
        """Verify the history and keep the result; return whether it could be read."""
        try:
            ok = (await verify())["ok"]
        except FilterdError:  # the state of the store is shown for itself
            return False
        self._history = {"ok": ok, "verified_at": self._setting.clock.wall()}
        return True

    def _gap_s(self) -> float:
        ran_until = self._setting.ran_until
        if not ran_until:
            return 0.0
        clock = self._setting.clock
        started_at = self._setting.time.least() - (clock.monotonic() - self._setting.started)
        return round(max(0.0, started_at - ran_until), 1)

    def _disk(self) -> dict[str, int] | None:
        try:
            disk = os.statvfs(self._setting.state.folder)
        except OSError:
            return None
        return {"free": disk.f_bavail * disk.f_frsize, "size": disk.f_blocks * disk.f_frsize}

    def _certificate(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = to_plain(facts_in(self._setting.state.web))
        return found

    def _devices(self, site: Site, now: float) -> int:
        from filterd.querylog.single_figures import devices_blocked  # noqa: PLC0415 -- SQLite

        day = Calendar(site.policy.time_zone).reading(now).day.isoformat()
        return devices_blocked(self._setting.state.query_log, day, BYPASS)

    def _read_pace(self, site: Site, now: float) -> dict[str, int] | None:
        from filterd.querylog.single_figures import answers_in  # noqa: PLC0415 -- it brings SQLite

        policy, over_s = site.timed.policy, now % _HOUR_S
        hour = int(now - over_s)
        has_lesson = _has_lesson(policy, hour) and _has_lesson(policy, hour - _WEEK_S)
        if not has_lesson or _is_not_counted(site, now):
            return None
        if over_s < _BEGUN_S:
            return self._pace  # an alert must not end and begin with each hour
        found = answers_in(self._setting.state.query_log, (hour, hour - _WEEK_S))
        if found is None:
            return None
        return {"now": found[0], "last_week": int(found[1] * over_s / _HOUR_S)}


def _has_lesson(policy: Policy, hour: float) -> bool:
    """Return whether a lesson runs in an hour, on a day with school."""
    shown = Calendar(policy.time_zone).reading(hour)
    if shown.day in Closures(policy.holidays):
        return False
    ends_s = shown.second + _HOUR_S
    return any(one.starts_s < ends_s and one.ends_s > shown.second for one in policy.lessons)


def _is_not_counted(site: Site, now: float) -> bool:
    """Return whether a command has switched a tier off, or the files all of them."""
    found = levels(site.timed.policy, site.timed.overrides, now).values()
    off = [one for one in found if one.level is LogLevel.OFF]
    return len(off) == len(found) or any(one.setting is not None for one in off)
