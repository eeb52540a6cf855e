# SPDX-License-Identifier: Apache-2.0
"""The commands of the control socket for reports: facts, settings, template.

Roles are those of ``overrides.rights.read_access``. A report for outside the school is recorded in
the history, as an export is, before anything is answered.
"""

from __future__ import annotations

import asyncio
import base64
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from filterd.base.errors import ConfigError, ControlError
from filterd.base.paths import read_plain, reading
from filterd.base.state_file import to_plain
from filterd.daemon.handlers.control_caller import author_of
from filterd.daemon.handlers.gathered_facts import ReportWish, gather
from filterd.daemon.handlers.handled import handled
from filterd.daemon.log_request import check_known
from filterd.daemon.manager.disclosed_totals import threshold_of
from filterd.operations.reports import (
    ReadReportFacts,
    ReadReportPeriod,
    ReadReportSettings,
    ReadReportTemplate,
    ReportDays,
)
from filterd.overrides.rights.permissions import readable_classes
from filterd.overrides.rights.read_access import READERS, View, check_view
from filterd.policy.model import TIER_OF_GRADE
from filterd.policy.reporting_settings import PeriodKind, ReportAudience, ReportSettings
from filterd.reports.report_period import ReportPeriod, checked, read_period
from filterd.reports.report_run import LARGEST_TEMPLATE
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.daemon.handlers.control_caller import Caller
    from filterd.daemon.handlers.control_server import Command
    from filterd.daemon.handlers.review_commands import Reviews
    from filterd.daemon.handlers.totals_commands import TotalsExport
    from filterd.daemon.manager.manager import Manager
    from filterd.overrides.rights.roles import Author


def commands(manager: Manager, export: TotalsExport, reviews: Reviews) -> dict[str, Command]:
    """Return the commands by name.

    Args:
        manager: it has the site, the totals and the history.
        export: it publishes totals for outside the school.
        reviews: it has the requests of pupils.
    """
    turn = asyncio.Lock()

    async def report_period(asked: ReadReportPeriod, _: Caller) -> ReportDays:
        settings = manager.site.policy.report or ReportSettings()
        found = read_period(asked.text, _today(manager), settings)
        days = found.first.isoformat(), found.last.isoformat()
        return ReportDays(found.kind.value, *days, found.id)

    async def report_facts(asked: ReadReportFacts, caller: Caller) -> dict[str, Any]:
        wish, author = _wish(asked, _today(manager)), author_of(caller)
        wish = _permitted(wish, author, manager)
        if wish.audience is ReportAudience.OUTSIDE:
            days = [wish.period.first.isoformat(), wish.period.last.isoformat()]
            await manager.changes.note_view(View.EXPORT, author, {"days": days, "class": ""})
        async with turn:  # a year takes a second of a core and some megabytes
            facts = await gather(manager, export, reviews, wish, _now(manager))
            return await asyncio.to_thread(facts.to_plain)

    async def report_settings(_: ReadReportSettings, __: Caller) -> dict[str, Any]:
        policy = manager.site.policy
        plain = to_plain(policy.report or ReportSettings())
        return {"settings": plain, "language": policy.language}

    async def report_template(_: ReadReportTemplate, caller: Caller) -> str | None:
        check_view(author_of(caller), View.EXPORT)
        settings = manager.site.policy.report
        if settings is None or not settings.template:
            return None
        return await asyncio.to_thread(_content, Path(settings.template))

    return {
        **handled(ReadReportPeriod, report_period),
        **handled(ReadReportFacts, report_facts),
        **handled(ReadReportSettings, report_settings),
        **handled(ReadReportTemplate, report_template),
    }


def _now(manager: Manager) -> float:
    at: float | None = manager.changes.classroom(manager.site).now
    if at is None:
        raise ControlError(say("the time is not known, so no day is known to be over"))
    return at


def _today(manager: Manager) -> date:
    return datetime.fromtimestamp(_now(manager), ZoneInfo(manager.site.policy.time_zone)).date()


def _content(path: Path) -> str:
    """Return the Word file in base64: processes without rights cannot read it.

    Raises:
        ConfigError: it cannot be read, or is too large.
    """
    with reading(path, ConfigError):
        return base64.b64encode(read_plain(path, LARGEST_TEMPLATE)).decode()


def _wish(asked: ReadReportFacts, today: date) -> ReportWish:
    """Return the report that a request names.

    Raises:
        ConfigError: its period is not over, or too long.
    """
    first, last = date.fromisoformat(asked.first), date.fromisoformat(asked.last)
    period = checked(ReportPeriod(PeriodKind(asked.kind), first, last, asked.id), today)
    return ReportWish(period, asked.scope.audience, asked.scope.grade, asked.scope.class_id)


def _permitted(wish: ReportWish, author: Author, manager: Manager) -> ReportWish:
    """Return a report that its author may make, with classes where these may be seen.

    Raises:
        ControlError: the author may not, or there is no such class or grade.
    """
    if wish.audience is not ReportAudience.INSIDE:
        if wish.class_id or wish.grade:
            raise ControlError(say("only a report for inside is about a class or a grade"))
        if wish.audience is ReportAudience.OUTSIDE:
            check_view(author, View.EXPORT)
        return wish
    check_view(author, View.CLASS_TOTALS if wish.class_id else View.TOTALS)
    sees_classes = not author.roles.isdisjoint(READERS[View.CLASS_TOTALS]) and (
        readable_classes(author, lambda: manager.changes.classroom(manager.site)) is None
    )
    if wish.class_id and not sees_classes:
        raise ControlError(
            say("a teacher sees own classes of today only, and a report is of days that are over")
        )
    check_known(wish.class_id, [one.id for one in manager.site.policy.classes])
    check_known(wish.grade, list(TIER_OF_GRADE))
    threshold = threshold_of(author, manager.site.policy.log.least_devices)
    return wish._replace(has_classes=sees_classes, threshold=threshold)
