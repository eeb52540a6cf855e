# SPDX-License-Identifier: Apache-2.0
"""Gather the facts of a report: the manager's part, without roles.

What may leave the school comes from the published totals (``daemon.handlers.totals_commands``); for
inside it is added up by ``querylog.period_totals``. Both cover each day once: days of their own
and months, and no day is in two cells.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from filterd.daemon.handlers.totals_commands import Span
from filterd.overrides.changes.period_changes import changes_in, full_spans, levels_at
from filterd.policy import effective_policy
from filterd.policy.grade_rows import OPEN, state_of
from filterd.policy.model import DAY_S, GRADES, TIER_OF_GRADE, TIERS
from filterd.policy.reporting_settings import ReportAudience, ReportSettings
from filterd.policy.temporary_rules import Overrides
from filterd.querylog.day_schema import DaySpan
from filterd.querylog.disclosure import SHOWS_ALL
from filterd.querylog.service_days import sum_up
from filterd.reports.report_facts import (
    CategoryFacts,
    CountCell,
    FullLogSpan,
    HandlingFacts,
    LogFacts,
    ReportFacts,
    SchoolFacts,
    ServiceFacts,
    ServiceGap,
)
from filterd.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from filterd.daemon.handlers.review_commands import Reviews
    from filterd.daemon.handlers.totals_commands import PublishedMonth, TotalsExport
    from filterd.daemon.manager.manager import Manager
    from filterd.overrides.history.history_chain import HistoryRow
    from filterd.overrides.mistake_reports import Mistake
    from filterd.overrides.review_requests import RequestFigures
    from filterd.policy.model import Policy
    from filterd.querylog.disclosure import Threshold
    from filterd.querylog.period_totals import PeriodFigures
    from filterd.querylog.service_days import ServiceDay
    from filterd.reports.report_period import ReportPeriod
    from filterd.resolve.site import Site

MOST_SINGLE_DAYS, MOST_DAYS_OF_CLASSES = 62, 31
"""Of a longer period the figures for inside are by month; an answer has a bound on its octets."""

MOST_GAPS = 20
_BLOCKED = "blocked"


class ReportWish(NamedTuple):
    """A report that is wanted.

    Attributes:
        period: its days, which are over.
        audience: for whom.
        grade, class_id: that it is about; empty for the school.
        has_classes: whether classes may be in it.
        threshold: from how many devices on a category is shown, inside.
    """

    period: ReportPeriod
    audience: ReportAudience
    grade: str = ""
    class_id: str = ""
    has_classes: bool = False
    threshold: Threshold = SHOWS_ALL

    @property
    def is_by_day(self) -> bool:
        """Whether figures for inside are by day; those of a long period are by month."""
        is_of_classes = self.has_classes and not self.class_id
        most = MOST_DAYS_OF_CLASSES if is_of_classes else MOST_SINGLE_DAYS
        return (self.period.last - self.period.first).days < most

    def label(self, day: str) -> str:
        """Return the period of a day's cells."""
        return day if self.is_by_day else day[:7]

    def spans(self, zone: ZoneInfo) -> list[DaySpan]:
        """Return the days."""
        first, last = self.period.first, self.period.last
        days = (first + timedelta(n) for n in range((last - first).days + 1))
        return [DaySpan.of(day, zone) for day in days]


class _Cells(NamedTuple):
    cells: tuple[CountCell, ...] = ()
    left_out: bool = False
    least_devices: int = 0


