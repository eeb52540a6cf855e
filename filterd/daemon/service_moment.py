# SPDX-License-Identifier: Apache-2.0
"""Find whether lookups are answered now, and which day of the school it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from filterd.querylog.day_span import DaySpan
from filterd.querylog.service_days import ServiceMoment
from filterd.state_folder import SHIPPED, StateFolder

if TYPE_CHECKING:
    from filterd.daemon.manager import Manager


async def in_service(manager: Manager) -> ServiceMoment | None:
    """Return this moment of service; None for wrong answers and an unknown time."""
    verified_at = await asyncio.to_thread(manager.signals.lists_verified_at)
    now = manager.clock()["policy_time"]
    if now is None or manager.signals.is_watchdog_failing():
        return None
    site = manager.site
    build = site.index.build
    since = max(build.get("when") or 0.0, verified_at or 0.0)
    return ServiceMoment(
        now,
        ZoneInfo(site.policy.time_zone),
        str(build.get(StateFolder.noted_as, SHIPPED)),
        max(0, round(now - since)) if since else None,
    )


def school_today(manager: Manager) -> str | None:
    """Return the school's day (ISO 8601); None while the time is not known."""
    now = manager.clock()["policy_time"]
    zone = ZoneInfo(manager.site.policy.time_zone)
    return None if now is None else DaySpan.at(now, zone).day
