# SPDX-License-Identifier: Apache-2.0
"""Sum the answers of a period into figures, tables and a chart. Pure.

A report on the school has each table in each period, so that a Department's template may name
it; one without a line has a note.

Outside the school a cell of too few devices is not published, and cannot be distinguished from
one that is zero: where any is left out, each of both kinds is None. Of confidential categories
that is so for every audience and in every period.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from filterd.overrides.descriptions import Describer
from filterd.policy.reporting_settings import ReportAudience
from filterd.reports.report_document import (
    BarChart,
    BarSeries,
    Cell,
    Figure,
    Figures,
    ReportTable,
    TableColumn,
)
from filterd.reports.report_period import month_of, short_date
from filterd.texts import words
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from filterd.reports.report_document import Part
    from filterd.reports.report_facts import CountCell, ReportFacts
    from filterd.texts.i18n import Texts
    from filterd.texts.rows import Wording

MOST_DAYS = 62
"""The course of a longer period is shown by month."""
NONE, NOT_KNOWN = say("None in this period."), say("not known")
_OTHERS = say("Categories without a row: none, or not published.")
_OF_PARTS = say(
    "A part of a category counts by itself from the day of its lists; before, in the category."
)
_NONE_SHOWN = say("None in this period, or not published.")
_BLOCKED, _CATEGORY, _MONTH, _TOTAL = say("Blocked"), say("Category"), say("Month"), say("Total")
_MONTH_SIZE = len("2026-11")
_COURSE = {
    "pass": "pass",
    "local": "pass",
    "rewritten": "rewritten",
    "blocked": "blocked",
    "failed": "failed",
    "refused": "failed",
}
"""The column of the course in which an action is counted."""

Labels = dict[str, str]
"""Labels of rows or columns, in order, by their keys."""
Cells = list[list[Cell]]


class UsageParts:
    """Makes the parts of a report that have figures of lookups."""

    def __init__(self, facts: ReportFacts, by: Wording) -> None:
        self._facts, self._texts, self._grade_name = facts, by.texts, Describer(*by).grade
        hidden = {category.id for category in facts.categories if category.is_confidential}
        blocked = [cell for cell in facts.cells if cell.action == "blocked"]
        self._blocked = [one for one in blocked if one.category not in hidden]
        self._hidden = [one for one in blocked if one.category in hidden]
        is_cut = facts.audience is ReportAudience.OUTSIDE and facts.left_out
        self._absent = None if is_cut else 0
        self._none = _NONE_SHOWN if is_cut else NONE

    def parts(self) -> Iterator[Part]:
        """Yield figures, tables and the chart, in order."""
        yield self._figures()
        yield self._categories()
        if not self._facts.scope:
            yield self._grades()
            yield self._confidential()
        yield from self._classes()
        yield from self._course()

    def _figures(self) -> Figures:
        texts = self._texts
        n = self._sum_of(self._facts.cells)
        blocked = self._sum_of((*self._blocked, *self._hidden))
        share: Cell = texts(NOT_KNOWN)
        if n:
            share = None if blocked is None else round(100 * blocked / n, 2)
        figures = [
            Figure("answers", texts("Answers in all"), n),
            Figure("answers-blocked", texts("Blocked answers"), blocked),
            Figure("blocked-share", texts("Share of blocked answers (%)"), share),
        ]
        distinct = _sum(one.distinct for one in self._blocked)
        if distinct is not None:
            figures.append(Figure("distinct-names", texts("Distinct blocked names"), distinct))
        return Figures("usage", tuple(figures))

    def _sum_of(self, cells: Sequence[CountCell]) -> int | None:
        """Return the answers of cells; None where all of them were left out."""
        return sum(cell.n for cell in cells) if cells else self._absent

    def _categories(self) -> ReportTable:
        """Return category x tier; inside the school with distinct names."""
        texts, facts = self._texts, self._facts
        counts, totals = Counter[tuple[str, str]](), Counter[str]()
        for one in self._blocked:
            counts[one.category, one.tier] += one.n
            totals[one.category] += one.n
        rows = {one: category_name(facts, one, texts) for one, n in totals.most_common() if n}
        known = () if facts.scope else facts.school.tiers  # a class or grade is of one tier
        tiers = dict.fromkeys([*known, *(tier for _, tier in counts)])
        columns = {one: capital(texts.word(words.TIER, one)) for one in tiers}
        if "" in columns:
            columns[""] = texts("Whole school")
        heads, cells = self._crossed(texts(_CATEGORY), rows, columns, counts)
        self._add_distinct(heads, cells, rows, attrgetter("category"))
        title = texts("Blocked lookups by category and tier")
        return self._table("blocked-tiers", title, heads, cells, self._of_others(cells, rows))

    def _confidential(self) -> ReportTable:
        texts, counts = self._texts, Counter[str]()
        for one in self._hidden:
            counts[one.category] += one.n
        title = texts("Blocked lookups of confidential categories, in the whole school only")
        rows: Cells = [
            [category_name(self._facts, one, texts), n] for one, n in counts.most_common()
        ]
        heads = [texts(_CATEGORY), texts(_BLOCKED)]
        # Whatever was left out elsewhere: of these no report says whether anything was.
        note = texts(_OTHERS if rows else _NONE_SHOWN)
        return self._table("blocked-confidential", title, heads, rows, note)

    def _of_others(self, rows: Cells, shown: Collection[str]) -> str:
        """Return the notes on parts, and on categories without a row that may be left out."""
        parts = any(
            category.part_of and category.id in shown for category in self._facts.categories
        )
        is_cut = self._absent is None and rows
        notes = ((_OF_PARTS, parts), (_OTHERS, is_cut))
        return " ".join(self._texts(note) for note, holds in notes if holds)

    def _grades(self) -> ReportTable:
        """Return grade x month; the more numerous of both are the rows."""
        counts = Counter[tuple[str, str]]()
        for one in self._blocked:
            if one.grade:
                counts[one.grade, one.period[:_MONTH_SIZE]] += one.n
        texts = self._texts
        known = dict.fromkeys([*self._facts.school.grades, *(grade for grade, _ in counts)])
        graded = {cell.period[:_MONTH_SIZE] for cell in self._facts.cells if cell.grade}
        months = self._months(sorted(graded))
        grades = {one: capital(self._grade_name(one)) for one in known if months}
        if len(grades) >= len(months):
            heads, cells = self._crossed(texts("Grade"), grades, months, counts)
        else:
            turned = Counter({(month, grade): n for (grade, month), n in counts.items()})
            heads, cells = self._crossed(texts(_MONTH), months, grades, turned)
        title = texts("Blocked lookups by grade and month")
        is_cut = any(one.n and not one.grade for one in self._blocked)
        note = texts("Whole calendar months only.") if is_cut else ""
        return self._table("blocked-grades", title, heads, cells, note)

    def _classes(self) -> Iterator[ReportTable]:
        """Yield answers by class, where classes are in the cells: inside the school only."""
        facts, texts, answers = self._facts, self._texts, Counter[str]()
        for cell in facts.cells:
            if cell.class_id:
                answers[cell.class_id] += cell.n
        if not answers or facts.scope in answers:
            return
        known = [one for one in facts.school.classes if not facts.scope or one in answers]
        classes = list(dict.fromkeys([*known, *sorted(answers)]))
        blocked = Counter[str]()
        for one in self._blocked:
            blocked[one.class_id] += one.n
        heads = [texts("Class"), texts("Answers"), texts(_BLOCKED)]
        rows: Cells = [[one, answers[one], blocked[one]] for one in classes]
        self._add_distinct(heads, rows, classes, attrgetter("class_id"))
        yield self._table("classes", texts("Answers by class"), heads, rows)

    def _course(self) -> Iterator[Part]:
        """Yield the chart of blocked answers by day or month, the table of all answers."""
        texts, times = self._texts, self._times()
        is_by_day = len(next(iter(times))) > _MONTH_SIZE
        counts = Counter[tuple[str, str]]()
        for cell in self._facts.cells:
            time = cell.period if is_by_day else cell.period[:_MONTH_SIZE]
            counts[time, _COURSE.get(cell.action, "pass")] += cell.n
        columns = {
            one: capital(texts.word(words.COUNTED, one)) for one in dict.fromkeys(_COURSE.values())
        }
        heading = texts("Day") if is_by_day else texts(_MONTH)
        if len(times) > 1:
            yield BarChart(
                "course-blocked",
                texts("Blocked lookups by day") if is_by_day else texts("Blocked lookups by month"),
                heading,
                (BarSeries(texts(_BLOCKED), "blocked"),),
                tuple(
                    (_tick(time), (counts.get((time, "blocked"), self._absent),)) for time in times
                ),
            )
        heads, cells = self._crossed(heading, times, columns, counts)
        title = texts("Answers by day") if is_by_day else texts("Answers by month")
        yield self._table("course", title, heads, cells)

    def _times(self) -> Labels:
        """Return the days of the period, or its months where no day is published."""
        first, last = map(date.fromisoformat, (self._facts.first, self._facts.last))
        days = [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
        has_months = any(len(cell.period) == _MONTH_SIZE for cell in self._facts.cells)
        if len(days) <= MOST_DAYS and not has_months:
            return {day: short_date(day) for day in days}
        return self._months(day[:_MONTH_SIZE] for day in days)

    def _months(self, months: Iterable[str]) -> Labels:
        return {month: capital(month_of(month, self._texts)) for month in dict.fromkeys(months)}

    def _crossed(
        self, heading: str, rows: Labels, columns: Labels, counts: Counter[tuple[str, str]]
    ) -> tuple[list[str], Cells]:
        """Return headings and lines of rows x columns, with sums of rows."""
        heads = [heading, *columns.values()]
        cells: Cells = []
        for row, label in rows.items():
            line = [counts.get((row, column), self._absent) for column in columns]
            cells.append([label, *line, *([_sum(line)] if len(columns) > 1 else [])])
        if len(columns) > 1:
            heads.append(self._texts(_TOTAL))
        return heads, cells

    def _table(
        self,
        id_: str,
        title: str,
        headings: Sequence[str],
        lines: Sequence[Sequence[Cell]],
        note: str = "",
    ) -> ReportTable:
        """Return a table: a label and numbers; the sums of several lines are the last."""
        sums = [_sum(column) for column in list(zip(*lines, strict=True))[1:]]
        return ReportTable(
            id_,
            title,
            tuple(TableColumn(heading, at > 0) for at, heading in enumerate(headings)),
            tuple(map(tuple, lines)),
            (self._texts(_TOTAL), *sums) if len(lines) > 1 else (),
            note or ("" if lines else self._texts(self._none)),
        )

    def _add_distinct(
        self,
        heads: list[str],
        lines: Cells,
        keys: Iterable[str],
        key_of: Callable[[CountCell], str],
    ) -> None:
        """Add a column of distinct names to lines, each of a key, where any is known."""
        known = Counter[str]()
        for one in self._blocked:
            if one.distinct is not None:
                known[key_of(one)] += one.distinct
        if known:
            texts = self._texts
            heads.append(texts("Distinct names"))
            for key, line in zip(keys, lines, strict=True):
                line.append(known[key] if key in known else texts(NOT_KNOWN))


def capital(text: str) -> str:
    """Return a text that begins with a capital letter, for a heading."""
    return text[:1].upper() + text[1:]


def category_name(facts: ReportFacts, id_: str, texts: Texts) -> str:
    """Return the name of a category; its id where the site no longer has it."""
    if not id_:
        if facts.left_out and facts.audience is ReportAudience.INSIDE:
            return texts("(other blocks)")
        return texts("(rules of the school)")
    known = {category.id: category for category in facts.categories}
    if id_ not in known:
        return id_
    name, whole = known[id_].names.get(texts.language, id_), known.get(known[id_].part_of)
    if whole is None:
        return name
    of = whole.names.get(texts.language, whole.id)
    return texts("{name} (a part of {whole})", name=name, whole=of)


def _tick(time: str) -> str:
    """Return a day as ``28/11``, a month as ``11/2026``."""
    year, *rest = time.split("-")
    return f"{rest[1]}/{rest[0]}" if len(rest) > 1 else f"{rest[0]}/{year}"


def _sum(values: Iterable[Cell]) -> int | None:
    """Return the sum of the numbers; None where there is none."""
    numbers = [value for value in values if isinstance(value, int)]
    return sum(numbers) if numbers else None
