# SPDX-License-Identifier: Apache-2.0
"""Programmes of a period."""

from __future__ import annotations

from dataclasses import replace

import pytest

from filterd.policy import policy_file
from filterd.policy.reporting_settings import (
    AlertSettings,
    MailSettings,
    Programme,
    ReportSettings,
    WebhookSettings,
)
from tests.support.policies import a_policy

OLD, NEW = Programme("old"), Programme("new", "2026-10-01")
SETTINGS = ReportSettings(programmes=(OLD, NEW))


def test_a_period_has_the_programmes_that_hold_on_one_of_its_days() -> None:
    assert SETTINGS.programmes_in("2026-01-01", "2026-09-30") == (OLD,)
    assert SETTINGS.programmes_in("2026-01-01", "2026-12-31") == (OLD, NEW)
    assert SETTINGS.programmes_in("2026-10-01", "2026-12-31") == (NEW,)
    assert ReportSettings().programmes_in("2026-01-01", "2026-12-31") == ()


ALERTS = AlertSettings(
    "Mẫu",
    "Asia/Ho_Chi_Minh",
    "vi",
    MailSettings("smtp.example", 465, "a@b.example", ("c@d.example",), "u", "p"),
    WebhookSettings("https://chat.example/"),
)


def test_a_policy_keeps_them_and_one_of_before_has_none() -> None:
    policy = replace(a_policy(), alerts=ALERTS)
    assert policy_file.parse(policy_file.dump(policy), "x").alerts == ALERTS
    assert b"alerts" not in policy_file.dump(a_policy())


@pytest.mark.parametrize(
    ("begins", "first", "last", "holds"),
    [
        ("", "2026-01-01", "2026-01-01", True),
        ("2026-10-01", "2026-09-01", "2026-09-30", False),
        ("2026-10-01", "2026-09-01", "2026-10-01", True),
    ],
)
def test_a_programme_holds_from_its_first_day(
    begins: str, first: str, last: str, holds: bool
) -> None:
    settings = ReportSettings(programmes=(Programme("one", begins),))
    assert bool(settings.programmes_in(first, last)) is holds


def test_a_school_that_says_nothing_reports_by_two_terms_of_a_calendar_year() -> None:
    settings = ReportSettings()
    assert [(term.id, term.begins, term.ends) for term in settings.terms] == [
        ("hoc-ky-1", "09-05", "01-15"),
        ("hoc-ky-2", "01-16", "05-31"),
    ]
    texts = (settings.code, settings.superior, settings.place, settings.capacity, settings.post)
    assert texts == ("",) * 5
    assert (settings.symbol, settings.year_begins, settings.template) == ("BC", "01-01", "")
    assert (settings.signer, settings.schedules, settings.recipients) == ("", (), ())
