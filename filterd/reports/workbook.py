# SPDX-License-Identifier: Apache-2.0
"""Write a report as a workbook: a sheet of facts, one for each table and chart.

Each text is written as a text, so that no name becomes a formula or a link. Numbers are
numbers; what is left out is ``LEFT_OUT``. The file has no author and no time but that of the
facts: the same report is the same file.
"""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import xlsxwriter
from xlsxwriter.chart_column import ChartColumn

from filterd.operations.report_questions import to_fill_in
from filterd.policy.reporting_settings import ReportAudience
from filterd.reports.report_document import (
    LEFT_OUT,
    BarChart,
    Blank,
    Code,
    Figures,
    Paragraph,
    ReportTable,
    TableColumn,
    cell_text,
)
from filterd.texts.i18n import Texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlsxwriter.worksheet import Worksheet

    from filterd.reports.report_document import Cell, Part, ReportDocument
    from filterd.reports.report_facts import ReportFacts

FactLine: TypeAlias = "tuple[str, Cell, str]"
"""A line of the first sheet: its label, its value, and the style of the value."""

_A4 = 9
_LABEL_WIDTH, _VALUE_WIDTH = 46, 84
_NARROWEST, _WIDEST, _ROOM = 9, 60, 2
"""Characters of columns, and what is left free beside the longest text."""
_TITLE_ROW, _HEAD_ROW = 0, 2
_LONGEST_NAME = 31
_not_in_names = re.compile(r"[\[\]:*?/\\']")
_COLOURS = {"passed": "#4A7FB5", "safe": "#2B8A5C", "blocked": "#C2410C", "failed": "#6B7280"}
"""Of the looks of charts, as the dashboard has them."""
_MOST_SERIES = 12
"""Of a chart; a table with more columns has none."""

_EDGED = {"border": 1, "border_color": "#BFBFBF", "valign": "top"}
_WHOLE, _LIGHT, _WRAPPED = {"num_format": "#,##0"}, {"bg_color": "#E8EEF5"}, {"text_wrap": True}
_STYLES: dict[str, dict[str, object]] = {
    "title": {"bold": True, "font_size": 14},
    "head": {**_EDGED, **_LIGHT, **_WRAPPED, "bold": True},
    "head-number": {**_EDGED, **_LIGHT, **_WRAPPED, "bold": True, "align": "right"},
    "text": {**_EDGED, **_WRAPPED},
    "number": {**_EDGED, **_WHOLE, "align": "right"},
    "share": {**_EDGED, "num_format": "0.00", "align": "right"},
    "total": {**_EDGED, **_LIGHT, **_WHOLE, "bold": True},
    "total-number": {**_EDGED, **_LIGHT, **_WHOLE, "bold": True, "align": "right"},
    "figure": {**_EDGED, **_WHOLE, "align": "left"},
    "figure-share": {**_EDGED, "num_format": "0.00", "align": "left"},
    "marked": {**_EDGED, **_WRAPPED, "bg_color": "#FFF3C4"},
    "note": {"italic": True},
}


def write(document: ReportDocument, facts: ReportFacts, _: bytes | None = None) -> bytes:
    """Return the file."""
    octets = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(octets, options) as book:
        made = datetime.fromtimestamp(facts.made_at, UTC).replace(tzinfo=None)
        about = {"title": document.title, "subject": document.subject}
        book.set_properties({**about, "created": made})
        is_inside = facts.audience is ReportAudience.INSIDE
        _WorkbookWriter(book, "".join(document.warnings()[:1]) if is_inside else "").draw(document)
    return octets.getvalue()


