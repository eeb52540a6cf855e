# SPDX-License-Identifier: Apache-2.0
"""Limit totals to what an author may see: ended hours, categories of k devices.

``querylog.disclosure`` is the definition, which the status, totals and reports for inside share.
Devices of today are those of when its last hour was shown first (``HeldReach``): by those of now a
category would appear at the moment in which its k-th device asks, and a reader who polls the
totals would see that lookup.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.overrides.rights.roles import Rank, Role
from filterd.policy.calendar import Calendar
from filterd.querylog.day_reach import CLASS, GRADE
from filterd.querylog.disclosure import SHOWS_ALL, Threshold, lesson_begin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from filterd.overrides.rights.roles import Author
    from filterd.policy.model import Policy
    from filterd.querylog.day_reach import ReachRow
    from filterd.querylog.totals_request import TotalsRequest


def threshold_of(author: Author, k: int) -> Threshold:
    """Return from how many devices on an author sees a category.

    Args:
        author: of a request.
        k: the least number of devices.
    """
    if author.rank >= Rank.ADMIN:
        return SHOWS_ALL
    sees_no_class = Role.PRINCIPAL in author.roles and author.rank < Rank.TEACHER
    return Threshold(k, GRADE if sees_no_class else CLASS)


def as_seen(wanted: TotalsRequest, author: Author, policy: Policy, now: float) -> TotalsRequest:
    """Return a request for what an author may see of what is wanted.

    Args:
        wanted: as it was asked for.
        author: of the request.
        policy: of the site.
        now: policy time.
    """
    threshold = threshold_of(author, policy.log.least_devices)
    if not threshold.devices:
        return wanted
    second = int(Calendar(policy.time_zone).reading(now).second)
    return replace(wanted, threshold=threshold, before=lesson_begin(policy.lessons, second, now))


_MOST = 4
"""Ends that are held: of the hour that is over, and of the one before the present lesson."""


class HeldReach:
    """The devices of the present day.

    Args:
        read: returns those of days (ISO 8601), both included, as they are now.
    """

    def __init__(self, read: Callable[[str, str], Awaitable[list[ReachRow]]]) -> None:
        self._read = read
        self._held: dict[tuple[str, int], list[ReachRow]] = {}

    async def until(self, day: str, ends_at: int) -> list[ReachRow]:
        """Return the devices of a day, the same while the same hours are shown.

        Args:
            day: ISO 8601.
            ends_at: the Unix time at which the last of these hours ended.

        Raises:
            StoreError: they cannot be read.
        """
        key = day, ends_at
        if key not in self._held:
            self._held[key] = await self._read(day, day)
            for old in list(self._held)[:-_MOST]:
                del self._held[old]
        return self._held[key]
