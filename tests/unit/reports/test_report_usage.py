# SPDX-License-Identifier: Apache-2.0
"""Figures of lookups: each equal to a naive count of the facts."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from filterd.reports.report_document import BarChart, Figures, ReportTable
from filterd.reports.report_facts import CountCell, ReportFacts
from filterd.reports.report_usage import MOST_DAYS, UsageParts
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording
from tests.support.report_sample import FACTS, INSIDE

BY = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), FACTS.made_at))
PUBLISHED = replace(FACTS, left_out=False)


def tables_of(facts: ReportFacts) -> dict[str, ReportTable]:
    return {
        part.id: part for part in UsageParts(facts, BY).parts() if isinstance(part, ReportTable)
    }


def figures_of(facts: ReportFacts) -> dict[str, object]:
    found = next(part for part in UsageParts(facts, BY).parts() if isinstance(part, Figures))
    return {figure.id: figure.value for figure in found.figures}


def count(facts: ReportFacts, **wanted: str) -> int:
    return sum(
        cell.n
        for cell in facts.cells
        if all(getattr(cell, key).startswith(text) for key, text in wanted.items())
    )


def test_figures_are_of_all_answers() -> None:
    blocked = count(FACTS, action="blocked")
    assert figures_of(FACTS) == {
        "answers": sum(cell.n for cell in FACTS.cells),
        "answers-blocked": blocked,
        "blocked-share": round(100 * blocked / 421_257, 2),
    }


def test_blocks_stand_by_category_and_tier_the_most_first() -> None:
    table = tables_of(PUBLISHED)["blocked-tiers"]
    gambling = count(FACTS, category="gambling", action="blocked")
    social = count(FACTS, category="social-media", action="blocked")
    assert table.rows == (("Gambling", gambling), ("=Social media", social))
    assert table.total == ("Total", gambling + social)


def test_a_confidential_category_is_in_a_total_of_the_school_only() -> None:
    tables = tables_of(FACTS)
    assert tables["blocked-confidential"].rows == (("Self-harm", 7),)
    others = [
        table for id_, table in tables.items() if id_ not in ("blocked-confidential", "course")
    ]
    assert not any("Self-harm" in row for one in others for row in one.rows)


def test_grades_stand_by_whole_month() -> None:
    table = tables_of(PUBLISHED)["blocked-grades"]
    assert [column.heading for column in table.columns] == [
        "Grade",
        "September 2026",
        "October 2026",
        "Total",
    ]
    assert table.rows == (("Grade 6", 120, 80, 200), ("Grade 9", 0, 41, 41))
    assert table.total == ("Total", 120, 121, 241)
    assert table.note == "Whole calendar months only."


def test_many_months_are_rows_and_few_are_columns() -> None:
    cells = tuple(
        CountCell(f"2026-{month:02}", "lower-secondary", "6", "", "gambling", "blocked", month)
        for month in range(1, 13)
    )
    table = tables_of(replace(PUBLISHED, first="2026-01-01", cells=cells))["blocked-grades"]
    assert [column.heading for column in table.columns] == ["Month", "Grade 6", "Grade 9", "Total"]
    assert table.rows[11] == ("December 2026", 12, 0, 12)
    assert table.total == ("Total", 78, 0, 78)


def test_what_was_not_published_is_not_zero() -> None:
    assert tables_of(FACTS)["blocked-grades"].rows[1] == ("Grade 9", None, 41, 41)
    course = tables_of(FACTS)["course"]
    assert course.rows[2] == ("November 2026", 21_000, None, 9, None, 21_009)
    assert course.total == ("Total", 421_000, None, 257, None, 421_257)


def test_where_nothing_is_published_no_figure_table_or_bar_is_zero() -> None:
    passed = CountCell("2026-09", "lower-secondary", "6", "", "", "pass", 400)
    facts = replace(FACTS, cells=(passed,))
    tables, figures = tables_of(facts), figures_of(facts)
    assert figures == {"answers": 400, "answers-blocked": None, "blocked-share": None}
    for id_ in ("blocked-tiers", "blocked-confidential"):
        assert (tables[id_].rows, tables[id_].note[-17:]) == ((), "or not published.")
    assert tables["blocked-grades"].rows == (("Grade 6", None), ("Grade 9", None))
    (chart,) = (part for part in UsageParts(facts, BY).parts() if isinstance(part, BarChart))
    assert {counts for _, counts in chart.bars} == {(None,)}
    assert set(figures_of(replace(facts, cells=())).values()) == {None, "not known"}
    assert figures_of(replace(facts, left_out=False))["answers-blocked"] == 0


def test_the_course_is_by_month_where_only_months_are_published() -> None:
    months = ("2026-09", "2026-10", "2026-11")
    course = tables_of(PUBLISHED)["course"]
    for row, month in zip(course.rows, months, strict=True):
        assert row[1] == count(FACTS, period=month, action="pass")
        assert row[3] == count(FACTS, period=month, action="blocked")
        assert row[5] == count(FACTS, period=month)
    chart = next(part for part in UsageParts(FACTS, BY).parts() if isinstance(part, BarChart))
    assert [n for _, (n,) in chart.bars] == [row[3] for row in course.rows]


def test_the_course_of_days_has_each_day_also_those_without_a_count() -> None:
    days = tuple(cell for cell in FACTS.cells if len(cell.period) == len("2026-11-01"))
    facts = replace(PUBLISHED, first="2026-10-30", cells=days)
    rows = tables_of(facts)["course"].rows
    assert [row[0] for row in rows] == ["30/10/2026", "31/10/2026", "01/11/2026", "02/11/2026"]
    assert [row[5] for row in rows] == [0, 0, 9, 21_000]
    whole_year = replace(facts, first="2026-01-01")
    assert len(tables_of(whole_year)["course"].rows) == 11 < MOST_DAYS


def test_inside_the_school_distinct_names_stand_beside_lookups() -> None:
    tables = tables_of(INSIDE)
    assert tables["classes"].rows == (("6A", 80, 80, 12), ("9B", 41, 41, "not known"))
    assert tables["classes"].total == ("Total", 121, 121, 12)
    assert tables["blocked-tiers"].rows[0] == ("Gambling", 80, 12)
    assert figures_of(INSIDE)["distinct-names"] == 12


def test_names_of_a_tier_are_not_added_to_its_lookups() -> None:
    """At the level names distinct names are known for the tier, without class and grade."""
    of_tier = CountCell("2026-10-05", "lower-secondary", "", "", "gambling", "blocked", 0, 9)
    tables = tables_of(replace(INSIDE, cells=(*INSIDE.cells, of_tier)))
    assert tables["blocked-tiers"].rows[0] == ("Gambling", 80, 21)
    assert tables["blocked-grades"].note == ""


def test_each_class_has_a_line_also_one_without_answers_or_of_last_year() -> None:
    gone = CountCell("2026-10", "lower-secondary", "6", "6Z", "", "pass", 3)
    school = replace(INSIDE.school, classes=("6A", "6B", "9B"))
    rows = tables_of(replace(INSIDE, school=school, cells=(*INSIDE.cells, gone)))["classes"].rows
    assert [row[:3] for row in rows] == [("6A", 80, 80), ("6B", 0, 0), ("9B", 41, 41), ("6Z", 3, 0)]
    of_grade = replace(INSIDE, scope="6", school=school, cells=(INSIDE.cells[0], gone))
    assert [row[0] for row in tables_of(of_grade)["classes"].rows] == ["6A", "6Z"]


def test_a_report_on_a_class_has_no_table_of_grades_or_classes() -> None:
    cells = INSIDE.cells[:1]
    school = replace(INSIDE.school, tiers=("primary", "lower-secondary"))
    tables = tables_of(replace(INSIDE, school=school, scope="6A", cells=cells))
    assert tables.keys() == {"blocked-tiers", "course"}
    assert len(tables["blocked-tiers"].columns) == 3, "its own tier, and distinct names"


def test_rules_of_the_school_and_unknown_categories_have_a_label() -> None:
    cells = (
        CountCell("2026-10", "staff", "staff", "", "", "blocked", 2),
        CountCell("2026-10", "staff", "staff", "", "of-last-year", "blocked", 1),
    )
    table = tables_of(replace(PUBLISHED, cells=cells))["blocked-tiers"]
    assert table.rows == (("(rules of the school)", 0, 2, 2), ("of-last-year", 0, 1, 1))
    assert [column.heading for column in table.columns][1:3] == ["Lower secondary", "Staff"]


@pytest.mark.parametrize("facts", [FACTS, PUBLISHED, INSIDE, replace(FACTS, cells=())])
def test_totals_are_the_sums_of_the_lines_above(facts: ReportFacts) -> None:
    for table in tables_of(facts).values():
        for at, total in enumerate(table.total[1:], 1):
            column = [row[at] for row in table.rows if isinstance(row[at], int)]
            assert total == (sum(n for n in column if isinstance(n, int)) if column else None)


@pytest.mark.parametrize("facts", [FACTS, PUBLISHED, INSIDE])
def test_tables_and_figures_agree(facts: ReportFacts) -> None:
    tables, figures = tables_of(facts), figures_of(facts)
    rows = (*tables["blocked-confidential"].rows, *tables["blocked-tiers"].rows)
    assert sum(n for _, n, *_ in rows if isinstance(n, int)) == figures["answers-blocked"]
    assert tables["course"].total[-1] == figures["answers"]
