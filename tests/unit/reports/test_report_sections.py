# SPDX-License-Identifier: Apache-2.0
"""Sections of a report: what stands in them, and what limits their figures."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from filterd.operations.report_questions import QUESTIONS
from filterd.policy.reporting_settings import ReportSettings
from filterd.reports.report_document import Figures, Paragraph, ReportTable, Section
from filterd.reports.report_facts import HandlingFacts, LogFacts, ReportFacts, ServiceFacts
from filterd.reports.report_sections import SectionMaker
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock, Wording
from tests.support.report_sample import FACTS, INSIDE

BY = Wording(Texts("en"), SchoolClock(ZoneInfo("Asia/Ho_Chi_Minh"), FACTS.made_at))


def sections_of(facts: ReportFacts) -> dict[str, Section]:
    return {section.id: section for section in SectionMaker(facts, {}, BY).sections()}


def figures_of(facts: ReportFacts) -> dict[str, object]:
    parts = [part for one in sections_of(facts).values() for part in one.parts]
    return {f.id: f.value for part in parts if isinstance(part, Figures) for f in part.figures}


def warnings_of(facts: ReportFacts) -> dict[str, str]:
    parts = sections_of(facts)["measures"].parts
    return {part.id: part.text for part in parts if isinstance(part, Paragraph)}


def test_every_question_stands_in_a_section_or_the_head() -> None:
    assert {one.section for one in QUESTIONS} - {"head"} <= sections_of(FACTS).keys()


def test_a_programme_that_changes_within_the_period_is_reported_with_its_days() -> None:
    assert figures_of(FACTS)["programme"] == (
        "Chương trình 2021-2025 (from 01/09/2026 to 30/09/2026); "
        "Chương trình 2026-2030 (from 01/10/2026 to 02/11/2026)"
    )
    one = replace(FACTS, first="2026-10-01")
    assert figures_of(one)["programme"] == "Chương trình 2026-2030"


def test_a_template_finds_the_same_figures_and_tables_in_each_period() -> None:
    empty = replace(
        FACTS,
        cells=(),
        left_out=False,
        service=ServiceFacts(),
        settings=ReportSettings(),
        school=replace(FACTS.school, contact=""),
    )
    assert figures_of(empty).keys() == figures_of(FACTS).keys()
    for facts in (FACTS, empty):
        parts = sections_of(facts)["measures"].parts
        tables = {part.id: part.note for part in parts if isinstance(part, ReportTable)}
        assert " ".join(tables) == (
            "gaps blocked-tiers blocked-grades blocked-confidential course categories"
        )
    assert tables["gaps"] == tables["blocked-tiers"] == "None in this period."


def test_service_and_handling_are_as_the_facts_have_them() -> None:
    figures = figures_of(FACTS)
    assert (figures["days"], figures["days-in-service"]) == (63, 62)
    assert figures["service-share"] == round(100 * 89_000 / 90_720, 2)
    assert (figures["lists-version"], figures["lists-age"]) == ("412", "2 days")
    assert (figures["tests-passed"], figures["tests-failed"]) == (1_488, 2)
    assert (figures["mistakes-reported"], figures["mend-time"]) == (3, "3 days")
    assert (figures["requests"], figures["request-time"]) == (11, "90 minutes")


def test_what_is_not_known_is_said_and_never_zero() -> None:
    facts = replace(
        FACTS,
        service=ServiceFacts(),
        handling=HandlingFacts(),
        cells=(),
    )
    figures = figures_of(facts)
    times = "lists-age", "mend-time", "request-time"
    for id_ in ("lists-version", "service-share", "blocked-share", *times):
        assert figures[id_] == "not known"


def test_gaps_have_begin_end_and_length_by_the_school_clock() -> None:
    gaps = next(part for part in sections_of(FACTS)["measures"].parts if part.id == "gaps")
    assert isinstance(gaps, ReportTable)
    assert gaps.rows == (("00:00 13/09/2026", "00:00 14/09/2026", "24 hours"),)


def test_days_off_are_a_number_and_no_warning() -> None:
    facts = replace(FACTS, days_missing=(), days_unused=9)
    assert figures_of(facts)["days-unused"] == 9
    assert "missing-days" not in warnings_of(facts)


def test_what_limits_the_figures_is_said_beneath_them() -> None:
    assert warnings_of(FACTS).keys() == {
        "out-of-service",
        "damaged-days",
        "missing-days",
        "lost-answers",
        "left-out",
        "full-log",
    }
    assert "nothing-counted" in warnings_of(replace(FACTS, cells=(), left_out=False))
    assert "nothing-counted" not in warnings_of(replace(FACTS, cells=(), left_out=True))
    assert "Figures of fewer than 5 devices are not published." in warnings_of(FACTS)["left-out"]
    assert not any(one.isdigit() for one in warnings_of(FACTS)["left-out"].replace("5", "", 1))
    sound = replace(
        FACTS, service=ServiceFacts(), days_missing=(), left_out=False, log=LogFacts({}, 30, 400, 5)
    )
    assert warnings_of(sound) == {}


def test_tiers_that_are_not_counted_or_have_no_names_are_named() -> None:
    log = LogFacts({"primary": "off", "lower-secondary": "counts", "staff": "blocked"}, 30, 400, 5)
    warnings = warnings_of(replace(INSIDE, log=log))
    assert "not counted for: primary (" in warnings["not-counted"]
    assert "not known for: lower secondary (" in warnings["names-unknown"]
    assert "names-unknown" not in warnings_of(replace(FACTS, log=log))


def test_closed_categories_have_tiers_open_grades_and_legal_basis() -> None:
    *_, table, _ = sections_of(FACTS)["measures"].parts
    assert isinstance(table, ReportTable)
    assert table.rows == (
        ("Gambling", "primary, lower secondary", "Bộ luật Hình sự, Điều 321"),
        ("=Social media", "everybody (open to grade 9)", ""),
        ("Self-harm", "everybody", ""),
    )


def test_a_report_on_a_class_has_its_figures_and_asks_nothing() -> None:
    sections = sections_of(replace(INSIDE, scope="6A"))
    assert list(sections) == ["school", "measures"]
    assert figures_of(replace(INSIDE, scope="6A"))["scope"] == "class 6A"