async def gather(
    manager: Manager, export: TotalsExport, reviews: Reviews, wish: ReportWish, now: float
) -> ReportFacts:
    """Return the facts of a report.

    Args:
        manager: it has the site, the totals and the history.
        export: it publishes totals.
        reviews: it has the requests of pupils.
        wish: the report.
        now: policy time.

    Raises:
        StoreError: something cannot be read, or the totals cannot be published.
    """
    site = manager.site
    policy = site.timed.policy
    spans = wish.spans(ZoneInfo(policy.time_zone))
    first, last = spans[0].day, spans[-1].day
    if wish.audience is ReportAudience.INSIDE:
        await manager.distinct.catch_up()
    service = await manager.log_keeper.service(first, last)
    figures = await manager.log_keeper.period(
        spans,
        by_day=wish.is_by_day,
        by_class=wish.has_classes,
        grade=wish.grade,
        class_id=wish.class_id,
        has_totals=wish.audience is ReportAudience.INSIDE,
        confidential=site.confidential.categories,
        threshold=wish.threshold,
    )
    cells = await _cells_for(export, wish, figures, site)
    rows, mistakes = await manager.changes.records.past()
    requests = await reviews.figures(first, last)
    records = _Records(wish, now, site, spans, service, figures, rows, mistakes, requests)
    facts = await asyncio.to_thread(records.facts, cells)
    return _for_parents(facts) if wish.audience is ReportAudience.PARENTS else facts


async def _cells_for(
    export: TotalsExport, wish: ReportWish, figures: PeriodFigures, site: Site
) -> _Cells:
    """Return the cells that the audience may see."""
    hidden, first, last = site.confidential.categories, wish.period.first, wish.period.last
    least = site.timed.policy.log.least_devices
    if wish.audience is ReportAudience.OUTSIDE:
        published = await export.published(Span(first, last, has_months=True))
        cells = await asyncio.to_thread(_published, published, hidden)
        return cells._replace(least_devices=min(one.least_devices for one in published))
    if wish.audience is not ReportAudience.INSIDE:
        return _Cells(least_devices=least)
    counted = await asyncio.to_thread(_counted, figures, wish)
    if wish.grade or wish.class_id:
        return counted._replace(least_devices=least)
    published = await export.published(Span(first, last, has_months=False))
    of_school = await asyncio.to_thread(lambda: (*_of_school(published, hidden, wish.label),))
    return _Cells((*counted.cells, *of_school), counted.left_out, least)


class _Records(NamedTuple):
    """The records of a period besides what was counted; they become facts."""

    wish: ReportWish
    now: float
    site: Site
    spans: Sequence[DaySpan]
    service: tuple[str, Sequence[ServiceDay]]
    figures: PeriodFigures
    history: Sequence[HistoryRow]
    mistakes: Sequence[Mistake]
    requests: RequestFigures

    def facts(self, cells: _Cells) -> ReportFacts:
        """Return the facts of the report, with these cells."""
        wish, policy = self.wish, self.site.timed.policy
        missing, unused = _without_counts(self.spans, self.figures, *self.service)
        school = school_facts(policy)
        return ReportFacts(
            kind=wish.period.kind,
            first=self.spans[0].day,
            last=self.spans[-1].day,
            made_at=self.now,
            time_zone=policy.time_zone,
            filterd=__version__,
            audience=wish.audience,
            scope=wish.class_id or wish.grade,
            settings=_printed(policy.report or ReportSettings()),
            school=school if wish.has_classes else replace(school, classes=()),
            categories=tuple(category_facts(policy, self.site.timed.overrides, self.now)),
            cells=cells.cells,
            left_out=cells.left_out,
            days_missing=missing,
            days_unused=unused,
            service=service_facts(self.spans, *self.service),
            handling=self._handling(),
            log=self._log(cells.least_devices),
        )

    def _handling(self) -> HandlingFacts:
        begins, ends = self.spans[0].begins, self.spans[-1].ends
        changes = changes_in(self.history, begins, ends)
        return replace(
            _mistakes(self.mistakes, begins, ends),
            requests=self.requests.made,
            requests_approved=self.requests.approved,
            requests_refused=self.requests.refused,
            request_median_s=_median(days * DAY_S for days in self.requests.days),
            exceptions_allowed=changes.allowed,
            exceptions_blocked=changes.blocked,
            pauses=changes.pauses,
            pause_minutes=round(changes.pause_s / 60),
        )

    def _log(self, least_devices: int) -> LogFacts:
        begins, ends = self.spans[0].begins, self.spans[-1].ends
        policy = self.site.timed.policy
        # Parents read what is kept at present, as the categories are those of now.
        is_of_now = self.wish.audience is ReportAudience.PARENTS
        levels_of = self.now if is_of_now else min(ends, self.now)
        return LogFacts(
            levels_at(self.history, policy, levels_of),
            policy.log.keep_days,
            policy.log.keep_totals_days,
            least_devices,
            tuple(FullLogSpan(*span) for span in full_spans(self.history, policy, begins, ends)),
            lost=sum(one.lost for one in self.service[1]),
        )


