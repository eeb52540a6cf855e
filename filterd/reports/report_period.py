# SPDX-License-Identifier: Apache-2.0
"""Find the days that a report covers. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from filterd.errors import ConfigError
from filterd.field_checks import is_date, written_time
from filterd.i18n import say
from filterd.policy.reporting_settings import PeriodKind

if TYPE_CHECKING:
    from filterd.policy.reporting_settings import ReportSettings, SchoolTerm

LONGEST_DAYS = 400
_DAY = timedelta(days=1)
_YEAR = re.compile(r"20\d\d", re.ASCII)
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])", re.ASCII)


class ReportPeriod(NamedTuple):
    """Days of a report, both included; ``id`` is that of a term, else empty."""

    kind: PeriodKind
    first: date
    last: date
    id: str = ""


def read_period(text: str, today: date, settings: ReportSettings) -> ReportPeriod:
    """Return the period that a text names.

    A word is the last period of its kind that is over. The year that begins in 2026 may also be
    named as ``2026``, a month as ``2026-11``, a day as ``2026-11-05``, and any days as
    ``2026-09-05..2026-12-10``.

    Args:
        text: ``day``, ``week``, ``month``, ``term``, ``year``, a year, a month, a date, or two.
        today: the school's day, which is not over.
        settings: with terms and the begin of years.

    Raises:
        ConfigError: it is none of these, not over, or too long.
    """
    if (day := _date(text)) is not None:
        return checked(ReportPeriod(PeriodKind.DAY, day, day), today)
    begins, _, ends = text.partition("..")
    first, last = _date(begins), _date(ends)
    if first is not None and last is not None:
        return checked(ReportPeriod(PeriodKind.SPAN, first, last), today)
    if _MONTH.fullmatch(text):
        first = date.fromisoformat(f"{text}-01")
        last = (first + 31 * _DAY).replace(day=1) - _DAY
        return checked(ReportPeriod(PeriodKind.MONTH, first, last), today)
    if _YEAR.fullmatch(text):
        first = _on(settings.year_begins, int(text))
        return checked(
            ReportPeriod(PeriodKind.YEAR, first, _on(settings.year_begins, int(text) + 1) - _DAY),
            today,
        )
    if text not in set(PeriodKind) - {PeriodKind.SPAN}:
        raise ConfigError(
            say("'{text}' is not a period", text=text[:40]),
            hint=say(
                "day, week, month, term, year, 2026, 2026-11, 2026-11-05, 2026-11-05..2026-11-19"
            ),
        )
    return last_period(PeriodKind(text), today, settings)


def last_period(kind: PeriodKind, today: date, settings: ReportSettings) -> ReportPeriod:
    """Return the last period of a kind that is over before ``today``."""
    if kind is PeriodKind.DAY:
        return ReportPeriod(kind, today - _DAY, today - _DAY)
    if kind is PeriodKind.WEEK:
        monday = today - today.weekday() * _DAY
        return ReportPeriod(kind, monday - 7 * _DAY, monday - _DAY)
    if kind is PeriodKind.MONTH:
        last = today.replace(day=1) - _DAY
        return ReportPeriod(kind, last.replace(day=1), last)
    if kind is PeriodKind.TERM:
        return max((_term(one, today) for one in settings.terms), key=lambda period: period.last)
    begins = _on(settings.year_begins, today.year)
    if begins > today:
        begins = _on(settings.year_begins, today.year - 1)
    return ReportPeriod(kind, _on(settings.year_begins, begins.year - 1), begins - _DAY)


def _date(text: str) -> date | None:
    """Return a date by ISO 8601, or with the day first; None for another text."""
    written = written_time(text) if is_date(text) else None
    return None if written is None else written.date()


def _term(term: SchoolTerm, today: date) -> ReportPeriod:
    """Return the last time of a term that is over."""
    over = next(
        last for year in (today.year, today.year - 1) if (last := _on(term.ends, year)) < today
    )
    goes_over = term.ends < term.begins
    first = _on(term.begins, over.year - goes_over)
    return ReportPeriod(PeriodKind.TERM, first, over, term.id)


def _on(month_day: str, year: int) -> date:
    return date.fromisoformat(f"{year}-{month_day}")


def checked(period: ReportPeriod, today: date) -> ReportPeriod:
    """Return a period that is over and not too long.

    Raises:
        ConfigError: it is not.
    """
    if period.last >= today:
        raise ConfigError(
            say("{day} is not over", day=period.last.isoformat()),
            hint=say("the last day of a report is yesterday or earlier"),
        )
    days = (period.last - period.first).days + 1
    if not 1 <= days <= LONGEST_DAYS:
        raise ConfigError(say("a report covers 1 to {most} days", most=LONGEST_DAYS))
    return period
