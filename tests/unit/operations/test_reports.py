# SPDX-License-Identifier: Apache-2.0
"""What a face asks of the manager for a report, and what it makes itself."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations import report_questions
from filterd.operations.parameters.report_scope import ReportScope
from filterd.operations.reports import (
    MakeReport,
    ReadInspection,
    ReadReportFacts,
    ReadReportPeriod,
    ReportDays,
)
from filterd.policy.reporting_settings import ReportAudience

DAYS = {"kind": "month", "first": "2026-11-01", "last": "2026-11-30"}


def test_the_manager_reads_what_a_face_has_sent() -> None:
    inside = ReportScope(ReportAudience.INSIDE, class_id="6A")
    for asked in (
        ReadReportPeriod("term"),
        ReadReportFacts(**DAYS, scope=inside),
        ReadInspection(600),
    ):
        assert type(asked).read_sent(asked.arguments) == asked


def test_the_days_of_an_answer_are_typed() -> None:
    found = ReadReportPeriod.answer_of({**DAYS, "id": ""})
    assert found == ReportDays("month", "2026-11-01", "2026-11-30", "")


@pytest.mark.parametrize(
    "wrong", [{"first": "2026-11-31"}, {"kind": "decade"}, {"audience": "all"}, {"last": None}]
)
def test_facts_of_no_days_are_not_asked_for(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        ReadReportFacts.read_sent({**DAYS, **wrong})


def test_answers_are_kept_under_the_ids_of_their_questions() -> None:
    field = report_questions.ANSWERS["session-pupils"]
    assert MakeReport.read({field: "12"}).answers == {"session-pupils": 12}
    assert MakeReport.read({}).answers == {}
