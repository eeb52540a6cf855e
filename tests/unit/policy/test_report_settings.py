# SPDX-License-Identifier: Apache-2.0
"""Programmes of a period."""

from __future__ import annotations

from filterd.policy.report_settings import Programme, ReportSettings

OLD, NEW = Programme("old"), Programme("new", "2026-10-01")
SETTINGS = ReportSettings(programmes=(OLD, NEW))


def test_a_period_has_the_programmes_that_hold_on_one_of_its_days() -> None:
    assert SETTINGS.programmes_in("2026-01-01", "2026-09-30") == (OLD,)
    assert SETTINGS.programmes_in("2026-01-01", "2026-12-31") == (OLD, NEW)
    assert SETTINGS.programmes_in("2026-10-01", "2026-12-31") == (NEW,)
    assert ReportSettings().programmes_in("2026-01-01", "2026-12-31") == ()
