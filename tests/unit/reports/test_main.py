# SPDX-License-Identifier: Apache-2.0
"""The child that makes reports: what it refuses."""

from __future__ import annotations

import pytest

from filterd.errors import ConfigError
from filterd.reports.report_run import ReportRequest, make
from tests.support.report_sample import FACTS


def test_an_answer_to_no_question_is_refused_by_the_child_with_a_hint() -> None:
    with pytest.raises(ConfigError, match="is not a question") as raised:
        make(ReportRequest(FACTS.to_plain(), "json", "vi", {"pupil": "640"}))
    assert "pupils" in raised.value.hint