class _WorkbookWriter:
    """Writes the sheets of a workbook; ``above`` is printed above each page."""

    def __init__(self, book: xlsxwriter.Workbook, above: str) -> None:
        self._book, self._above = book, above
        self._styles = {name: book.add_format(style) for name, style in _STYLES.items()}

    def draw(self, document: ReportDocument) -> None:
        """Draw all sheets."""
        texts = Texts(document.language)
        sheet = self._sheet(texts("Facts"))
        sheet.set_column(0, 0, _LABEL_WIDTH)
        sheet.set_column(1, 1, _VALUE_WIDTH)
        self._put(sheet, _TITLE_ROW, 0, document.title, "title")
        for at, (label, value, style) in enumerate(_fact_lines(document), _HEAD_ROW):
            self._put(sheet, at, 0, label, "head" if style == "head" else "text")
            self._put(sheet, at, 1, value, style)
        for part in document.parts():
            if isinstance(part, ReportTable):
                self._draw_table(part, ())
            elif isinstance(part, BarChart):
                self._draw_table(_as_table(part), [one.look for one in part.series])

    def _draw_table(self, table: ReportTable, looks: Sequence[str]) -> None:
        """Draw a table on a sheet of its own, with its chart beneath.

        ``looks`` are those of the series of a chart; a table that is none has none.
        """
        sheet = self._sheet(table.title)
        self._put(sheet, _TITLE_ROW, 0, table.title, "title")
        lines = [*table.rows, *([table.total] if table.total else [])]
        for column, (about, *cells) in enumerate(zip(table.columns, *lines, strict=True)):
            longest = max(len(cell_text(one, "en")) for one in (about.heading, *cells))
            sheet.set_column(column, column, min(max(longest + _ROOM, _NARROWEST), _WIDEST))
            behind = "-number" if about.is_number else ""
            self._put(sheet, _HEAD_ROW, column, about.heading, f"head{behind}")
            for row, cell in enumerate(cells, _HEAD_ROW + 1):
                plain = "number" if about.is_number else "text"
                style = "share" if isinstance(cell, float) else plain
                is_total = row - _HEAD_ROW > len(table.rows)
                self._put(sheet, row, column, cell, f"total{behind}" if is_total else style)
        sheet.freeze_panes(_HEAD_ROW + 1, 1)
        sheet.repeat_rows(_HEAD_ROW)
        end = _HEAD_ROW + len(lines) + 2
        if table.note:
            self._put(sheet, end, 0, table.note, "note")
        self._draw_chart(sheet, table, looks, end + 2)

    def _draw_chart(
        self, sheet: Worksheet, table: ReportTable, looks: Sequence[str], below: int
    ) -> None:
        """Draw the stacked bars of a table below it, if it is one of numbers."""
        series = _series_of(table)
        if len(table.rows) <= 1 or not 1 <= len(series) <= _MOST_SERIES:
            return
        chart = self._book.add_chart({"type": "column", "subtype": "stacked"})
        assert isinstance(chart, ChartColumn)
        first, last, name = _HEAD_ROW + 1, _HEAD_ROW + len(table.rows), sheet.name
        for at, column in enumerate(series):
            colour = _COLOURS.get(looks[at]) if looks else None
            chart.add_series(
                {
                    "name": [name, _HEAD_ROW, column],
                    "categories": [name, first, 0, last, 0],
                    "values": [name, first, column, last, column],
                    **({"fill": {"color": colour}} if colour else {}),
                }
            )
        chart.set_y_axis({"min": 0})  # else small differences look large
        chart.set_title({"name": [name, _TITLE_ROW, 0], "name_font": {"size": 12}})
        chart.set_legend({"position": "bottom"} if len(series) > 1 else {"none": True})
        chart.set_size({"width": 900, "height": 360})
        sheet.insert_chart(below, 0, chart)

    def _sheet(self, title: str) -> Worksheet:
        """Return a new sheet that prints on A4 across; its name is one that Excel takes."""
        number = len(self._book.worksheets())
        name = _not_in_names.sub("-", f"{number}. {title}" if number else title)
        sheet = self._book.add_worksheet(name[:_LONGEST_NAME].strip())
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.set_header("&C" + self._above.replace("&", "&&"))
        sheet.set_footer("&C&P / &N")
        return sheet

    def _put(self, sheet: Worksheet, row: int, column: int, cell: Cell, style: str) -> None:
        """Write a cell; a text is never anything else."""
        if isinstance(cell, int | float):
            sheet.write_number(row, column, cell, self._styles[style])
        else:
            sheet.write_string(row, column, LEFT_OUT if cell is None else cell, self._styles[style])


def _fact_lines(document: ReportDocument) -> Iterator[FactLine]:
    """Yield the lines of the first sheet."""
    head = document.head
    beneath = (head.superior, head.issuer, head.number, head.place_and_date) if head else ()
    for text in (document.subject, *beneath, *document.legal_bases, document.receiver):
        if text:
            yield "", text, "text"
    for number, section in enumerate(document.sections, 1):
        yield f"{number}. {section.title}", "", "head"
        for part in section.parts:
            yield from _lines_of(part, Texts(document.language))
    for note in document.notes:
        yield "", note, "text"


def _lines_of(part: Part, texts: Texts) -> Iterator[FactLine]:
    match part:
        case Paragraph():
            yield "", part.text, "marked" if part.is_warning else "text"
        case Figures():
            for figure in part.figures:
                style = "figure-share" if isinstance(figure.value, float) else "figure"
                yield figure.label, figure.value, "text" if isinstance(figure.value, str) else style
        case Blank():
            answer = part.answer or to_fill_in(part.question, texts)
            yield part.question, answer, "text" if part.answer else "marked"
        case Code():
            yield part.caption, part.content, "text"


def _as_table(chart: BarChart) -> ReportTable:
    columns = TableColumn(chart.heading), *(TableColumn(one.title, True) for one in chart.series)
    return ReportTable(
        chart.id, chart.title, columns, tuple((label, *counts) for label, counts in chart.bars)
    )


def _series_of(table: ReportTable) -> range:
    """Return the columns that a chart stacks: those before their sum, else the first."""
    headings = [column.heading for column in table.columns]
    if table.total and table.total[0] in headings:
        return range(1, headings.index(str(table.total[0])))
    return range(1, 1 + any(column.is_number for column in table.columns[1:2]))
