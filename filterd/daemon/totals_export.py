# SPDX-License-Identifier: Apache-2.0
"""Export totals for outside the school: the manager's part.

See ``querylog.published_totals`` for what is exported. Each export is recorded in the
history, before anything is answered.
"""

from __future__ import annotations

import asyncio
import calendar
import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from filterd.errors import ControlError
from filterd.field_checks import is_whole
from filterd.i18n import say
from filterd.overrides.read_access import View, check_view
from filterd.querylog import published_totals
from filterd.querylog.day_span import DaySpan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from filterd.daemon.manager import Manager
    from filterd.overrides.roles import Author
    from filterd.querylog.published_totals import PublishedTotals

MOST_EXPORT_DAYS = 100
_is_month = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])", re.ASCII).fullmatch


class Span(NamedTuple):
    """The closed days of an export; ``has_months`` to publish whole months as such."""

    first: date
    last: date
    has_months: bool

    @property
    def by_month(self) -> dict[str, list[str]]:
        """The days by month, ISO 8601."""
        found: dict[str, list[str]] = {}
        for number in range((self.last - self.first).days + 1):
            day = (self.first + timedelta(days=number)).isoformat()
            found.setdefault(day[:7], []).append(day)
        return found

    def is_whole(self, month: str) -> bool:
        """Return whether a month is published as such: all of its days are here."""
        first = date.fromisoformat(f"{month}-01")
        return self.has_months and self.first <= first and _last_of(first) <= self.last

    @classmethod
    def read(cls, request: Mapping[str, Any], today: date) -> Span:
        """Return the closed days that a request names.

        Args:
            request: ``month`` as ``2026-11``, or ``days``: the last ones before today.
            today: the school's day, which is not over.

        Raises:
            ControlError: it names none, or the month is not over.
        """
        days, month = request.get("days", 1), request.get("month", "")
        if not is_whole(days) or not 1 <= days <= MOST_EXPORT_DAYS or not isinstance(month, str):
            raise ControlError(
                say("`log export` wants a month, or days, 1 to {most}", most=MOST_EXPORT_DAYS)
            )
        if not month:
            return cls(today - timedelta(days=days), today - timedelta(days=1), has_months=False)
        if _is_month(month) is None:
            raise ControlError(say("'{month}' is not a month such as 2026-11", month=month[:20]))
        first = date.fromisoformat(f"{month}-01")
        last = _last_of(first)
        if last >= today:
            raise ControlError(
                say("{month} is not over: only whole months are exported", month=month)
            )
        return cls(first, last, has_months=True)


def _last_of(month: date) -> date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


class PublishedMonth(NamedTuple):
    """What was published of days of a month; ``is_whole`` if the month was, too."""

    month: str
    days: list[str]
    is_whole: bool
    totals: PublishedTotals

    @property
    def periods(self) -> list[str]:
        """The days, and the month if it is published as such."""
        return [*self.days, self.month] if self.is_whole else self.days

    @property
    def left_out(self) -> int:
        """How many cells were not published."""
        return sum(self.totals.periods[one].left_out for one in self.periods)

    @property
    def least_devices(self) -> int:
        """The least number of devices behind a cell: k may have been raised since."""
        return min(self.totals.periods[one].least_devices for one in self.periods)


class TotalsExport:
    """Publishes totals, one request at a time.

    Args:
        manager: it has the site, the totals and the history.
        folder: of what was published.
    """

    def __init__(self, manager: Manager, folder: Path) -> None:
        self._manager, self._folder = manager, folder
        self._turn = asyncio.Lock()

    async def export(self, request: Mapping[str, Any], author: Author) -> dict[str, Any]:
        """Return the published totals of closed days, or of a closed month.

        Args:
            request: see ``Span.read``.
            author: of the request.

        Returns: ``rows``; ``left_out``, how many cells were not published; ``least_devices``.

        Raises:
            ControlError: the author may not, or the request names nothing that is over.
            StoreError: something cannot be read or written.
        """
        check_view(author, View.EXPORT)
        site, changes = self._manager.site, self._manager.changes
        now, zone = changes.classroom(site).now, ZoneInfo(site.policy.time_zone)
        if now is None:
            raise ControlError(say("the time is not known, so no day is known to be over"))
        span = Span.read(request, datetime.fromtimestamp(now, zone).date())
        ends = [one.isoformat() for one in (span.first, span.last)]
        await changes.note_view(View.EXPORT, author, {"days": ends, "class": ""})
        found, hidden = await self.published(span), site.confidential.categories
        return {
            "rows": [row for one in found for row in one.totals.rows(one.periods, hidden)],
            "left_out": sum(one.left_out for one in found),
            "least_devices": min(one.least_devices for one in found),
        }

    async def published(self, span: Span) -> list[PublishedMonth]:
        """Return what was published of days and their whole months, and publish the rest.

        Raises:
            StoreError: something cannot be read or written.
        """
        async with self._turn:
            return [
                PublishedMonth(month, days, is_whole, await self._published(month, days, is_whole))
                for month, days in span.by_month.items()
                for is_whole in (span.is_whole(month),)
            ]

    async def _published(self, month: str, days: list[str], is_whole: bool) -> PublishedTotals:
        """Return what was published of a month, with these days of it, and as a whole."""
        site = self._manager.site
        published = await asyncio.to_thread(published_totals.load, self._folder, month)
        if not published.lacks([*days, month] if is_whole else days):
            return published
        zone = ZoneInfo(site.policy.time_zone)
        spans = [DaySpan.of(date.fromisoformat(day), zone) for day in days]
        counted = await self._manager.log_keeper.cells(spans, site.confidential.categories)
        k = site.policy.log.least_devices
        published = await asyncio.to_thread(
            published.with_periods, days, month if is_whole else "", *counted, k
        )
        await asyncio.to_thread(published_totals.save, self._folder, month, published)
        return published
