# SPDX-License-Identifier: Apache-2.0
"""Which days a report covers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from filterd.base.errors import ConfigError
from filterd.policy.reporting_settings import PeriodKind, ReportSettings, SchoolTerm
from filterd.reports.report_period import days_of, long_date, moment_of, period_of, read_period
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock
from tests.support.report_sample import FACTS, SETTINGS

TODAY = date(2026, 11, 29)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("day", "2026-11-28", "2026-11-28"),
        ("week", "2026-11-16", "2026-11-22"),
        ("month", "2026-10-01", "2026-10-31"),
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("term", "2026-01-16", "2026-05-31"),
        ("year", "2025-01-01", "2025-12-31"),
        ("2025", "2025-01-01", "2025-12-31"),
        ("2026-11-28", "2026-11-28", "2026-11-28"),
        ("05/09/2026..28-11-2026", "2026-09-05", "2026-11-28"),
        ("2026-09-05..2026-11-28", "2026-09-05", "2026-11-28"),
    ],
)
def test_a_word_is_the_last_period_that_is_over(text: str, first: str, last: str) -> None:
    period = read_period(text, TODAY, ReportSettings())
    assert (period.first.isoformat(), period.last.isoformat()) == (first, last)


def test_a_term_goes_over_the_turn_of_the_year() -> None:
    period = read_period("term", date(2026, 2, 1), ReportSettings())
    assert period[1:] == (date(2025, 9, 5), date(2026, 1, 15), "hoc-ky-1")


def test_a_school_year_begins_at_the_date_of_the_site() -> None:
    period = read_period("year", TODAY, ReportSettings(year_begins="09-05"))
    assert period[1:3] == (date(2025, 9, 5), date(2026, 9, 4))
    assert read_period("2025", TODAY, ReportSettings(year_begins="09-05")) == period


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("fortnight", "is not a period"),
        ("2026-11", "is not over"),
        ("2026", "2026-12-31 is not over"),
        ("2026-11-29", "is not over"),
        ("2026-11-29..2026-11-29", "is not over"),
        ("2026-11-05..2026-11-01", "covers 1 to 400 days"),
        ("2024-01-01..2026-01-01", "covers 1 to 400 days"),
        ("1026-01-01..2026-11-01", "is not a period"),
        ("2026-13-01..2026-11-01", "is not a period"),
    ],
)
def test_other_periods_are_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read_period(text, TODAY, ReportSettings())


VI, EN = Texts("vi"), Texts("en")


def test_day_and_the_first_two_months_have_a_leading_zero() -> None:
    assert long_date("2026-02-05", VI) == "ngày 05 tháng 02 năm 2026"
    assert long_date("2026-11-29", VI) == "ngày 29 tháng 11 năm 2026"
    assert long_date("2026-11-29", EN) == "on 29 November 2026"


@pytest.mark.parametrize(
    ("kind", "first", "last", "vietnamese", "english"),
    [
        ("day", "2026-11-28", "2026-11-28", "ngày 28 tháng 11 năm 2026", "on 28 November 2026"),
        (
            "week",
            "2026-11-23",
            "2026-11-29",
            "tuần từ ngày 23/11/2026 đến ngày 29/11/2026",
            "the week from 23/11/2026 to 29/11/2026",
        ),
        ("month", "2026-11-01", "2026-11-30", "tháng 11 năm 2026", "November 2026"),
        (
            "term",
            "2026-01-16",
            "2026-05-31",
            "học kỳ II năm học 2025-2026",
            "term II, school year 2025-2026",
        ),
        ("year", "2026-01-01", "2026-12-31", "năm 2026", "the year 2026"),
        ("year", "2025-09-05", "2026-09-04", "năm học 2025-2026", "school year 2025-2026"),
        (
            "span",
            "2026-09-01",
            "2026-11-02",
            "từ ngày 01/09/2026 đến ngày 02/11/2026",
            "from 01/09/2026 to 02/11/2026",
        ),
    ],
)
def test_a_period_is_named_by_its_kind(
    kind: str, first: str, last: str, vietnamese: str, english: str
) -> None:
    facts = replace(FACTS, kind=PeriodKind(kind), first=first, last=last)
    assert period_of(facts, VI) == vietnamese
    assert period_of(facts, EN) == english


def test_a_time_always_has_its_day() -> None:
    clock = SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), FACTS.made_at)
    assert moment_of(FACTS.made_at, clock) == "17:00 03/11/2026"


def test_a_term_of_the_school_has_its_own_name() -> None:
    settings = replace(SETTINGS, terms=(SchoolTerm("hè", "06-01", "08-15"),))
    facts = replace(
        FACTS, kind=PeriodKind.TERM, first="2026-06-01", last="2026-08-15", settings=settings
    )
    assert period_of(facts, VI) == "học kỳ hè năm học 2025-2026"


def test_days_that_follow_each_other_are_a_span_and_many_are_cut() -> None:
    days = ["2026-09-13", "2026-06-30", "2026-07-01", "2026-07-02"]
    assert days_of(days, EN) == "from 30/06/2026 to 02/07/2026, 13/09/2026"
    odd = [f"2026-{month:02}-{day:02}" for month in (1, 3) for day in range(1, 29, 2)]
    assert days_of(odd, EN).endswith("23/01/2026, ...")
    assert days_of([], EN) == ""
