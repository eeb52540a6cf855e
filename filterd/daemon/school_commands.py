# SPDX-License-Identifier: Apache-2.0
"""The control socket's commands for pages: matrix, preview, week, own lesson."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import TYPE_CHECKING, Any

from filterd.daemon.control_commands import author_of
from filterd.errors import ControlError
from filterd.i18n import say
from filterd.overrides.own_lesson import own_lesson
from filterd.overrides.roles import Rank
from filterd.policy.calendar import Calendar
from filterd.policy.policy_matrix import policy_matrix
from filterd.policy.school_week import school_week

if TYPE_CHECKING:
    from filterd.daemon.control_caller import Caller
    from filterd.daemon.control_server import Command
    from filterd.daemon.manager import Manager

_YEARS = 1970, 2200


def commands(manager: Manager) -> dict[str, Command]:
    """Return the commands by name."""

    def now() -> float:
        clock = manager.clock()
        return float(clock["floor"] if clock["policy_time"] is None else clock["policy_time"])

    async def matrix(_: dict[str, Any], __: Caller) -> dict[str, Any]:
        site, at = manager.site, now()
        timed = site.timed
        return await asyncio.to_thread(
            policy_matrix, timed.policy, timed.overrides, site.moment, at
        )

    async def week(request: dict[str, Any], _: Caller) -> dict[str, Any]:
        timed = manager.site.timed
        today = Calendar(timed.policy.time_zone).reading(now()).day
        day = _day(request["day"]) if "day" in request else today
        return await asyncio.to_thread(school_week, timed.policy, timed.overrides, day)

    async def lesson(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        author, site = author_of(caller), manager.site
        author.must_be(Rank.TEACHER, say("open something for a class"))
        classroom = manager.changes.classroom(site)
        wanted = str(request.get("place", ""))[:300]
        return await asyncio.to_thread(own_lesson, author, classroom, site.moment, wanted)

    return {
        "policy-matrix": matrix,
        "grade-preview": lambda request, caller: manager.changes.preview(
            request, author_of(caller)
        ),
        "school-week": week,
        "own-lesson": lesson,
    }


def _day(text: Any) -> date:
    try:
        day = date.fromisoformat(text)
    except (TypeError, ValueError):
        day = date.min
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise ControlError(say("`school-week` wants day, a date such as 2026-12-20, or nothing"))
    return day
