# SPDX-License-Identifier: Apache-2.0
"""The commands of the control socket that read and export totals of the log.

Every reader sees those of the school, its tiers and grades; a teacher also own classes
today; administrators each class and network, and all categories (``overrides.rights.read_access``).
``querylog.disclosure`` defines which hours, categories and devices are in them.

See ``querylog.published_totals`` for what is exported for outside the school. Each export is
recorded in the history, before anything is answered.
"""

from __future__ import annotations

import asyncio
import calendar
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from filterd.base.errors import ControlError, StoreError
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.handled import handled
from filterd.daemon.log_request import check_known
from filterd.daemon.manager.disclosed_totals import as_seen
from filterd.operations.totals import (
    ExportedTotal,
    ExportedTotals,
    ExportTotals,
    HelpAnswer,
    HelpSought,
    ReadHelpSought,
    ReadTotals,
)
from filterd.overrides.rights.permissions import check_class, readable_classes
from filterd.overrides.rights.read_access import View, check_view
from filterd.querylog import published_totals
from filterd.querylog.day_reach import MANY_DEVICES
from filterd.querylog.day_schema import DaySpan
from filterd.querylog.disclosure import month_answers
from filterd.querylog.totals_request import Total, TotalsRequest
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.manager.manager import Manager
    from filterd.overrides.rights.roles import Author
    from filterd.querylog.published_totals import PublishedTotals


def commands(manager: Manager, export: TotalsExport) -> dict[str, Command]:
    """Return the commands by name.

    Args:
        manager: it has the totals.
        export: it publishes them for outside the school.
    """

    async def log_totals(asked: ReadTotals, caller: Caller) -> list[dict[str, Any]]:
        wanted, classes, author = _wanted(asked), None, author_of(caller)
        if wanted.class_id or wanted.network or wanted.by_class or wanted.by_network:
            check_view(author, View.CLASS_TOTALS)
            school = manager.changes.classroom(manager.site)
            if wanted.class_id:
                check_class(author, wanted.class_id, school)
            classes = readable_classes(author, lambda: school)
            if classes is not None and wanted.days > 1:
                raise ControlError(say("a teacher sees own classes of today only: --days 1"))
            if classes is not None:
                wanted = replace(wanted, by_class=True)
        now = manager.clock()["policy_time"] or 0.0
        seen = as_seen(wanted, author, manager.site.policy, now)
        found = await manager.log_totals(seen, classes)
        if not any(wanted.exact.values()) and not wanted.tier:
            found += await export.of_school(wanted)
        if not found:  # totals may be of a class or network of a former site
            policy = manager.site.policy
            check_known(wanted.class_id, [one.id for one in policy.classes])
            check_known(wanted.network, [network.id for network in policy.networks])
        return found

    async def log_export(asked: ExportTotals, caller: Caller) -> ExportedTotals:
        return await export.export(asked, author_of(caller))

    async def log_help(asked: ReadHelpSought, caller: Caller) -> HelpSought:
        return await export.help_sought(asked, author_of(caller))

    return {
        **handled(ReadTotals, log_totals),
        **handled(ExportTotals, log_export),
        **handled(ReadHelpSought, log_help),
    }


def _wanted(asked: ReadTotals) -> TotalsRequest:
    whose = asked.tier, asked.grade, asked.class_, asked.network
    return TotalsRequest(asked.days, *whose, asked.by_hour, asked.by_class, asked.by_network)


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
    def of_days(cls, days: int, today: date) -> Span:
        """Return the last days before today, which is not over."""
        return cls(today - timedelta(days=days), today - timedelta(days=1), has_months=False)

    @classmethod
    def of_month(cls, month: str, today: date) -> Span:
        """Return the days of a month, such as ``2026-11``.

        Raises:
            ControlError: it is not over.
        """
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
    def left_out(self) -> bool:
        """Whether cells of what is shown were not published."""
        shown = [self.month] if self.is_whole else self.days
        return any(self.totals.periods[one].leaves_out for one in shown)

    @property
    def least_devices(self) -> int:
        """The least number of devices behind a cell: k may have been raised since."""
        return min(self.totals.periods[period].least_devices for period in self.periods)


class TotalsExport:
    """Publishes totals, one request at a time.

    Args:
        manager: it has the site, the totals and the history.
        folder: of what was published.
    """

    def __init__(self, manager: Manager, folder: Path) -> None:
        self._manager, self._folder = manager, folder
        self._turn = asyncio.Lock()

    async def export(self, asked: ExportTotals, author: Author) -> ExportedTotals:
        """Return the published totals of closed days, or of a closed month.

        Raises:
            ControlError: the author may not, or the month is not over.
            StoreError: something cannot be read or written.
        """
        span = await self._looked_at(View.EXPORT, author, asked.month, asked.days)
        site = self._manager.site
        found, hidden = await self.published(span), site.confidential.categories
        rows = (row for one in found for row in one.totals.rows(one.periods, hidden))
        return ExportedTotals(
            tuple(ExportedTotal(**row) for row in rows),
            any(one.left_out for one in found),
            min(one.least_devices for one in found),
        )

    async def help_sought(self, asked: ReadHelpSought, author: Author) -> HelpSought:
        """Return yes or no for each confidential category and a month that is over.

        Raises:
            ControlError: the author may not, or the month is not over.
            StoreError: something cannot be read or written.
        """
        span = await self._looked_at(View.HELP, author, asked.month)
        site = self._manager.site
        zone, hidden = ZoneInfo(site.policy.time_zone), site.confidential.categories
        (days,) = span.by_month.values()
        spans = [DaySpan.of(date.fromisoformat(day), zone) for day in days]
        answers = month_answers(*await self._manager.log_keeper.cells(spans, hidden), hidden)
        known = site.policy.categories
        return HelpSought(
            asked.month,
            MANY_DEVICES,
            None
            if answers is None
            else tuple(
                HelpAnswer(
                    **answer._asdict(),
                    names={
                        "vi": known[answer.category].name_vi,
                        "en": known[answer.category].name_en,
                    },
                )
                for answer in answers
                if answer.category in known
            ),
        )

    async def _looked_at(self, view: View, author: Author, month: str, days: int = 1) -> Span:
        """Return a month, else the last days, after the look at them is recorded."""
        check_view(author, view)
        site, changes = self._manager.site, self._manager.changes
        now, zone = changes.classroom(site).now, ZoneInfo(site.policy.time_zone)
        if now is None:
            raise ControlError(say("the time is not known, so no day is known to be over"))
        today = datetime.fromtimestamp(now, zone).date()
        span = Span.of_month(month, today) if month else Span.of_days(days, today)
        ends = [one.isoformat() for one in (span.first, span.last)]
        await changes.note_view(view, author, {"days": ends, "class": ""})
        return span

    async def of_school(self, wanted: TotalsRequest) -> list[dict[str, Any]]:
        """Return the published totals of confidential categories on days that are over.

        None while the time is not known, and where what was published cannot be read: the other
        totals are shown all the same.

        Args:
            wanted: the totals that are asked for.
        """
        site = self._manager.site
        now, zone = self._manager.changes.classroom(site).now, ZoneInfo(site.policy.time_zone)
        if now is None or wanted.days < 2:
            return []
        today = datetime.fromtimestamp(now, zone).date()
        try:
            found = await self.published(Span.of_days(wanted.days - 1, today))
        except StoreError:
            return []
        hidden = site.confidential.categories
        return [
            wanted.row(Total(row["period"], "", row["category"], row["action"], row["n"]))
            for one in found
            for row in one.totals.rows(one.days, hidden)
            if not row["tier"]
        ]

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
