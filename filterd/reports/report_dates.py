# SPDX-License-Identifier: Apache-2.0
"""Word the dates and periods of a report. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from filterd import words
from filterd.policy.reporting_settings import PeriodKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.i18n import Texts
    from filterd.reports.report_facts import ReportFacts
    from filterd.rows import SchoolClock

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
            told = long_date(first, texts)
        case PeriodKind.WEEK:
            told = texts("the week {days}", days=span_of(first, last, texts))
        case PeriodKind.MONTH:
            told = month_of(first[:7], texts)
        case PeriodKind.TERM:
            told = texts("{term}, school year {years}", term=_term(facts, texts), years=years)
        case PeriodKind.YEAR if not first.endswith("-01-01"):
            told = texts("school year {years}", years=years)
        case PeriodKind.YEAR:
            told = texts("the year {year}", year=first[:4])
        case _:
            told = span_of(first, last, texts)
    return told


def span_of(first: str, last: str, texts: Texts) -> str:
    """Return days from a first to a last one."""
    return texts("from {first} to {last}", first=short_date(first), last=short_date(last))


def days_of(days: Iterable[str], texts: Texts) -> str:
    """Return days in order, those that follow each other as a span; many are cut."""
    spans = list(_spans(days))
    told = [
        short_date(first) if first == last else span_of(first, last, texts)
        for first, last in spans[:_MOST_SPANS]
    ]
    return ", ".join([*told, "..."] if len(spans) > _MOST_SPANS else told)


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


def _term(facts: ReportFacts, texts: Texts) -> str:
    """Return the name of the term; its id where it is not one of ``hoc-ky-1`` to 3."""
    span = facts.first[5:], facts.last[5:]
    found = next((one.id for one in facts.settings.terms if (one.begins, one.ends) == span), "")
    number = found.removeprefix("hoc-ky-")
    return texts("term {number}", number=_ROMAN.get(number, found))


def _school_year(first: str) -> str:
    """Return the school year of a day, ``2026-2027``."""
    year, month = int(first[:4]), int(first[5:7])
    begins = year if month >= _SCHOOL_YEAR_BEGINS else year - 1
    return f"{begins}-{begins + 1}"
