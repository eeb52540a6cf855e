# SPDX-License-Identifier: Apache-2.0
"""Which days a report covers."""

from __future__ import annotations

from datetime import date

import pytest

from filterd.errors import ConfigError
from filterd.policy.reporting_settings import ReportSettings
from filterd.reports.report_period import read_period

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


def test_a_school_year_begins_where_the_site_says() -> None:
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
