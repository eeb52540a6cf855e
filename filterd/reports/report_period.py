# SPDX-License-Identifier: Apache-2.0
"""Find the days that a report covers, and word dates and periods. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import ConfigError
from filterd.policy.field_checks import is_date, written_time
from filterd.policy.reporting_settings import PeriodKind
from filterd.texts import words
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.policy.reporting_settings import ReportSettings, SchoolTerm
    from filterd.reports.report_facts import ReportFacts
    from filterd.texts.i18n import Texts
    from filterd.texts.rows import SchoolClock


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
        return max((_term(term, today) for term in settings.terms), key=lambda period: period.last)
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


_MOST_SPANS = 12
_SCHOOL_YEAR_BEGINS = 8
"""The first month whose days belong to the school year that begins in their year."""
_ROMAN = {"1": "I", "2": "II", "3": "III"}


def short_date(day: str) -> str:
    """Return a day as ``28/11/2026``."""
    year, month, number = day.split("-")
    return f"{number}/{month}/{year}"


def long_date(day: str, texts: Texts) -> str:
    """Return a day as an official document has it: ``ngày 05 tháng 02 năm 2026``."""
    return texts("on {day} {month}", day=day[8:], month=month_of(day[:7], texts))


def moment_of(at: float, clock: SchoolClock) -> str:
    """Return a time as ``07:30 28/11/2026``."""
    return f"{clock.shows(at):%H:%M %d/%m/%Y}"


def month_of(month: str, texts: Texts) -> str:
    """Return a month, ``2026-11``, as ``tháng 11 năm 2026``."""
    year, number = month.split("-")
    return texts(words.MONTH[number], year=year)


def period_of(facts: ReportFacts, texts: Texts) -> str:
    """Return the period of a report, as its subject has it."""
    first, last = facts.first, facts.last
    years = _school_year(first)
    match facts.kind:
        case PeriodKind.DAY:
            period = long_date(first, texts)
        case PeriodKind.WEEK:
            period = texts("the week {days}", days=span_of(first, last, texts))
        case PeriodKind.MONTH:
            period = month_of(first[:7], texts)
        case PeriodKind.TERM:
            period = texts(
                "{term}, school year {years}", term=_term_name(facts, texts), years=years
            )
        case PeriodKind.YEAR if not first.endswith("-01-01"):
            period = texts("school year {years}", years=years)
        case PeriodKind.YEAR:
            period = texts("the year {year}", year=first[:4])
        case _:
            period = span_of(first, last, texts)
    return period


def span_of(first: str, last: str, texts: Texts) -> str:
    """Return days from a first to a last one."""
    return texts("from {first} to {last}", first=short_date(first), last=short_date(last))


def days_of(days: Iterable[str], texts: Texts) -> str:
    """Return days in order, those that follow each other as a span; many are cut."""
    spans = list(_spans(days))
    shown = [
        short_date(first) if first == last else span_of(first, last, texts)
        for first, last in spans[:_MOST_SPANS]
    ]
    return ", ".join([*shown, "..."] if len(spans) > _MOST_SPANS else shown)


def _spans(days: Iterable[str]) -> Iterator[tuple[str, str]]:
    first = last = ""
    for day in sorted(days):
        if last and date.fromisoformat(day) == date.fromisoformat(last) + timedelta(days=1):
            last = day
            continue
        if last:
            yield first, last
        first = last = day
    if last:
        yield first, last


def _term_name(facts: ReportFacts, texts: Texts) -> str:
    """Return the name of the term; its id where it is not one of ``hoc-ky-1`` to 3."""
    span = facts.first[5:], facts.last[5:]
    found = next((term.id for term in facts.settings.terms if (term.begins, term.ends) == span), "")
    number = found.removeprefix("hoc-ky-")
    return texts("term {number}", number=_ROMAN.get(number, found))


def _school_year(first: str) -> str:
    """Return the school year of a day, ``2026-2027``."""
    year, month = int(first[:4]), int(first[5:7])
    begins = year if month >= _SCHOOL_YEAR_BEGINS else year - 1
    return f"{begins}-{begins + 1}"
