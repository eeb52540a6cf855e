# SPDX-License-Identifier: Apache-2.0
"""A report as data."""

from __future__ import annotations

import pytest

from filterd.reports.report_document import (
    Blank,
    Cell,
    Paragraph,
    ReportDocument,
    Section,
    cell_text,
)


def test_blanks_are_the_questions_without_an_answer_of_all_sections() -> None:
    sections = (
        Section("a", "A", (Paragraph("p", "text"), Blank("pupils", "Pupils?"))),
        Section("b", "B", (Blank("training", "Training?", "Two days"),)),
    )
    document = ReportDocument("en", "REPORT", "of a year", sections)
    assert [blank.id for blank in document.blanks()] == ["pupils"]


@pytest.mark.parametrize(
    ("cell", "vietnamese", "english"),
    [
        (1_234_567, "1.234.567", "1,234,567"),
        (1234.5, "1.234,5", "1,234.5"),
        (None, "(*)", "(*)"),
        ("1,5.", "1,5.", "1,5."),
    ],
)
def test_a_number_is_written_as_the_language_has_it(
    cell: Cell, vietnamese: str, english: str
) -> None:
    assert cell_text(cell, "vi") == vietnamese
    assert cell_text(cell, "en") == english


def test_warnings_are_their_texts_in_order() -> None:
    parts = (Paragraph("a", "A gap.", is_warning=True), Paragraph("b", "All well."))
    assert ReportDocument("en", "", "", (Section("s", "", parts),)).warnings() == ("A gap.",)
