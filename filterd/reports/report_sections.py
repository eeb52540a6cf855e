# SPDX-License-Identifier: Apache-2.0
"""Make the sections of a report from facts and answers. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING

from filterd.operations.report_questions import QUESTIONS
from filterd.overrides.descriptions import Describer
from filterd.policy.reporting_settings import ReportAudience
from filterd.reports.report_document import (
    BY_HAND,
    Blank,
    Figure,
    Figures,
    Paragraph,
    ReportTable,
    Section,
    TableColumn,
)
from filterd.reports.report_period import days_of, moment_of, period_of, span_of
from filterd.reports.report_usage import NONE, NOT_KNOWN, UsageParts
from filterd.texts import counted, words
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from filterd.reports.report_document import Cell, Part
    from filterd.reports.report_facts import CategoryFacts, ReportFacts
    from filterd.texts.i18n import Sentence
    from filterd.texts.rows import Wording

_TITLES = {
    "school": say("General information"),
    "documents": say("Documents and regulations"),
    "education": say("Awareness and education"),
    "measures": say("Technical measures"),
    "handling": say("Detection, reports and handling"),
    "training": say("Training"),
    "inspection": say("Inspection"),
    "proposals": say("Difficulties and proposals"),
}
"""The sections, in order."""
OF_SCOPE = "school", "measures"
"""Sections of a report on one class or grade."""


class SectionMaker:
    """Makes the sections of a report in one language."""

    def __init__(self, facts: ReportFacts, answers: Mapping[str, str], by: Wording) -> None:
        self._facts, self._answers, self._by, self._texts = facts, answers, by, by.texts

    def sections(self) -> tuple[Section, ...]:
        """Return all sections; those of a class or grade have figures only."""
        parts = {
            "school": self._school,
            "measures": self._measures,
            "handling": self._handling,
        }
        scope = self._facts.scope
        return tuple(
            Section(id_, self._texts(title), (*parts.get(id_, tuple)(), *self._blanks(id_)))
            for id_, title in _TITLES.items()
            if not scope or id_ in OF_SCOPE
        )

    def _blanks(self, section: str) -> tuple[Blank, ...]:
        return () if self._facts.scope else blanks(section, self._answers, self._by)

    def _school(self) -> Iterator[Part]:
        facts, texts, tell = self._facts, self._texts, Describer(*self._by)
        school, settings = facts.school, facts.settings
        if facts.audience is ReportAudience.INSIDE:
            text = texts("For use inside the school only: do not publish or pass on.")
            yield Paragraph("inside", text, is_warning=True)
        figures: list[tuple[str, Sentence, Cell]] = [
            ("school", say("School"), school.name),
            ("code", say("Code of the school"), settings.code or BY_HAND),
            ("superior", say("Superior body"), settings.superior or BY_HAND),
            ("period", say("Period of the report"), self._period()),
        ]
        if facts.scope:
            figures.append(("scope", say("About"), tell.grade(facts.scope)))
        else:
            tiers = ", ".join(texts.word(words.TIER, tier) for tier in school.tiers)
            grades = ", ".join(map(tell.grade, school.grades))
            figures += [
                ("tiers", say("Age tiers"), tiers),
                ("grades", say("Grades"), grades),
                ("classes", say("Number of classes"), school.class_count),
            ]
            programmes = "; ".join(self._programmes()) or BY_HAND
            figures.append(("programme", say("Programme"), programmes))
        yield self._figures("general", figures)

    def _period(self) -> str:
        facts, texts = self._facts, self._texts
        named, span = period_of(facts, texts), span_of(facts.first, facts.last, texts)
        return named if span in named or facts.first == facts.last else f"{named} ({span})"

    def _programmes(self) -> Iterator[str]:
        """Yield the programmes of the period, with the days of each if there are several."""
        facts = self._facts
        found = facts.settings.programmes_in(facts.first, facts.last)
        for one, following in zip_longest(found, found[1:]):
            if len(found) == 1:
                yield one.name
                continue
            last = facts.last
            if following is not None:
                last = (date.fromisoformat(following.begins) - timedelta(days=1)).isoformat()
            yield f"{one.name} ({span_of(max(one.begins, facts.first), last, self._texts)})"

    def _measures(self) -> Iterator[Part]:
        facts = self._facts
        if not facts.scope:
            yield from self._coverage()
        yield from UsageParts(facts, self._by).parts()
        yield from self._warnings()
        if not facts.scope:
            yield self._categories()

    def _coverage(self) -> Iterator[Part]:
        facts, school = self._facts, self._facts.school
        closed = [category for category in facts.categories if category.closed_tiers]
        yield self._figures(
            "coverage",
            [
                ("networks", say("Networks"), school.networks),
                ("rooms", say("Rooms with a timetable"), school.rooms),
                ("categories", say("Categories that are closed to at least one tier"), len(closed)),
            ],
        )
        yield self._service()
        yield self._gaps()

    def _service(self) -> Figures:
        service, unknown = self._facts.service, self._texts(NOT_KNOWN)
        share: Cell = unknown
        if service.minutes_expected:
            share = round(100 * service.minutes / service.minutes_expected, 2)
        unused, oldest_lists = self._facts.days_unused, self._time(service.oldest_lists_s)
        return self._figures(
            "service",
            [
                ("days", say("Days of the period since the first record"), service.days),
                ("days-in-service", say("Days in service"), service.days_in_service),
                ("service-share", say("Time in service (%)"), share),
                ("days-unused", say("Days wholly in service without any count"), unused),
                ("outages", say("Times out of service"), service.gap_count),
                ("lists-version", say("Version of the lists"), service.lists_version or unknown),
                ("lists-age", say("Greatest age of the lists"), oldest_lists),
                ("tests-passed", say("Daily self-tests passed"), service.tests_passed),
                ("tests-failed", say("Daily self-tests failed"), service.tests_failed),
            ],
        )

    def _gaps(self) -> ReportTable:
        texts, clock, gaps = self._texts, self._by.clock, self._facts.service.gaps
        heads = (texts("From"), texts("Until"), texts("Duration"))
        rows = (
            (
                moment_of(gap.begins, clock),
                moment_of(gap.ends, clock),
                self._time(gap.ends - gap.begins),
            )
            for gap in gaps
        )
        return ReportTable(
            "gaps",
            texts("Longest times out of service"),
            tuple(map(TableColumn, heads)),
            tuple(rows),
            note="" if gaps else texts(NONE),
        )

    def _warnings(self) -> Iterator[Paragraph]:
        """Yield what limits the figures."""
        facts, texts = self._facts, self._texts
        service, log = facts.service, facts.log
        found: dict[str, str] = {}
        if not (facts.cells or facts.left_out):
            found["nothing-counted"] = texts("Nothing was counted in this period.")
        if service.gap_count:
            missing = 60 * (service.minutes_expected - service.minutes)
            found["out-of-service"] = texts(
                "Times out of service: {n}, for {duration} in all, which includes those when the"
                " gateway was switched off. Nothing is counted then.",
                n=counted.number(service.gap_count),
                duration=counted.duration(missing),
            )
        if service.days_unreadable:
            found["damaged-days"] = texts(
                "The record of these days is damaged or was never written: {days}.",
                days=days_of(service.days_unreadable, texts),
            )
        if facts.days_missing:
            found["missing-days"] = texts(
                "Days not wholly in service, without any count: {days}.",
                days=days_of(facts.days_missing, texts),
            )
        if log.lost:
            found["lost-answers"] = texts(
                "Answers that could not be counted: {n}.", n=counted.number(log.lost)
            )
        if facts.left_out and facts.audience is not ReportAudience.INSIDE:
            found["left-out"] = texts(
                "Figures of fewer than {k} devices are not published. "
                "They are in no figure or total of this report.",
                k=log.least_devices,
            )
        if off := self._tiers_at("off"):
            found["not-counted"] = texts(
                "Answers are not counted for: {tiers} (log level off).", tiers=off
            )
        if facts.audience is ReportAudience.INSIDE and (counts := self._tiers_at("counts")):
            found["names-unknown"] = texts(
                "Distinct names are not known for: {tiers} (log level counts, which keeps no"
                " names).",
                tiers=counts,
            )
        for id_, text in found.items():
            yield Paragraph(id_, text, is_warning=True)
        yield from (Paragraph("full-log", span) for span in full_spans(facts, self._by))

    def _tiers_at(self, level: str) -> str:
        """Return the tiers whose log level is one; "" for none."""
        tiers = [tier for tier, one in self._facts.log.levels.items() if one == level]
        return ", ".join(self._texts.word(words.TIER, one) for one in tiers)

    def _categories(self) -> ReportTable:
        """Return the closed categories, with tiers and legal bases."""
        texts = self._texts
        heads = texts("Category"), texts("Closed to"), texts("Legal basis")
        rows = tuple(
            (
                category.names.get(texts.language, category.id),
                closed_to(category, self._facts, self._by),
                category.legal_basis,
            )
            for category in self._facts.categories
            if category.closed_tiers
        )
        return ReportTable(
            "categories", texts("Closed categories"), tuple(map(TableColumn, heads)), rows
        )

    def _handling(self) -> Iterator[Part]:
        of = self._facts.handling
        yield self._figures(
            "handling",
            [
                ("mistakes-reported", say("Mistakes of lists reported"), of.mistakes_reported),
                ("mistakes-mended", say("Of these corrected"), of.mistakes_mended),
                ("mend-time", say("Median time until corrected"), self._time(of.mend_median_s)),
                ("requests", say("Requests of pupils for a review"), of.requests),
                ("requests-approved", say("Of these approved"), of.requests_approved),
                ("requests-refused", say("Of these refused"), of.requests_refused),
                (
                    "request-time",
                    say("Median time until answered"),
                    self._time(of.request_median_s),
                ),
                ("exceptions-allowed", say("Exceptions that open a name"), of.exceptions_allowed),
                ("exceptions-blocked", say("Exceptions that close a name"), of.exceptions_blocked),
                ("pauses", say("Pauses of the filter"), of.pauses),
                ("pause-minutes", say("Minutes of pauses in all"), of.pause_minutes),
            ],
        )

    def _time(self, seconds: float | None) -> str:
        """Return a duration; "not known" for None."""
        if seconds is None:
            return self._texts(NOT_KNOWN)
        return self._texts(counted.duration(seconds))

    def _figures(self, id_: str, figures: list[tuple[str, Sentence, Cell]]) -> Figures:
        texts = self._texts
        return Figures(id_, tuple(Figure(key, texts(label), cell) for key, label, cell in figures))


def blanks(section: str, answers: Mapping[str, str], by: Wording) -> tuple[Blank, ...]:
    """Return the questions of a section with their answers."""
    return tuple(
        Blank(one.id, by.texts(one.text), answers.get(one.id, ""))
        for one in QUESTIONS
        if one.section == section
    )


def closed_to(category: CategoryFacts, facts: ReportFacts, by: Wording) -> str:
    """Return the tiers to which a category is closed, the grades to which it is open."""
    texts, tell = by.texts, Describer(*by)
    tiers = texts("everybody")
    if set(category.closed_tiers) != set(facts.school.tiers):
        tiers = ", ".join(texts.word(words.TIER, tier) for tier in category.closed_tiers)
    if not category.open_grades:
        return tiers
    grades = ", ".join(map(tell.grade, category.open_grades))
    return texts("{tiers} (open to {grades})", tiers=tiers, grades=grades)


def full_spans(facts: ReportFacts, by: Wording) -> Iterator[str]:
    """Yield a sentence on each time in which every lookup was recorded."""
    texts, clock = by.texts, by.clock
    for one in facts.log.full:
        yield texts(
            "From {begin} until {end} every lookup was recorded for: {tier} (log level full).",
            begin=moment_of(one.begins, clock),
            end=moment_of(one.ends, clock),
            tier=texts.word(words.TIER, one.tier) or texts("everybody"),
        )
