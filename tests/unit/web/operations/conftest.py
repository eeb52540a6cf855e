# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from filterd.reports import report_run
from filterd.reports.report_run import ReportFile, ReportRequest


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[ReportRequest]:
    """Keep what the child of reports would be asked for."""
    kept: list[ReportRequest] = []

    def make(request: ReportRequest) -> ReportFile:
        kept.append(request)
        return ReportFile(b"made", ())

    monkeypatch.setattr(report_run, "make", make)
    return kept
