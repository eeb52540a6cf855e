# SPDX-License-Identifier: Apache-2.0
"""THE list of formats."""

from __future__ import annotations

from typing import get_args

from filterd.config.reporting_schema import Format
from filterd.reports.report_formats import FORMATS


def test_the_site_may_name_every_format_and_no_other() -> None:
    assert tuple(FORMATS) == get_args(Format)
