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
from filterd.querylog.totals_request import TotalsRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from filterd.daemon.manager import Manager
    from filterd.overrides.roles import Author
    from filterd.querylog.published_totals import PublishedTotals

MOST_EXPORT_DAYS = 100
_is_month = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])", re.ASCII).fullmatch


class Span(NamedTuple):
    """The days of an export, and the month that they are; "" if they are none."""

    first: date
    last: date
    month: str

    @property
    def by_month(self) -> dict[str, list[str]]:
        """The days by month, ISO 8601."""
        found: dict[str, list[str]] = {}
        for number in range((self.last - self.first).days + 1):
            day = (self.first + timedelta(days=number)).isoformat()
            found.setdefault(day[:7], []).append(day)
        return found

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
            return cls(today - timedelta(days=days), today - timedelta(days=1), "")
        if _is_month(month) is None:
            raise ControlError(say("'{month}' is not a month such as 2026-11", month=month[:20]))
        first = date.fromisoformat(f"{month}-01")
        last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        if last >= today:
            raise ControlError(
                say("{month} is not over: only whole months are exported", month=month)
            )
        return cls(first, last, month)


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
        hidden, k = site.confidential.categories, site.policy.log.least_devices
        rows, left_out = list[dict[str, Any]](), 0
        async with self._turn:
            for month, days in span.by_month.items():
                periods = [*days, month] if span.month else days
                published = await self._published(month, periods, days, zone, hidden, k)
                rows += published.rows(periods, hidden)
                left_out += sum(published.periods[one].left_out for one in periods)
        return {"rows": rows, "left_out": left_out, "least_devices": k}

    async def _published(
        self,
        month: str,
        periods: Sequence[str],
        days: Sequence[str],
        zone: ZoneInfo,
        hidden: Collection[str],
        k: int,
    ) -> PublishedTotals:
        """Return what was published of a month, with these periods of it."""
        published = await asyncio.to_thread(published_totals.load, self._folder, month)
        if not published.lacks(periods):
            return published
        wanted = TotalsRequest(len(days), confidential=hidden)
        last = DaySpan.of(date.fromisoformat(days[-1]), zone)
        counted = await self._manager.log_keeper.cells(wanted, days, zone.key, last.begins)
        is_whole = month in periods
        published = published.with_periods(days, month if is_whole else "", *counted, k)
        await asyncio.to_thread(published_totals.save, self._folder, month, published)
        return published