def _for_parents(facts: ReportFacts) -> ReportFacts:
    """Return facts without what the letter does not have: a file of JSON has them all."""
    return replace(
        facts,
        days_missing=(),
        days_unused=0,
        service=ServiceFacts(),
        handling=HandlingFacts(),
        log=replace(facts.log, lost=0),
    )


def _published(months: Sequence[PublishedMonth], confidential: Collection[str]) -> _Cells:
    """Return the published cells: whole months by grade, other days by tier."""
    cells = list[CountCell]()
    for month in months:
        for row in month.totals.rows([month.month] if month.is_whole else month.days, confidential):
            if row["tier"]:
                cells.append(
                    CountCell(
                        row["period"],
                        row["tier"],
                        row["grade"],
                        "",
                        row["category"],
                        row["action"],
                        row["n"],
                    )
                )
        label = _month_of if month.is_whole else str
        cells += _of_school([month], confidential, label)
    return _Cells(tuple(cells), any(month.left_out for month in months))


def _month_of(day: str) -> str:
    return day[:7]


def _of_school(
    months: Sequence[PublishedMonth], confidential: Collection[str], label: Callable[[str], str]
) -> Iterator[CountCell]:
    """Yield the cells of confidential categories: sums of days that were published.

    No report has others, for whomever it is.
    """
    found = Counter[tuple[str, str, str]]()
    for month in months:
        for row in month.totals.rows(month.days, confidential):
            if not row["tier"]:
                found[label(row["period"]), row["category"], row["action"]] += row["n"]
    for (period, category, action), n in found.items():
        yield CountCell(period, "", "", "", category, action, n)


def _counted(figures: PeriodFigures, wish: ReportWish) -> _Cells:
    """Return the cells for inside, with the distinct names that are known.

    Where the log knew only the distinct names of a tier, a cell without a grade has them.
    """
    distinct = Counter[tuple[str, str, str, str, str]]()
    for one in figures.distinct:
        is_meant = wish.grade in ("", one.grade) and wish.class_id in ("", one.class_id)
        if is_meant:
            class_id = one.class_id if wish.has_classes else ""
            distinct[wish.label(one.day), one.tier, one.grade, class_id, one.category] += one.n
    cells = []
    for of in figures.totals:
        if not of.grade:  # confidential: only what is published is in a report
            continue
        tier = TIER_OF_GRADE.get(of.grade, "")
        key = of.date, tier, of.grade, of.class_id, of.category
        known = distinct.pop(key, None) if of.action == _BLOCKED else None
        cells.append(CountCell(*key, of.action, of.n, known))
    cells += (CountCell(*key, _BLOCKED, 0, n) for key, n in sorted(distinct.items()))
    return _Cells(tuple(cells), figures.left_out)


def _without_counts(
    spans: Sequence[DaySpan], figures: PeriodFigures, first: str, records: Sequence[ServiceDay]
) -> tuple[tuple[str, ...], int]:
    """Return the days without a count, from the first record of the gateway on.

    Those that were wholly in service are no fault, as when all devices are off on Sundays: of
    these only the number is returned.
    """
    begun = [first] if first else []
    if figures.first_hour is not None:
        begun += [span.day for span in spans if figures.first_hour < span.ends][:1]
    empty = [
        span
        for span in spans
        if begun and span.day >= min(begun) and span.day not in figures.counted
    ]
    known = {record.day: record for record in records}
    missing = [one.day for one in empty if one.day not in known or not known[one.day].is_full(one)]
    return tuple(missing), len(empty) - len(missing)


