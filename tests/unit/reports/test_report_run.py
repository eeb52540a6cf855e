# SPDX-License-Identifier: Apache-2.0
"""The child that makes reports: what it returns, and what it refuses."""

from __future__ import annotations

import json

from filterd.reports.report_run import ReportRequest, make
from tests.support.report_sample import FACTS


def test_a_report_is_made_in_a_child_and_its_blanks_are_named() -> None:
    made = make(ReportRequest(FACTS.to_plain(), "json", "vi", {"pupils": "640"}))
    assert json.loads(made.octets)["facts"]["school"]["name"] == FACTS.school.name
    assert "sessions" in made.blanks
    assert "pupils" not in made.blanks
