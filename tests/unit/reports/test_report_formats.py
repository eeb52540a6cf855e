# SPDX-License-Identifier: Apache-2.0
"""THE list of formats."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from filterd.config.reporting_schema import Format
from filterd.policy.reporting_settings import PeriodKind, ReportAudience
from filterd.reports.report_formats import FORMATS, file_name
from tests.support.report_sample import FACTS


def test_the_site_may_name_every_format_and_no_other() -> None:
    assert tuple(FORMATS) == get_args(Format)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "bao-cao-2026-09-01_2026-11-02.csv"),
        ({"kind": PeriodKind.DAY}, "bao-cao-2026-11-02.csv"),
        ({"kind": PeriodKind.MONTH}, "bao-cao-2026-11.csv"),
        ({"kind": PeriodKind.YEAR}, "bao-cao-2026.csv"),
        ({"kind": PeriodKind.YEAR, "first": "2025-09-05"}, "bao-cao-2025-2026.csv"),
        (
            {"audience": ReportAudience.INSIDE, "scope": "9/3 Đ", "kind": PeriodKind.MONTH},
            "bao-cao-noi-bo-9-3-2026-11.csv",
        ),
        (
            {"audience": ReportAudience.PARENTS, "kind": PeriodKind.MONTH},
            "bao-cao-phu-huynh-2026-11.csv",
        ),
    ],
)
def test_a_name_has_period_audience_and_scope(changes: dict[str, Any], name: str) -> None:
    assert file_name(replace(FACTS, **changes).to_plain(), "csv", "vi") == name


def test_a_name_is_in_the_language_of_the_report() -> None:
    assert file_name(FACTS.to_plain(), "html", "en") == "report-2026-09-01_2026-11-02.html"