def service_facts(
    spans: Sequence[DaySpan], first: str, records: Sequence[ServiceDay]
) -> ServiceFacts:
    """Return the service of days; ``first`` is the day of the first record of all."""
    found = sum_up(spans, records, first)
    longest = sorted(found.gaps, key=lambda gap: gap[0] - gap[1])[:MOST_GAPS]
    ages = (record.lists_age_s for record in records if record.lists_age_s is not None)
    return ServiceFacts(
        found.days,
        found.in_service,
        found.minutes,
        found.expected,
        tuple(ServiceGap(*one) for one in sorted(longest)),
        len(found.gaps),
        found.unreadable,
        next((record.lists for record in reversed(records) if record.lists), ""),
        max(ages, default=None),
        sum(record.passed or 0 for record in records),
        sum(record.failed or 0 for record in records),
    )


def _mistakes(mistakes: Iterable[Mistake], begins: float, ends: float) -> HandlingFacts:
    """Return the mistakes reported in the period, and how many are mended by now."""
    reported = [mistake for mistake in mistakes if begins <= mistake.report.at < ends]
    took = [max(0.0, one.mended.at - one.report.at) for one in reported if one.mended is not None]
    return HandlingFacts(len(reported), len(took), _median(took))


def _median(values: Iterable[float]) -> int | None:
    """Return the value in the middle, the lower one of two; None for none."""
    found = sorted(values)
    return round(found[(len(found) - 1) // 2]) if found else None


def school_facts(policy: Policy) -> SchoolFacts:
    """Return what the site's files say of the school."""
    grades = _grades(policy)
    tiers = {TIER_OF_GRADE[grade] for grade in grades}
    return SchoolFacts(
        policy.school,
        policy.contact,
        tuple(one for one in TIERS if one in tiers),
        grades,
        tuple(one.id for one in policy.classes),
        len(policy.networks),
        sum(bool(network.timetable) for network in policy.networks),
        len(policy.classes),
    )


def _printed(settings: ReportSettings) -> ReportSettings:
    """Return settings without paths of the gateway: a file of JSON has them all."""
    return replace(settings, template="", schedules=())


def _grades(policy: Policy) -> tuple[str, ...]:
    """Return the grades of networks, timetables and classes, in order."""
    keys = {one.grade for one in policy.classes}
    for network in policy.networks:
        keys |= {network.grade, *(one.grade for one in network.timetable)}
    found = {policy.grades[key].grade for key in keys if key in policy.grades}
    return tuple(one for one in GRADES if one in found)


def category_facts(policy: Policy, overrides: Overrides, now: float) -> Iterator[CategoryFacts]:
    """Yield the categories as they stand, without what a schedule or a lesson changes."""
    lasting = replace(policy, schedules=(), scheduled=())
    set_ = Overrides(grades=overrides.grades, number=overrides.number)
    policy = effective_policy.at(lasting, set_, now).policy
    grades = _grades(policy)
    for known in policy.categories.values():
        closed = [
            grade for grade in grades if state_of(policy, policy.grades[grade], known.id) != OPEN
        ]
        tiers = {TIER_OF_GRADE[one] for one in closed}
        yield CategoryFacts(
            known.id,
            {"vi": known.name_vi, "en": known.name_en},
            "; ".join(known.legal_basis),
            is_locked=known.locked or known.ordered,
            is_confidential=known.confidential,
            closed_tiers=tuple(one for one in TIERS if one in tiers),
            open_grades=tuple(
                grade for grade in grades if TIER_OF_GRADE[grade] in tiers and grade not in closed
            ),
            part_of=known.part_of,
        )
