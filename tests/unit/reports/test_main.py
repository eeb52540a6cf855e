# SPDX-License-Identifier: Apache-2.0
"""The child that makes reports: what it refuses."""

from __future__ import annotations

import pytest

from filterd.base.errors import ConfigError, FilterdError
from filterd.reports.report_run import ReportRequest, make
from tests.support.report_sample import FACTS
from tests.support.word_files import template_of


def test_an_answer_to_no_question_is_refused_by_the_child_with_a_hint() -> None:
    with pytest.raises(ConfigError, match="is not a question") as raised:
        make(ReportRequest(FACTS.to_plain(), "json", "vi", {"pupil": "640"}))
    assert "pupils" in raised.value.hint


def test_a_hostile_template_ends_in_the_child_with_a_reason_and_a_remedy() -> None:
    template = template_of("{{ school.__class__ }}")
    with pytest.raises(ConfigError, match="the template is refused") as raised:
        make(ReportRequest(FACTS.to_plain(), "docx", "vi", template=template))
    assert "in the paragraph: {{ school.__class__ }}" in raised.value.hint


def test_facts_of_a_daemon_of_another_release_name_the_remedy() -> None:
    facts = FACTS.to_plain()
    del facts["service"]
    with pytest.raises(FilterdError, match="restart it"):
        make(ReportRequest(facts, "json", "vi", {}))
