# SPDX-License-Identifier: Apache-2.0
"""Compose a report of facts and answers, in one language. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.i18n import say
from filterd.reports.report_document import Blank, ReportDocument, ReportTable, Section, TableColumn
from filterd.reports.report_questions import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filterd.i18n import Texts
    from filterd.reports.report_facts import ReportFacts


def compose(facts: ReportFacts, answers: Mapping[str, str], texts: Texts) -> ReportDocument:
    """Return the document.

    Args:
        facts: of the period.
        answers: of ``report_questions.checked_answers``.
        texts: of the language.
    """
    columns = (TableColumn(texts(say("Category"))), TableColumn(texts(say("Blocks")), True))
    rows = tuple((one.category, one.n) for one in facts.cells if one.action == "blocked")
    table = ReportTable("blocked", texts(say("Blocked lookups")), columns, rows)
    blanks = tuple(Blank(one.id, texts(one.text), answers.get(one.id, "")) for one in QUESTIONS)
    section = Section("measures", texts(say("Technical measures")), (table, *blanks))
    return ReportDocument("vi", texts(say("REPORT")), facts.first, (section,))
