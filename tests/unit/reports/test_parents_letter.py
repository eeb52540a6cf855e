# SPDX-License-Identifier: Apache-2.0
"""What parents read: what is closed, what is kept, and no figure of use."""

from __future__ import annotations

from dataclasses import replace

from filterd.i18n import Texts
from filterd.reports.report_composer import compose
from filterd.reports.report_document import Figures, Paragraph, ReportDocument
from filterd.reports.report_facts import LogFacts, ReportFacts
from tests.support.report_sample import FACTS, PARENTS

SCHOOL = replace(
    PARENTS, school=replace(PARENTS.school, tiers=("primary", "lower-secondary", "staff"))
)


def letter(facts: ReportFacts) -> ReportDocument:
    return compose(facts, {}, Texts("en"))


def texts_of(facts: ReportFacts) -> dict[str, str]:
    return {one.id: one.text for one in letter(facts).parts() if isinstance(one, Paragraph)}


def test_categories_stand_once_for_all_pupils_then_by_tier() -> None:
    closed = next(one for one in letter(SCHOOL).parts() if isinstance(one, Figures))
    assert [(one.label, one.value) for one in closed.figures] == [
        ("All pupils", "Gambling"),
        ("Lower secondary", "=Social media, Self-harm"),
    ]
    assert texts_of(SCHOOL)["open-1"] == "Of these open to grade 9: =Social media."


def test_what_is_kept_is_the_sentence_of_the_level_with_its_days() -> None:
    assert texts_of(PARENTS)["kept-counts"].startswith("The school keeps only totals")
    log = LogFacts({"primary": "off", "lower-secondary": "blocked", "staff": "full"}, 14, 200, 5)
    texts = texts_of(replace(SCHOOL, log=log))
    assert texts["kept-off"] == "Primary: Of lookups the school keeps nothing."
    assert texts["kept-blocked"].startswith("Lower secondary: The school keeps closed addresses")
    assert "for 14 days" in texts["kept-blocked"]
    assert texts["kept-totals"] == "Totals are kept for 200 days."
    assert "kept-full" not in texts


def test_it_says_whether_every_lookup_was_recorded_and_when() -> None:
    assert texts_of(PARENTS)["full-log-1"].startswith("From 21:13 21/09/2026 until")
    never = replace(PARENTS, log=replace(PARENTS.log, full=()))
    assert texts_of(never)["full-log-1"].startswith("Single lookups of all pages were not")


def test_it_names_the_school_and_the_help_line() -> None:
    texts = texts_of(PARENTS)
    assert PARENTS.school.contact in texts["contact"]
    assert "111" in texts["help-line"]


def test_it_has_no_figure_of_use_even_if_the_facts_had_some() -> None:
    with_cells = replace(PARENTS, cells=FACTS.cells, handling=FACTS.handling)
    assert letter(with_cells) == letter(PARENTS)
