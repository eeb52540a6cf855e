# SPDX-License-Identifier: Apache-2.0
"""A report as data."""

from __future__ import annotations

from filterd.reports.report_document import Blank, Paragraph, ReportDocument, Section


def test_blanks_are_the_questions_without_an_answer_of_all_sections() -> None:
    sections = (
        Section("a", "A", (Paragraph("p", "text"), Blank("pupils", "Pupils?"))),
        Section("b", "B", (Blank("training", "Training?", "Two days"),)),
    )
    document = ReportDocument("en", "REPORT", "of a year", sections)
    assert [one.id for one in document.blanks()] == ["pupils"]
