# SPDX-License-Identifier: Apache-2.0
"""Facts and answers as a document."""

from __future__ import annotations

from filterd.i18n import Texts
from filterd.reports.report_composer import compose
from tests.support.report_sample import FACTS


def test_an_answer_stands_in_the_place_of_its_question() -> None:
    document = compose(FACTS, {"pupils": "640"}, Texts("vi"))
    assert "pupils" not in {one.id for one in document.blanks()}
    assert "sessions" in {one.id for one in document.blanks()}
