# SPDX-License-Identifier: Apache-2.0
"""Write a report as CSV: one value a line, each with its place in the report.

A Department puts the files of its schools beneath each other: the code of the school and the
days stand in each line, and ``section`` and ``part`` are the same in both languages. Charts are
left out, because a table has their numbers.

The comma separates, as in RFC 4180. The mark at the begin tells Excel that this is UTF-8; without
it Vietnamese letters are garbled.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, NamedTuple

from filterd.reports.report_document import (
    LEFT_OUT,
    BarChart,
    Blank,
    Code,
    Figures,
    Paragraph,
    ReportTable,
)
from filterd.texts.i18n import Texts, say
from filterd.texts.rows import guarded, to_csv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.reports.report_document import Cell, Part, ReportDocument
    from filterd.reports.report_facts import ReportFacts

_HEADINGS = (
    say("Code of the school"),
    say("First day"),
    say("Last day"),
    say("Section"),
    say("Part"),
    say("Title"),
    say("Row"),
    say("Column"),
    say("Value"),
)


class CsvValue(NamedTuple):
    """One value; ``part`` is the id of a figure, else of a part."""

    section: str
    part: str
    title: str
    row: str
    column: str
    value: Cell


def write(document: ReportDocument, facts: ReportFacts, _: bytes | None = None) -> bytes:
    """Return the file."""
    texts = Texts(document.language)
    of_school = facts.settings.code, facts.first, facts.last
    lines = (tuple(map(_cell, (*of_school, *value))) for value in values(document))
    return codecs.BOM_UTF8 + to_csv([[texts(one) for one in _HEADINGS], *lines])


def values(document: ReportDocument) -> Iterator[CsvValue]:
    """Yield the values of a report in order."""
    head = document.head
    named = {
        "issuer": head.issuer if head else "",
        "number": head.number if head else "",
        "title": document.title,
        "subject": document.subject,
        "receiver": document.receiver,
    }
    for part, text in named.items():
        if text:
            yield CsvValue("head", part, "", "", "", text)
    for section in document.sections:
        for one in section.parts:
            yield from (CsvValue(section.id, *value) for value in _of_part(one))
    for number, note in enumerate(document.notes, 1):
        yield CsvValue("notes", str(number), "", "", "", note)


def _of_part(part: Part) -> Iterator[tuple[str, str, str, str, Cell]]:
    """Yield part, title, row, column and value."""
    match part:
        case Paragraph():
            yield part.id, "", "", "", part.text
        case Figures():
            yield from ((figure.id, "", figure.label, "", figure.value) for figure in part.figures)
        case Blank():
            yield part.id, "", part.question, "", part.answer
        case Code():
            yield part.id, "", part.caption, "", part.content
        case ReportTable():
            for row, column, value in _of_table(part):
                yield part.id, part.title, row, column, value
            if part.note:
                yield part.id, part.title, "", "", part.note
        case BarChart():
            pass


def _of_table(table: ReportTable) -> Iterator[tuple[str, str, Cell]]:
    """Yield row, column and value: numbers by their texts, or texts by the first."""
    is_label = [not column.is_number for column in table.columns]
    if all(is_label):
        is_label = [at == 0 for at in range(len(is_label))]
    for line in (*table.rows, *([table.total] if table.total else [])):
        cells = list(zip(table.columns, is_label, line, strict=True))
        row = ", ".join(str(cell) for _, is_text, cell in cells if is_text)
        yield from ((row, one.heading, cell) for one, is_text, cell in cells if not is_text)


def _cell(value: Cell) -> object:
    if isinstance(value, str):
        return guarded(value)
    return LEFT_OUT if value is None else value
